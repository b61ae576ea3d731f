/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * drive_qemu.h: a disk's image as -drive: for QEMU before 4.2 and for SD cards. Boot only. */
#pragma once

#include "device/device_qemu.h"
#include "device/disk/disk.h"

/* The value of the option. Caller frees. VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_INTERNAL_ERROR. */
char *qemuDriveOption(const virDisk *disk, const qemuBuildContext *ctx, GError **error);
