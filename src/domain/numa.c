/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * numa.c: <numa> of <cpu>. */
#include "domain/numa.h"

#include <inttypes.h>

#include "domain/memory.h"
#include "domain/vcpus.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virNumaCacheAssociativity, VIR_NUMA_CACHE_ASSOCIATIVITY_LAST, "none", "direct",
              "full");
VIR_ENUM_IMPL(virNumaCachePolicy, VIR_NUMA_CACHE_POLICY_LAST, "none", "writeback", "writethrough");
VIR_ENUM_IMPL(virNumaInterconnectType, VIR_NUMA_INTERCONNECT_LAST, "none", "access", "read",
              "write");

/* QEMU's MAX_NODES; what ACPI calls local, remote and out of reach. */
enum { VIR_NUMA_CELLS_MAX = 128 };
enum { VIR_NUMA_LOCAL = 10, VIR_NUMA_REMOTE = 20, VIR_NUMA_UNREACHABLE = 255 };
enum { VIR_NUMA_CACHE_LEVEL_MAX = 255 };

static void
virNumaCellFree(void *opaque)
{
    virNumaCell *cell = opaque;

    virBitmapFree(cell->cpus);
    g_free(cell->distances);
    if (cell->caches)
        g_array_unref(cell->caches);
    g_free(cell);
}

uint64_t
virDomainNumaMemoryKiB(const virDomainNuma *numa)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < virDomainNumaCount(numa); i++)
        sum += virDomainNumaCell(numa, i)->memoryKiB;
    return sum;
}

unsigned
virDomainNumaCpuCount(const virDomainNuma *numa)
{
    size_t count = 0;

    for (unsigned i = 0; i < virDomainNumaCount(numa); i++)
        count += virBitmapCount(virDomainNumaCell(numa, i)->cpus);
    return (unsigned)count;
}

long
virDomainNumaCpuMax(const virDomainNuma *numa)
{
    long max = -1;

    for (unsigned i = 0; i < virDomainNumaCount(numa); i++)
        max = MAX(max, virBitmapLast(virDomainNumaCell(numa, i)->cpus));
    return max;
}

bool
virDomainNumaHasDistances(const virDomainNuma *numa)
{
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (virDomainNumaCell(numa, i)->distances)
            return true;
    }
    return false;
}

unsigned
virDomainNumaDistance(const virDomainNuma *numa, unsigned from, unsigned to)
{
    const virNumaCell *cell = virDomainNumaCell(numa, from);

    if (cell->distances && cell->distances[to])
        return cell->distances[to];
    return from == to ? VIR_NUMA_LOCAL : VIR_NUMA_REMOTE;
}

bool
virDomainNumaHasHMAT(const virDomainNuma *numa)
{
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (virDomainNumaCell(numa, i)->caches)
            return true;
    }
    return numa->interconnects && numa->interconnects->len;
}

/* --- reading --- */

static bool
virNumaNumber(const xmlNode *node, const char *name, uint64_t max, uint64_t *ret, GError **error)
{
    bool set;

    if (!virFieldAttrUInt(node, name, 10, max, &set, ret, error))
        return false;
    return set || virErrorSet(error, VIR_ERR_XML_ERROR,
                              _("Missing required attribute '%s' in element '%s'"), name,
                              (const char *)node->name);
}

/* Reads an attribute by a table; zero is no value. Absent is allowed unless required. */
static bool
virNumaEnum(const xmlNode *node, const char *name, const virEnum *names, bool required, int *ret,
            GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);

    if (!text)
        return !required || virErrorSet(error, VIR_ERR_XML_ERROR,
                                        _("Missing required attribute '%s' in element '%s'"), name,
                                        (const char *)node->name);
    *ret = virEnumFromString(names, text);
    /* "none" is a value of caches alone */
    if (*ret < 0 || (*ret == 0 && !required))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), name,
                           (const char *)node->name, text);
    return true;
}

static bool
virNumaDistanceSet(virDomainNuma *numa, unsigned from, unsigned to, unsigned value)
{
    virNumaCell *cell = virDomainNumaCell(numa, from);

    if (!cell->distances) {
        cell->distances = g_new0(unsigned char, virDomainNumaCount(numa));
        cell->distances[from] = VIR_NUMA_LOCAL;
    }
    if (cell->distances[to] && from != to)
        return cell->distances[to] == value;
    cell->distances[to] = (unsigned char)value;
    return true;
}

static bool
virNumaDistancesParse(virDomainNuma *numa, unsigned id, const xmlNode *node, GError **error)
{
    xmlNode *distances = virXMLFirstChild(node, "distances");

    if (distances && !virXMLFirstChild(distances, "sibling"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("NUMA distances defined without siblings"));
    virXMLForEachChildNamed (distances, child, "sibling") {
        uint64_t sibling;
        uint64_t value;

        if (!virNumaNumber(child, "id", UINT32_MAX, &sibling, error) ||
            !virNumaNumber(child, "value", UINT32_MAX, &value, error))
            return false;
        if (sibling >= virDomainNumaCount(numa))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("'sibling_id %" PRIu64 "' does not refer to a valid cell within "
                                 "NUMA 'cell id %u'"),
                               sibling, id);
        if (value < VIR_NUMA_LOCAL || value > VIR_NUMA_UNREACHABLE)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("'value %" PRIu64 "' is invalid for 'sibling id %" PRIu64
                                 "' under NUMA 'cell id %u'"),
                               value, sibling, id);
        if ((value == VIR_NUMA_LOCAL) != (sibling == id))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("'value %" PRIu64 "' is invalid for 'sibling id %" PRIu64
                                 "' under NUMA 'cell id %u'"),
                               value, sibling, id);
        (void)virNumaDistanceSet(numa, id, (unsigned)sibling, (unsigned)value);
        /* the way back is as long, unless it is given */
        (void)virNumaDistanceSet(numa, (unsigned)sibling, id, (unsigned)value);
    }
    return true;
}

static bool
virNumaCacheParse(virNumaCache *cache, const xmlNode *node, GError **error)
{
    uint64_t level;
    uint64_t size;
    bool set;

    if (!virNumaNumber(node, "level", VIR_NUMA_CACHE_LEVEL_MAX, &level, error) ||
        !virNumaEnum(node, "associativity", &virNumaCacheAssociativityNames, true,
                     &cache->associativity, error) ||
        !virNumaEnum(node, "policy", &virNumaCachePolicyNames, true, &cache->policy, error))
        return false;
    cache->level = (unsigned)level;
    if (level == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "level",
                           "cache", "0");
    return virXMLScaled(node, "size@value", 1024, INT64_MAX, true, &set, &size, error) &&
           (cache->sizeKiB = (size + 1023) / 1024, true) &&
           virXMLScaled(node, "line@value", 1, INT64_MAX, true, &set, &cache->lineBytes, error);
}

static int
virNumaCacheOrder(const void *a, const void *b)
{
    return (int)((const virNumaCache *)a)->level - (int)((const virNumaCache *)b)->level;
}

static bool
virNumaCachesParse(virNumaCell *cell, unsigned id, const xmlNode *node, GError **error)
{
    virXMLForEachChildNamed (node, child, "cache") {
        virNumaCache cache = {0};

        if (!virNumaCacheParse(&cache, child, error))
            return false;
        if (!cell->caches)
            cell->caches = g_array_new(FALSE, FALSE, sizeof(virNumaCache));
        for (guint i = 0; i < cell->caches->len; i++) {
            if (g_array_index(cell->caches, virNumaCache, i).level == cache.level)
                return virErrorSet(error, VIR_ERR_XML_ERROR, _("Cache level '%u' already defined"),
                                   cache.level);
        }
        g_array_append_val(cell->caches, cache);
    }
    if (cell->caches)
        g_array_sort(cell->caches, virNumaCacheOrder);
    return true;
}

static bool
virNumaCellParse(virDomainNuma *numa, unsigned id, const xmlNode *node, GError **error)
{
    virNumaCell *cell = virDomainNumaCell(numa, id);
    g_autofree char *cpus = virXMLAttr(node, "cpus");
    g_autofree char *discard = virXMLAttr(node, "discard");
    bool set;

    if (cpus && !(cell->cpus = virBitmapParse(cpus, VIR_DOMAIN_CPUMASK_LEN, error)))
        return false;
    if (cell->cpus && virBitmapIsEmpty(cell->cpus))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("NUMA cell %u has no vCPUs assigned"), id);
    if (!virXMLMemory(node, "@memory", true, &set, &cell->memoryKiB, error) ||
        !virNumaEnum(node, "memAccess", &virDomainMemoryAccessNames, false, &cell->memAccess,
                     error))
        return false;
    if (discard && !g_str_equal(discard, "yes") && !g_str_equal(discard, "no"))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "discard",
                           "cell", discard);
    if (discard)
        cell->discard = virTristateFromBool(g_str_equal(discard, "yes"));
    return virNumaDistancesParse(numa, id, node, error) &&
           virNumaCachesParse(cell, id, node, error);
}

static bool
virNumaInterconnectParse(virDomainNuma *numa, const xmlNode *node, GError **error)
{
    virNumaInterconnect link = {.bandwidth = virXMLNameIs(node, "bandwidth")};
    uint64_t initiator;
    uint64_t target;
    uint64_t cache = 0;
    bool set;

    if (!link.bandwidth && !virXMLNameIs(node, "latency"))
        return true;
    if (!virNumaNumber(node, "initiator", UINT32_MAX, &initiator, error) ||
        !virNumaNumber(node, "target", UINT32_MAX, &target, error) ||
        !virFieldAttrUInt(node, "cache", 10, VIR_NUMA_CACHE_LEVEL_MAX, &set, &cache, error) ||
        !virNumaEnum(node, "type", &virNumaInterconnectTypeNames, true, &link.type, error))
        return false;
    if (link.bandwidth ? !virXMLMemory(node, "@value", true, &set, &link.value, error)
                       : !virNumaNumber(node, "value", UINT64_MAX, &link.value, error))
        return false;
    if (link.type == 0 || link.value == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s'"),
                           link.type ? "value" : "type", (const char *)node->name);
    link.initiator = (unsigned)initiator;
    link.target = (unsigned)target;
    link.cache = (unsigned)cache;
    g_array_append_val(numa->interconnects, link);
    return true;
}

/* Cells may come in any order, with or without numbers. */
static bool
virNumaCellIds(virDomainNuma *numa, const xmlNode *element, GError **error)
{
    unsigned next = 0;

    virXMLForEachChildNamed (element, child, "cell") {
        uint64_t id = next++;
        bool set;

        if (!virFieldAttrUInt(child, "id", 10, UINT32_MAX, &set, &id, error))
            return false;
        if (id >= virDomainNumaCount(numa))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Exactly one 'cell' element per guest NUMA cell allowed, "
                                 "non-contiguous ranges or ranges not starting from 0 are not "
                                 "allowed"));
        if (virDomainNumaCell(numa, (unsigned)id)->given)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Duplicate NUMA cell info for cell id '%u'"), (unsigned)id);
        virDomainNumaCell(numa, (unsigned)id)->given = true;
        if (!virNumaCellParse(numa, (unsigned)id, child, error))
            return false;
    }
    return true;
}

static bool
virNumaCheckDisjoint(const virDomainNuma *numa, GError **error)
{
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        for (unsigned j = 0; j < i; j++) {
            if (virBitmapOverlaps(virDomainNumaCell(numa, i)->cpus,
                                  virDomainNumaCell(numa, j)->cpus))
                return virErrorSet(error, VIR_ERR_XML_ERROR,
                                   _("NUMA cells %u and %u have overlapping vCPU ids"), i, j);
        }
    }
    return true;
}

bool
virDomainNumaParse(virDomainNuma *numa, const xmlNode *cpu, GError **error)
{
    xmlNode *element = virXMLFirstChild(cpu, "numa");
    unsigned cells = 0;

    if (!element)
        return true;
    virXMLForEachChildNamed (element, child, "cell")
        cells++;
    if (cells == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("NUMA topology defined without NUMA cells"));
    if (cells > VIR_NUMA_CELLS_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%u NUMA cells, at most %d are supported"), cells, VIR_NUMA_CELLS_MAX);
    numa->cells = g_ptr_array_new_with_free_func(virNumaCellFree);
    for (unsigned i = 0; i < cells; i++)
        g_ptr_array_add(numa->cells, g_new0(virNumaCell, 1));
    numa->interconnects = g_array_new(FALSE, FALSE, sizeof(virNumaInterconnect));
    if (!virNumaCellIds(numa, element, error) || !virNumaCheckDisjoint(numa, error))
        return false;
    virXMLForEachChild (virXMLFirstChild(element, "interconnects"), link) {
        if (!virNumaInterconnectParse(numa, link, error))
            return false;
    }
    return true;
}

void
virDomainNumaClear(virDomainNuma *numa)
{
    g_clear_pointer(&numa->cells, g_ptr_array_unref);
    g_clear_pointer(&numa->interconnects, g_array_unref);
}

/* --- writing --- */

static void
virNumaSizeFormat(virXMLWriter *w, const char *element, uint64_t value, const char *unit)
{
    virXMLWriterOpen(w, element);
    virXMLWriterAttrF(w, "value", "%" PRIu64, value);
    virXMLWriterAttr(w, "unit", unit);
    virXMLWriterClose(w);
}

static void
virNumaCachesFormat(const virNumaCell *cell, virXMLWriter *w)
{
    for (guint i = 0; cell->caches && i < cell->caches->len; i++) {
        const virNumaCache *cache = &g_array_index(cell->caches, virNumaCache, i);

        virXMLWriterOpen(w, "cache");
        virXMLWriterAttrF(w, "level", "%u", cache->level);
        virXMLWriterAttr(w, "associativity",
                         virNumaCacheAssociativityToString(cache->associativity));
        virXMLWriterAttr(w, "policy", virNumaCachePolicyToString(cache->policy));
        virNumaSizeFormat(w, "size", cache->sizeKiB, "KiB");
        virNumaSizeFormat(w, "line", cache->lineBytes, "B");
        virXMLWriterClose(w);
    }
}

static void
virNumaDistancesFormat(const virDomainNuma *numa, const virNumaCell *cell, virXMLWriter *w)
{
    if (!cell->distances)
        return;
    virXMLWriterOpen(w, "distances");
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (!cell->distances[i])
            continue;
        virXMLWriterOpen(w, "sibling");
        virXMLWriterAttrF(w, "id", "%u", i);
        virXMLWriterAttrF(w, "value", "%u", cell->distances[i]);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virNumaCellFormat(const virDomainNuma *numa, unsigned id, virXMLWriter *w)
{
    const virNumaCell *cell = virDomainNumaCell(numa, id);
    g_autofree char *cpus = cell->cpus ? virBitmapFormat(cell->cpus) : NULL;

    virXMLWriterOpen(w, "cell");
    virXMLWriterAttrF(w, "id", "%u", id);
    virXMLWriterAttr(w, "cpus", cpus);
    virXMLWriterAttrF(w, "memory", "%" PRIu64, cell->memoryKiB);
    virXMLWriterAttr(w, "unit", "KiB");
    if (cell->memAccess)
        virXMLWriterAttr(w, "memAccess", virDomainMemoryAccessToString(cell->memAccess));
    if (cell->discard != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "discard", cell->discard == VIR_TRISTATE_YES ? "yes" : "no");
    virNumaDistancesFormat(numa, cell, w);
    virNumaCachesFormat(cell, w);
    virXMLWriterClose(w);
}

static void
virNumaInterconnectFormat(const virNumaInterconnect *link, virXMLWriter *w)
{
    virXMLWriterOpen(w, link->bandwidth ? "bandwidth" : "latency");
    virXMLWriterAttrF(w, "initiator", "%u", link->initiator);
    virXMLWriterAttrF(w, "target", "%u", link->target);
    if (link->cache)
        virXMLWriterAttrF(w, "cache", "%u", link->cache);
    virXMLWriterAttr(w, "type", virNumaInterconnectTypeToString(link->type));
    virXMLWriterAttrF(w, "value", "%" PRIu64, link->value);
    if (link->bandwidth)
        virXMLWriterAttr(w, "unit", "KiB");
    virXMLWriterClose(w);
}

void
virDomainNumaFormat(const virDomainNuma *numa, virXMLWriter *w)
{
    if (virDomainNumaCount(numa) == 0)
        return;
    virXMLWriterOpen(w, "numa");
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++)
        virNumaCellFormat(numa, i, w);
    virXMLWriterOpen(w, "interconnects");
    for (guint i = 0; i < numa->interconnects->len; i++)
        virNumaInterconnectFormat(&g_array_index(numa->interconnects, virNumaInterconnect, i), w);
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterClose(w);
}

bool
virDomainNumaSame(const virDomainNuma *a, const virDomainNuma *b, GError **error)
{
    if (virDomainNumaCount(a) != virDomainNumaCount(b))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("NUMA node count in target %u does not match source %u"),
                           virDomainNumaCount(b), virDomainNumaCount(a));
    for (unsigned i = 0; i < virDomainNumaCount(a); i++) {
        const virNumaCell *was = virDomainNumaCell(a, i);
        const virNumaCell *is = virDomainNumaCell(b, i);

        if (was->memoryKiB != is->memoryKiB)
            return virErrorSet(
                error, VIR_ERR_CONFIG_UNSUPPORTED,
                _("Size of target NUMA node %u (%" PRIu64 ") does not match source (%" PRIu64 ")"),
                i, is->memoryKiB, was->memoryKiB);
        if (!virBitmapEqual(was->cpus, is->cpus))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("Processor mask of target NUMA node %u does not match source"), i);
        for (unsigned j = 0; j < virDomainNumaCount(a); j++) {
            if (virDomainNumaDistance(a, i, j) != virDomainNumaDistance(b, i, j))
                return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                   _("Target NUMA distance from %u to %u doesn't match source"), i,
                                   j);
        }
    }
    return true;
}
