/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cache.h: the processor caches that guests can be given a part of, and what the kernel's resctrl
 * offers to part and to watch. Reads many files: in a job. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virbitmap.h"

#define VIR_HOST_RESCTRL "/sys/fs/resctrl"

typedef enum {
    VIR_HOST_CACHE_BOTH,
    VIR_HOST_CACHE_CODE,
    VIR_HOST_CACHE_DATA,
    VIR_HOST_CACHE_LAST,
} virHostCacheType;

/* "both", "code", "data". */
const char *virHostCacheTypeToString(virHostCacheType type);

/* How a cache can be parted. */
typedef struct {
    uint64_t granularity; /* in bytes */
    uint64_t minimum;     /* in bytes; 0: the granularity */
    virHostCacheType type;
    unsigned maxAllocations;
} virHostCacheControl;

typedef struct {
    unsigned id;
    unsigned level;
    virHostCacheType type;
    uint64_t size; /* in bytes */
    virBitmap *cpus;
    GArray *controls; /* of virHostCacheControl */
} virHostCacheBank;

/* What can be watched of one resource; maxMonitors is 0 if nothing can. */
typedef struct {
    unsigned maxMonitors;
    unsigned reuseThreshold; /* in bytes; caches only */
    char **features;         /* ends with NULL */
} virHostCacheMonitor;

typedef struct {
    GPtrArray *banks; /* of virHostCacheBank, by level and id; level 3 and up */
    virHostCacheMonitor cacheMonitor;
    virHostCacheMonitor bandwidthMonitor;
    unsigned monitorLevel; /* of cacheMonitor */

    /* Memory bandwidth can be parted if maxAllocations isn't 0; a node is a bank of the last level.
     */
    struct {
        unsigned granularity; /* in percent */
        unsigned minimum;
        unsigned maxAllocations;
    } bandwidth;
} virHostCaches;

/* system and resctrl are the folders of that name. Caller frees. */
virHostCaches *virHostCachesRead(const char *system, const char *resctrl);
void virHostCachesFree(virHostCaches *caches);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHostCaches, virHostCachesFree)
