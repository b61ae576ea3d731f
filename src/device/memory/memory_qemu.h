/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory_qemu.h: <memory> below <devices> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virMemoryQemu;
