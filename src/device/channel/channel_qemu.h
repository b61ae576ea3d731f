/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * channel_qemu.h: <channel> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virChannelQemu;
