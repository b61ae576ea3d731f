/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secret_qemu.h: secrets for QEMU: objects that only who holds the master key can read. */
#pragma once

#include "device/device_qemu.h"

/* Adds the object id holding plain, encrypted under the guest's master key.
 * VIR_ERR_CONFIG_UNSUPPORTED if nothing can encrypt for this guest. */
bool qemuSecretPlan(qmpPlan *plan, const qemuBuildConfig *config, const char *id, const char *plain,
                    size_t len, GError **error);
