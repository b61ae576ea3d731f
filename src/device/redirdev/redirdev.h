/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirdev.h: <redirdev>: a USB device that a client lends to the guest. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

typedef enum { VIR_REDIRDEV_BUS_USB = 0, VIR_REDIRDEV_BUS_LAST } virRedirdevBus;
VIR_ENUM_DECL(virRedirdevBus);

typedef struct {
    virDevice base;
    int bus; /* virRedirdevBus */
    virChrSource source;
} virRedirdev;

#define VIR_REDIRDEV(dev) ((virRedirdev *)(dev))
extern const virDeviceKind virRedirdevKind;
