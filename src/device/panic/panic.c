/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * panic.c: <panic> as a document. */
#include "device/panic/panic.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virPanicModel, VIR_PANIC_MODEL_LAST, NULL, "pseries", "hyperv", "s390", "isa");

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virPanic, model, virPanicModelNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown panic model '%s'")),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

bool
virPanicWantsHyperV(const GPtrArray *devices)
{
    virDevicesForEach(devices, &virPanicKind, dev)
    {
        if (VIR_PANIC(dev)->model == VIR_PANIC_MODEL_HYPERV)
            return true;
    }
    return false;
}

/* A machine has at most one of each model. */
static bool
virPanicCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virPanic *panic = VIR_PANIC(dev);

    virDevicesForEach(facts->devices, &virPanicKind, other)
    {
        if (other != dev && VIR_PANIC(other)->model == panic->model)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("Multiple panic devices with model '%s'"),
                               panic->model ? virPanicModelToString(panic->model) : "default");
    }
    return true;
}

static bool
virPanicIsHyperV(const virDevice *dev)
{
    return VIR_PANIC(dev)->model == VIR_PANIC_MODEL_HYPERV;
}

const virDeviceKind virPanicKind = {
    .element = "panic",
    .noun = "panic",
    .size = sizeof(virPanic),
    .fields = fields,
    .check = virPanicCheck,
    .aliasPrefix = "panic",
    .isHypervPanic = virPanicIsHyperV,
};
