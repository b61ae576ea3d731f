/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host.c: what clients ask about the machine: numbers, statistics, firmware.
 *
 * All of it reads files, so every row says "job"; the processor and the firmware's words are read
 * once. No domain state is touched. */
#include <inttypes.h>
#include <unistd.h>

#include "api/handlers.gen.h"
#include "api/params.h"
#include "host/cpu.h"
#include "host/hostfs.h"
#include "host/memory.h"
#include "host/nodeinfo.h"
#include "host/sysinfo.h"
#include "host/topology.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* What libvirt answers for a guest without KVM. */
enum { MAX_VCPUS_TCG = 16 };

enum { MAX_CELLS = 1024 };

bool
virApiNodeGetInfo(virApiCall *call, remote_node_get_info_ret *ret, GError **error)
{
    g_autofree char *cpuinfo = virHostFsText("/proc/cpuinfo");
    virHostNodeInfo info;
    virHostMemory memory;

    if (!virHostNodeInfoRead(VIR_HOST_SYSTEM, cpuinfo ? cpuinfo : "", &info, error) ||
        !virHostMemoryReadAllCells(VIR_HOST_SYSTEM, &memory, error))
        return false;
    g_strlcpy(ret->model, virHostArch(), sizeof(ret->model));
    ret->memory = memory.total;
    ret->cpus = (int32_t)info.cpus;
    ret->mhz = (int32_t)info.mhz;
    ret->nodes = (int32_t)info.cells;
    ret->sockets = (int32_t)info.sockets;
    ret->cores = (int32_t)info.cores;
    ret->threads = (int32_t)info.threads;
    return true;
}

/* --- processors --- */

bool
virApiNodeGetCPUMap(virApiCall *call, const remote_node_get_cpu_map_args *args,
                    remote_node_get_cpu_map_ret *ret, GError **error)
{
    g_autoptr(virBitmap) present = virHostTopologyPresent(VIR_HOST_SYSTEM);
    g_autoptr(virBitmap) online = virHostTopologyOnline(VIR_HOST_SYSTEM);

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    ret->ret = (int32_t)virBitmapLast(present) + 1;
    if (args->need_online)
        ret->online = (uint32_t)virBitmapCount(online);
    if (!args->need_map)
        return true;
    ret->cpumap_len = ((uint32_t)ret->ret + 7) / 8;
    ret->cpumap_val = virApiNew(call, uint8_t, ret->cpumap_len);
    virBitmapForEach(online, cpu)
    {
        if (cpu < ret->ret)
            ret->cpumap_val[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
    }
    return true;
}

bool
virApiNodeGetCPUStats(virApiCall *call, const remote_node_get_cpu_stats_args *args,
                      remote_node_get_cpu_stats_ret *ret, GError **error)
{
    static const char *const names[] = {"kernel", "user", "idle", "iowait"};
    g_autofree char *stat = NULL;
    uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
    virHostCPUTime time;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    ret->nparams = G_N_ELEMENTS(names);
    if (args->nparams == 0)
        return true;
    if (args->nparams != G_N_ELEMENTS(names))
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("nparams in virHostCPUGetStatsLinux must be equal to %zu"),
                                G_N_ELEMENTS(names));
    stat = virHostFsText("/proc/stat");
    if (!virHostCPUTimeRead(stat ? stat : "", args->cpuNum, &time, error))
        return false;
    ret->params_len = G_N_ELEMENTS(names);
    ret->params_val = virApiNew(call, remote_node_get_cpu_stats, ret->params_len);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const uint64_t values[] = {time.kernel, time.user, time.idle, time.iowait};

        ret->params_val[i].field = names[i];
        ret->params_val[i].value = values[i] * tick_ns;
    }
    return true;
}

bool
virApiConnectGetMaxVcpus(virApiCall *call, const remote_connect_get_max_vcpus_args *args,
                         remote_connect_get_max_vcpus_ret *ret, GError **error)
{
    ret->max_vcpus = MAX_VCPUS_TCG;
    if (!args->type || g_ascii_strcasecmp(args->type, "qemu") == 0)
        return true;
    if (g_ascii_strcasecmp(args->type, "kvm") == 0)
        return virHostCPUMaxForKVM(&ret->max_vcpus, error);
    return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unknown type '%s'"), args->type);
}

/* --- memory --- */

bool
virApiNodeGetMemoryStats(virApiCall *call, const remote_node_get_memory_stats_args *args,
                         remote_node_get_memory_stats_ret *ret, GError **error)
{
    static const char *const names[] = {"total", "free", "buffers", "cached"};
    uint32_t count = args->cellNum < 0 ? G_N_ELEMENTS(names) : 2; /* cells say no more */
    virHostMemory memory;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !virHostMemoryRead(args->cellNum, VIR_HOST_SYSTEM, &memory, error))
        return false;
    ret->nparams = (int32_t)count;
    if (args->nparams == 0)
        return true;
    if (args->nparams != (int32_t)count)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("nparams in virHostMemGetStatsLinux must be %u"), count);
    ret->params_len = count;
    ret->params_val = virApiNew(call, remote_node_get_memory_stats, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t values[] = {memory.total, memory.free, memory.buffers, memory.cached};

        ret->params_val[i].field = names[i];
        ret->params_val[i].value = values[i];
    }
    return true;
}

/* --- memory that guests share (KSM) --- */

static const struct {
    const char *field, *file;
    bool isLong;
} sharing[] = {
    {"shm_pages_to_scan", "pages_to_scan", false},
    {"shm_sleep_millisecs", "sleep_millisecs", false},
    {"shm_pages_shared", "pages_shared", true},
    {"shm_pages_sharing", "pages_sharing", true},
    {"shm_pages_unshared", "pages_unshared", true},
    {"shm_pages_volatile", "pages_volatile", true},
    {"shm_full_scans", "full_scans", true},
    {"shm_merge_across_nodes", "merge_across_nodes", false},
};

/* Asked for none, it tells how many there are. */
bool
virApiNodeGetMemoryParameters(virApiCall *call, const remote_node_get_memory_parameters_args *args,
                              remote_node_get_memory_parameters_ret *ret, GError **error)
{
    enum { TYPED_STRING_OKAY = 1 << 2 };
    g_auto(virApiParams) params = {0};

    if (!virApiOnlyFlags(args->flags, TYPED_STRING_OKAY, error))
        return false;
    ret->nparams = G_N_ELEMENTS(sharing);
    if (args->nparams == 0)
        return true;
    virApiParamsInit(&params, call);
    for (size_t i = 0; i < G_N_ELEMENTS(sharing) && (int32_t)i < args->nparams; i++) {
        uint64_t value;

        /* not all kernels have all of them */
        if (!virHostFsNumber(&value, "/sys/kernel/mm/ksm/%s", sharing[i].file))
            continue;
        if (sharing[i].isLong)
            virApiParamsULLong(&params, value, "%s", sharing[i].field);
        else
            virApiParamsUInt(&params, (unsigned)value, "%s", sharing[i].field);
    }
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    return true;
}

bool
virApiNodeGetFreeMemory(virApiCall *call, remote_node_get_free_memory_ret *ret, GError **error)
{
    virHostMemory memory;

    if (!virHostMemoryReadAllCells(VIR_HOST_SYSTEM, &memory, error))
        return false;
    ret->freeMem = memory.free * 1024;
    return true;
}

/* The last cell of a range that a client asks for; the first may be -1 for the whole host. */
static bool
virApiHostLastCell(int64_t first, int64_t count, int64_t *retLast, GError **error)
{
    g_autoptr(virBitmap) cells = virHostTopologyCells(VIR_HOST_SYSTEM);
    int64_t last = cells ? virBitmapLast(cells) : 0;

    if (first > last)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("start cell %" PRId64 " out of range (0-%" PRId64 ")"), first, last);
    *retLast = MIN(last, first + count - 1);
    return true;
}

bool
virApiNodeGetCellsFreeMemory(virApiCall *call, const remote_node_get_cells_free_memory_args *args,
                             remote_node_get_cells_free_memory_ret *ret, GError **error)
{
    g_autoptr(virBitmap) cells = virHostTopologyCells(VIR_HOST_SYSTEM);
    int64_t last = -1;

    if (args->maxcells > MAX_CELLS)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("too many NUMA cells: %d > %d"),
                           args->maxcells, MAX_CELLS);
    if (args->startCell < 0 || args->maxcells < 1)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("startCell and maxcells must not be negative"));
    if (!virApiHostLastCell(args->startCell, args->maxcells, &last, error))
        return false;
    ret->cells_val = virApiNew(call, uint64_t, (size_t)(last - args->startCell + 1));
    for (int64_t cell = args->startCell; cell <= last; cell++) {
        virHostMemory memory = {0};

        if (!cells ? !virHostMemoryReadAllCells(VIR_HOST_SYSTEM, &memory, error)
                   : virBitmapHas(cells, (size_t)cell) &&
                         !virHostMemoryRead((int)cell, VIR_HOST_SYSTEM, &memory, error))
            return false;
        ret->cells_val[ret->cells_len++] = memory.free * 1024;
    }
    return true;
}

bool
virApiNodeGetFreePages(virApiCall *call, const remote_node_get_free_pages_args *args,
                       remote_node_get_free_pages_ret *ret, GError **error)
{
    int64_t last = -1;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if ((uint64_t)args->pages_len * args->cellCount > MAX_CELLS)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the result won't fit into REMOTE_NODE_"
                             "MAX_CELLS"));
    if (args->startCell < -1)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("startCell in virNodeGetFreePages must be at least -1"));
    if (!virApiHostLastCell(args->startCell, args->cellCount, &last, error))
        return false;
    ret->counts_val = virApiNew(call, uint64_t, (size_t)args->pages_len * args->cellCount);
    for (int64_t cell = args->startCell; cell <= last; cell++) {
        for (uint32_t i = 0; i < args->pages_len; i++) {
            if (!virHostMemoryFreePages((int)cell, args->pages_val[i], VIR_HOST_SYSTEM,
                                        &ret->counts_val[ret->counts_len++], error))
                return false;
        }
    }
    return true;
}

/* --- firmware --- */

bool
virApiConnectGetSysinfo(virApiCall *call, const remote_connect_get_sysinfo_args *args,
                        remote_connect_get_sysinfo_ret *ret, GError **error)
{
    static GMutex mutex; /* the firmware says the same each time; who comes second waits */
    static char *kept;
    g_autoptr(GMutexLocker) locker = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    locker = g_mutex_locker_new(&mutex);
    if (!kept && !(kept = virHostSysinfoRead(error)))
        return false;
    ret->sysinfo = kept;
    return true;
}
