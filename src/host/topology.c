/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * topology.c: /sys/devices/system/{cpu,node} as cells and processors. */
#include "host/topology.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host/hostfs.h"
#include "host/memory.h"
#include "util/virscale.h"

/* --- processors --- */

virBitmap *
virHostTopologyPresent(const char *system)
{
    virBitmap *present = virHostFsList("%s/cpu/present", system);

    if (!present)
        present = virHostFsEntries("cpu", "%s/cpu", system);
    return present ? present : virBitmapNew();
}

virBitmap *
virHostTopologyOnline(const char *system)
{
    virBitmap *online = virHostFsList("%s/cpu/online", system);

    return online ? online : virHostTopologyPresent(system);
}

void
virHostThreadClear(virHostThread *thread)
{
    g_clear_pointer(&thread->siblings, virBitmapFree);
}

static void
virHostThreadDestroy(void *opaque)
{
    virHostThreadClear(opaque);
}

/* An absent or negative number ("-1": the firmware doesn't say) counts as 0. */
static unsigned
virHostThreadNumber(unsigned id, const char *system, const char *what)
{
    uint64_t value;

    return virHostFsNumber(&value, "%s/cpu/cpu%u/topology/%s", system, id, what) ? (unsigned)value
                                                                                 : 0;
}

void
virHostThreadRead(virHostThread *thread, unsigned id, const char *system)
{
    memset(thread, 0, sizeof(*thread));
    thread->id = id;
    if (!virHostFsExists("%s/cpu/cpu%u/topology/physical_package_id", system, id))
        return;
    thread->siblings = virHostFsList("%s/cpu/cpu%u/topology/thread_siblings_list", system, id);
    if (!thread->siblings)
        thread->siblings = virHostFsList("%s/cpu/cpu%u/topology/core_cpus_list", system, id);
    thread->socket = virHostThreadNumber(id, system, "physical_package_id");
    thread->die = virHostThreadNumber(id, system, "die_id");
    thread->core = virHostThreadNumber(id, system, "core_id");
}

/* --- cells --- */

static void
virHostCellFree(void *opaque)
{
    virHostCell *cell = opaque;

    g_array_unref(cell->pages);
    g_array_unref(cell->distances);
    g_array_unref(cell->caches);
    g_array_unref(cell->threads);
    g_free(cell);
}

static virHostCell *
virHostCellNew(unsigned id)
{
    virHostCell *cell = g_new0(virHostCell, 1);

    cell->id = id;
    cell->pages = g_array_new(FALSE, FALSE, sizeof(virHostPages));
    cell->distances = g_array_new(FALSE, FALSE, sizeof(virHostDistance));
    cell->caches = g_array_new(FALSE, FALSE, sizeof(virHostMemoryCache));
    cell->threads = g_array_new(FALSE, FALSE, sizeof(virHostThread));
    g_array_set_clear_func(cell->threads, virHostThreadDestroy);
    return cell;
}

static void
virHostCellReadThreads(virHostCell *cell, const virBitmap *cpus, const char *system)
{
    virBitmapForEach(cpus, cpu)
    {
        virHostThread thread;

        virHostThreadRead(&thread, (unsigned)cpu, system);
        g_array_append_val(cell->threads, thread);
    }
}

/* The kernel's number for a word; what it doesn't say is "none". */
static const char *
virHostCellWord(const char *const words[2], const char *fmt, const char *system, unsigned cell,
                unsigned level)
{
    g_autofree char *path = g_strdup_printf(fmt, system, cell, level);
    uint64_t value;

    return virHostFsNumber(&value, "%s", path) && value < 2 ? words[value] : "none";
}

static void
virHostCellReadCaches(virHostCell *cell, const char *system)
{
    static const char *const associativity[2] = {"direct", "full"};
    static const char *const policy[2] = {"writeback", "writethrough"};
    g_autoptr(virBitmap) levels =
        virHostFsEntries("index", "%s/node/node%u/memory_side_cache", system, cell->id);

    if (!levels)
        return;
    virBitmapForEach(levels, number)
    {
        unsigned level = (unsigned)number;
        virHostMemoryCache cache = {.level = level};

        if (!virHostFsNumber(&cache.size, "%s/node/node%u/memory_side_cache/index%u/size", system,
                             cell->id, level) ||
            !virHostFsNumber(&cache.line, "%s/node/node%u/memory_side_cache/index%u/line_size",
                             system, cell->id, level))
            continue;
        cache.associativity =
            virHostCellWord(associativity, "%s/node/node%u/memory_side_cache/index%u/indexing",
                            system, cell->id, level);
        cache.policy =
            virHostCellWord(policy, "%s/node/node%u/memory_side_cache/index%u/write_policy", system,
                            cell->id, level);
        g_array_append_val(cell->caches, cache);
    }
}

/* --- interconnects --- */

/* The best initiators of a target and what they reach it with. "access1" is the class that counts
 * processors alone; "access0" may name other devices. */
static void
virHostTopologyReadTarget(virHostTopology *topology, unsigned target, bool isBandwidth,
                          unsigned initiator, const char *system)
{
    static const char *const access[2] = {"read", "write"};

    for (int isWrite = 0; isWrite < 2; isWrite++) {
        virHostInterconnect link = {.isBandwidth = isBandwidth,
                                    .isWrite = isWrite,
                                    .initiator = initiator,
                                    .target = target};

        if (!virHostFsNumber(&link.value, "%s/node/node%u/access1/initiators/%s_%s", system, target,
                             access[isWrite], isBandwidth ? "bandwidth" : "latency") ||
            link.value == 0)
            continue;
        if (isBandwidth)
            link.value *= 1024; /* the kernel counts MiB */
        g_array_append_val(topology->interconnects, link);
    }
}

static void
virHostTopologyReadInterconnects(virHostTopology *topology, const char *system)
{
    for (int isBandwidth = 0; isBandwidth < 2; isBandwidth++) {
        for (guint i = 0; i < topology->cells->len; i++) {
            const virHostCell *initiator = topology->cells->pdata[i];

            for (guint j = 0; j < topology->cells->len; j++) {
                const virHostCell *target = topology->cells->pdata[j];

                if (virHostFsExists("%s/node/node%u/access1/initiators/node%u", system, target->id,
                                    initiator->id))
                    virHostTopologyReadTarget(topology, target->id, isBandwidth, initiator->id,
                                              system);
            }
        }
    }
}

/* --- the whole --- */

virBitmap *
virHostTopologyCells(const char *system)
{
    g_autoptr(virBitmap) cells = virHostFsList("%s/node/online", system);

    if (!cells)
        cells = virHostFsEntries("node", "%s/node", system);
    return cells && !virBitmapIsEmpty(cells) ? g_steal_pointer(&cells) : NULL;
}

virHostTopology *
virHostTopologyRead(const char *system)
{
    virHostTopology *topology = g_new0(virHostTopology, 1);
    g_autoptr(virBitmap) cells = virHostTopologyCells(system);

    topology->cells = g_ptr_array_new_with_free_func(virHostCellFree);
    topology->interconnects = g_array_new(FALSE, FALSE, sizeof(virHostInterconnect));
    if (!cells) {
        g_autoptr(virBitmap) online = virHostTopologyOnline(system);
        virHostCell *all = virHostCellNew(0);

        virHostCellReadThreads(all, online, system);
        g_ptr_array_add(topology->cells, all);
        return topology;
    }
    virBitmapForEach(cells, id)
    {
        virHostCell *cell = virHostCellNew((unsigned)id);
        g_autoptr(virBitmap) cpus = virHostFsList("%s/node/node%ld/cpulist", system, id);

        if (cpus)
            virHostCellReadThreads(cell, cpus, system);
        virHostCellReadCaches(cell, system);
        g_ptr_array_add(topology->cells, cell);
    }
    virHostTopologyReadInterconnects(topology, system);
    return topology;
}

void
virHostTopologyFree(virHostTopology *topology)
{
    if (!topology)
        return;
    g_ptr_array_unref(topology->cells);
    g_array_unref(topology->interconnects);
    g_free(topology);
}

/* --- memory of the cells --- */

static int
virHostTopologyCompareSizes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

GArray *
virHostTopologyPageSizes(const char *hugepagesFolder)
{
    GArray *sizes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t small = (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
    g_autoptr(GDir) dir = g_dir_open(hugepagesFolder, 0, NULL);
    const char *name;

    g_array_append_val(sizes, small);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *text = g_strdup(name);
        uint64_t size;

        if (!g_str_has_prefix(text, "hugepages-") || !g_str_has_suffix(text, "kB"))
            continue;
        text[strlen(text) - strlen("kB")] = '\0';
        if (virStringToUInt(text + strlen("hugepages-"), UINT64_MAX, &size))
            g_array_append_val(sizes, size);
    }
    g_array_sort(sizes, virHostTopologyCompareSizes);
    return sizes;
}

static void
virHostCellReadPages(virHostCell *cell, const char *system)
{
    g_autofree char *folder = g_strdup_printf("%s/node/node%u/hugepages", system, cell->id);
    g_autoptr(GArray) sizes = virHostTopologyPageSizes(folder);
    uint64_t left = cell->memory;

    for (guint i = sizes->len; i-- > 0;) {
        virHostPages pages = {.size = g_array_index(sizes, uint64_t, i)};

        if (i > 0)
            (void)virHostFsNumber(&pages.count, "%s/hugepages-%" PRIu64 "kB/nr_hugepages", folder,
                                  pages.size); /* no such pool: none */
        else
            pages.count = left / pages.size;
        left -= MIN(left, pages.count * pages.size);
        g_array_prepend_val(cell->pages, pages);
    }
}

static void
virHostCellReadDistances(virHostCell *cell, const virBitmap *cells, const char *system)
{
    g_autofree char *text = virHostFsText("%s/node/node%u/distance", system, cell->id);
    g_auto(GStrv) words = text ? g_strsplit_set(text, " \t", -1) : NULL;
    char **word = words;

    virBitmapForEach(cells, id)
    {
        virHostDistance distance = {.cell = (unsigned)id};
        uint64_t value;

        while (word && *word && !**word)
            word++;
        if (!word || !*word || !virStringToUInt(*word++, UINT_MAX, &value))
            return;
        distance.value = (unsigned)value;
        g_array_append_val(cell->distances, distance);
    }
}

void
virHostTopologyReadMemory(virHostTopology *topology, const char *system)
{
    g_autoptr(virBitmap) cells = virHostTopologyCells(system);

    for (guint i = 0; i < topology->cells->len; i++) {
        virHostCell *cell = topology->cells->pdata[i];
        virHostMemory memory;

        if (virHostMemoryRead(cells ? (int)cell->id : -1, system, &memory, NULL))
            cell->memory = memory.total;
        if (!cells)
            continue;
        virHostCellReadPages(cell, system);
        virHostCellReadDistances(cell, cells, system);
    }
}
