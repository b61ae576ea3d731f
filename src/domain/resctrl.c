/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resctrl.c: <cachetune> and <memorytune> of <cputune>: shares of the cache and of the memory
 * bandwidth for groups of vCPUs. Groups may not share a vCPU, unless they are the same set. */
#include <inttypes.h>
#include <string.h>

#include "domain/def.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virResctrlCacheType, VIR_RESCTRL_CACHE_LAST, "both", "code", "data");

/* Deepest cache level, most caches and nodes that a text may name. */
enum { VIR_RESCTRL_LEVEL_MAX = 64, VIR_RESCTRL_ITEMS_MAX = 4096 };

static void
virResctrlMonitorFree(void *opaque)
{
    virResctrlMonitor *monitor = opaque;

    virBitmapFree(monitor->vcpus);
    g_free(monitor->id);
    g_free(monitor);
}

static void
virDomainResctrlFree(void *opaque)
{
    virDomainResctrl *group = opaque;

    if (!group)
        return;
    virBitmapFree(group->vcpus);
    g_free(group->id);
    g_array_unref(group->caches);
    g_array_unref(group->bandwidths);
    g_ptr_array_unref(group->monitors);
    g_ptr_array_unref(group->memoryMonitors);
    g_free(group);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainResctrl, virDomainResctrlFree)

static virDomainResctrl *
virDomainResctrlNew(void)
{
    virDomainResctrl *group = g_new0(virDomainResctrl, 1);

    group->caches = g_array_new(FALSE, FALSE, sizeof(virResctrlCache));
    group->bandwidths = g_array_new(FALSE, FALSE, sizeof(virResctrlBandwidth));
    group->monitors = g_ptr_array_new_with_free_func(virResctrlMonitorFree);
    group->memoryMonitors = g_ptr_array_new_with_free_func(virResctrlMonitorFree);
    return group;
}

static bool
virResctrlNumber(const xmlNode *node, const char *name, uint64_t max, unsigned *ret, GError **error)
{
    uint64_t value;
    bool set;

    if (!virFieldAttrUInt(node, name, 10, max, &set, &value, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), name,
                           (const char *)node->name);
    *ret = (unsigned)value;
    return true;
}

/* The set of vCPUs, without those the guest does not have. */
static virBitmap *
virResctrlParseVcpus(const virDomainDef *def, const xmlNode *node, GError **error)
{
    const char *element = (const char *)node->name;
    g_autofree char *text = virXMLAttr(node, "vcpus");
    virBitmap *map;

    if (!text) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("Missing %s attribute 'vcpus'"), element);
        return NULL;
    }
    map = virBitmapParse(text, VIR_DOMAIN_CPUMASK_LEN, NULL);
    if (!map) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid %s attribute 'vcpus' value '%s'"), element,
                    text);
        return NULL;
    }
    for (long last; (last = virBitmapLast(map)) >= (long)virDomainVcpusMax(&def->vcpus);)
        virBitmapClear(map, (size_t)last);
    return map;
}

/* The group of exactly these vCPUs in *retGroup, NULL if there is none. */
static bool
virDomainResctrlFind(const virDomainDef *def, const virBitmap *vcpus, virDomainResctrl **retGroup,
                     GError **error)
{
    *retGroup = NULL;
    for (guint i = 0; def->tune.resctrls && i < def->tune.resctrls->len; i++) {
        virDomainResctrl *group = g_ptr_array_index(def->tune.resctrls, i);

        if (virBitmapEqual(group->vcpus, vcpus))
            *retGroup = group;
        else if (virBitmapOverlaps(group->vcpus, vcpus))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Overlapping vcpus in resctrls"));
    }
    return true;
}

static void
virDomainResctrlAdd(virDomainDef *def, virDomainResctrl *group)
{
    if (!def->tune.resctrls)
        def->tune.resctrls = g_ptr_array_new_with_free_func(virDomainResctrlFree);
    g_ptr_array_add(def->tune.resctrls, group);
}

/* --- caches --- */

static bool
virResctrlCacheCollides(const virResctrlCache *a, const virResctrlCache *b)
{
    return a->level == b->level && a->id == b->id &&
           (a->type == b->type || a->type == VIR_RESCTRL_CACHE_BOTH ||
            b->type == VIR_RESCTRL_CACHE_BOTH);
}

static bool
virResctrlCacheParse(virDomainResctrl *group, const xmlNode *node, GError **error)
{
    virResctrlCache cache = {0};
    g_autofree char *type = virXMLAttr(node, "type");
    bool set;

    if (!virResctrlNumber(node, "id", VIR_RESCTRL_ITEMS_MAX, &cache.id, error) ||
        !virResctrlNumber(node, "level", VIR_RESCTRL_LEVEL_MAX, &cache.level, error))
        return false;
    if (!type || (cache.type = virResctrlCacheTypeFromString(type)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid cachetune attribute 'type' value '%s'"), type ? type : "");
    if (!virXMLScaled(node, "@size", 1024, UINT64_MAX, true, &set, &cache.size, error))
        return false;
    for (guint i = 0; i < group->caches->len; i++) {
        if (virResctrlCacheCollides(&g_array_index(group->caches, virResctrlCache, i), &cache))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Colliding cache allocations for cache level '%u' id '%u', type "
                                 "'%s'"),
                               cache.level, cache.id, virResctrlCacheTypeToString(cache.type));
    }
    g_array_append_val(group->caches, cache);
    return true;
}

static bool
virResctrlMonitorsParse(const virDomainDef *def, GPtrArray *monitors, const virBitmap *vcpus,
                        bool hasLevel, const xmlNode *node, GError **error)
{
    virXMLForEachChildNamed (node, child, "monitor") {
        virResctrlMonitor *monitor = g_new0(virResctrlMonitor, 1);

        g_ptr_array_add(monitors, monitor);
        if (hasLevel &&
            !virResctrlNumber(child, "level", VIR_RESCTRL_LEVEL_MAX, &monitor->level, error))
            return false;
        if (hasLevel && monitor->level != 3)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("Invalid monitor cache level '%u'"), monitor->level);
        if (!(monitor->vcpus = virResctrlParseVcpus(def, child, error)))
            return false;
        virBitmapForEach(monitor->vcpus, vcpu)
        {
            if (!virBitmapHas(vcpus, (size_t)vcpu))
                return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                                   _("Monitor vcpus conflicts with allocation"));
        }
        for (guint i = 0; i + 1 < monitors->len; i++) {
            const virResctrlMonitor *other = g_ptr_array_index(monitors, i);

            if (!virBitmapEqual(other->vcpus, vcpus) && !virBitmapEqual(monitor->vcpus, vcpus) &&
                virBitmapOverlaps(other->vcpus, monitor->vcpus))
                return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                                   _("Monitor vcpus conflicts with monitors"));
        }
    }
    return true;
}

static bool
virDomainCachetuneParse(virDomainDef *def, const xmlNode *node, unsigned parseFlags, GError **error)
{
    g_autoptr(virBitmap) vcpus = virResctrlParseVcpus(def, node, error);
    g_autoptr(virDomainResctrl) group = NULL;
    virDomainResctrl *same;

    if (!vcpus)
        return false;
    if (virBitmapIsEmpty(vcpus))
        return true;
    if (!virDomainResctrlFind(def, vcpus, &same, error))
        return false;
    if (same)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Identical vcpus in cachetunes found"));
    group = virDomainResctrlNew();
    virXMLForEachChildNamed (node, child, "cache") {
        if (!virResctrlCacheParse(group, child, error))
            return false;
    }
    if (!virResctrlMonitorsParse(def, group->monitors, vcpus, true, node, error))
        return false;
    if (group->caches->len == 0 && group->monitors->len == 0)
        return true;
    group->vcpus = g_steal_pointer(&vcpus);
    if (!(parseFlags & VIR_PARSE_INACTIVE))
        group->id = virXMLAttr(node, "id");
    virDomainResctrlAdd(def, g_steal_pointer(&group));
    return true;
}

/* --- memory bandwidth --- */

static bool
virResctrlBandwidthParse(virDomainResctrl *group, const xmlNode *node, GError **error)
{
    virResctrlBandwidth bandwidth;

    if (!virResctrlNumber(node, "id", VIR_RESCTRL_ITEMS_MAX, &bandwidth.node, error) ||
        !virResctrlNumber(node, "bandwidth", UINT32_MAX, &bandwidth.bandwidth, error))
        return false;
    if (bandwidth.bandwidth > 100)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Memory Bandwidth value exceeding 100 is invalid."));
    for (guint i = 0; i < group->bandwidths->len; i++) {
        if (g_array_index(group->bandwidths, virResctrlBandwidth, i).node == bandwidth.node)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Memory Bandwidth already defined for node %u"), bandwidth.node);
    }
    g_array_append_val(group->bandwidths, bandwidth);
    return true;
}

static bool
virDomainMemorytuneParse(virDomainDef *def, const xmlNode *node, unsigned parseFlags,
                         GError **error)
{
    g_autoptr(virBitmap) vcpus = virResctrlParseVcpus(def, node, error);
    g_autoptr(virDomainResctrl) fresh = NULL;
    virDomainResctrl *group;

    if (!vcpus)
        return false;
    if (virBitmapIsEmpty(vcpus))
        return true;
    if (!virDomainResctrlFind(def, vcpus, &group, error))
        return false;
    if (!group)
        group = fresh = virDomainResctrlNew();
    virXMLForEachChildNamed (node, child, "node") {
        if (!virResctrlBandwidthParse(group, child, error))
            return false;
    }
    if (!virResctrlMonitorsParse(def, group->memoryMonitors, vcpus, false, node, error))
        return false;
    if (!fresh || (fresh->bandwidths->len == 0 && fresh->memoryMonitors->len == 0))
        return true;
    fresh->vcpus = g_steal_pointer(&vcpus);
    if (!(parseFlags & VIR_PARSE_INACTIVE))
        fresh->id = virXMLAttr(node, "id");
    virDomainResctrlAdd(def, g_steal_pointer(&fresh));
    return true;
}

bool
virDomainResctrlsParse(virDomainDef *def, xmlNode *cputune, unsigned parseFlags, GError **error)
{
    virXMLForEachChildNamed (cputune, cache, "cachetune") {
        if (!virDomainCachetuneParse(def, cache, parseFlags, error))
            return false;
    }
    virXMLForEachChildNamed (cputune, memory, "memorytune") {
        if (!virDomainMemorytuneParse(def, memory, parseFlags, error))
            return false;
    }
    return true;
}

/* --- writing --- */

static void
virResctrlCacheFormat(const virResctrlCache *cache, virXMLWriter *w)
{
    const char *unit;
    uint64_t size = virScalePretty(cache->size, &unit);

    virXMLWriterOpen(w, "cache");
    virXMLWriterAttrF(w, "id", "%u", cache->id);
    virXMLWriterAttrF(w, "level", "%u", cache->level);
    virXMLWriterAttr(w, "type", virResctrlCacheTypeToString(cache->type));
    virXMLWriterAttrF(w, "size", "%" PRIu64, size);
    virXMLWriterAttr(w, "unit", unit);
    virXMLWriterClose(w);
}

static void
virResctrlMonitorsFormat(const GPtrArray *monitors, virXMLWriter *w)
{
    for (guint i = 0; i < monitors->len; i++) {
        const virResctrlMonitor *monitor = g_ptr_array_index(monitors, i);
        g_autofree char *vcpus = virBitmapFormat(monitor->vcpus);

        virXMLWriterOpen(w, "monitor");
        if (monitor->level)
            virXMLWriterAttrF(w, "level", "%u", monitor->level);
        virXMLWriterAttr(w, "vcpus", vcpus);
        virXMLWriterClose(w);
    }
}

static void
virResctrlOpen(const virDomainResctrl *group, const char *element, virXMLWriter *w,
               unsigned formatFlags)
{
    g_autofree char *vcpus = virBitmapFormat(group->vcpus);

    virXMLWriterOpen(w, element);
    virXMLWriterAttr(w, "vcpus", vcpus);
    if (!(formatFlags & VIR_FORMAT_INACTIVE))
        virXMLWriterAttr(w, "id", group->id);
}

/* Caches in the order of level, type and id. */
static int
virResctrlCacheOrder(const void *left, const void *right)
{
    const virResctrlCache *a = left;
    const virResctrlCache *b = right;

    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static void
virDomainCachetuneFormat(const virDomainResctrl *group, virXMLWriter *w, unsigned formatFlags)
{
    g_autoptr(GArray) caches = g_array_copy(group->caches);

    if (caches->len == 0 && group->monitors->len == 0)
        return;
    g_array_sort(caches, virResctrlCacheOrder);
    virResctrlOpen(group, "cachetune", w, formatFlags);
    for (guint i = 0; i < caches->len; i++)
        virResctrlCacheFormat(&g_array_index(caches, virResctrlCache, i), w);
    virResctrlMonitorsFormat(group->monitors, w);
    virXMLWriterClose(w);
}

static void
virDomainMemorytuneFormat(const virDomainResctrl *group, virXMLWriter *w, unsigned formatFlags)
{
    if (group->bandwidths->len == 0 && group->memoryMonitors->len == 0)
        return;
    virResctrlOpen(group, "memorytune", w, formatFlags);
    for (guint i = 0; i < group->bandwidths->len; i++) {
        const virResctrlBandwidth *at = &g_array_index(group->bandwidths, virResctrlBandwidth, i);

        virXMLWriterOpen(w, "node");
        virXMLWriterAttrF(w, "id", "%u", at->node);
        virXMLWriterAttrF(w, "bandwidth", "%u", at->bandwidth);
        virXMLWriterClose(w);
    }
    virResctrlMonitorsFormat(group->memoryMonitors, w);
    virXMLWriterClose(w);
}

void
virDomainResctrlsFormat(const virDomainTune *tune, virXMLWriter *w, unsigned formatFlags)
{
    for (guint i = 0; tune->resctrls && i < tune->resctrls->len; i++)
        virDomainCachetuneFormat(g_ptr_array_index(tune->resctrls, i), w, formatFlags);
    for (guint i = 0; tune->resctrls && i < tune->resctrls->len; i++)
        virDomainMemorytuneFormat(g_ptr_array_index(tune->resctrls, i), w, formatFlags);
}

void
virDomainResctrlsClear(virDomainTune *tune)
{
    g_clear_pointer(&tune->resctrls, g_ptr_array_unref);
}
