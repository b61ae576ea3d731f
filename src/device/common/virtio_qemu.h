/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio_qemu.h: properties that all virtio front ends share. */
#pragma once

#include "device/common/virtio.h"
#include "device/device_qemu.h"

/* A new props object with "driver" (base "virtio-rng" becomes virtio-rng-pci,
 * virtio-rng-pci-non-transitional … after the address and the model) and the driver options.
 * baseIsTransitional: the device exists in transitional variants (not gpu, input, vsock
 * before 4.0). NULL with VIR_ERR_CONFIG_UNSUPPORTED. */
virJSON *qemuVirtioProps(const virDevice *dev, const char *base, virVirtioModel model,
                         const virVirtioOptions *options, const qemuBuildContext *ctx,
                         GError **error);
/* What this QEMU does not know of the options. */
bool qemuVirtioCheck(const virVirtioOptions *options, const qmpCaps *caps, GError **error);
