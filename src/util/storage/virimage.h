/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virimage.h: what the header of a disk image says: format, size, image below.
 *
 * Images come from strangers: reading is bounded, every offset and length is held against what was
 * read, nothing is followed. Opening blocks: in a job, without the core lock. Parsing is pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virenum.h"

typedef enum {
    VIR_STORAGE_FORMAT_NONE = 0,
    VIR_STORAGE_FORMAT_RAW,
    VIR_STORAGE_FORMAT_DIR,
    VIR_STORAGE_FORMAT_BOCHS,
    VIR_STORAGE_FORMAT_CLOOP,
    VIR_STORAGE_FORMAT_DMG,
    VIR_STORAGE_FORMAT_ISO,
    VIR_STORAGE_FORMAT_VPC,
    VIR_STORAGE_FORMAT_VDI,
    VIR_STORAGE_FORMAT_FAT,
    VIR_STORAGE_FORMAT_VHD,
    VIR_STORAGE_FORMAT_PLOOP,
    VIR_STORAGE_FORMAT_COW,
    VIR_STORAGE_FORMAT_QCOW,
    VIR_STORAGE_FORMAT_QCOW2,
    VIR_STORAGE_FORMAT_QED,
    VIR_STORAGE_FORMAT_VMDK,
    VIR_STORAGE_FORMAT_LAST
} virStorageFormat;
VIR_ENUM_DECL(virStorageFormat);
/* From here on a format may have a backing image. */
#define VIR_STORAGE_FORMAT_BACKING VIR_STORAGE_FORMAT_COW

/* What is read of an image: all headers we know lie in it. */
enum { VIR_IMAGE_HEADER_SIZE = 0x8200 };

typedef struct {
    int format;        /* virStorageFormat */
    uint64_t capacity; /* what the guest would see; 0: the header doesn't say (raw) */
    char *backing;     /* as it stands in the header: path, URI, "json:…"; NULL: none */
    int backingFormat; /* virStorageFormat, NONE: not said */
    char *dataFile;    /* qcow2 with its data elsewhere; NULL: not so */
    bool encrypted;
} virImageHeader;

void virImageHeaderClear(virImageHeader *header);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virImageHeader, virImageHeaderClear)

/* The format by its magic; RAW if there is none. For images whose owner gave no format: what a
 * guest could have written itself proves nothing. */
int virImageDetect(const void *data, size_t len);

/* What a header of the given format says. A raw image says nothing; one that is not what it should
 * be is VIR_ERR_INTERNAL_ERROR. */
bool virImageParse(const void *data, size_t len, int format, virImageHeader *retHeader,
                   GError **error);

/* Sizes of a file or block device. */
typedef struct {
    uint64_t capacity;   /* as the guest sees it */
    uint64_t allocation; /* taken on the host */
    uint64_t physical;   /* of the container: end of file or device */
} virImageSizes;

/* Opens path for reading, without waiting for a writer of a pipe; a regular file or block device.
 * VIR_ERR_SYSTEM_ERROR naming the path. Caller closes. */
int virImageOpen(const char *path, GError **error);
/* At most VIR_IMAGE_HEADER_SIZE bytes from the start. Caller frees. */
void *virImageReadHeader(int fd, const char *path, size_t *retLen, GError **error);
/* capacity by the header of format, or what is there. */
bool virImageGetSizes(int fd, const char *path, int format, virImageSizes *retSizes,
                      GError **error);
