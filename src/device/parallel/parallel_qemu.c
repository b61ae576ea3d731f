/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parallel_qemu.c: <parallel> for QEMU. */
#include "device/parallel/parallel_qemu.h"

#include "device/common/chrsource_qemu.h"
#include "device/parallel/parallel.h"

static bool
qemuParallelCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error)
{
    return qemuChrSourceCheck(&VIR_PARALLEL(dev)->source, caps, error);
}

static bool
qemuParallelClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                  GError **error)
{
    qemuChrSourceClaim(&VIR_PARALLEL(dev)->source, ctx);
    return true;
}

static void
qemuParallelTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    qemuChrSourceTouches(&VIR_PARALLEL(dev)->source, dev, ctx, out);
}

static bool
qemuParallelBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autofree char *id = qemuChrId(dev);
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", "isa-parallel");
    virJSONAddString(props, "chardev", id);
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error) ||
        !qemuChrSourceBuild(&VIR_PARALLEL(dev)->source, dev, id, "vdagent", 0, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static void
qemuParallelLearn(virDevice *dev, const char *command, virJSON *reply)
{
    qemuChrSourceLearn(&VIR_PARALLEL(dev)->source, dev, command, reply);
}

const virDeviceQemu virParallelQemu = {
    .kind = &virParallelKind,
    .check = qemuParallelCheck,
    .claim = qemuParallelClaim,
    .touches = qemuParallelTouches,
    .build = qemuParallelBuild,
    .learn = qemuParallelLearn,
};
