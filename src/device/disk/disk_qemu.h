/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk_qemu.h: <disk> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virDiskQemu;
