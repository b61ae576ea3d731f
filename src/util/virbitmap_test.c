/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virbitmap_test.c: sets read from text and written back; uuids with them. */
#include "util/virbitmap.h"

#include "util/virerror.h"
#include "util/viruuid.h"

static void
testReadsRangesAndExceptions(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virBitmap) map = virBitmapParse("1-4, ^3,8-20,525", 4096, &error);
    g_autofree char *text = virBitmapFormat(map);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "1-2,4,8-20,525");
    g_assert_cmpint(virBitmapCount(map), ==, 17);
    g_assert_cmpint(virBitmapLast(map), ==, 525);
}

static void
testRefusesNonsense(void)
{
    static const char *const texts[] = {"", "a", "1-", "4-1", "1,,2", "^1-2", "-1", "4096", "1 2"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(virBitmapParse(texts[i], 4096, &error));
        g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
    }
}

static void
testComparesSetsOfDifferentRoom(void)
{
    g_autoptr(virBitmap) a = virBitmapNew();
    g_autoptr(virBitmap) b = virBitmapNew();

    virBitmapSet(a, 3);
    virBitmapSet(b, 3);
    virBitmapSet(b, 300);
    g_assert_false(virBitmapEqual(a, b));
    g_assert_true(virBitmapOverlaps(a, b));
    virBitmapClear(b, 300);
    g_assert_true(virBitmapEqual(a, b));
    g_assert_true(virBitmapEqual(NULL, NULL));
    g_assert_false(virBitmapEqual(a, NULL));
}

static void
testReadsUUIDsWithOrWithoutDashes(void)
{
    unsigned char uuid[VIR_UUID_SIZE];
    char text[VIR_UUID_TEXT_SIZE];

    g_assert_true(virUUIDParse(" c7a5fdbdedaf9455-926a-d65c16db1809\n", uuid));
    g_assert_cmpstr(virUUIDFormat(uuid, text), ==, "c7a5fdbd-edaf-9455-926a-d65c16db1809");
    g_assert_false(virUUIDParse("c7a5fdbd-edaf-9455-926a-d65c16db180", uuid));
    g_assert_false(virUUIDParse("c7a5fdbd-edaf-9455-926a-d65c16db1809x", uuid));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bitmap/reads-ranges-and-exceptions", testReadsRangesAndExceptions);
    g_test_add_func("/bitmap/refuses-nonsense", testRefusesNonsense);
    g_test_add_func("/bitmap/compares-sets-of-different-room", testComparesSetsOfDifferentRoom);
    g_test_add_func("/uuid/reads-with-or-without-dashes", testReadsUUIDsWithOrWithoutDashes);
    return g_test_run();
}
