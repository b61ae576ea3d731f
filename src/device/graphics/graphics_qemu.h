/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * graphics_qemu.h: <graphics> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virGraphicsQemu;

/* Adds to plan the commands that give a started QEMU the password of a display, as they are sent
 * before the guest runs; nothing if there is none. now: seconds since 1970. */
void qemuGraphicsPlanPassword(const virDevice *dev, const qemuBuildConfig *config, int64_t now,
                              qmpPlan *plan);
