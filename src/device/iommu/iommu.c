/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iommu.c: <iommu> as a document. */
#include "device/iommu/iommu.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virIOMMUModel, VIR_IOMMU_MODEL_LAST, NULL, "intel", "smmuv3", "virtio");

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virIOMMU, model, virIOMMUModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_ONOFF("driver@intremap", virIOMMU, intremap, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("driver@caching_mode", virIOMMU, cachingMode, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("driver@eim", virIOMMU, eim, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("driver@iotlb", virIOMMU, iotlb, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("driver@aw_bits", virIOMMU, awBits, 0, UINT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

const virIOMMU *
virIOMMUOf(const GPtrArray *devices)
{
    return VIR_IOMMU(virDevicesNth(devices, &virIOMMUKind, 0));
}

static bool
virIOMMUHasDriver(const virIOMMU *iommu)
{
    return iommu->intremap || iommu->cachingMode || iommu->eim || iommu->iotlb || iommu->awBits.set;
}

static bool
virIOMMUCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virIOMMU *iommu = VIR_IOMMU(dev);

    if (virDevicesNth(facts->devices, &virIOMMUKind, 1))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only a single IOMMU device is supported"));
    if (iommu->model != VIR_IOMMU_MODEL_INTEL && virIOMMUHasDriver(iommu))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("iommu model '%s' doesn't support additional attributes"),
                           virIOMMUModelToString(iommu->model));
    if (iommu->model != VIR_IOMMU_MODEL_VIRTIO && dev->info.address.type != VIR_ADDRESS_NONE)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("iommu model '%s' can't have address"),
                           virIOMMUModelToString(iommu->model));
    if (iommu->eim == VIR_TRISTATE_YES && iommu->intremap != VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("IOMMU eim requires interrupt remapping to be enabled"));
    return true;
}

static unsigned
virIOMMUPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    if (VIR_IOMMU(dev)->model != VIR_IOMMU_MODEL_VIRTIO)
        return 0;
    /* it sits on the root bus and never moves */
    return facts->q35 ? VIR_PCI_CONNECT_PCIE_DEVICE : VIR_PCI_CONNECT_PCI_DEVICE;
}

const virDeviceKind virIOMMUKind = {
    .element = "iommu",
    .noun = "iommu",
    .size = sizeof(virIOMMU),
    .fields = fields,
    .check = virIOMMUCheck,
    .pciConnect = virIOMMUPCIConnect,
    .aliasPrefix = "iommu",
};
