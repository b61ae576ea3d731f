/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdevicerule_test.c: text, owners and union of device rules. */
#include "util/cgroup/virdevicerule.h"

#include "util/virerror.h"

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
testAllow(virDeviceRules *rules, const char *owner, const char *text)
{
    virDeviceRule rule = testRule(text);

    virDeviceRulesAllow(rules, owner, &rule);
}

static void
testDeny(virDeviceRules *rules, const char *owner, const char *text)
{
    virDeviceRule rule = testRule(text);

    virDeviceRulesDeny(rules, owner, &rule);
}

static char *
testText(const GArray *rules)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < rules->len; i++) {
        g_autofree char *one = virDeviceRuleFormat(&g_array_index(rules, virDeviceRule, i));

        g_string_append_printf(text, "%s%s", i ? ", " : "", one);
    }
    return g_string_free(text, FALSE);
}

static void
testAssertUnion(const virDeviceRules *rules, const char *expected)
{
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    g_autofree char *text = testText(all);

    g_assert_cmpstr(text, ==, expected);
}

static void
testTextIsReadAndWrittenAlike(void)
{
    static const char *const texts[] = {"c 10:232 rwm", "b 8:* r", "a *:* rwm",
                                        "c *:200 w",    "c 0:0 m", "c 4095:1048575 rw"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        virDeviceRule rule = testRule(texts[i]);
        g_autofree char *text = virDeviceRuleFormat(&rule);

        g_assert_cmpstr(text, ==, texts[i]);
    }
}

static void
testBadTextIsRefused(void)
{
    static const char *const texts[] = {
        "",           "c",         "c 10",          "c 10:",      "c 10:1",
        "c 10:1 ",    "c 10:1 x",  "d 10:1 r",      "c 4096:1 r", "c -1:1 r",
        "c 10:1 rw ", "c  10:1 r", "c 1:1048576 r", "c +1:1 r",   "c 99999999999999999999:1 r"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        virDeviceRule rule;

        g_assert_false(virDeviceRuleParse(texts[i], &rule, &error));
        g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
    }
}

static void
testBlockAndCharOfOneNumberAreTwoRules(void)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();

    testAllow(rules, "policy", "c 7:0 rw");
    testAllow(rules, "policy", "b 7:0 r");
    testAssertUnion(rules, "b 7:0 r, c 7:0 rw");
}

static void
testReadAfterReadWriteTakesNothingAway(void)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();

    testAllow(rules, "disk0", "b 8:0 rw");
    testAllow(rules, "disk0", "b 8:0 r");
    testAssertUnion(rules, "b 8:0 rw");
}

static void
testNodeOfTwoOwnersSurvivesOneOfThem(void)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    virDeviceRule rule = testRule("c 10:196 r");
    g_autofree char *owners = NULL;

    testAllow(rules, "hostdev1", "c 10:196 rw");
    testAllow(rules, "hostdev0", "c 10:196 r");
    owners = virDeviceRulesOwners(rules, &rule);
    g_assert_cmpstr(owners, ==, "hostdev0,hostdev1");
    virDeviceRulesDropOwner(rules, "hostdev1");
    testAssertUnion(rules, "c 10:196 r");
    virDeviceRulesDropOwner(rules, "hostdev0");
    testAssertUnion(rules, "");
}

static void
testPartialDenyTakesOnlyWhatIsNamed(void)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();

    testAllow(rules, "policy", "c 1:3 rwm");
    testDeny(rules, "policy", "c 1:3 w");
    testAssertUnion(rules, "c 1:3 rm");
    testDeny(rules, "other", "c 1:3 r");
    testAssertUnion(rules, "c 1:3 rm");
    testDeny(rules, "policy", "c 1:3 rm");
    testAssertUnion(rules, "");
}

static void
testRuleForAllIsBothTypes(void)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();

    testAllow(rules, "policy", "a *:* rw");
    testDeny(rules, "policy", "b *:* w");
    testAssertUnion(rules, "b *:* r, c *:* rw");
}

static void
testChangesAreOnlyTheDifference(void)
{
    g_autoptr(virDeviceRules) before = virDeviceRulesNew();
    g_autoptr(virDeviceRules) after = NULL;
    g_autoptr(GArray) from = NULL;
    g_autoptr(GArray) to = NULL;
    g_autoptr(GArray) changes = NULL;
    g_autofree char *text = NULL;

    testAllow(before, "policy", "c 1:3 rw");
    testAllow(before, "policy", "c 1:5 rw");
    testAllow(before, "policy", "c 1:8 rw");
    after = virDeviceRulesCopy(before);
    testDeny(after, "policy", "c 1:3 rw");
    testDeny(after, "policy", "c 1:8 w");
    testAllow(after, "policy", "b 7:0 r");
    from = virDeviceRulesUnion(before);
    to = virDeviceRulesUnion(after);
    changes = virDeviceRulesChanges(from, to);
    text = testText(changes);
    g_assert_cmpstr(text, ==, "b 7:0 r, c 1:3 , c 1:8 r");
}

static void
testNodeIsResolvedThroughLinks(void)
{
    g_autoptr(GError) error = NULL;
    virDeviceRule rule = {0};
    g_autofree char *text = NULL;
    g_autofree char *path = NULL;

    g_assert_cmpint(
        virDeviceRuleFromNode("/proc/self/fd/../../../dev/null", VIR_DEVICE_RW, &rule, &error), ==,
        VIR_DEVICE_NODE_FOUND);
    text = virDeviceRuleFormat(&rule);
    g_assert_cmpstr(text, ==, "c 1:3 rw");
    path = virDeviceRuleNodePath(&rule);
    g_assert_cmpstr(path, ==, "/dev/null");
    g_assert_cmpint(virDeviceRuleFromNode("/nonexistent", VIR_DEVICE_RW, &rule, &error), ==,
                    VIR_DEVICE_NODE_MISSING);
    g_assert_cmpint(virDeviceRuleFromNode("/", VIR_DEVICE_RW, &rule, &error), ==,
                    VIR_DEVICE_NODE_OTHER);
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-rule/text is read and written alike", testTextIsReadAndWrittenAlike);
    g_test_add_func("/device-rule/bad text is refused", testBadTextIsRefused);
    g_test_add_func("/device-rule/block and char of one number are two rules",
                    testBlockAndCharOfOneNumberAreTwoRules);
    g_test_add_func("/device-rule/read after read-write takes nothing away",
                    testReadAfterReadWriteTakesNothingAway);
    g_test_add_func("/device-rule/a node of two owners survives one of them",
                    testNodeOfTwoOwnersSurvivesOneOfThem);
    g_test_add_func("/device-rule/a partial deny takes only what is named",
                    testPartialDenyTakesOnlyWhatIsNamed);
    g_test_add_func("/device-rule/a rule for all is both types", testRuleForAllIsBothTypes);
    g_test_add_func("/device-rule/changes are only the difference",
                    testChangesAreOnlyTheDifference);
    g_test_add_func("/device-rule/a node is resolved through links",
                    testNodeIsResolvedThroughLinks);
    return g_test_run();
}
