/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_test.c: the door without rights: on the fake hierarchy, and with a provider that
 * lies. */
#include "delegate/virdelegate.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virutil.h"

static const virDelegateCall testCall = {"web1", {1, 2, 3}, VIR_DELEGATE_PHASE_START};
static const virGateSettings testSettings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_DIRECT, 0};

typedef struct {
    char *folder;
    virDelegate *door;
    virCgroup *group;
    virGate *gate;
} testDoor;

static void
testDoorFree(testDoor *test)
{
    g_autoptr(GError) error = NULL;

    virCgroupFakeFailAfter(-1);
    test->door->ops = &virDelegateLocalOps;
    if (test->group)
        virDelegateCgroupRemove(test->door, &testCall, test->group, 0, &error);
    g_assert_no_error(error);
    g_clear_pointer(&test->gate, virGateUnref);
    g_clear_pointer(&test->group, virCgroupUnref);
    virDelegateRetire(test->door, &error);
    g_assert_no_error(error);
    virDelegateFree(test->door);
    g_assert_cmpint(g_rmdir(test->folder), ==, 0);
    g_free(test->folder);
    g_free(test);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(testDoor, testDoorFree)

static testDoor *
testDoorNew(void)
{
    testDoor *test = g_new0(testDoor, 1);
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    g_autoptr(virCgroupInstance) instance = NULL;
    g_autoptr(GError) error = NULL;

    test->folder = g_dir_make_tmp("virtward-door-XXXXXX", NULL);
    instance = virCgroupInstanceNewAt("test", &virCgroupFakeBackend, test->folder,
                                      VIR_CGROUP_GUEST_CONTROLLERS);
    test->door = virDelegateNew(instance, "/nonexistent/bpf", &owner);
    g_assert_true(virDelegatePrepare(test->door, &error));
    g_assert_true(
        virDelegateCgroupCreate(test->door, &testCall, "1-web1", 0, &test->group, &error));
    g_assert_no_error(error);
    return test;
}

static virDeviceRule
testRule(const char *text)
{
    virDeviceRule rule = {0};
    GError *error = NULL;

    virDeviceRuleParse(text, &rule, &error);
    g_assert_no_error(error);
    return rule;
}

static void
testMakeGate(testDoor *test, const char *const *texts)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    g_autoptr(GError) error = NULL;

    for (; *texts; texts++) {
        virDeviceRule rule = testRule(*texts);

        virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &rule);
    }
    virDelegateGateCreate(test->door, &testCall, test->group, rules, &testSettings, &test->gate,
                          &error);
    g_assert_no_error(error);
}

/* What the kernel, here the fake, holds. */
static char *
testHeld(testDoor *test)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) held = virGateReadBack(test->gate, &error);
    GString *text = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < held->len; i++) {
        g_autofree char *one = virDeviceRuleFormat(&g_array_index(held, virDeviceRule, i));

        g_string_append_printf(text, "%s%s", i ? ", " : "", one);
    }
    return g_string_free(text, FALSE);
}

static void
testAssertHeld(testDoor *test, const char *expected)
{
    g_autofree char *held = testHeld(test);

    g_assert_cmpstr(held, ==, expected);
}

/* --- cases --- */

static void
testGateFollowsItsOwners(void)
{
    static const char *const policy[] = {"c 1:3 rwm", "c 10:232 rw", NULL};
    g_autoptr(testDoor) test = testDoorNew();
    const virDeviceRule rules[] = {testRule("c 10:196 rw"), testRule("b 8:0 r")};
    g_autoptr(GError) error = NULL;

    testMakeGate(test, policy);
    testAssertHeld(test, "c 1:3 rwm, c 10:232 rw");
    g_assert_true(
        virDelegateGateAllow(test->door, &testCall, test->gate, "hostdev0", rules, 2, &error));
    g_assert_true(
        virDelegateGateAllow(test->door, &testCall, test->gate, "hostdev1", rules, 1, &error));
    testAssertHeld(test, "b 8:0 r, c 1:3 rwm, c 10:196 rw, c 10:232 rw");
    g_assert_true(virDelegateGateDropOwner(test->door, &testCall, test->gate, "hostdev0", &error));
    testAssertHeld(test, "c 1:3 rwm, c 10:196 rw, c 10:232 rw");
    g_assert_true(virDelegateGateDropOwner(test->door, &testCall, test->gate, "hostdev1", &error));
    testAssertHeld(test, "c 1:3 rwm, c 10:232 rw");
}

static void
testFailedUpdateChangesNothing(void)
{
    static const char *const policy[] = {"c 1:3 rw", "c 1:5 r", NULL};
    g_autoptr(testDoor) test = testDoorNew();
    virDeviceRule rules[6];

    testMakeGate(test, policy);
    for (int i = 0; i < (int)G_N_ELEMENTS(rules); i++)
        rules[i] = (virDeviceRule){VIR_DEVICE_CHAR, VIR_DEVICE_RW, i < 2 ? 1 : 10, 3 + 2 * i};
    for (int step = 0; step < (int)G_N_ELEMENTS(rules) - 1; step++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(virDeviceRules) after = NULL;
        g_autofree char *owners = NULL;

        virCgroupFakeFailAfter(step);
        g_assert_false(virDelegateGateAllow(test->door, &testCall, test->gate, "disk0", rules,
                                            G_N_ELEMENTS(rules), &error));
        g_assert_nonnull(error);
        virCgroupFakeFailAfter(-1);
        /* The fake goes on failing while it is undone, too: reconcile as after a restart. */
        g_clear_error(&error);
        g_assert_true(virGateReconcile(test->gate, &error));
        testAssertHeld(test, "c 1:3 rw, c 1:5 r");
        after = virGateRules(test->gate);
        owners = virDeviceRulesOwners(after, &rules[0]);
        g_assert_cmpstr(owners, ==, VIR_DEVICE_OWNER_POLICY);
    }
}

static void
testLiveGroupWithoutGateGetsOne(void)
{
    static const char *const policy[] = {"c 1:3 rw", NULL};
    g_autoptr(testDoor) test = testDoorNew();
    g_autoptr(virGate) again = NULL;
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    g_autoptr(GError) error = NULL;
    virGateFound found;

    testMakeGate(test, policy);
    g_test_expect_message("virtward", G_LOG_LEVEL_WARNING, "*runs without its device gate*");
    g_assert_true(virDelegateGateReopen(test->door, &testCall, test->group, rules, &testSettings,
                                        &again, &found, &error));
    g_test_assert_expected_messages();
    g_assert_cmpint(found, ==, VIR_GATE_FOUND_NONE); /* the fake's rules die with its handle */
}

static bool
testLie(virDelegate *door, const virDelegateCall *call, virGate *gate, const virDeviceRules *wanted,
        GError **error)
{
    return true;
}

static void
testDoneThatIsNotTrueIsAnError(void)
{
    static const char *const policy[] = {"c 1:3 rw", NULL};
    g_autoptr(testDoor) test = testDoorNew();
    virDelegateOps liar = virDelegateLocalOps;
    const virDeviceRule rule = testRule("c 10:196 rw");
    g_autoptr(GError) error = NULL;

    testMakeGate(test, policy);
    liar.name = "handler";
    liar.gateUpdate = testLie;
    test->door->ops = &liar;
    g_assert_false(
        virDelegateGateAllow(test->door, &testCall, test->gate, "hostdev0", &rule, 1, &error));
    g_assert_cmpstr(error->message, ==,
                    "handler reported gate.update as done, but the kernel holds another rule");
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_FAILED));
}

static void
testOwnerIsSetAndPutBack(void)
{
    g_autoptr(testDoor) test = testDoorNew();
    g_autofree char *path = g_build_filename(test->folder, "file", NULL);
    g_autoptr(GError) error = NULL;
    VIR_AUTOCLOSE fd = -1;
    virDelegateOwner wanted = {VIR_DELEGATE_KEEP_ID, VIR_DELEGATE_KEEP_ID, 0640};
    virDelegateOwner before;
    struct stat st;

    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    fd = open(path, O_PATH | O_CLOEXEC);
    if (geteuid() == 0)
        wanted.uid = 65534;
    g_assert_true(virDelegateOwnSet(test->door, &testCall, fd, &wanted, &before, &error));
    g_assert_no_error(error);
    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0640);
    g_assert_true(virDelegateOwnSet(test->door, &testCall, fd, &before, NULL, &error));
    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0600);
    g_assert_cmpint(st.st_uid, ==, geteuid());
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
testOnlyLimitsAreWrittenToGroups(void)
{
    g_autoptr(testDoor) test = testDoorNew();
    g_autofree char *path =
        g_build_filename(virCgroupPath(test->group), "..", "cgroup.procs", NULL);
    virCgroupSetting setting = {
        .controller = VIR_CGROUP_CONTROLLER_PIDS, .file = "cgroup.procs", .text = (char *)"1"};
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, "0\n", 2, NULL));
    g_assert_false(virDelegateCgroupSet(test->door, &testCall, test->group, &setting, &error));
    g_assert_nonnull(strstr(error->message, "no limit of a guest's control group"));
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
testInstanceWithoutGroupsSaysSo(void)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    g_autoptr(virCgroupInstance) instance = virCgroupInstanceNewAt("none", NULL, NULL, 0);
    g_autoptr(virDelegate) door = virDelegateNew(instance, "/nonexistent/bpf", &owner);
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(virDelegatePrepare(door, &error));
    g_assert_false(virDelegateCgroupCreate(door, &testCall, "1-web1", 0, &group, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_UNSUPPORTED));
    g_clear_error(&error);
    g_assert_true(virDelegateRetire(door, &error));
}

/* --- VFIO's nodes, in files that stand for sysfs --- */

static void
testMakeFile(const testDoor *test, const char *path, const char *text)
{
    g_autofree char *file = g_build_filename(test->folder, "sys", path, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(text ? g_file_set_contents(file, text, -1, NULL)
                       : symlink("../../drivers/vfio-pci", file) == 0);
}

static int
testRemoveEntry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

/* What sysfs says is the zero device is no group, whatever its number. */
static bool
testGiveZero(virDelegate *door, const virDelegateCall *call, virDelegateDevice device,
             const char *identity, int flags, int *retFd, GError **error)
{
    *retFd = open("/dev/zero", O_RDWR | O_CLOEXEC);
    return *retFd >= 0;
}

static void
testAnotherFileIsNoNodeOfVFIO(void)
{
    g_autoptr(testDoor) test = testDoorNew();
    g_autofree char *sysfs = g_build_filename(test->folder, "sys", NULL);
    static const virDelegateDevice kinds[] = {
        VIR_DELEGATE_DEVICE_VFIO_GROUP, VIR_DELEGATE_DEVICE_VFIO_CDEV, VIR_DELEGATE_DEVICE_IOMMUFD};
    virDelegateOps liar = virDelegateLocalOps;

    testMakeFile(test, "bus/pci/devices/0000:03:00.0/config", "");
    testMakeFile(test, "bus/pci/devices/0000:03:00.0/driver", NULL);
    testMakeFile(test, "bus/pci/devices/0000:03:00.0/vfio-dev/vfio0/dev", "1:5\n");
    testMakeFile(test, "class/vfio-dev/vfio0/dev", "1:5\n");
    testMakeFile(test, "class/misc/iommu/dev", "1:3\n"); /* another number than it gets */
    test->door->sysfs = sysfs;
    liar.name = "handler";
    liar.deviceOpen = testGiveZero;
    test->door->ops = &liar;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GError) error = NULL;
        int fd = -1;

        g_assert_false(virDelegateDeviceOpen(test->door, &testCall, kinds[i], "0000:03:00.0",
                                             O_RDWR, &fd, &error));
        g_assert_cmpint(fd, ==, -1);
        g_assert_cmpstr(error->message, ==,
                        kinds[i] == VIR_DELEGATE_DEVICE_VFIO_GROUP
                            ? "PCI device 0000:03:00.0 is in no group of the IOMMU"
                            : "handler reported device.open as done, but what it gave is another "
                              "kind of file");
    }
    g_assert_cmpint(nftw(sysfs, testRemoveEntry, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/door/a gate follows its owners", testGateFollowsItsOwners);
    g_test_add_func("/door/a failed update changes nothing", testFailedUpdateChangesNothing);
    g_test_add_func("/door/a live group without a gate gets one at once",
                    testLiveGroupWithoutGateGetsOne);
    g_test_add_func("/door/done that is not true is an error", testDoneThatIsNotTrueIsAnError);
    g_test_add_func("/door/an owner is set and put back", testOwnerIsSetAndPutBack);
    g_test_add_func("/door/only limits are written to groups", testOnlyLimitsAreWrittenToGroups);
    g_test_add_func("/door/another file is no node of VFIO", testAnotherFileIsNoNodeOfVFIO);
    g_test_add_func("/door/an instance without groups says so", testInstanceWithoutGroupsSaysSo);
    return g_test_run();
}
