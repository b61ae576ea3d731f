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
    int number;      /* of the run: part of the names of descriptors */
    size_t done;     /* steps that were done */
    guint resources; /* length of the guest's list before */
} qemuPlanRun;

/* Job and lock held in all of these. */
void qemuPlanRunInit(qemuPlanRun *run, qemuGuest *guest, qmpPlan *plan);
/* A run that a former daemon began: done steps were done then, one more may have been. */
void qemuPlanRunInitAgain(qemuPlanRun *run, qemuGuest *guest, qmpPlan *plan, int number,
                          size_t done);
void qemuPlanRunClear(qemuPlanRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuPlanRun, qemuPlanRunClear)

/* Does the steps from run->done on; each is in the status file, as the guest's change, before it is
 * begun. On error run->done says what there may be to undo: the caller does (qemuPlanRunBack).
 * Gives the lock up while waiting. */
bool qemuPlanRunAll(qemuPlanRun *run, GError **error);

typedef enum {
    QEMU_BACK_ALL = 0,
    QEMU_BACK_NO_FRONT_END = 1 << 0, /* the front end is gone already */
    QEMU_BACK_QUIET = 1 << 1,        /* some of it may not be there: no warnings */
} qemuPlanRunBackFlags;

/* Undoes the steps below run->done, last first. False if the guest does not let a front end go: it
 * and all it stands on stay, and its end is told by an event. Other failures are logged. Gives the
 * lock up while waiting. */
bool qemuPlanRunBack(qemuPlanRun *run, unsigned flags);
