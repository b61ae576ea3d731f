/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatenodes_test.c: the table of nodes, in plain memory. */
#include "util/cgroup/virgatenodes.h"

#include <glib.h>
#include <string.h>

static virGateNodes
testTable(unsigned buckets)
{
    return (virGateNodes){g_new0(uint64_t, (size_t)buckets * VIR_GATE_BUCKET_SLOTS), buckets};
}

static virDeviceRule
testRule(const char *text)
{
    virDeviceRule rule;

    g_assert_true(virDeviceRuleParse(text, &rule, NULL));
    return rule;
}

/* How many rules the table holds. */
static size_t
testCount(const virGateNodes *nodes)
{
    size_t count = 0;

    for (size_t i = 0; i < (size_t)nodes->buckets * VIR_GATE_BUCKET_SLOTS; i++) {
        virDeviceRule rule;
        bool used;

        count += virGateNodesAt(nodes, i, &rule, &used);
    }
    return count;
}

static void
testARuleIsReadAsItWasSet(void)
{
    static const char *const texts[] = {"c 1:3 rw",  "b 1:3 r",    "c 0:0 m",
                                        "b 0:0 rwm", "c 10:232 w", "b 4095:1048575 rm"};
    virGateNodes nodes = testTable(VIR_GATE_BUCKETS_MIN);
    unsigned seen = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        virDeviceRule rule = testRule(texts[i]);

        g_assert_true(virGateNodesSet(&nodes, &rule, i % 2 ? VIR_GATE_NODE_USED : 0));
    }
    for (size_t i = 0; i < (size_t)nodes.buckets * VIR_GATE_BUCKET_SLOTS; i++) {
        virDeviceRule rule;
        bool used;

        if (!virGateNodesAt(&nodes, i, &rule, &used))
            continue;
        for (size_t k = 0; k < G_N_ELEMENTS(texts); k++) {
            virDeviceRule wanted = testRule(texts[k]);

            if (virDeviceRuleCompare(&rule, &wanted) != 0)
                continue;
            g_assert_cmpuint(rule.access, ==, wanted.access);
            g_assert_cmpint(used, ==, k % 2);
            seen |= 1u << k;
        }
    }
    g_assert_cmphex(seen, ==, 0x3f);
    g_free(nodes.slots);
}

static void
testAChangeStaysInItsPlace(void)
{
    virGateNodes nodes = testTable(VIR_GATE_BUCKETS_MIN);
    virDeviceRule rule = testRule("c 200:1 rw");
    virDeviceRule other = testRule("b 200:1 rw");
    uint64_t slot = 0;

    g_assert_false(virGateNodesGet(&nodes, &rule, &slot));
    g_assert_true(virGateNodesSet(&nodes, &rule, 0));
    rule.access = VIR_DEVICE_MKNOD;
    g_assert_true(virGateNodesSet(&nodes, &rule, VIR_GATE_NODE_USED));
    g_assert_cmpuint(testCount(&nodes), ==, 1);
    g_assert_true(virGateNodesGet(&nodes, &rule, &slot));
    g_assert_cmpuint(slot & VIR_DEVICE_RWM, ==, VIR_DEVICE_MKNOD);
    g_assert_cmpuint(slot & VIR_GATE_NODE_USED, ==, VIR_GATE_NODE_USED);
    g_assert_false(virGateNodesGet(&nodes, &other, &slot));
    rule.access = 0;
    g_assert_true(virGateNodesSet(&nodes, &rule, 0));
    g_assert_false(virGateNodesGet(&nodes, &rule, &slot));
    g_assert_false(virGateNodesSet(&nodes, &rule, 0)); /* gone already */
    g_free(nodes.slots);
}

static void
testWildcardsAndFullBucketsAreNotTaken(void)
{
    virGateNodes nodes = testTable(VIR_GATE_BUCKETS_MIN);
    const size_t slots = (size_t)VIR_GATE_BUCKETS_MIN * VIR_GATE_BUCKET_SLOTS;
    virDeviceRule wide[] = {testRule("c 136:* rw"), testRule("b *:3 r"), testRule("c *:* rwm")};
    virGateNodes none = {NULL, 0};
    virDeviceRule one = testRule("c 1:3 rw");
    size_t taken = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(wide); i++)
        g_assert_false(virGateNodesSet(&nodes, &wide[i], 0));
    g_assert_false(virGateNodesSet(&none, &one, 0));
    for (int i = 0; i < 100000 && taken < slots; i++) {
        virDeviceRule rule = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 200, i};
        uint64_t slot;

        if (virGateNodesSet(&nodes, &rule, 0))
            taken++;
        else
            g_assert_false(virGateNodesGet(&nodes, &rule, &slot));
    }
    g_assert_cmpuint(taken, ==, slots);
    g_assert_cmpuint(testCount(&nodes), ==, slots);
    /* What is in is still there and changed, what is not stays out. */
    one = testRule("c 201:0 rw");
    g_assert_false(virGateNodesSet(&nodes, &one, 0));
    one = testRule("c 200:0 m");
    g_assert_true(virGateNodesSet(&nodes, &one, 0));
    g_free(nodes.slots);
}

/* Numbers as hosts have them, and as the bench has: next to nothing is left for the trie. */
static void
testRulesAreSpread(void)
{
    static const unsigned counts[] = {1000, 10000, 100000};
    static const int majors[] = {1, 8, 240, 3700};

    for (size_t i = 0; i < G_N_ELEMENTS(counts) * G_N_ELEMENTS(majors); i++) {
        unsigned count = counts[i % G_N_ELEMENTS(counts)];
        int spread = majors[i / G_N_ELEMENTS(counts)];
        virGateNodes nodes = testTable(virGateNodesBuckets(count));
        unsigned taken = 0;

        for (unsigned k = 0; k < count; k++) {
            virDeviceRule rule = {VIR_DEVICE_BLOCK, VIR_DEVICE_RW, 300 + (int)k % spread,
                                  (int)k / spread};

            taken += virGateNodesSet(&nodes, &rule, 0);
        }
        g_test_message("%u rules over %d majors: %u in %u buckets", count, spread, taken,
                       nodes.buckets);
        g_assert_cmpuint(count - taken, <=, count / 100);
        g_free(nodes.slots);
    }
}

/* The program marks a slot that is emptied at that moment. */
static void
testAMarkInAFreeSlotIsNoRule(void)
{
    virGateNodes nodes = testTable(VIR_GATE_BUCKETS_MIN);
    virDeviceRule rule = testRule("c 200:1 rw");
    uint64_t slot = 0;

    for (size_t i = 0; i < (size_t)nodes.buckets * VIR_GATE_BUCKET_SLOTS; i++)
        ((uint8_t *)&nodes.slots[i])[VIR_GATE_NODE_USED_BYTE] = 1;
    g_assert_cmphex(nodes.slots[0], ==, VIR_GATE_NODE_USED);
    g_assert_cmpuint(testCount(&nodes), ==, 0);
    g_assert_true(virGateNodesSet(&nodes, &rule, 0));
    g_assert_true(virGateNodesGet(&nodes, &rule, &slot));
    g_assert_cmpuint(slot & VIR_GATE_NODE_USED, ==, 0);
    g_free(nodes.slots);
}

static void
testSizesArePowersOfTwo(void)
{
    g_assert_cmpuint(virGateNodesBuckets(0), ==, VIR_GATE_BUCKETS_MIN);
    g_assert_cmpuint(virGateNodesBuckets(512), ==, 512);
    g_assert_cmpuint(virGateNodesBuckets(513), ==, 1024);
    g_assert_cmpuint(virGateNodesBuckets(SIZE_MAX), ==, VIR_GATE_BUCKETS_MAX);
    g_assert_cmpuint(virGateNodesShift(512), ==, 55);
    g_assert_true(virGateNodesIsSize(512));
    g_assert_false(virGateNodesIsSize(0));
    g_assert_false(virGateNodesIsSize(256));
    g_assert_false(virGateNodesIsSize(768));
    g_assert_false(virGateNodesIsSize(VIR_GATE_BUCKETS_MAX * 2));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gate-nodes/a rule is read as it was set", testARuleIsReadAsItWasSet);
    g_test_add_func("/gate-nodes/a change stays in its place", testAChangeStaysInItsPlace);
    g_test_add_func("/gate-nodes/wildcards and full buckets are not taken",
                    testWildcardsAndFullBucketsAreNotTaken);
    g_test_add_func("/gate-nodes/rules are spread", testRulesAreSpread);
    g_test_add_func("/gate-nodes/a mark in a free slot is no rule", testAMarkInAFreeSlotIsNoRule);
    g_test_add_func("/gate-nodes/sizes are powers of two", testSizesArePowersOfTwo);
    return g_test_run();
}
