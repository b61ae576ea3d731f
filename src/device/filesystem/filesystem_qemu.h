/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * filesystem_qemu.h: <filesystem> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virFilesystemQemu;
