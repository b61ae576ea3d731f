/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio.c: the mixin of all virtio devices, model half. */
#include "device/common/virtio.h"

#include "util/virerror.h"

const virField virVirtioFields[] = {
    VIR_FIELD_ONOFF("driver@iommu", virVirtioOptions, iommu, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("driver@ats", virVirtioOptions, ats, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("driver@packed", virVirtioOptions, packed, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("driver@page_per_vq", virVirtioOptions, pagePerVq, .flags = VIR_FIELD_ABI),
    VIR_FIELD_END,
};

unsigned
virVirtioPCIConnect(const virDomainFacts *facts, virVirtioModel model)
{
    unsigned pcie = VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
    unsigned pci = VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;

    if (model == VIR_VIRTIO_MODEL_TRANSITIONAL)
        return pci;
    return facts->q35 && facts->virtioModern ? pcie : pci;
}

bool
virVirtioCheckUnused(const virVirtioOptions *options, GError **error)
{
    if (options->iommu != VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("iommu driver option is only supported for virtio devices"));
    if (options->ats != VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("ats driver option is only supported for virtio devices"));
    if (options->packed != VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("packed driver option is only supported for virtio devices"));
    if (options->pagePerVq != VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("page_per_vq option is only supported for virtio devices"));
    return true;
}
