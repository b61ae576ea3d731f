/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirfilter_qemu.c: <redirfilter> for QEMU: nothing of its own, each <redirdev> says it. */
#include "device/redirfilter/redirfilter_qemu.h"

#include "device/redirfilter/redirfilter.h"

const virDeviceQemu virRedirfilterQemu = {
    .kind = &virRedirfilterKind,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
