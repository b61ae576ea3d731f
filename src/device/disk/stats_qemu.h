/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats_qemu.h: what a running QEMU says of its disks, as numbers: replies in, values out. Pure;
 * any thread. */
#pragma once

#include "device/disk/disk.h"
#include "util/virjson.h"

/* Of one front end or one node. */
typedef struct {
    uint64_t readRequests, readBytes, readTime; /* ns */
    uint64_t writeRequests, writeBytes, writeTime;
    uint64_t flushRequests, flushTime;
    bool highestKnown; /* of a node: highestWrite says something */
    uint64_t highestWrite;
    uint64_t capacity, physical; /* of a node; 0: not said */
    uint64_t threshold;          /* of a node: an event is wanted from here on; 0: none */
} qemuBlockStats;

/* Of all, by the front end's QOM name, by the drive's name of an old QEMU, and by node name.
 * frontEnds, nodes: the "return" of query-blockstats without and with "query-nodes"; named: that of
 * query-named-block-nodes. Each may be NULL. Caller unrefs. */
GHashTable *qemuBlockStatsRead(virJSON *frontEnds, virJSON *nodes, virJSON *named);

/* Those of a disk's front end, with what its top node adds; NULL with VIR_ERR_INTERNAL_ERROR.
 * Borrowed from table. */
bool qemuBlockStatsOfDisk(GHashTable *table, const virDisk *disk, qemuBlockStats *retStats,
                          GError **error);
/* Of all disks together. Those that QEMU knows nothing of count as nothing. */
void qemuBlockStatsSum(GHashTable *table, const GPtrArray *devices, qemuBlockStats *retStats);

/* One named value for a client. */
typedef enum {
    QEMU_STAT_UINT,
    QEMU_STAT_LLONG,
    QEMU_STAT_ULLONG,
    QEMU_STAT_STRING,
} qemuStatType;
typedef struct {
    const char *name;
    qemuStatType type;
    uint64_t number;
    const char *text;
} qemuStat;
/* Takes one value; it is gone when the call returns. */
typedef void (*qemuStatAdd)(const qemuStat *stat, void *opaque);

/* The typed parameters of virDomainBlockStatsFlags, in libvirt's order: eight LLONG. */
void qemuBlockStatsParams(const qemuBlockStats *stats, qemuStatAdd add, void *opaque);

/* Sizes of an image of a guest that doesn't run; false: cannot be said. */
typedef bool (*qemuImageSizes)(const virStorageSource *src, virImageSizes *retSizes, void *opaque);

/* The group "block." of bulk statistics: block.count, then block.N.name and so on; with backing
 * also the images below. table NULL: the guest doesn't run, and sizes (if any) are asked for
 * instead. */
void qemuBlockStatsBulk(const GPtrArray *devices, GHashTable *table, bool backing,
                        qemuImageSizes sizes, qemuStatAdd add, void *opaque);

/* virDomainGetBlockInfo of a running guest: stats are the disk's, file the sizes of its top image
 * as a file, NULL if it is none. */
virImageSizes qemuBlockInfo(const virDisk *disk, const qemuBlockStats *stats,
                            const virImageSizes *file);

/* --- out of query-block; blocks is its "return" --- */

typedef enum {
    QEMU_BLOCK_OK = 0,
    QEMU_BLOCK_FAILED = 1,   /* VIR_DOMAIN_DISK_ERROR_UNSPEC */
    QEMU_BLOCK_NO_SPACE = 2, /* VIR_DOMAIN_DISK_ERROR_NO_SPACE */
} qemuBlockError;

/* The entry of a disk; NULL if there is none. Borrowed. */
virJSON *qemuBlockEntry(virJSON *blocks, const virDisk *disk);
qemuBlockError qemuBlockEntryError(virJSON *entry);
/* ABSENT: a drive without a tray. */
virTristate qemuBlockEntryTrayOpen(virJSON *entry);
/* The limits as QEMU has them; all zero if the drive is empty. Caller clears. */
void qemuBlockEntryIotune(virJSON *entry, virDiskIotune *retIotune);
