/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * controller_qemu.h: <controller> for QEMU, and how devices say where they are plugged in. */
#pragma once

#include "device/controller/controller.h"
#include "device/device_qemu.h"

extern const virDeviceQemu virControllerQemu;

/* The QEMU device behind a PCI controller that names none: by its model and what the binary has. */
int qemuControllerDefaultName(const virController *controller, const virDomainFacts *facts,
                              const qmpCaps *caps);
