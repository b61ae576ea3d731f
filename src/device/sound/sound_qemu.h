/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sound_qemu.h: <sound> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virSoundQemu;
