/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpumodel.c: comparing, combining and completing CPUs as sets of features. */
#include "util/cpu/vircpumodel.h"

#include <string.h>

#include "util/virerror.h"

static bool
virCPUModelKnown(const virCPUDef *cpu, const virCPUMapModel **ret, GError **error)
{
    *ret = NULL;
    if (!cpu->model)
        return true;
    if (!(*ret = virCPUMapFindModel(cpu->model)))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unknown CPU model %s"), cpu->model);
    return true;
}

static virCPUFeaturePolicy
virCPUModelPolicy(const virCPUDef *cpu, const virCPUFeature *feature)
{
    return cpu->type == VIR_CPU_TYPE_HOST ? VIR_CPU_FEATURE_REQUIRE : feature->policy;
}

static bool
virCPUModelNumber(const virCPUFeature *feature, int *ret, GError **error)
{
    if ((*ret = virCPUMapFindFeature(feature->name)) < 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unknown CPU feature %s"),
                           feature->name);
    return true;
}

/* What the CPU has: its model and the differences. */
static bool
virCPUModelFeatures(const virCPUDef *cpu, virCPUFeatureSet *ret, GError **error)
{
    const virCPUMapModel *model;
    virCPUFeatureSet set = {0};

    if (!virCPUModelKnown(cpu, &model, error))
        return false;
    if (model)
        set = model->features;
    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(cpu, i);
        virCPUFeaturePolicy policy = virCPUModelPolicy(cpu, feature);
        int number;

        if (policy == VIR_CPU_FEATURE_OPTIONAL)
            continue;
        if (!virCPUModelNumber(feature, &number, error))
            return false;
        if (policy == VIR_CPU_FEATURE_DISABLE || policy == VIR_CPU_FEATURE_FORBID)
            virCPUFeatureSetRemove(&set, number);
        else
            virCPUFeatureSetAdd(&set, number);
    }
    *ret = set;
    return true;
}

/* What the document lists with this policy; what it requires includes the model. */
static bool
virCPUModelListed(const virCPUDef *cpu, virCPUFeaturePolicy policy, virCPUFeatureSet *ret,
                  GError **error)
{
    const virCPUMapModel *model;
    virCPUFeatureSet set = {0};

    if (policy == VIR_CPU_FEATURE_REQUIRE) {
        if (!virCPUModelKnown(cpu, &model, error))
            return false;
        if (model)
            set = model->features;
    }
    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(cpu, i);
        int number;

        if (virCPUModelPolicy(cpu, feature) != policy)
            continue;
        if (!virCPUModelNumber(feature, &number, error))
            return false;
        virCPUFeatureSetAdd(&set, number);
    }
    *ret = set;
    return true;
}

/* --- comparing --- */

static virCPUCompareResult
virCPUModelIncompatible(char **retWhy, const char *text, virCPUFeatureSet set)
{
    g_autofree char *names = virCPUFeatureSetNames(set, ", ");

    if (retWhy)
        *retWhy = g_strdup_printf("%s: %s", text, names);
    return VIR_CPU_COMPARE_INCOMPATIBLE;
}

static virCPUCompareResult
virCPUModelCompareFeatures(const virCPUDef *host, const virCPUDef *cpu, char **retWhy,
                           GError **error)
{
    virCPUFeatureSet has, force, require, optional, disable, forbid, clash, missing, extra;

    if (!virCPUModelFeatures(host, &has, error) ||
        !virCPUModelListed(cpu, VIR_CPU_FEATURE_FORCE, &force, error) ||
        !virCPUModelListed(cpu, VIR_CPU_FEATURE_REQUIRE, &require, error) ||
        !virCPUModelListed(cpu, VIR_CPU_FEATURE_OPTIONAL, &optional, error) ||
        !virCPUModelListed(cpu, VIR_CPU_FEATURE_DISABLE, &disable, error) ||
        !virCPUModelListed(cpu, VIR_CPU_FEATURE_FORBID, &forbid, error))
        return VIR_CPU_COMPARE_ERROR;

    clash = virCPUFeatureSetIntersect(forbid, has);
    if (!virCPUFeatureSetIsEmpty(clash))
        return virCPUModelIncompatible(retWhy, _("Host CPU provides forbidden features"), clash);

    require = virCPUFeatureSetSubtract(require, forbid);
    require = virCPUFeatureSetSubtract(require, disable);
    require = virCPUFeatureSetSubtract(require, optional);
    missing = virCPUFeatureSetSubtract(virCPUFeatureSetSubtract(require, force), has);
    if (!virCPUFeatureSetIsEmpty(missing))
        return virCPUModelIncompatible(retWhy, _("Host CPU does not provide required features"),
                                       missing);

    extra = virCPUFeatureSetSubtract(has, virCPUFeatureSetUnion(optional, require));
    extra = virCPUFeatureSetSubtract(extra, virCPUFeatureSetUnion(disable, force));
    if (virCPUFeatureSetIsEmpty(extra))
        return VIR_CPU_COMPARE_IDENTICAL;
    if (cpu->type == VIR_CPU_TYPE_GUEST && cpu->match == VIR_CPU_MATCH_STRICT)
        return virCPUModelIncompatible(
            retWhy, _("Host CPU does not strictly match guest CPU: Extra features"), extra);
    return VIR_CPU_COMPARE_SUPERSET;
}

virCPUCompareResult
virCPUModelCompare(const virCPUDef *host, const virCPUDef *cpu, char **retWhy, GError **error)
{
    if (retWhy)
        *retWhy = NULL;
    if (cpu->arch && !virCPUMapHasArch(cpu->arch)) {
        if (retWhy)
            *retWhy = g_strdup_printf(_("CPU arch %s does not match host arch"), cpu->arch);
        return VIR_CPU_COMPARE_INCOMPATIBLE;
    }
    if (cpu->vendor && g_strcmp0(cpu->vendor, host->vendor) != 0) {
        if (retWhy)
            *retWhy = g_strdup_printf(_("host CPU vendor does not match required CPU vendor %s"),
                                      cpu->vendor);
        return VIR_CPU_COMPARE_INCOMPATIBLE;
    }
    return virCPUModelCompareFeatures(host, cpu, retWhy, error);
}

/* --- combining --- */

/* Adds a CPU after the first to what is known of the vendor that all must share. */
static bool
virCPUModelJoinVendor(const virCPUDef *cpu, const virCPUMapVendor **vendor, GError **error)
{
    const virCPUMapModel *model;
    const char *name = cpu->vendor;

    if (!virCPUModelKnown(cpu, &model, error))
        return false;
    if (name && model && model->vendor && !g_str_equal(name, model->vendor->name))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("CPU vendor %s of model %s differs from vendor %s"),
                           model->vendor->name, model->name, name);
    if (!name && model && model->vendor)
        name = model->vendor->name;
    if (!name)
        return true;
    if (!*vendor && !(*vendor = virCPUMapFindVendor(name)))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("Unknown CPU vendor %s"), name);
    if (!g_str_equal((*vendor)->name, name))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("CPU vendors do not match"));
    return true;
}

/* The vendor of the first as it says itself, then that of the others. */
static bool
virCPUModelCommonVendor(virCPUDef *const *cpus, size_t count, const virCPUMapVendor **retVendor,
                        GError **error)
{
    const virCPUMapVendor *vendor = NULL;

    if (cpus[0]->vendor && !(vendor = virCPUMapFindVendor(cpus[0]->vendor)))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("Unknown CPU vendor %s"),
                           cpus[0]->vendor);
    for (size_t i = 1; i < count; i++) {
        if (!virCPUModelJoinVendor(cpus[i], &vendor, error))
            return false;
    }
    *retVendor = vendor;
    return true;
}

static bool
virCPUModelCheckInputs(virCPUDef *const *cpus, size_t count, GError **error)
{
    if (count == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("No CPUs given"));
    for (size_t i = 0; i < count; i++) {
        if (!cpus[i]->model)
            return virErrorSet(error, VIR_ERR_INVALID_ARG, _("no CPU model specified at index %zu"),
                               i);
        if (cpus[i]->arch && !virCPUMapHasArch(cpus[i]->arch))
            return virErrorSet(error, VIR_ERR_NO_SUPPORT,
                               _("cannot compute baseline CPU of %s architecture"), cpus[i]->arch);
    }
    return true;
}

static virCPUFeatureSet
virCPUModelNamedFeatures(const char *const *features)
{
    virCPUData data = {0};

    for (size_t i = 0; features[i]; i++)
        (void)virCPUDataAddFeature(&data,
                                   features[i]); /* what we have no name for can't be common */
    return data.features;
}

/* What the guest's system switches on itself is no property of the processors. */
static virCPUFeatureSet
virCPUModelWithoutGuestState(virCPUFeatureSet set)
{
    virCPUFeatureSetRemove(&set, virCPUMapFindFeature("osxsave"));
    virCPUFeatureSetRemove(&set, virCPUMapFindFeature("ospke"));
    return set;
}

static bool
virCPUModelCommonFeatures(virCPUDef *const *cpus, size_t count, const char *const *features,
                          virCPUFeatureSet *retCommon, GError **error)
{
    virCPUFeatureSet common = {0};

    for (size_t i = 0; i < count; i++) {
        virCPUFeatureSet has;

        if (!virCPUModelFeatures(cpus[i], &has, error))
            return false;
        common = i == 0 ? has : virCPUFeatureSetIntersect(common, has);
    }
    if (features)
        common = virCPUFeatureSetIntersect(common, virCPUModelNamedFeatures(features));
    if (virCPUFeatureSetIsEmpty(common))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("CPUs are incompatible"));
    *retCommon = virCPUModelWithoutGuestState(common);
    return true;
}

virCPUDef *
virCPUModelBaseline(virCPUDef *const *cpus, size_t count, const virCPUDecodeOptions *options,
                    const char *const *features, GError **error)
{
    virCPUDecodeOptions decode = options ? *options : (virCPUDecodeOptions){0};
    g_autoptr(virCPUDef) baseline = NULL;
    g_autoptr(GPtrArray) inputs = g_ptr_array_new();
    virCPUData common = {0};
    bool allSayVendor = true;

    if (!virCPUModelCheckInputs(cpus, count, error) ||
        !virCPUModelCommonFeatures(cpus, count, features, &common.features, error) ||
        !virCPUModelCommonVendor(cpus, count, &common.vendor, error))
        return NULL;
    decode.preferred = cpus[0]->model;
    for (size_t i = 0; i < count; i++) {
        g_ptr_array_add(inputs, cpus[i]->model);
        allSayVendor = allSayVendor && cpus[i]->vendor;
        if (g_strcmp0(cpus[i]->model, cpus[0]->model) != 0)
            decode.preferred = NULL;
    }
    g_ptr_array_add(inputs, NULL);
    decode.inputs = (const char *const *)inputs->pdata;

    baseline = virCPUDefNew(VIR_CPU_TYPE_GUEST);
    if (!virCPUDataDecode(&common, baseline, &decode, error))
        return NULL;
    /* a model that all of them name is what was asked for; another is only the closest */
    if (g_strcmp0(baseline->model, decode.preferred) == 0)
        baseline->fallback = VIR_CPU_FALLBACK_FORBID;
    if (!allSayVendor)
        g_clear_pointer(&baseline->vendor, g_free);
    return g_steal_pointer(&baseline);
}

/* --- completing --- */

bool
virCPUModelExpand(virCPUDef *cpu, GError **error)
{
    g_autoptr(virCPUDef) listed = NULL;
    const virCPUMapModel *model;

    if (!virCPUModelKnown(cpu, &model, error))
        return false;
    if (!model)
        return true;
    listed = virCPUDefCopy(cpu);
    g_array_set_size(cpu->features, 0);
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        if (virCPUFeatureSetHas(&model->features, (int)i))
            virCPUDefSetFeature(cpu, virCPUMapFeatures[i].name, VIR_CPU_FEATURE_REQUIRE);
    }
    for (size_t i = 0; i < virCPUDefFeatureCount(listed); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(listed, i);
        virCPUFeaturePolicy policy = virCPUModelPolicy(cpu, feature);

        if (policy == VIR_CPU_FEATURE_REQUIRE || policy == VIR_CPU_FEATURE_DISABLE)
            virCPUDefSetFeature(cpu, feature->name, policy);
    }
    return true;
}

static bool
virCPUModelUpdateOptional(virCPUDef *guest, const virCPUDef *host, GError **error)
{
    for (size_t i = 0; i < virCPUDefFeatureCount(guest); i++) {
        virCPUFeature *feature = virCPUDefFeatureAt(guest, i);
        int has;

        if (feature->policy != VIR_CPU_FEATURE_OPTIONAL)
            continue;
        if ((has = virCPUModelHasFeature(host, feature->name, error)) < 0)
            return false;
        feature->policy = has ? VIR_CPU_FEATURE_REQUIRE : VIR_CPU_FEATURE_DISABLE;
    }
    return true;
}

/* Takes the host's model and features and lays the guest's own list over them. */
static void
virCPUModelUpdateFromHost(virCPUDef *guest, const virCPUDef *host)
{
    g_autoptr(virCPUDef) asked = virCPUDefCopy(guest);

    virCPUDefTakeModel(guest, host);
    for (size_t i = 0; i < virCPUDefFeatureCount(guest); i++)
        virCPUDefFeatureAt(guest, i)->policy = virCPUModelPolicy(host, virCPUDefFeatureAt(host, i));
    for (size_t i = 0; i < virCPUDefFeatureCount(asked); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(asked, i);

        virCPUDefSetFeature(guest, feature->name, feature->policy);
    }
    if (asked->mode == VIR_CPU_MODE_CUSTOM) {
        g_free(guest->vendor);
        guest->vendor = g_strdup(asked->vendor);
    }
    guest->mode = VIR_CPU_MODE_CUSTOM;
    guest->match = VIR_CPU_MATCH_EXACT;
}

bool
virCPUModelUpdate(virCPUDef *guest, const virCPUDef *host, GError **error)
{
    bool relative = guest->mode == VIR_CPU_MODE_HOST_MODEL ||
                    (guest->mode == VIR_CPU_MODE_CUSTOM && guest->match == VIR_CPU_MATCH_MINIMUM);

    if (guest->mode == VIR_CPU_MODE_HOST_PASSTHROUGH || guest->mode == VIR_CPU_MODE_MAXIMUM)
        return true;
    if (relative && (!host || !host->model))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unable to get host CPU model"));
    if (host && !virCPUModelUpdateOptional(guest, host, error))
        return false;
    if (relative)
        virCPUModelUpdateFromHost(guest, host);
    return true;
}

bool
virCPUModelTranslate(virCPUDef *cpu, const virCPUDecodeOptions *options, GError **error)
{
    g_autoptr(virCPUDef) asked = NULL;
    const virCPUMapModel *model;
    virCPUData data = {0};

    if (cpu->mode != VIR_CPU_MODE_CUSTOM || !options || !options->choices)
        return true;
    for (size_t i = 0; i < options->choiceCount; i++) {
        if (g_strcmp0(options->choices[i].name, cpu->model) == 0)
            return true;
    }
    if (cpu->fallback != VIR_CPU_FALLBACK_ALLOW)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("CPU model %s is not supported by hypervisor"), cpu->model);
    if (!virCPUModelFeatures(cpu, &data.features, error) || !virCPUModelKnown(cpu, &model, error))
        return false;
    if (model && model->vendor)
        data.vendor = model->vendor;
    if (model && model->signatureCount)
        virCPUDataSetSignature(&data, model->signatures[0].family, model->signatures[0].model,
                               (unsigned)__builtin_ctz(model->signatures[0].steppings));
    asked = virCPUDefCopy(cpu);
    if (!virCPUDataDecode(&data, cpu, options, error))
        return false;
    for (size_t i = 0; i < virCPUDefFeatureCount(asked); i++) {
        const virCPUFeature *feature = virCPUDefFeatureAt(asked, i);

        virCPUDefSetFeature(cpu, feature->name, feature->policy);
    }
    g_free(cpu->vendor);
    cpu->vendor = g_strdup(asked->vendor);
    return true;
}

static bool
virCPUModelLiveDiffers(const char *added, const char *removed, GError **error)
{
    if (*added && *removed)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("guest CPU doesn't match specification: extra features: %s, missing "
                             "features: %s"),
                           added, removed);
    if (*added)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("guest CPU doesn't match specification: extra features: %s"), added);
    return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                       _("guest CPU doesn't match specification: missing features: %s"), removed);
}

bool
virCPUModelUpdateLive(virCPUDef *cpu, const virCPUData *enabled, const virCPUData *disabled,
                      GError **error)
{
    virCPUFeatureSet wanted, added, removed;

    if (!virCPUModelFeatures(cpu, &wanted, error))
        return false;
    added = virCPUFeatureSetSubtract(enabled->features, wanted);
    removed = virCPUFeatureSetUnion(virCPUFeatureSetSubtract(wanted, enabled->features),
                                    disabled->features);
    if (cpu->check == VIR_CPU_CHECK_FULL) {
        g_autofree char *addedNames = virCPUFeatureSetNames(added, ",");
        g_autofree char *removedNames = virCPUFeatureSetNames(removed, ",");

        return (!*addedNames && !*removedNames) ||
               virCPUModelLiveDiffers(addedNames, removedNames, error);
    }
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        if (virCPUFeatureSetHas(&added, (int)i))
            virCPUDefSetFeature(cpu, virCPUMapFeatures[i].name, VIR_CPU_FEATURE_REQUIRE);
        if (virCPUFeatureSetHas(&removed, (int)i))
            virCPUDefSetFeature(cpu, virCPUMapFeatures[i].name, VIR_CPU_FEATURE_DISABLE);
    }
    return true;
}

/* --- looking up --- */

static bool
virCPUModelKeepMigratable(const virCPUFeature *feature, const void *opaque)
{
    int number = virCPUMapFindFeature(feature->name);

    (void)opaque; /* the table says all */
    return number < 0 || virCPUMapFeatures[number].migratable;
}

virCPUDef *
virCPUModelCopyMigratable(const virCPUDef *cpu)
{
    virCPUDef *copy = virCPUDefCopy(cpu);

    virCPUDefFilterFeatures(copy, virCPUModelKeepMigratable, NULL);
    return copy;
}

int
virCPUModelHasFeature(const virCPUDef *cpu, const char *feature, GError **error)
{
    int number = virCPUMapFindFeature(feature);
    virCPUFeatureSet has;

    if (number < 0) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unknown CPU feature %s"), feature);
        return -1;
    }
    if (!virCPUModelFeatures(cpu, &has, error))
        return -1;
    return virCPUFeatureSetHas(&has, number);
}

const char **
virCPUModelNames(const char *arch, GError **error)
{
    const char **names;

    if (!virCPUMapHasArch(arch)) {
        virErrorSet(error, VIR_ERR_NO_SUPPORT, _("cannot find a driver for the architecture %s"),
                    arch);
        return NULL;
    }
    names = g_new0(const char *, virCPUMapModelCount + 1);
    for (size_t i = 0; i < virCPUMapModelCount; i++)
        names[i] = virCPUMapModels[i].name;
    return names;
}
