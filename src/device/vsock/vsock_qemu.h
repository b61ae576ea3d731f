/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vsock_qemu.h: <vsock> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virVsockQemu;
