/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chain_test.c: names of backing images, and chains of them on a file system. */
#include "device/disk/chain.h"

#include <glib/gstdio.h>
#include <string.h>

#include "device/disk/backingstring.h"
#include "util/virerror.h"
#include "util/virfile.h"

/* --- images --- */

enum { HEADER_SIZE = 1024, BACKING_AT = 256 };

typedef struct {
    char *path;
} Folder;

static Folder
folderNew(void)
{
    return (Folder){g_dir_make_tmp("chain-XXXXXX", NULL)};
}

static void
folderClear(Folder *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder->path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder->path, name, NULL);

        (void)g_unlink(path);
    }
    (void)g_rmdir(folder->path);
    g_free(folder->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Folder, folderClear)

static void
putBE(char *at, size_t bytes, uint64_t value)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        at[i] = (char)(value & 0xff);
}

/* A qcow2 header; format NULL: the header doesn't say that of the image below. */
static void
makeQcow2(const Folder *folder, const char *name, const char *backing, const char *format)
{
    g_autofree char *path = g_build_filename(folder->path, name, NULL);
    g_autoptr(GError) error = NULL;
    char header[HEADER_SIZE] = "QFI\xfb";

    putBE(header + 4, 4, 3);
    putBE(header + 24, 8, 65536);
    putBE(header + 100, 4, 104);
    if (backing) {
        putBE(header + 8, 8, BACKING_AT);
        putBE(header + 16, 4, strlen(backing));
        memcpy(header + BACKING_AT, backing, strlen(backing));
    }
    if (format) {
        putBE(header + 104, 4, 0xE2792ACA);
        putBE(header + 108, 4, strlen(format));
        memcpy(header + 112, format, strlen(format));
    }
    g_assert_true(virFileWrite(path, header, sizeof(header), 0600, VIR_FILE_VOLATILE, &error));
}

static void
makeRaw(const Folder *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder->path, name, NULL);

    g_assert_true(virFileWrite(path, "raw", 3, 0600, VIR_FILE_VOLATILE, NULL));
}

static virDevice *
diskOn(const Folder *folder, const char *name, const char *extra)
{
    g_autofree char *xml = g_strdup_printf("<disk type='file'><driver type='qcow2'/>"
                                           "<source file='%s/%s'%s/><target dev='vda'/></disk>",
                                           folder->path, name, extra);
    g_autoptr(GError) error = NULL;
    virDevice *dev = virDeviceParseText(xml, 0, &error);

    g_assert_no_error(error);
    return dev;
}

/* "qcow2:top qcow2:middle raw:base end", or "…?" if the end is not known. */
static char *
chainText(const virDevice *dev)
{
    GString *text = g_string_new(NULL);

    for (const virStorageSource *src = &VIR_DISK_CONST(dev)->src; src; src = src->backing) {
        g_autofree char *name = src->path ? g_path_get_basename(src->path) : NULL;

        if (!virStorageSourceIsBacking(src)) {
            g_string_append(text, "end");
            return g_string_free(text, FALSE);
        }
        g_string_append_printf(text, "%s:%s ", virStorageFormatToString(src->format), name);
    }
    g_string_append_c(text, '?');
    return g_string_free(text, FALSE);
}

static void
testChainFollowsHeaders(void)
{
    g_auto(Folder) folder = folderNew();
    g_autoptr(GError) error = NULL;
    g_autoptr(virDevice) dev = diskOn(&folder, "top", "");
    g_autofree char *absolute = g_build_filename(folder.path, "base", NULL);
    g_autofree char *text = NULL;

    makeQcow2(&folder, "top", "middle", "qcow2");
    makeQcow2(&folder, "middle", absolute, "raw");
    makeRaw(&folder, "base");
    g_assert_true(virDiskDetectChain(VIR_DISK(dev), &error));
    text = chainText(dev);
    g_assert_cmpstr(text, ==, "qcow2:top qcow2:middle raw:base end");
    g_assert_cmpstr(VIR_DISK(dev)->src.backing->run.relPath, ==, "middle");
    g_assert_true(VIR_DISK(dev)->src.backing->readonly);
}

static void
testChainIsWrittenOnlyForRunningGuests(void)
{
    g_auto(Folder) folder = folderNew();
    g_autoptr(virDevice) dev = diskOn(&folder, "top", "");
    g_autoptr(virXMLWriter) live = virXMLWriterNew();
    g_autoptr(virXMLWriter) stored = virXMLWriterNew();
    g_autofree char *liveText = NULL;
    g_autofree char *storedText = NULL;

    makeQcow2(&folder, "top", "base", "raw");
    makeRaw(&folder, "base");
    g_assert_true(virDiskDetectChain(VIR_DISK(dev), NULL));
    virDeviceFormat(dev, live, 0);
    liveText = virXMLWriterEnd(live);
    g_assert_nonnull(strstr(liveText, "<backingStore type='file'>"));
    g_assert_nonnull(strstr(liveText, "<backingStore/>"));
    virDeviceFormat(dev, stored, VIR_FORMAT_INACTIVE);
    storedText = virXMLWriterEnd(stored);
    g_assert_null(strstr(storedText, "backingStore"));
}

static void
testChainGuessesOnlyWhatEndsIt(void)
{
    g_auto(Folder) folder = folderNew();
    g_autoptr(GError) error = NULL;
    g_autoptr(virDevice) harmless = diskOn(&folder, "harmless", "");
    g_autoptr(virDevice) hostile = diskOn(&folder, "hostile", "");
    g_autofree char *text = NULL;

    makeRaw(&folder, "base");
    makeQcow2(&folder, "harmless", "base", NULL);
    makeQcow2(&folder, "guest-wrote-this", "/etc/shadow", "raw");
    makeQcow2(&folder, "hostile", "guest-wrote-this", NULL);
    g_assert_true(virDiskDetectChain(VIR_DISK(harmless), &error));
    text = chainText(harmless);
    g_assert_cmpstr(text, ==, "qcow2:harmless raw:base end");
    g_assert_false(virDiskDetectChain(VIR_DISK(hostile), &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_INVALID));
    g_assert_nonnull(strstr(error->message, "was not specified in the image metadata"));
}

static void
testChainRefusesCircles(void)
{
    g_auto(Folder) folder = folderNew();
    g_autoptr(GError) error = NULL;
    g_autoptr(virDevice) dev = diskOn(&folder, "one", "");

    makeQcow2(&folder, "one", "two", "qcow2");
    makeQcow2(&folder, "two", "one", "qcow2");
    g_assert_false(virDiskDetectChain(VIR_DISK(dev), &error));
    g_assert_nonnull(strstr(error->message, "self-referential"));
}

static void
testChainRefusesMissingImages(void)
{
    g_auto(Folder) folder = folderNew();
    g_autoptr(GError) error = NULL;
    g_autoptr(virDevice) dev = diskOn(&folder, "top", "");

    makeQcow2(&folder, "top", "gone", "raw");
    g_assert_false(virDiskDetectChain(VIR_DISK(dev), &error));
    g_assert_true(virErrorIs(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_nonnull(strstr(error->message, "gone"));
}

static void
testChainLeavesServersAlone(void)
{
    g_auto(Folder) folder = folderNew();
    g_autoptr(GError) error = NULL;
    g_autoptr(virDevice) dev = diskOn(&folder, "top", "");

    makeQcow2(&folder, "top", "nbd://store:10810/base", "raw");
    g_assert_true(virDiskDetectChain(VIR_DISK(dev), &error));
    g_assert_cmpint(VIR_DISK(dev)->src.backing->protocol, ==, VIR_STORAGE_PROTOCOL_NBD);
    g_assert_null(VIR_DISK(dev)->src.backing->backing);
}

/* --- missing sources --- */

static void
testSourcePolicyDecidesOnMissingFiles(void)
{
    g_auto(Folder) folder = folderNew();
    static const struct {
        const char *policy;
        int device;
        bool coldBoot;
        virDiskSourceFate fate;
    } cases[] = {
        {"", VIR_DISK_DEVICE_CDROM, true, VIR_DISK_SOURCE_MISSING},
        {" startupPolicy='optional'", VIR_DISK_DEVICE_CDROM, true, VIR_DISK_SOURCE_EJECT},
        {" startupPolicy='optional'", VIR_DISK_DEVICE_DISK, true, VIR_DISK_SOURCE_DROP},
        {" startupPolicy='requisite'", VIR_DISK_DEVICE_CDROM, true, VIR_DISK_SOURCE_MISSING},
        {" startupPolicy='requisite'", VIR_DISK_DEVICE_CDROM, false, VIR_DISK_SOURCE_EJECT},
        {" startupPolicy='mandatory'", VIR_DISK_DEVICE_CDROM, false, VIR_DISK_SOURCE_MISSING},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(virDevice) dev = diskOn(&folder, "gone", cases[i].policy);

        VIR_DISK(dev)->device = cases[i].device;
        g_assert_cmpint(virDiskCheckSource(VIR_DISK(dev), cases[i].coldBoot, &error), ==,
                        cases[i].fate);
        g_assert_true((error != NULL) == (cases[i].fate == VIR_DISK_SOURCE_MISSING));
    }
}

/* --- names --- */

static virStorageSource *
backingOf(const char *text)
{
    g_autoptr(GError) error = NULL;
    virStorageSource overlay = {.type = VIR_STORAGE_TYPE_FILE, .path = (char *)"/images/top"};
    virStorageSource *src = NULL;

    g_assert_cmpint(virStorageBackingFromString(text, &overlay, &src, &error), ==, VIR_BACKING_OK);
    return src;
}

static void
assertNetwork(const char *text, int protocol, const char *volume, const char *path,
              const char *host, unsigned port)
{
    g_autoptr(virStorageSource) src = backingOf(text);
    const virStorageHost *first;

    g_assert_cmpint(src->protocol, ==, protocol);
    g_assert_cmpstr(src->volume, ==, volume);
    g_assert_cmpstr(src->path, ==, path);
    first = g_ptr_array_index(src->hosts, 0);
    g_assert_cmpstr(first->name, ==, host);
    g_assert_cmpuint(first->port, ==, port);
}

static void
testBackingNamesAreUnderstood(void)
{
    g_autoptr(virStorageSource) relative = backingOf("base.img");
    g_autoptr(virStorageSource) colon = backingOf("/a:b");
    g_autoptr(virStorageSource) slice = backingOf(
        "json:{\"file\":{\"driver\":\"raw\",\"offset\":10,\"size\":\"20\",\"file\":{\"driver\":"
        "\"file\",\"filename\":\"/i\"}}}");

    g_assert_cmpstr(relative->path, ==, "/images/base.img");
    g_assert_cmpstr(colon->path, ==, "/a:b");
    g_assert_true(slice->hasSlice);
    g_assert_cmpuint(slice->sliceSize, ==, 20);
    assertNetwork("nbd://h/name", VIR_STORAGE_PROTOCOL_NBD, NULL, "name", "h", 10809);
    assertNetwork("nbd:h:1234:exportname=x", VIR_STORAGE_PROTOCOL_NBD, NULL, "x", "h", 1234);
    assertNetwork("https://h/p/i.img?q=1", VIR_STORAGE_PROTOCOL_HTTPS, NULL, "/p/i.img", "h", 443);
    assertNetwork("gluster://h:5/vol/dir/i", VIR_STORAGE_PROTOCOL_GLUSTER, "vol", "dir/i", "h", 5);
    assertNetwork("iscsi://h/iqn.x:y/3", VIR_STORAGE_PROTOCOL_ISCSI, NULL, "iqn.x:y/3", "h", 3260);
    assertNetwork("rbd:pool/i@s:id=u:mon_host=a\\:6789\\;b", VIR_STORAGE_PROTOCOL_RBD, "pool", "i",
                  "a", 6789);
    assertNetwork("json:{\"driver\":\"raw\",\"file.driver\":\"nbd\",\"file.server.type\":\"inet\","
                  "\"file.server.host\":\"h\",\"file.server.port\":\"77\",\"file.export\":\"e\"}",
                  VIR_STORAGE_PROTOCOL_NBD, NULL, "e", "h", 77);
}

static void
testBackingNamesThatAreStrange(void)
{
    static const struct {
        const char *text;
        virBackingResult result;
    } cases[] = {
        {"json:", VIR_BACKING_ERROR},
        {"json:{", VIR_BACKING_ERROR},
        {"json:[]", VIR_BACKING_ERROR},
        {"json:{}", VIR_BACKING_ERROR},
        {"json:{\"driver\":1}", VIR_BACKING_ERROR},
        {"json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"qcow2\",\"file\":{}}}",
         VIR_BACKING_ERROR},
        {"json:{\"driver\":\"quorum\"}", VIR_BACKING_UNKNOWN},
        {"json:{\"driver\":\"rbd\"}", VIR_BACKING_UNKNOWN},
        {"json:{\"driver\":\"iscsi\",\"portal\":\"x\"}", VIR_BACKING_UNKNOWN},
        {"nbd:", VIR_BACKING_UNKNOWN},
        {"nbd:x", VIR_BACKING_UNKNOWN},
        {"rbd:", VIR_BACKING_UNKNOWN},
        {"rbd:\\", VIR_BACKING_UNKNOWN},
        {"gopher://x/y", VIR_BACKING_UNKNOWN},
        {"nbd://", VIR_BACKING_UNKNOWN},
        {"blkdebug:x:y", VIR_BACKING_UNKNOWN},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(virStorageSource) src = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s", cases[i].text);
        g_assert_cmpint(virStorageBackingFromString(cases[i].text, NULL, &src, &error), ==,
                        cases[i].result);
        g_assert_null(src);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/chain/follows-headers", testChainFollowsHeaders);
    g_test_add_func("/chain/is-written-only-for-running-guests",
                    testChainIsWrittenOnlyForRunningGuests);
    g_test_add_func("/chain/guesses-only-what-ends-it", testChainGuessesOnlyWhatEndsIt);
    g_test_add_func("/chain/refuses-circles", testChainRefusesCircles);
    g_test_add_func("/chain/refuses-missing-images", testChainRefusesMissingImages);
    g_test_add_func("/chain/leaves-servers-alone", testChainLeavesServersAlone);
    g_test_add_func("/source/policy-decides-on-missing-files",
                    testSourcePolicyDecidesOnMissingFiles);
    g_test_add_func("/backing/names-are-understood", testBackingNamesAreUnderstood);
    g_test_add_func("/backing/names-that-are-strange", testBackingNamesThatAreStrange);
    return g_test_run();
}
