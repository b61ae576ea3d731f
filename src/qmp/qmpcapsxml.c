/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsxml.c: capabilities to XML and back. Any thread; no rights needed. */
#include "qmp/qmpcapsxml.h"

#include "qmp/qmpcapspriv.h"
#include "util/virerror.h"

void
qmpCapsFormatFlags(const qmpCaps *caps, virXMLWriter *w)
{
    for (int flag = 0; flag < QMP_CAPS_LAST; flag++) {
        if (!qmpCapsLists(caps, (qmpCapsFlag)flag))
            continue;
        virXMLWriterOpen(w, "flag");
        virXMLWriterAttr(w, "name", qmpCapsFlagToString(flag));
        virXMLWriterClose(w);
    }
}

static void
qmpCapsFormatYes(virXMLWriter *w, const char *name, bool value)
{
    virXMLWriterAttr(w, name, value ? "yes" : NULL);
}

static void
qmpCapsFormatProperty(virXMLWriter *w, const qmpCpuProperty *property)
{
    virXMLWriterOpen(w, "property");
    virXMLWriterAttr(w, "name", property->name);
    virXMLWriterAttr(w, "type", qmpCpuPropertyTypeToString(property->type));
    switch (property->type) {
    case QMP_CPU_PROPERTY_BOOLEAN:
        virXMLWriterAttr(w, "value", property->boolean ? "true" : "false");
        break;
    case QMP_CPU_PROPERTY_STRING:
        virXMLWriterAttr(w, "value", property->string);
        break;
    case QMP_CPU_PROPERTY_NUMBER:
    case QMP_CPU_PROPERTY_LAST:
        virXMLWriterAttrF(w, "value", "%" G_GINT64_FORMAT, property->number);
        break;
    }
    if (property->migratable != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "migratable", property->migratable == VIR_TRISTATE_YES ? "yes" : "no");
    virXMLWriterClose(w);
}

static void
qmpCapsFormatHostCpu(virXMLWriter *w, const qmpCpuModel *model, const char *accel)
{
    if (!model)
        return;
    virXMLWriterOpen(w, "hostCPU");
    virXMLWriterAttr(w, "type", accel);
    virXMLWriterAttr(w, "model", model->name);
    virXMLWriterAttr(w, "migratability", model->migratability ? "yes" : "no");
    for (guint i = 0; i < model->properties->len; i++)
        qmpCapsFormatProperty(w, model->properties->pdata[i]);
    virXMLWriterClose(w);
}

static void
qmpCapsFormatCpu(virXMLWriter *w, const qmpCpuDefinition *cpu, const char *accel)
{
    virXMLWriterOpen(w, "cpu");
    virXMLWriterAttr(w, "type", accel);
    virXMLWriterAttr(w, "name", cpu->name);
    virXMLWriterAttr(w, "typename", cpu->typeName);
    if (cpu->usable != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "usable", cpu->usable == VIR_TRISTATE_YES ? "yes" : "no");
    qmpCapsFormatYes(w, "deprecated", cpu->deprecated);
    for (size_t i = 0; cpu->blockers && cpu->blockers[i]; i++) {
        virXMLWriterOpen(w, "blocker");
        virXMLWriterAttr(w, "name", cpu->blockers[i]);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
qmpCapsFormatMachine(virXMLWriter *w, const qmpMachine *machine, const char *accel)
{
    virXMLWriterOpen(w, "machine");
    virXMLWriterAttr(w, "type", accel);
    virXMLWriterAttr(w, "name", machine->name);
    virXMLWriterAttr(w, "alias", machine->alias);
    qmpCapsFormatYes(w, "hotplugCpus", machine->hotplugCpus);
    virXMLWriterAttrF(w, "maxCpus", "%u", machine->maxCpus);
    qmpCapsFormatYes(w, "default", machine->isDefault);
    virXMLWriterAttr(w, "defaultCPU", machine->defaultCpu);
    qmpCapsFormatYes(w, "numaMemSupported", machine->numaMemSupported);
    virXMLWriterAttr(w, "defaultRAMid", machine->defaultRamId);
    qmpCapsFormatYes(w, "deprecated", machine->deprecated);
    virXMLWriterClose(w);
}

static void
qmpCapsFormatAccel(virXMLWriter *w, const qmpCapsAccel *own, const char *accel)
{
    qmpCapsFormatHostCpu(w, own->hostCpu, accel);
    for (guint i = 0; own->cpus && i < own->cpus->len; i++)
        qmpCapsFormatCpu(w, own->cpus->pdata[i], accel);
    for (guint i = 0; i < own->machines->len; i++)
        qmpCapsFormatMachine(w, own->machines->pdata[i], accel);
}

static void
qmpCapsFormatMark(virXMLWriter *w, const char *element, bool value)
{
    if (!value)
        return;
    virXMLWriterOpen(w, element);
    virXMLWriterClose(w);
}

static void
qmpCapsFormatSev(virXMLWriter *w, const qmpSevInfo *sev)
{
    if (!sev)
        return;
    virXMLWriterOpen(w, "sev");
    virXMLWriterElementF(w, "cbitpos", "%u", sev->cbitpos);
    virXMLWriterElementF(w, "reducedPhysBits", "%u", sev->reducedPhysBits);
    virXMLWriterElement(w, "pdh", sev->pdh);
    virXMLWriterElement(w, "certChain", sev->certChain);
    virXMLWriterElement(w, "cpu0Id", sev->cpu0Id);
    virXMLWriterClose(w);
}

static void
qmpCapsFormatHyperv(virXMLWriter *w, char **names)
{
    if (!names)
        return;
    virXMLWriterOpen(w, "hypervCapabilities");
    virXMLWriterAttr(w, "supported", *names ? "yes" : "no");
    for (; *names; names++) {
        virXMLWriterOpen(w, "cap");
        virXMLWriterAttr(w, "name", *names);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

char *
qmpCapsFormat(const qmpCaps *caps)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virXMLWriterOpen(w, "qemuCaps");
    virXMLWriterElement(w, "emulator", caps->emulator);
    virXMLWriterElementF(w, "qemuctime", "%" G_GINT64_FORMAT, caps->binaryCtime);
    virXMLWriterElementF(w, "selfctime", "%" G_GINT64_FORMAT, caps->ownCtime);
    virXMLWriterElementF(w, "selfvers", "%u", caps->ownVersion);
    qmpCapsFormatFlags(caps, w);
    virXMLWriterElementF(w, "version", "%u", caps->version);
    virXMLWriterElementF(w, "kvmVersion", "%d", 0); /* nothing has had one for ten years */
    virXMLWriterElementF(w, "microcodeVersion", "%u", caps->microcodeVersion);
    virXMLWriterElement(w, "hostCPUSignature", caps->hostCpuSignature);
    virXMLWriterElement(w, "package", caps->package);
    virXMLWriterElement(w, "kernelVersion", caps->kernelVersion);
    virXMLWriterElement(w, "arch", caps->arch);
    for (int i = 0; i < QMP_ACCEL_LAST; i++)
        qmpCapsFormatAccel(w, &caps->accel[i], qmpAccelToString(i));
    qmpCapsFormatSev(w, caps->sev);
    qmpCapsFormatHyperv(w, caps->hyperv);
    qmpCapsFormatMark(w, "kvmSupportsNesting", caps->kvmNested);
    qmpCapsFormatMark(w, "kvmRefused", caps->kvmRefused);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* Numbers of the cache are ours: what is missing or no number is 0 and makes the file outdated. */
static int64_t
qmpCapsParseNumber(const char *text)
{
    return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static int64_t
qmpCapsParseElement(const xmlNode *root, const char *name)
{
    const xmlNode *node = virXMLFirstChild(root, name);
    g_autofree char *text = node ? virXMLText(node) : NULL;

    return qmpCapsParseNumber(text);
}

static char *
qmpCapsParseText(const xmlNode *root, const char *name)
{
    const xmlNode *node = virXMLFirstChild(root, name);

    return node ? virXMLText(node) : NULL;
}

static bool
qmpCapsParseYes(const xmlNode *node, const char *name)
{
    return g_strcmp0(virXMLAttrPeek(node, name), "yes") == 0;
}

static virTristate
qmpCapsParseTristate(const xmlNode *node, const char *name)
{
    return virXMLAttrPeek(node, name) ? virTristateFromBool(qmpCapsParseYes(node, name))
                                      : VIR_TRISTATE_ABSENT;
}

static bool
qmpCapsParseKnownFlags(qmpCaps *caps, const xmlNode *root, GError **error)
{
    virXMLForEachChildNamed (root, node, "flag") {
        const char *name = virXMLAttrPeek(node, "name");
        int flag = qmpCapsFlagFromString(name);

        if (flag < 0)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown QEMU capability '%s'"),
                               name ? name : "");
        qmpCapsSetFlag(caps, (qmpCapsFlag)flag);
    }
    return true;
}

void
qmpCapsParseFlags(qmpCaps *caps, const xmlNode *node)
{
    virXMLForEachChildNamed (node, child, "flag") {
        int flag = qmpCapsFlagFromString(virXMLAttrPeek(child, "name"));

        if (flag >= 0)
            qmpCapsSetFlag(caps, (qmpCapsFlag)flag);
    }
}

static qmpCpuProperty *
qmpCapsParseProperty(const xmlNode *node, GError **error)
{
    const char *name = virXMLAttrPeek(node, "name");
    const char *value = virXMLAttrPeek(node, "value");
    int type = qmpCpuPropertyTypeFromString(virXMLAttrPeek(node, "type"));
    qmpCpuProperty *property;

    if (!name || !value || type < 0) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("malformed property of the host CPU"));
        return NULL;
    }
    property = qmpCpuPropertyNew(name, (qmpCpuPropertyType)type);
    property->migratable = qmpCapsParseTristate(node, "migratable");
    switch (property->type) {
    case QMP_CPU_PROPERTY_BOOLEAN:
        property->boolean = g_str_equal(value, "true");
        break;
    case QMP_CPU_PROPERTY_STRING:
        property->string = g_strdup(value);
        break;
    case QMP_CPU_PROPERTY_NUMBER:
    case QMP_CPU_PROPERTY_LAST:
        property->number = qmpCapsParseNumber(value);
        break;
    }
    return property;
}

static bool
qmpCapsParseHostCpu(qmpCapsAccel *own, const xmlNode *node, GError **error)
{
    g_autoptr(qmpCpuModel) model = qmpCpuModelNew(virXMLAttrPeek(node, "model"));

    if (!model->name)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("host CPU without a model"));
    model->migratability = qmpCapsParseYes(node, "migratability");
    virXMLForEachChildNamed (node, child, "property") {
        qmpCpuProperty *property = qmpCapsParseProperty(child, error);

        if (!property)
            return false;
        g_ptr_array_add(model->properties, property);
    }
    qmpCpuModelFree(own->hostCpu);
    own->hostCpu = g_steal_pointer(&model);
    return true;
}

/* The names of all children of one kind. */
static char **
qmpCapsParseNames(const xmlNode *node, const char *element)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    virXMLForEachChildNamed (node, child, element) {
        if (virXMLAttrPeek(child, "name"))
            g_ptr_array_add(names, virXMLAttr(child, "name"));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), false);
}

static bool
qmpCapsParseCpu(qmpCapsAccel *own, const xmlNode *node, GError **error)
{
    const char *name = virXMLAttrPeek(node, "name");
    qmpCpuDefinition *cpu;

    if (!name)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("CPU model without a name"));
    if (!own->cpus)
        own->cpus = g_ptr_array_new_with_free_func((GDestroyNotify)qmpCpuDefinitionFree);
    cpu = qmpCpuDefinitionNew(name);
    cpu->typeName = virXMLAttr(node, "typename");
    cpu->usable = qmpCapsParseTristate(node, "usable");
    cpu->deprecated = qmpCapsParseYes(node, "deprecated");
    if (virXMLFirstChild(node, "blocker"))
        cpu->blockers = qmpCapsParseNames(node, "blocker");
    g_ptr_array_add(own->cpus, cpu);
    return true;
}

static bool
qmpCapsParseMachine(qmpCapsAccel *own, const xmlNode *node, GError **error)
{
    const char *name = virXMLAttrPeek(node, "name");
    qmpMachine *machine;

    if (!name)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("machine without a name"));
    machine = qmpMachineNew(name);
    machine->alias = virXMLAttr(node, "alias");
    machine->hotplugCpus = qmpCapsParseYes(node, "hotplugCpus");
    machine->maxCpus = (unsigned)qmpCapsParseNumber(virXMLAttrPeek(node, "maxCpus"));
    machine->isDefault = qmpCapsParseYes(node, "default");
    machine->defaultCpu = virXMLAttr(node, "defaultCPU");
    machine->numaMemSupported = qmpCapsParseYes(node, "numaMemSupported");
    machine->defaultRamId = virXMLAttr(node, "defaultRAMid");
    machine->deprecated = qmpCapsParseYes(node, "deprecated");
    g_ptr_array_add(own->machines, machine);
    return true;
}

static bool
qmpCapsParseAccels(qmpCaps *caps, const xmlNode *root, GError **error)
{
    static const struct {
        const char *element;
        bool (*parse)(qmpCapsAccel *own, const xmlNode *node, GError **error);
    } parts[] = {
        {"hostCPU", qmpCapsParseHostCpu},
        {"cpu", qmpCapsParseCpu},
        {"machine", qmpCapsParseMachine},
    };

    virXMLForEachChild (root, node) {
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
            int accel;

            if (!virXMLNameIs(node, parts[i].element))
                continue;
            if ((accel = qmpAccelFromString(virXMLAttrPeek(node, "type"))) < 0)
                return virErrorSet(error, VIR_ERR_XML_ERROR, _("<%s> of no known type"),
                                   parts[i].element);
            if (!parts[i].parse(&caps->accel[accel], node, error))
                return false;
        }
    }
    return true;
}

static qmpSevInfo *
qmpCapsParseSev(const xmlNode *root)
{
    const xmlNode *node = virXMLFirstChild(root, "sev");
    qmpSevInfo *sev;

    if (!node)
        return NULL;
    sev = g_new0(qmpSevInfo, 1);
    sev->cbitpos = (unsigned)qmpCapsParseElement(node, "cbitpos");
    sev->reducedPhysBits = (unsigned)qmpCapsParseElement(node, "reducedPhysBits");
    sev->pdh = qmpCapsParseText(node, "pdh");
    sev->certChain = qmpCapsParseText(node, "certChain");
    sev->cpu0Id = qmpCapsParseText(node, "cpu0Id");
    return sev;
}

qmpCaps *
qmpCapsParse(const char *text, gssize len, GError **error)
{
    g_autoptr(xmlDoc) doc = virXMLParse(text, len, "QEMU_capabilities", error);
    g_autofree char *emulator = NULL;
    g_autofree char *arch = NULL;
    g_autoptr(qmpCaps) caps = NULL;
    const xmlNode *hyperv;
    xmlNode *root;

    if (!doc || !(root = virXMLRoot(doc, "qemuCaps", error)))
        return NULL;
    emulator = qmpCapsParseText(root, "emulator");
    arch = qmpCapsParseText(root, "arch");
    if (!emulator || !arch) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("capabilities without emulator or architecture"));
        return NULL;
    }
    caps = qmpCapsNew(emulator, arch);
    if (!qmpCapsParseKnownFlags(caps, root, error) || !qmpCapsParseAccels(caps, root, error))
        return NULL;
    caps->binaryCtime = qmpCapsParseElement(root, "qemuctime");
    caps->ownCtime = qmpCapsParseElement(root, "selfctime");
    caps->ownVersion = (unsigned)qmpCapsParseElement(root, "selfvers");
    caps->version = (unsigned)qmpCapsParseElement(root, "version");
    caps->microcodeVersion = (unsigned)qmpCapsParseElement(root, "microcodeVersion");
    caps->hostCpuSignature = qmpCapsParseText(root, "hostCPUSignature");
    caps->package = qmpCapsParseText(root, "package");
    caps->kernelVersion = qmpCapsParseText(root, "kernelVersion");
    caps->sev = qmpCapsParseSev(root);
    if ((hyperv = virXMLFirstChild(root, "hypervCapabilities")))
        caps->hyperv = qmpCapsParseNames(hyperv, "cap");
    caps->kvmNested = virXMLFirstChild(root, "kvmSupportsNesting") != NULL;
    caps->kvmRefused = virXMLFirstChild(root, "kvmRefused") != NULL;
    return g_steal_pointer(&caps);
}

/* --- a variant --- */

static bool
qmpCapsChangeFlags(qmpCaps *caps, const GPtrArray *names,
                   void (*change)(qmpCaps *caps, qmpCapsFlag flag), GError **error)
{
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        int flag = qmpCapsFlagFromString(name);

        if (flag < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("invalid qemu namespace capability '%s'"), name);
        change(caps, (qmpCapsFlag)flag);
    }
    return true;
}

qmpCaps *
qmpCapsWithFlags(const qmpCaps *caps, const GPtrArray *add, const GPtrArray *del, GError **error)
{
    g_autofree char *text = qmpCapsFormat(caps);
    g_autoptr(qmpCaps) changed = qmpCapsParse(text, -1, error);

    if (!changed || !qmpCapsChangeFlags(changed, add, qmpCapsSetFlag, error) ||
        !qmpCapsChangeFlags(changed, del, qmpCapsClearFlag, error))
        return NULL;
    return g_steal_pointer(&changed);
}
