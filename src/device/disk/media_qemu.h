/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * media_qemu.h: what can change about a disk while the guest runs: the medium of a drive, its
 * limits, and what QEMU is not told of. */
#pragma once

#include "device/device_qemu.h"
#include "device/disk/disk.h"

/* The contract's update. wanted has made its claims: its medium gets nodes of its own. */
bool qemuDiskUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                    qmpPlan *plan, GError **error);

/* The contract's inherit. */
void qemuDiskInherit(virDevice *wanted, const virDevice *dev);

/* The arguments of block_set_io_throttle that set all limits of the disk. Caller unrefs. */
virJSON *qemuDiskThrottleArguments(const virDisk *disk, const virDiskIotune *iotune);
/* Sets all limits at once, undone by those of old; does nothing if neither has any. */
void qemuDiskThrottle(const virDisk *disk, const virDiskIotune *was, const virDiskIotune *is,
                      qmpPlan *plan);
