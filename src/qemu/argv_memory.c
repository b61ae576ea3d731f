/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_memory.c: -m and the objects that are the guest's memory.
 *
 * What one piece of memory is made of follows from itself, then from its node's cell, then from
 * <memoryBacking> and <numatune>. */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

enum { QEMU_MEMORY_ALIGN_KIB = 1024, QEMU_PAGE_KIB = 4, QEMU_DEFAULT_HUGEPAGE_KIB = 2048 };

uint64_t
qemuArgvAlignedKiB(const qemuBuildContext *ctx, uint64_t kib)
{
    if (ctx->incoming)
        return kib;
    return (kib + QEMU_MEMORY_ALIGN_KIB - 1) / QEMU_MEMORY_ALIGN_KIB * QEMU_MEMORY_ALIGN_KIB;
}

/* --- one back end --- */

/* What is known of a piece of memory before the object is written. */
typedef struct {
    const virDomainDef *def;
    const qemuMemoryBackend *wanted;
    const virNumaCell *cell; /* NULL: of no node */
    int access;              /* virDomainMemoryAccess */
    virTristate discard;
    bool huge;
    uint64_t pageKiB; /* of a huge one */
    bool prealloc;
    int mode; /* virNumatuneMode */
    const virBitmap *nodes;
} qemuMemoryPlan;

/* The <page> for the node, or the one for all; NULL: none. */
static const virDomainHugepage *
qemuMemoryHugepage(const virDomainMemory *memory, int node)
{
    const virDomainHugepage *common = NULL;

    for (guint i = 0; i < virDomainMemoryHugepageCount(memory); i++) {
        const virDomainHugepage *page = virDomainMemoryHugepage(memory, i);

        if (!page->nodeset)
            common = page;
        else if (node >= 0 && virBitmapHas(page->nodeset, (size_t)node))
            return page;
    }
    return common;
}

static void
qemuMemoryChoosePages(qemuMemoryPlan *memory)
{
    const virDomainHugepage *page = qemuMemoryHugepage(&memory->def->memory, memory->wanted->node);

    memory->pageKiB = memory->wanted->pageKiB;
    memory->huge = memory->pageKiB != 0;
    if (!memory->huge && page) {
        memory->pageKiB = page->sizeKiB;
        memory->huge = true;
    }
    if (memory->pageKiB == QEMU_PAGE_KIB)
        memory->huge = false;
}

static bool
qemuMemoryChoose(qemuMemoryPlan *memory, const qemuBuildContext *ctx, GError **error)
{
    const virDomainDef *def = memory->def;
    const qemuMemoryBackend *wanted = memory->wanted;
    const virBitmap *tuned;

    if (wanted->node >= (int)virDomainNumaCount(&def->cpu.numa))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("can't add memory backend for guest node '%d' as the guest has only "
                             "'%u' NUMA nodes configured"),
                           wanted->node, virDomainNumaCount(&def->cpu.numa));
    memory->cell =
        wanted->node >= 0 ? virDomainNumaCell(&def->cpu.numa, (unsigned)wanted->node) : NULL;
    memory->access = wanted->access;
    memory->discard = wanted->discard;
    if (memory->cell && memory->access == VIR_DOMAIN_MEMORY_ACCESS_DEFAULT)
        memory->access = memory->cell->memAccess;
    if (memory->cell && memory->discard == VIR_TRISTATE_ABSENT)
        memory->discard = memory->cell->discard;
    if (memory->access == VIR_DOMAIN_MEMORY_ACCESS_DEFAULT)
        memory->access = def->memory.access;
    if (memory->discard == VIR_TRISTATE_ABSENT && def->memory.discard)
        memory->discard = VIR_TRISTATE_YES;
    memory->prealloc = def->memory.allocation == VIR_DOMAIN_MEMORY_ALLOCATION_IMMEDIATE;
    tuned = virDomainNumatuneNodeset(
        &def->tune.numa, wanted->node >= 0 ? (unsigned)wanted->node : UINT32_MAX, &memory->mode);
    memory->nodes = wanted->nodemask ? wanted->nodemask : tuned;
    qemuMemoryChoosePages(memory);
    return true;
}

static void
qemuMemoryAddShare(virJSON *props, int access)
{
    if (access != VIR_DOMAIN_MEMORY_ACCESS_DEFAULT)
        virJSONAddBool(props, "share", access == VIR_DOMAIN_MEMORY_ACCESS_SHARED);
}

/* Where a piece that is no file of the user's own lies. */
static bool
qemuMemoryAddFolder(virJSON *props, const qemuMemoryPlan *memory, const qemuBuildContext *ctx,
                    GError **error)
{
    const qemuBuildConfig *config = ctx->config;
    g_autofree char *name = qemuArgvShortName(memory->def);
    g_autofree char *huge = NULL;

    if (!memory->huge) {
        if (!config->memoryDir)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("<memoryBacking>: there is no folder for memory in files"));
        virJSONAddStringF(props, "mem-path", "%s/%s/%s", config->memoryDir, name,
                          memory->wanted->alias);
        return true;
    }
    if (config->hugepagePath)
        huge = config->hugepagePath(memory->pageKiB, memory->def->id, memory->def->name,
                                    config->hugepageOpaque);
    if (!huge)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("Unable to find any usable hugetlbfs mount for %" PRIu64 " KiB"),
                           memory->pageKiB);
    virJSONAddString(props, "mem-path", huge);
    return true;
}

static bool
qemuMemoryAddPath(virJSON *props, qemuMemoryPlan *memory, const qemuBuildContext *ctx,
                  GError **error)
{
    if (memory->wanted->path) {
        virJSONAddString(props, "mem-path", memory->wanted->path);
        memory->prealloc = !memory->wanted->pmem;
        return true;
    }
    memory->prealloc |= memory->huge;
    return qemuMemoryAddFolder(props, memory, ctx, error);
}

static bool
qemuMemoryIsFile(const qemuMemoryPlan *memory)
{
    return memory->huge || memory->wanted->path ||
           memory->access != VIR_DOMAIN_MEMORY_ACCESS_DEFAULT ||
           memory->def->memory.source == VIR_DOMAIN_MEMORY_SOURCE_FILE;
}

static bool
qemuMemoryIsMemfd(const qemuMemoryPlan *memory)
{
    return !memory->wanted->path && memory->def->memory.source == VIR_DOMAIN_MEMORY_SOURCE_MEMFD;
}

static bool
qemuMemoryAddKind(virJSON *props, qemuMemoryPlan *memory, const qemuBuildContext *ctx,
                  GError **error)
{
    if (qemuMemoryIsMemfd(memory)) {
        if (memory->huge) {
            virJSONAddBool(props, "hugetlb", true);
            virJSONAddUInt(props, "hugetlbsize",
                           (memory->pageKiB ? memory->pageKiB : QEMU_DEFAULT_HUGEPAGE_KIB) * 1024);
        }
        qemuMemoryAddShare(props, memory->access);
        return true;
    }
    if (!qemuMemoryIsFile(memory))
        return true;
    if (!qemuMemoryAddPath(props, memory, ctx, error))
        return false;
    if (memory->discard == VIR_TRISTATE_YES) {
        if (!qmpCapsHas(ctx->caps, QMP_CAPS_MEMORY_BACKEND_FILE_DISCARD_DATA))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("this QEMU doesn't support memory discard"));
        virJSONAddBool(props, "discard-data", true);
    }
    qemuMemoryAddShare(props, memory->access);
    return true;
}

static const char *
qemuMemoryType(const qemuMemoryPlan *memory)
{
    if (qemuMemoryIsMemfd(memory))
        return "memory-backend-memfd";
    return qemuMemoryIsFile(memory) ? "memory-backend-file" : "memory-backend-ram";
}

static void
qemuMemoryAddNodes(virJSON *props, const qemuMemoryPlan *memory)
{
    static const char *const policies[VIR_NUMATUNE_MODE_LAST] = {"bind", "preferred", "interleave",
                                                                 "restrictive"};
    virJSON *nodes;

    if (!memory->nodes || memory->mode == VIR_NUMATUNE_RESTRICTIVE)
        return;
    nodes = json_object_new_array();
    virBitmapForEach(memory->nodes, node)(void)
        json_object_array_add(nodes, json_object_new_int64(node));
    virJSONAddValue(props, "host-nodes", nodes);
    virJSONAddString(props, "policy", policies[memory->mode]);
}

/* The machine's own memory keeps the name that it had before there were objects. */
static bool
qemuMemoryKeepsOldName(const qemuMemoryPlan *memory, const qemuBuildContext *ctx)
{
    const qmpMachine *machine =
        qmpCapsMachine(ctx->caps, qemuDomainAccel(memory->def), memory->def->os.machine);

    return machine && g_strcmp0(machine->defaultRamId, memory->wanted->id) == 0 &&
           (qemuMemoryIsFile(memory) || qemuMemoryIsMemfd(memory)) &&
           qmpCapsHas(ctx->caps, QMP_CAPS_MEMORY_BACKEND_FILE_X_USE_CANONICAL_PATH_FOR_RAMBLOCK_ID);
}

static virJSON *
qemuMemoryProps(qemuMemoryPlan *memory, const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "qom-type", qemuMemoryType(memory));
    virJSONAddString(props, "id", memory->wanted->id);
    if (!qemuMemoryAddKind(props, memory, ctx, error))
        return NULL;
    if (qemuMemoryKeepsOldName(memory, ctx))
        virJSONAddBool(props, "x-use-canonical-path-for-ramblock-id", false);
    if (memory->wanted->sparse) {
        memory->prealloc = false;
        if (qmpCapsHas(ctx->caps, QMP_CAPS_MEMORY_BACKEND_FILE_RESERVE))
            virJSONAddBool(props, "reserve", false);
    }
    virJSONAddTrue(props, "prealloc", memory->prealloc);
    if (memory->prealloc && memory->def->memory.allocationThreads.set)
        virJSONAddUInt(props, "prealloc-threads", memory->def->memory.allocationThreads.value);
    virJSONAddUInt(props, "size", memory->wanted->sizeKiB * 1024);
    virJSONAddPositive(props, "align", memory->wanted->alignKiB * 1024);
    virJSONAddTrue(props, "pmem",
                   memory->wanted->pmem && memory->wanted->path && memory->wanted->alias &&
                       !memory->wanted->sparse && memory->prealloc == false && memory->access == 0);
    qemuMemoryAddNodes(props, memory);
    return g_steal_pointer(&props);
}

virJSON *
qemuMemoryBackendProps(const qemuMemoryBackend *wanted, const qemuBuildContext *ctx, GError **error)
{
    qemuMemoryPlan memory = {.def = ctx->facts->def, .wanted = wanted};

    return qemuMemoryChoose(&memory, ctx, error) ? qemuMemoryProps(&memory, ctx, error) : NULL;
}

/* --- -m --- */

static uint64_t
qemuArgvInitialKiB(const virDomainDef *def, const qemuBuildContext *ctx)
{
    const virDomainNuma *numa = &def->cpu.numa;
    uint64_t sum = 0;

    if (virDomainNumaCount(numa) == 0)
        return qemuArgvAlignedKiB(ctx, virDomainMemoryInitialKiB(def));
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++)
        sum += qemuArgvAlignedKiB(ctx, virDomainNumaCell(numa, i)->memoryKiB);
    return sum;
}

static bool
qemuArgvMainMemory(const virDomainDef *def, const qemuBuildContext *ctx, const char *id,
                   qmpPlan *plan, GError **error)
{
    const qemuMemoryBackend wanted = {
        .id = id, .alias = id, .sizeKiB = qemuArgvInitialKiB(def, ctx), .node = -1};
    virJSON *props = qemuMemoryBackendProps(&wanted, ctx, error);

    if (!props)
        return false;
    qmpPlanObject(plan, props);
    return true;
}

/* Before memory was an object: a path for all of it. */
bool
qemuArgvMemoryPath(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error)
{
    const qemuMemoryBackend wanted = {.id = "ram", .alias = "ram", .node = -1};
    qemuMemoryPlan memory = {.def = def, .wanted = &wanted};
    g_autoptr(virJSON) props = virJSONObject();

    if (!qemuMemoryChoose(&memory, ctx, error))
        return false;
    if ((memory.huge || def->memory.source == VIR_DOMAIN_MEMORY_SOURCE_FILE) &&
        !qemuMemoryAddPath(props, &memory, ctx, error))
        return false;
    if (memory.prealloc)
        qmpPlanArg(plan, "-mem-prealloc", NULL);
    if (virJSONGetString(props, "mem-path"))
        qmpPlanArg(plan, "-mem-path", virJSONGetString(props, "mem-path"));
    return true;
}

/* More than can be counted in bytes, once rounded up. */
static bool
qemuArgvFits(const virDomainDef *def, const qemuBuildContext *ctx, GError **error)
{
    const virDomainNuma *numa = &def->cpu.numa;
    const uint64_t max = INT64_MAX / 1024;

    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (qemuArgvAlignedKiB(ctx, virDomainNumaCell(numa, i)->memoryKiB) > max)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("memory size of NUMA node '%u' overflowed after alignment"), i);
    }
    if (qemuArgvInitialKiB(def, ctx) > max)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("initial memory size overflowed after alignment"));
    return true;
}

bool
qemuArgvMemory(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const qmpMachine *machine = qmpCapsMachine(ctx->caps, qemuDomainAccel(def), def->os.machine);
    uint64_t initial = qemuArgvInitialKiB(def, ctx);

    if (!qemuArgvFits(def, ctx, error))
        return false;
    if (def->memory.max.value)
        qmpPlanArgF(plan, "-m", "size=%" PRIu64 "k,slots=%" PRIu64 ",maxmem=%" PRIu64 "k", initial,
                    def->memory.slots.value, qemuArgvAlignedKiB(ctx, def->memory.max.value));
    else
        qmpPlanArgF(plan, "-m", "%" PRIu64, initial / 1024);
    if (virDomainNumaCount(&def->cpu.numa))
        return true;
    if (machine && machine->defaultRamId)
        return qemuArgvMainMemory(def, ctx, machine->defaultRamId, plan, error);
    return qemuArgvMemoryPath(def, ctx, plan, error);
}

bool
qemuArgvIOThreads(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error)
{
    for (guint i = 0; i < virDomainIOThreadCount(&def->iothreads); i++) {
        const virDomainIOThread *iothread = virDomainIOThreadAt(&def->iothreads, i);
        virJSON *props = virJSONObject();

        virJSONAddString(props, "qom-type", "iothread");
        virJSONAddStringF(props, "id", "iothread%u", iothread->id);
        if (iothread->poolMin.set)
            virJSONAddUInt(props, "thread-pool-min", iothread->poolMin.value);
        if (iothread->poolMax.set)
            virJSONAddUInt(props, "thread-pool-max", iothread->poolMax.value);
        qmpPlanObject(plan, props);
    }
    return true;
}
