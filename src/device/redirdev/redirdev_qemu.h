/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirdev_qemu.h: <redirdev> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virRedirdevQemu;
