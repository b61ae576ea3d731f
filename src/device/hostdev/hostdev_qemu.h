/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostdev_qemu.h: <hostdev> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virHostdevQemu;
