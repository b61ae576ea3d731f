/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hub.c: <hub> as a document. */
#include "device/hub/hub.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virHubType, VIR_HUB_TYPE_LAST, NULL, "usb");

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virHub, type, virHubTypeNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown hub device type '%s'"),
                   .missing = N_("missing hub device type")),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virHubCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    virAddressType address = dev->info.address.type;

    return address == VIR_ADDRESS_NONE || address == VIR_ADDRESS_USB ||
           virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("Wrong address type for USB hub"));
}

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
    .check = virHubCheck,
    .onUSB = virHubOnUSB,
    .usbPorts = VIR_HUB_PORTS,
    .aliasPrefix = "hub",
};
