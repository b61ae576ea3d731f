/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestvcpu.h: plugging vCPUs into a running guest, and asking it to let some go. */
#pragma once

#include "qemu/guest.h"

/* Before the guest runs: plugs those of def that are on and can be taken away again, in the order
 * they came. The live document does not change. Job and lock held, given up. */
bool qemuGuestPlugVcpusAtStart(virDomainObj *obj, const virDomainDef *def, GError **error);
/* Plugs (unplugs) the vCPU that is the set; the live document follows. VIR_ERR_INVALID_ARG before
 * anything is done if one is so already, OPERATION_UNSUPPORTED if one was there from the start, or
 * if there are several. As with SetVcpus. */
bool qemuGuestSwitchVcpus(virDomainObj *obj, const virBitmap *set, bool online, GError **error);
/* Of a vCPU ("vcpu3") that the guest let go of when nobody waited for it any more: the document
 * follows. False if it is the alias of something else. Job and lock held, given up. */
bool qemuGuestForgetVcpu(virDomainObj *obj, const char *alias);
/* After a restart, when QEMU has told what it has: what came or went while nobody looked stands in
 * the live document, and has its place. Job and lock held, given up. */
bool qemuGuestFollowVcpus(virDomainObj *obj, GError **error);
/* Makes the number of vCPUs that are on this many: those with the lowest numbers that are off are
 * plugged, those with the highest that can go are unplugged; the live document follows each. The
 * caller holds the domain's job and the lock, which is given up meanwhile.
 * VIR_ERR_OPERATION_TIMEOUT: the guest has not let go of one in time; what it did let go of is
 * gone. */
bool qemuGuestSetVcpus(virDomainObj *obj, unsigned count, GError **error);
