/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpumap.c: look-ups in the tables of CPU facts, and sets of features. */
#include "util/cpu/vircpumap.h"

#include <string.h>

bool
virCPUMapHasArch(const char *arch)
{
    return g_strcmp0(arch, "x86_64") == 0 || g_strcmp0(arch, "i686") == 0;
}

int
virCPUMapFindFeature(const char *name)
{
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        if (g_str_equal(virCPUMapFeatures[i].name, name))
            return (int)i;
    }
    return -1;
}

int
virCPUMapFindQemuFeature(const char *name)
{
    int found = virCPUMapFindFeature(name);

    for (size_t i = 0; found < 0 && i < virCPUMapFeatureCount; i++) {
        const virCPUMapFeature *feature = &virCPUMapFeatures[i];

        if (g_strcmp0(feature->qemuName, name) == 0 || g_strv_contains(feature->aliases, name))
            found = (int)i;
    }
    return found;
}

const char *
virCPUMapQemuName(const char *name)
{
    int found = virCPUMapFindFeature(name);

    return found >= 0 && virCPUMapFeatures[found].qemuName ? virCPUMapFeatures[found].qemuName
                                                           : name;
}

const virCPUMapModel *
virCPUMapFindModel(const char *name)
{
    for (size_t i = 0; i < virCPUMapModelCount; i++) {
        if (g_str_equal(virCPUMapModels[i].name, name))
            return &virCPUMapModels[i];
    }
    return NULL;
}

const virCPUMapVendor *
virCPUMapFindVendor(const char *name)
{
    for (size_t i = 0; i < virCPUMapVendorCount; i++) {
        if (g_str_equal(virCPUMapVendors[i].name, name))
            return &virCPUMapVendors[i];
    }
    return NULL;
}

const virCPUMapVendor *
virCPUMapFindVendorString(const char *cpuidString)
{
    for (size_t i = 0; i < virCPUMapVendorCount; i++) {
        if (g_str_equal(virCPUMapVendors[i].cpuidString, cpuidString))
            return &virCPUMapVendors[i];
    }
    return NULL;
}

bool
virCPUMapModelMatches(const virCPUMapModel *model, unsigned family, unsigned familyModel,
                      unsigned stepping)
{
    for (size_t i = 0; i < model->signatureCount; i++) {
        const virCPUMapSignature *signature = &model->signatures[i];

        if (signature->family == family && signature->model == familyModel && stepping < 16 &&
            (signature->steppings >> stepping & 1))
            return true;
    }
    return false;
}

virCPUFeatureSet
virCPUFeatureSetUnion(virCPUFeatureSet a, virCPUFeatureSet b)
{
    for (size_t i = 0; i < G_N_ELEMENTS(a.words); i++)
        a.words[i] |= b.words[i];
    return a;
}

virCPUFeatureSet
virCPUFeatureSetIntersect(virCPUFeatureSet a, virCPUFeatureSet b)
{
    for (size_t i = 0; i < G_N_ELEMENTS(a.words); i++)
        a.words[i] &= b.words[i];
    return a;
}

virCPUFeatureSet
virCPUFeatureSetSubtract(virCPUFeatureSet a, virCPUFeatureSet b)
{
    for (size_t i = 0; i < G_N_ELEMENTS(a.words); i++)
        a.words[i] &= ~b.words[i];
    return a;
}

bool
virCPUFeatureSetIsEmpty(virCPUFeatureSet set)
{
    return virCPUFeatureSetCount(set) == 0;
}

size_t
virCPUFeatureSetCount(virCPUFeatureSet set)
{
    size_t count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(set.words); i++)
        count += (size_t)__builtin_popcountll(set.words[i]);
    return count;
}

char *
virCPUFeatureSetNames(virCPUFeatureSet set, const char *separator)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        if (virCPUFeatureSetHas(&set, (int)i))
            g_string_append_printf(text, "%s%s", text->len ? separator : "",
                                   virCPUMapFeatures[i].name);
    }
    return g_string_free(text, FALSE);
}
