/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memballoon_qemu.c: <memballoon> for QEMU. */
#include "device/memballoon/memballoon_qemu.h"

#include "device/common/virtio_qemu.h"
#include "device/memballoon/memballoon.h"
#include "util/virerror.h"

static bool
qemuMemballoonCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                    GError **error)
{
    const virMemballoon *balloon = VIR_MEMBALLOON(dev);

    if (balloon->model == VIR_MEMBALLOON_MODEL_NONE)
        return true;
    if (balloon->model == VIR_MEMBALLOON_MODEL_XEN)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("Memory balloon device type '%s' is not supported by this version of qemu"),
            virMemballoonModelToString(balloon->model));
    if (balloon->autodeflate != VIR_TRISTATE_ABSENT &&
        !qmpCapsHas(caps, QMP_CAPS_VIRTIO_BALLOON_PCI_DEFLATE_ON_OOM))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("deflate-on-oom is not supported by this QEMU binary"));
    if (balloon->freePageReporting != VIR_TRISTATE_ABSENT &&
        !qmpCapsHas(caps, QMP_CAPS_VIRTIO_BALLOON_FREE_PAGE_REPORTING))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("free-page-reporting is not supported by this QEMU binary"));
    return qemuVirtioCheck(&balloon->virtio, caps, error);
}

static virVirtioModel
qemuMemballoonVariant(const virMemballoon *balloon)
{
    switch (balloon->model) {
    case VIR_MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    case VIR_MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    default:
        return VIR_VIRTIO_MODEL_DEFAULT;
    }
}

static bool
qemuMemballoonBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    const virMemballoon *balloon = VIR_MEMBALLOON(dev);
    g_autoptr(virJSON) props = NULL;

    if (balloon->model == VIR_MEMBALLOON_MODEL_NONE)
        return true;
    props = qemuVirtioProps(dev, "virtio-balloon", qemuMemballoonVariant(balloon), &balloon->virtio,
                            ctx, error);
    if (!props)
        return false;
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddTristate(props, "deflate-on-oom", balloon->autodeflate);
    virJSONAddTristate(props, "free-page-reporting", balloon->freePageReporting);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static virJSON *
qemuMemballoonPeriodArguments(const virDevice *dev, uint64_t period)
{
    virJSON *args = virJSONObject();

    virJSONAddStringF(args, "path", "/machine/peripheral/%s", dev->info.alias);
    virJSONAddString(args, "property", "guest-stats-polling-interval");
    virJSONAddUInt(args, "value", period);
    return args;
}

void
qemuMemballoonPlanPeriod(const virDevice *dev, uint64_t period, qmpPlan *plan)
{
    const virMemballoon *balloon = VIR_MEMBALLOON(dev);
    uint64_t before = balloon->statsPeriod.set ? balloon->statsPeriod.value : 0;

    if (balloon->model == VIR_MEMBALLOON_MODEL_NONE)
        return;
    qmpPlanCommand(plan, "qom-set", qemuMemballoonPeriodArguments(dev, period), "qom-set",
                   qemuMemballoonPeriodArguments(dev, before));
}

static bool
qemuMemballoonAfterStart(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                         GError **error)
{
    const virMemballoon *balloon = VIR_MEMBALLOON(dev);
    const virDomainFacts *facts = ctx->facts;

    if (balloon->model != VIR_MEMBALLOON_MODEL_NONE && facts->memoryCurrentKiB < facts->memoryKiB) {
        virJSON *args = virJSONObject();

        virJSONAddUInt(args, "value", facts->memoryCurrentKiB * 1024);
        qmpPlanCommand(plan, "balloon", args, NULL, NULL);
    }
    if (balloon->statsPeriod.set)
        qemuMemballoonPlanPeriod(dev, balloon->statsPeriod.value, plan);
    return true;
}

/* Only how often statistics are read may change while the guest runs. */
static bool
qemuMemballoonUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                     qmpPlan *plan, GError **error)
{
    const virMemballoon *is = VIR_MEMBALLOON(dev);
    const virMemballoon *new = VIR_MEMBALLOON(wanted);

    if (is->model != new->model)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("cannot change memballoon model from '%s' to '%s'"),
                           virMemballoonModelToString(is->model),
                           virMemballoonModelToString(new->model));
    if (is->autodeflate != new->autodeflate)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("cannot modify memballoon autodeflate"));
    if (is->freePageReporting != new->freePageReporting)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("cannot modify memballoon free page reporting"));
    qemuMemballoonPlanPeriod(dev, new->statsPeriod.set ? new->statsPeriod.value : 0, plan);
    return true;
}

/* Every guest has a balloon unless it says that it wants none. */
static void
qemuMemballoonImplicit(const virDomainFacts *facts, const qmpCaps *caps,
                       void (*add)(virDevice *dev, void *opaque), void *opaque)
{
    virDevice *dev;

    if (virDevicesCount(facts->devices, &virMemballoonKind))
        return;
    dev = virDeviceNew(&virMemballoonKind);
    VIR_MEMBALLOON(dev)->model = VIR_MEMBALLOON_MODEL_VIRTIO;
    add(dev, opaque);
}

const virDeviceQemu virMemballoonQemu = {
    .kind = &virMemballoonKind,
    .stage = QEMU_BOOT_STAGE_LATE,
    .implicit = qemuMemballoonImplicit,
    .check = qemuMemballoonCheck,
    .build = qemuMemballoonBuild,
    .afterStart = qemuMemballoonAfterStart,
    .update = qemuMemballoonUpdate,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
