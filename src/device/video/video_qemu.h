/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * video_qemu.h: <video> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virVideoQemu;
