/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirdev_qemu.c: <redirdev> for QEMU. */
#include "device/redirdev/redirdev_qemu.h"

#include "device/common/chrsource_qemu.h"
#include "device/redirdev/redirdev.h"
#include "device/redirfilter/redirfilter.h"
#include "util/virerror.h"

static bool
qemuRedirdevCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error)
{
    if (!qmpCapsHas(caps, QMP_CAPS_USB_REDIR))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("USB redirection is not supported by this version of QEMU"));
    if (virDevicesCount(facts->devices, &virRedirfilterKind) > 0 &&
        !qmpCapsHas(caps, QMP_CAPS_USB_REDIR_FILTER))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("USB redirection filter is not supported by this version of QEMU"));
    return qemuChrSourceCheck(&VIR_REDIRDEV(dev)->source, caps, error);
}

static bool
qemuRedirdevClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                  GError **error)
{
    qemuChrSourceClaim(&VIR_REDIRDEV(dev)->source, ctx);
    return true;
}

static void
qemuRedirdevTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    qemuChrSourceTouches(&VIR_REDIRDEV(dev)->source, dev, ctx, out);
}

static bool
qemuRedirdevBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDevice *filter = virDevicesNth(ctx->facts->devices, &virRedirfilterKind, 0);
    g_autofree char *rules = filter ? virRedirfilterText(filter) : NULL;
    g_autofree char *id = qemuChrId(dev);
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", "usb-redir");
    virJSONAddString(props, "chardev", id);
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddString(props, "filter", rules);
    qemuBootIndexProps(dev, ctx, props);
    if (!qemuAddressProps(dev, ctx, props, error) ||
        !qemuChrSourceBuild(&VIR_REDIRDEV(dev)->source, dev, id, "usbredir", 0, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virRedirdevQemu = {
    .kind = &virRedirdevKind,
    .check = qemuRedirdevCheck,
    .claim = qemuRedirdevClaim,
    .touches = qemuRedirdevTouches,
    .build = qemuRedirdevBuild,
};
