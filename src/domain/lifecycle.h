/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lifecycle.h: what happens when a guest ends, sleeps or crashes: <on_poweroff> and its kin, <pm>;
 * what is counted of it: <perf>; <idmap>. */
#pragma once

#include <glib.h>

#include "device/field.h"

typedef enum {
    VIR_LIFECYCLE_DESTROY = 0,
    VIR_LIFECYCLE_RESTART,
    VIR_LIFECYCLE_RESTART_RENAME,
    VIR_LIFECYCLE_PRESERVE,
    VIR_LIFECYCLE_COREDUMP_DESTROY,
    VIR_LIFECYCLE_COREDUMP_RESTART,
    VIR_LIFECYCLE_LAST
} virLifecycleAction;
VIR_ENUM_DECL(virLifecycleAction);

typedef enum {
    VIR_LOCK_FAILURE_DEFAULT = 0,
    VIR_LOCK_FAILURE_POWEROFF,
    VIR_LOCK_FAILURE_RESTART,
    VIR_LOCK_FAILURE_PAUSE,
    VIR_LOCK_FAILURE_IGNORE,
    VIR_LOCK_FAILURE_LAST
} virLockFailureAction;
VIR_ENUM_DECL(virLockFailureAction);

typedef struct {
    int onPoweroff, onReboot, onCrash; /* virLifecycleAction */
    int onLockFailure;                 /* virLockFailureAction */
} virDomainLifecycle;

typedef struct {
    virTristate suspendToMem, suspendToDisk;
} virDomainPM;

enum { VIR_PERF_EVENTS = 22 };
extern const virEnum virPerfEventNames;

typedef struct {
    virTristate events[VIR_PERF_EVENTS];
} virDomainPerf;

typedef struct {
    uint64_t start, target, count;
} virDomainIdMapEntry;

typedef struct {
    GArray *uids, *gids; /* of virDomainIdMapEntry, by start; NULL: none */
} virDomainIdMap;
