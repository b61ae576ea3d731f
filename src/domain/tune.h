/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tune.h: <blkiotune> <memtune> <cputune> <numatune> <resource>: how much of the host a guest may
 * take. What concerns one vCPU or one I/O thread stands with it (vcpus.h, iothreads.h). */
#pragma once

#include <glib.h>

#include "device/field.h"
#include "domain/vcpus.h"
#include "util/virbitmap.h"

/* In KiB: a limit as large as this is none. */
#define VIR_DOMAIN_MEMORY_UNLIMITED UINT64_C(9007199254740991)

typedef struct {
    char *path;
    virOptUInt weight, readIops, writeIops, readBytes, writeBytes;
} virDomainBlkioDevice;

typedef struct {
    virOptUInt weight;
    GPtrArray *devices; /* of virDomainBlkioDevice */
} virDomainBlkiotune;

typedef struct {
    virOptUInt hardLimit, softLimit, minGuarantee, swapHardLimit; /* KiB; not set: no limit */
} virDomainMemtune;

typedef struct {
    virOptUInt shares;
    virOptUInt period, globalPeriod, emulatorPeriod, iothreadPeriod; /* us */
    virOptInt quota, globalQuota, emulatorQuota, iothreadQuota;      /* us; negative: no limit */
    virBitmap *emulatorPin;
    virDomainSched emulatorSched;
} virDomainCputune;

typedef enum {
    VIR_RESCTRL_CACHE_BOTH = 0,
    VIR_RESCTRL_CACHE_CODE,
    VIR_RESCTRL_CACHE_DATA,
    VIR_RESCTRL_CACHE_LAST
} virResctrlCacheType;
VIR_ENUM_DECL(virResctrlCacheType);

typedef struct {
    unsigned id, level;
    int type; /* virResctrlCacheType */
    uint64_t size;
} virResctrlCache;

typedef struct {
    virBitmap *vcpus;
    unsigned level;
    char *id; /* of a running guest */
} virResctrlMonitor;

typedef struct {
    unsigned node, bandwidth;
} virResctrlBandwidth;

/* One group of vCPUs: <cachetune>, or <memorytune>, or both for the same set. */
typedef struct {
    virBitmap *vcpus;
    char *id;            /* of a running guest */
    GArray *caches;      /* of virResctrlCache */
    GArray *bandwidths;  /* of virResctrlBandwidth */
    GPtrArray *monitors; /* of virResctrlMonitor, of caches */
    GPtrArray *memoryMonitors;
} virDomainResctrl;

typedef enum {
    VIR_NUMATUNE_STRICT = 0,
    VIR_NUMATUNE_PREFERRED,
    VIR_NUMATUNE_INTERLEAVE,
    VIR_NUMATUNE_RESTRICTIVE,
    VIR_NUMATUNE_MODE_LAST
} virNumatuneMode;
VIR_ENUM_DECL(virNumatuneMode);

typedef enum {
    VIR_NUMATUNE_PLACEMENT_DEFAULT = 0,
    VIR_NUMATUNE_PLACEMENT_STATIC,
    VIR_NUMATUNE_PLACEMENT_AUTO,
    VIR_NUMATUNE_PLACEMENT_LAST
} virNumatunePlacement;
VIR_ENUM_DECL(virNumatunePlacement);

typedef struct {
    unsigned cell;
    int mode;
    virBitmap *nodeset;
} virDomainMemnode;

typedef struct {
    bool specified; /* <memory> is there */
    int mode;       /* virNumatuneMode */
    int placement;  /* virNumatunePlacement */
    virBitmap *nodeset;
    GPtrArray *memnodes; /* of virDomainMemnode, by cell */
} virDomainNumatune;

typedef struct {
    virDomainBlkiotune blkio;
    virDomainMemtune memory;
    virDomainCputune cpu;
    GPtrArray *resctrls; /* of virDomainResctrl */
    virDomainNumatune numa;
} virDomainTune;

typedef struct {
    char *partition;
    char *appid;
} virDomainResource;

/* resctrl.c: <cachetune> and <memorytune>, children of <cputune>. def is the virDomainDef. */
struct virDomainDef;
bool virDomainResctrlsParse(struct virDomainDef *def, xmlNode *cputune, unsigned parseFlags,
                            GError **error);
void virDomainResctrlsFormat(const virDomainTune *tune, virXMLWriter *w, unsigned formatFlags);
void virDomainResctrlsClear(virDomainTune *tune);

/* The device of that path, added if it isn't there. */
virDomainBlkioDevice *virDomainBlkioDeviceGet(virDomainBlkiotune *blkio, const char *path);

/* The binding of a guest node: its own, or that of the whole; NULL: none. retMode is written with
 * it. */
const virBitmap *virDomainNumatuneNodeset(const virDomainNumatune *numa, unsigned cell,
                                          int *retMode);
const virDomainMemnode *virDomainNumatuneMemnode(const virDomainNumatune *numa, unsigned cell);
