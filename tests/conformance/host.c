/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host.c: the families vircaps2xml and virhostcpu: other machines, as their sysfs describes them.
 */
#include "families.h"
#include "host/capabilities.h"
#include "host/nodeinfo.h"
#include "host/sysinfo.h"
#include "util/virerror.h"
#include "util/virfile.h"

enum { FILE_MAX = 1024 * 1024 };

static char *
hostInputPath(const conformanceCase *row, size_t index, const char *below)
{
    g_autofree char *path = conformancePath(row, row->inputs[index]);

    return g_build_filename(path, below, NULL);
}

/* --- vircaps2xml --- */

/* The memory of the expected results is made up: cell n has n + 1 GiB, and (n + 1 + i) * 2048
 * pages of the i-th size. */
static void
hostMakeUpMemory(virHostTopology *topology)
{
    static const uint64_t sizes[] = {4, 2048, 1048576};

    for (guint i = 0; i < topology->cells->len; i++) {
        virHostCell *cell = topology->cells->pdata[i];

        cell->memory = (uint64_t)(cell->id + 1) << 20;
        for (size_t j = 0; j < G_N_ELEMENTS(sizes); j++) {
            virHostPages pages = {sizes[j], (cell->id + 1 + j) * 2048};

            g_array_append_val(cell->pages, pages);
        }
    }
}

bool
conformanceVirCaps2XML(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *system = hostInputPath(row, 0, "system");
    g_autofree char *resctrl = hostInputPath(row, 0, "resctrl");
    g_autoptr(virHostCapabilities) caps = g_new0(virHostCapabilities, 1);

    caps->cpu = virCPUDefNew(VIR_CPU_TYPE_HOST);
    caps->cpu->arch = g_strdup(conformanceFlag(row, "arch"));
    caps->canMigrate = conformanceFlag(row, "offline-migrate") != NULL;
    caps->canMigrateLive = conformanceFlag(row, "live-migrate") != NULL;
    caps->topology = virHostTopologyRead(system);
    hostMakeUpMemory(caps->topology);
    caps->caches = virHostCachesRead(system, resctrl);
    return conformanceAdd(result, virHostCapabilitiesFormat(caps, NULL));
}

/* --- virhostcpu --- */

static bool
hostRunNodeInfo(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *cpuinfo = conformanceInput(row, 0, error);
    g_autofree char *system = hostInputPath(row, 1, NULL);
    virHostNodeInfo info;

    if (!cpuinfo || !virHostNodeInfoRead(system, cpuinfo, &info, error))
        return conformanceFail(result, "nodeinfo");
    conformanceAdd(result,
                   g_strdup_printf("CPUs: %u/%u, MHz: %u, Nodes: %u, Sockets: %u, "
                                   "Cores: %u, Threads: %u\n",
                                   info.cpus, info.cells * info.sockets * info.cores * info.threads,
                                   info.mhz, info.cells, info.sockets, info.cores, info.threads));
    if (row->expected && g_strrstr(row->expected, ".signature")) {
        g_autofree char *signature = virHostNodeInfoSignature(cpuinfo);

        conformanceAdd(result, g_strdup_printf("%s\n", signature ? signature : ""));
    }
    return true;
}

static bool
hostRunTimes(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *stat = conformanceInput(row, 0, error);
    int count = atoi(conformanceFlag(row, "ncpus"));
    GString *text = g_string_new(NULL);

    for (int cpu = -1; stat && cpu < count; cpu++) {
        virHostCPUTime time;

        if (!virHostCPUTimeRead(stat, cpu, &time, error)) {
            g_string_free(text, TRUE);
            return conformanceFail(result, "cpustat");
        }
        g_string_append(text, cpu < 0 ? "cpu" : "");
        if (cpu >= 0)
            g_string_append_printf(text, "cpu%d", cpu);
        g_string_append_printf(text,
                               ":\nkernel: %" G_GUINT64_FORMAT "\nuser: %" G_GUINT64_FORMAT
                               "\nidle: %" G_GUINT64_FORMAT "\niowait: %" G_GUINT64_FORMAT "\n\n",
                               time.kernel, time.user, time.idle, time.iowait);
    }
    return conformanceAdd(result, g_string_free(text, FALSE));
}

bool
conformanceVirHostCPU(const conformanceCase *row, conformanceResult *result, GError **error)
{
    return conformanceFlag(row, "ncpus") ? hostRunTimes(row, result, error)
                                         : hostRunNodeInfo(row, result, error);
}

/* --- sysinfo --- */

/* What the data say dmidecode answers to --oem-string 3. */
static char *
hostOemString(unsigned n, void *opaque)
{
    return n == 3 ? g_strdup("Ha ha ha try parsing\\n\n"
                             "      String 3: this correctly\n      String 4:then")
                  : NULL;
}

bool
conformanceSysinfo(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *output = conformanceInput(row, 0, error);

    if (!output)
        return conformanceFail(result, "parse");
    return conformanceAdd(result, virHostSysinfoFormat(output, hostOemString, NULL));
}
