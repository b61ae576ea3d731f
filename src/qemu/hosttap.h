/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hosttap.h: the host's end of a guest's interface: a TAP that is made or taken, the queues of a
 * macvtap. */
#pragma once

#include "qemu/guest.h"

/* The step's queues, as descriptors host of fds; the interface is on the guest's list if it was
 * made. In a job, without the lock. */
bool qemuHostTap(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                 unsigned host, qemuHostFds *fds, GError **error);
