/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerrows_test.c: see virhandlerrows.h. The effects are real where that takes no more than a
 * process and a network namespace of our own; the others are tested elsewhere. */
#include "delegate/virhandlerrows.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/netdev/virnetdev.h"
#include "util/virutil.h"

static bool
testMemlock(testMatrix *m, GError **error)
{
    const virDelegateMemlock wanted = {.bytes = 32768, .exact = true};

    return virDelegateMemlockSet(m->test.door, &testCall, m->test.pidfd, &wanted, error);
}

static void
testMemlockEffect(testMatrix *m)
{
    const struct rlimit limit = {32768, 65536};

    g_assert_cmpint(prlimit(m->test.child, RLIMIT_MEMLOCK, &limit, NULL), ==, 0);
}

static bool
testSched(testMatrix *m, GError **error)
{
    return virDelegateSchedSet(m->test.door, &testCall, m->test.pidfd, &m->test.child, 1,
                               SCHED_BATCH, 0, error);
}

static void
testSchedEffect(testMatrix *m)
{
    const struct sched_param param = {0};

    g_assert_cmpint(sched_setscheduler(m->test.child, SCHED_BATCH, &param), ==, 0);
}

/* The first CPU that the process may use: wanted alone. */
static cpu_set_t
testFirstCpu(testMatrix *m)
{
    cpu_set_t now, first;
    size_t cpu = 0;

    g_assert_cmpint(sched_getaffinity(0, sizeof(now), &now), ==, 0);
    while (!CPU_ISSET(cpu, &now))
        cpu++;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    return first;
}

static bool
testAffinity(testMatrix *m, GError **error)
{
    const cpu_set_t first = testFirstCpu(m);

    return virDelegateAffinitySet(m->test.door, &testCall, m->test.pidfd, &m->test.child, 1, &first,
                                  sizeof(first), error);
}

static void
testAffinityEffect(testMatrix *m)
{
    const cpu_set_t first = testFirstCpu(m);

    g_assert_cmpint(sched_setaffinity(m->test.child, sizeof(first), &first), ==, 0);
}

static bool
testTune(testMatrix *m, GError **error)
{
    return virDelegateProcTune(m->test.door, &testCall, m->test.pidfd, WANTED, error);
}

static void
testTuneEffect(testMatrix *m)
{
    testSetOom(&m->test, WANTED);
}

static bool
testOwn(testMatrix *m, GError **error)
{
    const virDelegateOwner wanted = {VIR_DELEGATE_KEEP_ID, VIR_DELEGATE_KEEP_ID, 0640};
    VIR_AUTOCLOSE fd = open(m->path, O_PATH | O_CLOEXEC);

    return virDelegateOwnSet(m->test.door, &testCall, fd, &wanted, NULL, error);
}

static void
testOwnEffect(testMatrix *m)
{
    g_assert_cmpint(chmod(m->path, 0640), ==, 0);
}

static bool
testDevice(testMatrix *m, GError **error)
{
    VIR_AUTOCLOSE fd = -1;

    return virDelegateDeviceOpen(m->test.door, &testCall, VIR_DELEGATE_DEVICE_NODE, "/dev/null",
                                 O_RDWR, &fd, error);
}

void
testGive(testMatrix *m, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_array_append_val(m->fds, fd);
}

static void
testDeviceEffect(testMatrix *m)
{
    testGive(m, "/dev/null");
}

static void
testDeviceLie(testMatrix *m)
{
    testGive(m, m->path);
}

static bool
testNode(testMatrix *m, GError **error)
{
    VIR_AUTOCLOSE folder = open(g_get_tmp_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *name = g_strdup_printf("vwmatrix-%d", (int)m->test.child);

    return virDelegateNodeCreate(m->test.door, &testCall, folder, name, S_IFCHR | 0600,
                                 (dev_t)0x103, geteuid(), getegid(), error);
}

static void
testNodeEffect(testMatrix *m)
{
    g_autofree char *path = g_strdup_printf("%s/vwmatrix-%d", g_get_tmp_dir(), (int)m->test.child);

    g_assert_cmpint(mknod(path, S_IFCHR | 0600, (dev_t)0x103), ==, 0);
}

static bool
testSetUpLoopback(testMatrix *m, GError **error)
{
    return virDelegateNetSetUp(m->test.door, &testCall, "lo", true, error);
}

static void
testSetUpLoopbackEffect(testMatrix *m)
{
    g_assert_true(virNetDevSetUp("lo", true, NULL));
}

static bool
testTap(testMatrix *m, GError **error)
{
    const virNetDevTapRequest request = {.name = "vwmatrix0", .queues = 1, .owner = (uid_t)-1};
    virNetDevTapInfo info;
    int fd;

    if (!virDelegateTapCreate(m->test.door, &testCall, &request, &fd, &info, error))
        return false;
    (void)close(fd); /* and it is gone */
    return true;
}

static void
testTapEffect(testMatrix *m)
{
    const virNetDevTapRequest request = {.name = "vwmatrix0", .queues = 1, .owner = (uid_t)-1};
    handler_tap_create_ret *ret = m->ret;
    virNetDevTapInfo info;
    int fd;

    g_assert_true(virNetDevTapCreate(&request, &fd, &info, NULL));
    g_array_append_val(m->fds, fd);
    ret->name = virArenaStrdup(&m->arena, info.name);
    ret->ifindex = info.ifindex;
    ret->created = 1;
}

static void
testTapLie(testMatrix *m)
{
    ((handler_tap_create_ret *)m->ret)->name = "vwmatrix0";
    testGive(m, "/dev/null");
}

static bool
testBarrier(testMatrix *m, GError **error)
{
    const virDelegateThread table = {VIR_DELEGATE_ROLE_EMULATOR, 0, m->test.child};

    return virDelegateBarrier(m->test.door, &testCall, VIR_DELEGATE_BARRIER_PREPARED, m->test.pidfd,
                              &table, 1, error);
}

static void
testNothing(testMatrix *m)
{
}

#define GROUPS "cgroup_handler, group_test: they take a control group"
#define GATES "gate_handler: they take BPF"
#define PORTS "handlers, devices: they take a bridge"

static const testRow rows[] = {
    {"teardown", .ends = true, .elsewhere = "virhandlergrants_test"},
    {"barrier", testBarrier, testNothing, .ends = true},
    {"memlock.set", testMemlock, testMemlockEffect},
    {"sched.set", testSched, testSchedEffect},
    {"affinity.set", testAffinity, testAffinityEffect},
    {"cgroup.create", .elsewhere = GROUPS},
    {"cgroup.move", .elsewhere = GROUPS},
    {"cgroup.set", .elsewhere = GROUPS},
    {"cgroup.remove", .ends = true, .elsewhere = GROUPS},
    {"gate.create", .elsewhere = GATES},
    {"gate.update", .elsewhere = GATES},
    {"gate.replace", .elsewhere = GATES},
    {"gate.remove", .ends = true, .elsewhere = GATES},
    {"node.create", testNode, testNodeEffect, .root = true},
    {"device.open", testDevice, testDeviceEffect, testDeviceLie},
    {"tap.create", testTap, testTapEffect, testTapLie, .root = true},
    {"tap.remove", .ends = true, .elsewhere = PORTS},
    {"net.attach", .elsewhere = PORTS},
    {"net.detach", .ends = true, .elsewhere = PORTS},
    {"net.set", testSetUpLoopback, testSetUpLoopbackEffect, .root = true},
    {"own.set", testOwn, testOwnEffect},
    {"mount.apply", .elsewhere = "gate_daemon: it takes a mount namespace"},
    {"proc.tune", testTune, testTuneEffect},
};

const testRow *
testRowOf(const virXdrHook *hook)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].hook, hook->name))
            return &rows[i];
    }
    return NULL;
}
