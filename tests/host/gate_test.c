/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_test.c: the device gate on a real kernel: verdicts, restarts, swaps, what is left behind.
 *
 * GATE_VERDICTS, GATE_CYCLES and GATE_FLOOD in the environment set the counts (20,000 and 1,000 by
 * hand; small ones where the machine is emulated). Everything is made in a group and a mount
 * namespace of its own and removed. What happens while rules and programs are exchanged:
 * gate_swap_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/gate_fixture.h"
#include "util/cgroup/virbpf.h"
#include "util/cgroup/virgatedenials.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virutil.h"

static const char *const someRules[] = {"c 1:3 rw", "c 1:5 r", "c 200:1 rw", "b 201:* r", NULL};

/* --- verdicts --- */

static void
testOnlyListedNodesAreAllowed(void)
{
    g_autoptr(testGuest) guest = testGuestNew("1-listed", &testSettings, someRules);

    testGuestStart(guest);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ | ASK_WRITE, "/dev/null"), ==, 0);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/zero"), ==, 0);
    g_assert_cmpint(testGuestAskPath(guest, ASK_WRITE, "/dev/zero"), ==, EPERM);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ | ASK_WRITE, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_EXIST, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_EXIST, false, 200, 2), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 201, 7), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 201, 7), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_MKNOD, false, 200, 1), ==, EPERM);
}

/* What the kernel ought to say, from the rules alone. */
static bool
testModelAllows(const GArray *rules, int ask, bool block, int major, int minor)
{
    unsigned wanted = ask == ASK_MKNOD ? VIR_DEVICE_MKNOD
                                       : (ask & ASK_READ ? VIR_DEVICE_READ : 0) |
                                             (ask & ASK_WRITE ? VIR_DEVICE_WRITE : 0);
    unsigned granted = 0;
    bool hit = false;

    for (guint i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);

        if (!(rule->type & (block ? VIR_DEVICE_BLOCK : VIR_DEVICE_CHAR)) ||
            (rule->major != VIR_DEVICE_ANY && rule->major != major) ||
            (rule->minor != VIR_DEVICE_ANY && rule->minor != minor))
            continue;
        hit = true;
        granted |= rule->access;
    }
    return hit && (wanted & ~granted) == 0;
}

static virDeviceRules *
testRandomRules(GRand *random)
{
    virDeviceRules *rules = virDeviceRulesNew();
    int count = g_rand_int_range(random, 0, 12);

    for (int i = 0; i < count; i++) {
        virDeviceRule rule = {
            .type = (virDeviceType)g_rand_int_range(random, 1, 4),
            .access = (unsigned)g_rand_int_range(random, 1, 8),
            .major = g_rand_int_range(random, 0, 4) ? g_rand_int_range(random, 200, 206)
                                                    : VIR_DEVICE_ANY,
            .minor =
                g_rand_int_range(random, 0, 4) ? g_rand_int_range(random, 0, 8) : VIR_DEVICE_ANY,
        };

        /* Everything allowed tests nothing: seldom. */
        if (rule.major == VIR_DEVICE_ANY && rule.minor == VIR_DEVICE_ANY &&
            g_rand_int_range(random, 0, 4))
            continue;
        virDeviceRulesAllow(rules, "random", &rule);
    }
    return rules;
}

/* Asks every node in every way; the number of verdicts. */
static unsigned
testCompareVerdicts(testGuest *guest, const GArray *rules)
{
    static const int asks[] = {ASK_READ, ASK_WRITE, ASK_READ | ASK_WRITE, ASK_EXIST, ASK_MKNOD};
    unsigned count = 0;

    for (int node = 0; node < 6 * 8 * 2; node++) {
        int major = 200 + node / 16;
        int minor = node / 2 % 8;
        bool block = node % 2;

        for (size_t i = 0; i < G_N_ELEMENTS(asks); i++, count++)
            g_assert_cmpint(testGuestAsk(guest, asks[i], block, major, minor), ==,
                            testModelAllows(rules, asks[i], block, major, minor) ? 0 : EPERM);
    }
    return count;
}

static void
testVerdictsEqualTheModel(void)
{
    const unsigned wanted = testCountWanted("GATE_VERDICTS", 2000);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    static const char *const none[] = {NULL};
    g_autoptr(testGuest) guest = testGuestNew("2-model", &testSettings, none);
    unsigned verdicts = 0;
    unsigned sets = 0;

    testGuestStart(guest);
    for (; verdicts < wanted; sets++) {
        g_autoptr(virDeviceRules) rules = testRandomRules(random);
        g_autoptr(GArray) all = virDeviceRulesUnion(rules);
        g_autoptr(GArray) held = NULL;
        g_autoptr(GArray) changes = NULL;
        GError *error = NULL;

        testAssertNoError(virGateApply(guest->gate, rules, &error), error);
        verdicts += testCompareVerdicts(guest, all);
        held = virGateReadBack(guest->gate, &error);
        g_assert_no_error(error);
        changes = virDeviceRulesChanges(all, held);
        g_assert_cmpuint(changes->len, ==, 0);
    }
    g_test_message("%u verdicts over %u rule sets, none wrong", verdicts, sets);
}

/* --- restarts --- */

/* Detects and repairs as a restarted daemon; what was found. */
static virGateFound
testGuestRestart(testGuest *guest, const char *name, const char *const *texts, bool *retReattached)
{
    g_autoptr(virDeviceRules) rules = testRules(VIR_DEVICE_OWNER_POLICY, texts);
    g_autoptr(virGateStore) store = testStoreAgain();
    virGateFound found = VIR_GATE_FOUND_NONE;
    GError *error = NULL;

    testGuestForget(guest);
    guest->group = virCgroupOpen(testInstance, name, &error);
    g_assert_no_error(error);
    guest->gate = virGateNew(guest->group, store, guest->uuid, rules, &testSettings);
    testAssertNoError(virGateDetect(guest->gate, &found, &error), error);
    if (found == VIR_GATE_FOUND_PINS || found == VIR_GATE_FOUND_IDS) {
        testAssertNoError(virGateReconcile(guest->gate, &error), error);
        testAssertNoError(virGateRepair(guest->gate, retReattached, &error), error);
    } else if (found == VIR_GATE_FOUND_NONE) {
        testAssertNoError(virGateMake(guest->gate, &error), error);
    }
    return found;
}

static void
testRestartFindsThePins(void)
{
    static const char *const changed[] = {"c 1:3 rw", "c 200:1 r", "c 200:2 rw", NULL};
    g_autoptr(testGuest) guest = testGuestNew("3-restart", &testSettings, someRules);
    g_autoptr(virDeviceRules) more = NULL;
    g_autoptr(GError) error = NULL;
    bool reattached = false;

    testGuestStart(guest);
    g_assert_cmpint(testGuestRestart(guest, "3-restart", changed, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
    testAssertGuests(1);
    /* Only the difference was applied, and hot-plug works on. */
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, false, 200, 1), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, false, 200, 2), ==, 0);
    more = testRules("hostdev0", (const char *const[]){"b 203:3 rw", NULL});
    testAssertNoError(virGateApply(guest->gate, more, &error), error);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 203, 3), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, false, 200, 2), ==, EPERM);
}

static void
testRestartWithoutPinsAsksTheKernel(void)
{
    g_autoptr(testGuest) guest = testGuestNew("4-ids", &testSettings, someRules);
    g_autoptr(GError) error = NULL;
    bool reattached = false;

    testGuestStart(guest);
    testAssertNoError(
        virGatePinsRemove(testStore->pinsFd, guest->uuid, VIR_GATE_PINS_CURRENT, &error), error);
    g_assert_cmpint(testGuestRestart(guest, "4-ids", someRules, &reattached), ==,
                    VIR_GATE_FOUND_IDS);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/null"), ==, 0);
    /* Repaired: the next restart finds pins. */
    g_assert_cmpint(testGuestRestart(guest, "4-ids", someRules, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
}

/* Until the child's answer for reading path is this, at most some seconds. */
static void
testAwaitAnswer(testGuest *guest, const char *path, int wanted)
{
    gint64 deadline_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (testGuestAskPath(guest, ASK_READ, path) != wanted &&
           g_get_monotonic_time() < deadline_us)
        g_usleep(1000);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, path), ==, wanted);
}

static void
testRemovedGateIsPutBack(void)
{
    g_autoptr(testGuest) guest = testGuestNew("5-removed", &testSettings, someRules);
    g_autoptr(GError) error = NULL;
    bool reattached = false;

    testGuestStart(guest);
    /* Somebody detaches the program and removes the pins: the guest is open. */
    g_assert_true(virBPFDetachDeviceProg(virCgroupCloneFd(guest->group), guest->gate->v2.progFd));
    testAssertNoError(
        virGatePinsRemove(testStore->pinsFd, guest->uuid, VIR_GATE_PINS_CURRENT, &error), error);
    virCloseFd(&guest->gate->v2.linkFd);
    testAwaitAnswer(guest, "/dev/full", 0); /* the link goes when the kernel gets round to it */
    g_assert_cmpint(testGuestRestart(guest, "5-removed", someRules, &reattached), ==,
                    VIR_GATE_FOUND_NONE);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
}

/* As a daemon that has dropped everything: what a child without any capability can do. */
static int
testWithoutCapabilities(testGuest *guest)
{
    static const char *const wanted[] = {"c 1:3 rw", "c 200:1 rw", NULL};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {0};
    g_autoptr(virDeviceRules) rules = testRules(VIR_DEVICE_OWNER_POLICY, wanted);
    g_autoptr(virDeviceRules) plugged =
        testRules("hostdev0", (const char *const[]){"b 203:3 rw", NULL});
    g_autoptr(virGateStore) store = NULL;
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virGate) gate = NULL;
    virGateFound found;
    bool reattached = false;

    if (syscall(SYS_capset, &header, none) < 0)
        return 1;
    store = testStoreAgain();
    group = virCgroupOpen(testInstance, "17-powerless", NULL);
    if (!group)
        return 2;
    gate = virGateNew(group, store, guest->uuid, rules, &testSettings);
    if (!virGateDetect(gate, &found, NULL) || found != VIR_GATE_FOUND_PINS)
        return 3;
    if (!virGateReconcile(gate, NULL) || !virGateRepair(gate, &reattached, NULL) || reattached)
        return 4;
    return virGateApply(gate, plugged, NULL) ? 0 : 5;
}

/* func ends well in a process of its own, whose capabilities are its to lose. */
static void
testInChild(int (*func)(testGuest *guest), testGuest *guest)
{
    int status = 0;
    pid_t pid = fork(); /* one thread here: the child may do all */

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        _exit(func(guest));
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
}

static void
testRestartNeedsNoCapability(void)
{
    g_autoptr(testGuest) guest = testGuestNew("17-powerless", &testSettings, someRules);

    testGuestStart(guest);
    testInChild(testWithoutCapabilities, guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, true, 203, 3), ==, 0);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/null"), ==, EPERM);
}

/* --- gates of the first ABI --- */

static void
testAssertConverted(testGuest *guest)
{
    unsigned access = 0;
    const virDeviceRule node = {VIR_DEVICE_CHAR, 0, 200, 1};
    uint64_t slot = 0;

    g_assert_cmpuint(guest->gate->v2.header->abi, ==, VIR_GATE_ABI);
    g_assert_cmpuint(guest->gate->v2.header->program, ==, VIR_GATE_PROGRAM_VERSION);
    g_assert_true(virGateNodesGet(&guest->gate->v2.nodes, &node, &slot));
    g_assert_true(virGateGetAccess(guest->gate, &node, &access, NULL));
    g_assert_cmpuint(access, ==, VIR_DEVICE_RW);
    testAssertGuests(1);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ | ASK_WRITE, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 201, 7), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 201, 7), ==, EPERM);
}

static void
testGateOfTheFirstAbiIsConverted(void)
{
    g_autoptr(testGuest) guest = testGuestNewOfFirstAbi("19-first", someRules);
    bool reattached = true;

    testGuestStart(guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 1), ==, 0);
    g_assert_cmpint(testGuestRestart(guest, "19-first", someRules, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
    g_assert_false(reattached);
    testAssertConverted(guest);
    /* That its node was used is known from before; once more there is nothing to convert. */
    g_assert_true(
        virGateRuleWasUsed(guest->gate, &(virDeviceRule){VIR_DEVICE_CHAR, VIR_DEVICE_RW, 200, 1}));
    g_assert_cmpint(testGuestRestart(guest, "19-first", someRules, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
    testAssertConverted(guest);
    /* Killed between the exchange and the header: the number is still the old one. */
    guest->gate->v2.header->abi = VIR_GATE_ABI_TRIE;
    guest->gate->v2.header->program = 1;
    g_assert_cmpint(testGuestRestart(guest, "19-first", someRules, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
    testAssertConverted(guest);
}

static void
testGateOfTheFirstAbiIsFoundByTheKernel(void)
{
    g_autoptr(testGuest) guest = testGuestNewOfFirstAbi("20-first", someRules);
    g_autoptr(GError) error = NULL;
    bool reattached = true;

    testGuestStart(guest);
    testAssertNoError(
        virGatePinsRemove(testStore->pinsFd, guest->uuid, VIR_GATE_PINS_CURRENT, &error), error);
    g_assert_cmpint(testGuestRestart(guest, "20-first", someRules, &reattached), ==,
                    VIR_GATE_FOUND_IDS);
    testAssertConverted(guest);
}

/* It can't be converted without a right, but its rules can be changed where they are. */
static int
testFirstAbiWithoutCapabilities(testGuest *guest)
{
    static const char *const wanted[] = {"c 1:3 rw", "c 200:1 rw", "b 203:3 rw", NULL};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {0};
    g_autoptr(virDeviceRules) rules = testRules(VIR_DEVICE_OWNER_POLICY, wanted);
    g_autoptr(virGateStore) store = NULL;
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(virGate) gate = NULL;
    virGateFound found;
    bool reattached = false;

    if (syscall(SYS_capset, &header, none) < 0)
        return 1;
    store = testStoreAgain();
    group = virCgroupOpen(testInstance, "21-first", NULL);
    gate = group ? virGateNew(group, store, guest->uuid, rules, &testSettings) : NULL;
    if (!gate || !virGateDetect(gate, &found, NULL) || found != VIR_GATE_FOUND_PINS)
        return 2;
    if (virGateRepair(gate, &reattached, NULL))
        return 3; /* it did what nobody may do */
    return virGateReconcile(gate, NULL) ? 0 : 4;
}

static void
testGateOfTheFirstAbiIsChangedWithoutCapability(void)
{
    static const char *const changed[] = {"c 1:3 rw", "c 200:1 rw", "b 201:* r", NULL};
    g_autoptr(testGuest) guest = testGuestNewOfFirstAbi("21-first", someRules);
    bool reattached = true;

    testGuestStart(guest);
    testInChild(testFirstAbiWithoutCapabilities, guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, true, 203, 3), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 201, 7), ==, EPERM);
    /* With the right again it is converted. */
    g_assert_cmpint(testGuestRestart(guest, "21-first", changed, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
    testAssertConverted(guest);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, true, 203, 3), ==, EPERM);
}

static void
testLinkHoldsWhenTheProgramIsTakenOff(void)
{
    g_autoptr(testGuest) guest = testGuestNew("6-link", &testSettings, someRules);
    virBPFProgs progs;
    bool reattached = false;

    testGuestStart(guest);
    g_assert_true(virBPFDetachDeviceProg(virCgroupCloneFd(guest->group), guest->gate->v2.progFd));
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
    /* The restart notices and attaches it again. */
    g_assert_cmpint(testGuestRestart(guest, "6-link", someRules, &reattached), ==,
                    VIR_GATE_FOUND_PINS);
    g_assert_true(reattached);
    g_assert_true(virBPFQueryDeviceProgs(virCgroupCloneFd(guest->group), false, &progs));
    g_assert_cmpuint(progs.count, ==, 2);
}

static void
testForeignProgramIsNotTakenForOurs(void)
{
    static const struct bpf_insn allow[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    VIR_AUTOCLOSE foreign = virBPFLoadDeviceProg(allow, 2, "foreign", NULL, 0);
    virCgroup *group = virCgroupNew(testInstance, "7-foreign");
    g_autoptr(virDeviceRules) rules = testRules("policy", someRules);
    g_autoptr(testGuest) guest = g_new0(testGuest, 1);
    g_autoptr(GError) error = NULL;
    bool reattached = false;

    /* The foreign one is the first of the list, as systemd's on a scope. */
    testAssertNoError(virCgroupMake(group, &error), error);
    g_assert_cmpint(foreign, >=, 0);
    g_assert_true(virBPFAttachDeviceProg(virCgroupCloneFd(group), foreign, -1, 0));
    guest->pidfd = guest->pipe[0] = guest->pipe[1] = -1;
    testGuestName(guest);
    guest->group = group;
    guest->gate = virGateNew(group, testStore, guest->uuid, rules, &testSettings);
    testAssertNoError(virGateMake(guest->gate, &error), error);
    testGuestStart(guest);
    testAssertNoError(
        virGatePinsRemove(testStore->pinsFd, guest->uuid, VIR_GATE_PINS_CURRENT, &error), error);
    g_assert_cmpint(testGuestRestart(guest, "7-foreign", someRules, &reattached), ==,
                    VIR_GATE_FOUND_IDS);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/null"), ==, 0);
}

/* --- a full map --- */

static void
testFullGateIsDoubledAndFoundAgain(void)
{
    const virGateSettings small = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, 4};
    const char *many[65] = {NULL};
    static const char *const one[] = {"c 200:0 rw", NULL};
    g_autoptr(testGuest) guest = testGuestNew("9-full", &small, one);
    g_autoptr(virDeviceRules) rules = NULL;
    g_autoptr(GError) error = NULL;
    bool reattached = false;
    for (int i = 0; i < 64; i++)
        many[i] = g_strdup_printf("c 205:%d rw", i);
    rules = testRules("many", many);
    testGuestStart(guest);
    testAssertNoError(virGateApply(guest->gate, rules, &error), error);
    g_assert_cmpuint(guest->gate->v2.capacity, >=, 64);
    testAssertGuests(1);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 205, 7), ==, 0);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 0), ==, EPERM);
    g_assert_cmpint(testGuestRestart(guest, "9-full", many, &reattached), ==, VIR_GATE_FOUND_PINS);
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 205, 7), ==, 0);
    for (int i = 0; i < 64; i++)
        g_free((char *)many[i]);
}

/* More nodes than the table was made for: those whose bucket is full lie in the trie. Each must be
 * found where it is, also when others come and go. */
static void
testNodesBeyondTheTableAreRulesLikeOthers(void)
{
    enum { NODES = 3 * VIR_GATE_BUCKETS_MIN * VIR_GATE_BUCKET_SLOTS / 2, ASKED = 500 };
    static const char *const none[] = {NULL};
    g_autoptr(testGuest) guest = testGuestNew("18-crowd", &testSettings, none);
    virCgroupV2Devices *v2 = &guest->gate->v2;
    g_autoptr(GError) error = NULL;

    testGuestStart(guest);
    for (int round = 0; round < 3; round++) {
        g_autoptr(GArray) held = NULL;
        g_autoptr(GArray) left = NULL;
        guint expected = 0;

        /* a third goes, in another order than it came */
        for (int i = 0; i < NODES; i++) {
            int minor = i * 7919 % NODES;
            virDeviceRule rule = {VIR_DEVICE_CHAR, (minor + round) % 3 ? VIR_DEVICE_MKNOD : 0, 205,
                                  minor};

            g_assert_true(virCgroupV2DevicesSetRule(v2, &rule));
            expected += rule.access != 0;
        }
        held = virCgroupV2DevicesReadRules(v2, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(held->len, ==, expected);
        g_assert_cmpint(v2->count, ==, expected);
        for (int i = 0; i < ASKED; i++) {
            int minor = i * (NODES / ASKED);

            g_assert_cmpint(testGuestAsk(guest, ASK_MKNOD, false, 205, minor), ==,
                            (minor + round) % 3 ? 0 : EPERM);
        }
        testAssertNoError(virGateReconcile(guest->gate, &error), error);
        left = virGateReadBack(guest->gate, &error);
        g_assert_cmpuint(left->len, ==, 0);
        g_assert_cmpint(testGuestAsk(guest, ASK_MKNOD, false, 205, 1), ==, EPERM);
    }
}

/* --- denials and modes --- */

static void
testKeepDenial(const virGateDenial *denial, void *opaque)
{
    g_array_append_val((GArray *)opaque, *denial);
}

static void
testDrain(virGateDenials *denials, GArray *seen)
{
    g_assert_true(virGateDenialsRead(denials));
    (void)virGateDenialsTake(denials, testKeepDenial, seen);
}

static void
testDenialsAreReportedOnce(void)
{
    g_autoptr(testGuest) guest = testGuestNew("10-denials", &testSettings, someRules);
    g_autoptr(GError) error = NULL;
    g_autoptr(virGateDenials) denials = virGateDenialsNew(&error);
    g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(virGateDenial));
    g_autofree char *text = NULL;
    virGateCounters counters;
    const virGateDenial *first;

    testAssertNoError(virGateDenialsAdd(denials, guest->gate, &error), error);
    testAssertNoError(virGateDenialsAdd(denials, guest->gate, &error), error);
    testDrain(denials, seen);
    g_array_set_size(seen, 0); /* what other cases left in the shared ring */
    testGuestStart(guest);
    for (int i = 0; i < 5; i++)
        g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 202, 3), ==, EPERM);
    g_assert_cmpint(testGuestAsk(guest, ASK_WRITE, true, 201, 3), ==, EPERM);
    testDrain(denials, seen);
    g_assert_cmpuint(seen->len, ==, 2);
    first = &g_array_index(seen, virGateDenial, 0);
    g_assert_cmpmem(first->uuid, 16, guest->uuid, 16);
    text = virDeviceRuleFormat(&first->rule);
    g_assert_cmpstr(text, ==, "b 202:3 r");
    g_assert_cmpuint(first->count, ==, 5);
    g_assert_cmpstr(first->thread, ==, "gate_test");
    g_assert_true(virGateGetCounters(guest->gate, &counters, &error));
    g_assert_cmpuint(counters.denied, ==, 6);
    g_assert_cmpuint(counters.dropped, ==, 0);
}

static void
testFloodIsCountedWhole(void)
{
    const unsigned flood = testCountWanted("GATE_FLOOD", 20000);
    g_autoptr(testGuest) guest = testGuestNew("11-flood", &testSettings, someRules);
    g_autoptr(GError) error = NULL;
    g_autoptr(virGateDenials) denials = virGateDenialsNew(&error);
    g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(virGateDenial));
    virGateCounters counters;
    uint64_t shown = 0;

    testAssertNoError(virGateDenialsAdd(denials, guest->gate, &error), error);
    testDrain(denials, seen);
    testDrain(denials, seen);
    g_array_set_size(seen, 0);
    testGuestStart(guest);
    for (unsigned i = 0; i < flood; i++)
        g_assert_cmpint(testGuestAsk(guest, ASK_READ, true, 202, 3), ==, EPERM);
    for (int i = 0; i < 3; i++)
        testDrain(denials, seen);
    for (guint i = 0; i < seen->len; i++)
        shown += g_array_index(seen, virGateDenial, i).count;
    g_assert_true(virGateGetCounters(guest->gate, &counters, &error));
    g_assert_cmpuint(counters.denied, ==, flood);
    g_assert_cmpuint(counters.dropped, >, 0);
    g_assert_cmpuint(shown + counters.dropped, ==, flood);
}

static void
testPermissiveModeReportsAndAllows(void)
{
    g_autoptr(testGuest) guest = testGuestNew("12-permissive", &testSettings, someRules);
    g_autoptr(GError) error = NULL;
    g_autoptr(virGateDenials) denials = virGateDenialsNew(&error);
    g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(virGateDenial));

    testAssertNoError(virGateDenialsAdd(denials, guest->gate, &error), error);
    testGuestStart(guest);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
    testAssertNoError(virGateSetMode(guest->gate, VIR_GATE_PERMISSIVE, &error), error);
    testDrain(denials, seen);
    testDrain(denials, seen);
    g_array_set_size(seen, 0);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, 0);
    testDrain(denials, seen);
    g_assert_cmpuint(seen->len, ==, 1);
    g_assert_true(g_array_index(seen, virGateDenial, 0).permissive);
    g_assert_cmpuint(g_array_index(seen, virGateDenial, 0).count, ==, 1);
    testAssertNoError(virGateSetMode(guest->gate, VIR_GATE_ENFORCE, &error), error);
    g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
}

static void
testUsedRulesAreKnown(void)
{
    g_autoptr(testGuest) guest = testGuestNew("13-used", &testSettings, someRules);
    virDeviceRule used = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 200, 1};
    virDeviceRule wide = {VIR_DEVICE_BLOCK, VIR_DEVICE_READ, 201, VIR_DEVICE_ANY};
    virDeviceRule null = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 1, 3};

    testGuestStart(guest);
    g_assert_false(virGateRuleWasUsed(guest->gate, &used));
    g_assert_false(virGateRuleWasUsed(guest->gate, &null)); /* the verification asked for it */
    g_assert_cmpint(testGuestAsk(guest, ASK_READ, false, 200, 1), ==, 0);
    g_assert_true(virGateRuleWasUsed(guest->gate, &used));
    g_assert_false(virGateRuleWasUsed(guest->gate, &wide));
}

/* --- what is left behind --- */

static void
testCyclesLeaveNothing(void)
{
    const unsigned cycles = testCountWanted("GATE_CYCLES", 50);
    for (unsigned i = 0; i < cycles; i++) {
        g_autoptr(testGuest) guest = testGuestNew("14-cycle", &testSettings, someRules);

        testGuestStart(guest);
        g_assert_cmpint(testGuestAskPath(guest, ASK_READ, "/dev/full"), ==, EPERM);
    }
    testAssertGuests(0);
}

static void
testSweepRemovesPinsOfUnknownGuests(void)
{
    g_autoptr(testGuest) known = testGuestNew("15-known", &testSettings, someRules);
    testGuest *lost = testGuestNew("16-lost", &testSettings, someRules);
    g_autoptr(GError) error = NULL;
    unsigned removed = 0;

    /* A daemon that was killed while it stopped the guest: the group is gone, the pins are not. */
    testAssertNoError(virCgroupRemove(lost->group, 20000, &error), error);
    testGuestForget(lost);
    g_free(lost);
    testAssertNoError(
        virGateStoreSweep(testStore, (const uint8_t(*)[16])known->uuid, 1, &removed, &error),
        error);
    g_assert_cmpuint(removed, ==, 1);
    testAssertGuests(1);
}

static void
testAddAll(void)
{
    g_test_add_func("/gate/only listed nodes are allowed", testOnlyListedNodesAreAllowed);
    g_test_add_func("/gate/verdicts equal the model", testVerdictsEqualTheModel);
    g_test_add_func("/gate/a restart finds the pins", testRestartFindsThePins);
    g_test_add_func("/gate/a restart without pins asks the kernel",
                    testRestartWithoutPinsAsksTheKernel);
    g_test_add_func("/gate/a removed gate is put back", testRemovedGateIsPutBack);
    g_test_add_func("/gate/a restart needs no capability", testRestartNeedsNoCapability);
    g_test_add_func("/gate/a gate of the first ABI is converted", testGateOfTheFirstAbiIsConverted);
    g_test_add_func("/gate/a gate of the first ABI is found by the kernel",
                    testGateOfTheFirstAbiIsFoundByTheKernel);
    g_test_add_func("/gate/a gate of the first ABI is changed without capability",
                    testGateOfTheFirstAbiIsChangedWithoutCapability);
    g_test_add_func("/gate/nodes beyond the table are rules like others",
                    testNodesBeyondTheTableAreRulesLikeOthers);
    g_test_add_func("/gate/the link holds when the program is taken off",
                    testLinkHoldsWhenTheProgramIsTakenOff);
    g_test_add_func("/gate/a foreign program is not taken for ours",
                    testForeignProgramIsNotTakenForOurs);
    g_test_add_func("/gate/a full gate is doubled and found again",
                    testFullGateIsDoubledAndFoundAgain);
    g_test_add_func("/gate/denials are reported once", testDenialsAreReportedOnce);
    g_test_add_func("/gate/a flood is counted whole", testFloodIsCountedWhole);
    g_test_add_func("/gate/permissive mode reports and allows", testPermissiveModeReportsAndAllows);
    g_test_add_func("/gate/used rules are known", testUsedRulesAreKnown);
    g_test_add_func("/gate/cycles leave nothing", testCyclesLeaveNothing);
    g_test_add_func("/gate/a sweep removes pins of unknown guests",
                    testSweepRemovesPinsOfUnknownGuests);
}

int
main(int argc, char **argv)
{
    return testGateRun(argc, argv, testAddAll);
}
