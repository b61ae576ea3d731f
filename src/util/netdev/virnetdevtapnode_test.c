/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevtapnode_test.c: queues of a macvtap in a network namespace of the test's own, which /sys
 * does not show. */
#include "util/netdev/virnetdevtapnode.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/netdev/virnetdev.h"
#include "util/virerror.h"
#include "util/virutil.h"

static bool
testRun(const char *command)
{
    int status = -1;

    return g_spawn_command_line_sync(command, NULL, NULL, &status, NULL) && status == 0;
}

static void
testQueuesAreOfTheInterface(void)
{
    g_autoptr(GError) error = NULL;
    dev_t device = 0;
    int fds[2] = {-1, -1};

    g_assert_true(virNetDevTapNodeFind("mv0", &device, &error));
    for (int i = 0; i < 2; i++) {
        struct ifreq ifr = {0};
        struct stat st;

        g_assert_true(virNetDevTapNodeOpen("mv0", O_RDWR, &fds[i], &error));
        g_assert_no_error(error);
        g_assert_cmpint(fstat(fds[i], &st), ==, 0);
        g_assert_true(S_ISCHR(st.st_mode) && st.st_rdev == device);
        g_assert_cmpint(ioctl(fds[i], TUNGETIFF, &ifr), ==, 0);
        g_assert_cmpstr(ifr.ifr_name, ==, "mv0");
    }
    virCloseFd(&fds[0]);
    virCloseFd(&fds[1]);
}

static short
testFlags(int fd)
{
    struct ifreq ifr = {0};

    g_assert_cmpint(ioctl(fd, TUNGETIFF, &ifr), ==, 0);
    return (short)(ifr.ifr_flags & (IFF_VNET_HDR | IFF_MULTI_QUEUE));
}

static void
testFlagsAreSet(void)
{
    g_autoptr(GError) error = NULL;
    int fds[2] = {-1, -1};

    g_assert_true(virNetDevTapNodeOpen("mv0", O_RDWR, &fds[0], &error));
    g_assert_true(virNetDevTapNodeOpen("mv0", O_RDWR, &fds[1], &error));
    g_assert_true(virNetDevTapNodeSetup(fds, 1, false, &error));
    g_assert_cmpint(testFlags(fds[0]), ==, 0);
    g_assert_true(virNetDevTapNodeSetup(fds, 2, true, &error));
    g_assert_no_error(error);
    g_assert_cmpint(testFlags(fds[1]), ==, IFF_VNET_HDR | IFF_MULTI_QUEUE);
    virCloseFd(&fds[0]);
    virCloseFd(&fds[1]);
    fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
    g_assert_false(virNetDevTapNodeSetup(fds, 1, true, &error));
    g_assert_true(g_str_has_prefix(error->message, "cannot get interface flags on macvtap tap"));
    virCloseFd(&fds[0]);
}

static void
testOthersHaveNone(void)
{
    g_autoptr(GError) error = NULL;
    bool has = false;
    int fd = -1;

    g_assert_true(virNetDevTapNodeIsThere("mv0", &has, &error) && has);
    g_assert_true(virNetDevTapNodeIsThere("va", &has, &error) && !has);
    g_assert_true(virNetDevTapNodeIsThere("none", &has, &error) && !has);
    g_assert_false(virNetDevTapNodeOpen("va", O_RDWR, &fd, &error));
    g_assert_cmpstr(error->message, ==, "interface 'va' is neither a macvtap nor an ipvtap");
    g_assert_cmpint(fd, ==, -1);
}

static void
testOneOfAnotherNamespaceIsNotTaken(void)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;

    /* the index is the same as that of mv0 there, or not: the name alone must not do */
    g_assert_cmpint(unshare(CLONE_NEWNET), ==, 0);
    g_assert_false(virNetDevTapNodeOpen("mv0", O_RDWR, &fd, &error));
    g_assert_cmpint(fd, ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 ||
        !testRun("ip link add va type veth peer name vb") ||
        !testRun("ip link add link va name mv0 type macvtap mode bridge")) {
        printf("1..0 # SKIP needs root, ip(8), veth and macvtap\n");
        return 77;
    }
    g_test_add_func("/tapnode/queues are of the interface", testQueuesAreOfTheInterface);
    g_test_add_func("/tapnode/flags are set", testFlagsAreSet);
    g_test_add_func("/tapnode/other kinds have none", testOthersHaveNone);
    g_test_add_func("/tapnode/one of another namespace is not taken",
                    testOneOfAnotherNamespaceIsNotTaken);
    return g_test_run();
}
