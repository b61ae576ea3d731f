/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serial_qemu.c: <serial> for QEMU. */
#include "device/serial/serial_qemu.h"

#include "device/common/chrsource_qemu.h"
#include "device/serial/serial.h"
#include "util/virerror.h"

/* What goes with a model. */
typedef struct {
    virSerialTarget target;
    int flag; /* qmpCapsFlag, or -1: not of this architecture */
} qemuSerialModel;

static const qemuSerialModel models[] = {
    [VIR_SERIAL_MODEL_NONE] = {VIR_SERIAL_TARGET_NONE, -1},
    [VIR_SERIAL_MODEL_ISA_SERIAL] = {VIR_SERIAL_TARGET_ISA, QMP_CAPS_ISA_SERIAL},
    [VIR_SERIAL_MODEL_USB_SERIAL] = {VIR_SERIAL_TARGET_USB, QMP_CAPS_USB_SERIAL},
    [VIR_SERIAL_MODEL_PCI_SERIAL] = {VIR_SERIAL_TARGET_PCI, QMP_CAPS_PCI_SERIAL},
    [VIR_SERIAL_MODEL_SPAPR_VTY] = {VIR_SERIAL_TARGET_SPAPR_VIO, -1},
    [VIR_SERIAL_MODEL_PL011] = {VIR_SERIAL_TARGET_SYSTEM, -1},
    [VIR_SERIAL_MODEL_SCLPCONSOLE] = {VIR_SERIAL_TARGET_SCLP, -1},
    [VIR_SERIAL_MODEL_SCLPLMCONSOLE] = {VIR_SERIAL_TARGET_SCLP, -1},
    [VIR_SERIAL_MODEL_16550A] = {VIR_SERIAL_TARGET_SYSTEM, -1},
    /* in every QEMU that has isa-serial */
    [VIR_SERIAL_MODEL_ISA_DEBUGCON] = {VIR_SERIAL_TARGET_ISA_DEBUG, QMP_CAPS_ISA_SERIAL},
};
G_STATIC_ASSERT(G_N_ELEMENTS(models) == VIR_SERIAL_MODEL_LAST);

static int
qemuSerialModelOf(virSerialTarget target)
{
    switch (target) {
    case VIR_SERIAL_TARGET_ISA:
        return VIR_SERIAL_MODEL_ISA_SERIAL;
    case VIR_SERIAL_TARGET_USB:
        return VIR_SERIAL_MODEL_USB_SERIAL;
    case VIR_SERIAL_TARGET_PCI:
        return VIR_SERIAL_MODEL_PCI_SERIAL;
    case VIR_SERIAL_TARGET_SPAPR_VIO:
        return VIR_SERIAL_MODEL_SPAPR_VTY;
    case VIR_SERIAL_TARGET_SYSTEM:
        return VIR_SERIAL_MODEL_PL011;
    case VIR_SERIAL_TARGET_SCLP:
        return VIR_SERIAL_MODEL_SCLPCONSOLE;
    case VIR_SERIAL_TARGET_ISA_DEBUG:
        return VIR_SERIAL_MODEL_ISA_DEBUGCON;
    default:
        return VIR_SERIAL_MODEL_NONE;
    }
}

static bool
qemuSerialComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                   unsigned parseFlags, GError **error)
{
    virSerial *serial = VIR_SERIAL(dev);

    if (serial->target == VIR_SERIAL_TARGET_NONE)
        serial->target = VIR_SERIAL_TARGET_ISA;
    if (serial->model == VIR_SERIAL_MODEL_NONE)
        serial->model = qemuSerialModelOf(serial->target);
    return true;
}

static virAddressType
qemuSerialAddressType(virSerialTarget target)
{
    switch (target) {
    case VIR_SERIAL_TARGET_ISA:
    case VIR_SERIAL_TARGET_ISA_DEBUG:
        return VIR_ADDRESS_ISA;
    case VIR_SERIAL_TARGET_USB:
        return VIR_ADDRESS_USB;
    case VIR_SERIAL_TARGET_PCI:
        return VIR_ADDRESS_PCI;
    default:
        return VIR_ADDRESS_NONE;
    }
}

static bool
qemuSerialAddressCheck(const virSerial *serial, GError **error)
{
    virAddressType want = qemuSerialAddressType(serial->target);
    virAddressType is = serial->base.info.address.type;

    if (is == VIR_ADDRESS_NONE || is == want)
        return true;
    if (want == VIR_ADDRESS_NONE)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target type '%s' cannot have an associated address"),
                           virSerialTargetToString(serial->target));
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target type '%s' requires address type '%s'"),
                       virSerialTargetToString(serial->target), virAddressTypeToString(want));
}

static bool
qemuSerialCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                GError **error)
{
    const virSerial *serial = VIR_SERIAL(dev);
    const qemuSerialModel *model = &models[serial->model];

    if (!qemuChrSourceCheck(&serial->source, caps, error) || !qemuSerialAddressCheck(serial, error))
        return false;
    if (model->target != (virSerialTarget)serial->target)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, _("Target model '%s' requires target type '%s'"),
            virSerialModelToString(serial->model), virSerialTargetToString(model->target));
    if (model->flag < 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Serial device with target type '%s' and target model '%s' not "
                             "compatible with guest architecture or machine type"),
                           virSerialTargetToString(serial->target),
                           virSerialModelToString(serial->model));
    return true;
}

static bool
qemuSerialClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                GError **error)
{
    qemuChrSourceClaim(&VIR_SERIAL(dev)->source, ctx);
    return true;
}

static void
qemuSerialTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    qemuChrSourceTouches(&VIR_SERIAL(dev)->source, dev, ctx, out);
}

static bool
qemuSerialBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virSerial *serial = VIR_SERIAL(dev);
    const char *driver = virSerialModelToString(serial->model);
    g_autofree char *id = qemuChrId(dev);
    g_autoptr(virJSON) props = virJSONObject();

    if (!qmpCapsHas(ctx->caps, (qmpCapsFlag)models[serial->model].flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("'%s' is not supported in this QEMU binary"), driver);
    virJSONAddString(props, "driver", driver);
    virJSONAddString(props, "chardev", id);
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error) ||
        !qemuChrSourceBuild(&serial->source, dev, id, "vdagent", 0, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static void
qemuSerialLearn(virDevice *dev, const char *command, virJSON *reply)
{
    qemuChrSourceLearn(&VIR_SERIAL(dev)->source, dev, command, reply);
}

const virDeviceQemu virSerialQemu = {
    .kind = &virSerialKind,
    .complete = qemuSerialComplete,
    .check = qemuSerialCheck,
    .claim = qemuSerialClaim,
    .touches = qemuSerialTouches,
    .build = qemuSerialBuild,
    .learn = qemuSerialLearn,
};
