/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memballoon.h: <memballoon>: memory given back to the host, and statistics of the guest's. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_MEMBALLOON_MODEL_UNSET = 0,
    VIR_MEMBALLOON_MODEL_VIRTIO,
    VIR_MEMBALLOON_MODEL_XEN,
    VIR_MEMBALLOON_MODEL_NONE, /* the guest has none, and gets none by default */
    VIR_MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL,
    VIR_MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL,
    VIR_MEMBALLOON_MODEL_LAST
} virMemballoonModel;
VIR_ENUM_DECL(virMemballoonModel);

typedef struct {
    virDevice base;
    int model; /* virMemballoonModel */
    virTristate autodeflate, freePageReporting;
    virOptUInt statsPeriod; /* seconds */
    virVirtioOptions virtio;
} virMemballoon;

#define VIR_MEMBALLOON(dev) ((virMemballoon *)(dev))
extern const virDeviceKind virMemballoonKind;
