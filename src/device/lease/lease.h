/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lease.h: <lease>: a lock that a lock manager holds while the guest runs. */
#pragma once

#include "device/device.h"

typedef struct {
    virDevice base;
    char *lockspace, *key;
    char *path;
    virOptUInt offset;
} virLease;

#define VIR_LEASE(dev) ((virLease *)(dev))
extern const virDeviceKind virLeaseKind;
