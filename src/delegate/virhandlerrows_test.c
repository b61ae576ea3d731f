/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerrows_test.c: see virhandlerrows.h. The effects are real where that takes no more than a
 * process and a network namespace of our own; the others are tested elsewhere. */
#include "delegate/virhandlerrows.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
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

/* --- groups, in folders that stand for a hierarchy --- */

static const virCgroupPart newPart = {VIR_CGROUP_PART_VCPU, 0};
static const virCgroupPart oldPart = {VIR_CGROUP_PART_VCPU, 1};

/* A folder or file of the group; caller frees. */
static char *
testGroupPath(const testMatrix *m, const virCgroupPart *part, const char *file)
{
    g_autofree char *folder = virCgroupPartPath(m->group, VIR_CGROUP_CONTROLLER_CPU, part);

    return g_build_filename(folder, file, NULL);
}

static void
testWrite(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

void
testMakeGroup(testMatrix *m)
{
    g_autoptr(virCgroupInstance) instance = NULL;
    g_autofree char *procs = NULL;
    g_autofree char *limit = NULL;

    m->folder = g_strconcat(m->path, ".groups", NULL);
    instance = virCgroupInstanceNewAt("matrix", &virCgroupFakeBackend, m->folder,
                                      VIR_CGROUP_GUEST_CONTROLLERS);
    m->group = virCgroupNew(instance, "1-web1");
    g_assert_cmpint(mkdir(m->folder, 0700), ==, 0);
    g_assert_true(virCgroupMake(m->group, NULL));
    g_assert_true(virCgroupMakePart(m->group, &oldPart, NULL));
    procs = g_build_filename(virCgroupPath(m->group), "cgroup.procs", NULL);
    limit = testGroupPath(m, NULL, "cpu.weight");
    testWrite(procs, "");
    testWrite(limit, "100\n");
}

static int
testRemoveEntry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

void
testRemoveGroup(testMatrix *m)
{
    virCgroupUnref(m->group);
    g_assert_cmpint(nftw(m->folder, testRemoveEntry, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
    g_free(m->folder);
}

static bool
testCreateGroup(testMatrix *m, GError **error)
{
    return virDelegateCgroupMakePart(m->test.door, &testCall, m->group, &newPart, error);
}

static void
testCreateGroupEffect(testMatrix *m)
{
    g_autofree char *folder = testGroupPath(m, &newPart, NULL);

    g_assert_cmpint(mkdir(folder, 0700), ==, 0);
    testGive(m, folder);
}

static void
testCreateGroupLie(testMatrix *m)
{
    testGive(m, m->folder);
}

static bool
testMoveIntoGroup(testMatrix *m, GError **error)
{
    return virDelegateCgroupMove(m->test.door, &testCall, m->group, m->test.pidfd, error);
}

static void
testMoveIntoGroupEffect(testMatrix *m)
{
    g_autofree char *procs = g_build_filename(virCgroupPath(m->group), "cgroup.procs", NULL);
    g_autofree char *text = g_strdup_printf("%d\n", (int)m->test.child);

    testWrite(procs, text);
}

static bool
testSetGroup(testMatrix *m, GError **error)
{
    g_auto(virCgroupSetting) setting = {.part = {VIR_CGROUP_PART_GUEST, 0},
                                        .controller = VIR_CGROUP_CONTROLLER_CPU,
                                        .file = "cpu.weight",
                                        .text = g_strdup("300")};

    return virDelegateCgroupSet(m->test.door, &testCall, m->group, &setting, error);
}

static void
testSetGroupEffect(testMatrix *m)
{
    g_autofree char *limit = testGroupPath(m, NULL, "cpu.weight");

    testWrite(limit, "300\n");
}

static bool
testRemovePart(testMatrix *m, GError **error)
{
    return virDelegateCgroupRemovePart(m->test.door, &testCall, m->group, &oldPart, error);
}

static void
testRemovePartEffect(testMatrix *m)
{
    g_autofree char *folder = testGroupPath(m, &oldPart, NULL);

    g_assert_cmpint(rmdir(folder), ==, 0);
}

static void
testNothing(testMatrix *m)
{
}

#define GATES "gate_handler: they take BPF"
#define PORTS "handlers, devices: they take a bridge"

static const testRow rows[] = {
    {"teardown", .ends = true, .elsewhere = "virhandlergrants_test"},
    {"barrier", testBarrier, testNothing, .ends = true},
    {"memlock.set", testMemlock, testMemlockEffect},
    {"sched.set", testSched, testSchedEffect},
    {"affinity.set", testAffinity, testAffinityEffect},
    {"cgroup.create", testCreateGroup, testCreateGroupEffect, testCreateGroupLie},
    {"cgroup.move", testMoveIntoGroup, testMoveIntoGroupEffect},
    {"cgroup.set", testSetGroup, testSetGroupEffect},
    {"cgroup.remove", testRemovePart, testRemovePartEffect, .ends = true, .looks = true},
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
    {"mount.apply", .elsewhere = "helper_mounts: it takes a mount namespace"},
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
