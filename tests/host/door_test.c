/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * door_test.c: a guest's whole life through the door, on a real kernel: group, gate, a program
 * spawned into it, a daemon that forgets and finds everything again, and nothing left at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virspawn.h"
#include "util/virutil.h"

static char *folder;
static char *pinPath;
static virCgroupInstance *instance;
static virDelegate *door;

static const virDelegateCall start = {"web1", {9, 8, 7, 6}, VIR_DELEGATE_PHASE_START};
static const virGateSettings settings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, 0};

static virDelegate *
testDoorNew(void)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    virDelegate *new = virDelegateNew(instance, pinPath, &owner);
    g_autoptr(GError) error = NULL;

    virDelegatePrepare(new, &error);
    g_assert_no_error(error);
    return new;
}

static bool
testSetup(const char **retReason)
{
    g_autoptr(GError) error = NULL;

    *retReason = "needs root";
    if (geteuid() != 0)
        return false;
    folder = g_dir_make_tmp("virtward-door-XXXXXX", NULL);
    pinPath = g_build_filename(folder, "run", "bpf", NULL);
    instance = virCgroupInstanceNew(folder, &error);
    g_assert_no_error(error);
    if (!virCgroupInstanceUsable(instance, retReason))
        return false;
    *retReason = "needs a mount namespace of its own";
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    door = testDoorNew();
    return true;
}

static void
testTeardown(void)
{
    g_autofree char *run = folder ? g_build_filename(folder, "run", NULL) : NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    struct statfs st;

    if (door) {
        path =
            g_strdup_printf("/sys/fs/cgroup/unified/virtward-%s", virCgroupInstanceName(instance));
        g_assert_true(virDelegateRetire(door, &error));
        g_assert_no_error(error);
        g_assert_cmpint(access(path, F_OK), ==, -1);
        g_assert_cmpint(statfs(pinPath, &st), ==, 0);
        g_assert_cmpuint((guint64)st.f_type, !=, BPF_FS_MAGIC);
        virDelegateFree(door);
        (void)rmdir(pinPath);
        (void)rmdir(run);
    }
    if (folder)
        g_assert_cmpint(rmdir(folder), ==, 0);
    virCgroupInstanceUnref(instance);
    g_free(folder);
    g_free(pinPath);
}

static virDeviceRules *
testRules(void)
{
    static const char *const texts[] = {"c 1:3 rw", "c 1:5 rw", "c 1:9 r", NULL};
    virDeviceRules *rules = virDeviceRulesNew();

    for (size_t i = 0; texts[i]; i++) {
        virDeviceRule rule;

        g_assert_true(virDeviceRuleParse(texts[i], &rule, NULL));
        virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &rule);
    }
    return rules;
}

/* A shell in the group that answers "read NODE" lines; the caller reads its output. */
static virSpawnResult
testSpawnInto(virCgroup *group, const char *line, int output)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnResult result = {-1, -1};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) joins = virCgroupOpenJoins(group, &error);

    request.argv = argv;
    request.cgroupFd = virCgroupCloneFd(group);
    request.joinFds = (const int *)(void *)joins->data;
    request.njoinFds = joins->len;
    request.stdoutFd = output;
    request.uid = 65534;
    request.gid = 65534;
    virSpawn(&request, &result, &error);
    g_assert_no_error(error);
    return result;
}

static void
testReadLine(int fd, const char *expected)
{
    char text[100];
    ssize_t got = read(fd, text, sizeof(text) - 1);

    g_assert_cmpint(got, >, 0);
    text[got] = '\0';
    g_assert_cmpstr(text, ==, expected);
}

static void
testGuestLivesBehindItsGate(void)
{
    /* Once at the start and once when a line comes, which the test sends after its restart. */
    static const char line[] = "ask() { head -c0 /dev/zero && head -c0 /dev/full; echo $?; }; "
                               "ask 2>/dev/null; kill -STOP $$; ask 2>/dev/null; exec sleep 100";
    virDelegateCall restart = start;
    g_autoptr(virDeviceRules) rules = testRules();
    virCgroup *group = NULL;
    virGate *gate = NULL;
    virGateFound found;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pids = NULL;
    virSpawnResult child;
    int status = 0;
    int pipes[2];

    g_assert_true(virDelegateCgroupCreate(door, &start, "1-web1", 0, &group, &error));
    g_assert_true(virDelegateGateCreate(door, &start, group, rules, &settings, &gate, &error));
    g_assert_no_error(error);
    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    child = testSpawnInto(group, line, pipes[1]);
    pids = virCgroupListProcs(group, &error);
    g_assert_cmpuint(pids->len, >=, 1);
    testReadLine(pipes[0], "1\n"); /* zero was open, full was not */

    /* The daemon goes and comes back. */
    virGateUnref(gate);
    virCgroupUnref(group);
    virDelegateFree(door);
    door = testDoorNew();
    restart.phase = VIR_DELEGATE_PHASE_RECONNECT;
    group = virCgroupOpen(instance, "1-web1", &error);
    g_assert_no_error(error);
    g_assert_true(
        virDelegateGateReopen(door, &restart, group, rules, &settings, &gate, &found, &error));
    g_assert_no_error(error);
    g_assert_cmpint(found, ==, VIR_GATE_FOUND_PINS);
    g_assert_false(virDelegateGateRemove(door, &restart, gate, &error)); /* it is in use */
    g_clear_error(&error);
    (void)kill(child.pid,
               SIGCONT); /* stopped by itself, or about to: it is sent until it answers */
    for (struct pollfd wait = {pipes[0], POLLIN, 0}; poll(&wait, 1, 50) == 0;)
        (void)kill(child.pid, SIGCONT);
    testReadLine(pipes[0], "1\n");

    /* The guest goes. */
    restart.phase = VIR_DELEGATE_PHASE_TEARDOWN;
    g_assert_true(virDelegateCgroupRemove(door, &restart, group, 0, &error));
    g_assert_true(virDelegateGateRemove(door, &restart, gate, &error));
    g_assert_no_error(error);
    g_assert_true(virSpawnReap(child.pidfd, &status, &error));
    virCloseFd(&child.pidfd);
    virGateUnref(gate);
    virCgroupUnref(group);
    virCloseFd(&pipes[0]);
    virCloseFd(&pipes[1]);
}

static void
testGroupWithProcessesIsNotTaken(void)
{
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virCgroup) second = NULL;
    g_autoptr(GError) error = NULL;
    virSpawnResult child;

    g_assert_true(virDelegateCgroupCreate(door, &start, "2-web1", 0, &group, &error));
    child = testSpawnInto(group, "exec sleep 100", -1);
    g_assert_false(virDelegateCgroupCreate(door, &start, "2-web1", 0, &second, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_FAILED));
    g_clear_error(&error);
    g_assert_true(virDelegateCgroupRemove(door, &start, group, 0, &error));
    g_assert_true(virSpawnReap(child.pidfd, NULL, &error));
    virCloseFd(&child.pidfd);
}

static void
testProcessIsMovedIntoItsGroup(void)
{
    const char *argv[] = {"/bin/sleep", "100", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(GError) error = NULL;
    virSpawnResult child;
    bool populated = false;
    virDelegateMemlock lock = {.bytes = 1 << 20};
    uint64_t limit = 0;

    request.argv = argv;
    g_assert_true(virSpawn(&request, &child, &error));
    g_assert_true(virDelegateCgroupCreate(door, &start, "3-web1", 0, &group, &error));
    g_assert_true(virDelegateCgroupMove(door, &start, group, child.pidfd, &error));
    g_assert_no_error(error);
    g_assert_true(virCgroupIsPopulated(group, &populated, &error));
    g_assert_true(populated);
    g_assert_true(virDelegateProcTune(door, &start, child.pidfd, 300, &error));
    g_assert_no_error(error);
    g_assert_true(virDelegateMemlockSet(door, &start, child.pidfd, &lock, &error));
    g_assert_true(virProcReadMemlock(child.pid, &limit, NULL));
    g_assert_cmpuint(limit, >=, lock.bytes);
    lock.exact = true; /* less again, and within the hard limit: no right is needed */
    g_assert_true(virDelegateMemlockSet(door, &start, child.pidfd, &lock, &error));
    g_assert_true(virProcReadMemlock(child.pid, &limit, NULL));
    g_assert_cmpuint(limit, ==, lock.bytes);
    /* not a real-time one: kernels may give groups of v1 no time for those */
    g_assert_true(
        virDelegateSchedSet(door, &start, child.pidfd, &child.pid, 1, SCHED_BATCH, 0, &error));
    g_assert_no_error(error);
    g_assert_true(virDelegateCgroupRemove(door, &start, group, 0, &error));
    g_assert_true(virSpawnReap(child.pidfd, NULL, &error));
    g_assert_false(virDelegateProcTune(door, &start, child.pidfd, 300, &error));
    g_assert_cmpstr(error->message, ==, "the process has ended");
    virCloseFd(&child.pidfd);
}

static char *
testCommand(const char *first, const char *second, const char *third)
{
    const char *argv[] = {TEST_VIRTWARD, "--root", folder, "devices", first, second, third, NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    request.argv = argv;
    virSpawnRun(&request, 20000, 0, &out, NULL, NULL, &error);
    g_assert_no_error(error);
    return out;
}

static void
testWriteFile(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, "run", "qemu", name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    if (text)
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    else
        g_assert_cmpint(unlink(path), ==, 0);
}

static void
testCommandShowsRulesUseAndDenials(void)
{
    g_autoptr(virDeviceRules) rules = testRules();
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virGate) gate = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *all = NULL;
    g_autofree char *one = NULL;
    g_autofree char *json = NULL;
    g_autofree char *denials = NULL;
    g_autofree char *run = g_build_filename(folder, "run", "qemu", NULL);
    virSpawnResult child;

    g_assert_true(virDelegateCgroupCreate(door, &start, "5-web1", 0, &group, &error));
    g_assert_true(virDelegateGateCreate(door, &start, group, rules, &settings, &gate, &error));
    child = testSpawnInto(group, "head -c0 /dev/zero; head -c0 /dev/full 2>/dev/null; exit 0", -1);
    g_assert_true(virSpawnReap(child.pidfd, NULL, &error));
    virCloseFd(&child.pidfd);
    testWriteFile("web1.xml", "<domstatus><domain id='5'><name>web1</name>"
                              "<uuid>09080706-0000-0000-0000-000000000000</uuid>"
                              "</domain><virtward><resource type='group' name='5-web1'/>"
                              "</virtward></domstatus>");
    all = testCommand(NULL, NULL, NULL);
    g_assert_cmpstr(all, ==,
                    "GUEST  MODE     RULES  DENIED  DROPPED\n"
                    "web1   enforce  3      1       0\n");
    one = testCommand("web1", NULL, NULL);
    g_assert_cmpstr(one, ==,
                    "RULE      NODE          USED  OWNERS\n"
                    "c 1:3 rw  /dev/null     yes   -\n"
                    "c 1:5 rw  /dev/zero     yes   -\n"
                    "c 1:9 r   /dev/urandom  no    -\n"
                    "\nmode enforce, 1 denied, 0 of them not reported\n");
    json = testCommand("web1", "--json", NULL);
    g_assert_nonnull(strstr(json, "\"rule\": \"c 1:9 r\""));

    denials = testCommand("web1", "--denials", NULL);
    g_assert_cmpstr(denials, ==, "");
    g_free(denials);
    testWriteFile("web1.denials",
                  "{\"denials\":[{\"type\":\"char\",\"major\":1,\"minor\":7,\"node\":\"/dev/full\","
                  "\"access\":\"r\",\"process\":42,\"thread\":\"head\",\"count\":2}]}");
    denials = testCommand("web1", "--denials", NULL);
    g_assert_true(g_str_has_prefix(denials, "c 1:7 r  /dev/full  head of process 42, 2 times\n"));
    g_assert_true(g_str_has_suffix(
        denials, "    would be allowed by \"/dev/full\" in cgroup_device_acl of virtwardd.conf\n"));

    testWriteFile("web1.xml", NULL);
    testWriteFile("web1.denials", NULL);
    g_assert_cmpint(rmdir(run), ==, 0);
    g_assert_true(virDelegateCgroupRemove(door, &start, group, 0, &error));
    g_assert_true(virDelegateGateRemove(door, &start, gate, &error));
    g_assert_no_error(error);
}

static void
testGateWithoutPinsWorks(void)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    g_autofree char *nowhere = g_build_filename(folder, "nowhere", NULL);
    g_autoptr(virDelegate) bare = NULL;
    g_autoptr(virDeviceRules) rules = testRules();
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virGate) gate = NULL;
    g_autoptr(virGate) again = NULL;
    g_autoptr(GError) error = NULL;
    virGateFound found;

    /* A file where the folder would be: nothing can be mounted; and no machine's bpffs either. */
    g_assert_true(g_file_set_contents(nowhere, "", 0, NULL));
    if (access("/sys/fs/bpf", W_OK) == 0) {
        struct statfs st;

        if (statfs("/sys/fs/bpf", &st) == 0 && (guint64)st.f_type == BPF_FS_MAGIC)
            g_assert_cmpint(mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, NULL), ==, 0);
    }
    bare = virDelegateNew(instance, nowhere, &owner);
    g_assert_true(virDelegatePrepare(bare, &error));
    g_assert_true(virDelegateCgroupCreate(bare, &start, "4-web1", 0, &group, &error));
    g_assert_true(virDelegateGateCreate(bare, &start, group, rules, &settings, &gate, &error));
    g_assert_no_error(error);
    g_clear_pointer(&gate, virGateUnref);
    g_assert_true(
        virDelegateGateReopen(bare, &start, group, rules, &settings, &again, &found, &error));
    g_assert_no_error(error);
    g_assert_cmpint(found, ==, VIR_GATE_FOUND_IDS);
    g_assert_true(virDelegateCgroupRemove(bare, &start, group, 0, &error));
    g_assert_true(virDelegateGateRemove(bare, &start, again, &error));
    g_assert_no_error(error);
    g_assert_cmpint(unlink(nowhere), ==, 0);
}

int
main(int argc, char **argv)
{
    const char *reason = NULL;
    int result;

    g_test_init(&argc, &argv, NULL);
    virSpawnSetHelper(TEST_SPAWN);
    if (!testSetup(&reason)) {
        testTeardown();
        printf("1..0 # SKIP %s\n", reason);
        return 77;
    }
    g_test_add_func("/door/a guest lives behind its gate", testGuestLivesBehindItsGate);
    g_test_add_func("/door/a group with processes is not taken", testGroupWithProcessesIsNotTaken);
    g_test_add_func("/door/a process is moved into its group", testProcessIsMovedIntoItsGroup);
    g_test_add_func("/door/the command shows rules, use and denials",
                    testCommandShowsRulesUseAndDenials);
    g_test_add_func("/door/a gate without pins works", testGateWithoutPinsWorks);
    result = g_test_run();
    testTeardown();
    return result;
}
