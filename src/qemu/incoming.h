/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * incoming.h: a guest that comes as a stream: from a file of QEMU's migration data, later from
 * another host.
 *
 * QEMU is started with -incoming defer and its CPUs stopped: all its threads are there, none has
 * run, and the stream is told to it when they are where they belong. */
#pragma once

#include "qemu/guest.h"

/* What QEMU has said of the stream (qemuGuest.incoming). */
typedef enum {
    QEMU_INCOMING_NONE,
    QEMU_INCOMING_LOADING,
    QEMU_INCOMING_LOADED,
    QEMU_INCOMING_FAILED,
} qemuIncoming;

/* Has QEMU load the stream of fd, taken over, to its end, however long that takes; its CPUs stay
 * stopped. Ends early if the process or its monitor does. Job and lock held, given up. */
bool qemuIncomingLoad(virDomainObj *obj, int fd, GError **error);
/* What an event or an answer says of it ("completed", ...). Lock held. */
void qemuIncomingHear(qemuGuest *guest, const char *status);
