/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv.c: guests turned into QEMU's command line, as a cold start would. */
#include "qemu/argv.h"

#include "fakehost.h"
#include "families.h"
#include "qemu/firmware.h"
#include "qemu/guestcpu.h"
#include "qemu/prepare.h"
#include "qmp/qmpfirmware.h"
#include "util/cpu/vircpumodel.h"

static bool
conformanceChooseFirmware(const conformanceCase *row, virDomainDef *def, GError **error)
{
    g_autofree char *root = conformancePath(row, "qemufirmwaredata");
    g_autoptr(GPtrArray) firmwares = qmpFirmwareReadAll(root, NULL);

    return qemuFirmwareChoose(def, firmwares, "/var/lib/libvirt/qemu/nvram", error);
}

/* Features of the faked hosts' processors, as README.md lists them. */
static const char core2duo[] = "ds acpi ss ht tm pbe ds_cpl vmx est tm2 cx16 xtpr lahf_lm";
static const char haswell[] =
    "vme ds acpi ss ht tm pbe dtes64 monitor ds_cpl vmx smx est tm2 xtpr pdcm osxsave f16c rdrand "
    "cmt pdpe1gb abm invtsc lahf_lm";

static virCPUDef *
conformanceHostCPU(const conformanceCase *row)
{
    bool isHaswell = conformanceFlag(row, "hostcpu") != NULL;
    g_autoptr(virCPUDef) cpu = virCPUDefNew(VIR_CPU_TYPE_HOST);
    g_auto(GStrv) features = g_strsplit(isHaswell ? haswell : core2duo, " ", -1);

    cpu->arch = g_strdup("x86_64");
    cpu->model = g_strdup(isHaswell ? "Haswell" : "core2duo");
    cpu->vendor = g_strdup("Intel");
    for (char **feature = features; *feature; feature++)
        virCPUDefSetFeature(cpu, *feature, VIR_CPU_FEATURE_REQUIRE);
    return virCPUModelCopyMigratable(cpu);
}

static bool
conformanceStart(const conformanceCase *row, virDomainDef *def, const qmpCaps *caps,
                 conformanceResult *result, GError **error)
{
    g_auto(conformanceHost) host = {{0}};
    g_autoptr(virCPUDef) cpu = conformanceHostCPU(row);
    virDomainFacts facts;
    qemuBuildContext ctx;
    g_autoptr(qmpPlan) plan = NULL;
    g_autoptr(GPtrArray) environment = NULL;
    g_autoptr(GPtrArray) words = NULL;

    def->id = -1;
    if (!virDomainDefSameABI(def, def, error) || !conformanceChooseFirmware(row, def, error) ||
        !qemuGuestCPUResolve(def, caps, cpu, error) || !qemuPrepareStart(def, caps, error))
        return conformanceFail(result, "start");
    virDomainDefAssignAliases(def);
    conformanceHostInit(&host, row, def->name);
    qemuFacts(def, caps, &facts);
    ctx = (qemuBuildContext){.facts = &facts,
                             .caps = caps,
                             .config = &host.config,
                             .incoming = conformanceFlag(row, "migrate_from") != NULL,
                             .memoryBackend = qemuMemoryBackendProps};
    if (!qemuDevicesClaim(def->devices, &ctx, &host.claims, error) ||
        !(plan = qemuPlanBoot(def, &ctx, error)))
        return conformanceFail(result, "start");
    host.plan = plan;
    environment = qmpPlanEnvironment(plan);
    words = qmpPlanArgv(plan, conformanceHostFd, &host);
    return conformanceAdd(result, conformanceCommandLine(environment, def->emulator, words));
}

bool
conformanceQemuXML2Argv(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(virDomainDef) def = conformanceDomain(row, conformanceDomainFlags(row), error);
    g_autoptr(qmpCaps) caps = NULL;

    if (!def)
        return conformanceFail(result, "parse");
    if (!(caps = conformanceLookUpCaps(def->emulator, (void *)row)))
        return conformanceFail(result, "harness");
    return conformanceStart(row, def, caps, result, error);
}
