/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * topology.h: the processors of the host and how they and the memory lie to each other: NUMA cells,
 * sockets, dies, cores, threads, page sizes, distances, memory-side caches, interconnects.
 *
 * Every function takes the folder that stands for /sys/devices/system, so that tests can describe
 * any machine. Reads many files: in a job. The structure is a value that its reader owns. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virbitmap.h"

#define VIR_HOST_SYSTEM "/sys/devices/system"
#define VIR_HOST_HUGEPAGES "/sys/kernel/mm/hugepages"

typedef struct {
    unsigned id;
    virBitmap *siblings; /* threads of the same core, itself included; NULL: it is offline, and what
                            follows is not known */
    unsigned socket;
    unsigned die;
    unsigned core;
} virHostThread;

typedef struct {
    uint64_t size; /* of a page, in KiB */
    uint64_t count;
} virHostPages;

typedef struct {
    unsigned cell;
    unsigned value; /* 10: no distance */
} virHostDistance;

/* A cache in front of a cell's memory (HMAT). */
typedef struct {
    unsigned level;
    const char *associativity; /* "direct", "full", "none" */
    const char *policy;        /* "writeback", "writethrough", "none" */
    uint64_t size;             /* in bytes */
    uint64_t line;             /* in bytes */
} virHostMemoryCache;

typedef struct {
    unsigned id;
    uint64_t memory;   /* in KiB */
    GArray *pages;     /* of virHostPages, smallest first */
    GArray *distances; /* of virHostDistance */
    GArray *caches;    /* of virHostMemoryCache */
    GArray *threads;   /* of virHostThread */
} virHostCell;

/* How fast an initiator reaches a target's memory (HMAT). */
typedef struct {
    bool isBandwidth; /* else latency */
    bool isWrite;     /* else read */
    unsigned initiator;
    unsigned target;
    uint64_t value; /* nanoseconds, or KiB a second */
} virHostInterconnect;

typedef struct {
    GPtrArray *cells;      /* of virHostCell */
    GArray *interconnects; /* of virHostInterconnect: latencies first, by initiator and target */
} virHostTopology;

/* The cells and their processors; a kernel without NUMA gives one cell of all. Memory is filled in
 * by the next function. Caller frees. */
virHostTopology *virHostTopologyRead(const char *system);
void virHostTopologyFree(virHostTopology *topology);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHostTopology, virHostTopologyFree)

/* Fills in memory, pages and distances of every cell. */
void virHostTopologyReadMemory(virHostTopology *topology, const char *system);

/* What the kernel calls present and online; a missing "online" means all that are present. Never
 * NULL; caller frees. */
virBitmap *virHostTopologyPresent(const char *system);
virBitmap *virHostTopologyOnline(const char *system);
/* The NUMA cells that are online; NULL without NUMA. Caller frees. */
virBitmap *virHostTopologyCells(const char *system);

/* One processor, offline or not. threads of a core: siblings. Clear with virHostThreadClear. */
void virHostThreadRead(virHostThread *thread, unsigned id, const char *system);
void virHostThreadClear(virHostThread *thread);

/* The page sizes in KiB, smallest first, of the host (VIR_HOST_HUGEPAGES) or a cell; of uint64_t.
 * Caller frees with g_array_unref. */
GArray *virHostTopologyPageSizes(const char *hugepagesFolder);
