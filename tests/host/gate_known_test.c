/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_known_test.c: what has gone wrong with device gates of other managers, each as a test that
 * passes here. Where the fault is in a form that can be made anew (gate_forms.h), it is shown first
 * that the form has it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/gate_fixture.h"
#include "host/gate_forms.h"
#include "util/cgroup/virbpf.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virutil.h"

static const char *const none[] = {NULL};

static void
allow(virDeviceRules *rules, const char *owner, const char *text)
{
    virDeviceRule rule;
    g_autoptr(GError) error = NULL;

    testAssertNoError(virDeviceRuleParse(text, &rule, &error), error);
    virDeviceRulesAllow(rules, owner, &rule);
}

static void
apply(testGuest *guest, const virDeviceRules *rules)
{
    g_autoptr(GError) error = NULL;

    testAssertNoError(virGateApply(guest->gate, rules, &error), error);
}

/* A guest behind libvirt's form with these rules, written in this order. */
static testGuest *
guestOfLibvirt(const char *name, const char *const *texts)
{
    g_autoptr(GArray) empty = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));
    testGuest *guest = testGuestNewBare(name, &testSettings, none);
    VIR_AUTOCLOSE mapFd = testFormLibvirtMap(empty, 64);
    VIR_AUTOCLOSE progFd = -1;

    for (; *texts; texts++) {
        virDeviceRule rule;

        g_assert_true(virDeviceRuleParse(*texts, &rule, NULL));
        testFormLibvirtSet(mapFd, &rule);
    }
    progFd = testFormLibvirt(mapFd);
    g_assert_cmpint(progFd, >=, 0);
    g_assert_true(testFormAttachExclusive(virCgroupCloneFd(guest->group), progFd));
    testGuestStart(guest);
    return guest;
}

/* --- rules --- */

static void
testBlockAndCharacterOfOneNumberAreTwo(void)
{
    static const char *const both[] = {"b 200:1 rw", "c 200:1 r", NULL};
    g_autoptr(testGuest) theirs = guestOfLibvirt("1-theirs", both);
    g_autoptr(testGuest) ours = testGuestNew("1-ours", &testSettings, both);

    g_assert_cmpint(testGuestAsk(theirs, ASK_READ, true, 200, 1), ==, EPERM); /* overwritten */
    testGuestStart(ours);
    g_assert_cmpint(testGuestAsk(ours, ASK_READ | ASK_WRITE, true, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(ours, ASK_READ, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(ours, ASK_WRITE, false, 200, 1), ==, EPERM);
}

static void
testLessAfterMoreTakesNothingAway(void)
{
    static const char *const shrinking[] = {"c 200:1 rw", "c 200:1 r", NULL};
    g_autoptr(testGuest) theirs = guestOfLibvirt("2-theirs", shrinking);
    g_autoptr(testGuest) ours = testGuestNew("2-ours", &testSettings, shrinking);

    g_assert_cmpint(testGuestAsk(theirs, ASK_WRITE, false, 200, 1), ==, EPERM);
    testGuestStart(ours);
    g_assert_cmpint(testGuestAsk(ours, ASK_READ | ASK_WRITE, false, 200, 1), ==, 0);
}

static void
testNarrowRuleDoesNotHideAWideOne(void)
{
    static const char *const overlapping[] = {"c 200:* rw", "c 200:1 r", "c *:2 m", "c 200:2 r",
                                              NULL};
    g_autoptr(testGuest) theirs = guestOfLibvirt("3-theirs", overlapping);
    g_autoptr(testGuest) ours = testGuestNew("3-ours", &testSettings, overlapping);

    g_assert_cmpint(testGuestAsk(theirs, ASK_WRITE, false, 200, 1), ==, EPERM);
    testGuestStart(ours);
    g_assert_cmpint(testGuestAsk(ours, ASK_WRITE, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(ours, ASK_MKNOD, false, 200, 2), ==, 0);
}

static void
testUnpluggingOneOfTwoOwnersLeavesTheOther(void)
{
    g_autoptr(testGuest) guest = testGuestNew("4-owners", &testSettings, none);
    g_autoptr(virDeviceRules) rules = virGateRules(guest->gate);

    allow(rules, "virtio-disk0", "b 201:1 rw");
    allow(rules, "virtio-disk1", "b 201:1 r");
    apply(guest, rules);
    testGuestStart(guest);
    virDeviceRulesDropOwner(rules, "virtio-disk0");
    apply(guest, rules);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 201, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, true, 201, 1), ==, EPERM);
    virDeviceRulesDropOwner(rules, "virtio-disk1");
    apply(guest, rules);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 201, 1), ==, EPERM);
}

static void
testPartialDenyTakesOnlyWhatItNames(void)
{
    g_autoptr(testGuest) guest = testGuestNew("5-partial", &testSettings, none);
    g_autoptr(virDeviceRules) rules = virGateRules(guest->gate);
    virDeviceRule write = {VIR_DEVICE_CHAR, VIR_DEVICE_WRITE, 200, 3};
    g_autoptr(GArray) held = NULL;

    allow(rules, "policy", "c 200:3 rwm");
    apply(guest, rules);
    testGuestStart(guest);
    virDeviceRulesDeny(rules, "policy", &write);
    apply(guest, rules);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 3), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_MKNOD, false, 200, 3), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, false, 200, 3), ==, EPERM);
    /* And a rule of which nothing is left holds no place any more. */
    write.access = VIR_DEVICE_RWM;
    virDeviceRulesDeny(rules, "policy", &write);
    apply(guest, rules);
    held = virGateReadBack(guest->gate, NULL);
    g_assert_cmpuint(held->len, ==, 0);
}

static void
testAskingWhetherANodeExistsIsAllowedByAnyRule(void)
{
    static const char *const one[] = {"c 200:1 m", NULL};
    g_autoptr(testGuest) guest = testGuestNew("6-exists", &testSettings, one);

    testGuestStart(guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_EXIST, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_EXIST, false, 200, 2), ==, EPERM);
}

static void
testManyMajorsAreNoReasonToFail(void)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    g_autoptr(testGuest) guest = testGuestNew("7-majors", &testSettings, none);
    g_autoptr(GArray) all = NULL;
    VIR_AUTOCLOSE line = -1;

    for (int i = 0; i < 500; i++) {
        virDeviceRule rule = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 300 + i, 0};

        virDeviceRulesAllow(rules, "policy", &rule);
    }
    all = virDeviceRulesUnion(rules);
    line = testFormLinear(all);
    g_test_message("the straight line with 500 majors: %s",
                   line >= 0 ? "this kernel takes it" : g_strerror(errno));
    apply(guest, rules);
    testGuestStart(guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 1), ==, EPERM);
}

/* --- others on the group --- */

static void
testProgramOfOthersFirstInTheListIsNotTakenForOurs(void)
{
    static const char *const one[] = {"c 200:1 rw", NULL};
    VIR_AUTOCLOSE foreign = testFormEmpty();
    g_autoptr(testGuest) guest = testGuestNewBare("8-first", &testSettings, one);
    g_autoptr(virDeviceRules) rules = testRules("policy", one);
    g_autoptr(GError) error = NULL;
    virGateFound found = VIR_GATE_FOUND_NONE;

    g_assert_true(virBPFAttachDeviceProg(virCgroupCloneFd(guest->group), foreign, -1, 0));
    testAssertNoError(virGateMake(guest->gate, &error), error);
    testGuestStart(guest);
    testAssertNoError(
        virGatePinsRemove(testStore->pinsFd, guest->uuid, VIR_GATE_PINS_CURRENT, &error), error);
    virGateUnref(guest->gate);
    guest->gate = virGateNew(guest->group, testStore, guest->uuid, rules, &testSettings);
    testAssertNoError(virGateDetect(guest->gate, &found, &error), error);
    g_assert_cmpint(found, ==, VIR_GATE_FOUND_IDS);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 2), ==, EPERM);
}

static void
testGroupsBelowCanHaveProgramsOfTheirOwn(void)
{
    static const char *const one[] = {"c 200:1 rw", NULL};
    g_autoptr(testGuest) theirs = guestOfLibvirt("9-theirs", one);
    g_autoptr(testGuest) ours = testGuestNew("9-ours", &testSettings, one);
    testGuest *guests[] = {theirs, ours};
    VIR_AUTOCLOSE foreign = testFormEmpty();

    for (size_t i = 0; i < G_N_ELEMENTS(guests); i++) {
        int groupFd = virCgroupCloneFd(guests[i]->group);
        VIR_AUTOCLOSE below = -1;

        g_assert_cmpint(mkdirat(groupFd, "below", 0755), ==, 0);
        below = openat(groupFd, "below", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (i == 0) {
            g_assert_false(virBPFAttachDeviceProg(below, foreign, -1, 0));
            g_assert_cmpint(errno, ==, EPERM);
        } else {
            g_assert_true(virBPFAttachDeviceProg(below, foreign, -1, 0));
        }
        virCloseFd(&below);
        g_assert_cmpint(unlinkat(groupFd, "below", AT_REMOVEDIR), ==, 0);
    }
}

static unsigned
testDescriptors(void)
{
    g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(folder))
        count++;
    return count;
}

static void
testRestartLeaksNoDescriptor(void)
{
    static const char *const one[] = {"c 200:1 rw", NULL};
    g_autoptr(testGuest) guest = testGuestNew("10-leaks", &testSettings, one);
    g_autoptr(virDeviceRules) rules = testRules("policy", one);
    g_autoptr(GError) error = NULL;
    unsigned before = 0;

    for (int i = 0; i < 20; i++) {
        virGateFound found = VIR_GATE_FOUND_NONE;
        bool reattached = false;

        virGateUnref(guest->gate);
        guest->gate = virGateNew(guest->group, testStore, guest->uuid, rules, &testSettings);
        testAssertNoError(virGateDetect(guest->gate, &found, &error), error);
        g_assert_cmpint(found, ==, VIR_GATE_FOUND_PINS);
        testAssertNoError(virGateReconcile(guest->gate, &error), error);
        testAssertNoError(virGateRepair(guest->gate, &reattached, &error), error);
        if (i == 0)
            before = testDescriptors();
    }
    g_assert_cmpuint(testDescriptors(), ==, before);
}

static void
testExclusiveAttachmentAboveIsSaid(void)
{
    static const char *const one[] = {"c 200:1 rw", NULL};
    g_autoptr(testGuest) guest = testGuestNewBare("11-above", &testSettings, one);
    VIR_AUTOCLOSE above =
        openat(virCgroupCloneFd(guest->group), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    VIR_AUTOCLOSE foreign = testFormEmpty();
    g_autoptr(GError) error = NULL;

    g_assert_true(testFormAttachExclusive(above, foreign));
    g_assert_false(virGateMake(guest->gate, &error));
    g_assert_nonnull(strstr(error->message, "cannot attach the device gate"));
    g_assert_true(virBPFDetachDeviceProg(above, foreign));
    g_clear_error(&error);
    testAssertNoError(virGateMake(guest->gate, &error), error);
}

static void
testAddAll(void)
{
    g_test_add_func("/gate-known/block and character of one number are two",
                    testBlockAndCharacterOfOneNumberAreTwo);
    g_test_add_func("/gate-known/less after more takes nothing away",
                    testLessAfterMoreTakesNothingAway);
    g_test_add_func("/gate-known/a narrow rule does not hide a wide one",
                    testNarrowRuleDoesNotHideAWideOne);
    g_test_add_func("/gate-known/unplugging one of two owners leaves the other",
                    testUnpluggingOneOfTwoOwnersLeavesTheOther);
    g_test_add_func("/gate-known/a partial deny takes only what it names",
                    testPartialDenyTakesOnlyWhatItNames);
    g_test_add_func("/gate-known/asking whether a node exists is allowed by any rule",
                    testAskingWhetherANodeExistsIsAllowedByAnyRule);
    g_test_add_func("/gate-known/many majors are no reason to fail",
                    testManyMajorsAreNoReasonToFail);
    g_test_add_func("/gate-known/a program of others first in the list is not taken for ours",
                    testProgramOfOthersFirstInTheListIsNotTakenForOurs);
    g_test_add_func("/gate-known/groups below can have programs of their own",
                    testGroupsBelowCanHaveProgramsOfTheirOwn);
    g_test_add_func("/gate-known/a restart leaks no descriptor", testRestartLeaksNoDescriptor);
    g_test_add_func("/gate-known/an exclusive attachment above is said",
                    testExclusiveAttachmentAboveIsSaid);
}

int
main(int argc, char **argv)
{
    return testGateRun(argc, argv, testAddAll);
}
