/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iommu_qemu.h: <iommu> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virIOMMUQemu;
