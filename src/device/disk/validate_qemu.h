/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * validate_qemu.h: what QEMU, or this one, cannot do with a disk. */
#pragma once

#include "device/device_qemu.h"

/* The contract's check. */
bool qemuDiskCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                   GError **error);
