/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hub_qemu.c: <hub> for QEMU. */
#include "device/hub/hub_qemu.h"

#include "device/hub/hub.h"
#include "util/virerror.h"

static bool
qemuHubCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps, GError **error)
{
    if (!qmpCapsHas(caps, QMP_CAPS_USB_HUB))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("usb-hub not supported by QEMU binary"));
    return true;
}

static bool
qemuHubBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", "usb-hub");
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virHubQemu = {
    .kind = &virHubKind,
    .check = qemuHubCheck,
    .build = qemuHubBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
