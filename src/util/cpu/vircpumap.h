/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpumap.h: the features, vendors and named models of x86 CPUs.
 *
 * The facts stand in x86_features.tsv and x86_models.tsv beside this file; gen_cpumap.py compiles
 * them in. Every feature is one bit of its own, so a CPU is a set of features. Constant data: any
 * thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VIR_CPU_FEATURE_SET_BITS 256

/* A set of features by their number in the table. {0} is the empty set. */
typedef struct {
    uint64_t words[VIR_CPU_FEATURE_SET_BITS / 64];
} virCPUFeatureSet;

typedef struct {
    const char *name;
    const char *qemuName;         /* on QEMU's command line; NULL: the same */
    const char *const aliases[3]; /* what else QEMU calls it; ends with NULL */
    bool isMSR;
    bool migratable;
    uint32_t index; /* leaf, or number of the MSR */
    uint32_t subleaf;
    unsigned reg; /* 0..3: eax, ebx, ecx, edx */
    unsigned bit; /* in the register, or in all 64 bits of the MSR */
} virCPUMapFeature;

typedef struct {
    const char *name;        /* "Intel" */
    const char *cpuidString; /* "GenuineIntel" */
} virCPUMapVendor;

typedef struct {
    unsigned family;
    unsigned model;
    uint16_t steppings; /* bit n: stepping n */
} virCPUMapSignature;

#define VIR_CPU_MAP_SIGNATURES_MAX 4

typedef struct {
    const char *name;
    const virCPUMapVendor *vendor; /* NULL: anyone's */
    bool decodeHost;               /* may name a host's CPU */
    bool decodeGuest;
    virCPUMapSignature signatures[VIR_CPU_MAP_SIGNATURES_MAX];
    size_t signatureCount;
    virCPUFeatureSet features;
    virCPUFeatureSet removed; /* once part of the model: a guest of this model says it lacks them */
} virCPUMapModel;

extern const virCPUMapFeature virCPUMapFeatures[];
extern const size_t virCPUMapFeatureCount;
extern const virCPUMapVendor virCPUMapVendors[];
extern const size_t virCPUMapVendorCount;
extern const virCPUMapModel virCPUMapModels[];
extern const size_t virCPUMapModelCount;

/* Do we have models of this architecture ("x86_64", "i686")? */
bool virCPUMapHasArch(const char *arch);

/* The feature's number, or -1; by its own name only. */
int virCPUMapFindFeature(const char *name);
/* The same, also by any name QEMU gives it. */
int virCPUMapFindQemuFeature(const char *name);
/* What QEMU's command line calls a feature; the name itself if it is not known. */
const char *virCPUMapQemuName(const char *name);
const virCPUMapModel *virCPUMapFindModel(const char *name);
const virCPUMapVendor *virCPUMapFindVendor(const char *name);
const virCPUMapVendor *virCPUMapFindVendorString(const char *cpuidString);
/* Has the CPU of this signature one of the model's? */
bool virCPUMapModelMatches(const virCPUMapModel *model, unsigned family, unsigned familyModel,
                           unsigned stepping);

static inline bool
virCPUFeatureSetHas(const virCPUFeatureSet *set, int feature)
{
    return feature >= 0 && (set->words[feature / 64] >> (feature % 64) & 1);
}

static inline void
virCPUFeatureSetAdd(virCPUFeatureSet *set, int feature)
{
    set->words[feature / 64] |= UINT64_C(1) << (feature % 64);
}

static inline void
virCPUFeatureSetRemove(virCPUFeatureSet *set, int feature)
{
    set->words[feature / 64] &= ~(UINT64_C(1) << (feature % 64));
}

virCPUFeatureSet virCPUFeatureSetUnion(virCPUFeatureSet a, virCPUFeatureSet b);
virCPUFeatureSet virCPUFeatureSetIntersect(virCPUFeatureSet a, virCPUFeatureSet b);
virCPUFeatureSet virCPUFeatureSetSubtract(virCPUFeatureSet a, virCPUFeatureSet b);
bool virCPUFeatureSetIsEmpty(virCPUFeatureSet set);
size_t virCPUFeatureSetCount(virCPUFeatureSet set);
/* "vme, ss": in the table's order; caller frees. */
char *virCPUFeatureSetNames(virCPUFeatureSet set, const char *separator);
