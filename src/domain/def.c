/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * def.c: a domain read from its text, written back, copied, compared. */
#include "domain/def.h"

#include <string.h>

#include "device/console/console.h"
#include "domain/addresses.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virscale.h"
#include "util/virsecure.h"

VIR_ENUM_IMPL(virDomainVirtType, VIR_DOMAIN_VIRT_LAST, "none", "qemu", "kvm");

typedef bool (*virDomainSectionVisit)(const virDomainSection *section, void *opaque,
                                      GError **error);

static bool
virDomainSectionsVisit(const virDomainSection *const *sections, virDomainSectionVisit visit,
                       void *opaque, GError **error)
{
    for (; *sections; sections++) {
        if (!visit(*sections, opaque, error))
            return false;
    }
    return true;
}

static bool
virDomainSectionsVisitAll(virDomainSectionVisit visit, void *opaque, GError **error)
{
    return virDomainSectionsVisit(virDomainSectionsBefore, visit, opaque, error) &&
           virDomainSectionsVisit(virDomainSectionsAfter, visit, opaque, error);
}

/* --- making and freeing --- */

virDomainDef *
virDomainDefNew(void)
{
    virDomainDef *def = g_new0(virDomainDef, 1);

    def->id = -1;
    def->devices = g_ptr_array_new_with_free_func((GDestroyNotify)virDeviceFree);
    return def;
}

static bool
virDomainSectionClear(const virDomainSection *section, void *opaque, GError **error)
{
    virFieldClear(section->fields, (char *)opaque + section->offset);
    return true;
}

void
virDomainDefFree(virDomainDef *def)
{
    if (!def)
        return;
    (void)virDomainSectionsVisitAll(virDomainSectionClear, def, NULL); /* never fails */
    g_free(def->emulator);
    g_ptr_array_unref(def->devices);
    g_free(def);
}

/* --- reading --- */

typedef struct {
    virDomainDef *def;
    xmlNode *root;
    unsigned parseFlags;
} virDomainReading;

static bool
virDomainSectionParse(const virDomainSection *section, void *opaque, GError **error)
{
    virDomainReading *reading = opaque;

    return virFieldParse(section->fields, (char *)reading->def + section->offset, reading->root,
                         reading->parseFlags, error);
}

static bool
virDomainDefParseRoot(virDomainDef *def, xmlNode *root, unsigned parseFlags, GError **error)
{
    g_autofree char *type = virXMLAttr(root, "type");
    g_autofree char *id = virXMLAttr(root, "id");
    int64_t number;

    if (!virXMLNameIs(root, "domain"))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("unexpected root element <%s>, expecting <domain>"),
                           (const char *)root->name);
    if (!type)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("missing domain type attribute"));
    if ((def->virtType = virDomainVirtTypeFromString(type)) <= 0)
        return virErrorSetDomain(error, VIR_ERR_CONFIG_UNSUPPORTED, _("invalid domain type %s"),
                                 type);
    if (!(parseFlags & VIR_PARSE_INACTIVE) && id && virStringToInt(id, &number) && number >= 0 &&
        number <= INT32_MAX)
        def->id = (int)number;
    return true;
}

static bool
virDomainDefParseDevice(virDomainDef *def, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDevice *dev;

    if (virXMLNameIs(node, "emulator"))
        return true;
    if (!virDeviceKindByElement((const char *)node->name)) {
        VIR_DEBUG("element <%s> of <devices> is unknown and passed over", (const char *)node->name);
        return true;
    }
    if (def->devices->len >= VIR_DOMAIN_DEVICES_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("more than %d devices in one domain"), VIR_DOMAIN_DEVICES_MAX);
    if (!(dev = virDeviceParse(node, parseFlags, error)))
        return false;
    if ((parseFlags & VIR_PARSE_STATUS) || dev->kind->keepsOrder) /* what we wrote is in order */
        virDomainDefAppendDevice(def, dev);
    else
        virDomainDefAddDevice(def, dev);
    return true;
}

static bool
virDomainDefParseDevices(virDomainDef *def, const xmlNode *root, unsigned parseFlags,
                         GError **error)
{
    xmlNode *devices = virXMLFirstChild(root, "devices");

    def->emulator = virXMLText(virXMLFirstChild(devices, "emulator"));
    if (def->emulator && !*def->emulator)
        g_clear_pointer(&def->emulator, g_free);
    virXMLForEachChild (devices, child) {
        if (!virDomainDefParseDevice(def, child, parseFlags, error))
            return false;
    }
    return true;
}

virDomainDef *
virDomainDefParseNode(xmlNode *root, unsigned parseFlags, GError **error)
{
    g_autoptr(virDomainDef) def = virDomainDefNew();
    virDomainReading reading = {def, root, parseFlags};

    if (!virDomainDefParseRoot(def, root, parseFlags, error) ||
        !virDomainSectionsVisitAll(virDomainSectionParse, &reading, error) ||
        !virDomainDefParseDevices(def, root, parseFlags, error))
        return NULL;
    return g_steal_pointer(&def);
}

virDomainDef *
virDomainDefParse(const char *xml, unsigned parseFlags, GError **error)
{
    g_autoptr(xmlDoc) doc = virXMLParse(xml, -1, "domain_definition", error);
    xmlNode *root = doc ? virXMLRoot(doc, "domain", error) : NULL;
    virDomainDef *def = root ? virDomainDefParseNode(root, parseFlags, error) : NULL;

    if (def)
        def->size = strlen(xml);
    return def;
}

/* --- writing --- */

typedef struct {
    const virDomainDef *def;
    virXMLWriter *w;
    unsigned formatFlags;
} virDomainWriting;

static bool
virDomainSectionFormat(const virDomainSection *section, void *opaque, GError **error)
{
    virDomainWriting *writing = opaque;

    virFieldFormat(section->fields, (const char *)writing->def + section->offset, writing->w,
                   writing->formatFlags);
    return true;
}

static void
virDomainDefFormatDevices(const virDomainDef *def, virXMLWriter *w, unsigned formatFlags)
{
    virXMLWriterOpen(w, "devices");
    virXMLWriterChildren(w);
    virXMLWriterElement(w, "emulator", def->emulator);
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        const virDevice *serial = virConsoleMirrored(dev, def->devices);

        if (dev->kind->hidden && dev->kind->hidden(dev, formatFlags))
            continue;
        if (serial)
            virConsoleFormatMirror(serial, w, formatFlags);
        else
            virDeviceFormat(dev, w, formatFlags);
    }
    virXMLWriterClose(w);
}

void
virDomainDefFormatInto(const virDomainDef *def, virXMLWriter *w, unsigned formatFlags)
{
    virDomainWriting writing = {def, w, formatFlags};

    virXMLWriterOpen(w, "domain");
    virXMLWriterAttr(w, "type", virDomainVirtTypeToString(def->virtType));
    if (def->id >= 0 && !(formatFlags & VIR_FORMAT_INACTIVE))
        virXMLWriterAttrF(w, "id", "%d", def->id);
    if (virDomainQemuNamespaceInUse(&def->qemu))
        virXMLWriterAttr(w, "xmlns:qemu", VIR_QEMU_NAMESPACE);
    (void)virDomainSectionsVisit(virDomainSectionsBefore, virDomainSectionFormat, &writing,
                                 NULL); /* never fails */
    virDomainDefFormatDevices(def, w, formatFlags);
    (void)virDomainSectionsVisit(virDomainSectionsAfter, virDomainSectionFormat, &writing, NULL);
    virXMLWriterClose(w);
}

char *
virDomainDefFormat(const virDomainDef *def, unsigned formatFlags)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virDomainDefFormatInto(def, w, formatFlags);
    return virXMLWriterEnd(w);
}

virDomainDef *
virDomainDefCopy(const virDomainDef *def)
{
    char *xml = virDomainDefFormat(def, VIR_FORMAT_STATUS | VIR_FORMAT_SECURE);
    g_autoptr(GError) error = NULL;
    virDomainDef *copy = virDomainDefParse(xml, VIR_PARSE_STATUS, &error);

    if (!copy)
        g_error("a domain that was written cannot be read: %s", error->message);
    virSecureFreeString(xml);
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *from = g_ptr_array_index(def->devices, i);

        ((virDevice *)g_ptr_array_index(copy->devices, i))->implicit = from->implicit;
    }
    return copy;
}

/* --- completing and checking --- */

bool
virDomainDefCompleteDevices(virDomainDef *def, const virDomainFacts *facts, unsigned parseFlags,
                            virDomainDeviceHook before, void *opaque, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (before && !before(dev, facts, parseFlags, opaque, error))
            return false;
        if (dev->kind->complete && !dev->kind->complete(dev, facts, parseFlags, error))
            return false;
    }
    return true;
}

typedef struct {
    virDomainDef *def;
    unsigned parseFlags;
} virDomainCompleting;

static bool
virDomainSectionComplete(const virDomainSection *section, void *opaque, GError **error)
{
    virDomainCompleting *completing = opaque;

    return !section->complete || section->complete(completing->def, completing->parseFlags, error);
}

bool
virDomainDefCompleteSections(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainCompleting completing = {def, parseFlags};

    return virDomainSectionsVisitAll(virDomainSectionComplete, &completing, error);
}

static bool
virDomainSectionCheck(const virDomainSection *section, void *opaque, GError **error)
{
    return !section->check || section->check(opaque, error);
}

bool
virDomainDefCheck(const virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainFacts facts;

    if (parseFlags & (VIR_PARSE_SKIP_VALIDATE | VIR_PARSE_STATUS))
        return true;
    virDomainDefFacts(def, NULL, &facts);
    if (!virDomainSectionsVisitAll(virDomainSectionCheck, (void *)def, error) ||
        !virDomainDefCheckDevices(def, error))
        return false;
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind->check && !dev->kind->check(dev, &facts, error))
            return false;
    }
    return true;
}

static void
virDomainDefAddOpaque(virDevice *dev, void *opaque)
{
    virDomainDefAddDevice(opaque, dev);
}

bool
virDomainDefComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    static const virAddressPolicy none;
    virDomainFacts facts;

    virDomainDefFacts(def, NULL, &facts);
    return virDomainDefAssignControllerIndexes(def, error) &&
           virConsoleSerialCompat(def->devices, virDomainDefAddOpaque, def, error) &&
           virDomainDefCompleteDevices(def, &facts, parseFlags, NULL, NULL, error) &&
           virDomainDefCompleteSections(def, parseFlags, error) &&
           virDomainDefAddImplicitControllers(def, &none, error);
}

/* --- comparing --- */

typedef struct {
    const virDomainDef *a, *b;
} virDomainComparing;

static bool
virDomainSectionSame(const virDomainSection *section, void *opaque, GError **error)
{
    const virDomainComparing *comparing = opaque;

    return virFieldSameABI(section->fields, section->name,
                           (const char *)comparing->a + section->offset,
                           (const char *)comparing->b + section->offset, error) &&
           (!section->sameABI || section->sameABI(comparing->a, comparing->b, error));
}

static bool
virDomainDefSameDevices(const virDomainDef *a, const virDomainDef *b, const virDeviceKind *kind,
                        GError **error)
{
    unsigned was = virDevicesCount(a->devices, kind);
    unsigned is = virDevicesCount(b->devices, kind);

    if (was != is)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain %s device count %u does not match source %u"),
                           kind->noun, is, was);
    for (unsigned i = 0; i < was; i++) {
        if (!virDeviceSameABI(virDevicesNth(a->devices, kind, i),
                              virDevicesNth(b->devices, kind, i), error))
            return false;
    }
    return true;
}

bool
virDomainDefSameABI(const virDomainDef *a, const virDomainDef *b, GError **error)
{
    virDomainComparing comparing = {a, b};

    if (a->virtType != b->virtType)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain virt type %s does not match source %s"),
                           virDomainVirtTypeToString(b->virtType),
                           virDomainVirtTypeToString(a->virtType));
    if (!virDomainSectionsVisitAll(virDomainSectionSame, &comparing, error))
        return false;
    for (const virDeviceKind *const *kind = virDeviceKinds; *kind; kind++) {
        if (!virDomainDefSameDevices(a, b, *kind, error))
            return false;
    }
    return true;
}
