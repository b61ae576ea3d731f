/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virimage_test.c: headers as they are and as a guest would like them to be. */
#include "util/storage/virimage.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"

enum { HEADER_SIZE = 4096, BACKING_AT = 512 };

typedef struct {
    unsigned char bytes[HEADER_SIZE];
} Header;

static void
putBE32(Header *header, size_t at, uint32_t value)
{
    value = GUINT32_TO_BE(value);
    memcpy(header->bytes + at, &value, sizeof(value));
}

static void
putBE64(Header *header, size_t at, uint64_t value)
{
    value = GUINT64_TO_BE(value);
    memcpy(header->bytes + at, &value, sizeof(value));
}

static void
putLE32(Header *header, size_t at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(header->bytes + at, &value, sizeof(value));
}

static void
putText(Header *header, size_t at, const char *text)
{
    memcpy(header->bytes + at, text, strlen(text));
}

static void
putExtension(Header *header, size_t at, uint32_t type, const char *text)
{
    putBE32(header, at, type);
    putBE32(header, at + 4, (uint32_t)strlen(text));
    putText(header, at + 8, text);
}

/* version 3, 1 GiB, no image below */
static Header
qcow2Header(void)
{
    Header header = {{0}};

    putText(&header, 0, "QFI\xfb");
    putBE32(&header, 4, 3);
    putBE32(&header, 20, 16);
    putBE64(&header, 24, 1024 * 1024 * 1024);
    putBE32(&header, 100, 104);
    return header;
}

static void
putBacking(Header *header, const char *name)
{
    putBE64(header, 8, BACKING_AT);
    putBE32(header, 16, (uint32_t)strlen(name));
    putText(header, BACKING_AT, name);
}

static bool
parse(const Header *header, int format, virImageHeader *ret, GError **error)
{
    return virImageParse(header, sizeof(*header), format, ret, error);
}

static void
testImageReadsQcow2(void)
{
    Header header = qcow2Header();
    g_auto(virImageHeader) read = {0};
    g_autoptr(GError) error = NULL;

    putBacking(&header, "base.qcow2");
    putExtension(&header, 104, 0xE2792ACA, "qcow2");
    g_assert_cmpint(virImageDetect(&header, sizeof(header)), ==, VIR_STORAGE_FORMAT_QCOW2);
    g_assert_true(parse(&header, VIR_STORAGE_FORMAT_QCOW2, &read, &error));
    g_assert_cmpuint(read.capacity, ==, 1024 * 1024 * 1024);
    g_assert_cmpstr(read.backing, ==, "base.qcow2");
    g_assert_cmpint(read.backingFormat, ==, VIR_STORAGE_FORMAT_QCOW2);
    g_assert_false(read.encrypted);
    g_assert_null(read.dataFile);
}

static void
testImageReadsDataFileOnlyIfUsed(void)
{
    Header header = qcow2Header();
    g_autoptr(GError) error = NULL;

    putExtension(&header, 104, 0x44415441, "data.raw");
    for (int used = 0; used < 2; used++) {
        g_auto(virImageHeader) read = {0};

        putBE64(&header, 72, used ? 4 : 0);
        g_assert_true(parse(&header, VIR_STORAGE_FORMAT_QCOW2, &read, &error));
        g_assert_cmpstr(read.dataFile, ==, used ? "data.raw" : NULL);
    }
}

static void
testImageRefusesNamesOutsideTheHeader(void)
{
    static const struct {
        uint64_t offset;
        uint32_t size;
    } cases[] = {
        {BACKING_AT, 1024},   {BACKING_AT, UINT32_MAX}, {HEADER_SIZE - 3, 4},     {UINT64_MAX, 10},
        {UINT64_MAX - 5, 10}, {HEADER_SIZE, 1},         {UINT64_C(1) << 63, 100},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Header header = qcow2Header();
        g_auto(virImageHeader) read = {0};
        g_autoptr(GError) error = NULL;

        putBE64(&header, 8, cases[i].offset);
        putBE32(&header, 16, cases[i].size);
        g_assert_false(parse(&header, VIR_STORAGE_FORMAT_QCOW2, &read, &error));
        g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    }
}

static void
testImageRefusesNamesWithNul(void)
{
    Header header = qcow2Header();
    g_auto(virImageHeader) read = {0};
    g_autoptr(GError) error = NULL;

    putBacking(&header, "base.qcow2");
    header.bytes[BACKING_AT + 4] = '\0';
    g_assert_false(parse(&header, VIR_STORAGE_FORMAT_QCOW2, &read, &error));
}

static void
testImageStopsAtBrokenExtensions(void)
{
    static const uint32_t lengths[] = {UINT32_MAX, UINT32_MAX - 7, HEADER_SIZE, 401};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        Header header = qcow2Header();
        g_auto(virImageHeader) read = {0};
        g_autoptr(GError) error = NULL;

        putBacking(&header, "base");
        putExtension(&header, 104, 0xE2792ACA, "raw");
        putBE32(&header, 108, lengths[i]);
        g_assert_true(parse(&header, VIR_STORAGE_FORMAT_QCOW2, &read, &error));
        g_assert_cmpint(read.backingFormat, ==, VIR_STORAGE_FORMAT_NONE);
    }
}

static void
testImageStandsAnyLength(void)
{
    Header header = qcow2Header();

    putBacking(&header, "base.qcow2");
    putExtension(&header, 104, 0xE2792ACA, "qcow2");
    for (size_t len = 0; len < sizeof(header); len += 3) {
        for (int format = VIR_STORAGE_FORMAT_RAW; format < VIR_STORAGE_FORMAT_LAST; format++) {
            g_auto(virImageHeader) read = {0};
            g_autofree void *exact = g_memdup2(&header, len); /* so that tools see overruns */

            (void)virImageDetect(exact, len);
            (void)virImageParse(exact, len, format, &read, NULL);
        }
    }
}

static void
testImageRefusesAnotherFormat(void)
{
    Header header = {{0}};
    g_auto(virImageHeader) read = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(parse(&header, VIR_STORAGE_FORMAT_QCOW2, &read, &error));
    g_assert_nonnull(strstr(error->message, "qcow2"));
}

static void
testImageReadsQED(void)
{
    Header header = {{0}};
    g_auto(virImageHeader) read = {0};
    g_autoptr(GError) error = NULL;

    putText(&header, 0, "QED");
    putLE32(&header, 16, 1 | 4);
    putLE32(&header, 48, 65536);
    putLE32(&header, 56, BACKING_AT);
    putLE32(&header, 60, 8);
    putText(&header, BACKING_AT, "base.img");
    g_assert_cmpint(virImageDetect(&header, sizeof(header)), ==, VIR_STORAGE_FORMAT_QED);
    g_assert_true(parse(&header, VIR_STORAGE_FORMAT_QED, &read, &error));
    g_assert_cmpuint(read.capacity, ==, 65536);
    g_assert_cmpstr(read.backing, ==, "base.img");
    g_assert_cmpint(read.backingFormat, ==, VIR_STORAGE_FORMAT_RAW);
}

static void
testImageReadsVMDK(void)
{
    Header header = {{0}};
    g_auto(virImageHeader) read = {0};
    g_autoptr(GError) error = NULL;

    putText(&header, 0, "KDMV");
    putLE32(&header, 4, 1);
    putLE32(&header, 12, 2048);
    putText(&header, 512, "# Disk\nparentFileNameHint=\"base.vmdk\"\n");
    g_assert_true(parse(&header, VIR_STORAGE_FORMAT_VMDK, &read, &error));
    g_assert_cmpuint(read.capacity, ==, 1024 * 1024);
    g_assert_cmpstr(read.backing, ==, "base.vmdk");
}

static void
testImageMeasuresFiles(void)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    VIR_AUTOCLOSE made = g_file_open_tmp("virimage-XXXXXX", &path, &error);
    Header header = qcow2Header();
    virImageSizes sizes;
    VIR_AUTOCLOSE fd = -1;

    g_assert_no_error(error);
    g_assert_cmpint(write(made, &header, sizeof(header)), ==, sizeof(header));
    fd = virImageOpen(path, &error);
    g_assert_cmpint(fd, >=, 0);
    g_assert_true(virImageGetSizes(fd, path, VIR_STORAGE_FORMAT_QCOW2, &sizes, &error));
    g_assert_cmpuint(sizes.capacity, ==, 1024 * 1024 * 1024);
    g_assert_cmpuint(sizes.physical, ==, sizeof(header));
    g_assert_true(virImageGetSizes(fd, path, VIR_STORAGE_FORMAT_RAW, &sizes, &error));
    g_assert_cmpuint(sizes.capacity, ==, sizeof(header));
    (void)g_unlink(path);
}

static void
testImageOpensNoPipesAndFolders(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("virimage-XXXXXX", NULL);
    g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);

    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_assert_cmpint(virImageOpen(pipe, &error), ==, -1);
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_cmpint(virImageOpen(folder, &error), ==, -1);
    g_assert_nonnull(error);
    (void)g_unlink(pipe);
    (void)g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/reads-qcow2", testImageReadsQcow2);
    g_test_add_func("/image/reads-data-file-only-if-used", testImageReadsDataFileOnlyIfUsed);
    g_test_add_func("/image/refuses-names-outside-the-header",
                    testImageRefusesNamesOutsideTheHeader);
    g_test_add_func("/image/refuses-names-with-nul", testImageRefusesNamesWithNul);
    g_test_add_func("/image/stops-at-broken-extensions", testImageStopsAtBrokenExtensions);
    g_test_add_func("/image/stands-any-length", testImageStandsAnyLength);
    g_test_add_func("/image/refuses-another-format", testImageRefusesAnotherFormat);
    g_test_add_func("/image/reads-qed", testImageReadsQED);
    g_test_add_func("/image/reads-vmdk", testImageReadsVMDK);
    g_test_add_func("/image/measures-files", testImageMeasuresFiles);
    g_test_add_func("/image/opens-no-pipes-and-folders", testImageOpensNoPipesAndFolders);
    return g_test_run();
}
