/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.h: <maxMemory> <memory> <currentMemory> <memoryBacking>: how much, and of what it is made.
 */
#pragma once

#include <glib.h>

#include "device/field.h"
#include "util/virbitmap.h"

typedef enum {
    VIR_DOMAIN_MEMORY_SOURCE_NONE = 0,
    VIR_DOMAIN_MEMORY_SOURCE_FILE,
    VIR_DOMAIN_MEMORY_SOURCE_ANONYMOUS,
    VIR_DOMAIN_MEMORY_SOURCE_MEMFD,
    VIR_DOMAIN_MEMORY_SOURCE_LAST
} virDomainMemorySource;
VIR_ENUM_DECL(virDomainMemorySource);

typedef enum {
    VIR_DOMAIN_MEMORY_ACCESS_DEFAULT = 0,
    VIR_DOMAIN_MEMORY_ACCESS_SHARED,
    VIR_DOMAIN_MEMORY_ACCESS_PRIVATE,
    VIR_DOMAIN_MEMORY_ACCESS_LAST
} virDomainMemoryAccess;
VIR_ENUM_DECL(virDomainMemoryAccess);

typedef enum {
    VIR_DOMAIN_MEMORY_ALLOCATION_NONE = 0,
    VIR_DOMAIN_MEMORY_ALLOCATION_IMMEDIATE,
    VIR_DOMAIN_MEMORY_ALLOCATION_ONDEMAND,
    VIR_DOMAIN_MEMORY_ALLOCATION_LAST
} virDomainMemoryAllocation;
VIR_ENUM_DECL(virDomainMemoryAllocation);

/* <page>; a bare <hugepages/> is one of size 0: the host's default. */
typedef struct {
    uint64_t sizeKiB;
    virBitmap *nodeset; /* guest nodes; NULL: all others */
} virDomainHugepage;

typedef struct {
    virOptUInt total;   /* KiB, memory devices included; always set once completed */
    virOptUInt current; /* KiB, the balloon's target */
    virOptUInt max;     /* KiB */
    virOptUInt slots;
    virTristate dumpCore;

    GArray *hugepages; /* of virDomainHugepage; NULL: none */
    bool nosharepages, locked, discard;
    int source;     /* virDomainMemorySource */
    int access;     /* virDomainMemoryAccess */
    int allocation; /* virDomainMemoryAllocation */
    virOptUInt allocationThreads;
} virDomainMemory;

static inline const virDomainHugepage *
virDomainMemoryHugepage(const virDomainMemory *memory, guint i)
{
    return &g_array_index(memory->hugepages, virDomainHugepage, i);
}

static inline guint
virDomainMemoryHugepageCount(const virDomainMemory *memory)
{
    return memory->hugepages ? memory->hugepages->len : 0;
}

struct virDomainDef;
/* What the guest begins with: without memory devices. */
uint64_t virDomainMemoryInitialKiB(const struct virDomainDef *def);
/* Of all memory devices. */
uint64_t virDomainMemoryDevicesKiB(const struct virDomainDef *def);
