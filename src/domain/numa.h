/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * numa.h: <numa> of <cpu>: the guest's own nodes, their memory, distances and caches. */
#pragma once

#include <glib.h>

#include "device/field.h"
#include "util/virbitmap.h"

typedef enum {
    VIR_NUMA_CACHE_ASSOCIATIVITY_NONE = 0,
    VIR_NUMA_CACHE_ASSOCIATIVITY_DIRECT,
    VIR_NUMA_CACHE_ASSOCIATIVITY_FULL,
    VIR_NUMA_CACHE_ASSOCIATIVITY_LAST
} virNumaCacheAssociativity;
VIR_ENUM_DECL(virNumaCacheAssociativity);

typedef enum {
    VIR_NUMA_CACHE_POLICY_NONE = 0,
    VIR_NUMA_CACHE_POLICY_WRITEBACK,
    VIR_NUMA_CACHE_POLICY_WRITETHROUGH,
    VIR_NUMA_CACHE_POLICY_LAST
} virNumaCachePolicy;
VIR_ENUM_DECL(virNumaCachePolicy);

typedef struct {
    unsigned level;
    int associativity, policy;
    uint64_t sizeKiB;
    uint64_t lineBytes;
} virNumaCache;

typedef struct {
    unsigned initiator, target, cache;
    bool bandwidth; /* else latency */
    int type;       /* virNumaInterconnectType */
    uint64_t value; /* ns, or KiB/s */
} virNumaInterconnect;

typedef enum {
    VIR_NUMA_INTERCONNECT_NONE = 0,
    VIR_NUMA_INTERCONNECT_ACCESS,
    VIR_NUMA_INTERCONNECT_READ,
    VIR_NUMA_INTERCONNECT_WRITE,
    VIR_NUMA_INTERCONNECT_LAST
} virNumaInterconnectType;
VIR_ENUM_DECL(virNumaInterconnectType);

typedef struct {
    bool given;      /* a <cell> names it */
    virBitmap *cpus; /* NULL: none */
    uint64_t memoryKiB;
    int memAccess; /* virDomainMemoryAccess */
    virTristate discard;
    unsigned char *distances; /* as many as there are cells, 0: not given; NULL: none */
    GArray *caches;           /* of virNumaCache; NULL: none */
} virNumaCell;

typedef struct {
    GPtrArray *cells;      /* of virNumaCell, by id */
    GArray *interconnects; /* of virNumaInterconnect */
} virDomainNuma;

static inline unsigned
virDomainNumaCount(const virDomainNuma *numa)
{
    return numa->cells ? numa->cells->len : 0;
}
static inline virNumaCell *
virDomainNumaCell(const virDomainNuma *numa, unsigned i)
{
    return g_ptr_array_index(numa->cells, i);
}
/* Sum of all cells. */
uint64_t virDomainNumaMemoryKiB(const virDomainNuma *numa);
/* All vCPUs that a cell names: how many, and the highest (-1: none). */
unsigned virDomainNumaCpuCount(const virDomainNuma *numa);
long virDomainNumaCpuMax(const virDomainNuma *numa);
bool virDomainNumaHasDistances(const virDomainNuma *numa);
/* 10 to itself, 20 to others unless given. */
unsigned virDomainNumaDistance(const virDomainNuma *numa, unsigned from, unsigned to);
/* Caches or interconnects are given. */
bool virDomainNumaHasHMAT(const virDomainNuma *numa);

/* cpu is the <cpu> element. Clear on error too. */
bool virDomainNumaParse(virDomainNuma *numa, const xmlNode *cpu, GError **error);
/* Into the open <cpu>. */
void virDomainNumaFormat(const virDomainNuma *numa, virXMLWriter *w);
void virDomainNumaClear(virDomainNuma *numa);
bool virDomainNumaSame(const virDomainNuma *a, const virDomainNuma *b, GError **error);
