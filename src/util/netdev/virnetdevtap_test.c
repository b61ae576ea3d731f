/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevtap_test.c: TAP interfaces in a network namespace of the test's own. */
#include "util/netdev/virnetdevtap.h"

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/netdev/virnetdev.h"
#include "util/virerror.h"
#include "util/virutil.h"

static virNetDevTapRequest
testRequest(const char *name)
{
    return (virNetDevTapRequest){.name = name, .queues = 1, .owner = (uid_t)-1};
}

static bool
testExists(const char *name, virNetDevInfo *info)
{
    GError *error = NULL;
    bool exists = false;

    virNetDevLookup(name, &exists, info, &error);
    g_assert_no_error(error);
    return exists;
}

static void
testInterfaceIsAsAskedFor(void)
{
    static const uint8_t mac[6] = {0xfe, 0x54, 0, 1, 2, 3};
    virNetDevTapRequest request = testRequest("tap-a");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    virNetDevInfo link;
    struct ifreq ifr = {0};
    int fd = -1;

    request.mac = mac;
    request.mtu = 9000;
    request.flags = VIR_NETDEV_TAP_CREATE_IFUP | VIR_NETDEV_TAP_CREATE_VNET_HDR;
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_no_error(error);
    g_assert_true(info.created);
    g_assert_true(testExists("tap-a", &link));
    g_assert_cmpuint(link.ifindex, ==, info.ifindex);
    g_assert_cmpuint(link.mtu, ==, 9000);
    g_assert_true(link.up);
    g_assert_cmpmem(link.mac, 6, mac, 6);
    g_assert_cmpint(ioctl(fd, TUNGETIFF, &ifr), ==, 0);
    g_assert_true(ifr.ifr_flags & IFF_VNET_HDR);
    g_assert_true(ifr.ifr_flags & IFF_NO_PI);
    virCloseFd(&fd);
    g_assert_false(testExists("tap-a", NULL)); /* not persistent */
}

static void
testTakenNameIsRefused(void)
{
    virNetDevTapRequest request = testRequest("tap-b");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    int first = -1;
    int second = -1;

    g_assert_true(virNetDevTapCreate(&request, &first, &info, &error));
    g_assert_false(virNetDevTapCreate(&request, &second, &info, &error));
    g_assert_cmpstr(error->message, ==, "The tap-b interface already exists");
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_INVALID));
    g_assert_cmpint(second, ==, -1);
    virCloseFd(&first);
}

static void
testExistingOneIsTakenWhenAllowed(void)
{
    virNetDevTapRequest request = testRequest("tap-c");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    int fd = -1;

    request.flags = VIR_NETDEV_TAP_CREATE_PERSIST;
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    virCloseFd(&fd);
    g_assert_true(testExists("tap-c", NULL));
    request.flags = VIR_NETDEV_TAP_CREATE_ALLOW_EXISTING;
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_no_error(error);
    g_assert_false(info.created);
    virCloseFd(&fd);
    g_assert_true(testExists("tap-c", NULL));
    g_assert_true(virNetDevTapDelete("tap-c", 1 << 30, &error)); /* another than that */
    g_assert_true(testExists("tap-c", NULL));
    g_assert_true(virNetDevTapDelete("tap-c", info.ifindex, &error));
    g_assert_true(virNetDevTapDelete("tap-c", 0, &error)); /* gone already */
    g_assert_false(testExists("tap-c", NULL));
}

static void
testTemplatesCountOn(void)
{
    virNetDevTapRequest request = testRequest("vnet%d");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    virNetDevTapRequest other = testRequest("vnet2");
    virNetDevTapInfo otherInfo;
    int fd = -1;
    int taken = -1;

    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_cmpstr(info.name, ==, "vnet0");
    virCloseFd(&fd);
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_cmpstr(info.name, ==, "vnet1"); /* not that of one that has just gone */
    virCloseFd(&fd);
    g_assert_true(virNetDevTapCreate(&other, &taken, &otherInfo, &error));
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_cmpstr(info.name, ==, "vnet3"); /* somebody else's is left out */
    virCloseFd(&fd);
    virCloseFd(&taken);
    virNetDevTapReserve("vnet17");
    virNetDevTapReserve("vnet5");
    virNetDevTapReserve("eth");
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_cmpstr(info.name, ==, "vnet18");
    virCloseFd(&fd);
}

static void
testQueuesAreOpened(void)
{
    virNetDevTapRequest request = testRequest("tap-d");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    int fds[4];

    request.queues = 4;
    g_assert_true(virNetDevTapCreate(&request, fds, &info, &error));
    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        struct ifreq ifr = {0};

        g_assert_cmpint(ioctl(fds[i], TUNGETIFF, &ifr), ==, 0);
        g_assert_cmpstr(ifr.ifr_name, ==, "tap-d");
        g_assert_true(ifr.ifr_flags & IFF_MULTI_QUEUE);
        virCloseFd(&fds[i]);
    }
}

static void
testBadNamesAreRefused(void)
{
    static const char *const names[] = {"",   "a%s", "a%d%d", "%d0", "a/b", "sixteen-letters-x",
                                        "a b"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        virNetDevTapRequest request = testRequest(names[i]);
        g_autoptr(GError) error = NULL;
        virNetDevTapInfo info;
        int fd = -1;

        g_assert_false(virNetDevTapCreate(&request, &fd, &info, &error));
        g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
    }
}

/* Frames that the guest writes are what the host receives, and what domifstat calls tx. */
static void
testCountersAreSeenFromTheGuest(void)
{
    virNetDevTapRequest request = testRequest("tap-e");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    virNetDevStats host;
    virNetDevStats guest;
    uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    int fd = -1;

    request.flags = VIR_NETDEV_TAP_CREATE_IFUP;
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(write(fd, frame, sizeof(frame)), ==, sizeof(frame));
    g_assert_true(virNetDevGetStats("tap-e", false, &host, &error));
    g_assert_true(virNetDevGetStats("tap-e", true, &guest, &error));
    g_assert_no_error(error);
    g_assert_cmpint(host.rxPackets, ==, 3);
    g_assert_cmpint(host.rxBytes, ==, 3 * (gint64)sizeof(frame));
    g_assert_cmpint(guest.txPackets, ==, 3);
    g_assert_cmpint(guest.rxPackets, ==, host.txPackets);
    virCloseFd(&fd);
    g_assert_false(virNetDevGetStats("tap-e", true, &guest, &error));
    g_assert_cmpstr(error->message, ==, "Interface 'tap-e' not found");
}

static void
testBridgePortIsAddedAndRemoved(void)
{
    virNetDevTapRequest request = testRequest("tap-f");
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo info;
    virNetDevInfo bridge;
    virNetDevInfo port;
    int fd = -1;
    int made = g_spawn_command_line_sync("ip link add br-test type bridge", NULL, NULL, NULL, NULL);

    if (!made || !testExists("br-test", &bridge)) {
        g_test_skip("needs ip(8) and bridges in the kernel");
        return;
    }
    g_assert_true(virNetDevTapCreate(&request, &fd, &info, &error));
    g_assert_true(virNetDevSetBridge("tap-f", "br-test", &error));
    g_assert_no_error(error);
    g_assert_true(testExists("tap-f", &port));
    g_assert_cmpuint(port.masterIndex, ==, bridge.ifindex);
    g_assert_true(virNetDevSetBridge("tap-f", NULL, &error));
    g_assert_true(testExists("tap-f", &port));
    g_assert_cmpuint(port.masterIndex, ==, 0);
    g_assert_false(virNetDevTapDelete("br-test", 0, &error));
    g_assert_cmpstr(error->message, ==, "interface 'br-test' is not of kind 'tun'");
    virCloseFd(&fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0) {
        printf("1..0 # SKIP needs root and /dev/net/tun\n");
        return 77;
    }
    g_test_add_func("/tap/an interface is as asked for", testInterfaceIsAsAskedFor);
    g_test_add_func("/tap/a taken name is refused", testTakenNameIsRefused);
    g_test_add_func("/tap/an existing one is taken when allowed",
                    testExistingOneIsTakenWhenAllowed);
    g_test_add_func("/tap/templates count on", testTemplatesCountOn);
    g_test_add_func("/tap/queues are opened", testQueuesAreOpened);
    g_test_add_func("/tap/bad names are refused", testBadNamesAreRefused);
    g_test_add_func("/tap/counters are seen from the guest", testCountersAreSeenFromTheGuest);
    g_test_add_func("/tap/a bridge port is added and removed", testBridgePortIsAddedAndRemoved);
    return g_test_run();
}
