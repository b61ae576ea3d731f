/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * panic_qemu.h: <panic> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virPanicQemu;
