/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_memory.c: how much memory, of what, and on which guest NUMA node. */
#include <inttypes.h>

#include "qemu/argv.h"
#include "util/virbitmap.h"
#include "util/virerror.h"

/* What decides which back end a piece of memory gets. */
typedef struct {
    const char *id;
    uint64_t sizeKiB;
    int node;   /* guest node, -1: the whole */
    int access; /* virDomainMemoryAccess of the node */
    virTristate discard;
    bool system; /* the machine's main memory */
} qemuMemoryWish;

static const virDomainHugepage *
qemuMemoryHugepage(const virDomainDef *def, int node)
{
    const virDomainHugepage *general = NULL;

    for (guint i = 0; i < virDomainMemoryHugepageCount(&def->memory); i++) {
        const virDomainHugepage *page = virDomainMemoryHugepage(&def->memory, i);

        if (!page->nodeset)
            general = page;
        else if (node >= 0 && virBitmapHas(page->nodeset, (size_t)node))
            return page;
    }
    return general;
}

static bool
qemuMemoryHugepagePath(const virDomainDef *def, const qemuBuildContext *ctx,
                       const virDomainHugepage *page, virJSON *props, GError **error)
{
    g_autofree char *path = ctx->config->hugepagePath
                                ? ctx->config->hugepagePath(page->sizeKiB, def->id, def->name,
                                                            ctx->config->hugepageOpaque)
                                : NULL;

    if (!path)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("<hugepages>: no hugetlbfs with pages of %" PRIu64
                             " KiB is mounted where guests may use it"),
                           page->sizeKiB);
    virJSONAddString(props, "mem-path", path);
    return true;
}

static void
qemuMemoryAddNodes(const virDomainDef *def, int node, virJSON *props)
{
    static const char *const policies[] = {
        [VIR_NUMATUNE_STRICT] = "bind",
        [VIR_NUMATUNE_PREFERRED] = "preferred",
        [VIR_NUMATUNE_INTERLEAVE] = "interleave",
        [VIR_NUMATUNE_RESTRICTIVE] = NULL, /* by the control group alone */
    };
    const virDomainNumatune *numa = &def->tune.numa;
    int mode = numa->mode;
    const virBitmap *nodes =
        node >= 0 ? virDomainNumatuneNodeset(numa, (unsigned)node, &mode) : numa->nodeset;
    virJSON *list;

    if (!nodes || !policies[mode])
        return;
    list = json_object_new_array();
    for (long i = virBitmapNext(nodes, 0); i >= 0; i = virBitmapNext(nodes, (size_t)i + 1))
        (void)json_object_array_add(list, json_object_new_int((int)i));
    virJSONAddValue(props, "host-nodes", list);
    virJSONAddString(props, "policy", policies[mode]);
}

/* Shared if the node, else the whole, says so. */
static virTristate
qemuMemoryShare(const virDomainDef *def, const qemuMemoryWish *wish)
{
    int access = wish->access ? wish->access : def->memory.access;

    if (access == VIR_DOMAIN_MEMORY_ACCESS_SHARED)
        return VIR_TRISTATE_YES;
    return access == VIR_DOMAIN_MEMORY_ACCESS_PRIVATE ? VIR_TRISTATE_NO : VIR_TRISTATE_ABSENT;
}

static bool
qemuMemoryFile(const virDomainDef *def, const qemuBuildContext *ctx, const qemuMemoryWish *wish,
               const virDomainHugepage *page, virJSON *props, GError **error)
{
    g_autofree char *path = NULL;

    virJSONAddString(props, "qom-type", "memory-backend-file");
    virJSONAddString(props, "id", wish->id);
    if (page)
        return qemuMemoryHugepagePath(def, ctx, page, props, error);
    if (!ctx->config->memoryDir)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<memoryBacking><source type='file'/>: there is no folder for it"));
    path = g_strdup_printf("%s/%d-%.20s/%s", ctx->config->memoryDir, def->id, def->name, wish->id);
    virJSONAddString(props, "mem-path", path);
    return true;
}

static virJSON *
qemuMemoryMakeBackend(const virDomainDef *def, const qemuBuildContext *ctx,
                      const qemuMemoryWish *wish, GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();
    const virDomainHugepage *page = qemuMemoryHugepage(def, wish->node);
    virTristate share = qemuMemoryShare(def, wish);
    bool memfd = def->memory.source == VIR_DOMAIN_MEMORY_SOURCE_MEMFD;
    bool file = page || def->memory.source == VIR_DOMAIN_MEMORY_SOURCE_FILE;
    bool prealloc = page || def->memory.allocation == VIR_DOMAIN_MEMORY_ALLOCATION_IMMEDIATE;

    if (memfd) {
        virJSONAddString(props, "qom-type", "memory-backend-memfd");
        virJSONAddString(props, "id", wish->id);
        if (page) {
            virJSONAddBool(props, "hugetlb", true);
            virJSONAddUInt(props, "hugetlbsize", page->sizeKiB * 1024);
        }
    } else if (file) {
        if (!qemuMemoryFile(def, ctx, wish, page, props, error))
            return NULL;
    } else {
        virJSONAddString(props, "qom-type", "memory-backend-ram");
        virJSONAddString(props, "id", wish->id);
    }
    virJSONAddTristate(props, "share", share);
    if (file && !memfd &&
        (wish->discard == VIR_TRISTATE_YES ||
         (wish->discard == VIR_TRISTATE_ABSENT && def->memory.discard)))
        virJSONAddBool(props, "discard-data", true);
    if (wish->system && (file || memfd) &&
        qmpCapsHas(ctx->caps, QMP_CAPS_MEMORY_BACKEND_FILE_X_USE_CANONICAL_PATH_FOR_RAMBLOCK_ID))
        virJSONAddBool(props, "x-use-canonical-path-for-ramblock-id", false);
    virJSONAddTrue(props, "prealloc", prealloc);
    virJSONAddUInt(props, "size", wish->sizeKiB * 1024);
    qemuMemoryAddNodes(def, wish->node, props);
    return g_steal_pointer(&props);
}

static bool
qemuMemoryMain(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const qmpMachine *machine = qmpCapsMachine(
        ctx->caps, def->virtType == VIR_DOMAIN_VIRT_KVM ? QMP_ACCEL_KVM : QMP_ACCEL_TCG,
        def->os.machine);
    qemuMemoryWish wish = {.sizeKiB = virDomainMemoryInitialKiB(def), .node = -1, .system = true};
    virJSON *props;

    if (!machine || !machine->defaultRamId || virDomainNumaCount(&def->cpu.numa) > 0)
        return true;
    wish.id = machine->defaultRamId;
    props = qemuMemoryMakeBackend(def, ctx, &wish, error);
    if (!props)
        return false;
    qmpPlanObject(plan, props);
    return true;
}

/* The way of binaries that know no memory back end for the main memory. */
static bool
qemuMemoryOldBacking(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                     GError **error)
{
    const virDomainHugepage *page = qemuMemoryHugepage(def, -1);
    g_autoptr(virJSON) props = NULL;
    const qmpMachine *machine = qmpCapsMachine(
        ctx->caps, def->virtType == VIR_DOMAIN_VIRT_KVM ? QMP_ACCEL_KVM : QMP_ACCEL_TCG,
        def->os.machine);

    if (!page || (machine && machine->defaultRamId) || virDomainNumaCount(&def->cpu.numa) > 0)
        return true;
    props = virJSONObject();
    if (!qemuMemoryHugepagePath(def, ctx, page, props, error))
        return false;
    qmpPlanArg(plan, "-mem-prealloc", NULL);
    qmpPlanArg(plan, "-mem-path", virJSONGetString(props, "mem-path"));
    return true;
}

bool
qemuArgvMemory(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    uint64_t initial = virDomainMemoryInitialKiB(def);

    if (def->memory.max.set)
        qmpPlanArgF(plan, "-m", "size=%" PRIu64 "k,slots=%" PRIu64 ",maxmem=%" PRIu64 "k", initial,
                    def->memory.slots.value, def->memory.max.value);
    else
        qmpPlanArgF(plan, "-m", "%" PRIu64, initial / 1024);
    if (!qemuMemoryMain(def, ctx, plan, error) || !qemuMemoryOldBacking(def, ctx, plan, error))
        return false;
    if (qmpCapsHas(ctx->caps, QMP_CAPS_OVERCOMMIT))
        qmpPlanArgF(plan, "-overcommit", "mem-lock=%s", def->memory.locked ? "on" : "off");
    else
        qmpPlanArgF(plan, "-realtime", "mlock=%s", def->memory.locked ? "on" : "off");
    return true;
}

/* --- NUMA --- */

static void
qemuNUMACpus(const virNumaCell *cell, GString *text)
{
    g_autofree char *ranges = NULL;
    g_auto(GStrv) list = NULL;

    if (!cell->cpus)
        return;
    ranges = virBitmapFormat(cell->cpus);
    list = g_strsplit(ranges, ",", -1);
    for (char **range = list; *range && **range; range++)
        g_string_append_printf(text, ",cpus=%s", *range);
}

/* A node without CPUs belongs to the one whose memory it reads fastest. */
static int
qemuNUMAInitiator(const virDomainNuma *numa, unsigned node)
{
    uint64_t best = UINT64_MAX;
    int initiator = -1;

    if (virDomainNumaCell(numa, node)->cpus)
        return (int)node;
    for (guint i = 0; numa->interconnects && i < numa->interconnects->len; i++) {
        const virNumaInterconnect *link =
            &g_array_index(numa->interconnects, virNumaInterconnect, i);

        if (link->target != node || link->bandwidth || link->value >= best)
            continue;
        best = link->value;
        initiator = (int)link->initiator;
    }
    for (unsigned i = 0; initiator < 0 && i < virDomainNumaCount(numa); i++) {
        if (virDomainNumaCell(numa, i)->cpus)
            initiator = (int)i;
    }
    return initiator;
}

static bool
qemuNUMANode(const virDomainDef *def, const qemuBuildContext *ctx, unsigned node, qmpPlan *plan,
             GError **error)
{
    const virNumaCell *cell = virDomainNumaCell(&def->cpu.numa, node);
    g_autofree char *id = g_strdup_printf("ram-node%u", node);
    qemuMemoryWish wish = {.id = id,
                           .sizeKiB = cell->memoryKiB,
                           .node = (int)node,
                           .access = cell->memAccess,
                           .discard = cell->discard};
    g_autoptr(GString) text = g_string_new(NULL);
    bool plain = !qmpCapsHas(ctx->caps, QMP_CAPS_MEMORY_BACKEND_RAM);

    if (!plain && cell->memoryKiB) {
        virJSON *props = qemuMemoryMakeBackend(def, ctx, &wish, error);

        if (!props)
            return false;
        qmpPlanObject(plan, props);
    }
    g_string_append_printf(text, "node,nodeid=%u", node);
    qemuNUMACpus(cell, text);
    if (virDomainNumaHasHMAT(&def->cpu.numa)) {
        int initiator = qemuNUMAInitiator(&def->cpu.numa, node);

        if (initiator >= 0)
            g_string_append_printf(text, ",initiator=%d", initiator);
    }
    if (plain)
        g_string_append_printf(text, ",mem=%" PRIu64, cell->memoryKiB / 1024);
    else if (cell->memoryKiB)
        g_string_append_printf(text, ",memdev=%s", id);
    qmpPlanArg(plan, "-numa", text->str);
    return true;
}

static void
qemuNUMADistances(const virDomainNuma *numa, qmpPlan *plan)
{
    unsigned count = virDomainNumaCount(numa);

    if (!virDomainNumaHasDistances(numa))
        return;
    for (unsigned from = 0; from < count; from++) {
        for (unsigned to = 0; to < count; to++) {
            if (virDomainNumaDistance(numa, from, to) > 0)
                qmpPlanArgF(plan, "-numa", "dist,src=%u,dst=%u,val=%u", from, to,
                            virDomainNumaDistance(numa, from, to));
        }
    }
}

static void
qemuNUMAInterconnect(const virNumaInterconnect *link, qmpPlan *plan)
{
    static const char *const levels[] = {"memory", "first-level", "second-level", "third-level"};
    static const char *const types[] = {"", "access", "read", "write"};
    g_autofree char *value = link->bandwidth
                                 ? g_strdup_printf("bandwidth=%" PRIu64 "K", link->value)
                                 : g_strdup_printf("latency=%" PRIu64, link->value);

    qmpPlanArgF(plan, "-numa", "hmat-lb,initiator=%u,target=%u,hierarchy=%s,data-type=%s-%s,%s",
                link->initiator, link->target, levels[MIN(link->cache, 3)], types[link->type],
                link->bandwidth ? "bandwidth" : "latency", value);
}

static void
qemuNUMACaches(const virDomainNuma *numa, unsigned node, qmpPlan *plan)
{
    static const char *const associativities[] = {"none", "direct", "complex"};
    static const char *const policies[] = {"none", "write-back", "write-through"};
    const GArray *caches = virDomainNumaCell(numa, node)->caches;

    for (guint i = 0; caches && i < caches->len; i++) {
        const virNumaCache *cache = &g_array_index(caches, virNumaCache, i);

        qmpPlanArgF(plan, "-numa",
                    "hmat-cache,node-id=%u,size=%" PRIu64
                    "K,level=%u,associativity=%s,policy=%s,line=%" PRIu64,
                    node, cache->sizeKiB, cache->level, associativities[cache->associativity],
                    policies[cache->policy], cache->lineBytes);
    }
}

bool
qemuArgvNUMA(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainNuma *numa = &def->cpu.numa;

    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (!qemuNUMANode(def, ctx, i, plan, error))
            return false;
    }
    qemuNUMADistances(numa, plan);
    if (!virDomainNumaHasHMAT(numa))
        return true;
    if (!qmpCapsHas(ctx->caps, QMP_CAPS_NUMA_HMAT))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("HMAT is not supported with this QEMU"));
    for (guint i = 0; numa->interconnects && i < numa->interconnects->len; i++)
        qemuNUMAInterconnect(&g_array_index(numa->interconnects, virNumaInterconnect, i), plan);
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++)
        qemuNUMACaches(numa, i, plan);
    return true;
}
