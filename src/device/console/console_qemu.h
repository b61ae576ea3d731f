/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * console_qemu.h: <console> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virConsoleQemu;
