/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv.c: guests turned into QEMU's command line, as a cold start would. */
#include "qemu/argv.h"

#include "fakehost.h"
#include "families.h"
#include "qemu/firmware.h"
#include "qemu/prepare.h"
#include "qmp/qmpfirmware.h"

static bool
conformanceChooseFirmware(const conformanceCase *row, virDomainDef *def, GError **error)
{
    g_autofree char *root = conformancePath(row, "qemufirmwaredata");
    g_autoptr(GPtrArray) firmwares = qmpFirmwareReadAll(root, NULL);

    return qemuFirmwareChoose(def, firmwares, "/var/lib/libvirt/qemu/nvram", error);
}

static bool
conformanceStart(const conformanceCase *row, virDomainDef *def, const qmpCaps *caps,
                 conformanceResult *result, GError **error)
{
    g_auto(conformanceHost) host = {{0}};
    virDomainFacts facts;
    qemuBuildContext ctx;
    g_autoptr(qmpPlan) plan = NULL;
    g_autoptr(GPtrArray) environment = NULL;
    g_autoptr(GPtrArray) words = NULL;

    def->id = -1;
    if (!virDomainDefSameABI(def, def, error) || !conformanceChooseFirmware(row, def, error))
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
