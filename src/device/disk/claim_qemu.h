/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * claim_qemu.h: what is chosen for a disk anew in each run: node names, aliases of secrets,
 * the cache mode of a shared disk. */
#pragma once

#include "device/device_qemu.h"

/* The contract's claim. */
bool qemuDiskClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                   GError **error);
/* The disk is told by -drive, not by -blockdev. */
bool qemuDiskIsDrive(const virDevice *dev, const qmpCaps *caps);
