/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * group_test.c: a guest's groups on the hierarchies that this kernel has mounted, whichever: a
 * process is born in all of them, its threads get parts, each limit reads back as it was written,
 * and nothing is left. What the kernel has no file for is named in a diagnostic; that a controller
 * which is there takes its limits is asserted. */
#include "util/cgroup/vircgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/vircgroupsettle.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virspawn.h"
#include "util/virutil.h"

static virCgroupInstance *instance;

static const virCgroupPart emulator = {VIR_CGROUP_PART_EMULATOR, 0};
static const virCgroupPart vcpu = {VIR_CGROUP_PART_VCPU, 1};

/* --- a process with two threads: this program, told so --- */

static void *
twoThreadsSecond(void *opaque)
{
    char line[32];
    int length = snprintf(line, sizeof(line), "%d\n", (int)syscall(SYS_gettid));

    if (write(STDOUT_FILENO, line, (size_t)length) == length)
        pause();
    return NULL;
}

static int
twoThreads(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, twoThreadsSecond, NULL) != 0)
        return 1;
    return pthread_join(thread, NULL);
}

typedef struct {
    virCgroup *group;
    virSpawnResult process;
    pid_t thread;
} testGuest;

static void
testGuestStart(testGuest *guest, const char *name)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    const char *argv[] = {self, "--two-threads", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GArray) joins = NULL;
    g_autoptr(GError) error = NULL;
    char line[32] = "";
    int pipes[2];

    guest->group = virCgroupNew(instance, name);
    g_assert_true(virCgroupMake(guest->group, &error));
    g_assert_true(virCgroupMakePart(guest->group, &emulator, &error));
    g_assert_no_error(error);
    joins = virCgroupOpenJoins(guest->group, &error);
    g_assert_no_error(error);
    g_assert_cmpint(pipe(pipes), ==, 0);
    request.argv = argv;
    request.cgroupFd = virCgroupCloneFd(guest->group);
    request.joinFds = (const int *)(void *)joins->data;
    request.njoinFds = joins->len;
    request.stdoutFd = pipes[1];
    virSpawn(&request, &guest->process, &error);
    g_assert_no_error(error);
    virCloseFd(&pipes[1]);
    g_assert_cmpint(read(pipes[0], line, sizeof(line) - 1), >, 0);
    virCloseFd(&pipes[0]);
    guest->thread = (pid_t)g_ascii_strtoll(line, NULL, 10);
    g_assert_cmpint(guest->thread, >, 0);
}

static void
testGuestEnd(testGuest *guest)
{
    g_autoptr(GError) error = NULL;

    virCgroupRemove(guest->group, 20000, &error);
    g_assert_no_error(error);
    g_assert_true(virSpawnReap(guest->process.pidfd, NULL, &error));
    virCloseFd(&guest->process.pidfd);
    for (int i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++) {
        g_autofree char *path = virCgroupPartPath(guest->group, (virCgroupController)i, NULL);

        if (path)
            g_assert_cmpint(access(path, F_OK), ==, -1);
    }
    virCgroupUnref(guest->group);
}

/* --- where its threads are --- */

static void
testAssertIn(const testGuest *guest, pid_t tid, const virCgroupPart *part, bool expected)
{
    g_autoptr(GError) error = NULL;
    bool inside = false;

    virCgroupHasThread(guest->group, part, tid, &inside, &error);
    g_assert_no_error(error);
    g_assert_cmpint(inside, ==, expected);
}

static void
testProcessIsBornInEveryHierarchy(void)
{
    testGuest guest;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    const char *at;
    unsigned named = 0;

    testGuestStart(&guest, "1-born");
    path = g_strdup_printf("/proc/%d/cgroup", guest.process.pid);
    text = virFileRead(path, 1 << 16, NULL, NULL);
    for (at = text; (at = strstr(at, "/1-born")); at++)
        named++;
    g_test_message("%u hierarchies", instance->hierarchies->len);
    g_assert_cmpuint(named, ==, instance->hierarchies->len);
    testAssertIn(&guest, guest.process.pid, &emulator, true);
    testAssertIn(&guest, guest.thread, &emulator, true);
    testGuestEnd(&guest);
}

static void
testThreadsGetPartsOfTheirOwn(void)
{
    testGuest guest;
    g_autoptr(GError) error = NULL;

    if (!virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_CPU)) {
        g_test_skip("no controller of threads is mounted");
        return;
    }
    testGuestStart(&guest, "2-threads");
    g_assert_true(virCgroupMakePart(guest.group, &vcpu, &error));
    g_assert_true(virCgroupAddThread(guest.group, &vcpu, guest.thread, &error));
    g_assert_no_error(error);
    testAssertIn(&guest, guest.thread, &vcpu, true);
    testAssertIn(&guest, guest.process.pid, &vcpu, false);
    testAssertIn(&guest, guest.process.pid, &emulator, true);
    g_assert_false(virCgroupRemovePart(guest.group, &vcpu, &error)); /* a thread is in it */
    g_clear_error(&error);
    g_assert_true(virCgroupAddThread(guest.group, &emulator, guest.thread, &error));
    g_assert_true(virCgroupRemovePart(guest.group, &vcpu, &error));
    g_assert_no_error(error);
    testGuestEnd(&guest);
}

static void
testPartitionsComeAndGoWithGuests(void)
{
    testGuest guest;
    g_autofree char *folder = NULL;
    g_autofree char *partition = NULL;

    testGuestStart(&guest, "/prod/3-part");
    folder = g_path_get_dirname(virCgroupPath(guest.group));
    partition = g_path_get_dirname(folder);
    g_assert_true(g_str_has_suffix(partition, "/prod.partition"));
    g_assert_cmpint(access(partition, F_OK), ==, 0);
    testGuestEnd(&guest);
    g_assert_cmpint(access(partition, F_OK), ==, -1);
}

/* --- limits --- */

/* Writes and reads back; false if the kernel has no such file. */
static bool
testLimit(const testGuest *guest, const virCgroupPart *part, virCgroupLimit limit, int64_t value)
{
    g_auto(virCgroupSetting) setting = {0};
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    int64_t now = 0;

    virCgroupSettingNumber(guest->group, part, limit, value, &setting, &error);
    if (!error)
        virCgroupWrite(guest->group, &setting, &error);
    if (virErrorIs(error, VIR_ERR_OPERATION_UNSUPPORTED)) {
        g_test_message("%s", error->message);
        return false;
    }
    g_assert_no_error(error);
    text = virCgroupGet(guest->group, setting.controller, part, setting.file, &error);
    g_assert_no_error(error);
    g_assert_true(virCgroupSettingHolds(&setting, text));
    g_assert_true(virCgroupGetNumber(guest->group, part, limit, &now, &error));
    g_assert_cmpint(now, ==, value);
    return true;
}

static bool
testNeeds(virCgroupController controller)
{
    if (virCgroupInstanceHasController(instance, controller))
        return true;
    g_test_skip("the controller is not mounted");
    return false;
}

static void
testProcessorLimitsReadBack(void)
{
    testGuest guest;

    if (!testNeeds(VIR_CGROUP_CONTROLLER_CPU))
        return;
    testGuestStart(&guest, "4-cpu");
    g_assert_true(virCgroupHasController(guest.group, VIR_CGROUP_CONTROLLER_CPU));
    g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_CPU_SHARES, 300));
    g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_CPU_PERIOD, 50000));
    g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_CPU_QUOTA, 25000));
    g_assert_true(testLimit(&guest, &emulator, VIR_CGROUP_CPU_PERIOD, 40000));
    g_assert_true(testLimit(&guest, &emulator, VIR_CGROUP_CPU_QUOTA, 8000));
    g_assert_true(testLimit(&guest, &emulator, VIR_CGROUP_CPU_QUOTA, VIR_CGROUP_NO_QUOTA));
    g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_CPU_QUOTA, VIR_CGROUP_NO_QUOTA));
    testGuestEnd(&guest);
}

static void
testSetsOfProcessorsReadBack(void)
{
    static const virCgroupLimit limits[] = {VIR_CGROUP_CPUSET_CPUS, VIR_CGROUP_CPUSET_MEMS};
    testGuest guest;
    g_autoptr(GError) error = NULL;

    if (!testNeeds(VIR_CGROUP_CONTROLLER_CPUSET))
        return;
    testGuestStart(&guest, "5-cpuset");
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_auto(virCgroupSetting) setting = {0};
        g_autofree char *text = NULL;

        g_assert_true(
            virCgroupSettingText(guest.group, &emulator, limits[i], "0", &setting, &error));
        virCgroupWrite(guest.group, &setting, &error);
        g_assert_no_error(error);
        text = virCgroupGetText(guest.group, &emulator, limits[i], &error);
        g_assert_cmpstr(text, ==, "0");
    }
    testGuestEnd(&guest);
}

static void
testMemoryLimitsReadBack(void)
{
    testGuest guest;

    if (!testNeeds(VIR_CGROUP_CONTROLLER_MEMORY))
        return;
    testGuestStart(&guest, "6-memory");
    g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_MEMORY_HARD, 65536));
    g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_MEMORY_SOFT, 32768));
    (void)testLimit(&guest, NULL, VIR_CGROUP_MEMORY_SWAP, 131072); /* not every kernel counts it */
    g_assert_true(
        testLimit(&guest, NULL, VIR_CGROUP_MEMORY_SOFT, (int64_t)VIR_CGROUP_MEMORY_UNLIMITED));
    testGuestEnd(&guest);
}

/* A block device of the host by its path; NULL: none. Caller frees. */
static char *
testBlockDevice(void)
{
    g_autoptr(GDir) folder = g_dir_open("/sys/block", 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename("/dev", name, NULL);

        if (access(path, F_OK) == 0)
            return g_steal_pointer(&path);
    }
    return NULL;
}

static void
testDeviceLimitsReadBack(void)
{
    static const virCgroupLimit limits[] = {VIR_CGROUP_BLKIO_READ_IOPS, VIR_CGROUP_BLKIO_WRITE_IOPS,
                                            VIR_CGROUP_BLKIO_READ_BYTES,
                                            VIR_CGROUP_BLKIO_WRITE_BYTES};
    static const uint64_t values[] = {1000, 1048576, 0};
    g_autofree char *device = testBlockDevice();
    g_autoptr(GError) error = NULL;
    testGuest guest;

    if (!testNeeds(VIR_CGROUP_CONTROLLER_BLKIO))
        return;
    if (!device) {
        g_test_skip("there is no block device");
        return;
    }
    testGuestStart(&guest, "7-blkio");
    (void)testLimit(&guest, NULL, VIR_CGROUP_BLKIO_WEIGHT, 200); /* only some schedulers do */
    for (guint i = 0; i < G_N_ELEMENTS(limits) * G_N_ELEMENTS(values); i++) {
        g_auto(virCgroupSetting) setting = {0};
        g_autofree char *text = NULL;

        g_assert_true(virCgroupSettingDevice(guest.group, limits[i / G_N_ELEMENTS(values)], device,
                                             values[i % G_N_ELEMENTS(values)], &setting, &error));
        virCgroupWrite(guest.group, &setting, &error);
        g_assert_no_error(error);
        text = virCgroupGet(guest.group, VIR_CGROUP_CONTROLLER_BLKIO, NULL, setting.file, &error);
        g_assert_no_error(error);
        g_assert_true(virCgroupSettingHolds(&setting, text));
    }
    g_assert_false(virCgroupSettingDevice(guest.group, limits[0], "/dev/null", 1,
                                          &(virCgroupSetting){0}, &error));
    g_assert_cmpstr(error->message, ==,
                    "Path '/dev/null' must be a block device: Invalid argument");
    testGuestEnd(&guest);
}

static void
testGuestsAreCountedAndFrozen(void)
{
    testGuest guest;
    g_autoptr(GError) error = NULL;
    uint64_t total = 0;

    testGuestStart(&guest, "8-rest");
    if (virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_PIDS))
        g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_PIDS_MAX, 77));
    if (virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_FREEZER)) {
        g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_FROZEN, 1));
        g_assert_true(testLimit(&guest, NULL, VIR_CGROUP_FROZEN, 0));
    }
    if (virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_CPUACCT)) {
        virCgroupGetCpuUsage(guest.group, &total, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(total, >, 0);
    }
    testGuestEnd(&guest);
}

/* --- numbers that were given to somebody else --- */

static pid_t
testFork(void)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

static void
testKill(pid_t pid)
{
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static char *
testPlaces(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);

    return virFileRead(path, 65536, NULL, NULL);
}

/* In every hierarchy; true: the process of pidfd lives. */
static bool
testSettle(virCgroup *group, int pidfd, pid_t number)
{
    bool lives = true;

    for (guint i = 0; i < instance->hierarchies->len; i++) {
        g_autofree char *entry = virCgroupEntryIn(group, virCgroupHierarchyAt(instance, i));
        VIR_AUTOCLOSE fd = open(entry, O_PATH | O_DIRECTORY | O_CLOEXEC);

        lives = virCgroupSettleMove(fd, "cgroup.procs", pidfd, number) && lives;
    }
    return lives;
}

/* The stranger stands for a process that got the number of one that has ended. */
static void
testStrangersArePutBack(void)
{
    g_autoptr(virCgroup) group = virCgroupNew(instance, "9-strangers");
    pid_t ended = testFork();
    pid_t stranger = testFork();
    VIR_AUTOCLOSE gone = pidfd_open(ended, 0);
    VIR_AUTOCLOSE there = pidfd_open(stranger, 0);
    g_autofree char *before = testPlaces(stranger);
    g_autofree char *moved = NULL;
    g_autofree char *after = NULL;
    g_autofree char *kept = NULL;
    g_autoptr(GError) error = NULL;

    testKill(ended);
    g_assert_true(virCgroupMake(group, &error));
    g_assert_true(virCgroupAddProcess(group, stranger, &error));
    moved = testPlaces(stranger);
    g_assert_cmpstr(moved, !=, before);
    g_assert_true(testSettle(group, there, stranger)); /* of one that lives nothing is undone */
    kept = testPlaces(stranger);
    g_assert_cmpstr(kept, ==, moved);
    g_assert_false(testSettle(group, gone, stranger));
    after = testPlaces(stranger);
    g_assert_cmpstr(after, ==, before);
    g_assert_false(testSettle(group, gone, ended)); /* nobody has that number */
    testKill(stranger);
    g_assert_true(virCgroupRemove(group, 0, &error));
    g_assert_no_error(error);
}

/* A process that was born in the group belongs there, whatever number it got. */
static void
testChildrenOfTheGroupStay(void)
{
    g_autoptr(virCgroup) group = virCgroupNew(instance, "10-children");
    g_autofree char *moved = NULL;
    g_autofree char *after = NULL;
    g_autoptr(GError) error = NULL;
    VIR_AUTOCLOSE gone = -1;
    pid_t ended = testFork();
    pid_t parent, child = 0;
    int go[2], told[2];

    gone = pidfd_open(ended, 0);
    testKill(ended);
    g_assert_cmpint(pipe(go), ==, 0);
    g_assert_cmpint(pipe(told), ==, 0);
    parent = fork();
    if (parent == 0) {
        if (read(go[0], &child, 1) == 1) /* it is in the group */
            child = testFork();
        if (write(told[1], &child, sizeof(child)) == sizeof(child))
            pause();
        _exit(0);
    }
    g_assert_true(virCgroupMake(group, &error));
    g_assert_true(virCgroupAddProcess(group, parent, &error));
    g_assert_cmpint(write(go[1], "x", 1), ==, 1);
    g_assert_cmpint(read(told[0], &child, sizeof(child)), ==, sizeof(child));
    moved = testPlaces(child);
    g_assert_false(testSettle(group, gone, child));
    after = testPlaces(child);
    g_assert_cmpstr(after, ==, moved);
    for (int i = 0; i < 2; i++) {
        close(go[i]);
        close(told[i]);
    }
    g_assert_true(virCgroupRemove(group, 0, &error)); /* kills both */
    g_assert_no_error(error);
    g_assert_cmpint(waitpid(parent, NULL, 0), ==, parent);
}

int
main(int argc, char **argv)
{
    g_autofree char *folder = NULL;
    g_autoptr(GError) error = NULL;
    const char *reason = "needs root";
    int result;

    if (argc > 1 && g_str_equal(argv[1], "--two-threads"))
        return twoThreads();
    g_test_init(&argc, &argv, NULL);
    virSpawnSetHelper(TEST_SPAWN);
    folder = g_dir_make_tmp("virtward-group-XXXXXX", NULL);
    instance = virCgroupInstanceNew(folder, &error);
    g_assert_no_error(error);
    if (geteuid() != 0 || !virCgroupInstanceUsable(instance, &reason)) {
        printf("1..0 # SKIP %s\n", reason);
        return 77;
    }
    g_assert_true(virCgroupInstanceMake(instance, &error));
    g_test_add_func("/group/a process is born in every hierarchy",
                    testProcessIsBornInEveryHierarchy);
    g_test_add_func("/group/threads get parts of their own", testThreadsGetPartsOfTheirOwn);
    g_test_add_func("/group/partitions come and go with guests", testPartitionsComeAndGoWithGuests);
    g_test_add_func("/group/processor limits read back", testProcessorLimitsReadBack);
    g_test_add_func("/group/sets of processors read back", testSetsOfProcessorsReadBack);
    g_test_add_func("/group/memory limits read back", testMemoryLimitsReadBack);
    g_test_add_func("/group/device limits read back", testDeviceLimitsReadBack);
    g_test_add_func("/group/guests are counted and frozen", testGuestsAreCountedAndFrozen);
    g_test_add_func("/group/strangers that were moved are put back", testStrangersArePutBack);
    g_test_add_func("/group/who was born in a group stays", testChildrenOfTheGroupStay);
    result = g_test_run();
    g_assert_true(virCgroupInstanceRemove(instance, &error));
    virCgroupInstanceUnref(instance);
    (void)rmdir(folder);
    return result;
}
