/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * console_qemu.c: <console> for QEMU: a virtio port, or nothing if it is a serial port's name. */
#include "device/console/console_qemu.h"

#include "device/common/chrsource_qemu.h"
#include "device/common/virtioserial_qemu.h"
#include "device/console/console.h"
#include "util/virerror.h"

static bool
qemuConsoleIsDevice(const virDevice *dev)
{
    return VIR_CONSOLE(dev)->target != VIR_CONSOLE_TARGET_SERIAL;
}

static bool
qemuConsoleCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                 GError **error)
{
    return !qemuConsoleIsDevice(dev) || qemuChrSourceCheck(&VIR_CONSOLE(dev)->source, caps, error);
}

static bool
qemuConsoleClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                 GError **error)
{
    qemuChrSourceClaim(&VIR_CONSOLE(dev)->source, ctx);
    return true;
}

static void
qemuConsoleTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    if (qemuConsoleIsDevice(dev))
        qemuChrSourceTouches(&VIR_CONSOLE(dev)->source, dev, ctx, out);
}

static bool
qemuConsoleBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virConsole *console = VIR_CONSOLE(dev);
    g_autofree char *id = qemuChrId(dev);
    g_autoptr(virJSON) props = NULL;

    if (!qemuConsoleIsDevice(dev))
        return true;
    if (console->target != VIR_CONSOLE_TARGET_VIRTIO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported console target type %s"),
                           virConsoleTargetToString(console->target));
    props = qemuVirtioSerialPortProps(dev, "virtconsole", id, ctx, error);
    if (!props || !qemuChrSourceBuild(&console->source, dev, id, "vdagent", 0, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static bool
qemuConsoleHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    if (qemuConsoleIsDevice(dev))
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("attaching serial console is not supported"));
}

static void
qemuConsoleLearn(virDevice *dev, const char *command, virJSON *reply)
{
    if (qemuConsoleIsDevice(dev))
        qemuChrSourceLearn(&VIR_CONSOLE(dev)->source, dev, command, reply);
}

const virDeviceQemu virConsoleQemu = {
    .kind = &virConsoleKind,
    .check = qemuConsoleCheck,
    .claim = qemuConsoleClaim,
    .touches = qemuConsoleTouches,
    .build = qemuConsoleBuild,
    .learn = qemuConsoleLearn,
    .hotpluggable = qemuConsoleHotpluggable,
};
