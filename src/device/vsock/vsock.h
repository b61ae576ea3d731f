/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vsock.h: <vsock>: sockets between host and guest without a network. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_VSOCK_MODEL_NONE = 0,
    VIR_VSOCK_MODEL_VIRTIO,
    VIR_VSOCK_MODEL_VIRTIO_TRANSITIONAL,
    VIR_VSOCK_MODEL_VIRTIO_NON_TRANSITIONAL,
    VIR_VSOCK_MODEL_LAST
} virVsockModel;

typedef struct {
    virDevice base;
    int model; /* virVsockModel */
    virTristate autoCid;
    virOptUInt cid; /* with autoCid only while the guest runs */
    virVirtioOptions virtio;
} virVsock;

#define VIR_VSOCK(dev) ((virVsock *)(dev))
extern const virDeviceKind virVsockKind;
