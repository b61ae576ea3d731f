/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestmemlock.h: the limit of locked memory of a guest's process, as its document implies it
 * (memlock.h): before QEMU runs, and when devices come and go. */
#pragma once

#include "qemu/guest.h"

/* For the process that is about to become QEMU. In a job, without the lock. */
bool qemuMemlockBegin(qemuGuest *guest, const virDelegateCall *call, const virDomainDef *def,
                      int pidfd, GError **error);
/* True if Begin has anything to do. Pure. */
bool qemuMemlockIsWanted(const virDomainDef *def);
/* After def has changed, before QEMU is told of a device that comes or after one has gone: raised,
 * or put back to what it was before it was raised. Job and lock held, given up. */
bool qemuMemlockAdjust(qemuGuest *guest, const virDomainDef *def, GError **error);
/* An error that says that memory could not be had, for a guest whose memory is locked for devices,
 * gets the figures: what was needed, what the limit is, what is locked. Lock held, given up; also
 * without it. */
void qemuMemlockExplain(qemuGuest *guest, const virDomainDef *def, GError **error);
