/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watchdog_qemu.c: <watchdog> for QEMU. What happens when it fires is a setting of the whole
 * machine there, not of the device. */
#include "device/watchdog/watchdog_qemu.h"

#include "device/watchdog/watchdog.h"
#include "util/virerror.h"

static const char *
qemuWatchdogAction(const virWatchdog *watchdog)
{
    /* QEMU can't dump: it stops the guest, and the daemon dumps when it hears of that */
    return virWatchdogActionToString(watchdog->action == VIR_WATCHDOG_ACTION_DUMP
                                         ? VIR_WATCHDOG_ACTION_PAUSE
                                         : watchdog->action);
}

static bool
qemuWatchdogCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error)
{
    const virWatchdog *watchdog = VIR_WATCHDOG(dev);
    virAddressType address = dev->info.address.type;

    switch (watchdog->model) {
    case VIR_WATCHDOG_MODEL_I6300ESB:
        if (address != VIR_ADDRESS_NONE && address != VIR_ADDRESS_PCI)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("%s model of watchdog can go only on PCI bus"),
                               virWatchdogModelToString(watchdog->model));
        return true;
    case VIR_WATCHDOG_MODEL_IB700:
        if (address != VIR_ADDRESS_NONE && address != VIR_ADDRESS_ISA)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("%s model of watchdog can go only on ISA bus"),
                               virWatchdogModelToString(watchdog->model));
        return true;
    default:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%s model of watchdog is virtual and cannot go on any bus."),
                           virWatchdogModelToString(watchdog->model));
    }
}

static void
qemuWatchdogPlanAction(const virWatchdog *watchdog, const qemuBuildContext *ctx, qmpPlan *plan)
{
    const char *action = qemuWatchdogAction(watchdog);
    bool setAction = qmpCapsHas(ctx->caps, QMP_CAPS_SET_ACTION);
    virJSON *args;

    if (!ctx->hotplug) {
        qmpPlanArg(plan, "-watchdog-action", action);
        return;
    }
    args = virJSONObject();
    virJSONAddString(args, setAction ? "watchdog" : "action", action);
    qmpPlanCommand(plan, setAction ? "set-action" : "watchdog-set-action", args, NULL, NULL);
}

static bool
qemuWatchdogBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virWatchdog *watchdog = VIR_WATCHDOG(dev);
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", virWatchdogModelToString(watchdog->model));
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    if (ctx->hotplug) /* no moment with the device and the wrong action */
        qemuWatchdogPlanAction(watchdog, ctx, plan);
    qmpPlanDevice(plan, g_steal_pointer(&props));
    if (!ctx->hotplug)
        qemuWatchdogPlanAction(watchdog, ctx, plan);
    return true;
}

static bool
qemuWatchdogHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    const virWatchdog *watchdog = VIR_WATCHDOG(dev);

    if (watchdog->model == VIR_WATCHDOG_MODEL_I6300ESB)
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("hotplug of watchdog of model %s is not supported"),
                       virWatchdogModelToString(watchdog->model));
}

const virDeviceQemu virWatchdogQemu = {
    .kind = &virWatchdogKind,
    .check = qemuWatchdogCheck,
    .build = qemuWatchdogBuild,
    .hotpluggable = qemuWatchdogHotpluggable,
};
