/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nvram_qemu.h: <nvram> below <devices> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virNVRAMQemu;
