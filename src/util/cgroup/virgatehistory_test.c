/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatehistory_test.c: denials put together and told. */
#include "util/cgroup/virgatehistory.h"

#include <string.h>

static virGateDenial
testDenial(int minor, unsigned access, uint64_t count)
{
    return (virGateDenial){.rule = {VIR_DEVICE_CHAR, access, 1, minor},
                           .pid = 42,
                           .thread = "CPU 0/KVM",
                           .first_ns = 1000000000,
                           .last_ns = 2000000000,
                           .count = count};
}

static void
testEqualDenialsAreOne(void)
{
    g_autoptr(virGateHistory) history = virGateHistoryNew();
    virGateDenial first = testDenial(7, VIR_DEVICE_RW, 2);
    virGateDenial again = testDenial(7, VIR_DEVICE_RW, 5);
    virGateDenial other = testDenial(7, VIR_DEVICE_READ, 1);
    g_autoptr(virJSON) json = NULL;
    g_autofree char *text = NULL;

    again.last_ns = 9000000000;
    g_assert_true(virGateHistoryAdd(history, &first));
    g_assert_false(virGateHistoryAdd(history, &again));
    g_assert_true(virGateHistoryAdd(history, &other));
    json = virGateHistoryToJSON(history);
    text = virJSONPrint(json);
    g_assert_cmpstr(
        text, ==,
        "{\"denials\":[{\"type\":\"char\",\"major\":1,\"minor\":7,\"node\":\"/dev/full\","
        "\"access\":\"rw\",\"process\":42,\"thread\":\"CPU 0/KVM\",\"first\":1.000000,"
        "\"last\":9.000000,\"count\":7,\"permissive\":false},{\"type\":\"char\",\"major\":1,"
        "\"minor\":7,\"node\":\"/dev/full\",\"access\":\"r\",\"process\":42,"
        "\"thread\":\"CPU 0/KVM\",\"first\":1.000000,\"last\":2.000000,\"count\":1,"
        "\"permissive\":false}],\"unlisted\":0}");
}

static void
testScannerIsCountedNotKept(void)
{
    g_autoptr(virGateHistory) history = virGateHistoryNew();
    g_autoptr(virJSON) json = NULL;
    uint64_t unlisted = 0;

    for (int i = 0; i < VIR_GATE_HISTORY_MAX + 10; i++) {
        virGateDenial denial = testDenial(1000 + i, VIR_DEVICE_READ, 3);

        g_assert_cmpint(virGateHistoryAdd(history, &denial), ==, i < VIR_GATE_HISTORY_MAX);
    }
    json = virGateHistoryToJSON(history);
    g_assert_true(virJSONGetUInt(json, "unlisted", &unlisted));
    g_assert_cmpuint(unlisted, ==, 30);
    g_assert_cmpuint(virJSONLength(virJSONGetArray(json, "denials")), ==, VIR_GATE_HISTORY_MAX);
}

static void
testLineSaysWhoAndWhat(void)
{
    virGateDenial denial = testDenial(7, VIR_DEVICE_RW, 3);
    g_autofree char *many = virGateDenialToText(&denial);
    g_autofree char *once = NULL;

    g_assert_cmpstr(many, ==,
                    "denied: rw of c 1:7 (/dev/full) by thread 'CPU 0/KVM' of process 42, 3 times");
    denial = testDenial(1000, 0, 1);
    denial.permissive = true;
    once = virGateDenialToText(&denial);
    g_assert_cmpstr(once, ==,
                    "would be denied: existence of c 1:1000 by thread 'CPU 0/KVM' of process 42, "
                    "1 time");
}

static void
testElementThatWouldAllowIsNamed(void)
{
    static const struct {
        virDeviceType type;
        const char *node;
        const char *contains;
    } cases[] = {
        {VIR_DEVICE_BLOCK, "/dev/sd'b", "<readonly/><source dev='/dev/sd&apos;b'/>"},
        {VIR_DEVICE_CHAR, "/dev/input/event3",
         "<input type='evdev'><source dev='/dev/input/event3'/>"},
        {VIR_DEVICE_CHAR, "/dev/tpm0", "<device path='/dev/tpm0'/>"},
        {VIR_DEVICE_CHAR, "/dev/kmsg", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        virGateDenial denial = {.rule = {cases[i].type, VIR_DEVICE_READ, 8, 0}};
        g_autofree char *xml = virGateDenialAllowXML(&denial, cases[i].node);

        g_assert_cmpint(xml != NULL, ==, cases[i].contains != NULL);
        if (xml)
            g_assert_nonnull(strstr(xml, cases[i].contains));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gate-history/equal denials are one", testEqualDenialsAreOne);
    g_test_add_func("/gate-history/a scanner is counted, not kept", testScannerIsCountedNotKept);
    g_test_add_func("/gate-history/a line says who and what", testLineSaysWhoAndWhat);
    g_test_add_func("/gate-history/the element that would allow is named",
                    testElementThatWouldAllowIsNamed);
    return g_test_run();
}
