/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * def_test.c: documents read, completed, written back, refused. */
#include "domain/def.h"

#include <string.h>

#include "util/virerror.h"

#define UUID "<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>"
#define OS "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
#define HEAD "<domain type='kvm'><name>web</name>" UUID "<memory unit='MiB'>1</memory>" OS

static virDomainDef *
testRead(const char *xml, GError **error)
{
    g_autoptr(virDomainDef) def = virDomainDefParse(xml, VIR_PARSE_INACTIVE, error);

    if (!def || !virDomainDefComplete(def, VIR_PARSE_INACTIVE, error) ||
        !virDomainDefCheck(def, VIR_PARSE_INACTIVE, error))
        return NULL;
    return g_steal_pointer(&def);
}

static void
testAssertRefused(const char *xml, virErrorCode code, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def = testRead(xml, &error);

    g_assert_null(def);
    g_assert_nonnull(error);
    if (!strstr(error->message, words) || !virErrorIs(error, code))
        g_error("'%s' (%d) instead of '%s' (%d)", error->message, error->code, words, code);
}

static void
testAssertKept(const char *inner)
{
    g_autofree char *xml = g_strconcat(HEAD, inner, "</domain>", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def = testRead(xml, &error);
    g_autofree char *once = NULL;
    g_autoptr(virDomainDef) again = NULL;
    g_autofree char *twice = NULL;

    g_assert_no_error(error);
    once = virDomainDefFormat(def, VIR_FORMAT_INACTIVE);
    again = testRead(once, &error);
    g_assert_no_error(error);
    twice = virDomainDefFormat(again, VIR_FORMAT_INACTIVE);
    g_assert_cmpstr(once, ==, twice);
    g_assert_true(virDomainDefSameABI(def, again, &error));
    g_assert_no_error(error);
}

static void
testFillsInWhatALeanDocumentLeavesOut(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def = testRead(HEAD "</domain>", &error);
    g_autofree char *xml = NULL;

    g_assert_no_error(error);
    xml = virDomainDefFormat(def, VIR_FORMAT_INACTIVE);
    g_assert_cmpstr(xml, ==,
                    "<domain type='kvm'>\n"
                    "  <name>web</name>\n"
                    "  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>\n"
                    "  <memory unit='KiB'>1024</memory>\n"
                    "  <currentMemory unit='KiB'>1024</currentMemory>\n"
                    "  <vcpu placement='static'>1</vcpu>\n"
                    "  <os>\n"
                    "    <type arch='x86_64' machine='pc'>hvm</type>\n"
                    "    <boot dev='hd'/>\n"
                    "  </os>\n"
                    "  <clock offset='utc'/>\n"
                    "  <on_poweroff>destroy</on_poweroff>\n"
                    "  <on_reboot>restart</on_reboot>\n"
                    "  <on_crash>destroy</on_crash>\n"
                    "  <devices>\n"
                    "  </devices>\n"
                    "</domain>\n");
}

static void
testKeepsEverySection(void)
{
    testAssertKept("<title>t</title><metadata><a:b xmlns:a='urn:a'>x</a:b></metadata>");
    testAssertKept("<vcpu cpuset='0-3,^2' current='2'>4</vcpu><vcpus><vcpu id='0' enabled='yes' "
                   "hotpluggable='no'/><vcpu id='3' enabled='yes' hotpluggable='yes'/></vcpus>");
    testAssertKept("<iothreads>3</iothreads><iothreadids><iothread id='7'/></iothreadids><cputune>"
                   "<shares>5</shares><iothreadpin iothread='1' cpuset='3'/><vcpusched vcpus='0' "
                   "scheduler='fifo' priority='3'/></cputune>");
    testAssertKept("<cpu mode='host-model'><numa><cell cpus='0' memory='1' unit='MiB'><distances>"
                   "<sibling id='0' value='10'/></distances></cell></numa></cpu><numatune><memory "
                   "mode='strict' nodeset='0-1'/><memnode cellid='0' mode='preferred' "
                   "nodeset='1'/></numatune>");
    testAssertKept(
        "<memoryBacking><hugepages><page size='2' unit='M'/></hugepages><locked/><access "
        "mode='shared'/></memoryBacking>");
    testAssertKept(
        "<features><acpi/><apic eoi='on'/><hyperv><stimer state='on'><direct state='on'"
        "/></stimer></hyperv><smm state='on'><tseg unit='MiB'>48</tseg></smm></features>");
    testAssertKept("<clock offset='variable' adjustment='-3'><timer name='rtc' "
                   "tickpolicy='catchup'><catchup slew='3'/></timer></clock>");
    testAssertKept("<seclabel type='static' model='dac'><label>1:1</label></seclabel>"
                   "<launchSecurity type='sev'><policy>0x3</policy></launchSecurity>");
}

static void
testKeepsWhatIsSaidInQemusNamespace(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def =
        testRead("<domain type='kvm' xmlns:q='" VIR_QEMU_NAMESPACE "'><name>web</name>" UUID
                 "<memory>1</memory>" OS "<q:commandline><q:arg value='-foo'/><q:env name='A'/>"
                 "</q:commandline></domain>",
                 &error);
    g_autofree char *xml = NULL;

    g_assert_no_error(error);
    xml = virDomainDefFormat(def, 0);
    g_assert_nonnull(strstr(xml, "<domain type='kvm' xmlns:qemu='" VIR_QEMU_NAMESPACE "'>"));
    g_assert_nonnull(strstr(xml, "    <qemu:arg value='-foo'/>\n    <qemu:env name='A'/>\n"));
}

static void
testRefusesContradictions(void)
{
    testAssertRefused("<domain type='kvm'>" OS "</domain>", VIR_ERR_NO_NAME, "");
    testAssertRefused("<domain type='kvm'><name>a/b</name><memory>1</memory>" OS "</domain>",
                      VIR_ERR_XML_ERROR, "cannot contain '/'");
    testAssertRefused("<domain type='kvm'><name>a</name>" OS "</domain>", VIR_ERR_XML_ERROR,
                      "Memory size must be specified");
    testAssertRefused(HEAD "<vcpu current='3'>2</vcpu></domain>", VIR_ERR_INVALID_ARG,
                      "maxvcpus must not be less");
    testAssertRefused(HEAD "<features><frobnicate/></features></domain>", VIR_ERR_INTERNAL_ERROR,
                      "unexpected feature 'frobnicate'");
    testAssertRefused(HEAD "<numatune><memnode cellid='0' mode='strict' nodeset='1'/></numatune>"
                           "</domain>",
                      VIR_ERR_XML_ERROR, "memnode");
    testAssertRefused(HEAD "<bootloader>/usr/bin/pygrub</bootloader></domain>",
                      VIR_ERR_CONFIG_UNSUPPORTED, "<bootloader>");
}

static void
testRefusesFloodsQuickly(void)
{
    g_autoptr(GString) devices = g_string_new(HEAD "<devices>");
    g_autoptr(GString) threads = g_string_new(HEAD "<iothreadids>");

    for (int i = 0; i < 2 * VIR_DOMAIN_DEVICES_MAX; i++)
        g_string_append(devices, "<vsock/>");
    g_string_append(devices, "</devices></domain>");
    testAssertRefused(devices->str, VIR_ERR_CONFIG_UNSUPPORTED, "devices");
    for (int i = 1; i < 40000; i++)
        g_string_append_printf(threads, "<iothread id='%d'/>", i);
    g_string_append(threads, "</iothreadids></domain>");
    testAssertRefused(threads->str, VIR_ERR_XML_ERROR, "iothreads");
    testAssertRefused(HEAD "<vcpu>4294967295</vcpu></domain>", VIR_ERR_CONFIG_UNSUPPORTED,
                      "Maximum CPUs");
    testAssertRefused(HEAD "<iothreads>4294967295</iothreads></domain>", VIR_ERR_XML_ERROR,
                      "invalid iothreads count");
}

static void
testCopiesByWayOfTheText(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def =
        testRead(HEAD "<devices><vsock><cid address='7'/></vsock></devices></domain>", &error);
    g_autoptr(virDomainDef) copy = NULL;
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;

    g_assert_no_error(error);
    virDomainDefAssignAliases(def);
    copy = virDomainDefCopy(def);
    a = virDomainDefFormat(def, 0);
    b = virDomainDefFormat(copy, 0);
    g_assert_cmpstr(a, ==, b);
    g_assert_nonnull(strstr(b, "<alias name='vsock0'/>"));
    g_assert_true(virDomainVcpuIsFixed(virDomainVcpuAt(&copy->vcpus, 0)));
}

/* What the fuzzer found: each came back from its own text as something else. */
static void
testReadsBackWhatItWrote(void)
{
    testAssertKept("<cpu/>");
    testAssertKept("<devices><video><model type='qxl' primary='yes' heads='1'/></video>"
                   "<video><model type='qxl' heads='2'/></video>"
                   "<video><model type='qxl' heads='3'/></video></devices>");
    testAssertKept("<devices><serial type='pty'/><console type='pty'/>"
                   "<console type='pty'><target type='virtio'/></console>"
                   "<console type='null'><target type='virtio'/></console></devices>");
    testAssertKept("<devices><shmem name='a'><size unit='KiB'>1025</size></shmem></devices>");
}

static void
testNamesTheDifferenceThatAGuestWouldSee(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) a = testRead(HEAD "<vcpu>2</vcpu></domain>", NULL);
    g_autoptr(virDomainDef) b = testRead(HEAD "<vcpu>3</vcpu></domain>", NULL);

    g_assert_false(virDomainDefSameABI(a, b, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_cmpstr(error->message, ==, "Target domain vCPU max 3 does not match source 2");
}

/* "0:1 2:2" for vCPUs 0 and 2 that are on, in that order. */
static char *
testOrders(const virDomainDef *def)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < virDomainVcpusMax(&def->vcpus); i++) {
        const virDomainVcpu *vcpu = virDomainVcpuAt(&def->vcpus, i);

        g_assert_true(vcpu->online || vcpu->order == 0);
        if (vcpu->online)
            g_string_append_printf(text, "%s%u:%u", text->len ? " " : "", i, vcpu->order);
    }
    return g_string_free(text, FALSE);
}

static void
testAssertOrders(const virDomainDef *def, const char *expected)
{
    g_autofree char *orders = testOrders(def);

    g_assert_cmpstr(orders, ==, expected);
}

static void
testVcpusAreNumberedAsTheyCome(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def =
        testRead("<domain type='kvm'><name>web</name><memory unit='MiB'>1</memory>"
                 "<vcpu current='2'>5</vcpu>" OS "</domain>",
                 &error);

    g_assert_no_error(error);
    testAssertOrders(def, "0:0 1:0");
    virDomainVcpusSwitch(&def->vcpus, 3, 1, true);
    testAssertOrders(def, "0:1 1:2 3:3");
    g_assert_true(def->vcpus.individual);
    g_assert_cmpint(virDomainVcpuAt(&def->vcpus, 1)->hotpluggable, ==, VIR_TRISTATE_NO);
    g_assert_cmpint(virDomainVcpuAt(&def->vcpus, 3)->hotpluggable, ==, VIR_TRISTATE_YES);
    g_assert_cmpint(virDomainVcpuAt(&def->vcpus, 4)->hotpluggable, ==, VIR_TRISTATE_YES);
    virDomainVcpusSwitch(&def->vcpus, 2, 1, true);
    testAssertOrders(def, "0:1 1:2 2:4 3:3");
    virDomainVcpusSwitch(&def->vcpus, 3, 1, false);
    testAssertOrders(def, "0:1 1:2 2:3");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/def/fills-in-what-a-lean-document-leaves-out",
                    testFillsInWhatALeanDocumentLeavesOut);
    g_test_add_func("/def/keeps-every-section", testKeepsEverySection);
    g_test_add_func("/def/keeps-what-is-said-in-qemus-namespace",
                    testKeepsWhatIsSaidInQemusNamespace);
    g_test_add_func("/def/refuses-contradictions", testRefusesContradictions);
    g_test_add_func("/def/refuses-floods-quickly", testRefusesFloodsQuickly);
    g_test_add_func("/def/copies-by-way-of-the-text", testCopiesByWayOfTheText);
    g_test_add_func("/def/reads-back-what-it-wrote", testReadsBackWhatItWrote);
    g_test_add_func("/def/names-the-difference-that-a-guest-would-see",
                    testNamesTheDifferenceThatAGuestWouldSee);
    g_test_add_func("/def/numbers-vcpus-in-the-order-they-come", testVcpusAreNumberedAsTheyCome);
    return g_test_run();
}
