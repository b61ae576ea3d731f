/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircore_test.c: the lock's scopes, waiting with a deadline, and a pool that grows. */
#include "util/vircore.h"

#include "util/virevent.h"

enum { WAITERS = 40 };

static struct {
    GCond cond;
    int waiting;
    bool go;
    int passed;
} test;

static void
testGuardEndsWithItsScope(void)
{
    {
        VIR_CORE_GUARD;
        g_assert_true(virCoreIsHeld());
        {
            VIR_CORE_UNLOCKED;
            g_assert_false(virCoreIsHeld());
        }
        g_assert_true(virCoreIsHeld());
    }
    g_assert_false(virCoreIsHeld());
}

static void
testWaitEndsAtItsDeadline(void)
{
    GCond never;

    g_cond_init(&never);
    VIR_CORE_GUARD;
    while (virCoreWait(&never, g_get_monotonic_time() + 1000)) {
        /* a spurious wake-up */
    }
    g_assert_true(virCoreIsHeld());
    g_cond_clear(&never);
}

static void
testWaitForAll(void *opaque G_GNUC_UNUSED)
{
    VIR_CORE_GUARD;

    if (++test.waiting == WAITERS)
        test.go = true;
    g_cond_broadcast(&test.cond);
    while (!test.go)
        g_assert_true(virCoreWait(&test.cond, g_get_monotonic_time() + 60 * G_USEC_PER_SEC));
    test.passed++;
}

/* Each waits for the last one, so a pool of fixed size would stand still. */
static void
testPoolGrowsWithItsWaiters(void)
{
    for (int i = 0; i < WAITERS; i++)
        virCoreRunJob(testWaitForAll, NULL);
    virCoreDrainJobs();
    g_assert_cmpint(test.passed, ==, WAITERS);
}

static void
testAddOne(void *opaque)
{
    g_atomic_int_inc((int *)opaque);
}

static void
testDrainWaitsForEveryJob(void)
{
    int count = 0;

    for (int i = 0; i < 10000; i++)
        virCoreRunJob(testAddOne, &count);
    virCoreDrainJobs();
    g_assert_cmpint(count, ==, 10000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/core/guard-ends-with-its-scope", testGuardEndsWithItsScope);
    g_test_add_func("/core/wait-ends-at-its-deadline", testWaitEndsAtItsDeadline);
    g_test_add_func("/core/pool-grows-with-its-waiters", testPoolGrowsWithItsWaiters);
    g_test_add_func("/core/drain-waits-for-every-job", testDrainWaitsForEveryJob);
    return g_test_run();
}
