/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * numatune.c: <numatune>: on which nodes of the host the guest's memory lies. */
#include <inttypes.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virNumatuneMode, VIR_NUMATUNE_MODE_LAST, "strict", "preferred", "interleave",
              "restrictive");
VIR_ENUM_IMPL(virNumatunePlacement, VIR_NUMATUNE_PLACEMENT_LAST, "default", "static", "auto");

/* Nodes of the host that a text may name. */
enum { VIR_NUMATUNE_NODES_MAX = 1024 };

static void
virDomainMemnodeFree(void *opaque)
{
    virDomainMemnode *memnode = opaque;

    virBitmapFree(memnode->nodeset);
    g_free(memnode);
}

const virDomainMemnode *
virDomainNumatuneMemnode(const virDomainNumatune *numa, unsigned cell)
{
    for (guint i = 0; numa->memnodes && i < numa->memnodes->len; i++) {
        const virDomainMemnode *memnode = g_ptr_array_index(numa->memnodes, i);

        if (memnode->cell == cell)
            return memnode;
    }
    return NULL;
}

const virBitmap *
virDomainNumatuneNodeset(const virDomainNumatune *numa, unsigned cell, int *retMode)
{
    const virDomainMemnode *memnode = virDomainNumatuneMemnode(numa, cell);

    if (memnode) {
        *retMode = memnode->mode;
        return memnode->nodeset;
    }
    if (numa->specified && numa->nodeset)
        *retMode = numa->mode;
    return numa->specified ? numa->nodeset : NULL;
}

static virBitmap *
virDomainNodesetParse(const char *text, GError **error)
{
    g_autoptr(virBitmap) map = virBitmapParse(text, VIR_NUMATUNE_NODES_MAX, error);

    if (map && virBitmapIsEmpty(map)) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid value of 'nodeset': %s"), text);
        return NULL;
    }
    return g_steal_pointer(&map);
}

static bool
virDomainNumatuneParseMemory(virDomainNumatune *numa, const xmlNode *node, GError **error)
{
    g_autofree char *mode = virXMLAttr(node, "mode");
    g_autofree char *placement = virXMLAttr(node, "placement");
    g_autofree char *nodeset = virXMLAttr(node, "nodeset");

    numa->specified = mode || placement || nodeset;
    if (mode && (numa->mode = virNumatuneModeFromString(mode)) < 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Unsupported NUMA memory tuning mode '%s'"), mode);
    if (placement && (numa->placement = virNumatunePlacementFromString(placement)) <= 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Unsupported NUMA memory placement mode '%s'"), placement);
    if (nodeset && !(numa->nodeset = virDomainNodesetParse(nodeset, error)))
        return false;
    if (numa->nodeset && numa->placement == VIR_NUMATUNE_PLACEMENT_DEFAULT)
        numa->placement = VIR_NUMATUNE_PLACEMENT_STATIC;
    return true;
}

/* A placement left open follows that of the vCPUs; an element that says nothing is none. */
static bool
virDomainNumatunePlace(virDomainNumatune *numa, const virDomainVcpus *vcpus, GError **error)
{
    bool isStatic = vcpus->placement == VIR_DOMAIN_CPU_PLACEMENT_STATIC;

    if (!numa->specified && !isStatic) {
        numa->specified = true;
        numa->placement = VIR_NUMATUNE_PLACEMENT_AUTO;
    }
    if (!numa->specified)
        return true;
    if (numa->placement == VIR_NUMATUNE_PLACEMENT_DEFAULT)
        numa->placement = isStatic ? VIR_NUMATUNE_PLACEMENT_STATIC : VIR_NUMATUNE_PLACEMENT_AUTO;
    if (numa->placement == VIR_NUMATUNE_PLACEMENT_STATIC && !numa->nodeset)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("nodeset for NUMA memory tuning must be set if 'placement' is "
                             "'static'"));
    if (numa->placement == VIR_NUMATUNE_PLACEMENT_AUTO)
        g_clear_pointer(&numa->nodeset, virBitmapFree);
    return true;
}

static bool
virDomainMemnodeParse(virDomainNumatune *numa, const xmlNode *node, GError **error)
{
    virDomainMemnode *memnode = g_new0(virDomainMemnode, 1);
    g_autofree char *cell = virXMLAttr(node, "cellid");
    g_autofree char *mode = virXMLAttr(node, "mode");
    g_autofree char *nodeset = virXMLAttr(node, "nodeset");
    uint64_t number;
    bool set;

    g_ptr_array_add(numa->memnodes, memnode);
    if (!cell)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Missing required cellid attribute in memnode element"));
    if (!virFieldAttrUInt(node, "cellid", 10, UINT32_MAX, &set, &number, NULL))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid cellid attribute in memnode element: %s"), cell);
    if (mode && (memnode->mode = virNumatuneModeFromString(mode)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Invalid mode attribute in memnode element"));
    if (!nodeset)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Missing required nodeset attribute in memnode element"));
    memnode->cell = (unsigned)number;
    memnode->nodeset = virDomainNodesetParse(nodeset, error);
    return memnode->nodeset;
}

static bool
virDomainNumatuneParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainDef *def = object;
    virDomainNumatune *numa = &def->tune.numa;
    xmlNode *element = virXMLFirstChild(node, "numatune");
    xmlNode *memory = virXMLFirstChild(element, "memory");

    if (element && virXMLNext(element, "numatune"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("cannot use multiple numatune elements"));
    numa->memnodes = g_ptr_array_new_with_free_func(virDomainMemnodeFree);
    if (memory && !virDomainNumatuneParseMemory(numa, memory, error))
        return false;
    if (!virDomainNumatunePlace(numa, &def->vcpus, error))
        return false;
    virXMLForEachChildNamed (element, child, "memnode") {
        if (!virDomainMemnodeParse(numa, child, error))
            return false;
    }
    return true;
}

static int
virDomainMemnodeOrder(const void *left, const void *right)
{
    const virDomainMemnode *a = *(const virDomainMemnode *const *)left;
    const virDomainMemnode *b = *(const virDomainMemnode *const *)right;

    return (a->cell > b->cell) - (a->cell < b->cell);
}

static void
virDomainNumatuneFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainNumatune *numa = &((const virDomainDef *)object)->tune.numa;
    g_autofree char *nodeset = numa->nodeset ? virBitmapFormat(numa->nodeset) : NULL;

    virXMLWriterOpen(w, "numatune");
    if (numa->specified) {
        virXMLWriterOpen(w, "memory");
        virXMLWriterAttr(w, "mode", virNumatuneModeToString(numa->mode));
        if (numa->placement == VIR_NUMATUNE_PLACEMENT_STATIC)
            virXMLWriterAttr(w, "nodeset", nodeset);
        else
            virXMLWriterAttr(w, "placement", virNumatunePlacementToString(numa->placement));
        virXMLWriterClose(w);
    }
    for (guint i = 0; numa->memnodes && i < numa->memnodes->len; i++) {
        const virDomainMemnode *memnode = g_ptr_array_index(numa->memnodes, i);
        g_autofree char *nodes = virBitmapFormat(memnode->nodeset);

        virXMLWriterOpen(w, "memnode");
        virXMLWriterAttrF(w, "cellid", "%u", memnode->cell);
        virXMLWriterAttr(w, "mode", virNumatuneModeToString(memnode->mode));
        virXMLWriterAttr(w, "nodeset", nodes);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainNumatuneClear(void *object)
{
    virDomainNumatune *numa = &((virDomainDef *)object)->tune.numa;

    g_clear_pointer(&numa->nodeset, virBitmapFree);
    g_clear_pointer(&numa->memnodes, g_ptr_array_unref);
}

static const virField memnodeHolds[] = {
    VIR_HOLDS_UINT("@cellid"),
    VIR_HOLDS_ENUM("@mode", virNumatuneModeNames),
    VIR_HOLDS("@nodeset"),
    VIR_FIELD_END,
};

static const virField numatuneHolds[] = {
    VIR_HOLDS_ENUM("memory@mode", virNumatuneModeNames),
    VIR_HOLDS_ENUM("memory@placement", virNumatunePlacementNames),
    VIR_HOLDS("memory@nodeset"),
    VIR_HOLDS_ELEMENTS("memnode", memnodeHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("numatune", virDomainNumatuneParse, virDomainNumatuneFormat,
                   .clear = virDomainNumatuneClear, .holds = numatuneHolds),
    VIR_FIELD_END,
};

static bool
virDomainHasPins(const virDomainDef *def)
{
    bool pinned = def->vcpus.cpuset || def->tune.cpu.emulatorPin;

    for (guint i = 0; i < virDomainVcpusMax(&def->vcpus); i++)
        pinned |= virDomainVcpuAt(&def->vcpus, i)->pin != NULL;
    for (guint i = 0; i < virDomainIOThreadCount(&def->iothreads); i++)
        pinned |= virDomainIOThreadAt(&def->iothreads, i)->pin != NULL;
    return pinned;
}

/* Cells are known only now; vCPUs follow memory that is placed by itself. */
static bool
virDomainNumatuneComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainNumatune *numa = &def->tune.numa;
    unsigned cells = virDomainNumaCount(&def->cpu.numa);

    if (numa->memnodes->len && cells == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Element 'memnode' is invalid without any guest NUMA node"));
    if (numa->memnodes->len && numa->specified && numa->placement == VIR_NUMATUNE_PLACEMENT_AUTO)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Per-node binding is not compatible with automatic NUMA placement."));
    g_ptr_array_sort(numa->memnodes, virDomainMemnodeOrder);
    for (guint i = 0; i < numa->memnodes->len; i++) {
        const virDomainMemnode *memnode = g_ptr_array_index(numa->memnodes, i);

        if (memnode->cell >= cells)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Argument 'cellid' in memnode element must correspond to existing "
                                 "guest's NUMA cell"));
        if (virDomainNumatuneMemnode(numa, memnode->cell) != memnode)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Multiple memnode elements with cellid %u"), memnode->cell);
    }
    if (numa->specified && numa->placement == VIR_NUMATUNE_PLACEMENT_AUTO && !virDomainHasPins(def))
        def->vcpus.placement = VIR_DOMAIN_CPU_PLACEMENT_AUTO;
    return true;
}

const virDomainSection virDomainNumatuneSection = {
    .name = "numatune",
    .offset = 0,
    .fields = fields,
    .complete = virDomainNumatuneComplete,
};
