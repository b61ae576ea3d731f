/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chain.h: the images below a disk's own, found in their headers.
 *
 * What a header says decides what QEMU may open, so its format is never guessed where that would
 * let a guest choose a file of the host: an overlay that doesn't say the format of the image below
 * is taken only if that image ends the chain. Reads files: in a job, without the core lock. */
#pragma once

#include "device/disk/disk.h"

/* Completes a chain that is open at its end (backing NULL) from the headers of local images;
 * an end that is written down (<backingStore/>) stays. What is found is marked detected. Networked
 * images are not looked into. VIR_ERR_SYSTEM_ERROR naming the file, VIR_ERR_OPERATION_INVALID. */
bool virDiskDetectChain(virDisk *disk, GError **error);

/* What becomes of a disk whose local source is missing when the guest starts. */
typedef enum {
    VIR_DISK_SOURCE_THERE,
    VIR_DISK_SOURCE_EJECT,   /* the drive starts empty */
    VIR_DISK_SOURCE_DROP,    /* the guest starts without the disk */
    VIR_DISK_SOURCE_MISSING, /* the start fails: *error says why */
} virDiskSourceFate;
/* coldBoot: not by migration or from a save file. The disk stays as it is. */
virDiskSourceFate virDiskCheckSource(const virDisk *disk, bool coldBoot, GError **error);
/* Empties the drive: forgets the medium and all that is said of it. */
void virDiskEject(virDisk *disk);
