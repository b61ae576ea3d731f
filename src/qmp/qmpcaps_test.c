/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcaps_test.c: a prober that talks to a script, and capabilities to text and back. What real
 * QEMUs answer is in the conformance data. */
#include <string.h>

#include "qmp/qmpcapspriv.h"
#include "qmp/qmpcapsprobe.h"
#include "qmp/qmpcapsxml.h"
#include "util/virerror.h"
#include "util/virxml.h"

/* What is answered to a command; what is not listed is unknown to this QEMU. */
typedef struct {
    const char *command;
    const char *answer;
} testLine;

typedef struct {
    qmpTransport base; /* first */
    const testLine *lines;
    const char *dropAt; /* the connection is lost at this command; NULL: never */
} testScript;

static bool
testCall(qmpTransport *transport, const char *command, virJSON *arguments, virJSON **retValue,
         qmpErrorClass *retClass, GError **error)
{
    testScript *script = (testScript *)transport;

    *retValue = NULL;
    *retClass = QMP_ERROR_COMMAND_NOT_FOUND;
    if (g_strcmp0(command, script->dropAt) == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "gone");
    for (const testLine *line = script->lines; line->command; line++) {
        if (g_str_equal(line->command, command)) {
            *retValue = virJSONParse(line->answer, -1, NULL);
            *retClass = QMP_ERROR_NONE;
            g_assert_nonnull(*retValue);
        }
    }
    return true;
}

#define VERSION(major)                                                                             \
    {                                                                                              \
        "query-version", "{\"qemu\":{\"major\":" #major ",\"minor\":2,\"micro\":1},"               \
                         "\"package\":\"p\"}"                                                      \
    }
#define COMMON                                                                                     \
    {"query-target", "{\"arch\":\"i386\"}"},                                                       \
        {"query-qmp-schema", "[{\"name\":\"DUMP_COMPLETED\",\"meta-type\":\"event\"}]"},           \
        {"query-commands", "[{\"name\":\"query-vnc\"},{\"name\":\"query-cpu-definitions\"}]"},     \
        {"query-kvm", "{\"present\":true,\"enabled\":false}"},                                     \
        {"qom-list-types", "[{\"name\":\"tcg-accel\"},{\"name\":\"VGA\"}]"},                       \
        {"device-list-properties", "[{\"name\":\"scsi\",\"default-value\":false}]"},               \
        {"query-machines", "[{\"name\":\"none\"},{\"name\":\"isapc\",\"cpu-max\":1},"              \
                           "{\"name\":\"pc-1.0\",\"alias\":\"pc\",\"is-default\":true,"            \
                           "\"cpu-max\":255,\"hotpluggable-cpus\":true}]"},                        \
        {"query-cpu-definitions", "[{\"name\":\"max\",\"unavailable-features\":[]},"               \
                                  "{\"name\":\"host\",\"unavailable-features\":[\"kvm\"]},"        \
                                  "{\"name\":\"486\"}]"},                                          \
        {"query-command-line-options", "[{\"option\":\"spice\",\"parameters\":"                    \
                                       "[{\"name\":\"gl\"}]}]"},                                   \
    {                                                                                              \
        "query-migrate-capabilities", "[{\"capability\":\"events\"}]"                              \
    }

static const testLine good[] = {VERSION(7), COMMON, {NULL, NULL}};
static const testLine old[] = {VERSION(1), COMMON, {NULL, NULL}};

static qmpCaps *
testProbe(const testLine *lines, const char *dropAt, GError **error)
{
    testScript script = {{NULL, testCall}, lines, dropAt};

    return qmpCapsProbe(&script.base, "/bin/qemu", error);
}

static void
testLearnsFlags(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(qmpCaps) caps = testProbe(good, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(qmpCapsVersion(caps), ==, 7002001);
    g_assert_cmpstr(qmpCapsArch(caps), ==, "i686");
    g_assert_true(qmpCapsHasAll(caps, QMP_CAPS_VNC, QMP_CAPS_VGA, QMP_CAPS_DUMP_COMPLETED,
                                QMP_CAPS_TCG, QMP_CAPS_SPICE_GL, QMP_CAPS_MIGRATION_EVENT,
                                QMP_CAPS_VIRTIO_BLK_PCI_SCSI_DEFAULT_DISABLED, QMP_CAPS_NO_ACPI,
                                QMP_CAPS_CPU_MAX, QMP_CAPS_LAST));
    g_assert_false(qmpCapsHas(caps, QMP_CAPS_KVM)); /* present, but not enabled */
    g_assert_cmpint(qmpCapsDefaultAccel(caps), ==, QMP_ACCEL_TCG);
    g_assert_false(qmpCapsProbeNeedsTcg(caps));
}

static void
testLearnsMachinesAndCpus(void)
{
    g_autoptr(qmpCaps) caps = testProbe(good, NULL, NULL);
    const qmpMachine *pc = qmpCapsMachine(caps, QMP_ACCEL_TCG, "pc");

    g_assert_cmpstr(pc->name, ==, "pc-1.0");
    g_assert_cmpuint(pc->maxCpus, ==, 255);
    g_assert_cmpuint(qmpCapsMachines(caps, QMP_ACCEL_TCG)->len, ==, 2); /* none is no machine */
    g_assert_cmpstr(qmpCapsMachineDefault(caps, QMP_ACCEL_TCG), ==, "pc-1.0");
    g_assert_cmpstr(qmpCapsMachineCanonical(caps, QMP_ACCEL_TCG, "q35"), ==, "q35");
    g_assert_cmpint(qmpCapsCpuDefinition(caps, QMP_ACCEL_TCG, "max")->usable, ==, VIR_TRISTATE_YES);
    g_assert_cmpint(qmpCapsCpuDefinition(caps, QMP_ACCEL_TCG, "host")->usable, ==, VIR_TRISTATE_NO);
    g_assert_cmpint(qmpCapsCpuDefinition(caps, QMP_ACCEL_TCG, "486")->usable, ==,
                    VIR_TRISTATE_ABSENT);
    g_assert_null(qmpCapsHostCpu(caps, QMP_ACCEL_TCG));
}

static void
testRefusesOldQemu(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(testProbe(old, NULL, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_cmpstr(error->message, ==, "QEMU version >= 2.11.0 is required, but 1.2.1 found");
}

/* Every question may be the last one QEMU hears. */
static void
testSurvivesALostConnection(void)
{
    for (const testLine *line = good; line->command; line++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(testProbe(good, line->command, &error));
        g_assert_cmpstr(error->message, ==, "gone");
    }
}

/* Every answer may be missing: then the probe fails, or QEMU has less. */
static void
testTakesMissingAnswers(void)
{
    for (size_t missing = 0; missing < G_N_ELEMENTS(good) - 1; missing++) {
        testLine lines[G_N_ELEMENTS(good)];
        g_autoptr(GError) error = NULL;
        g_autoptr(qmpCaps) caps = NULL;

        memcpy(lines, good, sizeof(good));
        lines[missing].command = "";
        caps = testProbe(lines, NULL, &error);
        g_assert_true((caps == NULL) == (error != NULL));
    }
}

static void
testTextKeepsAll(void)
{
    g_autoptr(qmpCaps) caps = testProbe(good, NULL, NULL);
    g_autoptr(qmpCaps) again = NULL;
    g_autofree char *text = NULL;
    g_autofree char *textAgain = NULL;
    g_autoptr(GError) error = NULL;

    caps->hyperv = g_strsplit("relaxed vendor_id", " ", -1);
    caps->kvmRefused = true;
    caps->kernelVersion = g_strdup("6 <&>");
    text = qmpCapsFormat(caps);
    again = qmpCapsParse(text, -1, &error);
    g_assert_no_error(error);
    textAgain = qmpCapsFormat(again);
    g_assert_cmpstr(text, ==, textAgain);
    g_assert_true(again->kvmRefused);
    g_assert_cmpstr(again->kernelVersion, ==, "6 <&>");
    g_assert_true(g_strv_contains(qmpCapsHyperv(again), "vendor_id"));
}

static void
testRefusesTextOfTheFuture(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(qmpCapsParse("<qemuCaps><emulator>/q</emulator><flag name='telepathy'/>"
                               "<arch>x86_64</arch></qemuCaps>",
                               -1, &error));
    g_assert_nonnull(strstr(error->message, "telepathy"));
}

static void
testKnowsWhatGoesWithoutSaying(void)
{
    g_autoptr(qmpCaps) caps = qmpCapsNew("/bin/qemu", "x86_64");
    g_autofree char *text = qmpCapsFormat(caps);

    g_assert_true(qmpCapsHas(caps, QMP_CAPS_DISPLAY));
    g_assert_false(qmpCapsHas(caps, QMP_CAPS_BLOCKDEV));
    g_assert_null(strstr(text, "<flag"));
}

static void
testEveryFlagHasANameOfItsOwn(void)
{
    for (int flag = 0; flag < QMP_CAPS_LAST; flag++)
        g_assert_cmpint(qmpCapsFlagFromString(qmpCapsFlagToString(flag)), ==, flag);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/qmpcaps/a probe learns flags", testLearnsFlags);
    g_test_add_func("/qmpcaps/a probe learns machines and CPUs", testLearnsMachinesAndCpus);
    g_test_add_func("/qmpcaps/an old QEMU is refused by its version", testRefusesOldQemu);
    g_test_add_func("/qmpcaps/a connection may be lost at any question",
                    testSurvivesALostConnection);
    g_test_add_func("/qmpcaps/any answer may be missing", testTakesMissingAnswers);
    g_test_add_func("/qmpcaps/the text keeps all", testTextKeepsAll);
    g_test_add_func("/qmpcaps/a text with an unknown flag is refused", testRefusesTextOfTheFuture);
    g_test_add_func("/qmpcaps/what every QEMU has goes without saying",
                    testKnowsWhatGoesWithoutSaying);
    g_test_add_func("/qmpcaps/every flag has a name of its own", testEveryFlagHasANameOfItsOwn);
    return g_test_run();
}
