/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevmacvtap_test.c: macvtap interfaces in a network namespace of the test's own. */
#include "util/netdev/virnetdevmacvtap.h"

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/netdev/virnetdev.h"
#include "util/virerror.h"
#include "util/virutil.h"

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};

static bool
testRun(const char *command)
{
    int status = -1;

    return g_spawn_command_line_sync(command, NULL, NULL, &status, NULL) && status == 0;
}

static virNetDevTapRequest
testRequest(const char *name, virNetDevMacvtapMode mode)
{
    return (virNetDevTapRequest){
        .name = name, .parent = "va", .mode = mode, .mac = mac, .queues = 1, .owner = (uid_t)-1};
}

static bool
testExists(const char *name, virNetDevInfo *info)
{
    bool exists = false;

    g_assert_true(virNetDevLookup(name, &exists, info, NULL));
    return exists;
}

static void
testEachModeIsMade(void)
{
    for (unsigned mode = 0; mode < VIR_NETDEV_MACVTAP_LAST; mode++) {
        virNetDevTapRequest request = testRequest("mv0", (virNetDevMacvtapMode)mode);
        g_autoptr(GError) error = NULL;
        virNetDevMacvtapInfo info = {0};
        virNetDevTapInfo made;
        bool is = false;
        int fds[3];

        request.queues = G_N_ELEMENTS(fds);
        virNetDevTapCreate(&request, fds, &made, &error);
        g_assert_no_error(error);
        g_assert_true(made.created);
        g_assert_cmpstr(made.name, ==, "mv0");
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
            virCloseFd(&fds[i]);
        g_assert_true(virNetDevMacvtapLookup("mv0", &is, &info, &error));
        g_assert_true(is); /* with no descriptor left */
        g_assert_cmpuint(info.ifindex, ==, made.ifindex);
        g_assert_cmpuint(info.parentIndex, ==, if_nametoindex("va"));
        g_assert_cmpuint(info.mode, ==, mode);
        g_assert_cmpmem(info.mac, 6, mac, 6);
        g_assert_true(virNetDevTapDelete("mv0", made.ifindex, &error));
        g_assert_false(testExists("mv0", NULL));
    }
}

static void
testTheParentsAddressIsLent(void)
{
    const virNetDevTapRequest request = testRequest("mv0", VIR_NETDEV_MACVTAP_PASSTHROUGH);
    const virNetDevTapRequest second = testRequest("mv1", VIR_NETDEV_MACVTAP_BRIDGE);
    g_autoptr(GError) error = NULL;
    virNetDevInfo before, during, after;
    virNetDevTapInfo made;
    int fd = -1;

    g_assert_true(testExists("va", &before));
    g_assert_true(virNetDevTapCreate(&request, &fd, &made, &error));
    virCloseFd(&fd);
    g_assert_true(testExists("va", &during));
    g_assert_cmpmem(during.mac, 6, mac, 6);
    g_assert_false(virNetDevTapCreate(&second, &fd, &made, &error));
    g_assert_cmpstr(
        error->message, ==,
        "error creating macvtap interface mv1@va (52:54:00:01:02:03): Invalid argument");
    g_assert_true(virNetDevTapDelete("mv0", 0, NULL));
    g_assert_true(testExists("va", &after));
    g_assert_cmpmem(after.mac, 6, before.mac, 6);
}

static void
testATakenNameIsRefused(void)
{
    const virNetDevTapRequest request = testRequest("vb", VIR_NETDEV_MACVTAP_BRIDGE);
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo made;
    virNetDevInfo info;
    int fd = -1;

    g_assert_false(virNetDevTapCreate(&request, &fd, &made, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_cmpstr(error->message, ==,
                    "error creating macvtap interface vb@va (52:54:00:01:02:03): File exists");
    g_assert_true(testExists("vb", &info));
    g_assert_cmpstr(info.kind, ==, "veth");
}

static void
testWithoutAParentThereIsNone(void)
{
    virNetDevTapRequest request = testRequest("mv0", VIR_NETDEV_MACVTAP_BRIDGE);
    g_autoptr(GError) error = NULL;
    virNetDevTapInfo made;
    int fd = -1;

    request.parent = "none";
    g_assert_false(virNetDevTapCreate(&request, &fd, &made, &error));
    g_assert_cmpstr(error->message, ==, "Unable to get index for interface none: No such device");
}

static void
testNamesOfOthersAreLeftOut(void)
{
    g_autofree char *first = virNetDevMacvtapNextName(NULL);
    g_autofree char *next = NULL;
    g_autofree char *command = NULL;
    guint64 number = g_ascii_strtoull(first + strlen("macvtap"), NULL, 10);
    g_autofree char *wanted = g_strdup_printf("macvtap%u", (unsigned)number + 2);

    g_assert_true(g_str_has_prefix(first, "macvtap"));
    command = g_strdup_printf("ip link add macvtap%u type bridge", (unsigned)number + 1);
    g_assert_true(testRun(command));
    next = virNetDevMacvtapNextName(NULL);
    g_assert_cmpstr(next, ==, wanted);
}

static void
testItIsKnownAgain(void)
{
    const virNetDevTapRequest request = testRequest("mv0", VIR_NETDEV_MACVTAP_BRIDGE);
    static const uint8_t other[6] = {0x52, 0x54, 0, 1, 2, 4};
    virNetDevMacvtapInfo info = {0};
    virNetDevTapInfo made;
    bool is = false;
    int fd = -1;

    g_assert_true(virNetDevTapCreate(&request, &fd, &made, NULL));
    virCloseFd(&fd);
    g_assert_true(virNetDevMacvtapLookup("mv0", &is, &info, NULL));
    g_assert_true(virNetDevMacvtapIs(&info, "va", mac));
    g_assert_false(virNetDevMacvtapIs(&info, "va", other));
    g_assert_false(virNetDevMacvtapIs(&info, "vb", mac));
    g_assert_false(virNetDevMacvtapIs(&info, "none", mac));
    g_assert_true(virNetDevMacvtapLookup("vb", &is, &info, NULL));
    g_assert_false(is);
    g_assert_true(virNetDevTapDelete("mv0", 0, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 ||
        !testRun("ip link add va type veth peer name vb") ||
        !testRun("ip link add link va name probe type macvtap") || !testRun("ip link del probe")) {
        printf("1..0 # SKIP needs root, ip(8), veth and macvtap\n");
        return 77;
    }
    g_test_add_func("/macvtap/each mode is made", testEachModeIsMade);
    g_test_add_func("/macvtap/the parent's address is lent", testTheParentsAddressIsLent);
    g_test_add_func("/macvtap/a taken name is refused", testATakenNameIsRefused);
    g_test_add_func("/macvtap/without a parent there is none", testWithoutAParentThereIsNone);
    g_test_add_func("/macvtap/names of others are left out", testNamesOfOthersAreLeftOut);
    g_test_add_func("/macvtap/it is known again", testItIsKnownAgain);
    return g_test_run();
}
