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
virHostMemoryFreePages(unsigned cell, uint64_t size, const char *system, uint64_t *ret,
                       GError **error)
{
    virHostMemory memory;

    if (size == (uint64_t)sysconf(_SC_PAGESIZE) / 1024) {
        g_autoptr(virBitmap) cells = virHostTopologyCells(system);

        if (!virHostMemoryRead(cells ? (int)cell : -1, system, &memory, error))
            return false;
        *ret = memory.free / size;
        return true;
    }
    if (!virHostFsNumber(ret, "%s/node/node%u/hugepages/hugepages-%" PRIu64 "kB/free_hugepages",
                         system, cell, size))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("page size %" PRIu64 " is not available on node %u"), size, cell);
    return true;
}
