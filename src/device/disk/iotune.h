/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iotune.h: limits of a disk's throughput: <iotune>, typed parameters and QEMU's throttling alike
 * are made of the one table here. Any thread; no rights needed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/field.h"

/* 0: no limit. */
typedef struct {
    uint64_t totalBytes, readBytes, writeBytes;
    uint64_t totalIops, readIops, writeIops;
    uint64_t totalBytesMax, readBytesMax, writeBytesMax;
    uint64_t totalIopsMax, readIopsMax, writeIopsMax;
    uint64_t sizeIops;
    char *group; /* disks of one group share the limits */
    uint64_t totalBytesMaxLength, readBytesMaxLength, writeBytesMaxLength;
    uint64_t totalIopsMaxLength, readIopsMaxLength, writeIopsMaxLength;
} virDiskIotune;

typedef enum {
    VIR_DISK_IOTUNE_BASIC,  /* QEMU always had it */
    VIR_DISK_IOTUNE_MAX,    /* bursts */
    VIR_DISK_IOTUNE_LENGTH, /* how long a burst may last, in seconds */
} virDiskIotuneClass;

/* One limit by its names. */
typedef struct {
    const char *element; /* in the document and of the typed parameter: "total_bytes_sec" */
    const char *qemu;    /* argument of block_set_io_throttle and field of query-block: "bps" */
    const char *drive;   /* option of -drive: "throttling.bps-total" */
    virDiskIotuneClass class;
    size_t offset;
} virDiskIotuneLimit;

/* In document order without the group, which stands before the lengths; ends with a NULL element.
 */
extern const virDiskIotuneLimit virDiskIotuneLimits[];

static inline uint64_t *
virDiskIotuneAt(const virDiskIotune *iotune, const virDiskIotuneLimit *limit)
{
    return (uint64_t *)((char *)iotune + limit->offset);
}

/* By element name; NULL if there is none. */
const virDiskIotuneLimit *virDiskIotuneLimitFind(const char *element);

/* <iotune> below node; without one *iotune stays NULL. */
bool virDiskIotuneParse(virDiskIotune **iotune, const xmlNode *node, GError **error);
void virDiskIotuneFormat(const virDiskIotune *iotune, virXMLWriter *w);
void virDiskIotuneClear(virDiskIotune *iotune);
void virDiskIotuneFree(virDiskIotune *iotune); /* NULL is allowed */
/* Any limit at all; the group is none. */
bool virDiskIotuneHasAny(const virDiskIotune *iotune);
bool virDiskIotuneHasClass(const virDiskIotune *iotune, virDiskIotuneClass class);
/* The group is compared too. */
bool virDiskIotuneEqual(const virDiskIotune *a, const virDiskIotune *b);
/* A total and one of its parts may not both be given. VIR_ERR_XML_ERROR. */
bool virDiskIotuneCheck(const virDiskIotune *iotune, GError **error);
