/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * panic_qemu.c: <panic> for QEMU: pvpanic on ISA; Hyper-V's is a CPU feature. */
#include "device/panic/panic_qemu.h"

#include "device/panic/panic.h"
#include "util/virerror.h"

static bool
qemuPanicComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  unsigned parseFlags, GError **error)
{
    virPanic *panic = VIR_PANIC(dev);

    if (panic->model == VIR_PANIC_MODEL_DEFAULT)
        panic->model = VIR_PANIC_MODEL_ISA;
    return true;
}

static bool
qemuPanicCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    virAddressType address = dev->info.address.type;

    switch (VIR_PANIC(dev)->model) {
    case VIR_PANIC_MODEL_S390:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only S390 guests support panic device of model 's390'"));
    case VIR_PANIC_MODEL_PSERIES:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only pSeries guests support panic device of model 'pseries'"));
    case VIR_PANIC_MODEL_HYPERV:
        if (address != VIR_ADDRESS_NONE)
            return virErrorSet(
                error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                _("setting the panic device address is not supported for model 'hyperv'"));
        return true;
    default:
        if (!qmpCapsHas(caps, QMP_CAPS_PVPANIC))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("the QEMU binary does not support the ISA panic device"));
        if (address != VIR_ADDRESS_NONE && address != VIR_ADDRESS_ISA)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("panic is supported only with ISA address type"));
        return true;
    }
}

static bool
qemuPanicBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    virJSON *props;

    if (VIR_PANIC(dev)->model == VIR_PANIC_MODEL_HYPERV)
        return true;
    props = virJSONObject();
    virJSONAddString(props, "driver", "pvpanic");
    if (dev->info.address.type == VIR_ADDRESS_ISA)
        virJSONAddUInt(props, "ioport", dev->info.address.isa.iobase);
    qmpPlanDevice(plan, props);
    return true;
}

const virDeviceQemu virPanicQemu = {
    .kind = &virPanicKind,
    .stage = QEMU_BOOT_STAGE_LAST,
    .complete = qemuPanicComplete,
    .check = qemuPanicCheck,
    .build = qemuPanicBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
