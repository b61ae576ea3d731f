/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_numa.c: -numa: the guest's nodes, their distances, and how fast memory is (HMAT). */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

/* QEMU of old gives each node a share of one memory; a machine that knows objects only, or a node
 * that is special in any way, wants an object for each. */
static bool
qemuArgvNeedsObjects(const virDomainDef *def, const qemuBuildContext *ctx)
{
    const qmpMachine *machine = qmpCapsMachine(ctx->caps, qemuDomainAccel(def), def->os.machine);
    const virDomainMemory *memory = &def->memory;

    if (qmpCapsVersion(ctx->caps) && machine && !machine->numaMemSupported)
        return true;
    if (memory->source == VIR_DOMAIN_MEMORY_SOURCE_FILE ||
        memory->source == VIR_DOMAIN_MEMORY_SOURCE_MEMFD ||
        memory->access != VIR_DOMAIN_MEMORY_ACCESS_DEFAULT || def->tune.numa.memnodes->len)
        return true;
    for (unsigned i = 0; i < virDomainNumaCount(&def->cpu.numa); i++) {
        if (virDomainNumaCell(&def->cpu.numa, i)->memAccess)
            return true;
        for (guint page = 0; page < virDomainMemoryHugepageCount(memory); page++) {
            if (virBitmapHas(virDomainMemoryHugepage(memory, page)->nodeset, i))
                return true;
        }
    }
    return false;
}

/* The node whose processors reach a node without any best. */
static int
qemuArgvInitiator(const virDomainNuma *numa, unsigned node)
{
    const virNumaInterconnect *latency = NULL;
    const virNumaInterconnect *bandwidth = NULL;

    if (virDomainNumaCell(numa, node)->cpus)
        return (int)node;
    for (guint i = 0; i < numa->interconnects->len; i++) {
        const virNumaInterconnect *link =
            &g_array_index(numa->interconnects, virNumaInterconnect, i);

        if (link->target != node)
            continue;
        if (!link->bandwidth && (!latency || link->value < latency->value))
            latency = link;
        if (link->bandwidth && (!bandwidth || link->value > bandwidth->value))
            bandwidth = link;
    }
    if (latency)
        return (int)latency->initiator;
    if (bandwidth)
        return (int)bandwidth->initiator;
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (virDomainNumaCell(numa, i)->cpus)
            return (int)i;
    }
    return -1;
}

static void
qemuArgvCellCPUs(const virNumaCell *cell, GString *opt)
{
    g_autofree char *cpus = cell->cpus ? virBitmapFormat(cell->cpus) : NULL;
    g_auto(GStrv) ranges = g_strsplit(cpus ? cpus : "", ",", -1);

    for (char **range = ranges; *range; range++)
        g_string_append_printf(opt, ",cpus=%s", *range);
}

static bool
qemuArgvCell(const virDomainDef *def, const qemuBuildContext *ctx, unsigned id, bool objects,
             qmpPlan *plan, GError **error)
{
    const virDomainNuma *numa = &def->cpu.numa;
    const virNumaCell *cell = virDomainNumaCell(numa, id);
    uint64_t kib = qemuArgvAlignedKiB(ctx, cell->memoryKiB);
    g_autofree char *object = g_strdup_printf("ram-node%u", id);
    g_autoptr(GString) opt = g_string_new("node");

    if (objects) {
        const qemuMemoryBackend wanted = {
            .id = object, .alias = object, .sizeKiB = kib, .node = (int)id};
        virJSON *props = qemuMemoryBackendProps(&wanted, ctx, error);

        if (!props)
            return false;
        qmpPlanObject(plan, props);
    }
    g_string_append_printf(opt, ",nodeid=%u", id);
    qemuArgvCellCPUs(cell, opt);
    if (virDomainNumaHasHMAT(numa) && qemuArgvInitiator(numa, id) >= 0)
        g_string_append_printf(opt, ",initiator=%d", qemuArgvInitiator(numa, id));
    if (objects)
        g_string_append_printf(opt, ",memdev=%s", object);
    else
        g_string_append_printf(opt, ",mem=%" PRIu64, kib / 1024);
    qmpPlanArg(plan, "-numa", opt->str);
    return true;
}

static void
qemuArgvDistances(const virDomainNuma *numa, qmpPlan *plan)
{
    unsigned count = virDomainNumaCount(numa);

    if (!virDomainNumaHasDistances(numa))
        return;
    for (unsigned from = 0; from < count; from++) {
        for (unsigned to = 0; to < count; to++)
            qmpPlanArgF(plan, "-numa", "dist,src=%u,dst=%u,val=%u", from, to,
                        virDomainNumaDistance(numa, from, to));
    }
}

static void
qemuArgvInterconnect(const virNumaInterconnect *link, qmpPlan *plan)
{
    static const char *const levels[] = {"memory", "first-level", "second-level", "third-level"};

    qmpPlanArgF(plan, "-numa",
                "hmat-lb,initiator=%u,target=%u,hierarchy=%s,data-type=%s-%s,%s=%" PRIu64 "%s",
                link->initiator, link->target, levels[MIN(link->cache, 3)],
                virNumaInterconnectTypeToString(link->type),
                link->bandwidth ? "bandwidth" : "latency",
                link->bandwidth ? "bandwidth" : "latency", link->value, link->bandwidth ? "K" : "");
}

static void
qemuArgvCache(unsigned cell, const virNumaCache *cache, qmpPlan *plan)
{
    static const char *const associativities[] = {"none", "direct", "complex"};
    static const char *const policies[] = {"none", "write-back", "write-through"};

    qmpPlanArgF(plan, "-numa",
                "hmat-cache,node-id=%u,size=%" PRIu64 "K,level=%u,associativity=%s,policy=%s,"
                "line=%" PRIu64,
                cell, cache->sizeKiB, cache->level, associativities[cache->associativity],
                policies[cache->policy], cache->lineBytes);
}

static void
qemuArgvHMAT(const virDomainNuma *numa, qmpPlan *plan)
{
    for (guint i = 0; i < numa->interconnects->len; i++)
        qemuArgvInterconnect(&g_array_index(numa->interconnects, virNumaInterconnect, i), plan);
    for (unsigned id = 0; id < virDomainNumaCount(numa); id++) {
        const GArray *caches = virDomainNumaCell(numa, id)->caches;

        for (guint i = 0; caches && i < caches->len; i++)
            qemuArgvCache(id, &g_array_index(caches, virNumaCache, i), plan);
    }
}

bool
qemuArgvNUMA(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainNuma *numa = &def->cpu.numa;
    bool objects = qemuArgvNeedsObjects(def, ctx);

    if (virDomainNumaCount(numa) == 0)
        return true;
    if (!objects && !qemuArgvMemoryPath(def, ctx, plan, error))
        return false;
    for (unsigned id = 0; id < virDomainNumaCount(numa); id++) {
        if (!qemuArgvCell(def, ctx, id, objects, plan, error))
            return false;
    }
    qemuArgvDistances(numa, plan);
    if (virDomainNumaHasHMAT(numa))
        qemuArgvHMAT(numa, plan);
    return true;
}
