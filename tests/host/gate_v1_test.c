/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_v1_test.c: the gate on cgroup v1's devices controller, in a group of its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virspawn.h"
#include "util/virutil.h"

static virCgroupInstance *instance;
static virGateStore *store;
static const uint8_t uuid[16] = {1};
static const virGateSettings settings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_DIRECT, 0};

static virDeviceRules *
testRules(const char *const *texts)
{
    virDeviceRules *rules = virDeviceRulesNew();

    for (; *texts; texts++) {
        virDeviceRule rule;

        g_assert_true(virDeviceRuleParse(*texts, &rule, NULL));
        virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &rule);
    }
    return rules;
}

/* Which of the nodes a process born in the group can read: their names. */
static char *
testReadable(virCgroup *group)
{
    const char *argv[] = {"/bin/sh", "-c",
                          "for n in null zero full random; do "
                          "head -c0 /dev/$n 2>/dev/null && printf '%s ' $n; done",
                          NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) joins = virCgroupOpenJoins(group, &error);
    char *out = NULL;

    g_assert_no_error(error);
    g_assert_cmpint(virCgroupCloneFd(group), ==, -1);
    request.argv = argv;
    request.joinFds = (const int *)(void *)joins->data;
    request.njoinFds = joins->len;
    virSpawnRun(&request, 20000, 0, &out, NULL, &(int){0}, &error);
    g_assert_no_error(error);
    return out;
}

static void
testAssertReadable(virCgroup *group, const char *expected)
{
    g_autofree char *readable = testReadable(group);

    g_assert_cmpstr(readable, ==, expected);
}

static void
testRulesAreEnforcedAndFoundAgain(void)
{
    static const char *const first[] = {"c 1:3 rwm", "c 1:5 rw", NULL};
    static const char *const second[] = {"c 1:3 rw", "c 1:7 r", "c 136:* rw", NULL};
    g_autoptr(virCgroup) group = virCgroupNew(instance, "1-web1");
    g_autoptr(virDeviceRules) rules = testRules(first);
    g_autoptr(virDeviceRules) changed = testRules(second);
    g_autoptr(virGate) gate = virGateNew(group, store, uuid, rules, &settings);
    g_autoptr(virGate) again = NULL;
    g_autoptr(GArray) wanted = virDeviceRulesUnion(changed);
    g_autoptr(GArray) held = NULL;
    g_autoptr(GArray) changes = NULL;
    g_autoptr(GError) error = NULL;
    virGateFound found = VIR_GATE_FOUND_NONE;

    g_assert_true(virCgroupMake(group, &error));
    g_assert_true(virGateMake(gate, &error));
    g_assert_no_error(error);
    testAssertReadable(group, "null zero ");

    again = virGateNew(group, store, uuid, changed, &settings);
    g_assert_true(virGateDetect(again, &found, &error));
    g_assert_cmpint(found, ==, VIR_GATE_FOUND_IDS);
    g_assert_true(virGateReconcile(again, &error));
    g_assert_no_error(error);
    testAssertReadable(group, "null full ");
    held = virGateReadBack(again, &error);
    changes = virDeviceRulesChanges(wanted, held);
    g_assert_cmpuint(changes->len, ==, 0);

    g_assert_false(virGateSetMode(again, VIR_GATE_PERMISSIVE, &error));
    g_clear_error(&error);
    g_assert_true(virCgroupRemove(group, 0, &error));
    g_assert_true(virGateDestroy(again, &error));
    g_assert_no_error(error);
}

static void
testRemovalEndsWhatIsInside(void)
{
    const char *argv[] = {"/bin/sh", "-c", "/bin/sleep 1000 & exec /bin/sleep 1000", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(virCgroup) group = virCgroupNew(instance, "2-web1");
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) joins = NULL;
    virSpawnResult child;
    bool populated = false;

    g_assert_true(virCgroupMake(group, &error));
    joins = virCgroupOpenJoins(group, &error);
    request.argv = argv;
    request.joinFds = (const int *)(void *)joins->data;
    request.njoinFds = joins->len;
    g_assert_true(virSpawn(&request, &child, &error));
    g_assert_true(virCgroupIsPopulated(group, &populated, &error));
    g_assert_true(populated);
    g_assert_true(virCgroupRemove(group, 20000, &error));
    g_assert_no_error(error);
    g_assert_true(virSpawnReap(child.pidfd, NULL, &error));
    virCloseFd(&child.pidfd);
}

int
main(int argc, char **argv)
{
    g_auto(virCgroupMounts) mounts = {0};
    g_autofree char *text = virFileRead("/proc/self/mounts", 1 << 24, NULL, NULL);
    g_autofree char *name = g_strdup_printf("test-%d", getpid());
    const char *reason = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int result;

    g_test_init(&argc, &argv, NULL);
    virSpawnSetHelper(TEST_SPAWN);
    virCgroupMountsParse(&mounts, text);
    path = virCgroupV1Backend.available(&mounts, &reason);
    if (!path || reason) {
        printf("1..0 # SKIP cgroup v1: %s\n", reason);
        return 77;
    }
    instance = virCgroupInstanceNewAt(name, &virCgroupV1Backend, path,
                                      1u << VIR_CGROUP_CONTROLLER_DEVICES);
    store = virGateStoreNew(-1, geteuid(), getegid());
    virCgroupInstanceMake(instance, &error);
    g_assert_no_error(error);
    g_test_add_func("/gate-v1/rules are enforced and found again",
                    testRulesAreEnforcedAndFoundAgain);
    g_test_add_func("/gate-v1/removal ends what is inside", testRemovalEndsWhatIsInside);
    result = g_test_run();
    g_assert_true(virCgroupInstanceRemove(instance, &error));
    virGateStoreUnref(store);
    virCgroupInstanceUnref(instance);
    return result;
}
