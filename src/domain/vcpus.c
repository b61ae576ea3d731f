/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vcpus.c: <vcpu> and <vcpus>. */
#include "domain/vcpus.h"

#include <inttypes.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virDomainCPUPlacement, VIR_DOMAIN_CPU_PLACEMENT_LAST, "static", "auto");
VIR_ENUM_IMPL(virSchedPolicy, VIR_SCHED_POLICY_LAST, "none", "batch", "idle", "fifo", "rr");

unsigned
virDomainVcpusOnline(const virDomainVcpus *vcpus)
{
    unsigned online = 0;

    for (guint i = 0; i < virDomainVcpusMax(vcpus); i++)
        online += virDomainVcpuAt(vcpus, i)->online;
    return online;
}

static void
virDomainVcpuClear(void *opaque)
{
    virBitmapFree(((virDomainVcpu *)opaque)->pin);
}

static bool
virDomainVcpuParsePlacement(virDomainVcpus *vcpus, const xmlNode *element, GError **error)
{
    g_autofree char *placement = virXMLAttr(element, "placement");
    g_autofree char *cpuset = virXMLAttr(element, "cpuset");

    if (placement && (vcpus->placement = virDomainCPUPlacementFromString(placement)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."),
                           "placement", "vcpu", placement);
    if (!cpuset || vcpus->placement == VIR_DOMAIN_CPU_PLACEMENT_AUTO)
        return true;
    vcpus->cpuset = virBitmapParse(cpuset, VIR_DOMAIN_CPUMASK_LEN, error);
    if (vcpus->cpuset && virBitmapIsEmpty(vcpus->cpuset))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid value of 'cpuset': %s"),
                           cpuset);
    return vcpus->cpuset;
}

static bool
virDomainVcpuParseCounts(virDomainVcpus *vcpus, const xmlNode *element, GError **error)
{
    g_autofree char *count = virXMLText(element);
    g_autofree char *current = virXMLAttr(element, "current");
    uint64_t max = 1;
    uint64_t online;

    if (count && *count && !virStringToUInt(count, UINT32_MAX, &max))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("maximum vcpus count must be an integer"));
    online = max;
    if (current && !virStringToUInt(current, UINT32_MAX, &online))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("current vcpus count must be an integer"));
    if (max == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("domain config can't have 0 maximum vCPUs"));
    if (max > VIR_DOMAIN_VCPUS_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Maximum CPUs greater than specified machine type limit %u"),
                           VIR_DOMAIN_VCPUS_MAX);
    if (online > max)
        return virErrorSet(
            error, VIR_ERR_INVALID_ARG,
            _("maxvcpus must not be less than current vcpus (%" PRIu64 " < %" PRIu64 ")"), max,
            online);
    g_array_set_size(vcpus->list, (guint)max);
    for (guint i = 0; i < online; i++)
        virDomainVcpuAt(vcpus, i)->online = true;
    return true;
}

/* Before all others, as of ids. */
static guint
virDomainVcpusNextInOrder(const virDomainVcpus *vcpus, const bool *numbered)
{
    guint next = vcpus->list->len;

    for (guint i = 0; i < vcpus->list->len; i++) {
        const virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (vcpu->online && !numbered[i] &&
            (next == vcpus->list->len || vcpu->order < virDomainVcpuAt(vcpus, next)->order))
            next = i;
    }
    return next;
}

void
virDomainVcpusNumber(virDomainVcpus *vcpus)
{
    g_autofree bool *numbered = g_new0(bool, vcpus->list->len);
    unsigned order = 0, before = 0;
    guint next;

    while ((next = virDomainVcpusNextInOrder(vcpus, numbered)) < vcpus->list->len) {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, next);

        if (vcpu->order == 0 || vcpu->order != before)
            order++; /* else: it came together with the one before */
        before = vcpu->order;
        vcpu->order = order;
        numbered[next] = true;
    }
    for (guint i = 0; i < vcpus->list->len; i++) {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (!vcpu->online)
            vcpu->order = 0;
        if (vcpu->hotpluggable == VIR_TRISTATE_ABSENT)
            vcpu->hotpluggable = virTristateFromBool(!vcpu->online);
    }
}

void
virDomainVcpusSwitch(virDomainVcpus *vcpus, guint first, guint count, bool online)
{
    for (guint id = first; id < first + count; id++) {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, id);

        vcpu->online = online;
        vcpu->hotpluggable = VIR_TRISTATE_YES;
        vcpu->order = G_MAXUINT;
    }
    vcpus->individual = true;
    virDomainVcpusNumber(vcpus);
}

/* --- of a stored document, where nothing has an order --- */

static void
virDomainVcpusForgetOrder(virDomainVcpus *vcpus)
{
    for (guint i = 0; i < virDomainVcpusMax(vcpus); i++)
        virDomainVcpuAt(vcpus, i)->order = 0;
}

static void
virDomainVcpusAdd(virDomainVcpus *vcpus, unsigned more, bool hotpluggable)
{
    for (unsigned i = 0; i < virDomainVcpusMax(vcpus) && more > 0; i++) {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (vcpu->online)
            continue;
        vcpu->online = true;
        vcpu->hotpluggable = hotpluggable ? VIR_TRISTATE_YES : VIR_TRISTATE_NO;
        vcpus->individual |= hotpluggable;
        more--;
    }
}

static void
virDomainVcpusTake(virDomainVcpus *vcpus, unsigned fewer)
{
    for (unsigned i = virDomainVcpusMax(vcpus); i-- > 0 && fewer > 0;) {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (!vcpu->online)
            continue;
        vcpu->online = false;
        vcpu->hotpluggable = VIR_TRISTATE_YES;
        fewer--;
    }
}

void
virDomainVcpusStoreCount(virDomainVcpus *vcpus, unsigned count, bool hotpluggable)
{
    const unsigned now = virDomainVcpusOnline(vcpus);

    virDomainVcpusForgetOrder(vcpus);
    if (count > now)
        virDomainVcpusAdd(vcpus, count - now, hotpluggable);
    else
        virDomainVcpusTake(vcpus, now - count);
}

void
virDomainVcpusStoreSwitch(virDomainVcpus *vcpus, const virBitmap *set, bool online)
{
    virBitmapForEach(set, id)
    {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, (guint)id);

        vcpu->online = online;
        vcpu->hotpluggable = VIR_TRISTATE_YES;
    }
    vcpus->individual = true;
    virDomainVcpusForgetOrder(vcpus);
    for (guint i = 0; i < virDomainVcpusMax(vcpus); i++) {
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (vcpu->hotpluggable == VIR_TRISTATE_ABSENT)
            vcpu->hotpluggable = virTristateFromBool(!vcpu->online);
    }
}

static bool
virDomainVcpuParseYesNo(const xmlNode *node, const char *name, virTristate *ret, GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);

    if (!text)
        return true;
    if (g_str_equal(text, "yes"))
        *ret = VIR_TRISTATE_YES;
    else if (g_str_equal(text, "no"))
        *ret = VIR_TRISTATE_NO;
    else
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid vcpu '%s' value '%s'"), name, text);
    return true;
}

static bool
virDomainVcpuParseOne(virDomainVcpus *vcpus, const xmlNode *node, GError **error)
{
    g_autofree char *id = virXMLAttr(node, "id");
    g_autofree char *order = virXMLAttr(node, "order");
    virTristate enabled = VIR_TRISTATE_ABSENT;
    virDomainVcpu *vcpu;
    uint64_t number;

    if (!id || !virStringToUInt(id, UINT32_MAX, &number))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing or invalid vcpu id in <vcpus>"));
    if (number >= vcpus->list->len)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("vcpu id '%" PRIu64 "' is out of range of maximum vcpu count"),
                           number);
    vcpu = virDomainVcpuAt(vcpus, (guint)number);
    if (!virDomainVcpuParseYesNo(node, "enabled", &enabled, error) ||
        !virDomainVcpuParseYesNo(node, "hotpluggable", &vcpu->hotpluggable, error))
        return false;
    if (enabled == VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("missing vcpu enabled state for id '%s'"),
                           id);
    vcpu->online = enabled == VIR_TRISTATE_YES;
    if (!order)
        return true;
    if (!virStringToUInt(order, UINT32_MAX, &number))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid vcpu order '%s'"), order);
    vcpu->order = (unsigned)number;
    return true;
}

static bool
virDomainVcpusParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainVcpus *vcpus = object;
    xmlNode *element = virXMLFirstChild(node, "vcpu");
    xmlNode *each = virXMLFirstChild(node, "vcpus");

    vcpus->list = g_array_new(FALSE, TRUE, sizeof(virDomainVcpu));
    g_array_set_clear_func(vcpus->list, virDomainVcpuClear);
    if (!virDomainVcpuParseCounts(vcpus, element, error) ||
        !virDomainVcpuParsePlacement(vcpus, element, error))
        return false;
    if (!virXMLFirstChild(each, "vcpu"))
        return true;
    vcpus->individual = true;
    for (guint i = 0; i < vcpus->list->len; i++)
        virDomainVcpuAt(vcpus, i)->online = false;
    virXMLForEachChildNamed (each, child, "vcpu") {
        if (!virDomainVcpuParseOne(vcpus, child, error))
            return false;
    }
    if (virDomainVcpusOnline(vcpus) == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("At least one vCPU must be enabled"));
    return true;
}

static void
virDomainVcpuFormatEach(const virDomainVcpus *vcpus, virXMLWriter *w)
{
    virXMLWriterOpen(w, "vcpus");
    for (guint i = 0; i < vcpus->list->len; i++) {
        const virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        virXMLWriterOpen(w, "vcpu");
        virXMLWriterAttrF(w, "id", "%u", i);
        virXMLWriterAttr(w, "enabled", vcpu->online ? "yes" : "no");
        if (vcpu->hotpluggable != VIR_TRISTATE_ABSENT)
            virXMLWriterAttr(w, "hotpluggable",
                             vcpu->hotpluggable == VIR_TRISTATE_YES ? "yes" : "no");
        if (vcpu->order)
            virXMLWriterAttrF(w, "order", "%u", vcpu->order);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virDomainVcpusFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainVcpus *vcpus = object;
    g_autofree char *cpuset = vcpus->cpuset ? virBitmapFormat(vcpus->cpuset) : NULL;
    g_autofree char *count = g_strdup_printf("%u", virDomainVcpusMax(vcpus));
    unsigned online = virDomainVcpusOnline(vcpus);

    virXMLWriterOpen(w, "vcpu");
    virXMLWriterAttr(w, "placement", virDomainCPUPlacementToString(vcpus->placement));
    virXMLWriterAttr(w, "cpuset", cpuset);
    if (online < virDomainVcpusMax(vcpus))
        virXMLWriterAttrF(w, "current", "%u", online);
    virXMLWriterText(w, count);
    virXMLWriterClose(w);
    if (vcpus->individual)
        virDomainVcpuFormatEach(vcpus, w);
}

static void
virDomainVcpusClear(void *object)
{
    virDomainVcpus *vcpus = object;

    g_clear_pointer(&vcpus->list, g_array_unref);
    g_clear_pointer(&vcpus->cpuset, virBitmapFree);
}

static const virField vcpuHolds[] = {
    VIR_HOLDS_ENUM("@placement", virDomainCPUPlacementNames),
    VIR_HOLDS("@cpuset"),
    VIR_HOLDS_UINT("@current"),
    VIR_HOLDS_UINT("."),
    VIR_FIELD_END,
};

static const virField eachHolds[] = {
    VIR_HOLDS_UINT("@id"),
    VIR_HOLDS_YESNO("@enabled"),
    VIR_HOLDS_YESNO("@hotpluggable"),
    VIR_HOLDS_UINT("@order"),
    VIR_FIELD_END,
};

static const virField vcpusHolds[] = {
    VIR_HOLDS_ELEMENTS("vcpu", eachHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("vcpu", virDomainVcpusParse, virDomainVcpusFormat, .clear = virDomainVcpusClear,
                   .holds = vcpuHolds),
    VIR_FIELD_CODE("vcpus", NULL, NULL, .holds = vcpusHolds),
    VIR_FIELD_END,
};

static bool
virDomainVcpusComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    for (guint i = 0; i < virDomainVcpusMax(&def->vcpus); i++) {
        virDomainVcpu *vcpu = virDomainVcpuAt(&def->vcpus, i);

        if (vcpu->hotpluggable == VIR_TRISTATE_ABSENT)
            vcpu->hotpluggable = virTristateFromBool(!vcpu->online);
        else if (vcpu->hotpluggable == VIR_TRISTATE_NO && !vcpu->online)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("vcpu '%u' is both offline and not hotpluggable"), i);
    }
    return true;
}

static bool
virDomainVcpusSame(const virDomainDef *a, const virDomainDef *b, GError **error)
{
    unsigned was = virDomainVcpusMax(&a->vcpus);
    unsigned is = virDomainVcpusMax(&b->vcpus);

    if (was != is)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain vCPU max %u does not match source %u"), is, was);
    for (guint i = 0; i < was; i++) {
        const virDomainVcpu *src = virDomainVcpuAt(&a->vcpus, i);
        const virDomainVcpu *dst = virDomainVcpuAt(&b->vcpus, i);

        if (src->online != dst->online)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("State of vCPU '%u' differs between source and destination "
                                 "definitions"),
                               i);
        if (src->order != dst->order)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("vcpu enable order of vCPU '%u' differs between source and "
                                 "destination definitions"),
                               i);
    }
    return true;
}

const virDomainSection virDomainVcpusSection = {
    .name = "vcpu",
    .offset = offsetof(virDomainDef, vcpus),
    .fields = fields,
    .complete = virDomainVcpusComplete,
    .sameABI = virDomainVcpusSame,
};
