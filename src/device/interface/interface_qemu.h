/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * interface_qemu.h: <interface> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virInterfaceQemu;
