/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevbandwidth_test.c: limits of an interface in a network namespace of the test's own: what
 * is asked for is read back, and packets beyond the limit are dropped. */
#include "util/netdev/virnetdevbandwidth.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevtap.h"
#include "util/virerror.h"
#include "util/virutil.h"

static int
testTap(const char *name)
{
    virNetDevTapRequest request = {
        .name = name, .queues = 1, .owner = (uid_t)-1, .flags = VIR_NETDEV_TAP_CREATE_IFUP};
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    int fd = -1;

    virNetDevTapCreate(&request, &fd, &info, &error);
    g_assert_no_error(error);
    return fd;
}

static void
testAssertLimits(const char *name, uint64_t sent, uint64_t peak, uint64_t received)
{
    g_autoptr(GError) error = NULL;
    virNetDevBandwidth now;

    virNetDevGetBandwidth(name, &now, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(now.sent.average, ==, sent);
    g_assert_cmpuint(now.sent.peak, ==, peak);
    g_assert_cmpuint(now.received.average, ==, received);
}

static void
testLimitsAreSetChangedAndTakenAway(void)
{
    VIR_AUTOCLOSE fd G_GNUC_UNUSED = testTap("tap-a");
    const virNetDevBandwidth first = {{1000, 5000, 512}, {0, 0, 0}};
    const virNetDevBandwidth second = {{64, 0, 0}, {0, 0, 0}};
    const virNetDevBandwidth none = {{0, 0, 0}, {0, 0, 0}};
    g_autoptr(GError) error = NULL;

    testAssertLimits("tap-a", 0, 0, 0);
    virNetDevSetBandwidth("tap-a", &first, &error);
    g_assert_no_error(error);
    testAssertLimits("tap-a", 1000, 5000, 0);
    virNetDevSetBandwidth("tap-a", &second, &error);
    g_assert_no_error(error);
    testAssertLimits("tap-a", 64, 0, 0);
    virNetDevSetBandwidth("tap-a", &none, &error);
    g_assert_no_error(error);
    testAssertLimits("tap-a", 0, 0, 0);
}

static int64_t
testReceived(const char *name)
{
    g_autoptr(GError) error = NULL;
    virNetDevStats stats;

    virNetDevGetStats(name, false, &stats, &error);
    g_assert_no_error(error);
    return stats.rxPackets;
}

/* Frames that a listener on the interface's protocol sees of those that a guest sends at once. */
static unsigned
testPassed(int tap, int listener, unsigned frames)
{
    uint8_t frame[1000] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    unsigned passed = 0;

    for (unsigned i = 0; i < frames; i++)
        g_assert_cmpint(write(tap, frame, sizeof(frame)), ==, sizeof(frame));
    while (recv(listener, frame, sizeof(frame), MSG_DONTWAIT) > 0)
        passed++;
    return passed;
}

static void
testWhatIsReceivedBeyondTheLimitIsDropped(void)
{
    enum { FRAMES = 200 };
    VIR_AUTOCLOSE fd = testTap("tap-b");
    /* behind the policer, unlike a socket for all protocols */
    VIR_AUTOCLOSE listener = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));
    struct sockaddr_ll place = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(0x88b5),
                                .sll_ifindex = (int)if_nametoindex("tap-b")};
    const virNetDevBandwidth limit = {{0, 0, 0}, {20, 0, 20}}; /* some 20 frames */
    g_autoptr(GError) error = NULL;
    int room = 4 << 20;

    g_assert_cmpint(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), ==, 0);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&place, sizeof(place)), ==, 0);
    g_assert_cmpuint(testPassed(fd, listener, FRAMES / 2), ==, FRAMES / 2);
    virNetDevSetBandwidth("tap-b", &limit, &error);
    if (virErrorIs(error, VIR_ERR_OPERATION_UNSUPPORTED)) {
        testAssertLimits("tap-b", 0, 0, 0); /* nothing half done */
        g_test_skip(error->message);
        return;
    }
    g_assert_no_error(error);
    testAssertLimits("tap-b", 0, 0, 20);
    g_assert_cmpuint(testPassed(fd, listener, FRAMES), <, FRAMES / 2);
    g_assert_cmpint(testReceived("tap-b"), ==, FRAMES + FRAMES / 2);
}

static void
testMissingInterfaceIsNamed(void)
{
    const virNetDevBandwidth limit = {{1, 0, 0}, {0, 0, 0}};
    g_autoptr(GError) error = NULL;

    g_assert_false(virNetDevSetBandwidth("tap-none", &limit, &error));
    g_assert_nonnull(strstr(error->message, "Interface 'tap-none' not found"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0) {
        printf("1..0 # SKIP needs root and /dev/net/tun\n");
        return 77;
    }
    g_test_add_func("/bandwidth/limits are set, changed and taken away",
                    testLimitsAreSetChangedAndTakenAway);
    g_test_add_func("/bandwidth/what is received beyond the limit is dropped",
                    testWhatIsReceivedBeyondTheLimitIsDropped);
    g_test_add_func("/bandwidth/a missing interface is named", testMissingInterfaceIsNamed);
    return g_test_run();
}
