/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * denials.h: what the device gates of guests denied, told to everyone who wants to know: a line in
 * the daemon's log for each new kind of denial, the event VIRTWARD_DEVICE_DENIED for stock clients
 * (`virsh qemu-monitor-event`), and the file run/qemu/NAME.denials for `virtward devices`.
 *
 * The ring is read on the event thread, memory only. A first denial is told at once; what comes
 * within the next fifth of a second is put together and told then, so that a guest that is denied
 * in a loop costs a bounded share. */
#pragma once

#include "qemu/guest.h"

typedef struct qemuDenials qemuDenials;

/* NULL with an error. Without the lock, once a driver. */
qemuDenials *qemuDenialsNew(qemuDriver *driver, GError **error);
/* After all jobs have ended. NULL is allowed. */
void qemuDenialsFree(qemuDenials *denials);

/* From now on what the guest's gate denies is told. Failures are logged: the guest runs all the
 * same. In a job, without the lock. */
void qemuDenialsFollow(qemuGuest *guest);
/* The same of a gate that may have got its ring only now; told of before is success. */
void qemuDenialsFollowGate(qemuDriver *driver, const char *name, virGate *gate);
/* The guest is gone, and its file too. In a job, without the lock. */
void qemuDenialsForget(qemuDriver *driver, const virDomainObj *obj);
