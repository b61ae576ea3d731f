/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * netdev_qemu.h: the back end of an interface: -netdev and what it needs of the host. */
#pragma once

#include "device/device_qemu.h"
#include "device/interface/interface.h"

/* Adds host steps and the netdev "host<alias>". VIR_ERR_CONFIG_UNSUPPORTED for a type that cannot
 * be started, with the reason. */
bool qemuNetdevBuild(const virInterface *iface, const qemuBuildContext *ctx, qmpPlan *plan,
                     GError **error);
