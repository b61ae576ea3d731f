/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lease_qemu.h: <lease> for QEMU, which knows nothing of it. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virLeaseQemu;
