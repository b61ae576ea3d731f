/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iommu.h: <iommu>: address translation for the guest's devices. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_IOMMU_MODEL_UNSET = 0,
    VIR_IOMMU_MODEL_INTEL,
    VIR_IOMMU_MODEL_SMMUV3,
    VIR_IOMMU_MODEL_VIRTIO,
    VIR_IOMMU_MODEL_LAST
} virIOMMUModel;
VIR_ENUM_DECL(virIOMMUModel);

typedef struct {
    virDevice base;
    int model; /* virIOMMUModel */
    virTristate intremap, cachingMode, eim, iotlb;
    virOptUInt awBits;
} virIOMMU;

#define VIR_IOMMU(dev) ((virIOMMU *)(dev))
extern const virDeviceKind virIOMMUKind;

/* The guest's, or NULL. What the features of the whole must fit to. */
const virIOMMU *virIOMMUOf(const GPtrArray *devices);
