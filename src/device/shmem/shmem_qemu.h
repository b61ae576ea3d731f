/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shmem_qemu.h: <shmem> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virShmemQemu;
