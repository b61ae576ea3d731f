/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scsi_qemu.h: <hostdev type='scsi'> for QEMU. */
#pragma once

#include "device/device_qemu.h"
#include "device/hostdev/hostdev.h"

/* Finds the node of the host and takes a number for the block node. */
bool qemuHostdevSCSIClaim(virHostdev *hostdev, const qemuBuildContext *ctx,
                          const qemuClaims *claims, GError **error);
bool qemuHostdevSCSIBuild(const virHostdev *hostdev, const qemuBuildContext *ctx, qmpPlan *plan,
                          GError **error);
