/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpudata.h: what a processor says of itself (CPUID, MSRs), boiled down to vendor, signature and
 * the features we have names for; and the way from there to the closest named model.
 *
 * Values only: who asks the machine is host/cpu, who asks QEMU is qmp/. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/cpu/vircpudef.h"
#include "util/cpu/vircpumap.h"

/* {0} is a processor that nothing is known of. */
typedef struct {
    const virCPUMapVendor *vendor; /* NULL: not known, or none of ours */
    bool hasSignature;
    unsigned family;
    unsigned model;
    unsigned stepping;
    virCPUFeatureSet features;
} virCPUData;

/* The answer of CPUID: eax, ebx, ecx, edx. */
typedef struct {
    uint32_t regs[4];
} virCPUIDRegs;

/* Takes what we know to read out of one leaf: leaf 0 gives the vendor, 1 the signature. */
void virCPUDataAddLeaf(virCPUData *data, uint32_t leaf, uint32_t subleaf, virCPUIDRegs answer);
void virCPUDataAddMSR(virCPUData *data, uint32_t index, uint64_t value);
/* Adds a feature by our name or one of QEMU's; false if it is none of ours. */
bool virCPUDataAddFeature(virCPUData *data, const char *name);
/* The vendor as CPUID spells it ("GenuineIntel"); an unknown one leaves the vendor unset. */
void virCPUDataSetVendor(virCPUData *data, const char *cpuidString);
void virCPUDataSetSignature(virCPUData *data, unsigned family, unsigned model, unsigned stepping);

/* Reads a <cpudata arch='x86'> document. */
bool virCPUDataParse(const char *xml, virCPUData *ret, GError **error);

/* A model that a hypervisor knows, as an input of decoding. */
typedef struct {
    const char *name;
    const char *const *blockers; /* features that keep it from running here, as QEMU names them;
                                    NULL or ending with NULL */
} virCPUModelChoice;

typedef struct {
    const virCPUModelChoice *choices; /* NULL: every model of ours */
    size_t choiceCount;
    const char *preferred;     /* taken if it can be; NULL: none */
    const char *const *inputs; /* models that the features were combined from: one of these may be
                                  chosen for disabling less; NULL or ending with NULL */
    bool migratable;           /* leave out what can't be migrated */
    bool evenWeights;          /* count a disabled feature like a required one, as libvirt 7.10 did:
                                  to compare with results of that time */
} virCPUDecodeOptions;

/* Gives cpu (whose type, mode and fallback are set) the model that needs the fewest additional
 * features, the vendor, and those features. For a host only models it has whole are considered; a
 * guest's may have features disabled. options may be NULL. VIR_ERR_INTERNAL_ERROR if no model
 * fits. */
bool virCPUDataDecode(const virCPUData *data, virCPUDef *cpu, const virCPUDecodeOptions *options,
                      GError **error);
