/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpumodel_test.c: models, features and comparisons of processors. */
#include "util/cpu/vircpumodel.h"

#include "util/virerror.h"

#define HOST "<cpu><arch>x86_64</arch>"

static virCPUDef *
testCPU(const char *xml)
{
    g_autoptr(GError) error = NULL;
    virCPUDef *cpu = virCPUDefParseText(xml, VIR_CPU_TYPE_AUTO, &error);

    g_assert_no_error(error);
    return cpu;
}

/* What libvirt 9.0 answers to virsh cpu-baseline of the same two hosts. */
static void
testBaselineIs(const char *first, const char *second, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) a = testCPU(first);
    g_autoptr(virCPUDef) b = second ? testCPU(second) : NULL;
    virCPUDef *cpus[] = {a, b};
    g_autoptr(virCPUDef) baseline = virCPUModelBaseline(cpus, second ? 2 : 1, NULL, NULL, &error);
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    text = virCPUDefFormatText(baseline);
    g_assert_cmpstr(text, ==, expected);
}

static void
testBaselineDisablesOnlyWhatPays(void)
{
    testBaselineIs(HOST "<model>core2duo</model></cpu>",
                   HOST "<model>pentiumpro</model><feature name='mtrr'/><feature name='clflush'/>"
                        "<feature name='mca'/><feature name='vme'/><feature name='pse36'/>"
                        "<feature name='pni'/><feature name='monitor'/><feature name='ssse3'/>"
                        "<feature name='syscall'/><feature name='lm'/></cpu>",
                   "<cpu mode='custom' match='exact'>\n"
                   "  <model fallback='allow'>pentium3</model>\n"
                   "  <feature policy='require' name='apic'/>\n"
                   "  <feature policy='require' name='clflush'/>\n"
                   "  <feature policy='require' name='sse2'/>\n"
                   "  <feature policy='require' name='pni'/>\n"
                   "  <feature policy='require' name='monitor'/>\n"
                   "  <feature policy='require' name='ssse3'/>\n"
                   "  <feature policy='require' name='syscall'/>\n"
                   "  <feature policy='require' name='lm'/>\n"
                   "</cpu>\n");
}

static void
testBaselineOfOneKeepsItsModel(void)
{
    testBaselineIs(HOST "<model>EPYC</model><feature name='osxsave'/></cpu>", NULL,
                   "<cpu mode='custom' match='exact'>\n"
                   "  <model fallback='forbid'>EPYC</model>\n"
                   "  <feature policy='disable' name='monitor'/>\n"
                   "</cpu>\n");
}

static void
testBaselineWithoutVendors(void)
{
    testBaselineIs(HOST "<model>Penryn</model></cpu>", HOST "<model>Opteron_G3</model></cpu>",
                   "<cpu mode='custom' match='exact'>\n"
                   "  <model fallback='allow'>kvm64</model>\n"
                   "  <feature policy='require' name='lahf_lm'/>\n"
                   "</cpu>\n");
}

static void
testBaselineRefusesTwoVendors(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) a = testCPU(HOST "<model>Westmere</model><vendor>Intel</vendor></cpu>");
    g_autoptr(virCPUDef) b = testCPU(HOST "<model>EPYC</model><vendor>AMD</vendor></cpu>");
    virCPUDef *cpus[] = {a, b};

    g_assert_null(virCPUModelBaseline(cpus, 2, NULL, NULL, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_FAILED));
    g_assert_cmpstr(error->message, ==, "CPU vendors do not match");
}

static void
testCompareIs(const char *cpu, virCPUCompareResult expected, const char *because)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) host = testCPU(HOST "<model>Westmere</model><vendor>Intel</vendor></cpu>");
    g_autoptr(virCPUDef) guest = testCPU(cpu);
    g_autofree char *why = NULL;

    g_assert_cmpint(virCPUModelCompare(host, guest, &why, &error), ==, expected);
    g_assert_cmpstr(error ? error->message : why, ==, because);
}

static void
testCompareSaysWhatIsMissing(void)
{
    testCompareIs("<cpu match='exact'><model>Westmere</model></cpu>", VIR_CPU_COMPARE_IDENTICAL,
                  NULL);
    testCompareIs("<cpu match='exact'><model>Nehalem</model></cpu>", VIR_CPU_COMPARE_SUPERSET,
                  NULL);
    testCompareIs("<cpu match='strict'><model>Nehalem</model></cpu>", VIR_CPU_COMPARE_INCOMPATIBLE,
                  "Host CPU does not strictly match guest CPU: Extra features: aes");
    testCompareIs("<cpu match='exact'><model>Westmere</model><feature name='avx'/></cpu>",
                  VIR_CPU_COMPARE_INCOMPATIBLE, "Host CPU does not provide required features: avx");
    testCompareIs("<cpu match='exact'><model>Nehalem</model>"
                  "<feature policy='forbid' name='aes'/></cpu>",
                  VIR_CPU_COMPARE_INCOMPATIBLE, "Host CPU provides forbidden features: aes");
    testCompareIs("<cpu match='exact'><model>nosuch</model></cpu>", VIR_CPU_COMPARE_ERROR,
                  "Unknown CPU model nosuch");
    testCompareIs("<cpu match='exact'><model>Nehalem</model><vendor>AMD</vendor></cpu>",
                  VIR_CPU_COMPARE_INCOMPATIBLE,
                  "host CPU vendor does not match required CPU vendor AMD");
}

static void
testDecodePrefersTheSameFamily(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) cpu = virCPUDefNew(VIR_CPU_TYPE_HOST);
    const virCPUMapModel *model = virCPUMapFindModel("Skylake-Server-IBRS");
    virCPUData data = {.features = model->features};

    virCPUDataSetVendor(&data, "GenuineIntel");
    virCPUDataSetSignature(&data, 6, 94, 3); /* a client's */
    g_assert_true(virCPUDataDecode(&data, cpu, NULL, &error));
    g_assert_cmpstr(cpu->model, ==, "Skylake-Client-IBRS");
    g_assert_nonnull(virCPUDefFindFeature(cpu, "avx512f"));
    g_assert_cmpstr(cpu->vendor, ==, "Intel");
}

static void
testDecodePrefersToDisableLess(void)
{
    static const char *const more[] = {"popcnt", "abm", "sse4a", "monitor"};
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) cpu = virCPUDefNew(VIR_CPU_TYPE_GUEST);
    virCPUData data = {.features = virCPUMapFindModel("Opteron_G2")->features};

    virCPUDataSetVendor(&data, "AuthenticAMD");
    for (size_t i = 0; i < G_N_ELEMENTS(more); i++)
        g_assert_true(virCPUDataAddFeature(&data, more[i]));
    virCPUFeatureSetRemove(&data.features, virCPUMapFindFeature("syscall"));
    virCPUFeatureSetRemove(&data.features, virCPUMapFindFeature("lm"));
    g_assert_true(virCPUDataDecode(&data, cpu, NULL, &error));
    g_assert_cmpstr(cpu->model, ==, "Opteron_G2"); /* G3 weighs the same, with misalignsse off */
}

static void
testLeavesBecomeSignatureAndFeatures(void)
{
    virCPUData data = {0};

    virCPUDataAddLeaf(&data, 0, 0, (virCPUIDRegs){{0x20, 0x756e6547, 0x6c65746e, 0x49656e69}});
    virCPUDataAddLeaf(&data, 1, 0, (virCPUIDRegs){{0x000a0671, 0, 1u << 31, 1u << 4}});
    virCPUDataAddMSR(&data, 0x10a, 1u << 8);
    g_assert_cmpstr(data.vendor->name, ==, "Intel");
    g_assert_cmpuint(data.family, ==, 6);
    g_assert_cmpuint(data.model, ==, 167);
    g_assert_cmpuint(data.stepping, ==, 1);
    g_assert_cmpuint(virCPUFeatureSetCount(data.features), ==, 3);
    g_assert_true(virCPUFeatureSetHas(&data.features, virCPUMapFindFeature("hypervisor")));
    g_assert_true(virCPUFeatureSetHas(&data.features, virCPUMapFindFeature("tsc")));
    g_assert_true(virCPUFeatureSetHas(&data.features, virCPUMapFindFeature("taa-no")));
}

static void
testHostModelTakesTheHostsModel(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) host =
        testCPU(HOST "<model>Westmere</model><vendor>Intel</vendor><feature name='avx'/></cpu>");
    g_autoptr(virCPUDef) guest = testCPU("<cpu mode='host-model'><feature policy='optional' "
                                         "name='rtm'/><feature policy='disable' name='avx'/>"
                                         "</cpu>");
    g_autofree char *text = NULL;

    g_assert_true(virCPUModelUpdate(guest, host, &error));
    text = virCPUDefFormatText(guest);
    g_assert_cmpstr(text, ==,
                    "<cpu mode='custom' match='exact'>\n"
                    "  <model fallback='allow'>Westmere</model>\n"
                    "  <vendor>Intel</vendor>\n"
                    "  <feature policy='disable' name='avx'/>\n"
                    "  <feature policy='disable' name='rtm'/>\n"
                    "</cpu>\n");
}

static void
testLiveCPUWithFullCheckIsRefused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCPUDef) cpu = testCPU("<cpu check='full'><model>486</model></cpu>");
    virCPUData enabled = {0}, disabled = {0};

    virCPUDataAddFeature(&enabled, "fpu");
    virCPUDataAddFeature(&enabled, "pse");
    virCPUDataAddFeature(&enabled, "sse3"); /* QEMU's name of pni */
    g_assert_false(virCPUModelUpdateLive(cpu, &enabled, &disabled, &error));
    g_assert_cmpstr(error->message, ==,
                    "guest CPU doesn't match specification: extra features: pni, missing "
                    "features: vme");
    cpu->check = VIR_CPU_CHECK_PARTIAL;
    g_assert_true(virCPUModelUpdateLive(cpu, &enabled, &disabled, NULL));
    g_assert_cmpint(virCPUDefFindFeature(cpu, "vme")->policy, ==, VIR_CPU_FEATURE_DISABLE);
    g_assert_cmpint(virCPUDefFindFeature(cpu, "pni")->policy, ==, VIR_CPU_FEATURE_REQUIRE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/cpu/baseline/disables-what-pays", testBaselineDisablesOnlyWhatPays);
    g_test_add_func("/cpu/baseline/one-keeps-model", testBaselineOfOneKeepsItsModel);
    g_test_add_func("/cpu/baseline/no-vendors", testBaselineWithoutVendors);
    g_test_add_func("/cpu/baseline/two-vendors", testBaselineRefusesTwoVendors);
    g_test_add_func("/cpu/compare/says-why", testCompareSaysWhatIsMissing);
    g_test_add_func("/cpu/decode/same-family", testDecodePrefersTheSameFamily);
    g_test_add_func("/cpu/decode/disables-less", testDecodePrefersToDisableLess);
    g_test_add_func("/cpu/data/leaves", testLeavesBecomeSignatureAndFeatures);
    g_test_add_func("/cpu/update/host-model", testHostModelTakesTheHostsModel);
    g_test_add_func("/cpu/update/live-full-check", testLiveCPUWithFullCheckIsRefused);
    return g_test_run();
}
