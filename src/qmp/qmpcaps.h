/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcaps.h: what one QEMU binary can do: flags, version, machines, CPU models.
 *
 * A qmpCaps is a value: built once (probed, read from the cache, made up for a test), then only
 * read, so any thread may use it and it needs no lock. It knows nothing of domains: what a flag
 * means for a command line is the builder's affair. No rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "qmp/qmpcapsflags.h"
#include "util/virenum.h"
#include "util/virjson.h"
#include "util/virutil.h"

typedef enum {
#define QMP_CAPS_ENUM_ROW(id, name) QMP_CAPS_##id,
    QMP_CAPS_FLAGS(QMP_CAPS_ENUM_ROW)
#undef QMP_CAPS_ENUM_ROW
        QMP_CAPS_LAST
} qmpCapsFlag;
VIR_ENUM_DECL(qmpCapsFlag);

/* What runs the guest's instructions; the names are those of the cache file. */
typedef enum {
    QMP_ACCEL_KVM,
    QMP_ACCEL_TCG,
    QMP_ACCEL_LAST,
} qmpAccel;
VIR_ENUM_DECL(qmpAccel);

typedef struct {
    char *name;
    char *alias;        /* "pc" of pc-i440fx-7.2, or NULL */
    char *defaultCpu;   /* QOM type of the CPU if none is asked for, or NULL */
    char *defaultRamId; /* id of the memory backend that is the main memory, or NULL */
    unsigned maxCpus;
    bool hotplugCpus;
    bool isDefault;
    bool numaMemSupported; /* -numa node,mem= still works */
    bool deprecated;
} qmpMachine;

typedef struct {
    char *name;
    char *typeName;     /* QOM type, or NULL (old QEMU) */
    virTristate usable; /* on this host; ABSENT: unknown */
    char **blockers;    /* features the host lacks, NULL-terminated; NULL if none or unknown */
    bool deprecated;
} qmpCpuDefinition;

/* One property of the host CPU as QEMU sees it. */
typedef enum {
    QMP_CPU_PROPERTY_BOOLEAN,
    QMP_CPU_PROPERTY_STRING,
    QMP_CPU_PROPERTY_NUMBER,
    QMP_CPU_PROPERTY_LAST,
} qmpCpuPropertyType;
VIR_ENUM_DECL(qmpCpuPropertyType);

typedef struct {
    char *name;
    qmpCpuPropertyType type;
    bool boolean;
    int64_t number;
    char *string;
    virTristate migratable; /* ABSENT: not asked */
} qmpCpuProperty;

typedef struct {
    char *name;            /* base model the properties are relative to, e.g. "base" */
    bool migratability;    /* each property says if it may migrate */
    GPtrArray *properties; /* of qmpCpuProperty, in QEMU's order */
} qmpCpuModel;

/* Of an AMD host with encrypted guests. */
typedef struct {
    unsigned cbitpos;
    unsigned reducedPhysBits;
    char *pdh;
    char *certChain;
    char *cpu0Id; /* NULL: unknown */
    unsigned maxGuests;
    unsigned maxEsGuests;
} qmpSevInfo;

typedef struct qmpCaps qmpCaps;

qmpCaps *qmpCapsRef(const qmpCaps *caps);
void qmpCapsUnref(qmpCaps *caps); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpCaps, qmpCapsUnref)

/* What every QEMU since 2.11 has is there without being probed, also in made-up capabilities. */
bool qmpCapsHas(const qmpCaps *caps, qmpCapsFlag flag);
/* True if all flags up to QMP_CAPS_LAST are there: qmpCapsHasAll(caps, A, B, QMP_CAPS_LAST). */
bool qmpCapsHasAll(const qmpCaps *caps, ...);

/* major * 1000000 + minor * 1000 + micro; 0 for made-up capabilities. */
unsigned qmpCapsVersion(const qmpCaps *caps);
/* The version as the distribution words it, "" if there is none. */
const char *qmpCapsPackage(const qmpCaps *caps);
/* "x86_64", "i686" ... (libvirt's names). */
const char *qmpCapsArch(const qmpCaps *caps);
/* Path of the binary. */
const char *qmpCapsEmulator(const qmpCaps *caps);
/* True if the binary can run guests this way on this host. */
bool qmpCapsHasAccel(const qmpCaps *caps, qmpAccel accel);
/* What a guest gets that doesn't say: KVM if there, else TCG. */
qmpAccel qmpCapsDefaultAccel(const qmpCaps *caps);
/* NULL unless the host has SEV. */
const qmpSevInfo *qmpCapsSev(const qmpCaps *caps);
/* The Hyper-V enlightenments that QEMU can give on this host, by the names of documents ("relaxed",
 * "vendor_id" ...); ends with NULL. NULL if QEMU was not asked (before 7.0). */
const char *const *qmpCapsHyperv(const qmpCaps *caps);

/* All machines, of qmpMachine, in QEMU's order, the default one first. */
const GPtrArray *qmpCapsMachines(const qmpCaps *caps, qmpAccel accel);
/* By name or alias; NULL if unknown. */
const qmpMachine *qmpCapsMachine(const qmpCaps *caps, qmpAccel accel, const char *name);
/* The machine's own name for an alias; an unknown name is given back as it is. */
const char *qmpCapsMachineCanonical(const qmpCaps *caps, qmpAccel accel, const char *name);
/* What a guest gets that doesn't say, by its own name; NULL if there are no machines. */
const char *qmpCapsMachineDefault(const qmpCaps *caps, qmpAccel accel);

/* All CPU models, of qmpCpuDefinition, in QEMU's order; NULL if unknown. */
const GPtrArray *qmpCapsCpuDefinitions(const qmpCaps *caps, qmpAccel accel);
const qmpCpuDefinition *qmpCapsCpuDefinition(const qmpCaps *caps, qmpAccel accel, const char *name);
/* What QEMU makes of -cpu host (KVM) or max (TCG); NULL if unknown. */
const qmpCpuModel *qmpCapsHostCpu(const qmpCaps *caps, qmpAccel accel);

/* Made-up capabilities: emulator and arch are copied; version 0, no machines, no CPUs. Set up with
 * the three functions below, then published: not to be changed once another thread sees it. */
qmpCaps *qmpCapsNew(const char *emulator, const char *arch);
void qmpCapsSetFlag(qmpCaps *caps, qmpCapsFlag flag);
void qmpCapsClearFlag(qmpCaps *caps, qmpCapsFlag flag);
void qmpCapsAddMachine(qmpCaps *caps, qmpAccel accel, const char *name, const char *alias);
void qmpCapsAddCpu(qmpCaps *caps, qmpAccel accel, const char *name, virTristate usable);
