/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parallel_qemu.h: <parallel> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virParallelQemu;
