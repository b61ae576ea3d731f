/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * blockdev_qemu.h: a chain of images as QEMU's block nodes. Each image is a node for its protocol,
 * one for its format and, for a part of an image, one between; with the objects they need. Pure. */
#pragma once

#include "device/device_qemu.h"
#include "device/disk/disk.h"

/* What a cache mode means. wb: the guest's flushes are needed and done. */
void qemuBlockdevCacheFlags(int cache, bool *retWriteback, bool *retDirect, bool *retNoFlush);
/* As QEMU understands the two together: "unmap" without discard is only "on". */
int qemuBlockdevDetectZeroes(const virDisk *disk);

/* The properties of each node. NULL with an error. */
virJSON *qemuBlockdevStorageProps(const virDisk *disk, const virStorageSource *src, GError **error);
virJSON *qemuBlockdevSliceProps(const virDisk *disk, const virStorageSource *src);
virJSON *qemuBlockdevFormatProps(const virDisk *disk, const virStorageSource *src, GError **error);
/* The image is a part of a file, and needs a node for that. */
bool qemuBlockdevHasSliceNode(const virStorageSource *src);

/* What the front end names: the format node, or the copy-on-read node on top; NULL if the drive is
 * empty. */
const char *qemuBlockdevTopNode(const virDisk *disk);

/* All of the disk's chain into the plan, the image at the bottom first. */
bool qemuBlockdevBuild(const virDisk *disk, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error);
/* Live: commands that take the disk's chain out of QEMU, top first; the undo puts it back. */
bool qemuBlockdevRemove(const virDisk *disk, qmpPlan *plan, GError **error);

/* The secrets and the like of one image, before its nodes. */
bool qemuBlockdevBuildObjects(const virStorageSource *src, const qemuBuildContext *ctx,
                              qmpPlan *plan, GError **error);
