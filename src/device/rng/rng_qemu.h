/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rng_qemu.h: <rng> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virRngQemu;
