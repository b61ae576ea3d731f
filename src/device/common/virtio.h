/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio.h: what all virtio devices share: <driver iommu= ats= packed= page_per_vq=>, model names.
 */
#pragma once

#include "device/device.h"

typedef struct {
    virTristate iommu, ats, packed, pagePerVq;
} virVirtioOptions;

/* Rows "driver@iommu" and so on, for VIR_FIELD_MIXIN(kind, member, virVirtioFields). */
extern const virField virVirtioFields[];

/* How a virtio front end is offered. */
typedef enum {
    VIR_VIRTIO_MODEL_DEFAULT = 0, /* "virtio": both, as the bus allows */
    VIR_VIRTIO_MODEL_TRANSITIONAL,
    VIR_VIRTIO_MODEL_NON_TRANSITIONAL,
} virVirtioModel;

/* The slot a virtio PCI device wants: PCIe where there is one, unless it must be transitional. */
unsigned virVirtioPCIConnect(const virDomainFacts *facts, virVirtioModel model);

/* Driver options without virtio are an error naming the element. */
bool virVirtioCheckUnused(const virVirtioOptions *options, GError **error);
