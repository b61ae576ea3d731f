/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_fault_test.c: a daemon killed, or a step failing, at every named point of a guest's life
 * behind its gate, and of its adoption from libvirt. Afterwards the guest is whole (its process
 * runs and the gate enforces) or gone, and when a new daemon has cleaned up, nothing is left.
 *
 * The program starts itself as that daemon ("--life", "--adoption"), with VIRTWARD_FAULT in the
 * environment. A point that isn't reached is a failure, but for those of elsewhere. The last line
 * is "N cases: A gone, B whole, 0 left over". Only in a build with fault points; skipped otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "host/gate_count.h"
#include "host/gate_forms.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virspawn.h"
#include "util/virutil.h"

#define GROUP "1-web1"

static char *self;
static char *folder;
static char *pinPath;
static unsigned outcomes[2]; /* how often it was gone, and whole */

/* Points of this program that a gate's life doesn't come to; their tests. */
static const char *const elsewhere[] = {
    "file:written",         /* guest_faults.py */
    "net:bridge-set",       /* devices_fault.py */
    "node:made",            /* devices_fault.py */
    "mount:bound",          /* gate_daemon.py */
    "cgroup:scope-started", /* scopes.py */
    "stop:tap-removed",     /* guest_faults.py, as the next ones */
    "tap:made",
    "tap:configured",
    "macvtap:made",
    "macvtap:configured",
    "cgroup:part-made",
    NULL,
};

static virDelegateCall call = {.domain = "web1", .phase = VIR_DELEGATE_PHASE_START};
static const virGateSettings settings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, 2};

/* The uuid follows from the folder, so that the life and the test that started it agree. */
static void
testNameGuest(void)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, folder, -1);

    memcpy(call.uuid, sum, sizeof(call.uuid));
}

/* --- the life of a guest --- */

static virDelegate *
testDoor(virCgroupInstance **retInstance, GError **error)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    virDelegate *door;

    *retInstance = virCgroupInstanceNew(folder, error);
    if (!*retInstance)
        return NULL;
    door = virDelegateNew(*retInstance, pinPath, &owner);
    if (virDelegatePrepare(door, error))
        return door;
    virDelegateFree(door);
    return NULL;
}

static virDeviceRules *
testRules(void)
{
    virDeviceRules *rules = virDeviceRulesNew();
    const virDeviceRule null = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 1, 3};

    virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &null);
    return rules;
}

/* More rules than the gate's first map holds: they have it swapped. */
static bool
testPlug(virDelegate *door, virGate *gate, GError **error)
{
    for (int i = 0; i < 5; i++) {
        const virDeviceRule rule = {VIR_DEVICE_BLOCK, VIR_DEVICE_RW, 8, i};

        if (!virDelegateGateAllow(door, &call, gate, "disk0", &rule, 1, error))
            return false;
    }
    return true;
}

static bool
testStartProcess(const virCgroup *group, GError **error)
{
    const char *argv[] = {"/bin/sleep", "1000", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnResult child;

    request.argv = argv;
    request.cgroupFd = virCgroupCloneFd(group);
    if (!virSpawn(&request, &child, error))
        return false;
    virCloseFd(&child.pidfd);
    return true;
}

static bool
testLive(virDelegate *door, virCgroup **group, virGate **gate, GError **error)
{
    g_autoptr(virDeviceRules) rules = testRules();

    return virDelegateCgroupCreate(door, &call, GROUP, 0, group, error) &&
           virDelegateGateCreate(door, &call, *group, rules, &settings, gate, error) &&
           testStartProcess(*group, error) && testPlug(door, *gate, error);
}

/* The process runs behind a gate that libvirt made. */
static bool
testLiveAdopted(virDelegate *door, virCgroup **group, virGate **gate, GError **error)
{
    g_autoptr(virDeviceRules) rules = testRules();
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    VIR_AUTOCLOSE mapFd = testFormLibvirtMap(all, 64);
    VIR_AUTOCLOSE progFd = testFormLibvirt(mapFd);
    virGateFound found;

    if (!virDelegateCgroupCreate(door, &call, GROUP, 0, group, error))
        return false;
    g_assert_true(testFormAttachExclusive(virCgroupCloneFd(*group), progFd));
    return testStartProcess(*group, error) &&
           virDelegateGateReopen(door, &call, *group, rules, &settings, gate, &found, error) &&
           testPlug(door, *gate, error);
}

/* As a daemon does: whatever fails is undone in reverse. */
static int
testLife(bool adopted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCgroupInstance) instance = NULL;
    g_autoptr(virDelegate) door = testDoor(&instance, &error);
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virGate) gate = NULL;
    bool lived = door && (adopted ? testLiveAdopted : testLive)(door, &group, &gate, &error);

    if (group)
        (void)virDelegateCgroupRemove(door, &call, group, 0, lived ? &error : NULL);
    if (gate)
        (void)virDelegateGateRemove(door, &call, gate, error ? NULL : &error);
    if (error)
        fprintf(stderr, "%s\n", error->message);
    return error ? 3 : 0;
}

/* --- what it leaves --- */

/* Everything of the guest's that the kernel holds. */
static unsigned
testCountAll(void)
{
    testGateCount count = testGateCountOf(call.uuid);

    return count.progs + count.maps + count.links;
}

/* A child in the group finds /dev/full denied and /dev/null open. */
static void
testAssertEnforced(virCgroup *group)
{
    const char *argv[] = {"/bin/sh", "-c", "head -c0 /dev/null && ! head -c0 /dev/full 2>/dev/null",
                          NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;

    request.argv = argv;
    request.cgroupFd = virCgroupCloneFd(group);
    virSpawnRun(&request, 20000, 0, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
}

/* A new daemon: adopts or removes. True if it is whole, false if it is gone. */
static bool
testRecover(virDelegate *door, virCgroupInstance *instance, bool adopted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = virCgroupInstanceList(instance, &error);
    g_autoptr(virDeviceRules) rules = testRules();
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virGate) gate = NULL;
    virGateFound found = VIR_GATE_FOUND_NONE;
    bool populated = false;

    g_assert_no_error(error);
    if (names->len == 0)
        return false;
    g_assert_cmpstr(names->pdata[0], ==, GROUP);
    group = virCgroupOpen(instance, GROUP, NULL);
    if (group) {
        g_assert_true(virCgroupIsPopulated(group, &populated, &error));
        if (populated) {
            testAssertEnforced(group); /* also before anyone has looked at it */
            virDelegateGateReopen(door, &call, group, rules, &settings, &gate, &found, &error);
            g_assert_no_error(error);
            if (!adopted)
                g_assert_cmpint(found, ==, VIR_GATE_FOUND_PINS);
            testAssertEnforced(group);
            testPlug(door, gate, &error);
            g_assert_no_error(error);
        }
    } else {
        group = virCgroupNew(instance, GROUP);
    }
    g_assert_true(virDelegateCgroupRemove(door, &call, group, 0, &error));
    if (gate)
        g_assert_true(virDelegateGateRemove(door, &call, gate, &error));
    return populated;
}

/* True if the guest was whole until this daemon ended it. */
static bool
testAssertNothingLeft(bool adopted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCgroupInstance) instance = NULL;
    g_autoptr(virDelegate) door = testDoor(&instance, &error);
    gint64 deadline_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    bool whole;

    g_assert_no_error(error);
    whole = testRecover(door, instance, adopted);
    g_assert_true(virDelegateGateSweep(door, NULL, 0, NULL, &error));
    g_assert_true(virDelegateRetire(door, &error));
    g_assert_no_error(error);
    /* The kernel frees when it gets round to it, and tells nobody. */
    while (testCountAll() != 0 && g_get_monotonic_time() < deadline_us)
        g_usleep(2000);
    g_assert_cmpuint(testCountAll(), ==, 0);
    return whole;
}

/* --- every point --- */

/* A point and what happens there. */
typedef struct {
    char *name;
    const char *way; /* "kill", "error", "kill:3" */
} testFault;

static void
testFaultFree(void *opaque)
{
    testFault *fault = opaque;

    g_free(fault->name);
    g_free(fault);
}

static int
testRunSelf(const char *what, const char *wish, char **retOut, char **retErr)
{
    g_autofree char *env = g_strdup_printf("VIRTWARD_FAULT=%s", wish);
    const char *argv[] = {self, what, folder, NULL};
    const char *envs[] = {env, "LC_ALL=C", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;
    int status = 0;

    request.argv = argv;
    request.env = envs;
    virSpawnRun(&request, 60000, 0, retOut, retErr, &status, &error);
    g_assert_no_error(error);
    return status;
}

/* Whether the life came to the point; one that can't fail kills whatever is asked for. */
static bool
testIsReached(const testFault *fault, int status, const char *said)
{
    g_autofree char *mark = g_strdup_printf("fault point %s", fault->name);

    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
           (g_str_equal(fault->way, "error") && strstr(said, mark));
}

static void
testPoint(gconstpointer opaque)
{
    static const char *const adoption[] = {"gate:covered", "gate:theirs-detached", "gate:adopted",
                                           NULL};
    const testFault *fault = opaque;
    bool adopted = g_strv_contains(adoption, fault->name);
    g_autofree char *wish = g_strdup_printf("%s:%s", fault->name, fault->way);
    g_autofree char *said = NULL;
    int status = testRunSelf(adopted ? "--adoption" : "--life", wish, NULL, &said);
    bool whole = testAssertNothingLeft(adopted);

    if (testIsReached(fault, status, said)) {
        outcomes[whole]++;
        g_test_message("%s", whole ? "whole" : "gone");
    } else if (g_str_equal(fault->way, "kill:3")) {
        g_test_message("comes by less often");
    } else {
        g_test_fail_printf("is not reached: %s", said);
    }
}

static void
testAddPoints(void)
{
    static const char *const ways[] = {"kill", "error", "kill:3"};
    g_autofree char *text = NULL;
    g_auto(GStrv) names = NULL;

    g_assert_cmpint(testRunSelf("--list", "", &text, NULL), ==, 0);
    names = g_strsplit(g_strchomp(text), "\n", -1);
    for (char **name = names; *name; name++) {
        for (size_t i = 0; i < G_N_ELEMENTS(ways) && !g_strv_contains(elsewhere, *name); i++) {
            g_autofree char *path = g_strdup_printf("/gate-fault/%s:%s", *name, ways[i]);
            testFault *fault = g_new0(testFault, 1);

            fault->name = g_strdup(*name);
            fault->way = ways[i];
            g_test_add_data_func_full(path, fault, testPoint, testFaultFree);
        }
    }
}

static bool
testSetup(const char **retReason)
{
    g_autoptr(virCgroupInstance) instance = NULL;

    *retReason = "needs a build with -Dfault_points=true";
    if (!WITH_FAULT_POINTS)
        return false;
    *retReason = "needs root";
    if (geteuid() != 0)
        return false;
    folder = g_dir_make_tmp("virtward-fault-XXXXXX", NULL);
    pinPath = g_build_filename(folder, "bpf", NULL);
    instance = virCgroupInstanceNew(folder, NULL);
    if (!instance || !virCgroupInstanceUsable(instance, retReason))
        return false;
    *retReason = "needs cgroup v2";
    if (!g_str_equal(virCgroupInstanceBackendName(instance), "v2"))
        return false;
    *retReason = "needs a mount namespace of its own";
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int
main(int argc, char **argv)
{
    const char *reason = NULL;
    int result;

    virSpawnSetHelper(TEST_SPAWN);
    if (argc == 3) {
        folder = argv[2];
        testNameGuest();
        pinPath = g_build_filename(folder, "bpf", NULL);
        if (!g_str_equal(argv[1], "--list"))
            return testLife(g_str_equal(argv[1], "--adoption"));
        virFaultList();
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    if (!testSetup(&reason)) {
        printf("1..0 # SKIP %s\n", reason);
        if (folder)
            (void)rmdir(folder);
        return 77;
    }
    /* that something is missing may be told */
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    testNameGuest();
    self = g_file_read_link("/proc/self/exe", NULL);
    testAddPoints();
    result = g_test_run();
    printf("# %u cases: %u gone, %u whole, 0 left over\n", outcomes[false] + outcomes[true],
           outcomes[false], outcomes[true]);
    (void)rmdir(pinPath);
    g_assert_cmpint(rmdir(folder), ==, 0);
    return result;
}
