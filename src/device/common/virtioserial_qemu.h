/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtioserial_qemu.h: a port of a virtio-serial controller, as consoles and channels are. */
#pragma once

#include "device/device_qemu.h"

/* A new props object with "driver", "bus", "nr", "chardev", "id". NULL with
 * VIR_ERR_INTERNAL_ERROR for an address of another type. Caller unrefs. */
virJSON *qemuVirtioSerialPortProps(const virDevice *dev, const char *driver, const char *chardev,
                                   const qemuBuildContext *ctx, GError **error);
