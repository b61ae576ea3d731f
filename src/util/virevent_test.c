/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virevent_test.c: watches, timers and posts on a loop that runs in the test's own thread. */
#include "util/virevent.h"

#include <fcntl.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"

enum { MANY = 1000 };

typedef struct {
    int pair[2];
    virEventWatch *watch;
    virEventWatch *other;
    virEventTimer *timer;
    int calls;
    int destroyed;
} testLoop;

static void
testDestroyed(void *opaque)
{
    testLoop *test = opaque;

    g_assert_true(virEventIsLoopThread());
    test->destroyed++;
    virEventQuit();
}

static void
testRead(int fd, unsigned events, void *opaque)
{
    testLoop *test = opaque;
    char byte;

    g_assert_true(events & EPOLLIN);
    g_assert_cmpint(read(fd, &byte, 1), ==, 1);
    test->calls++;
    virEventWatchRemove(test->watch);
}

static void
testWatchIsCalledUntilRemoved(void)
{
    g_autoptr(GError) error = NULL;
    testLoop test = {0};

    g_assert_cmpint(pipe(test.pair), ==, 0);
    test.watch = virEventWatchAdd(test.pair[0], EPOLLIN, testRead, &test, testDestroyed, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(test.pair[1], "xy", 2), ==, 2);
    virEventRun();
    g_assert_cmpint(test.calls, ==, 1);
    g_assert_cmpint(test.destroyed, ==, 1);
    close(test.pair[0]);
    close(test.pair[1]);
}

static void
testRemoveBoth(int fd G_GNUC_UNUSED, unsigned events G_GNUC_UNUSED, void *opaque)
{
    testLoop *test = opaque;

    test->calls++;
    virEventWatchRemove(test->watch);
    virEventWatchRemove(test->other);
}

static void
testWatchRemovedInItsOwnBatchIsNotCalled(void)
{
    g_autoptr(GError) error = NULL;
    testLoop test = {0};

    g_assert_cmpint(pipe(test.pair), ==, 0);
    test.watch = virEventWatchAdd(test.pair[1], EPOLLOUT, testRemoveBoth, &test, NULL, &error);
    g_assert_cmpint(write(test.pair[1], "x", 1), ==, 1);
    test.other =
        virEventWatchAdd(test.pair[0], EPOLLIN, testRemoveBoth, &test, testDestroyed, &error);
    virEventRun();
    g_assert_cmpint(test.calls, ==, 1);
    g_assert_cmpint(test.destroyed, ==, 1);
    close(test.pair[0]);
    close(test.pair[1]);
}

static void
testRegularFileIsRefused(void)
{
    g_autoptr(GError) error = NULL;
    VIR_AUTOCLOSE fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    g_assert_null(virEventWatchAdd(fd, EPOLLIN, testRead, NULL, NULL, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_SYSTEM_ERROR));
}

static void
testTick(void *opaque)
{
    testLoop *test = opaque;

    if (++test->calls == 3)
        virEventTimerRemove(test->timer);
}

static void
testTimerRepeatsUntilRemoved(void)
{
    testLoop test = {0};

    test.timer = virEventTimerAdd(1, 1, testTick, &test, testDestroyed);
    virEventRun();
    g_assert_cmpint(test.calls, ==, 3);
    g_assert_cmpint(test.destroyed, ==, 1);
}

static void
testQuitLater(void *opaque)
{
    testLoop *test = opaque;

    test->calls++;
    virEventQuit();
}

static void
testTimerRestartedGoesLater(void)
{
    testLoop test = {0};
    virEventTimer *late = virEventTimerAdd(0, 0, testQuitLater, &test, NULL);
    virEventTimer *first;

    virEventTimerRestart(late, 3600 * 1000, 0); /* later than any machine is slow */
    first = virEventTimerAdd(0, 0, testQuitLater, &test, NULL);
    virEventRun();
    g_assert_cmpint(test.calls, ==, 1);
    virEventTimerRestart(late, 0, 0);
    virEventRun();
    g_assert_cmpint(test.calls, ==, 2);
    virEventTimerRemove(first);
    virEventTimerRemove(late);
}

static void
testCountInOrder(void *opaque)
{
    static int expected;

    g_assert_cmpint(GPOINTER_TO_INT(opaque), ==, expected);
    if (++expected == MANY)
        virEventQuit();
}

static void *
testPostMany(void *data G_GNUC_UNUSED)
{
    for (int i = 0; i < MANY; i++)
        virEventPost(testCountInOrder, GINT_TO_POINTER(i));
    return NULL;
}

static void
testPostsFromAThreadRunInOrder(void)
{
    GThread *thread = g_thread_new("poster", testPostMany, NULL);

    virEventRun();
    g_thread_join(thread);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    virEventInit(&error);
    g_assert_no_error(error);
    g_test_add_func("/event/watch-is-called-until-removed", testWatchIsCalledUntilRemoved);
    g_test_add_func("/event/watch-removed-in-its-own-batch-is-not-called",
                    testWatchRemovedInItsOwnBatchIsNotCalled);
    g_test_add_func("/event/regular-file-is-refused", testRegularFileIsRefused);
    g_test_add_func("/event/timer-repeats-until-removed", testTimerRepeatsUntilRemoved);
    g_test_add_func("/event/timer-restarted-goes-later", testTimerRestartedGoesLater);
    g_test_add_func("/event/posts-from-a-thread-run-in-order", testPostsFromAThreadRunInOrder);
    return g_test_run();
}
