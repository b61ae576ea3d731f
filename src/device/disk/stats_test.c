/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats_test.c: testdata/blockstats.json is what a QEMU 7.2 said of a guest with two disks (the
 * second with an image below), a CD-ROM and an empty floppy drive; the numbers are made up. */
#include "device/disk/stats_qemu.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virfile.h"

static const char *const disks[] = {
    "<disk type='file'><driver type='raw'/><source file='/raw.img' "
    "index='4'><privateData><nodenames>"
    "<nodename type='storage' name='libvirt-4-storage'/>"
    "<nodename type='format' name='libvirt-4-format'/></nodenames></privateData></source>"
    "<target dev='vda' bus='virtio'/><privateData>"
    "<qom name='/machine/peripheral/virtio-disk0/virtio-backend'/></privateData></disk>",
    "<disk type='file'><driver type='qcow2'/><source file='/top.qcow2' index='3'><privateData>"
    "<nodenames><nodename type='storage' name='libvirt-3-storage'/>"
    "<nodename type='format' name='libvirt-3-format'/></nodenames></privateData></source>"
    "<backingStore type='file' index='5'><format type='qcow2'/><source file='/base.qcow2'>"
    "<privateData><nodenames><nodename type='storage' name='libvirt-5-storage'/>"
    "<nodename type='format' name='libvirt-5-format'/></nodenames></privateData></source>"
    "<backingStore/></backingStore><target dev='vdb' bus='virtio'/><privateData>"
    "<qom name='/machine/peripheral/virtio-disk1/virtio-backend'/></privateData></disk>",
    "<disk type='file' device='floppy'><target dev='fda' bus='fdc'/>"
    "<privateData><qom name='fdc0-0-0'/></privateData></disk>",
};

typedef struct {
    virJSON *data;
    GPtrArray *devices;
    GHashTable *table;
} Guest;

static Guest
guestNew(void)
{
    g_autofree char *path = g_build_filename(g_getenv("G_TEST_SRCDIR"), "src", "device", "disk",
                                             "testdata", "blockstats.json", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = virFileRead(path, 1024 * 1024, NULL, &error);
    Guest guest = {virJSONParse(text, -1, &error),
                   g_ptr_array_new_with_free_func((GDestroyNotify)virDeviceFree), NULL};

    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_ptr_array_add(guest.devices, virDeviceParseText(disks[i], VIR_PARSE_STATUS, &error));
        g_assert_no_error(error);
    }
    guest.table = qemuBlockStatsRead(virJSONGetArray(guest.data, "frontEnds"),
                                     virJSONGetArray(guest.data, "nodes"),
                                     virJSONGetArray(guest.data, "named"));
    return guest;
}

static void
guestClear(Guest *guest)
{
    virJSONUnref(guest->data);
    g_ptr_array_unref(guest->devices);
    g_hash_table_unref(guest->table);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Guest, guestClear)

static const virDisk *
guestDisk(const Guest *guest, unsigned n)
{
    return VIR_DISK(g_ptr_array_index(guest->devices, n));
}

static uint64_t
numberAt(const Guest *guest, const char *list, unsigned n, const char *key)
{
    virJSON *stats = virJSONGetObject(virJSONAt(virJSONGetArray(guest->data, list), n), "stats");
    uint64_t value = 0;

    g_assert_true(virJSONGetUInt(stats, key, &value));
    return value;
}

static void
statText(const qemuStat *stat, void *opaque)
{
    GString *text = opaque;

    if (stat->type == QEMU_STAT_STRING)
        g_string_append_printf(text, "%s=%s\n", stat->name, stat->text);
    else
        g_string_append_printf(text, "%s=%" G_GUINT64_FORMAT "\n", stat->name, stat->number);
}

static void
testStatsFindAFrontEnd(void)
{
    g_auto(Guest) guest = guestNew();
    qemuBlockStats stats;
    g_autoptr(GError) error = NULL;

    g_assert_true(qemuBlockStatsOfDisk(guest.table, guestDisk(&guest, 0), &stats, &error));
    g_assert_cmpuint(stats.readBytes, ==, numberAt(&guest, "frontEnds", 0, "rd_bytes"));
    g_assert_cmpuint(stats.flushTime, ==, numberAt(&guest, "frontEnds", 0, "flush_total_time_ns"));
    g_assert_cmpuint(stats.capacity, ==, 8388608);
    g_assert_true(stats.highestKnown);
}

static void
testStatsMissAnUnknownFrontEnd(void)
{
    g_auto(Guest) guest = guestNew();
    g_autoptr(GHashTable) nothing = qemuBlockStatsRead(NULL, NULL, NULL);
    qemuBlockStats stats;
    g_autoptr(GError) error = NULL;

    g_assert_false(qemuBlockStatsOfDisk(nothing, guestDisk(&guest, 0), &stats, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    g_assert_nonnull(strstr(error->message, "virtio-disk0"));
}

static void
testStatsAddUp(void)
{
    g_auto(Guest) guest = guestNew();
    qemuBlockStats one, sum;
    uint64_t writes = 0;

    for (unsigned i = 0; i < guest.devices->len; i++) {
        g_assert_true(qemuBlockStatsOfDisk(guest.table, guestDisk(&guest, i), &one, NULL));
        writes += one.writeRequests;
    }
    qemuBlockStatsSum(guest.table, guest.devices, &sum);
    g_assert_cmpuint(sum.writeRequests, ==, writes);
}

static void
testParamsStandInOrder(void)
{
    const qemuBlockStats stats = {.writeBytes = 1,
                                  .writeRequests = 2,
                                  .readBytes = 3,
                                  .readRequests = 4,
                                  .flushRequests = 5,
                                  .writeTime = 6,
                                  .readTime = 7,
                                  .flushTime = 8};
    g_autoptr(GString) text = g_string_new(NULL);

    qemuBlockStatsParams(&stats, statText, text);
    g_assert_cmpstr(text->str, ==,
                    "wr_bytes=1\nwr_operations=2\nrd_bytes=3\nrd_operations=4\n"
                    "flush_operations=5\nwr_total_times=6\nrd_total_times=7\n"
                    "flush_total_times=8\n");
}

static void
testBulkNamesTopImages(void)
{
    g_auto(Guest) guest = guestNew();
    g_autoptr(GString) text = g_string_new(NULL);

    qemuBlockStatsBulk(guest.devices, guest.table, false, NULL, statText, text);
    g_assert_true(g_str_has_prefix(text->str,
                                   "block.count=3\nblock.0.name=vda\nblock.0.path=/raw.img\n"
                                   "block.0.backingIndex=4\nblock.0.rd.reqs="));
    g_assert_nonnull(strstr(text->str, "\nblock.0.capacity=8388608\nblock.0.physical=4096\n"
                                       "block.0.threshold=4242\nblock.1.name=vdb\n"));
    g_assert_nonnull(strstr(text->str, "\nblock.2.name=fda\nblock.2.rd.reqs="));
    g_assert_null(strstr(text->str, "/base.qcow2"));
}

static void
testBulkNamesImagesBelow(void)
{
    g_auto(Guest) guest = guestNew();
    g_autoptr(GString) text = g_string_new(NULL);

    qemuBlockStatsBulk(guest.devices, guest.table, true, NULL, statText, text);
    g_assert_true(g_str_has_prefix(text->str, "block.count=4\n"));
    g_assert_nonnull(strstr(text->str, "\nblock.2.name=vdb\nblock.2.path=/base.qcow2\n"
                                       "block.2.backingIndex=5\nblock.2.allocation="));
}

static bool
fixedSizes(const virStorageSource *src, virImageSizes *retSizes, void *opaque)
{
    *retSizes = (virImageSizes){.capacity = 3, .allocation = 1, .physical = 2};
    return true;
}

static void
testBulkAsksFilesOfStoppedGuests(void)
{
    g_auto(Guest) guest = guestNew();
    g_autoptr(GString) text = g_string_new(NULL);

    qemuBlockStatsBulk(guest.devices, NULL, false, fixedSizes, statText, text);
    g_assert_nonnull(strstr(text->str, "\nblock.0.backingIndex=4\nblock.0.allocation=1\n"
                                       "block.0.capacity=3\nblock.0.physical=2\nblock.1.name"));
}

static void
testInfoFollowsTheFormat(void)
{
    g_auto(Guest) guest = guestNew();
    const virImageSizes file = {.physical = 9000};
    const qemuBlockStats written = {
        .capacity = 100, .physical = 50, .highestKnown = true, .highestWrite = 30};
    const qemuBlockStats fresh = {.capacity = 100, .physical = 50, .highestKnown = true};
    virImageSizes raw = qemuBlockInfo(guestDisk(&guest, 0), &written, &file);
    virImageSizes qcow2 = qemuBlockInfo(guestDisk(&guest, 1), &written, &file);
    virImageSizes untouched = qemuBlockInfo(guestDisk(&guest, 0), &fresh, &file);

    g_assert_cmpuint(raw.allocation, ==, 30);
    g_assert_cmpuint(raw.physical, ==, 50);
    g_assert_cmpuint(qcow2.allocation, ==, 50);
    g_assert_cmpuint(qcow2.physical, ==, 9000);
    g_assert_cmpuint(untouched.allocation, ==, 50);
    g_assert_cmpuint(untouched.physical, ==, 9000);
}

static void
testEntriesTellErrorsTraysAndLimits(void)
{
    g_auto(Guest) guest = guestNew();
    virJSON *blocks = virJSONGetArray(guest.data, "blocks");
    virDiskIotune iotune;

    g_assert_cmpint(qemuBlockEntryError(qemuBlockEntry(blocks, guestDisk(&guest, 0))), ==,
                    QEMU_BLOCK_NO_SPACE);
    g_assert_cmpint(qemuBlockEntryError(qemuBlockEntry(blocks, guestDisk(&guest, 1))), ==,
                    QEMU_BLOCK_OK);
    g_assert_cmpint(qemuBlockEntryTrayOpen(qemuBlockEntry(blocks, guestDisk(&guest, 0))), ==,
                    VIR_TRISTATE_ABSENT);
    qemuBlockEntryIotune(qemuBlockEntry(blocks, guestDisk(&guest, 1)), &iotune);
    g_assert_cmpuint(iotune.totalBytes, ==, 1000000);
    g_assert_nonnull(iotune.group);
    virDiskIotuneClear(&iotune);
    qemuBlockEntryIotune(qemuBlockEntry(blocks, guestDisk(&guest, 2)), &iotune);
    g_assert_false(virDiskIotuneHasAny(&iotune));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/stats/find-a-front-end", testStatsFindAFrontEnd);
    g_test_add_func("/stats/miss-an-unknown-front-end", testStatsMissAnUnknownFrontEnd);
    g_test_add_func("/stats/add-up", testStatsAddUp);
    g_test_add_func("/stats/params-stand-in-order", testParamsStandInOrder);
    g_test_add_func("/stats/bulk-names-top-images", testBulkNamesTopImages);
    g_test_add_func("/stats/bulk-names-images-below", testBulkNamesImagesBelow);
    g_test_add_func("/stats/bulk-asks-files-of-stopped-guests", testBulkAsksFilesOfStoppedGuests);
    g_test_add_func("/stats/info-follows-the-format", testInfoFollowsTheFormat);
    g_test_add_func("/stats/entries-tell-errors-trays-and-limits",
                    testEntriesTellErrorsTraysAndLimits);
    return g_test_run();
}
