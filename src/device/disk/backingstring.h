/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * backingstring.h: what an overlay's header says of the image below: a path, a URI, an old
 * "nbd:…" or "rbd:…", or "json:{…}". The text comes from an image, so from a stranger; nothing is
 * opened. Any thread. */
#pragma once

#include "device/disk/source.h"

typedef enum {
    VIR_BACKING_OK,
    VIR_BACKING_UNKNOWN, /* QEMU may take it, we cannot say what it is: the chain ends unknown */
    VIR_BACKING_ERROR,
} virBackingResult;

/* overlay: whose header it is; a relative path starts at its folder. File or block device is not
 * told apart: type FILE. Caller frees *retSource. VIR_ERR_INVALID_ARG for broken JSON,
 * VIR_ERR_INTERNAL_ERROR for broken text. */
virBackingResult virStorageBackingFromString(const char *text, const virStorageSource *overlay,
                                             virStorageSource **retSource, GError **error);
