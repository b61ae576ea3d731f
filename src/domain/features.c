/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * features.c: <features>. Most are an element that is there or has a state; how each is read and
 * written is a row of the table below. */
#include "domain/features.h"

#include <string.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virDomainFeature, VIR_DOMAIN_FEATURE_LAST, "acpi", "apic", "pae", "hap", "viridian",
              "privnet", "hyperv", "kvm", "pvspinlock", "capabilities", "pmu", "vmport", "gic",
              "smm", "ioapic", "hpt", "vmcoreinfo", "htm", "nested-hv", "msrs", "ccf-assist", "xen",
              "cfpc", "sbbc", "ibs", "tcg", "async-teardown");
VIR_ENUM_IMPL(virDomainHyperv, VIR_DOMAIN_HYPERV_LAST, "relaxed", "vapic", "spinlocks", "vpindex",
              "runtime", "synic", "stimer", "reset", "vendor_id", "frequencies", "reenlightenment",
              "tlbflush", "ipi", "evmcs", "avic");
VIR_ENUM_IMPL(virDomainKVM, VIR_DOMAIN_KVM_LAST, "hidden", "hint-dedicated", "poll-control",
              "pv-ipi", "dirty-ring");
VIR_ENUM_IMPL(virDomainHypervMode, VIR_DOMAIN_HYPERV_MODE_LAST, "none", "custom", "passthrough");
VIR_ENUM_IMPL(virDomainIOAPIC, VIR_DOMAIN_IOAPIC_LAST, "none", "qemu", "kvm");

enum { VIR_HYPERV_SPINLOCKS_MIN = 0xFFF, VIR_HYPERV_VENDOR_ID_MAX = 12 };
/* entries: a power of two that KVM takes */
enum { VIR_KVM_DIRTY_RING_MIN = 1024, VIR_KVM_DIRTY_RING_MAX = 65536 };

static bool
virDomainFeatureParseState(const xmlNode *node, virTristate absent, virTristate *ret,
                           GError **error)
{
    g_autofree char *state = virXMLAttr(node, "state");

    if (!state)
        *ret = absent;
    else if (g_str_equal(state, "on"))
        *ret = VIR_TRISTATE_YES;
    else if (g_str_equal(state, "off"))
        *ret = VIR_TRISTATE_NO;
    else
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "state",
                           (const char *)node->name, state);
    if (*ret == VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "state",
                           (const char *)node->name);
    return true;
}

static void
virDomainFeatureFormatState(virXMLWriter *w, const char *name, virTristate state)
{
    if (state == VIR_TRISTATE_ABSENT)
        return;
    virXMLWriterOpen(w, name);
    virXMLWriterAttr(w, "state", state == VIR_TRISTATE_YES ? "on" : "off");
    virXMLWriterClose(w);
}

/* --- Hyper-V --- */

static bool
virDomainHypervParseVendorId(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    g_autofree char *value = virXMLAttr(node, "value");

    if (!value)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'value' attribute for HyperV feature 'vendor_id'"));
    if (strlen(value) > VIR_HYPERV_VENDOR_ID_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("HyperV vendor_id value must not be more than %d characters."),
                           VIR_HYPERV_VENDOR_ID_MAX);
    if (strchr(value, ','))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("HyperV vendor_id value is invalid"));
    g_free(features->hypervVendorId);
    features->hypervVendorId = g_steal_pointer(&value);
    return true;
}

static bool
virDomainHypervParseSpinlocks(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    uint64_t retries;
    bool set;

    if (!virFieldAttrUInt(node, "retries", 0, UINT32_MAX, &set, &retries, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "retries",
                           "spinlocks");
    if (retries < VIR_HYPERV_SPINLOCKS_MIN)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("HyperV spinlock retry count must be at least 4095"));
    features->hypervSpinlocks = (unsigned)retries;
    return true;
}

static bool
virDomainHypervParseOne(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    int hyperv = virDomainHypervFromString((const char *)node->name);
    virTristate *state = &features->hyperv[MAX(hyperv, 0)];
    xmlNode *direct = virXMLFirstChild(node, "direct");

    if (hyperv < 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported HyperV Enlightenment feature: %s"),
                           (const char *)node->name);
    if (!virDomainFeatureParseState(node, VIR_TRISTATE_ABSENT, state, error))
        return false;
    if (*state != VIR_TRISTATE_YES)
        return true;
    switch (hyperv) {
    case VIR_DOMAIN_HYPERV_SPINLOCKS:
        return virDomainHypervParseSpinlocks(features, node, error);
    case VIR_DOMAIN_HYPERV_VENDOR_ID:
        return virDomainHypervParseVendorId(features, node, error);
    case VIR_DOMAIN_HYPERV_STIMER:
        return !direct || virDomainFeatureParseState(direct, VIR_TRISTATE_ABSENT,
                                                     &features->hypervStimerDirect, error);
    default:
        return true;
    }
}

static bool
virDomainHypervParse(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    g_autofree char *mode = virXMLAttr(node, "mode");

    features->on[VIR_DOMAIN_FEATURE_HYPERV] = VIR_TRISTATE_YES;
    features->hypervMode = VIR_DOMAIN_HYPERV_MODE_CUSTOM;
    if (mode && (features->hypervMode = virDomainHypervModeFromString(mode)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "mode",
                           "hyperv", mode);
    if (features->hypervMode == VIR_DOMAIN_HYPERV_MODE_PASSTHROUGH)
        return true;
    virXMLForEachChild (node, child) {
        if (!virDomainHypervParseOne(features, child, error))
            return false;
    }
    return true;
}

static void
virDomainHypervFormat(const virDomainFeatures *features, virXMLWriter *w)
{
    virXMLWriterOpen(w, "hyperv");
    if (features->hypervMode == VIR_DOMAIN_HYPERV_MODE_PASSTHROUGH)
        virXMLWriterAttr(w, "mode", "passthrough");
    for (int i = 0; i < VIR_DOMAIN_HYPERV_LAST; i++) {
        if (features->hyperv[i] == VIR_TRISTATE_ABSENT)
            continue;
        virXMLWriterOpen(w, virDomainHypervToString(i));
        virXMLWriterAttr(w, "state", features->hyperv[i] == VIR_TRISTATE_YES ? "on" : "off");
        if (features->hyperv[i] == VIR_TRISTATE_YES && i == VIR_DOMAIN_HYPERV_SPINLOCKS)
            virXMLWriterAttrF(w, "retries", "%u", features->hypervSpinlocks);
        if (features->hyperv[i] == VIR_TRISTATE_YES && i == VIR_DOMAIN_HYPERV_VENDOR_ID)
            virXMLWriterAttr(w, "value", features->hypervVendorId);
        if (i == VIR_DOMAIN_HYPERV_STIMER)
            virDomainFeatureFormatState(w, "direct", features->hypervStimerDirect);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

/* --- KVM --- */

static bool
virDomainKVMParseDirtyRing(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    uint64_t size;
    bool set;

    if (!virFieldAttrUInt(node, "size", 10, UINT32_MAX, &set, &size, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "size",
                           "dirty-ring");
    if ((size & (size - 1)) != 0 || size < VIR_KVM_DIRTY_RING_MIN || size > VIR_KVM_DIRTY_RING_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("dirty ring must be power of 2 and ranges [1024, 65536]"));
    features->kvmDirtyRing = (unsigned)size;
    return true;
}

static bool
virDomainKVMParse(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    features->on[VIR_DOMAIN_FEATURE_KVM] = VIR_TRISTATE_YES;
    virXMLForEachChild (node, child) {
        int kvm = virDomainKVMFromString((const char *)child->name);

        if (kvm < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unsupported KVM feature: %s"),
                               (const char *)child->name);
        if (!virDomainFeatureParseState(child, VIR_TRISTATE_ABSENT, &features->kvm[kvm], error))
            return false;
        if (kvm == VIR_DOMAIN_KVM_DIRTY_RING && features->kvm[kvm] == VIR_TRISTATE_YES &&
            !virDomainKVMParseDirtyRing(features, child, error))
            return false;
    }
    return true;
}

static void
virDomainKVMFormat(const virDomainFeatures *features, virXMLWriter *w)
{
    virXMLWriterOpen(w, "kvm");
    for (int i = 0; i < VIR_DOMAIN_KVM_LAST; i++) {
        if (features->kvm[i] == VIR_TRISTATE_ABSENT)
            continue;
        virXMLWriterOpen(w, virDomainKVMToString(i));
        virXMLWriterAttr(w, "state", features->kvm[i] == VIR_TRISTATE_YES ? "on" : "off");
        if (i == VIR_DOMAIN_KVM_DIRTY_RING && features->kvmDirtyRing)
            virXMLWriterAttrF(w, "size", "%u", features->kvmDirtyRing);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

/* --- the others that carry something --- */

static bool
virDomainAPICParse(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    static const virField rows[] = {
        VIR_FIELD_ONOFF("@eoi", virDomainFeatures, apicEOI),
        VIR_FIELD_END,
    };

    features->on[VIR_DOMAIN_FEATURE_APIC] = VIR_TRISTATE_YES;
    return virFieldParse(rows, features, (xmlNode *)node, 0, error);
}

static void
virDomainAPICFormat(const virDomainFeatures *features, virXMLWriter *w)
{
    virXMLWriterOpen(w, "apic");
    if (features->apicEOI != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "eoi", features->apicEOI == VIR_TRISTATE_YES ? "on" : "off");
    virXMLWriterClose(w);
}

static bool
virDomainSMMParse(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    virTristate *state = &features->on[VIR_DOMAIN_FEATURE_SMM];
    uint64_t bytes = 0;
    bool set;

    if (!virDomainFeatureParseState(node, VIR_TRISTATE_YES, state, error))
        return false;
    if (*state != VIR_TRISTATE_YES)
        return true;
    if (!virXMLScaled(node, "tseg", 1024 * 1024, UINT64_MAX, false, &set, &bytes, error))
        return false;
    features->smmTseg = (virOptUInt){bytes, set};
    return true;
}

static void
virDomainSMMFormat(const virDomainFeatures *features, virXMLWriter *w)
{
    virXMLWriterOpen(w, "smm");
    virXMLWriterAttr(w, "state",
                     features->on[VIR_DOMAIN_FEATURE_SMM] == VIR_TRISTATE_YES ? "on" : "off");
    if (features->smmTseg.set) {
        const char *unit;
        uint64_t size = virScalePretty(features->smmTseg.value, &unit);
        g_autofree char *text = g_strdup_printf("%llu", (unsigned long long)size);

        virXMLWriterOpen(w, "tseg");
        virXMLWriterAttr(w, "unit", unit);
        virXMLWriterText(w, text);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static bool
virDomainIOAPICParse(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    static const virField rows[] = {
        VIR_FIELD_ENUM("@driver", virDomainFeatures, ioapic, virDomainIOAPICNames),
        VIR_FIELD_END,
    };

    if (!virFieldParse(rows, features, (xmlNode *)node, 0, error))
        return false;
    features->on[VIR_DOMAIN_FEATURE_IOAPIC] =
        features->ioapic ? VIR_TRISTATE_YES : VIR_TRISTATE_ABSENT;
    return true;
}

static void
virDomainIOAPICFormat(const virDomainFeatures *features, virXMLWriter *w)
{
    virXMLWriterOpen(w, "ioapic");
    virXMLWriterAttr(w, "driver", virDomainIOAPICToString(features->ioapic));
    virXMLWriterClose(w);
}

static bool
virDomainTCGParse(virDomainFeatures *features, const xmlNode *node, GError **error)
{
    static const virField rows[] = {
        VIR_FIELD_KIB("tb-cache", virDomainFeatures, tcgTbCache),
        VIR_FIELD_END,
    };

    features->on[VIR_DOMAIN_FEATURE_TCG] = VIR_TRISTATE_YES;
    return virFieldParse(rows, features, (xmlNode *)node, 0, error);
}

static void
virDomainTCGFormat(const virDomainFeatures *features, virXMLWriter *w)
{
    g_autofree char *size = g_strdup_printf("%llu", (unsigned long long)features->tcgTbCache.value);

    virXMLWriterOpen(w, "tcg");
    if (features->tcgTbCache.set) {
        virXMLWriterOpen(w, "tb-cache");
        virXMLWriterAttr(w, "unit", "KiB");
        virXMLWriterText(w, size);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

/* --- the table --- */

/* How the state of a feature is said. */
typedef enum {
    PRESENT,      /* <acpi/>; never off */
    STATE,        /* <pmu state='on'/>; on if no state is given */
    STATE_NEEDED, /* <htm state='on'/> */
    VALUE,        /* <cfpc value='fixed'/>: a text we keep */
    CODE,
    FOREIGN, /* other hypervisors' */
} virFeatureForm;

typedef struct {
    virFeatureForm form;
    const char *attr; /* VALUE */
    size_t offset;    /* VALUE */
    bool (*parse)(virDomainFeatures *features, const xmlNode *node, GError **error);
    void (*format)(const virDomainFeatures *features, virXMLWriter *w);
} virFeatureRow;

static const virFeatureRow rows[VIR_DOMAIN_FEATURE_LAST] = {
    [VIR_DOMAIN_FEATURE_ACPI] = {PRESENT},
    [VIR_DOMAIN_FEATURE_APIC] = {CODE, .parse = virDomainAPICParse, .format = virDomainAPICFormat},
    [VIR_DOMAIN_FEATURE_PAE] = {PRESENT},
    [VIR_DOMAIN_FEATURE_HAP] = {STATE},
    [VIR_DOMAIN_FEATURE_VIRIDIAN] = {PRESENT},
    [VIR_DOMAIN_FEATURE_PRIVNET] = {PRESENT},
    [VIR_DOMAIN_FEATURE_HYPERV] = {CODE, .parse = virDomainHypervParse,
                                   .format = virDomainHypervFormat},
    [VIR_DOMAIN_FEATURE_KVM] = {CODE, .parse = virDomainKVMParse, .format = virDomainKVMFormat},
    [VIR_DOMAIN_FEATURE_PVSPINLOCK] = {STATE},
    [VIR_DOMAIN_FEATURE_CAPABILITIES] = {FOREIGN},
    [VIR_DOMAIN_FEATURE_PMU] = {STATE},
    [VIR_DOMAIN_FEATURE_VMPORT] = {STATE},
    [VIR_DOMAIN_FEATURE_GIC] = {VALUE, "version", offsetof(virDomainFeatures, gicVersion)},
    [VIR_DOMAIN_FEATURE_SMM] = {CODE, .parse = virDomainSMMParse, .format = virDomainSMMFormat},
    [VIR_DOMAIN_FEATURE_IOAPIC] = {CODE, .parse = virDomainIOAPICParse,
                                   .format = virDomainIOAPICFormat},
    [VIR_DOMAIN_FEATURE_HPT] = {VALUE, "resizing", offsetof(virDomainFeatures, hptResizing)},
    [VIR_DOMAIN_FEATURE_VMCOREINFO] = {STATE},
    [VIR_DOMAIN_FEATURE_HTM] = {STATE_NEEDED},
    [VIR_DOMAIN_FEATURE_NESTED_HV] = {STATE_NEEDED},
    [VIR_DOMAIN_FEATURE_MSRS] = {VALUE, "unknown", offsetof(virDomainFeatures, msrsUnknown)},
    [VIR_DOMAIN_FEATURE_CCF_ASSIST] = {STATE_NEEDED},
    [VIR_DOMAIN_FEATURE_XEN] = {FOREIGN},
    [VIR_DOMAIN_FEATURE_CFPC] = {VALUE, "value", offsetof(virDomainFeatures, cfpc)},
    [VIR_DOMAIN_FEATURE_SBBC] = {VALUE, "value", offsetof(virDomainFeatures, sbbc)},
    [VIR_DOMAIN_FEATURE_IBS] = {VALUE, "value", offsetof(virDomainFeatures, ibs)},
    [VIR_DOMAIN_FEATURE_TCG] = {CODE, .parse = virDomainTCGParse, .format = virDomainTCGFormat},
    [VIR_DOMAIN_FEATURE_ASYNC_TEARDOWN] = {STATE},
};

static bool
virDomainFeatureParseOne(virDomainFeatures *features, virDomainFeature which, const xmlNode *node,
                         GError **error)
{
    const virFeatureRow *row = &rows[which];
    char **value = (char **)((char *)features + row->offset);

    switch (row->form) {
    case PRESENT:
        features->on[which] = VIR_TRISTATE_YES;
        return true;
    case STATE:
        return virDomainFeatureParseState(node, VIR_TRISTATE_YES, &features->on[which], error);
    case STATE_NEEDED:
        return virDomainFeatureParseState(node, VIR_TRISTATE_ABSENT, &features->on[which], error);
    case VALUE:
        g_free(*value);
        *value = virXMLAttr(node, row->attr);
        features->on[which] = VIR_TRISTATE_YES;
        return true;
    case CODE:
        return row->parse(features, node, error);
    case FOREIGN:
        break;
    }
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("element <%s> of <features>: it belongs to other hypervisors"),
                       (const char *)node->name);
}

static bool
virDomainFeaturesParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virXMLForEachChild (virXMLFirstChild(node, "features"), child) {
        int which = virDomainFeatureFromString((const char *)child->name);

        if (which < 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unexpected feature '%s'"),
                               (const char *)child->name);
        if (!virDomainFeatureParseOne(object, (virDomainFeature)which, child, error))
            return false;
    }
    return true;
}

static void
virDomainFeatureFormatOne(const virDomainFeatures *features, virDomainFeature which,
                          virXMLWriter *w)
{
    const virFeatureRow *row = &rows[which];
    const char *name = virDomainFeatureToString((int)which);

    switch (row->form) {
    case PRESENT:
        virXMLWriterElement(w, name, "");
        break;
    case STATE:
    case STATE_NEEDED:
        virDomainFeatureFormatState(w, name, features->on[which]);
        break;
    case VALUE:
        virXMLWriterOpen(w, name);
        virXMLWriterAttr(w, row->attr, *(char *const *)((const char *)features + row->offset));
        virXMLWriterClose(w);
        break;
    case CODE:
        row->format(features, w);
        break;
    case FOREIGN:
        break;
    }
}

static void
virDomainFeaturesFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainFeatures *features = object;

    virXMLWriterOpen(w, "features");
    for (int i = 0; i < VIR_DOMAIN_FEATURE_LAST; i++) {
        if (features->on[i] != VIR_TRISTATE_ABSENT)
            virDomainFeatureFormatOne(features, (virDomainFeature)i, w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainFeaturesClear(void *object)
{
    virDomainFeatures *features = object;

    g_clear_pointer(&features->hypervVendorId, g_free);
    for (int i = 0; i < VIR_DOMAIN_FEATURE_LAST; i++) {
        if (rows[i].form == VALUE)
            g_clear_pointer((char **)((char *)features + rows[i].offset), g_free);
    }
}

static bool
virDomainFeaturesSameStates(const virTristate *a, const virTristate *b, int count,
                            const virEnum *names, const char *what, GError **error)
{
    static const char *const states[] = {"default", "on", "off"};

    for (int i = 0; i < count; i++) {
        if (a[i] != b[i])
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("State of %s '%s' differs: source: '%s', destination: '%s'"), what,
                               virEnumToString(names, i), states[a[i]], states[b[i]]);
    }
    return true;
}

static bool
virDomainFeaturesSame(const void *source, const void *target, GError **error)
{
    const virDomainFeatures *a = source;
    const virDomainFeatures *b = target;

    if (!virDomainFeaturesSameStates(a->on, b->on, VIR_DOMAIN_FEATURE_LAST, &virDomainFeatureNames,
                                     "feature", error) ||
        !virDomainFeaturesSameStates(a->hyperv, b->hyperv, VIR_DOMAIN_HYPERV_LAST,
                                     &virDomainHypervNames, "HyperV enlightenment feature",
                                     error) ||
        !virDomainFeaturesSameStates(a->kvm, b->kvm, VIR_DOMAIN_KVM_LAST, &virDomainKVMNames,
                                     "KVM feature", error))
        return false;
    if (a->hypervSpinlocks != b->hypervSpinlocks)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("HyperV spinlock retry count differs: source: '%u', destination: "
                             "'%u'"),
                           a->hypervSpinlocks, b->hypervSpinlocks);
    if (g_strcmp0(a->hypervVendorId, b->hypervVendorId) != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("HyperV vendor_id differs: source: '%s', destination: '%s'"),
                           a->hypervVendorId ? a->hypervVendorId : "",
                           b->hypervVendorId ? b->hypervVendorId : "");
    if (a->smmTseg.set != b->smmTseg.set || a->smmTseg.value != b->smmTseg.value)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Size of SMM TSEG differs between source and destination"));
    return true;
}

static const virField hypervHolds[] = {
    VIR_HOLDS_ENUM("@mode", virDomainHypervModeNames),
    VIR_HOLDS_ONOFF("relaxed@state"),
    VIR_HOLDS_ONOFF("vapic@state"),
    VIR_HOLDS_ONOFF("spinlocks@state"),
    VIR_HOLDS_ONOFF("vpindex@state"),
    VIR_HOLDS_ONOFF("runtime@state"),
    VIR_HOLDS_ONOFF("synic@state"),
    VIR_HOLDS_ONOFF("stimer@state"),
    VIR_HOLDS_ONOFF("stimer/direct@state"),
    VIR_HOLDS_ONOFF("reset@state"),
    VIR_HOLDS_ONOFF("vendor_id@state"),
    VIR_HOLDS_ONOFF("frequencies@state"),
    VIR_HOLDS_ONOFF("reenlightenment@state"),
    VIR_HOLDS_ONOFF("tlbflush@state"),
    VIR_HOLDS_ONOFF("ipi@state"),
    VIR_HOLDS_ONOFF("evmcs@state"),
    VIR_HOLDS_ONOFF("avic@state"),
    VIR_HOLDS_NUMBER("spinlocks@retries"),
    VIR_HOLDS("vendor_id@value"),
    VIR_FIELD_END,
};

static const virField kvmHolds[] = {
    VIR_HOLDS_ONOFF("hidden@state"),
    VIR_HOLDS_ONOFF("hint-dedicated@state"),
    VIR_HOLDS_ONOFF("poll-control@state"),
    VIR_HOLDS_ONOFF("pv-ipi@state"),
    VIR_HOLDS_ONOFF("dirty-ring@state"),
    VIR_HOLDS_UINT("dirty-ring@size"),
    VIR_FIELD_END,
};

static const virField featuresHolds[] = {
    VIR_HOLDS_PRESENT("acpi"),
    VIR_HOLDS_PRESENT("apic"),
    VIR_HOLDS_PRESENT("pae"),
    VIR_HOLDS_PRESENT("viridian"),
    VIR_HOLDS_PRESENT("privnet"),
    VIR_HOLDS_PRESENT("gic"),
    VIR_HOLDS_PRESENT("hpt"),
    VIR_HOLDS_PRESENT("tcg"),
    VIR_HOLDS_ONOFF("apic@eoi"),
    VIR_HOLDS_ONOFF("hap@state"),
    VIR_HOLDS_ONOFF("pvspinlock@state"),
    VIR_HOLDS_ONOFF("pmu@state"),
    VIR_HOLDS_ONOFF("vmport@state"),
    VIR_HOLDS_ONOFF("smm@state"),
    VIR_HOLDS_ONOFF("vmcoreinfo@state"),
    VIR_HOLDS_ONOFF("htm@state"),
    VIR_HOLDS_ONOFF("nested-hv@state"),
    VIR_HOLDS_ONOFF("ccf-assist@state"),
    VIR_HOLDS_ONOFF("async-teardown@state"),
    VIR_HOLDS("gic@version"),
    VIR_HOLDS("hpt@resizing"),
    VIR_HOLDS("msrs@unknown"),
    VIR_HOLDS("cfpc@value"),
    VIR_HOLDS("sbbc@value"),
    VIR_HOLDS("ibs@value"),
    VIR_HOLDS_SIZE("smm/tseg"),
    VIR_HOLDS_SIZE("hpt/maxpagesize"),
    VIR_HOLDS_SIZE("tcg/tb-cache"),
    VIR_HOLDS_ENUM("ioapic@driver", virDomainIOAPICNames),
    VIR_FIELD_CODE("hyperv", NULL, NULL, .holds = hypervHolds),
    VIR_FIELD_CODE("kvm", NULL, NULL, .holds = kvmHolds),
    VIR_FIELD_CODE("capabilities", NULL, NULL),
    VIR_FIELD_CODE("xen", NULL, NULL),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("features", virDomainFeaturesParse, virDomainFeaturesFormat,
                   .clear = virDomainFeaturesClear, .same = virDomainFeaturesSame,
                   .holds = featuresHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainFeaturesSection = {
    .name = "features",
    .offset = offsetof(virDomainDef, features),
    .fields = fields,
};
