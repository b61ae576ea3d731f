/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.c: <maxMemory> <memory> <currentMemory> <memoryBacking>. */
#include "domain/memory.h"

#include <inttypes.h>

#include "device/memory/memory.h"
#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virDomainMemorySource, VIR_DOMAIN_MEMORY_SOURCE_LAST, "none", "file", "anonymous",
              "memfd");
VIR_ENUM_IMPL(virDomainMemoryAccess, VIR_DOMAIN_MEMORY_ACCESS_LAST, "default", "shared", "private");
VIR_ENUM_IMPL(virDomainMemoryAllocation, VIR_DOMAIN_MEMORY_ALLOCATION_LAST, "none", "immediate",
              "ondemand");

/* Guest nodes that a text may name. */
enum { VIR_DOMAIN_NODES_MAX = 1024 };

static const virField sizeFields[] = {
    VIR_FIELD_UINT("maxMemory@slots", virDomainMemory, slots, 0, UINT32_MAX,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("maxMemory", virDomainMemory, max, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("memory@dumpCore", virDomainMemory, dumpCore),
    VIR_FIELD_KIB("memory", virDomainMemory, total, .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("currentMemory", virDomainMemory, current),
    VIR_FIELD_END,
};

static void
virDomainHugepageClear(void *opaque)
{
    virBitmapFree(((virDomainHugepage *)opaque)->nodeset);
}

static bool
virDomainHugepageParse(virDomainHugepage *page, const xmlNode *node, GError **error)
{
    g_autofree char *nodeset = virXMLAttr(node, "nodeset");
    bool set;

    if (!virXMLMemory(node, "@size", true, &set, &page->sizeKiB, error))
        return false;
    if (page->sizeKiB == 0)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s", _("hugepage size can't be zero"));
    if (!nodeset)
        return true;
    page->nodeset = virBitmapParse(nodeset, VIR_DOMAIN_NODES_MAX, error);
    if (page->nodeset && virBitmapIsEmpty(page->nodeset))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid value of 'nodeset': %s"), nodeset);
    return page->nodeset;
}

static bool
virDomainHugepagesParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainMemory *memory = object;
    xmlNode *element = virXMLChildAt(node, "memoryBacking/hugepages");
    static const virDomainHugepage any;

    if (!element)
        return true;
    memory->hugepages = g_array_new(FALSE, TRUE, sizeof(virDomainHugepage));
    g_array_set_clear_func(memory->hugepages, virDomainHugepageClear);
    virXMLForEachChildNamed (element, child, "page") {
        g_array_append_val(memory->hugepages, any);
        if (!virDomainHugepageParse(
                &g_array_index(memory->hugepages, virDomainHugepage, memory->hugepages->len - 1),
                child, error))
            return false;
    }
    if (memory->hugepages->len == 0)
        g_array_append_val(memory->hugepages, any);
    return true;
}

static void
virDomainHugepagesFormat(const virDomainMemory *memory, virXMLWriter *w)
{
    if (!memory->hugepages)
        return;
    virXMLWriterOpen(w, "hugepages");
    for (guint i = 0; i < memory->hugepages->len; i++) {
        const virDomainHugepage *page = virDomainMemoryHugepage(memory, i);
        g_autofree char *nodeset = page->nodeset ? virBitmapFormat(page->nodeset) : NULL;

        if (page->sizeKiB == 0)
            continue;
        virXMLWriterOpen(w, "page");
        virXMLWriterAttrF(w, "size", "%" PRIu64, page->sizeKiB);
        virXMLWriterAttr(w, "unit", "KiB");
        virXMLWriterAttr(w, "nodeset", nodeset);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virDomainHugepagesClear(void *object)
{
    g_clear_pointer(&((virDomainMemory *)object)->hugepages, g_array_unref);
}

/* below <memoryBacking> */
static const virField backingFields[] = {
    VIR_FIELD_PRESENT("nosharepages", virDomainMemory, nosharepages),
    VIR_FIELD_PRESENT("locked", virDomainMemory, locked),
    VIR_FIELD_ENUM("source@type", virDomainMemory, source, virDomainMemorySourceNames),
    VIR_FIELD_ENUM("access@mode", virDomainMemory, access, virDomainMemoryAccessNames),
    VIR_FIELD_ENUM("allocation@mode", virDomainMemory, allocation, virDomainMemoryAllocationNames),
    VIR_FIELD_UINT("allocation@threads", virDomainMemory, allocationThreads, 1, UINT32_MAX),
    VIR_FIELD_PRESENT("discard", virDomainMemory, discard),
    VIR_FIELD_END,
};

static bool
virDomainMemoryBackingParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *element = virXMLFirstChild(node, "memoryBacking");

    return !element || (virDomainHugepagesParse(object, node, parseFlags, error) &&
                        virFieldParse(backingFields, object, element, parseFlags, error));
}

static void
virDomainMemoryBackingFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virXMLWriterOpen(w, "memoryBacking");
    virDomainHugepagesFormat(object, w);
    virFieldFormat(backingFields, object, w, formatFlags);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainMemoryBackingClear(void *object)
{
    virDomainHugepagesClear(object);
    virFieldClear(backingFields, object);
}

static const virField pageHolds[] = {
    VIR_HOLDS_SIZE("@size"),
    VIR_HOLDS("@nodeset"),
    VIR_FIELD_END,
};

static const virField hugepagesHolds[] = {
    VIR_HOLDS_ELEMENTS("page", pageHolds),
    VIR_FIELD_END,
};

static const virField memoryBackingHolds[] = {
    VIR_HOLDS_ROWS(backingFields),
    VIR_FIELD_CODE("hugepages", NULL, NULL, .holds = hugepagesHolds),
    VIR_FIELD_END,
};

static const virField memoryBackingFields[] = {
    VIR_FIELD_CODE("memoryBacking", virDomainMemoryBackingParse, virDomainMemoryBackingFormat,
                   .clear = virDomainMemoryBackingClear, .holds = memoryBackingHolds),
    VIR_FIELD_END,
};

uint64_t
virDomainMemoryDevicesKiB(const virDomainDef *def)
{
    return virMemoryDevicesKiB(def->devices);
}

uint64_t
virDomainMemoryInitialKiB(const virDomainDef *def)
{
    uint64_t devices = virDomainMemoryDevicesKiB(def);

    return def->memory.total.value > devices ? def->memory.total.value - devices : 0;
}

static bool
virDomainMemoryCompleteTotal(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainMemory *memory = &def->memory;
    uint64_t devices = virDomainMemoryDevicesKiB(def);
    uint64_t cells = 0;

    if (memory->total.value == 0 || (parseFlags & VIR_PARSE_ABI_UPDATE))
        cells = virDomainNumaMemoryKiB(&def->cpu.numa);
    if (cells)
        memory->total = virOptUIntOf(cells + devices);
    else if (devices > memory->total.value)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Total size of memory devices exceeds the total memory size"));
    if (virDomainMemoryInitialKiB(def) == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Memory size must be specified via <memory> or in the <numa> "
                             "configuration"));
    return true;
}

static bool
virDomainMemoryComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainMemory *memory = &def->memory;

    if (!virDomainMemoryCompleteTotal(def, parseFlags, error))
        return false;
    if (memory->current.value == 0 || memory->current.value > memory->total.value)
        memory->current = memory->total;
    if ((memory->max.value != 0) != (memory->slots.value != 0))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("both maximum memory size and memory slot count must be specified"));
    if (memory->max.value && memory->max.value < memory->total.value)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("maximum memory size must be equal or greater than the actual memory "
                             "size"));
    return true;
}

const virDomainSection virDomainMemorySection = {
    .name = "memory",
    .offset = offsetof(virDomainDef, memory),
    .fields = sizeFields,
    .complete = virDomainMemoryComplete,
};

/* Pages for guest node 0 are pages for all if the guest has no nodes. */
static bool
virDomainMemoryBackingComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    for (guint i = 0; i < virDomainMemoryHugepageCount(&def->memory); i++) {
        virDomainHugepage *page = &g_array_index(def->memory.hugepages, virDomainHugepage, i);

        if (virDomainNumaCount(&def->cpu.numa) == 0 && virBitmapHas(page->nodeset, 0) &&
            virBitmapLast(page->nodeset) == 0)
            g_clear_pointer(&page->nodeset, virBitmapFree);
    }
    return true;
}

const virDomainSection virDomainMemoryBackingSection = {
    .name = "memoryBacking",
    .offset = offsetof(virDomainDef, memory),
    .fields = memoryBackingFields,
    .complete = virDomainMemoryBackingComplete,
};
