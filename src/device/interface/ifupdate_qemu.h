/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ifupdate_qemu.h: what of an interface can change while the guest runs. */
#pragma once

#include "device/device_qemu.h"

/* The contract's inherit. */
void qemuInterfaceInherit(virDevice *wanted, const virDevice *dev);
/* The contract's update: link state, and the bridge behind it.
 * VIR_ERR_OPERATION_UNSUPPORTED naming what else differs. */
bool qemuInterfaceUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                         qmpPlan *plan, GError **error);
