/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memorystats.c: query-balloon and the guest-stats of a virtio balloon. */
#include "qemu/memorystats.h"

static const struct {
    const char *name;
    qemuMemoryStatTag tag;
    unsigned divisor; /* bytes are told to clients in KiB */
} stats[] = {
    {"stat-swap-in", QEMU_MEMORY_SWAP_IN, 1024},
    {"stat-swap-out", QEMU_MEMORY_SWAP_OUT, 1024},
    {"stat-major-faults", QEMU_MEMORY_MAJOR_FAULT, 1},
    {"stat-minor-faults", QEMU_MEMORY_MINOR_FAULT, 1},
    {"stat-free-memory", QEMU_MEMORY_UNUSED, 1024},
    {"stat-total-memory", QEMU_MEMORY_AVAILABLE, 1024},
    {"stat-available-memory", QEMU_MEMORY_USABLE, 1024},
    {"last-update", QEMU_MEMORY_LAST_UPDATE, 1},
    {"stat-disk-caches", QEMU_MEMORY_DISK_CACHES, 1024},
    {"stat-htlb-pgalloc", QEMU_MEMORY_HUGETLB_ALLOC, 1},
    {"stat-htlb-pgfail", QEMU_MEMORY_HUGETLB_FAIL, 1},
};

size_t
qemuMemoryStatsRead(virJSON *balloon, virJSON *guestStats, qemuMemoryStat *ret)
{
    virJSON *told = guestStats ? virJSONGetObject(guestStats, "stats") : NULL;
    size_t count = 0;
    uint64_t value;

    if (balloon && virJSONGetUInt(balloon, "actual", &value))
        ret[count++] = (qemuMemoryStat){QEMU_MEMORY_ACTUAL_BALLOON, value / 1024};
    for (size_t i = 0; told && i < G_N_ELEMENTS(stats); i++) {
        virJSON *from = stats[i].tag == QEMU_MEMORY_LAST_UPDATE ? guestStats : told;

        /* all ones: the guest has never told it */
        if (virJSONGetUInt(from, stats[i].name, &value) && value != UINT64_MAX)
            ret[count++] = (qemuMemoryStat){stats[i].tag, value / stats[i].divisor};
    }
    return count;
}
