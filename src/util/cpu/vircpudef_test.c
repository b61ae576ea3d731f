/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpudef_test.c: <cpu> elements come back as they were, or say why not. */
#include "util/cpu/vircpudef.h"

#include "util/virerror.h"

static void
testComesBackAs(const char *in, const char *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) cpu = virCPUDefParseText(in, VIR_CPU_TYPE_AUTO, &error);
    g_autoptr(virCPUDef) copy = virCPUDefCopy(cpu);
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    text = virCPUDefFormatText(copy);
    g_assert_cmpstr(text, ==, out);
    g_assert_true(virCPUDefCheckABI(cpu, copy, &error));
}

static void
testRefused(const char *in, virErrorCode code, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(virCPUDefParseText(in, VIR_CPU_TYPE_AUTO, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_assert_true(virErrorIs(error, code));
}

static void
testGuestComesBackWithItsDefaults(void)
{
    testComesBackAs("<cpu><model>qemu64</model><feature name='vmx'/></cpu>",
                    "<cpu mode='custom' match='exact'>\n"
                    "  <model fallback='allow'>qemu64</model>\n"
                    "  <feature policy='require' name='vmx'/>\n"
                    "</cpu>\n");
    testComesBackAs("<cpu match='minimum'><topology sockets='1' cores='2' threads='1'/></cpu>",
                    "<cpu>\n  <topology sockets='1' dies='1' cores='2' threads='1'/>\n</cpu>\n");
    testComesBackAs("<cpu/>", "");
}

static void
testGuestWithoutModelKeepsVendorId(void)
{
    testComesBackAs(
        "<cpu mode='host-model' check='partial'><model vendor_id='Libvirt QEMU'/></cpu>",
        "<cpu mode='host-model' check='partial'>\n"
        "  <model vendor_id='Libvirt QEMU'/>\n"
        "</cpu>\n");
    testComesBackAs("<cpu mode='host-passthrough' migratable='off'><model>x</model></cpu>",
                    "<cpu mode='host-passthrough' migratable='off'/>\n");
}

static void
testHostComesBackWhole(void)
{
    const char *host = "<cpu>\n"
                       "  <arch>x86_64</arch>\n"
                       "  <model>Skylake-Client-IBRS</model>\n"
                       "  <vendor>Intel</vendor>\n"
                       "  <microcode version='236'/>\n"
                       "  <signature family='6' model='158' stepping='10'/>\n"
                       "  <counter name='tsc' frequency='2591996000' scaling='no'/>\n"
                       "  <topology sockets='1' dies='1' cores='6' threads='2'/>\n"
                       "  <maxphysaddr mode='emulate' bits='39'/>\n"
                       "  <feature name='vme'/>\n"
                       "</cpu>\n";

    testComesBackAs(host, host);
}

static void
testParserRefusesWithLibvirtsTexts(void)
{
    testRefused("<cpu mode='foo'/>", VIR_ERR_CONFIG_UNSUPPORTED, "Invalid mode attribute 'foo'");
    testRefused("<cpu match='foo'/>", VIR_ERR_XML_ERROR,
                "Invalid value for attribute 'match' in element 'cpu': 'foo'.");
    testRefused("<cpu><topology sockets='1' cores='1'/></cpu>", VIR_ERR_XML_ERROR,
                "Missing required attribute 'threads' in element 'topology'");
    testRefused("<cpu><topology sockets='1' cores='1' threads='0'/></cpu>", VIR_ERR_XML_ERROR,
                "Invalid value for attribute 'threads' in element 'topology': Zero is not "
                "permitted");
    testRefused("<cpu><topology sockets='1' cores='0x1' threads='1'/></cpu>", VIR_ERR_XML_ERROR,
                "Invalid value for attribute 'cores' in element 'topology': '0x1'. Expected "
                "non-negative integer value");
    testRefused("<cpu><cache level='-1' mode='emulate'/></cpu>", VIR_ERR_XML_ERROR,
                "Invalid value for attribute 'level' in element 'cache': '-1'. Expected "
                "non-negative value");
    testRefused("<cpu><feature name='a'/></cpu>", VIR_ERR_XML_ERROR,
                "Non-empty feature list specified without CPU model");
    testRefused("<cpu><model>a</model><feature name='a'/><feature name='a'/></cpu>",
                VIR_ERR_XML_ERROR, "CPU feature 'a' specified more than once");
}

static void
testABINamesTheFirstDifference(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) src =
        virCPUDefParseText("<cpu><model>a</model></cpu>", VIR_CPU_TYPE_GUEST, NULL);
    g_autoptr(virCPUDef) dst =
        virCPUDefParseText("<cpu><model>b</model></cpu>", VIR_CPU_TYPE_GUEST, NULL);

    g_assert_false(virCPUDefCheckABI(src, dst, &error));
    g_assert_cmpstr(error->message, ==, "Target CPU model b does not match source a");
    g_clear_error(&error);
    g_assert_false(virCPUDefCheckABI(src, NULL, &error));
    g_assert_true(virCPUDefCheckABI(NULL, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/cpu/def/guest-comes-back", testGuestComesBackWithItsDefaults);
    g_test_add_func("/cpu/def/guest-vendor-id", testGuestWithoutModelKeepsVendorId);
    g_test_add_func("/cpu/def/host-comes-back", testHostComesBackWhole);
    g_test_add_func("/cpu/def/refuses", testParserRefusesWithLibvirtsTexts);
    g_test_add_func("/cpu/def/abi-first-difference", testABINamesTheFirstDifference);
    return g_test_run();
}
