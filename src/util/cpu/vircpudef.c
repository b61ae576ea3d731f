/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpudef.c: the <cpu> element read, written, copied and compared. */
#include "util/cpu/vircpudef.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"

VIR_ENUM_IMPL(virCPUMode, VIR_CPU_MODE_LAST, "custom", "host-model", "host-passthrough", "maximum");
VIR_ENUM_IMPL(virCPUMatch, VIR_CPU_MATCH_LAST, "minimum", "exact", "strict");
VIR_ENUM_IMPL(virCPUCheck, VIR_CPU_CHECK_LAST, NULL, "none", "partial", "full");
VIR_ENUM_IMPL(virCPUFallback, VIR_CPU_FALLBACK_LAST, "allow", "forbid");
VIR_ENUM_IMPL(virCPUFeaturePolicy, VIR_CPU_FEATURE_LAST, "force", "require", "optional", "disable",
              "forbid");
VIR_ENUM_IMPL(virCPUCacheMode, VIR_CPU_CACHE_LAST, NULL, "emulate", "passthrough", "disable");
VIR_ENUM_IMPL(virCPUMaxPhysAddrMode, VIR_CPU_MAXPHYSADDR_LAST, NULL, "emulate", "passthrough");

static void
virCPUFeatureClear(void *opaque)
{
    virCPUFeature *feature = opaque;

    g_clear_pointer(&feature->name, g_free);
}

virCPUDef *
virCPUDefNew(virCPUType type)
{
    virCPUDef *cpu = g_new0(virCPUDef, 1);

    cpu->type = type;
    cpu->match = VIR_CPU_MATCH_EXACT;
    cpu->cacheLevel = -1;
    cpu->maxPhysAddrBits = -1;
    cpu->features = g_array_new(FALSE, FALSE, sizeof(virCPUFeature));
    g_array_set_clear_func(cpu->features, virCPUFeatureClear);
    return cpu;
}

void
virCPUDefFree(virCPUDef *cpu)
{
    if (!cpu)
        return;
    g_free(cpu->model);
    g_free(cpu->vendorId);
    g_free(cpu->vendor);
    g_free(cpu->arch);
    g_array_unref(cpu->features);
    g_free(cpu);
}

virCPUDef *
virCPUDefCopy(const virCPUDef *cpu)
{
    virCPUDef *copy;

    if (!cpu)
        return NULL;
    copy = g_memdup2(cpu, sizeof(*cpu));
    copy->model = g_strdup(cpu->model);
    copy->vendorId = g_strdup(cpu->vendorId);
    copy->vendor = g_strdup(cpu->vendor);
    copy->arch = g_strdup(cpu->arch);
    copy->features = g_array_copy(cpu->features);
    g_array_set_clear_func(copy->features, virCPUFeatureClear); /* the copy comes without */
    for (guint i = 0; i < copy->features->len; i++) {
        virCPUFeature *feature = &g_array_index(copy->features, virCPUFeature, i);

        feature->name = g_strdup(feature->name);
    }
    return copy;
}

/* --- features --- */

size_t
virCPUDefFeatureCount(const virCPUDef *cpu)
{
    return cpu->features->len;
}

virCPUFeature *
virCPUDefFeatureAt(const virCPUDef *cpu, size_t i)
{
    return &g_array_index(cpu->features, virCPUFeature, i);
}

virCPUFeature *
virCPUDefFindFeature(const virCPUDef *cpu, const char *name)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        virCPUFeature *feature = virCPUDefFeatureAt(cpu, i);

        if (g_str_equal(feature->name, name))
            return feature;
    }
    return NULL;
}

static void
virCPUDefAppendFeature(virCPUDef *cpu, const char *name, virCPUFeaturePolicy policy)
{
    virCPUFeature feature = {.name = g_strdup(name), .policy = policy};

    g_array_append_val(cpu->features, feature);
}

void
virCPUDefSetFeature(virCPUDef *cpu, const char *name, virCPUFeaturePolicy policy)
{
    virCPUFeature *feature = virCPUDefFindFeature(cpu, name);

    if (feature)
        feature->policy = policy;
    else
        virCPUDefAppendFeature(cpu, name, policy);
}

void
virCPUDefAddMissing(virCPUDef *cpu, const char *name, virCPUFeaturePolicy policy)
{
    if (!virCPUDefFindFeature(cpu, name))
        virCPUDefAppendFeature(cpu, name, policy);
}

void
virCPUDefFilterFeatures(virCPUDef *cpu, bool (*keep)(const virCPUFeature *, const void *),
                        const void *opaque)
{
    for (guint i = 0; i < cpu->features->len;) {
        if (keep(virCPUDefFeatureAt(cpu, i), opaque))
            i++;
        else
            g_array_remove_index(cpu->features, i);
    }
}

static int
virCPUDefCompareFeatures(const void *a, const void *b)
{
    return strcmp(((const virCPUFeature *)a)->name, ((const virCPUFeature *)b)->name);
}

void
virCPUDefSortFeatures(virCPUDef *cpu)
{
    g_array_sort(cpu->features, virCPUDefCompareFeatures);
}

void
virCPUDefTakeModel(virCPUDef *cpu, const virCPUDef *from)
{
    g_free(cpu->model);
    cpu->model = g_strdup(from->model);
    g_free(cpu->vendor);
    cpu->vendor = g_strdup(from->vendor);
    g_array_set_size(cpu->features, 0);
    for (size_t i = 0; i < virCPUDefFeatureCount(from); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(from, i);

        virCPUDefAppendFeature(cpu, feature->name, feature->policy);
    }
}

/* --- reading --- */

bool
virCPUArchIsKnown(const char *arch)
{
    static const char *const architectures[] = {
        "i686",    "x86_64", "armv6l", "armv7l", "armv7b",  "aarch64",     "ppc",      "ppc64",
        "ppc64le", "s390",   "s390x",  "mips",   "mipsel",  "mips64",      "mips64el", "riscv32",
        "riscv64", "ia64",   "alpha",  "sparc",  "sparc64", "loongarch64", NULL};

    return g_strv_contains(architectures, arch);
}

static bool
virCPUDefBadValue(GError **error, const xmlNode *node, const char *name, const char *value,
                  const char *expected)
{
    return virErrorSet(error, VIR_ERR_XML_ERROR,
                       _("Invalid value for attribute '%s' in element '%s': '%s'.%s"), name,
                       (const char *)node->name, value, expected);
}

static char *
virCPUDefRequired(const xmlNode *node, const char *name, GError **error)
{
    char *value = virXMLAttr(node, name);

    if (!value)
        virErrorSet(error, VIR_ERR_XML_ERROR, _("Missing required attribute '%s' in element '%s'"),
                    name, (const char *)node->name);
    return value;
}

/* An optional attribute with a value out of a table; what stands in *ret stays if it is absent. */
static bool
virCPUDefReadEnum(const xmlNode *node, const char *name, const virEnum *table, int *ret,
                  GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);
    int value;

    if (!text)
        return true;
    if ((value = virEnumFromString(table, text)) < 0)
        return virCPUDefBadValue(error, node, name, text, "");
    *ret = value;
    return true;
}

static bool
virCPUDefReadRequiredEnum(const xmlNode *node, const char *name, const virEnum *table, int *ret,
                          GError **error)
{
    g_autofree char *text = virCPUDefRequired(node, name, error);

    return text && virCPUDefReadEnum(node, name, table, ret, error);
}

/* A whole decimal number without sign that fits the type; white space in front is forgiven. */
static bool
virCPUDefReadDecimal(const char *text, unsigned long long max, unsigned long long *ret)
{
    unsigned long long value;
    char *end;

    errno = 0;
    value = g_ascii_strtoull(text, &end, 10);
    if (errno || end == text || *end || strchr(text, '-') || value > max)
        return false;
    *ret = value;
    return true;
}

static bool
virCPUDefReadUInt(const xmlNode *node, const char *name, unsigned *ret, GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);
    unsigned long long value;

    if (!text)
        return true;
    if (!virCPUDefReadDecimal(text, UINT_MAX, &value))
        return virCPUDefBadValue(error, node, name, text,
                                 _(" Expected non-negative integer value"));
    *ret = (unsigned)value;
    return true;
}

static bool
virCPUDefReadCount(const xmlNode *node, const char *name, bool required, unsigned *ret,
                   GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);

    if (!text && required) {
        g_autofree char *missing = virCPUDefRequired(node, name, error);

        return missing != NULL;
    }
    if (!virCPUDefReadUInt(node, name, ret, error))
        return false;
    if (text && *ret == 0)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("Invalid value for attribute '%s' in element '%s': Zero is not permitted"), name,
            (const char *)node->name);
    return true;
}

static bool
virCPUDefReadInt(const xmlNode *node, const char *name, int *ret, GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);
    unsigned long long value;
    bool negative;

    if (!text)
        return true;
    negative = g_str_has_prefix(text, "-");
    if (!virCPUDefReadDecimal(negative ? text + 1 : text, INT_MAX, &value))
        return virCPUDefBadValue(error, node, name, text, _(" Expected integer value"));
    if (negative && value > 0)
        return virCPUDefBadValue(error, node, name, text, _(" Expected non-negative value"));
    *ret = (int)value;
    return true;
}

static bool
virCPUDefReadMigratable(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    g_autofree char *text = virXMLAttr(node, "migratable");

    if (!text)
        return true;
    if (cpu->mode != VIR_CPU_MODE_HOST_PASSTHROUGH && cpu->mode != VIR_CPU_MODE_MAXIMUM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Attribute migratable is only allowed for 'host-passthrough' / "
                             "'maximum' CPU mode"));
    if (!g_str_equal(text, "on") && !g_str_equal(text, "off"))
        return virCPUDefBadValue(error, node, "migratable", text, "");
    cpu->migratable = virTristateFromBool(g_str_equal(text, "on"));
    return true;
}

static bool
virCPUDefReadGuestAttrs(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    g_autofree char *mode = virXMLAttr(node, "mode");
    int match = cpu->match;
    int check = cpu->check;

    if (mode) {
        int value = virCPUModeFromString(mode);

        if (value < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid mode attribute '%s'"),
                               mode);
        cpu->mode = (virCPUMode)value;
    }
    if (!virCPUDefReadEnum(node, "match", &virCPUMatchNames, &match, error) ||
        !virCPUDefReadEnum(node, "check", &virCPUCheckNames, &check, error))
        return false;
    cpu->match = (virCPUMatch)match;
    cpu->check = (virCPUCheck)check;
    return virCPUDefReadMigratable(cpu, node, error);
}

static bool
virCPUDefReadCounter(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    virXMLForEachChildNamed (node, counter, "counter") {
        g_autofree char *name = virXMLAttr(counter, "name");
        g_autofree char *frequency = virXMLAttr(counter, "frequency");
        g_autofree char *scaling = virXMLAttr(counter, "scaling");

        if (g_strcmp0(name, "tsc") != 0)
            continue;
        if (!frequency || !virCPUDefReadDecimal(frequency, G_MAXUINT64, &cpu->tscFrequency))
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid TSC frequency"));
        if (scaling && !g_str_equal(scaling, "yes") && !g_str_equal(scaling, "no"))
            return virCPUDefBadValue(error, counter, "scaling", scaling, "");
        if (scaling)
            cpu->tscScaling = virTristateFromBool(g_str_equal(scaling, "yes"));
        break;
    }
    return true;
}

static bool
virCPUDefReadHost(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    const xmlNode *microcode = virXMLFirstChild(node, "microcode");
    const xmlNode *signature = virXMLFirstChild(node, "signature");

    if (virXMLAttrPeek(node, "mode"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Attribute mode is only allowed for guest CPU"));
    cpu->arch = virXMLText(virXMLFirstChild(node, "arch"));
    if (!cpu->arch || !*cpu->arch)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Missing CPU architecture"));
    if (!virCPUArchIsKnown(cpu->arch))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Unknown architecture %s"),
                           cpu->arch);
    if (!cpu->model)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Missing CPU model name"));
    if (microcode && !virCPUDefReadUInt(microcode, "version", &cpu->microcode, error))
        return false;
    if (signature) {
        if (!virCPUDefReadUInt(signature, "family", &cpu->family, error) ||
            !virCPUDefReadUInt(signature, "model", &cpu->familyModel, error) ||
            !virCPUDefReadUInt(signature, "stepping", &cpu->stepping, error))
            return false;
        cpu->hasSignature = true;
    }
    return virCPUDefReadCounter(cpu, node, error);
}

static bool
virCPUDefReadVendorId(virCPUDef *cpu, const xmlNode *model, GError **error)
{
    cpu->vendorId = virXMLAttr(model, "vendor_id");
    if (cpu->vendorId && strlen(cpu->vendorId) != VIR_CPU_VENDOR_ID_LENGTH)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("vendor_id must be exactly %d characters long"),
                           VIR_CPU_VENDOR_ID_LENGTH);
    if (cpu->vendorId && strchr(cpu->vendorId, ','))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("vendor id is invalid"));
    return true;
}

static bool
virCPUDefReadModel(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    const xmlNode *model = virXMLFirstChild(node, "model");
    g_autofree char *fallback = virXMLAttr(model, "fallback");
    g_autofree char *text = virXMLText(model);
    g_autofree char *vendor = virXMLText(virXMLFirstChild(node, "vendor"));

    if (text && *text)
        cpu->model = g_steal_pointer(&text);
    if (cpu->type == VIR_CPU_TYPE_GUEST && cpu->mode != VIR_CPU_MODE_HOST_PASSTHROUGH &&
        cpu->mode != VIR_CPU_MODE_MAXIMUM && model) {
        if (fallback) {
            int value = virCPUFallbackFromString(fallback);

            if (value < 0)
                return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                   _("Invalid fallback attribute"));
            cpu->fallback = (virCPUFallback)value;
        }
        if (!virCPUDefReadVendorId(cpu, model, error))
            return false;
    }
    if (vendor && *vendor) {
        if (!cpu->model && cpu->type == VIR_CPU_TYPE_GUEST)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("CPU vendor specified without CPU model"));
        cpu->vendor = g_steal_pointer(&vendor);
    }
    return true;
}

static bool
virCPUDefReadTopology(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    const xmlNode *topology = virXMLFirstChild(node, "topology");

    if (!topology)
        return true;
    cpu->dies = 1;
    return virCPUDefReadCount(topology, "sockets", true, &cpu->sockets, error) &&
           virCPUDefReadCount(topology, "dies", false, &cpu->dies, error) &&
           virCPUDefReadCount(topology, "cores", true, &cpu->cores, error) &&
           virCPUDefReadCount(topology, "threads", true, &cpu->threads, error);
}

static bool
virCPUDefReadFeatures(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    virXMLForEachChildNamed (node, child, "feature") {
        g_autofree char *name = virXMLAttr(child, "name");
        g_autofree char *text = virXMLAttr(child, "policy");
        int policy = VIR_CPU_FEATURE_REQUIRE;

        if (!cpu->model && cpu->mode == VIR_CPU_MODE_CUSTOM)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Non-empty feature list specified without CPU model"));
        if (cpu->type == VIR_CPU_TYPE_GUEST && text &&
            (policy = virCPUFeaturePolicyFromString(text)) < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid CPU feature policy"));
        if (!name || !*name)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid CPU feature name"));
        if (virCPUDefFindFeature(cpu, name))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("CPU feature '%s' specified more than once"), name);
        virCPUDefAppendFeature(cpu, name, (virCPUFeaturePolicy)policy);
    }
    return true;
}

static bool
virCPUDefReadCache(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    const xmlNode *cache = virXMLFirstChild(node, "cache");
    int mode = VIR_CPU_CACHE_ABSENT;

    if (!cache)
        return true;
    if (!virCPUDefReadInt(cache, "level", &cpu->cacheLevel, error))
        return false;
    if (cpu->cacheLevel == 0 || cpu->cacheLevel > 3)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("invalid CPU cache level, must be in range [1,3]"));
    if (!virCPUDefReadRequiredEnum(cache, "mode", &virCPUCacheModeNames, &mode, error))
        return false;
    cpu->cache = (virCPUCacheMode)mode;
    return true;
}

static bool
virCPUDefReadMaxPhysAddr(virCPUDef *cpu, const xmlNode *node, GError **error)
{
    const xmlNode *addr = virXMLFirstChild(node, "maxphysaddr");
    int mode = VIR_CPU_MAXPHYSADDR_ABSENT;

    if (!addr)
        return true;
    if (!virCPUDefReadRequiredEnum(addr, "mode", &virCPUMaxPhysAddrModeNames, &mode, error))
        return false;
    cpu->maxPhysAddr = (virCPUMaxPhysAddrMode)mode;
    return virCPUDefReadInt(addr, "bits", &cpu->maxPhysAddrBits, error);
}

virCPUDef *
virCPUDefParse(const xmlNode *node, virCPUType type, GError **error)
{
    g_autoptr(virCPUDef) cpu = NULL;

    if (!virXMLNameIs(node, "cpu")) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("XML does not contain expected 'cpu' element"));
        return NULL;
    }
    if (type == VIR_CPU_TYPE_AUTO) {
        type = VIR_CPU_TYPE_GUEST;
        if (virXMLFirstChild(node, "arch")) {
            if (virXMLAttrPeek(node, "match")) {
                virErrorSet(error, VIR_ERR_XML_ERROR,
                            _("'arch' element cannot be used inside 'cpu' element with 'match' "
                              "attribute'"));
                return NULL;
            }
            type = VIR_CPU_TYPE_HOST;
        }
    }
    cpu = virCPUDefNew(type);
    if ((type == VIR_CPU_TYPE_GUEST && !virCPUDefReadGuestAttrs(cpu, node, error)) ||
        !virCPUDefReadModel(cpu, node, error) ||
        (type == VIR_CPU_TYPE_HOST && !virCPUDefReadHost(cpu, node, error)) ||
        !virCPUDefReadTopology(cpu, node, error) || !virCPUDefReadFeatures(cpu, node, error) ||
        !virCPUDefReadCache(cpu, node, error) || !virCPUDefReadMaxPhysAddr(cpu, node, error))
        return NULL;
    return g_steal_pointer(&cpu);
}

virCPUDef *
virCPUDefParseText(const char *xml, virCPUType type, GError **error)
{
    g_autoptr(xmlDoc) doc = virXMLParse(xml, -1, "CPU_definition", error);

    return doc ? virCPUDefParse(xmlDocGetRootElement(doc), type, error) : NULL;
}

/* --- writing --- */

static void
virCPUDefFormatModel(virXMLWriter *w, const virCPUDef *cpu)
{
    bool named = cpu->mode == VIR_CPU_MODE_CUSTOM || cpu->mode == VIR_CPU_MODE_HOST_MODEL;

    if ((named && cpu->model) || cpu->vendorId) {
        virXMLWriterOpen(w, "model");
        if (named && cpu->model && cpu->type == VIR_CPU_TYPE_GUEST)
            virXMLWriterAttr(w, "fallback", virCPUFallbackToString(cpu->fallback));
        virXMLWriterAttr(w, "vendor_id", cpu->vendorId);
        if (named)
            virXMLWriterText(w, cpu->model);
        virXMLWriterClose(w);
    }
    if (named)
        virXMLWriterElement(w, "vendor", cpu->vendor);
}

static void
virCPUDefFormatHost(virXMLWriter *w, const virCPUDef *cpu)
{
    if (cpu->microcode) {
        virXMLWriterOpen(w, "microcode");
        virXMLWriterAttrF(w, "version", "%u", cpu->microcode);
        virXMLWriterClose(w);
    }
    if (cpu->hasSignature) {
        virXMLWriterOpen(w, "signature");
        virXMLWriterAttrF(w, "family", "%u", cpu->family);
        virXMLWriterAttrF(w, "model", "%u", cpu->familyModel);
        virXMLWriterAttrF(w, "stepping", "%u", cpu->stepping);
        virXMLWriterClose(w);
    }
    if (cpu->tscFrequency) {
        virXMLWriterOpen(w, "counter");
        virXMLWriterAttr(w, "name", "tsc");
        virXMLWriterAttrF(w, "frequency", "%llu", cpu->tscFrequency);
        if (cpu->tscScaling != VIR_TRISTATE_ABSENT)
            virXMLWriterAttr(w, "scaling", cpu->tscScaling == VIR_TRISTATE_YES ? "yes" : "no");
        virXMLWriterClose(w);
    }
}

static void
virCPUDefFormatTopology(virXMLWriter *w, const virCPUDef *cpu)
{
    if (!cpu->sockets || !cpu->dies || !cpu->cores || !cpu->threads)
        return;
    virXMLWriterOpen(w, "topology");
    virXMLWriterAttrF(w, "sockets", "%u", cpu->sockets);
    virXMLWriterAttrF(w, "dies", "%u", cpu->dies);
    virXMLWriterAttrF(w, "cores", "%u", cpu->cores);
    virXMLWriterAttrF(w, "threads", "%u", cpu->threads);
    virXMLWriterClose(w);
}

static void
virCPUDefFormatCache(virXMLWriter *w, const virCPUDef *cpu)
{
    if (cpu->cache == VIR_CPU_CACHE_ABSENT)
        return;
    virXMLWriterOpen(w, "cache");
    if (cpu->cacheLevel >= 0)
        virXMLWriterAttrF(w, "level", "%d", cpu->cacheLevel);
    virXMLWriterAttr(w, "mode", virCPUCacheModeToString(cpu->cache));
    virXMLWriterClose(w);
}

static void
virCPUDefFormatMaxPhysAddr(virXMLWriter *w, const virCPUDef *cpu)
{
    if (cpu->maxPhysAddr == VIR_CPU_MAXPHYSADDR_ABSENT)
        return;
    virXMLWriterOpen(w, "maxphysaddr");
    virXMLWriterAttr(w, "mode", virCPUMaxPhysAddrModeToString(cpu->maxPhysAddr));
    if (cpu->maxPhysAddrBits >= 0)
        virXMLWriterAttrF(w, "bits", "%d", cpu->maxPhysAddrBits);
    virXMLWriterClose(w);
}

void
virCPUDefFormatChildren(virXMLWriter *w, const virCPUDef *cpu)
{
    if (cpu->type == VIR_CPU_TYPE_HOST)
        virXMLWriterElement(w, "arch", cpu->arch);
    virCPUDefFormatModel(w, cpu);
    if (cpu->type == VIR_CPU_TYPE_HOST)
        virCPUDefFormatHost(w, cpu);
    virCPUDefFormatTopology(w, cpu);
    virCPUDefFormatCache(w, cpu);
    virCPUDefFormatMaxPhysAddr(w, cpu);
    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(cpu, i);

        virXMLWriterOpen(w, "feature");
        if (cpu->type == VIR_CPU_TYPE_GUEST)
            virXMLWriterAttr(w, "policy", virCPUFeaturePolicyToString(feature->policy));
        virXMLWriterAttr(w, "name", feature->name);
        virXMLWriterClose(w);
    }
}

void
virCPUDefFormatOpen(virXMLWriter *w, const virCPUDef *cpu)
{
    virXMLWriterOpen(w, "cpu");
    if (!cpu)
        return;
    if (cpu->type == VIR_CPU_TYPE_GUEST && (cpu->mode != VIR_CPU_MODE_CUSTOM || cpu->model)) {
        virXMLWriterAttr(w, "mode", virCPUModeToString(cpu->mode));
        if (cpu->mode == VIR_CPU_MODE_CUSTOM)
            virXMLWriterAttr(w, "match", virCPUMatchToString(cpu->match));
        virXMLWriterAttr(w, "check", virCPUCheckToString(cpu->check));
        if (cpu->migratable != VIR_TRISTATE_ABSENT)
            virXMLWriterAttr(w, "migratable", cpu->migratable == VIR_TRISTATE_YES ? "on" : "off");
    }
    virCPUDefFormatChildren(w, cpu);
}

void
virCPUDefFormat(virXMLWriter *w, const virCPUDef *cpu)
{
    virCPUDefFormatOpen(w, cpu);
    virXMLWriterCloseUnlessEmpty(w);
}

bool
virCPUDefIsEmpty(const virCPUDef *cpu)
{
    return cpu->type == VIR_CPU_TYPE_GUEST && cpu->mode == VIR_CPU_MODE_CUSTOM && !cpu->model &&
           !cpu->vendorId && !cpu->vendor && !cpu->sockets && cpu->cache == VIR_CPU_CACHE_ABSENT &&
           cpu->maxPhysAddr == VIR_CPU_MAXPHYSADDR_ABSENT && virCPUDefFeatureCount(cpu) == 0;
}

char *
virCPUDefFormatText(const virCPUDef *cpu)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virCPUDefFormat(w, cpu);
    return virXMLWriterEnd(w);
}

/* --- comparing --- */

static bool
virCPUDefDiffers(GError **error, const char *what, const char *src, const char *dst)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target CPU %s %s does not match source %s"), what, dst ? dst : "(null)",
                       src ? src : "(null)");
}

static bool
virCPUDefSameText(GError **error, const char *what, const char *src, const char *dst)
{
    return g_strcmp0(src, dst) == 0 || virCPUDefDiffers(error, what, src, dst);
}

static bool
virCPUDefSameCount(GError **error, const char *what, unsigned src, unsigned dst)
{
    g_autofree char *srcText = g_strdup_printf("%u", src);
    g_autofree char *dstText = g_strdup_printf("%u", dst);

    return src == dst || virCPUDefDiffers(error, what, srcText, dstText);
}

static bool
virCPUDefSameFeatures(const virCPUDef *src, const virCPUDef *dst, GError **error)
{
    if (!virCPUDefSameCount(error, "feature count", src->features->len, dst->features->len))
        return false;
    for (guint i = 0; i < src->features->len; i++) {
        const virCPUFeature *a = virCPUDefFeatureAt(src, i);
        const virCPUFeature *b = virCPUDefFeatureAt(dst, i);

        if (!virCPUDefSameText(error, "feature", a->name, b->name) ||
            !virCPUDefSameText(error, "feature policy", virCPUFeaturePolicyToString(a->policy),
                               virCPUFeaturePolicyToString(b->policy)))
            return false;
    }
    return true;
}

static const char *
virCPUDefTypeText(const virCPUDef *cpu)
{
    return cpu->type == VIR_CPU_TYPE_HOST ? "host" : "guest";
}

bool
virCPUDefCheckABI(const virCPUDef *src, const virCPUDef *dst, GError **error)
{
    if (!src && !dst)
        return true;
    if (!src || !dst)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target CPU does not match source"));
    if (!virCPUDefSameText(error, "type", virCPUDefTypeText(src), virCPUDefTypeText(dst)) ||
        !virCPUDefSameText(error, "mode", virCPUModeToString(src->mode),
                           virCPUModeToString(dst->mode)) ||
        !virCPUDefSameText(error, "check", virCPUCheckToString(src->check),
                           virCPUCheckToString(dst->check)) ||
        !virCPUDefSameText(error, "arch", src->arch, dst->arch) ||
        !virCPUDefSameText(error, "model", src->model, dst->model) ||
        !virCPUDefSameText(error, "vendor", src->vendor, dst->vendor) ||
        !virCPUDefSameText(error, "vendor id", src->vendorId, dst->vendorId) ||
        !virCPUDefSameCount(error, "sockets", src->sockets, dst->sockets) ||
        !virCPUDefSameCount(error, "dies", src->dies, dst->dies) ||
        !virCPUDefSameCount(error, "cores", src->cores, dst->cores) ||
        !virCPUDefSameCount(error, "threads", src->threads, dst->threads) ||
        !virCPUDefSameFeatures(src, dst, error))
        return false;
    if (src->cache != dst->cache || src->cacheLevel != dst->cacheLevel)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target CPU cache does not match source"));
    if (src->maxPhysAddr != dst->maxPhysAddr || src->maxPhysAddrBits != dst->maxPhysAddrBits)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target CPU maxphysaddr does not match source"));
    return true;
}
