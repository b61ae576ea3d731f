/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * input_qemu.h: <input> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virInputQemu;
