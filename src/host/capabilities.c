/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * capabilities.c: the <host> element and the frame around it, laid out as libvirt does. */
#include "host/capabilities.h"

#include <inttypes.h>
#include <string.h>

#include "host/cpu.h"
#include "util/virerror.h"
#include "util/virutil.h"
#include "util/virxml.h"

virHostCapabilities *
virHostCapabilitiesRead(GError **error)
{
    static const char *const transports[] = {"tcp", "rdma", NULL};
    g_autoptr(virHostCapabilities) caps = g_new0(virHostCapabilities, 1);
    const virCPUDef *cpu = virHostCPUGet(error);

    if (!cpu)
        return NULL;
    caps->cpu = virCPUDefCopy(cpu);
    caps->pageSizes = virHostTopologyPageSizes(VIR_HOST_HUGEPAGES);
    caps->suspend = virHostSuspendRead();
    caps->hasIOMMU = virHostHasIOMMU();
    caps->canMigrate = caps->canMigrateLive = true;
    caps->transports = transports;
    caps->topology = virHostTopologyRead(VIR_HOST_SYSTEM);
    virHostTopologyReadMemory(caps->topology, VIR_HOST_SYSTEM);
    caps->caches = virHostCachesRead(VIR_HOST_SYSTEM, VIR_HOST_RESCTRL);
    return g_steal_pointer(&caps);
}

void
virHostCapabilitiesFree(virHostCapabilities *caps)
{
    if (!caps)
        return;
    virCPUDefFree(caps->cpu);
    g_clear_pointer(&caps->pageSizes, g_array_unref);
    virHostTopologyFree(caps->topology);
    virHostCachesFree(caps->caches);
    g_free(caps);
}

/* --- processors and what the host can --- */

static void
virHostFormatCPU(virXMLWriter *w, const virHostCapabilities *caps)
{
    virCPUDefFormatOpen(w, caps->cpu);
    for (guint i = 0; caps->pageSizes && i < caps->pageSizes->len; i++) {
        virXMLWriterOpen(w, "pages");
        virXMLWriterAttr(w, "unit", "KiB");
        virXMLWriterAttrF(w, "size", "%" PRIu64, g_array_index(caps->pageSizes, uint64_t, i));
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virHostFormatFlag(virXMLWriter *w, const char *element, bool on)
{
    if (!on)
        return;
    virXMLWriterOpen(w, element);
    virXMLWriterClose(w);
}

static void
virHostFormatAbilities(virXMLWriter *w, const virHostCapabilities *caps)
{
    virXMLWriterOpen(w, "power_management");
    virHostFormatFlag(w, "suspend_mem", caps->suspend & VIR_HOST_SUSPEND_MEM);
    virHostFormatFlag(w, "suspend_disk", caps->suspend & VIR_HOST_SUSPEND_DISK);
    virHostFormatFlag(w, "suspend_hybrid", caps->suspend & VIR_HOST_SUSPEND_HYBRID);
    virXMLWriterClose(w);

    virXMLWriterOpen(w, "iommu");
    virXMLWriterAttr(w, "support", caps->hasIOMMU ? "yes" : "no");
    virXMLWriterClose(w);

    if (!caps->canMigrate)
        return;
    virXMLWriterOpen(w, "migration_features");
    virHostFormatFlag(w, "live", caps->canMigrateLive);
    if (caps->transports) {
        virXMLWriterOpen(w, "uri_transports");
        for (const char *const *name = caps->transports; *name; name++)
            virXMLWriterElement(w, "uri_transport", *name);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

/* --- topology --- */

static void
virHostFormatThread(virXMLWriter *w, const virHostThread *thread)
{
    virXMLWriterOpen(w, "cpu");
    virXMLWriterAttrF(w, "id", "%u", thread->id);
    if (thread->siblings) {
        g_autofree char *siblings = virBitmapFormat(thread->siblings);

        virXMLWriterAttrF(w, "socket_id", "%u", thread->socket);
        virXMLWriterAttrF(w, "die_id", "%u", thread->die);
        virXMLWriterAttrF(w, "core_id", "%u", thread->core);
        virXMLWriterAttr(w, "siblings", siblings);
    }
    virXMLWriterClose(w);
}

/* The largest unit that divides the size, and the size in it. */
static const char *
virHostPretty(uint64_t bytes, uint64_t *retInUnit)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes && bytes % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units)) {
        bytes /= 1024;
        unit++;
    }
    *retInUnit = bytes;
    return units[unit];
}

static void
virHostFormatSize(virXMLWriter *w, const char *element, uint64_t bytes)
{
    uint64_t value;
    const char *unit = virHostPretty(bytes, &value);

    virXMLWriterOpen(w, element);
    virXMLWriterAttrF(w, "value", "%" PRIu64, value);
    virXMLWriterAttr(w, "unit", unit);
    virXMLWriterClose(w);
}

static void
virHostFormatMemoryCaches(virXMLWriter *w, const virHostCell *cell)
{
    for (guint i = 0; i < cell->caches->len; i++) {
        const virHostMemoryCache *cache = &g_array_index(cell->caches, virHostMemoryCache, i);

        virXMLWriterOpen(w, "cache");
        virXMLWriterAttrF(w, "level", "%u", cache->level);
        virXMLWriterAttr(w, "associativity", cache->associativity);
        virXMLWriterAttr(w, "policy", cache->policy);
        virHostFormatSize(w, "size", cache->size);
        virHostFormatSize(w, "line", cache->line);
        virXMLWriterClose(w);
    }
}

/* <element unit='KiB' …>count</element>: memory, and pages of a size. */
static void
virHostFormatAmount(virXMLWriter *w, const char *element, uint64_t pageSize, uint64_t amount)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, amount);

    virXMLWriterOpen(w, element);
    virXMLWriterAttr(w, "unit", "KiB");
    if (pageSize)
        virXMLWriterAttrF(w, "size", "%" PRIu64, pageSize);
    virXMLWriterText(w, text);
    virXMLWriterClose(w);
}

static void
virHostFormatCellMemory(virXMLWriter *w, const virHostCell *cell)
{
    if (cell->memory)
        virHostFormatAmount(w, "memory", 0, cell->memory);
    for (guint i = 0; i < cell->pages->len; i++) {
        const virHostPages *pages = &g_array_index(cell->pages, virHostPages, i);

        virHostFormatAmount(w, "pages", pages->size, pages->count);
    }
    virXMLWriterOpen(w, "distances");
    for (guint i = 0; i < cell->distances->len; i++) {
        const virHostDistance *distance = &g_array_index(cell->distances, virHostDistance, i);

        virXMLWriterOpen(w, "sibling");
        virXMLWriterAttrF(w, "id", "%u", distance->cell);
        virXMLWriterAttrF(w, "value", "%u", distance->value);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virHostFormatCell(virXMLWriter *w, const virHostCell *cell)
{
    virXMLWriterOpen(w, "cell");
    virXMLWriterAttrF(w, "id", "%u", cell->id);
    virHostFormatCellMemory(w, cell);
    virHostFormatMemoryCaches(w, cell);
    virXMLWriterOpen(w, "cpus");
    virXMLWriterAttrF(w, "num", "%u", cell->threads->len);
    for (guint i = 0; i < cell->threads->len; i++)
        virHostFormatThread(w, &g_array_index(cell->threads, virHostThread, i));
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

static void
virHostFormatInterconnects(virXMLWriter *w, const GArray *interconnects)
{
    virXMLWriterOpen(w, "interconnects");
    for (guint i = 0; i < interconnects->len; i++) {
        const virHostInterconnect *link = &g_array_index(interconnects, virHostInterconnect, i);

        virXMLWriterOpen(w, link->isBandwidth ? "bandwidth" : "latency");
        virXMLWriterAttrF(w, "initiator", "%u", link->initiator);
        virXMLWriterAttrF(w, "target", "%u", link->target);
        virXMLWriterAttr(w, "type", link->isWrite ? "write" : "read");
        virXMLWriterAttrF(w, "value", "%" PRIu64, link->value);
        virXMLWriterAttr(w, "unit", link->isBandwidth ? "KiB" : NULL);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virHostFormatTopology(virXMLWriter *w, const virHostTopology *topology)
{
    virXMLWriterOpen(w, "topology");
    virXMLWriterOpen(w, "cells");
    virXMLWriterAttrF(w, "num", "%u", topology->cells->len);
    for (guint i = 0; i < topology->cells->len; i++)
        virHostFormatCell(w, topology->cells->pdata[i]);
    virXMLWriterClose(w);
    virHostFormatInterconnects(w, topology->interconnects);
    virXMLWriterClose(w);
}

/* --- caches --- */

static uint64_t
virHostUnitFactor(uint64_t bytes)
{
    uint64_t value;

    (void)virHostPretty(bytes, &value); /* only the number is wanted */
    return value ? bytes / value : 1;
}

/* Granularity and minimum stand in the same unit, the smaller of the two. */
static void
virHostFormatControl(virXMLWriter *w, const virHostCacheControl *control)
{
    uint64_t factor = virHostUnitFactor(control->granularity);
    uint64_t one;

    if (control->minimum)
        factor = MIN(factor, virHostUnitFactor(control->minimum));
    virXMLWriterOpen(w, "control");
    virXMLWriterAttrF(w, "granularity", "%" PRIu64, control->granularity / factor);
    if (control->minimum)
        virXMLWriterAttrF(w, "min", "%" PRIu64, control->minimum / factor);
    virXMLWriterAttr(w, "unit", virHostPretty(factor, &one));
    virXMLWriterAttr(w, "type", virHostCacheTypeToString(control->type));
    virXMLWriterAttrF(w, "maxAllocs", "%u", control->maxAllocations);
    virXMLWriterClose(w);
}

static void
virHostFormatBank(virXMLWriter *w, const virHostCacheBank *bank)
{
    g_autofree char *cpus = virBitmapFormat(bank->cpus);
    uint64_t size;
    const char *unit = virHostPretty(bank->size, &size);

    virXMLWriterOpen(w, "bank");
    virXMLWriterAttrF(w, "id", "%u", bank->id);
    virXMLWriterAttrF(w, "level", "%u", bank->level);
    virXMLWriterAttr(w, "type", virHostCacheTypeToString(bank->type));
    virXMLWriterAttrF(w, "size", "%" PRIu64, size);
    virXMLWriterAttr(w, "unit", unit);
    virXMLWriterAttr(w, "cpus", cpus);
    for (guint i = 0; i < bank->controls->len; i++)
        virHostFormatControl(w, &g_array_index(bank->controls, virHostCacheControl, i));
    virXMLWriterClose(w);
}

/* level 0: not of a cache. */
static void
virHostFormatMonitor(virXMLWriter *w, const virHostCacheMonitor *monitor, unsigned level)
{
    if (!monitor->features)
        return;
    virXMLWriterOpen(w, "monitor");
    if (level) {
        virXMLWriterAttrF(w, "level", "%u", level);
        virXMLWriterAttrF(w, "reuseThreshold", "%u", monitor->reuseThreshold);
    }
    virXMLWriterAttrF(w, "maxMonitors", "%u", monitor->maxMonitors);
    for (char **name = monitor->features; *name; name++) {
        virXMLWriterOpen(w, "feature");
        virXMLWriterAttr(w, "name", *name);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virHostFormatBandwidthNode(virXMLWriter *w, const virHostCaches *caches,
                           const virHostCacheBank *bank)
{
    g_autofree char *cpus = virBitmapFormat(bank->cpus);

    virXMLWriterOpen(w, "node");
    virXMLWriterAttrF(w, "id", "%u", bank->id);
    virXMLWriterAttr(w, "cpus", cpus);
    virXMLWriterOpen(w, "control");
    virXMLWriterAttrF(w, "granularity", "%u", caches->bandwidth.granularity);
    virXMLWriterAttrF(w, "min", "%u", caches->bandwidth.minimum);
    virXMLWriterAttrF(w, "maxAllocs", "%u", caches->bandwidth.maxAllocations);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

static void
virHostFormatCaches(virXMLWriter *w, const virHostCaches *caches)
{
    const virHostCacheBank *last = NULL;

    virXMLWriterOpen(w, "cache");
    for (guint i = 0; i < caches->banks->len; i++) {
        last = caches->banks->pdata[i];
        virHostFormatBank(w, last);
    }
    virHostFormatMonitor(w, &caches->cacheMonitor, caches->monitorLevel);
    virXMLWriterCloseUnlessEmpty(w);

    virXMLWriterOpen(w, "memory_bandwidth");
    for (guint i = 0; caches->bandwidth.maxAllocations && i < caches->banks->len; i++) {
        const virHostCacheBank *bank = caches->banks->pdata[i];

        if (bank->level == last->level)
            virHostFormatBandwidthNode(w, caches, bank);
    }
    virHostFormatMonitor(w, &caches->bandwidthMonitor, 0);
    virXMLWriterCloseUnlessEmpty(w);
}

/* --- the whole --- */

static void
virHostFormatSecModel(virXMLWriter *w, const virHostSecModel *model)
{
    static const char *const guests[] = {"kvm", "qemu"};

    virXMLWriterOpen(w, "secmodel");
    virXMLWriterElement(w, "model", model->model);
    virXMLWriterElement(w, "doi", model->doi);
    for (size_t i = 0; model->baseLabel && i < G_N_ELEMENTS(guests); i++) {
        virXMLWriterOpen(w, "baselabel");
        virXMLWriterAttr(w, "type", guests[i]);
        virXMLWriterText(w, model->baseLabel);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static char *
virHostFormatHost(const virHostCapabilities *caps)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virXMLWriterOpen(w, "host");
    if (caps->hasUUID) {
        char text[VIR_UUID_TEXT_SIZE];

        virXMLWriterElement(w, "uuid", virUUIDFormat(caps->uuid, text));
    }
    virHostFormatCPU(w, caps);
    virHostFormatAbilities(w, caps);
    if (caps->topology)
        virHostFormatTopology(w, caps->topology);
    if (caps->caches)
        virHostFormatCaches(w, caps->caches);
    for (size_t i = 0; i < caps->secModelCount; i++)
        virHostFormatSecModel(w, &caps->secModels[i]);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* An element one level down, with an empty line behind. */
static void
virHostAppendIndented(GString *text, const char *element)
{
    g_auto(GStrv) lines = g_strsplit(element, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (**line)
            g_string_append_printf(text, "  %s\n", *line);
    }
    g_string_append_c(text, '\n');
}

char *
virHostCapabilitiesFormat(const virHostCapabilities *caps, const char *const *guests)
{
    g_autofree char *host = virHostFormatHost(caps);
    GString *text = g_string_new("<capabilities>\n\n");

    virHostAppendIndented(text, host);
    for (; guests && *guests; guests++)
        virHostAppendIndented(text, *guests);
    g_string_append(text, "</capabilities>\n");
    return g_string_free(text, FALSE);
}
