/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memballoon_qemu.h: <memballoon> for QEMU. */
#pragma once

#include "device/device_qemu.h"

extern const virDeviceQemu virMemballoonQemu;

/* Adds to plan the command that makes the guest report memory statistics every period seconds (0:
 * stop), as after start and for virDomainSetMemoryStatsPeriod. Nothing if there is no balloon. */
void qemuMemballoonPlanPeriod(const virDevice *dev, uint64_t period, qmpPlan *plan);
