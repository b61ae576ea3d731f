/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nvram_qemu.c: <nvram> below <devices> for QEMU: no machine of ours has it. */
#include "device/nvram/nvram_qemu.h"

#include "device/nvram/nvram.h"
#include "util/virerror.h"

static bool
qemuNVRAMCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                       _("nvram device is only supported for PPC64"));
}

const virDeviceQemu virNVRAMQemu = {
    .kind = &virNVRAMKind,
    .stage = QEMU_BOOT_STAGE_LATE,
    .check = qemuNVRAMCheck,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
