/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpumodel.h: what can be worked out from CPU documents and the table of models: does a host
 * satisfy a guest, what have several hosts in common, what does host-model become, what did QEMU
 * really give. x86 only; another architecture is VIR_ERR_NO_SUPPORT. Values in, values out; any
 * thread. */
#pragma once

#include "util/cpu/vircpudata.h"
#include "util/cpu/vircpudef.h"

/* The numbers are those of the wire. */
typedef enum {
    VIR_CPU_COMPARE_ERROR = -1,
    VIR_CPU_COMPARE_INCOMPATIBLE = 0,
    VIR_CPU_COMPARE_IDENTICAL = 1,
    VIR_CPU_COMPARE_SUPERSET = 2, /* the host has more than is asked for */
} virCPUCompareResult;

/* Can the host run cpu? If it can't, *retWhy (may be NULL) says why in a sentence that the caller
 * frees. ERROR only with *error set (an unknown model or feature). */
virCPUCompareResult virCPUModelCompare(const virCPUDef *host, const virCPUDef *cpu, char **retWhy,
                                       GError **error);

/* The CPU that has what all of them have. features (may be NULL) ends with NULL and limits it to
 * what a hypervisor offers. Caller frees. */
virCPUDef *virCPUModelBaseline(virCPUDef *const *cpus, size_t count,
                               const virCPUDecodeOptions *options, const char *const *features,
                               GError **error);

/* Lists every feature the model stands for, in place. */
bool virCPUModelExpand(virCPUDef *cpu, GError **error);

/* Makes a guest's CPU independent of the host it is to run on: optional features become required
 * or disabled, host-model and match='minimum' become a custom model. */
bool virCPUModelUpdate(virCPUDef *guest, const virCPUDef *host, GError **error);

/* Replaces the model by the closest of those the hypervisor has, if fallback allows. */
bool virCPUModelTranslate(virCPUDef *cpu, const virCPUDecodeOptions *options, GError **error);

/* Corrects a guest's CPU by what the hypervisor enabled and disabled. With check='full' a
 * difference is an error instead. */
bool virCPUModelUpdateLive(virCPUDef *cpu, const virCPUData *enabled, const virCPUData *disabled,
                           GError **error);

/* A copy of a host's CPU without the features that can't be migrated; caller frees. */
virCPUDef *virCPUModelCopyMigratable(const virCPUDef *cpu);

/* 1 if the CPU has the feature, 0 if not, -1 with *error if one of the names is unknown. */
int virCPUModelHasFeature(const virCPUDef *cpu, const char *feature, GError **error);

/* The names of all models of an architecture, in the table's order, ending with NULL; caller frees
 * with g_free (not the names). NULL with VIR_ERR_NO_SUPPORT for an architecture without models. */
const char **virCPUModelNames(const char *arch, GError **error);
