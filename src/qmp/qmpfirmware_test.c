/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpfirmware_test.c: descriptors in folders of the test's own. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "qmp/qmpfirmware.h"
#include "util/virerror.h"
#include "util/virfile.h"

#define DESCRIPTOR(image, features)                                                                \
    "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\",\"executable\":"            \
    "{\"filename\":\"" image "\",\"format\":\"raw\"},\"nvram-template\":{\"filename\":\"/vars\","  \
    "\"format\":\"raw\"}},\"targets\":[{\"architecture\":\"i386\",\"machines\":[\"pc-q35-*\"]}],"  \
    "\"features\":[" features "],\"tags\":[]}"

static char *root;

static void
testPut(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(root, folder, NULL);
    g_autofree char *file = g_build_filename(path, name, NULL);

    g_assert_true(virFileMakePath(path, 0700, NULL));
    g_assert_true(virFileWrite(file, text, strlen(text), 0600, VIR_FILE_VOLATILE, NULL));
}

static char *
testImages(const GPtrArray *all)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < all->len; i++) {
        const qmpFirmware *firmware = all->pdata[i];

        g_string_append_printf(text, "%s ", firmware->image);
    }
    return g_string_free(g_steal_pointer(&text), false);
}

static void
testOrderAndHiding(void)
{
    g_autofree char *config = g_build_filename(root, "config", NULL);
    g_autofree char *link = NULL;
    g_autofree char *system = NULL;
    g_autofree char *session = NULL;
    g_autoptr(GPtrArray) forSystem = NULL;
    g_autoptr(GPtrArray) forSession = NULL;

    testPut("usr/share/qemu/firmware", "50-b.json", DESCRIPTOR("/b", ""));
    testPut("usr/share/qemu/firmware", "60-c.json", DESCRIPTOR("/c", ""));
    testPut("usr/share/qemu/firmware", "70-d.json", DESCRIPTOR("/d", ""));
    testPut("usr/share/qemu/firmware", "readme.txt", "not one");
    testPut("etc/qemu/firmware", "40-a.json", DESCRIPTOR("/a", ""));
    testPut("etc/qemu/firmware", "60-c.json", DESCRIPTOR("/c2", ""));
    testPut("etc/qemu/firmware", "70-d.json", "");
    testPut("config/qemu/firmware", "50-b.json", DESCRIPTOR("/b3", ""));
    link = g_build_filename(config, "qemu", "firmware", "40-a.json", NULL);
    g_assert_cmpint(symlink("/dev/null", link), ==, 0);

    forSystem = qmpFirmwareReadAll(root, NULL);
    system = testImages(forSystem);
    g_assert_cmpstr(system, ==, "/a /b /c2 ");
    forSession = qmpFirmwareReadAll(root, config);
    session = testImages(forSession);
    g_assert_cmpstr(session, ==, "/b3 /c2 ");
}

static void
testMatching(void)
{
    g_autoptr(qmpFirmware) firmware =
        qmpFirmwareParse(DESCRIPTOR("/a", "\"secure-boot\""), "test", NULL);

    g_assert_true(qmpFirmwareFits(firmware, "i686", "pc-q35-7.2"));
    g_assert_false(qmpFirmwareFits(firmware, "i386", "pc-q35-7.2"));
    g_assert_false(qmpFirmwareFits(firmware, "i686", "pc-i440fx-7.2"));
    g_assert_true(qmpFirmwareHasInterface(firmware, QMP_FIRMWARE_UEFI));
    g_assert_false(qmpFirmwareHasInterface(firmware, QMP_FIRMWARE_BIOS));
    g_assert_true(qmpFirmwareHasFeature(firmware, "secure-boot"));
}

static void
testBroken(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"interface-types\":[]}",
        "{\"interface-types\":[\"magic\"]}",
        "{\"interface-types\":[\"bios\"],\"mapping\":{\"device\":\"memory\"}}",
        "{\"interface-types\":[\"bios\"],\"mapping\":{\"device\":\"flash\",\"executable\":{}}}",
        "{\"interface-types\":[\"bios\"],\"mapping\":{\"device\":\"memory\"},\"targets\":[]}",
        DESCRIPTOR("/a", "7"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(qmpFirmwareParse(texts[i], "test", &error));
        g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    }
}

static void
testRemove(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        if (g_file_test(below, G_FILE_TEST_IS_DIR))
            testRemove(below);
        else
            g_unlink(below);
    }
    g_rmdir(path);
}

int
main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    root = g_dir_make_tmp("qmpfirmware-XXXXXX", NULL);
    g_test_add_func("/qmpfirmware/later folders hide earlier ones", testOrderAndHiding);
    g_test_add_func("/qmpfirmware/a descriptor fits its machines", testMatching);
    g_test_add_func("/qmpfirmware/broken descriptors are refused", testBroken);
    status = g_test_run();
    testRemove(root);
    g_free(root);
    return status;
}
