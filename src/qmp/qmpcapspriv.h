/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapspriv.h: the inside of qmpCaps, for the files that build one: probe, cache, fake. */
#pragma once

#include "qmp/qmpcaps.h"

#define QMP_CAPS_WORDS ((QMP_CAPS_LAST + 63) / 64)

/* What differs between KVM and TCG. */
typedef struct {
    GPtrArray *machines; /* of qmpMachine */
    GPtrArray *cpus;     /* of qmpCpuDefinition; NULL: unknown */
    qmpCpuModel *hostCpu;
} qmpCapsAccel;

struct qmpCaps {
    int refs; /* atomic */
    uint64_t flags[QMP_CAPS_WORDS];
    char *emulator;
    char *arch;
    unsigned version;
    char *package;
    qmpCapsAccel accel[QMP_ACCEL_LAST];
    qmpSevInfo *sev;
    char **hyperv; /* NULL: not asked */

    /* What the cache is checked against: see qmpcapscache.h. */
    int64_t binaryCtime;
    int64_t ownCtime;
    unsigned ownVersion;
    unsigned microcodeVersion;
    char *hostCpuSignature; /* NULL: not written */
    char *kernelVersion;    /* NULL: not written */
    bool kvmNested;
    bool kvmRefused; /* /dev/kvm could be opened, and yet QEMU did without */
};

/* True if the flag was found out (or made up) for this binary, as against qmpCapsHas, which also
 * knows what goes without saying. */
bool qmpCapsLists(const qmpCaps *caps, qmpCapsFlag flag);

qmpMachine *qmpMachineNew(const char *name);
void qmpMachineFree(qmpMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpMachine, qmpMachineFree)
qmpCpuDefinition *qmpCpuDefinitionNew(const char *name);
void qmpCpuDefinitionFree(qmpCpuDefinition *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpCpuDefinition, qmpCpuDefinitionFree)
qmpCpuProperty *qmpCpuPropertyNew(const char *name, qmpCpuPropertyType type);
void qmpCpuPropertyFree(qmpCpuProperty *property);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpCpuProperty, qmpCpuPropertyFree)
qmpCpuModel *qmpCpuModelNew(const char *name);
void qmpCpuModelFree(qmpCpuModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpCpuModel, qmpCpuModelFree)
void qmpSevInfoFree(qmpSevInfo *sev);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpSevInfo, qmpSevInfoFree)
