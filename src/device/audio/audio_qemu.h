/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * audio_qemu.h: <audio> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virAudioQemu;
