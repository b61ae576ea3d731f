/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tpm_qemu.h: <tpm> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virTpmQemu;
