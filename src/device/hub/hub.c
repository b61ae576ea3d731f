/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hub.c: <hub> as a document. */
#include "device/hub/hub.h"

VIR_ENUM_IMPL(virHubType, VIR_HUB_TYPE_LAST, NULL, "usb");

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virHub, type, virHubTypeNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virHubOnUSB(const virDevice *dev)
{
    return true;
}

const virDeviceKind virHubKind = {
    .element = "hub",
    .noun = "hub",
    .size = sizeof(virHub),
    .fields = fields,
    .onUSB = virHubOnUSB,
    .aliasPrefix = "hub",
};
