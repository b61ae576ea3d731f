/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watchdog_qemu.h: <watchdog> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virWatchdogQemu;
