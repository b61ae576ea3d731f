/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * smartcard_qemu.h: <smartcard> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virSmartcardQemu;
