/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lease_qemu.c: <lease> for QEMU: nothing is told to it; the lock is the daemon's affair. */
#include "device/lease/lease_qemu.h"

#include "device/lease/lease.h"

static bool
qemuLeaseBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    qmpHostStep hold = {.type = QMP_HOST_LEASE, .path = VIR_LEASE(dev)->path};

    (void)qmpPlanHost(plan, &hold); /* hands out no descriptor */
    return true;
}

const virDeviceQemu virLeaseQemu = {
    .kind = &virLeaseKind,
    .build = qemuLeaseBuild,
};
