/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virprocstat_test.c: texts of /proc, and this process itself. */
#include "util/virprocstat.h"

#include <glib.h>
#include <sys/resource.h>
#include <unistd.h>

static void
testFieldsAreFoundBehindANameWithBracketsAndSpaces(void)
{
    virProcStat stat;
    uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);

    g_assert_true(virProcStatParse(
        "4711 (qemu (a) b) S 1 4711 4711 0 -1 4194304 9 9 9 9 250 50 9 9 20 0 3 0 1000 4096000 "
        "512 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 3 0 0 0 0 0\n",
        &stat));
    g_assert_cmpuint(stat.user_ns, ==, 250 * tick_ns);
    g_assert_cmpuint(stat.system_ns, ==, 50 * tick_ns);
    g_assert_cmpuint(stat.rssKiB, ==, 512 * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024));
    g_assert_cmpint(stat.cpu, ==, 3);
}

static void
testATruncatedLineIsNoStat(void)
{
    virProcStat stat;

    g_assert_false(virProcStatParse("4711 (qemu) S 1 2 3", &stat));
    g_assert_false(virProcStatParse("", &stat));
}

static void
testTheWaitIsReadInMillisecondsUnderBothNames(void)
{
    uint64_t wait;

    g_assert_true(virProcStatParseWait("se.statistics.wait_sum   :   12.345678\n", &wait));
    g_assert_cmpuint(wait, ==, 12345678);
    g_assert_true(virProcStatParseWait("x : 1\nwait_sum   :   2.000000\n", &wait));
    g_assert_cmpuint(wait, ==, 2000000);
    g_assert_false(virProcStatParseWait("nothing of the kind\n", &wait));
}

static void
testThisProcessHasMemoryAndAThreadOfItsPid(void)
{
    virProcStat stat;

    g_assert_true(virProcStatRead(getpid(), 0, &stat));
    g_assert_cmpuint(stat.rssKiB, >, 0);
    g_assert_true(virProcStatRead(getpid(), getpid(), &stat));
    g_assert_false(virProcStatRead(getpid(), 1, &stat));
}

static void
testLockedMemory(void)
{
    static const char limits[] =
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max processes             100                  200                  processes \n"
        "Max locked memory         %s              unlimited            bytes     \n";
    g_autofree char *some = g_strdup_printf(limits, "8388608");
    g_autofree char *any = g_strdup_printf(limits, "unlimited");
    uint64_t limit = 0, own = 0, locked = 1;
    struct rlimit now;

    g_assert_true(virProcParseMemlock(some, &limit));
    g_assert_cmpuint(limit, ==, 8388608);
    g_assert_true(virProcParseMemlock(any, &limit));
    g_assert_cmpuint(limit, ==, UINT64_MAX);
    g_assert_false(virProcParseMemlock("Max processes 1 2", &limit));
    g_assert_cmpuint(virProcParseLocked("VmPeak:\t9 kB\nVmLck:\t 4 kB\nVmPin:\t 2 kB\n"), ==, 6144);
    g_assert_cmpint(getrlimit(RLIMIT_MEMLOCK, &now), ==, 0);
    g_assert_true(virProcReadMemlock(getpid(), &own, &locked));
    g_assert_cmpuint(own, ==, now.rlim_cur);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/procstat/fields are found behind a name with brackets and spaces",
                    testFieldsAreFoundBehindANameWithBracketsAndSpaces);
    g_test_add_func("/procstat/locked memory is read with its limit", testLockedMemory);
    g_test_add_func("/procstat/a truncated line is no stat", testATruncatedLineIsNoStat);
    g_test_add_func("/procstat/the wait is read in milliseconds under both names",
                    testTheWaitIsReadInMillisecondsUnderBothNames);
    g_test_add_func("/procstat/this process has memory and a thread of its pid",
                    testThisProcessHasMemoryAndAThreadOfItsPid);
    return g_test_run();
}
