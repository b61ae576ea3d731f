/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gaterules.h: from what devices touch to rules of the device gate. Reads the file system: in a
 * job, without the core lock. */
#pragma once

#include "device/device_qemu.h"
#include "qemu/driver.h"

/* What all devices of the document need of the host. */
void qemuTouches(const virDomainDef *def, const qemuBuildContext *ctx, virHostAccess *out);

/* Paths of what every guest may use, NULL behind the last; borrowed. */
const char *const *qemuGatePolicyNodes(const qemuDriver *driver);
/* The policy's nodes (configuration's cgroup_device_acl, or the usual ones, and pseudo terminals)
 * and those in access. A node that isn't there is left out; VIR_ERR_SYSTEM_ERROR if one that must
 * be there can't be looked at. Caller frees. */
virDeviceRules *qemuGateRules(const qemuDriver *driver, const virHostAccess *access,
                              GError **error);
/* Only those in access, e.g. of one device: elements virDeviceRule; caller unrefs. */
GArray *qemuGateDeviceRules(const virHostAccess *access, GError **error);
