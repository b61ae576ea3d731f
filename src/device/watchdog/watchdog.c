/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watchdog.c: <watchdog> as a document. */
#include "device/watchdog/watchdog.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virWatchdogModel, VIR_WATCHDOG_MODEL_LAST, NULL, "i6300esb", "ib700", "diag288");
VIR_ENUM_IMPL(virWatchdogAction, VIR_WATCHDOG_ACTION_LAST, "reset", "shutdown", "poweroff", "pause",
              "dump", "none", "inject-nmi");

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virWatchdog, model, virWatchdogModelNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown watchdog model '%s'"),
                   .missing = N_("watchdog must contain model name")),
    VIR_FIELD_ENUM("@action", virWatchdog, action, virWatchdogActionNames, .flags = VIR_FIELD_ZERO,
                   .unknown = N_("unknown watchdog action '%s'")),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virWatchdogCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    if (virDevicesNth(facts->devices, &virWatchdogKind, 1))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("only a single watchdog device is supported"));
    return true;
}

static unsigned
virWatchdogPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    if (VIR_WATCHDOG(dev)->model != VIR_WATCHDOG_MODEL_I6300ESB)
        return 0;
    return VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
}

static char *
virWatchdogLabel(const virDevice *dev)
{
    return g_strdup(virWatchdogModelToString(VIR_WATCHDOG(dev)->model));
}

static bool
virWatchdogMatches(const virDevice *dev, const virDevice *wanted)
{
    const virWatchdog *is = VIR_WATCHDOG(dev);
    const virWatchdog *want = VIR_WATCHDOG(wanted);

    return is->model == want->model && is->action == want->action &&
           virAddressEqual(&dev->info.address, &wanted->info.address);
}

static bool
virWatchdogMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    return !virDevicesNth(devices, &virWatchdogKind, 0) ||
           virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain already has a watchdog"));
}

const virDeviceKind virWatchdogKind = {
    .element = "watchdog",
    .noun = "watchdog",
    .size = sizeof(virWatchdog),
    .fields = fields,
    .check = virWatchdogCheck,
    .pciConnect = virWatchdogPCIConnect,
    .aliasPrefix = "watchdog",
    .matches = virWatchdogMatches,
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("model '%s' watchdog device not present in domain configuration"),
             .none = N_("watchdog device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING, N_("domain has no watchdog"),
               .anyMatches = true},
    .label = virWatchdogLabel,
    .mayJoin = virWatchdogMayJoin,
};
