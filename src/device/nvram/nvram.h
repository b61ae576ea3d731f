/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nvram.h: <nvram> below <devices>: memory of POWER machines that outlives a start. The store of
 * UEFI variables is another thing: <os><nvram>. */
#pragma once

#include "device/device.h"

typedef struct {
    virDevice base;
} virNVRAM;

#define VIR_NVRAM(dev) ((virNVRAM *)(dev))
extern const virDeviceKind virNVRAMKind;
