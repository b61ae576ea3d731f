/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats_qemu.c: numbers of disks out of QEMU's replies. */
#include "device/disk/stats_qemu.h"

#include <string.h>

#include "util/virerror.h"

/* --- reading --- */

static uint64_t
qemuStatsNumber(virJSON *object, const char *key)
{
    uint64_t value = 0;

    (void)virJSONGetUInt(object, key, &value); /* what QEMU leaves out is nothing */
    return value;
}

static qemuBlockStats *
qemuStatsEntry(GHashTable *table, const char *name)
{
    qemuBlockStats *stats = g_hash_table_lookup(table, name);

    if (!stats) {
        stats = g_new0(qemuBlockStats, 1);
        g_hash_table_insert(table, g_strdup(name), stats);
    }
    return stats;
}

static void
qemuStatsReadOne(qemuBlockStats *stats, virJSON *item)
{
    virJSON *own = virJSONGetObject(item, "stats");
    virJSON *parent = virJSONGetObject(item, "parent");
    virJSON *below = parent ? virJSONGetObject(parent, "stats") : NULL;

    if (own) {
        stats->readRequests = qemuStatsNumber(own, "rd_operations");
        stats->readBytes = qemuStatsNumber(own, "rd_bytes");
        stats->readTime = qemuStatsNumber(own, "rd_total_time_ns");
        stats->writeRequests = qemuStatsNumber(own, "wr_operations");
        stats->writeBytes = qemuStatsNumber(own, "wr_bytes");
        stats->writeTime = qemuStatsNumber(own, "wr_total_time_ns");
        stats->flushRequests = qemuStatsNumber(own, "flush_operations");
        stats->flushTime = qemuStatsNumber(own, "flush_total_time_ns");
    }
    if (below)
        stats->highestKnown = virJSONGetUInt(below, "wr_highest_offset", &stats->highestWrite);
}

/* A front end is called by its drive (old QEMU) or its place in the object tree. */
static const char *
qemuStatsFrontEnd(virJSON *item)
{
    const char *device = virJSONGetString(item, "device");

    if (device && *device)
        return g_str_has_prefix(device, "drive-") ? device + strlen("drive-") : device;
    return virJSONGetString(item, "qdev");
}

static void
qemuStatsReadList(GHashTable *table, virJSON *items, bool nodes)
{
    for (size_t i = 0; items && i < virJSONLength(items); i++) {
        virJSON *item = virJSONAt(items, i);
        const char *name = nodes ? virJSONGetString(item, "node-name") : qemuStatsFrontEnd(item);

        if (name)
            qemuStatsReadOne(qemuStatsEntry(table, name), item);
    }
}

static void
qemuStatsReadNamed(GHashTable *table, virJSON *named)
{
    for (size_t i = 0; named && i < virJSONLength(named); i++) {
        virJSON *item = virJSONAt(named, i);
        const char *name = virJSONGetString(item, "node-name");
        virJSON *image = virJSONGetObject(item, "image");
        qemuBlockStats *stats;

        if (!name || !image)
            continue;
        stats = qemuStatsEntry(table, name);
        stats->capacity = qemuStatsNumber(image, "virtual-size");
        /* an image that is not thin says nothing of its own */
        if (!virJSONGetUInt(image, "actual-size", &stats->physical))
            stats->physical = stats->capacity;
        stats->threshold = qemuStatsNumber(item, "write_threshold");
    }
}

GHashTable *
qemuBlockStatsRead(virJSON *frontEnds, virJSON *nodes, virJSON *named)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    qemuStatsReadList(table, frontEnds, false);
    qemuStatsReadList(table, nodes, true);
    qemuStatsReadNamed(table, named);
    return table;
}

/* --- disks --- */

static const qemuBlockStats *
qemuStatsLookup(GHashTable *table, const char *name)
{
    return name ? g_hash_table_lookup(table, name) : NULL;
}

static const char *
qemuStatsName(const virDisk *disk)
{
    return disk->qomName ? disk->qomName : disk->base.info.alias;
}

bool
qemuBlockStatsOfDisk(GHashTable *table, const virDisk *disk, qemuBlockStats *retStats,
                     GError **error)
{
    const qemuBlockStats *front = qemuStatsLookup(table, qemuStatsName(disk));
    const qemuBlockStats *node = qemuStatsLookup(table, disk->src.run.formatNode);

    if (!front)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("cannot find statistics for device '%s'"), qemuStatsName(disk));
    *retStats = *front;
    if (!node)
        return true;
    retStats->highestKnown = node->highestKnown;
    retStats->highestWrite = node->highestWrite;
    retStats->capacity = node->capacity;
    retStats->physical = node->physical;
    return true;
}

void
qemuBlockStatsSum(GHashTable *table, const GPtrArray *devices, qemuBlockStats *retStats)
{
    qemuBlockStats sum = {0};

    virDevicesForEach(devices, &virDiskKind, dev)
    {
        const qemuBlockStats *one = qemuStatsLookup(table, qemuStatsName(VIR_DISK(dev)));

        if (!one)
            continue;
        sum.readRequests += one->readRequests;
        sum.readBytes += one->readBytes;
        sum.readTime += one->readTime;
        sum.writeRequests += one->writeRequests;
        sum.writeBytes += one->writeBytes;
        sum.writeTime += one->writeTime;
        sum.flushRequests += one->flushRequests;
        sum.flushTime += one->flushTime;
    }
    *retStats = sum;
}

void
qemuBlockStatsParams(const qemuBlockStats *stats, qemuStatAdd add, void *opaque)
{
    const qemuStat params[] = {
        {"wr_bytes", QEMU_STAT_LLONG, stats->writeBytes, NULL},
        {"wr_operations", QEMU_STAT_LLONG, stats->writeRequests, NULL},
        {"rd_bytes", QEMU_STAT_LLONG, stats->readBytes, NULL},
        {"rd_operations", QEMU_STAT_LLONG, stats->readRequests, NULL},
        {"flush_operations", QEMU_STAT_LLONG, stats->flushRequests, NULL},
        {"wr_total_times", QEMU_STAT_LLONG, stats->writeTime, NULL},
        {"rd_total_times", QEMU_STAT_LLONG, stats->readTime, NULL},
        {"flush_total_times", QEMU_STAT_LLONG, stats->flushTime, NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(params); i++)
        add(&params[i], opaque);
}

virImageSizes
qemuBlockInfo(const virDisk *disk, const qemuBlockStats *stats, const virImageSizes *file)
{
    virImageSizes info = {.capacity = stats->capacity};
    bool thin = virStorageSourceActualType(&disk->src) == VIR_STORAGE_TYPE_FILE &&
                disk->src.format == VIR_STORAGE_FORMAT_QCOW2;

    /* how far a qcow2 file was written says nothing of what it takes */
    info.allocation = stats->highestKnown && !thin ? stats->highestWrite : stats->physical;
    info.physical = stats->physical;
    if (stats->physical != 0 && info.allocation != 0 && info.allocation != stats->physical)
        return info;
    if (info.allocation == 0)
        info.allocation = stats->physical;
    if (file)
        info.physical = file->physical;
    return info;
}

/* --- bulk statistics --- */

typedef struct {
    unsigned record;
    qemuStatAdd add;
    void *opaque;
} qemuStatsOut;

static void
qemuStatsAdd(const qemuStatsOut *out, const char *field, qemuStatType type, uint64_t number,
             const char *text)
{
    g_autofree char *name = g_strdup_printf("block.%u.%s", out->record, field);
    const qemuStat stat = {name, type, number, text};

    out->add(&stat, out->opaque);
}

static void
qemuStatsAddHeader(const qemuStatsOut *out, const virDisk *disk, const virStorageSource *src)
{
    qemuStatsAdd(out, "name", QEMU_STAT_STRING, 0, disk->target);
    if (virStorageSourceIsLocal(src) && src->path)
        qemuStatsAdd(out, "path", QEMU_STAT_STRING, 0, src->path);
    if (src->id != 0)
        qemuStatsAdd(out, "backingIndex", QEMU_STAT_UINT, src->id, NULL);
}

static void
qemuStatsAddFrontEnd(const qemuStatsOut *out, const qemuBlockStats *stats)
{
    qemuStatsAdd(out, "rd.reqs", QEMU_STAT_ULLONG, stats->readRequests, NULL);
    qemuStatsAdd(out, "rd.bytes", QEMU_STAT_ULLONG, stats->readBytes, NULL);
    qemuStatsAdd(out, "rd.times", QEMU_STAT_ULLONG, stats->readTime, NULL);
    qemuStatsAdd(out, "wr.reqs", QEMU_STAT_ULLONG, stats->writeRequests, NULL);
    qemuStatsAdd(out, "wr.bytes", QEMU_STAT_ULLONG, stats->writeBytes, NULL);
    qemuStatsAdd(out, "wr.times", QEMU_STAT_ULLONG, stats->writeTime, NULL);
    qemuStatsAdd(out, "fl.reqs", QEMU_STAT_ULLONG, stats->flushRequests, NULL);
    qemuStatsAdd(out, "fl.times", QEMU_STAT_ULLONG, stats->flushTime, NULL);
}

static void
qemuStatsAddNode(const qemuStatsOut *out, const qemuBlockStats *format,
                 const qemuBlockStats *storage)
{
    if (format) {
        qemuStatsAdd(out, "allocation", QEMU_STAT_ULLONG, format->highestWrite, NULL);
        if (format->capacity)
            qemuStatsAdd(out, "capacity", QEMU_STAT_ULLONG, format->capacity, NULL);
        if (format->physical)
            qemuStatsAdd(out, "physical", QEMU_STAT_ULLONG, format->physical, NULL);
    }
    if (storage && storage->threshold)
        qemuStatsAdd(out, "threshold", QEMU_STAT_ULLONG, storage->threshold, NULL);
}

static void
qemuStatsAddFile(const qemuStatsOut *out, const virStorageSource *src, qemuImageSizes sizes)
{
    virImageSizes file;

    if (!sizes || virStorageSourceIsEmpty(src) || !sizes(src, &file, out->opaque))
        return;
    if (file.allocation)
        qemuStatsAdd(out, "allocation", QEMU_STAT_ULLONG, file.allocation, NULL);
    if (file.capacity)
        qemuStatsAdd(out, "capacity", QEMU_STAT_ULLONG, file.capacity, NULL);
    if (file.physical)
        qemuStatsAdd(out, "physical", QEMU_STAT_ULLONG, file.physical, NULL);
}

static void
qemuStatsAddImage(const qemuStatsOut *out, const virDisk *disk, const virStorageSource *src,
                  GHashTable *table, qemuImageSizes sizes)
{
    const qemuBlockStats *front;

    qemuStatsAddHeader(out, disk, src);
    if (!table) {
        qemuStatsAddFile(out, src, sizes);
        return;
    }
    front = src == &disk->src ? qemuStatsLookup(table, qemuStatsName(disk)) : NULL;
    if (front)
        qemuStatsAddFrontEnd(out, front);
    qemuStatsAddNode(out, qemuStatsLookup(table, src->run.formatNode),
                     qemuStatsLookup(table, src->run.storageNode));
}

static unsigned
qemuStatsCount(const GPtrArray *devices, bool backing)
{
    unsigned count = 0;

    virDevicesForEach(devices, &virDiskKind, dev)
    {
        const virStorageSource *src = &VIR_DISK(dev)->src;

        if (src->type == VIR_STORAGE_TYPE_VHOST_USER)
            continue;
        for (; virStorageSourceIsBacking(src); src = backing ? src->backing : NULL)
            count++;
    }
    return count;
}

void
qemuBlockStatsBulk(const GPtrArray *devices, GHashTable *table, bool backing, qemuImageSizes sizes,
                   qemuStatAdd add, void *opaque)
{
    const qemuStat count = {"block.count", QEMU_STAT_UINT, qemuStatsCount(devices, backing), NULL};
    qemuStatsOut out = {0, add, opaque};

    add(&count, opaque);
    virDevicesForEach(devices, &virDiskKind, dev)
    {
        const virStorageSource *src = &VIR_DISK(dev)->src;

        if (src->type == VIR_STORAGE_TYPE_VHOST_USER)
            continue;
        for (; virStorageSourceIsBacking(src); src = backing ? src->backing : NULL) {
            qemuStatsAddImage(&out, VIR_DISK(dev), src, table, sizes);
            out.record++;
        }
    }
}

/* --- query-block --- */

virJSON *
qemuBlockEntry(virJSON *blocks, const virDisk *disk)
{
    for (size_t i = 0; blocks && i < virJSONLength(blocks); i++) {
        virJSON *entry = virJSONAt(blocks, i);
        const char *device = qemuStatsFrontEnd(entry);
        const char *qdev = virJSONGetString(entry, "qdev");

        if (g_strcmp0(device, qemuStatsName(disk)) == 0 ||
            g_strcmp0(qdev, qemuStatsName(disk)) == 0)
            return entry;
    }
    return NULL;
}

qemuBlockError
qemuBlockEntryError(virJSON *entry)
{
    const char *status = virJSONGetString(entry, "io-status");

    if (!status || g_str_equal(status, "ok"))
        return QEMU_BLOCK_OK;
    return g_str_equal(status, "nospace") ? QEMU_BLOCK_NO_SPACE : QEMU_BLOCK_FAILED;
}

virTristate
qemuBlockEntryTrayOpen(virJSON *entry)
{
    if (!virJSONGet(entry, "tray_open"))
        return VIR_TRISTATE_ABSENT;
    return virTristateFromBool(virJSONGetBool(entry, "tray_open", false));
}

void
qemuBlockEntryIotune(virJSON *entry, virDiskIotune *retIotune)
{
    virJSON *inserted = virJSONGetObject(entry, "inserted");

    memset(retIotune, 0, sizeof(*retIotune));
    if (!inserted)
        return;
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++)
        *virDiskIotuneAt(retIotune, limit) = qemuStatsNumber(inserted, limit->qemu);
    retIotune->group = g_strdup(virJSONGetString(inserted, "group"));
}
