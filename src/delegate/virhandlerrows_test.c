/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerrows_test.c: see virhandlerrows.h. The effects are real where that takes no more than a
 * process and a network namespace of our own; tests/host/handler_rows.c has the others. */
#include "delegate/virhandlerrows.h"

#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delegate/virdelegateops.h"
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

static const virNetDevBandwidth testRates = {.sent = {1000, 2000, 64}};

static bool
testLimitLoopback(testMatrix *m, GError **error)
{
    return virDelegateNetSetBandwidth(m->test.door, &testCall, "lo", &testRates, error);
}

static void
testLimitLoopbackEffect(testMatrix *m)
{
    g_assert_true(virNetDevSetBandwidth("lo", &testRates, NULL));
}

/* The right way of queueing at another rate. */
static void
testLimitLoopbackLie(testMatrix *m)
{
    const virNetDevBandwidth more = {.sent = {1000, 5000, 64}};

    g_assert_true(virNetDevSetBandwidth("lo", &more, NULL));
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

/* --- what could be changed --- */

static void
appendProcess(GString *text, pid_t pid)
{
    static const char *const files[] = {"limits", "oom_score_adj", "cgroup"};
    cpu_set_t cpus;

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, files[i]);
        g_autofree char *content = NULL;

        g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
        g_string_append(text, content);
    }
    g_assert_cmpint(sched_getaffinity(pid, sizeof(cpus), &cpus), ==, 0);
    g_string_append_printf(text, "scheduler %d, %d CPUs\n", sched_getscheduler(pid),
                           CPU_COUNT(&cpus));
}

static void
appendInterfaces(GString *text)
{
    struct if_nameindex *all = if_nameindex();

    for (const struct if_nameindex *one = all; one && one->if_name; one++) {
        virNetDevInfo info = {0};
        bool exists = false;

        if (virNetDevLookup(one->if_name, &exists, &info, NULL) && exists)
            g_string_append_printf(text, "%s of %u %d\n", one->if_name, info.masterIndex, info.up);
    }
    if_freenameindex(all);
}

/* Folders with what is in them and on them. */
static void
appendFolder(GString *text, const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    GSList *names = NULL;
    struct stat st;
    const char *name;

    g_assert_cmpint(stat(path, &st), ==, 0);
    g_string_append_printf(text, "%s on %lu:", path, (unsigned long)st.st_dev);
    while ((name = g_dir_read_name(folder)))
        names = g_slist_insert_sorted(names, g_strdup(name), (GCompareFunc)strcmp);
    for (const GSList *one = names; one; one = one->next)
        g_string_append_printf(text, " %s", (const char *)one->data);
    g_string_append_c(text, '\n');
    g_slist_free_full(names, g_free);
}

static void
appendFile(GString *text, const char *path)
{
    g_autofree char *content = NULL;
    struct stat st;

    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_string_append_printf(text, "%s %o %u:%u %s\n", path, st.st_mode, st.st_uid, st.st_gid,
                           content);
}

static void
appendRules(GString *text, virGate *gate)
{
    g_autoptr(GArray) rules = virGateReadBack(gate, NULL);

    for (guint i = 0; rules && i < rules->len; i++) {
        g_autofree char *rule = virDeviceRuleFormat(&g_array_index(rules, virDeviceRule, i));

        g_string_append_printf(text, "%s\n", rule);
    }
}

char *
testState(const testMatrix *m)
{
    GString *text = g_string_new(NULL);
    g_autofree char *part = testGroupPath(m, &oldPart, NULL);
    g_autofree char *parts = g_path_get_dirname(part);
    g_autofree char *limit = testGroupPath(m, NULL, "cpu.weight");
    g_autofree char *node = g_strdup_printf("%s/vwmatrix-%d", g_get_tmp_dir(), (int)m->test.child);

    appendProcess(text, m->test.child);
    appendFile(text, m->path);
    appendFolder(text, parts);
    appendFile(text, limit);
    appendInterfaces(text);
    if (access(node, F_OK) == 0)
        g_string_append(text, "and a node\n");
    if (m->gate)
        appendRules(text, m->gate);
    return g_string_free(text, FALSE);
}

/* --- PCI devices, in files that stand for sysfs --- */

#define NIC "0000:03:00.0"

/* A file of the device; caller frees. */
static char *
testDevicePath(const testMatrix *m, const char *file)
{
    return g_build_filename(m->test.door->sysfs, "bus/pci/devices", NIC, file, NULL);
}

static void
testSetDriver(testMatrix *m, const char *driver)
{
    g_autofree char *link = testDevicePath(m, "driver");
    g_autofree char *target = g_build_filename("../../drivers", driver, NULL);

    (void)unlink(link);
    g_assert_cmpint(symlink(target, link), ==, 0);
}

static void
testMakeDevice(testMatrix *m)
{
    g_autofree char *sysfs = g_build_filename(m->folder, "sys", NULL);
    g_autofree char *config = NULL;
    g_autofree char *device = NULL;

    m->test.door->sysfs = m->sysfs = g_steal_pointer(&sysfs);
    device = testDevicePath(m, NULL);
    config = testDevicePath(m, "config");
    g_assert_cmpint(g_mkdir_with_parents(device, 0700), ==, 0);
    testWrite(config, "");
    testSetDriver(m, "e1000e");
}

static void
testMakeBoundDevice(testMatrix *m)
{
    testMakeDevice(m);
    testSetDriver(m, "vfio-pci");
}

static void
testForgetDevice(testMatrix *m)
{
    m->test.door->sysfs = "/sys";
    g_clear_pointer(&m->sysfs, g_free);
}

static bool
testBindDevice(testMatrix *m, GError **error)
{
    return virDelegatePCIBind(m->test.door, &testCall, NIC, "vfio-pci", error);
}

static void
testBindDeviceEffect(testMatrix *m)
{
    testSetDriver(m, "vfio-pci");
}

static bool
testReleaseDevice(testMatrix *m, GError **error)
{
    return virDelegatePCIRelease(m->test.door, &testCall, NIC, error);
}

static void
testReleaseDeviceEffect(testMatrix *m)
{
    testSetDriver(m, "e1000e");
}

#define ON_HOST "in handler-matrix, on a real kernel"

static const testRow rows[] = {
    {"teardown", .ends = true, .blind = true},
    {"barrier", testBarrier, testNothing, .ends = true, .blind = true},
    {"memlock.set", testMemlock, testMemlockEffect},
    {"sched.set", testSched, testSchedEffect},
    {"affinity.set", testAffinity, testAffinityEffect},
    {"cgroup.create", testCreateGroup, testCreateGroupEffect, testCreateGroupLie},
    {"cgroup.move", testMoveIntoGroup, testMoveIntoGroupEffect},
    {"cgroup.set", testSetGroup, testSetGroupEffect},
    {"cgroup.remove", testRemovePart, testRemovePartEffect, .ends = true, .looks = true},
    {"gate.create", .elsewhere = ON_HOST},
    {"gate.update", .elsewhere = ON_HOST},
    {"gate.replace", .elsewhere = ON_HOST},
    {"gate.remove", .ends = true, .elsewhere = ON_HOST},
    {"node.create", testNode, testNodeEffect, .root = true},
    {"device.open", testDevice, testDeviceEffect, testDeviceLie},
    {"tap.create", testTap, testTapEffect, testTapLie, .root = true},
    {"tap.remove", .ends = true, .elsewhere = ON_HOST},
    {"net.attach", .elsewhere = ON_HOST},
    {"net.detach", .ends = true, .elsewhere = ON_HOST},
    {"net.set", testSetUpLoopback, testSetUpLoopbackEffect, .root = true},
    {"net.bandwidth", testLimitLoopback, testLimitLoopbackEffect, testLimitLoopbackLie,
     .root = true},
    {"own.set", testOwn, testOwnEffect},
    {"mount.apply", .elsewhere = ON_HOST},
    {"proc.tune", testTune, testTuneEffect},
    {"pci.bind", testBindDevice, testBindDeviceEffect, .prepare = testMakeDevice,
     .finish = testForgetDevice},
    {"pci.release", testReleaseDevice, testReleaseDeviceEffect, .ends = true, .looks = true,
     .prepare = testMakeBoundDevice, .finish = testForgetDevice},
};

const testRow *
testRowOf(const virXdrHook *hook)
{
#ifdef TEST_ON_HOST
    const testRow *real = testHostRowOf(hook);

    if (real)
        return real;
#endif
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].hook, hook->name))
            return &rows[i];
    }
    return NULL;
}
