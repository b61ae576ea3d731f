/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * saveimage.h: files that a guest's whole state was saved to, in libvirt's layout: a header, the
 * domain's document, then QEMU's migration stream. Blocks: in a job, without the core lock. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int fd;    /* at the beginning of the stream */
    char *xml; /* the document as it was */
    bool wasRunning;
} qemuSaveImage;

/* VIR_ERR_OPERATION_FAILED: no such file, or not a whole one; VIR_ERR_CONFIG_UNSUPPORTED: the
 * stream is compressed. retImage is to be cleared in either case. */
bool qemuSaveImageOpen(const char *path, qemuSaveImage *retImage, GError **error);
void qemuSaveImageClear(qemuSaveImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuSaveImage, qemuSaveImageClear)
