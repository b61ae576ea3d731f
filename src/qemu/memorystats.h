/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memorystats.h: what the balloon's answers say of a guest's memory, in the wire's order and tags.
 * Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/virjson.h"

/* VIR_DOMAIN_MEMORY_STAT_* */
typedef enum {
    QEMU_MEMORY_SWAP_IN = 0,
    QEMU_MEMORY_SWAP_OUT,
    QEMU_MEMORY_MAJOR_FAULT,
    QEMU_MEMORY_MINOR_FAULT,
    QEMU_MEMORY_UNUSED,
    QEMU_MEMORY_AVAILABLE,
    QEMU_MEMORY_ACTUAL_BALLOON,
    QEMU_MEMORY_RSS,
    QEMU_MEMORY_USABLE,
    QEMU_MEMORY_LAST_UPDATE,
    QEMU_MEMORY_DISK_CACHES,
    QEMU_MEMORY_HUGETLB_ALLOC,
    QEMU_MEMORY_HUGETLB_FAIL,
    QEMU_MEMORY_STAT_LAST
} qemuMemoryStatTag;

typedef struct {
    qemuMemoryStatTag tag;
    uint64_t value;
} qemuMemoryStat;

/* At most QEMU_MEMORY_STAT_LAST of them into ret; their number. Either answer may be NULL; what the
 * guest doesn't tell is left out. */
size_t qemuMemoryStatsRead(virJSON *balloon, virJSON *guestStats, qemuMemoryStat *ret);
