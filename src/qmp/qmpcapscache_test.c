/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapscache_test.c: the distribution's QEMU, really probed (suite host: skipped without one). */
#include <glib/gstdio.h>

#include "qmp/qmpcapscache.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virfile.h"
#include "util/virspawn.h"
#include "util/virxml.h"

static const qmpCapsIdentity ourselves = {VIR_SPAWN_KEEP_ID, VIR_SPAWN_KEEP_ID, NULL, 0};
static char *folder;

static char *
testEmulator(void)
{
    char *emulator = qmpEmulatorFind("x86_64");

    if (!emulator)
        g_test_skip("no qemu-system-x86_64 here");
    return emulator;
}

static void
testProbesTheRealOne(void)
{
    g_autofree char *emulator = testEmulator();
    g_autoptr(qmpCapsCache) cache = NULL;
    g_autoptr(qmpCapsCache) later = NULL;
    g_autoptr(qmpCaps) caps = NULL;
    g_autoptr(qmpCaps) again = NULL;
    g_autoptr(qmpCaps) read = NULL;
    g_autoptr(GError) error = NULL;
    gint64 begin;

    if (!emulator)
        return;
    cache = qmpCapsCacheNew(folder, &ourselves);
    g_assert_null(qmpCapsCachePeek(cache, emulator));
    begin = g_get_monotonic_time();
    caps = qmpCapsCacheGet(cache, emulator, &error);
    g_test_message("probed in %.1f ms", (double)(g_get_monotonic_time() - begin) / 1000);
    g_assert_no_error(error);
    g_assert_cmpuint(qmpCapsVersion(caps), >=, 2011000);
    g_assert_cmpstr(qmpCapsArch(caps), ==, "x86_64");
    g_assert_true(qmpCapsHasAll(caps, QMP_CAPS_BLOCKDEV, QMP_CAPS_DEVICE_JSON, QMP_CAPS_LAST));
    g_assert_nonnull(qmpCapsMachine(caps, QMP_ACCEL_TCG, "q35"));
    g_assert_nonnull(qmpCapsCpuDefinition(caps, QMP_ACCEL_TCG, "qemu64"));
    g_assert_nonnull(qmpCapsHostCpu(caps, QMP_ACCEL_TCG));

    again = qmpCapsCacheGet(cache, emulator, &error);
    g_assert_true(again == caps);
    later = qmpCapsCacheNew(folder, &ourselves);
    begin = g_get_monotonic_time();
    read = qmpCapsCacheGet(later, emulator, &error);
    g_test_message("reread in %.1f ms", (double)(g_get_monotonic_time() - begin) / 1000);
    g_assert_no_error(error);
    g_assert_cmpuint(qmpCapsMachines(read, QMP_ACCEL_TCG)->len, ==,
                     qmpCapsMachines(caps, QMP_ACCEL_TCG)->len);
}

static void *
testGetInThread(void *cache)
{
    g_autofree char *emulator = qmpEmulatorFind("x86_64");

    return qmpCapsCacheGet(cache, emulator, NULL);
}

static void
testProbesOnceForAll(void)
{
    g_autofree char *emulator = testEmulator();
    g_autofree char *other = g_build_filename(folder, "other", NULL);
    g_autoptr(qmpCapsCache) cache = qmpCapsCacheNew(other, &ourselves);
    GThread *threads[4];
    qmpCaps *caps[4];

    if (!emulator)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("get", testGetInThread, cache);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        caps[i] = g_thread_join(threads[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(caps); i++) {
        g_assert_nonnull(caps[i]);
        g_assert_true(caps[i] == caps[0]); /* the very same: nobody else probed */
        qmpCapsUnref(caps[i]);
    }
}

static void
testNamesWhatIsNoQemu(void)
{
    g_autoptr(qmpCapsCache) cache = qmpCapsCacheNew(folder, &ourselves);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) missing = NULL;

    g_assert_null(qmpCapsCacheGet(cache, "/bin/false", &error));
    g_assert_nonnull(strstr(error->message, "Failed to probe QEMU binary '/bin/false': "));
    g_assert_null(qmpCapsCacheGet(cache, "/nonexistent/qemu", &missing));
    g_assert_true(virErrorIs(missing, VIR_ERR_SYSTEM_ERROR));
}

static void
testIgnoresABrokenFile(void)
{
    g_autofree char *emulator = testEmulator();
    g_autofree char *broken = g_build_filename(folder, "broken", NULL);
    g_autofree char *sum = NULL;
    g_autofree char *path = NULL;
    g_autoptr(qmpCapsCache) cache = NULL;
    g_autoptr(qmpCaps) caps = NULL;
    g_autoptr(GError) error = NULL;

    if (!emulator)
        return;
    sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, emulator, -1);
    path = g_strdup_printf("%s/%s.xml", broken, sum);
    g_assert_true(virFileMakePath(broken, 0700, NULL));
    g_assert_true(virFileWrite(path, "<qemuCaps><fl", 13, 0600, VIR_FILE_VOLATILE, NULL));
    cache = qmpCapsCacheNew(broken, &ourselves);
    caps = qmpCapsCacheGet(cache, emulator, &error);
    g_assert_no_error(error);
    g_assert_nonnull(caps);
}

static void *
testLoop(void *opaque G_GNUC_UNUSED)
{
    virEventRun();
    return NULL;
}

static void
testRemoveFolder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        if (g_file_test(below, G_FILE_TEST_IS_DIR))
            testRemoveFolder(below);
        else
            g_unlink(below);
    }
    g_rmdir(path);
}

int
main(int argc, char **argv)
{
    GThread *loop;
    int status;

    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_assert_true(virEventInit(NULL));
    loop = g_thread_new("loop", testLoop, NULL);
    folder = g_dir_make_tmp("qmpcaps-XXXXXX", NULL);
    g_test_add_func("/qmpcapscache/the real QEMU is probed, kept and reread", testProbesTheRealOne);
    g_test_add_func("/qmpcapscache/many who ask at once get one probe", testProbesOnceForAll);
    g_test_add_func("/qmpcapscache/what is no QEMU is named", testNamesWhatIsNoQemu);
    g_test_add_func("/qmpcapscache/a broken file is as none", testIgnoresABrokenFile);
    status = g_test_run();
    testRemoveFolder(folder);
    g_free(folder);
    virEventQuit();
    g_thread_join(loop);
    return status;
}
