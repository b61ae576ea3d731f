/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * checkmemory.c: memory, what backs it, guest nodes. */
#include <inttypes.h>
#include <string.h>

#include "qemu/check.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

static bool
qemuCheckMemorySlots(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virDomainMemory *memory = &def->memory;

    if (!memory->slots.value)
        return true;
    if (virDomainNumaCount(&def->cpu.numa) == 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("At least one numa node has to be configured when enabling memory "
                             "hotplug"));
    return true;
}

static bool
qemuCheckHugepageNodes(const virDomainDef *def, const virDomainHugepage *page, GError **error)
{
    unsigned cells = virDomainNumaCount(&def->cpu.numa);
    long last = page->nodeset ? virBitmapLast(page->nodeset) : -1;

    if (last < 0)
        return true;
    if (last >= (long)cells)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, _("hugepages: node %ld not found"),
                           cells ? virBitmapNext(page->nodeset, cells) : last);
    return true;
}

static bool
qemuCheckHugepages(const virDomainDef *def, GError **error)
{
    const virDomainMemory *memory = &def->memory;

    for (guint i = 0; i < virDomainMemoryHugepageCount(memory); i++) {
        const virDomainHugepage *page = virDomainMemoryHugepage(memory, i);

        if (!qemuCheckHugepageNodes(def, page, error))
            return false;
        for (guint j = 0; j < i; j++) {
            const virDomainHugepage *other = virDomainMemoryHugepage(memory, j);

            if (page->nodeset && other->nodeset && virBitmapOverlaps(page->nodeset, other->nodeset))
                return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                   _("nodeset attribute of hugepages with sizes %" PRIu64
                                     " and %" PRIu64 " intersect"),
                                   page->sizeKiB, other->sizeKiB);
            if (!page->nodeset && !other->nodeset)
                return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                   _("two master hugepages detected: %" PRIu64 " and %" PRIu64),
                                   page->sizeKiB, other->sizeKiB);
        }
    }
    return true;
}

static bool
qemuCheckMemoryBacking(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virDomainMemory *memory = &def->memory;
    bool huge = virDomainMemoryHugepageCount(memory) != 0;

    if (huge && memory->allocation == VIR_DOMAIN_MEMORY_ALLOCATION_ONDEMAND)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("hugepages are not allowed with memory allocation ondemand"));
    if (huge && memory->source == VIR_DOMAIN_MEMORY_SOURCE_ANONYMOUS)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("hugepages are not allowed with anonymous memory source"));
    if (memory->source == VIR_DOMAIN_MEMORY_SOURCE_MEMFD &&
        !qmpCapsHas(caps, QMP_CAPS_MEMORY_BACKEND_MEMFD))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("hugepages is not supported with memfd memory source"));
    return qemuCheckHugepages(def, error);
}

static bool
qemuCheckNumatune(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virDomainNumatune *tune = &def->tune.numa;
    bool ram = qmpCapsHas(caps, QMP_CAPS_MEMORY_BACKEND_RAM);

    if (tune->memnodes->len && !ram && !qmpCapsHas(caps, QMP_CAPS_MEMORY_BACKEND_FILE))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Per-node memory binding is not supported with this QEMU"));
    return true;
}

/* Runs of numbers with gaps between, which QEMU of old can't be told. */
static bool
qemuCheckCellIsWhole(const virNumaCell *cell)
{
    return !cell->cpus || virBitmapCount(cell->cpus) == (size_t)(virBitmapLast(cell->cpus) -
                                                                 virBitmapNext(cell->cpus, 0) + 1);
}

static bool
qemuCheckCell(const virDomainDef *def, unsigned id, const qmpCaps *caps, GError **error)
{
    const virNumaCell *cell = virDomainNumaCell(&def->cpu.numa, id);

    if (!qemuCheckCellIsWhole(cell) && !qmpCapsHas(caps, QMP_CAPS_NUMA))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("disjoint NUMA cpu ranges are not supported with this QEMU"));
    if (cell->memAccess == VIR_DOMAIN_MEMORY_ACCESS_SHARED &&
        !qmpCapsHas(caps, QMP_CAPS_MEMORY_BACKEND_FILE) &&
        !qmpCapsHas(caps, QMP_CAPS_MEMORY_BACKEND_MEMFD))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Shared memory mapping is not supported with this QEMU"));
    return true;
}

static bool
qemuCheckNuma(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virDomainNuma *numa = &def->cpu.numa;

    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (!qemuCheckCell(def, i, caps, error))
            return false;
    }
    if (virDomainNumaCount(numa) == 0)
        return true;
    if (virDomainNumaHasHMAT(numa) && !qmpCapsHas(caps, QMP_CAPS_NUMA_HMAT))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("HMAT is not supported with this QEMU"));
    if (virDomainNumaHasDistances(numa) && !qmpCapsHas(caps, QMP_CAPS_NUMA_DIST))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("setting NUMA distances is not supported with this qemu"));
    return true;
}

bool
qemuCheckMemory(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                GError **error)
{
    return qemuCheckMemorySlots(def, caps, error) && qemuCheckMemoryBacking(def, caps, error) &&
           qemuCheckNuma(def, caps, error) && qemuCheckNumatune(def, caps, error);
}
