/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * crypto_qemu.h: <crypto> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virCryptoQemu;
