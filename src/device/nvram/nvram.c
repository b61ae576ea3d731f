/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nvram.c: <nvram> below <devices> as a document. */
#include "device/nvram/nvram.h"

#include "util/virerror.h"

static const virField fields[] = {
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virNVRAMCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    if (virDevicesNth(facts->devices, &virNVRAMKind, 1))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("only a single nvram device is supported"));
    return true;
}

const virDeviceKind virNVRAMKind = {
    .element = "nvram",
    .noun = "nvram",
    .size = sizeof(virNVRAM),
    .fields = fields,
    .check = virNVRAMCheck,
    .aliasPrefix = "nvram",
};
