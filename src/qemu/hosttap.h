/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hosttap.h: the host's end of a guest's interface: a TAP that is made or taken, the queues of a
 * macvtap. */
#pragma once

#include "qemu/guest.h"

/* The step's queues, as descriptors host of fds; the interface is on the guest's list if it was
 * made, a macvtap before it is. In a job, without the lock. */
bool qemuHostTap(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                 unsigned host, qemuHostFds *fds, GError **error);

/* The guest's macvtaps are up while its CPUs run, and not before: they have the guest's addresses,
 * and what the host would send from there confuses others. Their parents are set up with them.
 * Setting up ends at the first failure, setting down goes on and logs. Job and lock held, given up.
 */
bool qemuHostMacvtapsSetUp(qemuGuest *guest, bool up, GError **error);

/* The index of one that was made by now, or was about to be when a daemon ended; 0: there is none,
 * or what has its name is somebody else's. Without the lock. */
bool qemuHostMacvtapFind(const qemuResource *resource, unsigned *retIndex, GError **error);

/* Takes a macvtap back: one whose index is not known yet if it is what was about to be made.
 * Without the lock. */
bool qemuHostMacvtapRemove(qemuDriver *driver, const virDelegateCall *call,
                           const qemuResource *resource, GError **error);
