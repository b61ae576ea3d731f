/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * planrun.h: a plan told to a running QEMU, step by step, and backwards. */
#pragma once

#include "qemu/guest.h"

/* A passed descriptor of a host step, and the set that QEMU put it in. */
typedef struct {
    unsigned host, n;
    int64_t set;
} qemuPlanRunSet;

/* A plan that is being run, or was. */
typedef struct {
    qemuGuest *guest;
    qmpPlan *plan; /* borrowed */
    virDelegateCall call;
    qemuHostFds *fds;
    GArray *sets;    /* of qemuPlanRunSet: descriptors handed over as /dev/fdset/N */
    size_t done;     /* steps that were done */
    guint resources; /* length of the guest's list before */
} qemuPlanRun;

void qemuPlanRunInit(qemuPlanRun *run, qemuGuest *guest, qmpPlan *plan);
void qemuPlanRunClear(qemuPlanRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuPlanRun, qemuPlanRunClear)

/* Does all steps; on error those that were done are undone, last first, and nothing is left. Job
 * and lock held, given up while waiting. */
bool qemuPlanRunAll(qemuPlanRun *run, GError **error);
/* Undoes the steps below run->done, last first; a front end only if frontEnds. Failures are logged.
 * Job and lock held, given up while waiting. */
void qemuPlanRunBack(qemuPlanRun *run, bool frontEnds);
