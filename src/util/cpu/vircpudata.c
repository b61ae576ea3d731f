/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpudata.c: CPUID and MSR values to features, features to the closest model.
 *
 * The choice of the model is what users read in their capabilities and what decides where a guest
 * can migrate to, so it follows the rules of libvirt 9.0: newest models first; one that matches
 * family and model of the processor beats one that doesn't; then the shorter list of differences
 * wins, where each disabled feature weighs more than the one before; then the one that disables
 * less. */
#include "util/cpu/vircpudata.h"

#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"

/* --- what the processor says --- */

static void
virCPUDataReadVendor(virCPUData *data, virCPUIDRegs answer)
{
    char string[VIR_CPU_VENDOR_ID_LENGTH + 1] = "";

    memcpy(string, &answer.regs[1], 4);     /* ebx */
    memcpy(string + 4, &answer.regs[3], 4); /* edx */
    memcpy(string + 8, &answer.regs[2], 4); /* ecx */
    virCPUDataSetVendor(data, string);
}

static void
virCPUDataReadSignature(virCPUData *data, uint32_t eax)
{
    unsigned family = eax >> 8 & 0xf;
    unsigned model = eax >> 4 & 0xf;

    if (family == 6 || family == 15)
        model += (eax >> 16 & 0xf) << 4;
    if (family == 15)
        family += eax >> 20 & 0xff;
    virCPUDataSetSignature(data, family, model, eax & 0xf);
}

void
virCPUDataAddLeaf(virCPUData *data, uint32_t leaf, uint32_t subleaf, virCPUIDRegs answer)
{
    if (leaf == 0)
        virCPUDataReadVendor(data, answer);
    if (leaf == 1 && answer.regs[0])
        virCPUDataReadSignature(data, answer.regs[0]);
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        const virCPUMapFeature *feature = &virCPUMapFeatures[i];

        if (!feature->isMSR && feature->index == leaf && feature->subleaf == subleaf &&
            (answer.regs[feature->reg] >> feature->bit & 1))
            virCPUFeatureSetAdd(&data->features, (int)i);
    }
}

void
virCPUDataAddMSR(virCPUData *data, uint32_t index, uint64_t value)
{
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        const virCPUMapFeature *feature = &virCPUMapFeatures[i];

        if (feature->isMSR && feature->index == index && (value >> feature->bit & 1))
            virCPUFeatureSetAdd(&data->features, (int)i);
    }
}

bool
virCPUDataAddFeature(virCPUData *data, const char *name)
{
    int feature = virCPUMapFindQemuFeature(name);

    if (feature < 0)
        return false;
    virCPUFeatureSetAdd(&data->features, feature);
    return true;
}

void
virCPUDataSetVendor(virCPUData *data, const char *cpuidString)
{
    data->vendor = virCPUMapFindVendorString(cpuidString);
}

void
virCPUDataSetSignature(virCPUData *data, unsigned family, unsigned model, unsigned stepping)
{
    data->hasSignature = true;
    data->family = family;
    data->model = model;
    data->stepping = stepping;
}

static bool
virCPUDataReadHex(const xmlNode *node, const char *name, bool required, uint32_t *ret,
                  GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);
    uint64_t value;

    *ret = 0;
    if (!text && !required)
        return true;
    if (!text || !g_ascii_string_to_unsigned(g_str_has_prefix(text, "0x") ? text + 2 : text, 16, 0,
                                             G_MAXUINT32, &value, NULL))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("invalid or missing attribute '%s' in element '%s' of CPU data"), name,
                           (const char *)node->name);
    *ret = (uint32_t)value;
    return true;
}

static bool
virCPUDataReadItem(virCPUData *data, const xmlNode *node, GError **error)
{
    static const char *const names[] = {"eax", "ebx", "ecx", "edx"};
    virCPUIDRegs answer;
    uint32_t index, subleaf;
    bool isMSR = virXMLNameIs(node, "msr");

    if (!virCPUDataReadHex(node, isMSR ? "index" : "eax_in", true, &index, error) ||
        !virCPUDataReadHex(node, "ecx_in", false, &subleaf, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!virCPUDataReadHex(node, names[i], false, &answer.regs[i], error))
            return false;
    }
    if (isMSR)
        virCPUDataAddMSR(data, index, (uint64_t)answer.regs[3] << 32 | answer.regs[0]);
    else
        virCPUDataAddLeaf(data, index, subleaf, answer);
    return true;
}

bool
virCPUDataParse(const char *xml, virCPUData *ret, GError **error)
{
    g_autoptr(xmlDoc) doc = virXMLParse(xml, -1, "CPU_data", error);
    virCPUData data = {0};
    xmlNode *root;

    if (!doc || !(root = virXMLRoot(doc, "cpudata", error)))
        return false;
    virXMLForEachChild (root, node) {
        if ((virXMLNameIs(node, "cpuid") || virXMLNameIs(node, "msr")) &&
            !virCPUDataReadItem(&data, node, error))
            return false;
    }
    *ret = data;
    return true;
}

/* --- the closest model --- */

static const virCPUModelChoice *
virCPUDataFindChoice(const virCPUDecodeOptions *options, const char *name)
{
    for (size_t i = 0; i < options->choiceCount; i++) {
        if (g_str_equal(options->choices[i].name, name))
            return &options->choices[i];
    }
    return NULL;
}

/* Early Haswells have TSX by CPUID and lost it to a microcode update; a model with it would
 * promise what the next boot can take away. */
static virCPUFeatureSet
virCPUDataUsable(const virCPUData *data)
{
    virCPUFeatureSet usable = data->features;
    bool haswell =
        data->family == 6 && ((data->model == 63 && data->stepping < 4) || data->model == 60 ||
                              data->model == 69 || data->model == 70);

    if (data->vendor && g_str_equal(data->vendor->name, "Intel") && haswell) {
        virCPUFeatureSetRemove(&usable, virCPUMapFindFeature("hle"));
        virCPUFeatureSetRemove(&usable, virCPUMapFindFeature("rtm"));
    }
    return usable;
}

typedef struct {
    const virCPUMapModel *model;
    virCPUFeatureSet required; /* beyond the model */
    virCPUFeatureSet disabled; /* of the model, or of the hypervisor's idea of it */
    virCPUFeatureSet removed;  /* no longer of the model, and not there */
    bool matches;              /* family and model are those of the processor */
} virCPUCandidate;

static virCPUCandidate
virCPUCandidateMake(const virCPUData *data, virCPUFeatureSet usable, const virCPUMapModel *model,
                    const virCPUModelChoice *choice)
{
    virCPUCandidate made = {
        .model = model,
        .required = virCPUFeatureSetSubtract(usable, model->features),
        .disabled = virCPUFeatureSetSubtract(model->features, usable),
        .matches = data->hasSignature &&
                   virCPUMapModelMatches(model, data->family, data->model, data->stepping),
    };

    /* the hypervisor's version of the model may want more than ours */
    for (size_t i = 0; choice && choice->blockers && choice->blockers[i]; i++) {
        int blocker = virCPUMapFindQemuFeature(choice->blockers[i]);

        if (blocker >= 0 && !virCPUFeatureSetHas(&made.required, blocker))
            virCPUFeatureSetAdd(&made.disabled, blocker);
    }
    made.removed = virCPUFeatureSetSubtract(model->removed,
                                            virCPUFeatureSetUnion(made.required, made.disabled));
    return made;
}

typedef struct {
    size_t length; /* of the list of differences, weighed */
    size_t disabled;
} virCPUWeight;

/* libvirt 9.0 weighs the later half of the disabled features 2, 3, 4 and so on and counts the rest
 * as if they were required; which model a user reads depends on exactly that. */
static virCPUWeight
virCPUCandidateWeigh(const virCPUCandidate *candidate, bool even)
{
    size_t disabled =
        virCPUFeatureSetCount(candidate->disabled) + virCPUFeatureSetCount(candidate->removed);
    size_t half = (disabled + 1) / 2;
    virCPUWeight weight = {.disabled = half * (half + 3) / 2};

    if (even)
        half = weight.disabled = disabled;
    weight.length =
        virCPUFeatureSetCount(candidate->required) + (disabled - half) + weight.disabled;
    return weight;
}

static bool
virCPUCandidateIsBetter(const virCPUCandidate *candidate, const virCPUCandidate *best, bool isInput,
                        bool evenWeights)
{
    virCPUWeight weight, bestWeight;
    bool disablesLess;

    if (!best->model)
        return true;
    if (candidate->matches != best->matches)
        return candidate->matches;
    weight = virCPUCandidateWeigh(candidate, evenWeights);
    bestWeight = virCPUCandidateWeigh(best, evenWeights);
    if (weight.length < bestWeight.length)
        return true;
    disablesLess = weight.disabled < bestWeight.disabled;
    return disablesLess && (isInput || (weight.length == bestWeight.length && !evenWeights));
}

static void
virCPUCandidateAdd(virCPUDef *cpu, virCPUFeatureSet set, virCPUFeaturePolicy policy,
                   bool migratable)
{
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        if (virCPUFeatureSetHas(&set, (int)i) && (!migratable || virCPUMapFeatures[i].migratable))
            virCPUDefSetFeature(cpu, virCPUMapFeatures[i].name, policy);
    }
}

/* Writes the candidate into cpu; a host's CPU has nothing disabled. */
static void
virCPUCandidateApply(const virCPUCandidate *candidate, const virCPUData *data, virCPUDef *cpu,
                     bool migratable)
{
    g_free(cpu->model);
    cpu->model = g_strdup(candidate->model->name);
    g_free(cpu->vendor);
    cpu->vendor = g_strdup(data->vendor ? data->vendor->name : NULL);
    g_array_set_size(cpu->features, 0);
    virCPUCandidateAdd(cpu, candidate->required, VIR_CPU_FEATURE_REQUIRE, migratable);
    if (cpu->type == VIR_CPU_TYPE_HOST)
        return;
    virCPUCandidateAdd(cpu, candidate->disabled, VIR_CPU_FEATURE_DISABLE, migratable);
    virCPUCandidateAdd(cpu, candidate->removed, VIR_CPU_FEATURE_DISABLE, migratable);
}

/* May the model stand for this CPU at all? */
static bool
virCPUDataModelAllowed(const virCPUData *data, const virCPUMapModel *model, virCPUType type)
{
    if (data->vendor && model->vendor && data->vendor != model->vendor)
        return false;
    return type == VIR_CPU_TYPE_HOST ? model->decodeHost : model->decodeGuest;
}

bool
virCPUDataDecode(const virCPUData *data, virCPUDef *cpu, const virCPUDecodeOptions *options,
                 GError **error)
{
    static const virCPUDecodeOptions none = {0};
    virCPUFeatureSet usable = virCPUDataUsable(data);
    virCPUCandidate best = {0};

    if (!options)
        options = &none;
    for (size_t i = virCPUMapModelCount; i-- > 0;) {
        const virCPUMapModel *model = &virCPUMapModels[i];
        bool preferred = g_strcmp0(options->preferred, model->name) == 0;
        const virCPUModelChoice *choice = NULL;
        virCPUCandidate candidate;

        if (options->choices && !(choice = virCPUDataFindChoice(options, model->name))) {
            if (preferred && cpu->fallback != VIR_CPU_FALLBACK_ALLOW)
                return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                   _("CPU model %s is not supported by hypervisor"), model->name);
            continue;
        }
        if (!virCPUDataModelAllowed(data, model, cpu->type))
            continue;
        candidate = virCPUCandidateMake(data, usable, model, choice);
        if (cpu->type == VIR_CPU_TYPE_HOST && !virCPUFeatureSetIsEmpty(candidate.disabled))
            continue;
        if (preferred || virCPUCandidateIsBetter(&candidate, &best,
                                                 options->inputs &&
                                                     g_strv_contains(options->inputs, model->name),
                                                 options->evenWeights))
            best = candidate;
        if (preferred)
            break;
    }
    if (!best.model)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("Cannot find suitable CPU model for given data"));
    virCPUCandidateApply(&best, data, cpu, options->migratable);
    return true;
}
