/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * frontend_qemu.h: what the guest sees of a disk: QEMU's device for it, its error policy and
 * the floppy controller. */
#pragma once

#include "device/device_qemu.h"
#include "device/disk/disk.h"

/* The properties of the device; backend is the node or drive it is on, NULL for an empty drive.
 * VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_INTERNAL_ERROR. */
virJSON *qemuFrontendProps(const virDisk *disk, const char *backend, const qemuBuildContext *ctx,
                           GError **error);

/* What is done on errors, as QEMU names it; NULL: nothing said. */
void qemuFrontendErrorPolicy(const virDisk *disk, const char **retWrite, const char **retRead);
/* True if this QEMU takes the policy with the device, not with -drive. */
bool qemuFrontendTakesErrorPolicy(const virDisk *disk, const qmpCaps *caps);

/* Boot order of floppies, and on machines that have none built in the controller itself; once a
 * guest. Empty drives of old QEMU are named too (drives: by -drive). */
void qemuFrontendFloppyController(const qemuBuildContext *ctx, bool drives, qmpPlan *plan);
