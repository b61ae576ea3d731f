/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestvcpu.h: plugging vCPUs into a running guest, and asking it to let some go. */
#pragma once

#include "qemu/guest.h"

/* Makes the number of vCPUs that are on this many: those with the lowest numbers that are off are
 * plugged, those with the highest that can go are unplugged; the live document follows each. The
 * caller holds the domain's job and the lock, which is given up meanwhile.
 * VIR_ERR_OPERATION_TIMEOUT: the guest has not let go of one in time; what it did let go of is
 * gone. */
bool qemuGuestSetVcpus(virDomainObj *obj, unsigned count, GError **error);
