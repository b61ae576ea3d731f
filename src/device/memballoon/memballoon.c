/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memballoon.c: <memballoon> as a document. */
#include "device/memballoon/memballoon.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virMemballoonModel, VIR_MEMBALLOON_MODEL_LAST, NULL, "virtio", "xen", "none",
              "virtio-transitional", "virtio-non-transitional");

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virMemballoon, model, virMemballoonModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_ONOFF("@autodeflate", virMemballoon, autodeflate, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("@freePageReporting", virMemballoon, freePageReporting, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("stats@period", virMemballoon, statsPeriod, 0, INT32_MAX),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_MIXIN(virMemballoon, virtio, virVirtioFields),
    VIR_FIELD_END,
};

static bool
virMemballoonComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                      GError **error)
{
    virMemballoon *balloon = VIR_MEMBALLOON(dev);

    if (balloon->statsPeriod.value == 0) /* asked for never: the same as not asked for */
        balloon->statsPeriod.set = false;
    return true;
}

static bool
virMemballoonCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    if (virDevicesNth(facts->devices, &virMemballoonKind, 1))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("only a single memory balloon device is supported"));
    return true;
}

static unsigned
virMemballoonPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    switch (VIR_MEMBALLOON(dev)->model) {
    case VIR_MEMBALLOON_MODEL_VIRTIO:
    case VIR_MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL:
        return virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_DEFAULT);
    case VIR_MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL:
        return virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_TRANSITIONAL);
    default:
        return 0;
    }
}

static char *
virMemballoonAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    if (VIR_MEMBALLOON(dev)->model == VIR_MEMBALLOON_MODEL_NONE)
        return NULL;
    return g_strdup_printf("balloon%u", index);
}

const virDeviceKind virMemballoonKind = {
    .element = "memballoon",
    .noun = "memballoon",
    .size = sizeof(virMemballoon),
    .fields = fields,
    .complete = virMemballoonComplete,
    .check = virMemballoonCheck,
    .pciConnect = virMemballoonPCIConnect,
    .alias = virMemballoonAlias,
};
