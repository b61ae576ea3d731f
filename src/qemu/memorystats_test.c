/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memorystats_test.c: balloons that tell, tell in part, and tell nothing. */
#include "qemu/memorystats.h"

#include <glib.h>

static void
testWhatTheGuestTellsIsInKiBAndWhatItDoesNotIsLeftOut(void)
{
    g_autoptr(virJSON) balloon = virJSONParse("{\"actual\": 268435456}", -1, NULL);
    g_autoptr(virJSON) guest =
        virJSONParse("{\"stats\": {\"stat-swap-in\": 4096, \"stat-major-faults\": 7,"
                     " \"stat-htlb-pgalloc\": 18446744073709551615}, \"last-update\": 99}",
                     -1, NULL);
    qemuMemoryStat stats[QEMU_MEMORY_STAT_LAST];

    g_assert_cmpuint(qemuMemoryStatsRead(balloon, guest, stats), ==, 4);
    g_assert_cmpint(stats[0].tag, ==, QEMU_MEMORY_ACTUAL_BALLOON);
    g_assert_cmpuint(stats[0].value, ==, 262144);
    g_assert_cmpint(stats[1].tag, ==, QEMU_MEMORY_SWAP_IN);
    g_assert_cmpuint(stats[1].value, ==, 4);
    g_assert_cmpint(stats[2].tag, ==, QEMU_MEMORY_MAJOR_FAULT);
    g_assert_cmpuint(stats[2].value, ==, 7);
    g_assert_cmpint(stats[3].tag, ==, QEMU_MEMORY_LAST_UPDATE);
    g_assert_cmpuint(stats[3].value, ==, 99);
}

static void
testNoAnswerIsNoStatistic(void)
{
    qemuMemoryStat stats[QEMU_MEMORY_STAT_LAST];

    g_assert_cmpuint(qemuMemoryStatsRead(NULL, NULL, stats), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memorystats/what the guest tells is in KiB and what it doesn't is left out",
                    testWhatTheGuestTellsIsInKiBAndWhatItDoesNotIsLeftOut);
    g_test_add_func("/memorystats/no answer is no statistic", testNoAnswerIsNoStatistic);
    return g_test_run();
}
