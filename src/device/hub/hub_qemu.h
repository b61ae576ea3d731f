/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hub_qemu.h: <hub> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virHubQemu;
