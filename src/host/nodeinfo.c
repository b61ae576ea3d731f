/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nodeinfo.c: counting sockets, cores and threads cell by cell. */
#include "host/nodeinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/hostfs.h"
#include "host/topology.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* The value behind "name : " in a line of cpuinfo; NULL if it stands nowhere. Caller frees. */
static char *
virHostNodeInfoField(const char *cpuinfo, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = cpuinfo; line; line = strchr(line, '\n')) {
        const char *at;

        line += *line == '\n';
        if (strncmp(line, name, len) != 0)
            continue;
        at = line + len;
        at += strspn(at, " \t");
        if (*at != ':')
            continue;
        at++;
        return g_strstrip(g_strndup(at, strcspn(at, "\n")));
    }
    return NULL;
}

char *
virHostNodeInfoSignature(const char *cpuinfo)
{
    g_autofree char *vendor = virHostNodeInfoField(cpuinfo, "vendor_id");
    g_autofree char *name = virHostNodeInfoField(cpuinfo, "model name");
    g_autofree char *family = virHostNodeInfoField(cpuinfo, "cpu family");
    g_autofree char *model = virHostNodeInfoField(cpuinfo, "model");
    g_autofree char *stepping = virHostNodeInfoField(cpuinfo, "stepping");

    if (!vendor || !name || !family || !model || !stepping)
        return NULL;
    return g_strdup_printf("%s, %s, family: %s, model: %s, stepping: %s", vendor, name, family,
                           model, stepping);
}

/* --- counting --- */

typedef struct {
    unsigned online;
    unsigned offline;
    unsigned sockets;
    unsigned cores; /* of the largest socket */
    unsigned threads;
} virHostNodeCount;

/* The cores of a socket, found by its number. */
static virBitmap *
virHostNodeSocket(GHashTable *sockets, unsigned socket)
{
    virBitmap *cores = g_hash_table_lookup(sockets, GUINT_TO_POINTER(socket));

    if (!cores) {
        cores = virBitmapNew();
        g_hash_table_insert(sockets, GUINT_TO_POINTER(socket), cores);
    }
    return cores;
}

static void
virHostNodeCountCPUs(const virBitmap *cpus, const virBitmap *online, const char *system,
                     virHostNodeCount *ret)
{
    g_autoptr(GHashTable) sockets =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)virBitmapFree);
    GHashTableIter iter;
    void *cores;

    memset(ret, 0, sizeof(*ret));
    virBitmapForEach(cpus, cpu)
    {
        virHostThread thread;

        if (!virBitmapHas(online, (size_t)cpu)) {
            ret->offline++;
            continue;
        }
        ret->online++;
        virHostThreadRead(&thread, (unsigned)cpu, system);
        virBitmapSet(virHostNodeSocket(sockets, thread.socket), thread.core);
        ret->threads =
            MAX(ret->threads, thread.siblings ? (unsigned)virBitmapCount(thread.siblings) : 1);
        virHostThreadClear(&thread);
    }
    ret->sockets = g_hash_table_size(sockets);
    g_hash_table_iter_init(&iter, sockets);
    while (g_hash_table_iter_next(&iter, NULL, &cores))
        ret->cores = MAX(ret->cores, (unsigned)virBitmapCount(cores));
}

static void
virHostNodeInfoAdd(virHostNodeInfo *info, const virHostNodeCount *count)
{
    info->cells++;
    info->cpus += count->online;
    info->sockets = MAX(info->sockets, count->sockets);
    info->cores = MAX(info->cores, count->cores);
    info->threads = MAX(info->threads, count->threads);
}

/* The processors of a cell, by the links in its folder (a test's tree may have no "cpulist"). */
static virBitmap *
virHostNodeInfoCellCPUs(const virBitmap *present, long cell, const char *system)
{
    g_autoptr(virBitmap) linked = virHostFsEntries("cpu", "%s/node/node%ld", system, cell);
    virBitmap *cpus = virBitmapNew();

    if (linked) {
        virBitmapForEach(linked, cpu)
        {
            if (virBitmapHas(present, (size_t)cpu))
                virBitmapSet(cpus, (size_t)cpu);
        }
    }
    return cpus;
}

bool
virHostNodeInfoRead(const char *system, const char *cpuinfo, virHostNodeInfo *ret, GError **error)
{
    g_autoptr(virBitmap) present = virHostTopologyPresent(system);
    g_autoptr(virBitmap) online = virHostTopologyOnline(system);
    g_autoptr(virBitmap) cells = virHostFsEntries("node", "%s/node", system);
    g_autofree char *mhz = virHostNodeInfoField(cpuinfo, "cpu MHz");
    virHostNodeInfo info = {.mhz = mhz ? (unsigned)strtoul(mhz, NULL, 10) : 0};
    virHostNodeCount count;
    unsigned offline = 0;

    if (cells) {
        virBitmapForEach(cells, cell)
        {
            g_autoptr(virBitmap) cpus = virHostNodeInfoCellCPUs(present, cell, system);

            virHostNodeCountCPUs(cpus, online, system, &count);
            virHostNodeInfoAdd(&info, &count);
            offline += count.offline;
        }
    }
    if (info.cpus == 0) { /* no NUMA */
        info.cells = 0;
        virHostNodeCountCPUs(present, online, system, &count);
        virHostNodeInfoAdd(&info, &count);
        offline = count.offline;
    }
    if (info.cpus == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("no CPUs found"));
    if (info.cells * info.sockets * info.cores * info.threads != info.cpus + offline) {
        info.cells = info.sockets = info.threads = 1;
        info.cores = info.cpus + offline;
    }
    *ret = info;
    return true;
}

/* --- time --- */

bool
virHostCPUTimeRead(const char *stat, int cpu, virHostCPUTime *ret, GError **error)
{
    g_autofree char *name = cpu < 0 ? g_strdup("cpu ") : g_strdup_printf("cpu%d ", cpu);

    for (const char *line = stat; line; line = strchr(line, '\n')) {
        unsigned long long user = 0, nice = 0, sys = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;

        line += *line == '\n';
        if (!g_str_has_prefix(line, name))
            continue;
        if (sscanf(line + strlen(name), "%llu %llu %llu %llu %llu %llu %llu", &user, &nice, &sys,
                   &idle, &iowait, &irq, &softirq) < 4)
            continue;
        ret->kernel = sys + irq + softirq;
        ret->user = user + nice;
        ret->idle = idle;
        ret->iowait = iowait;
        return true;
    }
    return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                            _("Invalid cpuNum in virHostCPUGetStatsLinux"));
}
