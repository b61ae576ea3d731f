/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hub.h: <hub>: a USB hub, eight ports where there was one. */
#pragma once

#include "device/device.h"

typedef enum { VIR_HUB_TYPE_NONE = 0, VIR_HUB_TYPE_USB, VIR_HUB_TYPE_LAST } virHubType;
VIR_ENUM_DECL(virHubType);

enum { VIR_HUB_PORTS = 8 };

typedef struct {
    virDevice base;
    int type; /* virHubType */
} virHub;

#define VIR_HUB(dev) ((virHub *)(dev))
extern const virDeviceKind virHubKind;
