/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serial_qemu.h: <serial> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virSerialQemu;
