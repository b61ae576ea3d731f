/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gatewatch.h: a look at the gates of all running guests, every other second: what somebody has
 * taken off is put back, and programs of others that appeared beside or above a gate are told of.
 *
 * The kernel tells nobody when a program is taken off a group. Meanwhile the gate's link still
 * denies; a look costs some ten microseconds a guest. It is taken in a job, on references: neither
 * the lock nor a guest's job is held, so a stuck guest delays nothing. */
#pragma once

#include "qemu/driver.h"

typedef struct qemuGateWatch qemuGateWatch;

/* With the interval of the driver's configuration. */
qemuGateWatch *qemuGateWatchNew(qemuDriver *driver);
/* After all jobs have ended. NULL is allowed. */
void qemuGateWatchFree(qemuGateWatch *watch);
