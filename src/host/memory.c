/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.c: meminfo of the host and of its cells. */
#include "host/memory.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host/hostfs.h"
#include "host/topology.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* "MemTotal:  5990604 kB", in a cell's file with "Node 0 " in front. */
static void
virHostMemoryTake(const char *text, const char *name, uint64_t *ret)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        const char *at = strstr(*line, name);

        if (at && (at == *line || at[-1] == ' ')) {
            *ret = g_ascii_strtoull(at + strlen(name), NULL, 10);
            return;
        }
    }
}

bool
virHostMemoryRead(int cell, const char *system, virHostMemory *ret, GError **error)
{
    g_autofree char *text = cell < 0 ? virHostFsText("/proc/meminfo")
                                     : virHostFsText("%s/node/node%d/meminfo", system, cell);
    g_autoptr(virBitmap) cells = NULL;

    if (!text) {
        cells = virHostTopologyCells(system);
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("cellNum in virHostMemGetStats must be less than or equal to "
                                  "%ld"),
                                cells ? virBitmapLast(cells) : 0);
    }
    memset(ret, 0, sizeof(*ret));
    virHostMemoryTake(text, "MemTotal:", &ret->total);
    virHostMemoryTake(text, "MemFree:", &ret->free);
    if (cell >= 0)
        return true;
    virHostMemoryTake(text, "Buffers:", &ret->buffers);
    virHostMemoryTake(text, "Cached:", &ret->cached);
    return true;
}

bool
virHostMemoryReadAllCells(const char *system, virHostMemory *ret, GError **error)
{
    g_autoptr(virBitmap) cells = virHostTopologyCells(system);

    if (!cells)
        return virHostMemoryRead(-1, system, ret, error);
    memset(ret, 0, sizeof(*ret));
    virBitmapForEach(cells, cell)
    {
        virHostMemory memory;

        if (!virHostMemoryRead((int)cell, system, &memory, error))
            return false;
        ret->total += memory.total;
        ret->free += memory.free;
    }
    return true;
}

bool
virHostMemoryFreePages(int cell, uint64_t size, const char *system, uint64_t *ret, GError **error)
{
    g_autofree char *folder = NULL;

    if (size == (uint64_t)sysconf(_SC_PAGESIZE) / 1024) {
        g_autoptr(virBitmap) cells = virHostTopologyCells(system);
        virHostMemory memory;

        if (cells && cell >= 0 ? !virHostMemoryRead(cell, system, &memory, error)
                               : !virHostMemoryReadAllCells(system, &memory, error))
            return false;
        *ret = memory.free / size;
        return true;
    }
    folder = cell < 0 ? g_strdup(VIR_HOST_HUGEPAGES)
                      : g_strdup_printf("%s/node/node%d/hugepages", system, cell);
    if (virHostFsNumber(ret, "%s/hugepages-%" PRIu64 "kB/free_hugepages", folder, size))
        return true;
    if (cell < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("page size %" PRIu64 " is not available"), size);
    return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                       _("page size %" PRIu64 " is not available on node %d"), size, cell);
}
