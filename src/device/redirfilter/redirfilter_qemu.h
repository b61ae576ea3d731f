/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirfilter_qemu.h: <redirfilter> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virRedirfilterQemu;
