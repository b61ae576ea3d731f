/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virsystemd_test.c: names of machines, scopes and slices. What goes over the bus: tests/host. */
#include "util/virsystemd.h"

static void
testAssertMachine(const char *instance, const char *name, const char *expected)
{
    g_autofree char *machine = virSystemdMachineName(instance, 3, name);

    g_assert_cmpstr(machine, ==, expected);
}

static void
testMachineIsNamedAsAHost(void)
{
    testAssertMachine(NULL, "web", "qemu-3-web");
    testAssertMachine(NULL, "-web--1.", "qemu-3-web-1");
    testAssertMachine(NULL, "we_b \xc3\xa4", "qemu-3-web");
    testAssertMachine(NULL, "\xc3\xa4", "qemu-3");
    testAssertMachine("0123456789ab", "web", "qemu-embed-01234567-3-web");
    testAssertMachine(NULL,
                      "a123456789b123456789c123456789d123456789e123456789f123456789g123456789",
                      "qemu-3-a123456789b123456789c123456789d123456789e123456789f123456");
}

static void
testAssertScope(const char *partition, const char *machine, const char *expected)
{
    g_autofree char *path = virSystemdScopePath(partition, machine);
    g_autofree char *back = virSystemdScopeMachine(path);

    g_assert_cmpstr(path, ==, expected);
    g_assert_cmpstr(back, ==, machine);
}

static void
testScopeLiesInItsSlice(void)
{
    testAssertScope(NULL, "qemu-3-web", "machine.slice/machine-qemu\\x2d3\\x2dweb.scope");
    testAssertScope("/", "qemu-3-web", "machine.slice/machine-qemu\\x2d3\\x2dweb.scope");
    testAssertScope("/machine", "qemu-3-web", "machine.slice/machine-qemu\\x2d3\\x2dweb.scope");
    testAssertScope("/machine/fast/new-one", "qemu-3-w.x",
                    "machine.slice/machine-fast.slice/machine-fast-new\\x2done.slice/"
                    "machine-qemu\\x2d3\\x2dw.x.scope");
    testAssertScope("/production", "qemu-3", "production.slice/machine-qemu\\x2d3.scope");
}

static void
testOtherUnitsAreNoMachines(void)
{
    static const char *const paths[] = {"machine.slice/x.scope", "machine.slice", "machine-.scope",
                                        "machine.slice/machine-x.service", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *machine = virSystemdScopeMachine(paths[i]);

        g_assert_null(machine);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/systemd/machine is named as a host", testMachineIsNamedAsAHost);
    g_test_add_func("/systemd/scope lies in its slice", testScopeLiesInItsSlice);
    g_test_add_func("/systemd/other units are no machines", testOtherUnitsAreNoMachines);
    return g_test_run();
}
