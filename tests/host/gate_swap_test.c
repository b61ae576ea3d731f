/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_swap_test.c: no wrong verdict while rules, maps and programs are exchanged and while a gate
 * that libvirt or our own first version made is taken over. A process in the group asks meanwhile,
 * as fast as it can; that it would see an open gate is shown first, by detaching and attaching
 * again.
 *
 * GATE_UPDATES, GATE_GROWTHS, GATE_SWAPS, GATE_ADOPTIONS and GATE_CONVERSIONS in the environment
 * set the counts (200,000, 1,000, 1,000, 100 and 100 by hand). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/gate_fixture.h"
#include "host/gate_forms.h"
#include "util/cgroup/virbpf.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virutil.h"

#define ALLOWED 200, 0
#define DENIED 200, 7

static const char *const always[] = {"c 200:0 rw", NULL};

static void
testAssertNoneWrong(testProber *prober, const char *what, unsigned count)
{
    unsigned asked = 0;
    unsigned wrong = testProberStop(prober, &asked);

    g_test_message("%u verdicts during %u %s: %u wrong", asked, count, what, wrong);
    g_assert_cmpuint(asked, >, 0);
    g_assert_cmpuint(wrong, ==, 0);
}

/* --- the proof that it would be seen --- */

static void
testAnOpenMomentIsSeen(void)
{
    const virGateSettings direct = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_DIRECT, 0, 0};
    /* With one gate at least the kernel's code for device programs stays switched on: each round
     * would patch it, which an emulated machine doesn't always survive. */
    g_autoptr(testGuest) beside G_GNUC_UNUSED = testGuestNew("1-beside", &direct, always);
    g_autoptr(testGuest) guest = testGuestNew("1-open", &direct, always);
    testProber *prober = testProberStart(guest, ALLOWED, DENIED);
    int groupFd = virCgroupCloneFd(guest->group);
    gint64 deadline_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    unsigned asked = 0;
    unsigned wrong = 0;
    unsigned rounds = 0;

    for (; wrong == 0 && g_get_monotonic_time() < deadline_us; rounds++) {
        g_assert_true(virBPFDetachDeviceProg(groupFd, guest->gate->v2.progFd));
        g_assert_true(virBPFAttachDeviceProg(groupFd, guest->gate->v2.progFd, -1, 0));
        if (rounds % 1000 == 999) {
            wrong = testProberStop(prober, &asked);
            prober = testProberStart(guest, ALLOWED, DENIED);
        }
    }
    testProberStop(prober, &asked);
    g_test_message("detached and attached again %u times: %u wrong verdicts seen", rounds, wrong);
    g_assert_cmpuint(wrong, >, 0);
}

/* Why our nodes don't lie in a hash of the kernel's: an element that is taken out is used again at
 * once, for whatever rule comes next, and a check that has just found it reads that one's access.
 * It takes an interrupt between two instructions, so some millions of checks. */
static void
testAHashShowsTheAccessOfAnotherRule(void)
{
    static const char *const none[] = {NULL};
    const unsigned seconds = testCountWanted("GATE_HASH", 60);
    const virDeviceRule asked = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, ALLOWED};
    const virDeviceRule other = {VIR_DEVICE_CHAR, VIR_DEVICE_MKNOD, 200, 9};
    g_autoptr(virDeviceRules) rules = testRules("policy", always);
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    VIR_AUTOCLOSE mapFd = testFormLibvirtMap(all, 64);
    VIR_AUTOCLOSE progFd = testFormLibvirt(mapFd);
    g_autoptr(testGuest) guest = testGuestNewBare("12-hash", &testSettings, none);
    gint64 deadline_us = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    testProber *prober;
    unsigned verdicts = 0;
    unsigned wrong;

    g_assert_true(testFormAttachExclusive(virCgroupCloneFd(guest->group), progFd));
    prober = testProberStart(guest, ALLOWED, DENIED);
    while (!testProberWrong(prober) && g_get_monotonic_time() < deadline_us) {
        for (int i = 0; i < 1000; i++) {
            testFormLibvirtSet(mapFd, &asked);
            testFormLibvirtSet(mapFd, &other);
        }
    }
    wrong = testProberStop(prober, &verdicts);
    g_test_message("a hash: %u of %u verdicts wrong", wrong, verdicts);
    if (!wrong)
        g_test_skip("no interrupt came at such a moment");
}

/* --- ours --- */

static void
testUpdatesShowNoWrongVerdict(void)
{
    const unsigned updates = testCountWanted("GATE_UPDATES", 20000);
    g_autoptr(testGuest) guest = testGuestNew("2-updates", &testSettings, always);
    testProber *prober = testProberStart(guest, ALLOWED, DENIED);
    unsigned done = 0;

    /* An update is a store: many more are made than asked for, until as many verdicts are seen. */
    for (unsigned i = 0; i < updates || testProberAsked(prober) < updates; i++, done++) {
        /* the node that is asked, with and without mknod, and others around the one that is not */
        virDeviceRule own = {VIR_DEVICE_CHAR, i % 2 ? VIR_DEVICE_RW : VIR_DEVICE_RWM, ALLOWED};
        virDeviceRule other = {VIR_DEVICE_CHAR, i % 3 ? VIR_DEVICE_RW : 0, 200, 8 + (int)(i % 500)};

        g_assert_true(virCgroupV2DevicesSetRule(&guest->gate->v2, &own));
        g_assert_true(virCgroupV2DevicesSetRule(&guest->gate->v2, &other));
    }
    testAssertNoneWrong(prober, "updates", 2 * done);
}

/* The same in the trie, where wide rules lie. */
static void
testUpdatesOfWideRulesShowNoWrongVerdict(void)
{
    static const char *const wide[] = {"c 200:0 m", "c 201:* rw", NULL};
    const unsigned updates = testCountWanted("GATE_UPDATES", 20000) / 10;
    g_autoptr(testGuest) guest = testGuestNew("10-wide", &testSettings, wide);
    testProber *prober = testProberStart(guest, 201, 3, DENIED);

    for (unsigned i = 0; i < updates; i++) {
        virDeviceRule own = {VIR_DEVICE_CHAR, i % 2 ? VIR_DEVICE_RW : VIR_DEVICE_RWM, 201,
                             VIR_DEVICE_ANY};
        virDeviceRule node = {VIR_DEVICE_CHAR, i % 3 ? VIR_DEVICE_MKNOD : 0, 201, 3};
        virDeviceRule other = {VIR_DEVICE_BLOCK, i % 3 ? VIR_DEVICE_RW : 0, 200, VIR_DEVICE_ANY};

        g_assert_true(virCgroupV2DevicesSetRule(&guest->gate->v2, &own));
        g_assert_true(virCgroupV2DevicesSetRule(&guest->gate->v2, &node));
        g_assert_true(virCgroupV2DevicesSetRule(&guest->gate->v2, &other));
    }
    testAssertNoneWrong(prober, "updates of wide rules and of one below", 3 * updates);
}

static void
testChangesOfRulesShowNoWrongVerdict(void)
{
    const virGateSettings small = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, 4, 0};
    const unsigned changes = 2000;
    g_autoptr(testGuest) guest = testGuestNew("3-changes", &small, always);
    testProber *prober = testProberStart(guest, ALLOWED, DENIED);
    g_autoptr(GError) error = NULL;
    unsigned growths = 0;

    for (unsigned i = 0; i < changes; i++) {
        virDeviceRule rule = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 204, (int)(i % 500)};
        virDeviceRule own = {VIR_DEVICE_CHAR, i % 2 ? VIR_DEVICE_MKNOD : VIR_DEVICE_WRITE, ALLOWED};
        g_autoptr(virDeviceRules) rules = virGateRules(guest->gate);
        uint32_t before = guest->gate->v2.capacity;

        virDeviceRulesAllow(rules, "churn", &rule);
        virDeviceRulesDropOwner(rules, "own");
        virDeviceRulesAllow(rules, "own", &own);
        testAssertNoError(virGateApply(guest->gate, rules, &error), error);
        growths += guest->gate->v2.capacity != before;
    }
    g_assert_cmpuint(growths, >, 5);
    testAssertNoneWrong(prober, "changes of owners' rules, the map doubled on the way", changes);
}

static void
testGrowthsShowNoWrongVerdict(void)
{
    const unsigned growths = testCountWanted("GATE_GROWTHS", 50);
    g_autoptr(testGuest) guest = testGuestNew("4-growths", &testSettings, always);
    testProber *prober = testProberStart(guest, ALLOWED, DENIED);
    virCgroupV2DevicesPlace place = testGuestPlace(guest, guest->gate->v2.eventsFd);
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < growths; i++) {
        uint32_t next = guest->gate->v2.capacity * 2;

        place.eventsFd = guest->gate->v2.eventsFd;
        testAssertNoError(virCgroupV2DevicesRenewProg(&guest->gate->v2, &place,
                                                      next > 1u << 22 ? 64 : next, &error),
                          error);
    }
    testAssertNoneWrong(prober, "growths", growths);
}

static void
testSwapsShowNoWrongVerdict(void)
{
    const unsigned swaps = testCountWanted("GATE_SWAPS", 100);
    g_autoptr(testGuest) guest = testGuestNew("5-swaps", &testSettings, always);
    testProber *prober = testProberStart(guest, ALLOWED, DENIED);
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < swaps; i++) {
        bool reattached = true;

        guest->gate->v2.header->program =
            VIR_GATE_PROGRAM_VERSION - 1; /* as an older daemon left */
        testAssertNoError(virGateRepair(guest->gate, &reattached, &error), error);
        g_assert_false(reattached);
        g_assert_cmpuint(guest->gate->v2.header->program, ==, VIR_GATE_PROGRAM_VERSION);
    }
    testAssertNoneWrong(prober, "programs of another version", swaps);
    testAssertGuests(1);
}

/* --- our own of before --- */

static void
testConversionsShowNoWrongVerdict(void)
{
    static const char *const rules[] = {"c 200:0 rw", "c 136:* rw", "b 201:3 r", NULL};
    const unsigned conversions = testCountWanted("GATE_CONVERSIONS", 10);
    unsigned asked = 0;

    for (unsigned i = 0; i < conversions; i++) {
        g_autoptr(testGuest) guest = testGuestNewOfFirstAbi("6-first", rules);
        testProber *prober = testProberStart(guest, ALLOWED, DENIED);
        g_autoptr(GError) error = NULL;
        virGateFound found = VIR_GATE_FOUND_NONE;
        bool reattached = true;
        unsigned more = 0;

        testAssertNoError(virGateDetect(guest->gate, &found, &error), error);
        g_assert_cmpint(found, ==, VIR_GATE_FOUND_PINS);
        testAssertNoError(virGateReconcile(guest->gate, &error), error);
        testAssertNoError(virGateRepair(guest->gate, &reattached, &error), error);
        g_assert_false(reattached);
        g_assert_nonnull(guest->gate->v2.nodes.slots);
        testProberAwait(prober);
        g_assert_cmpuint(testProberStop(prober, &more), ==, 0);
        asked += more;
    }
    g_test_message("%u verdicts during %u conversions, none wrong", asked, conversions);
    testAssertGuests(0);
}

/* --- libvirt's --- */

/* A guest whose group has libvirt's form on it; ours knows of nothing yet. */
static testGuest *
testGuestOfLibvirt(const char *name, const char *const *theirs, const char *const *wanted)
{
    g_autoptr(virDeviceRules) rules = testRules("policy", theirs);
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    VIR_AUTOCLOSE mapFd = testFormLibvirtMap(all, 64);
    VIR_AUTOCLOSE progFd = testFormLibvirt(mapFd);
    testGuest *guest = testGuestNewBare(name, &testSettings, wanted);

    g_assert_cmpint(progFd, >=, 0);
    g_assert_true(testFormAttachExclusive(virCgroupCloneFd(guest->group), progFd));
    return guest;
}

static void
testAdoptionsShowNoWrongVerdict(void)
{
    static const char *const theirs[] = {"c 200:0 rw", "c 136:* rw", "b 201:3 r", NULL};
    const unsigned adoptions = testCountWanted("GATE_ADOPTIONS", 10);
    unsigned asked = 0;

    for (unsigned i = 0; i < adoptions; i++) {
        g_autoptr(testGuest) guest = testGuestOfLibvirt("6-adopted", theirs, always);
        testProber *prober = testProberStart(guest, ALLOWED, DENIED);
        g_autoptr(GError) error = NULL;
        unsigned more = 0;

        testAssertNoError(virGateMake(guest->gate, &error), error);
        testProberAwait(prober);
        g_assert_cmpuint(testProberStop(prober, &more), ==, 0);
        asked += more;
    }
    g_test_message("%u verdicts during %u adoptions, none wrong", asked, adoptions);
    testAssertGuests(0);
}

/* Names of the programs on a group, direct and by links. */
static char *
testProgramsOn(int groupFd)
{
    GString *names = g_string_new(NULL);
    virBPFProgs progs;

    g_assert_true(virBPFQueryDeviceProgs(groupFd, false, &progs));
    for (uint32_t i = 0; i < progs.count; i++) {
        VIR_AUTOCLOSE fd = virBPFOpenProgById(progs.ids[i]);
        struct bpf_prog_info info;

        g_assert_true(virBPFGetProgInfo(fd, &info, NULL, 0));
        g_string_append_printf(names, "%s%s", names->len ? " " : "", info.name);
    }
    return g_string_free(names, FALSE);
}

static void
testAdoptedGateIsOursAndTheRulesAreTheDefinitions(void)
{
    static const char *const theirs[] = {"c 200:0 rw", "c 201:* rw", "b 203:3 r", NULL};
    static const char *const wanted[] = {"c 200:0 rw", "b 203:3 rw", NULL};
    g_autoptr(testGuest) guest = testGuestOfLibvirt("7-ours", theirs, wanted);
    g_autoptr(GError) error = NULL;
    g_autofree char *names = NULL;
    g_autofree char *above = NULL;
    VIR_AUTOCLOSE parentFd = -1;
    virGateFound found = VIR_GATE_FOUND_NONE;

    testGuestStart(guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 201, 5), ==, 0);
    testAssertNoError(virGateDetect(guest->gate, &found, &error), error);
    g_assert_cmpint(found, ==, VIR_GATE_FOUND_LIBVIRT);
    testAssertNoError(virGateMake(guest->gate, &error), error);
    names = testProgramsOn(virCgroupCloneFd(guest->group));
    g_assert_cmpstr(names, ==, "vw_gate vw_lock");
    parentFd = openat(virCgroupCloneFd(guest->group), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    above = testProgramsOn(parentFd);
    g_assert_cmpstr(above, ==, "");
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 201, 5), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, true, 203, 3), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ | ASK_WRITE, false, 200, 0), ==, 0);
    testAssertGuests(1);
}

static virGateMaps
testMaps(const testGuest *guest)
{
    const virCgroupV2Devices *v2 = &guest->gate->v2;

    return (virGateMaps){v2->rulesFd, v2->nodesFd, v2->nodes.buckets, v2->headerFd, -1};
}

/* The group of another guest beside it is not touched by the cover. */
static void
testAdoptionLeavesNeighboursAlone(void)
{
    static const char *const theirs[] = {"c 200:0 rw", NULL};
    static const char *const others[] = {"c 201:1 rw", NULL};
    g_autoptr(testGuest) guest = testGuestOfLibvirt("8-adopted", theirs, theirs);
    VIR_AUTOCLOSE parentFd =
        openat(virCgroupCloneFd(guest->group), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(testGuest) beside = testGuestNew("9-beside", &testSettings, others);
    g_autoptr(GError) error = NULL;
    virGateMaps maps;
    virGateProgram program;
    VIR_AUTOCLOSE coverFd = -1;
    uint64_t id = 0;

    /* The cover alone, where it reaches both: on the instance's group. */
    testAssertNoError(virGateMake(guest->gate, &error), error);
    g_assert_true(virCgroupV2DevicesGroupId(virCgroupCloneFd(guest->group), &id, &error));
    maps = testMaps(guest);
    virGateProgramBuildCover(&program, &maps, id);
    coverFd = virBPFLoadDeviceProg(program.insns, program.count, "cover", NULL, 0);
    g_assert_cmpint(coverFd, >=, 0);
    virCloseFd(&parentFd);
    parentFd = open(testInstance->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(virBPFAttachDeviceProg(parentFd, coverFd, -1, 0));
    testGuestStart(guest);
    testGuestStart(beside);
    g_assert_cmpint(testGuestAsk(beside, ASK_READ, false, 201, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(beside, ASK_READ, false, 200, 0), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 0), ==, 0);
    /* And it does deny for its own. */
    g_assert_true(virBPFDetachDeviceProg(virCgroupCloneFd(guest->group), guest->gate->v2.progFd));
    virCloseFd(&guest->gate->v2.linkFd);
    testAssertNoError(virGateStoreForget(testStore, guest->uuid, &error), error);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 201, 1), ==, EPERM);
    g_assert_true(virBPFDetachDeviceProg(parentFd, coverFd));
}

/* A daemon that was killed when theirs was off and ours not on yet: only the cover is there. */
static void
testInterruptedAdoptionIsFinished(void)
{
    static const char *const theirs[] = {"c 200:0 rw", NULL};
    g_autoptr(testGuest) guest = testGuestOfLibvirt("10-half", theirs, theirs);
    g_autoptr(testGuest) twin = testGuestNew("11-twin", &testSettings, theirs);
    VIR_AUTOCLOSE parentFd =
        openat(virCgroupCloneFd(guest->group), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    VIR_AUTOCLOSE coverFd = -1;
    VIR_AUTOCLOSE theirsFd = -1;
    char name[BPF_OBJ_NAME_LEN];
    g_autoptr(GError) error = NULL;
    g_autofree char *above = NULL;
    virGateMaps maps;
    virGateProgram program;
    virBPFProgs progs;
    uint64_t id = 0;

    g_assert_true(virCgroupV2DevicesGroupId(virCgroupCloneFd(guest->group), &id, &error));
    maps = testMaps(twin);
    virGateProgramBuildCover(&program, &maps, id);
    virGateCoverName(id, name);
    coverFd = virBPFLoadDeviceProg(program.insns, program.count, name, NULL, 0);
    g_assert_true(virBPFAttachDeviceProg(parentFd, coverFd, -1, 0));
    g_assert_true(virBPFQueryDeviceProgs(virCgroupCloneFd(guest->group), false, &progs));
    theirsFd = virBPFOpenProgById(progs.ids[0]);
    g_assert_true(virBPFDetachDeviceProg(virCgroupCloneFd(guest->group), theirsFd));
    testGuestStart(guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, DENIED), ==, EPERM);
    testAssertNoError(virGateMake(guest->gate, &error), error);
    above = testProgramsOn(parentFd);
    g_assert_cmpstr(above, ==, "");
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, DENIED), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, ALLOWED), ==, 0);
}

static void
testAddAll(void)
{
    g_test_add_func("/gate-swap/an open moment is seen", testAnOpenMomentIsSeen);
    if (g_getenv("GATE_HASH"))
        g_test_add_func("/gate-swap/a hash shows the access of another rule",
                        testAHashShowsTheAccessOfAnotherRule);
    g_test_add_func("/gate-swap/updates show no wrong verdict", testUpdatesShowNoWrongVerdict);
    g_test_add_func("/gate-swap/changes of rules show no wrong verdict",
                    testChangesOfRulesShowNoWrongVerdict);
    g_test_add_func("/gate-swap/growths show no wrong verdict", testGrowthsShowNoWrongVerdict);
    g_test_add_func("/gate-swap/swaps show no wrong verdict", testSwapsShowNoWrongVerdict);
    g_test_add_func("/gate-swap/updates of wide rules show no wrong verdict",
                    testUpdatesOfWideRulesShowNoWrongVerdict);
    g_test_add_func("/gate-swap/conversions of the first ABI show no wrong verdict",
                    testConversionsShowNoWrongVerdict);
    g_test_add_func("/gate-swap/adoptions show no wrong verdict", testAdoptionsShowNoWrongVerdict);
    g_test_add_func("/gate-swap/an adopted gate is ours and its rules the definition's",
                    testAdoptedGateIsOursAndTheRulesAreTheDefinitions);
    g_test_add_func("/gate-swap/an adoption leaves neighbours alone",
                    testAdoptionLeavesNeighboursAlone);
    g_test_add_func("/gate-swap/an interrupted adoption is finished",
                    testInterruptedAdoptionIsFinished);
}

int
main(int argc, char **argv)
{
    return testGateRun(argc, argv, testAddAll);
}
