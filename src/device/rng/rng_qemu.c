/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rng_qemu.c: <rng> for QEMU: an object that yields random numbers and the device in front. */
#include "device/rng/rng_qemu.h"

#include "device/common/chrsource_qemu.h"
#include "device/common/virtio_qemu.h"
#include "device/rng/rng.h"
#include "util/virerror.h"

/* libvirt's period, in milliseconds, where a rate names none */
enum { QEMU_RNG_PERIOD_DEFAULT = 1000 };

static bool
qemuRngBackendCheck(const virRng *rng, const qmpCaps *caps, GError **error)
{
    static const qmpCapsFlag flags[] = {
        [VIR_RNG_BACKEND_RANDOM] = QMP_CAPS_RNG_RANDOM,
        [VIR_RNG_BACKEND_EGD] = QMP_CAPS_RNG_EGD,
        [VIR_RNG_BACKEND_BUILTIN] = QMP_CAPS_RNG_BUILTIN,
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(flags) == VIR_RNG_BACKEND_LAST);

    if (!qmpCapsHas(caps, flags[rng->backend]))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("this qemu doesn't support the rng-%s backend"),
                           virRngBackendToString(rng->backend));
    return rng->backend != VIR_RNG_BACKEND_EGD || qemuChrSourceCheck(&rng->source, caps, error);
}

static bool
qemuRngCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps, GError **error)
{
    const virRng *rng = VIR_RNG(dev);

    return qemuRngBackendCheck(rng, caps, error) && qemuVirtioCheck(&rng->virtio, caps, error);
}

static bool
qemuRngClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims, GError **error)
{
    qemuChrSourceClaim(&VIR_RNG(dev)->source, ctx);
    return true;
}

static void
qemuRngTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virRng *rng = VIR_RNG(dev);

    if (rng->backend == VIR_RNG_BACKEND_RANDOM)
        virHostAccessAdd(out, dev, rng->path, VIR_HOST_READ | VIR_HOST_WRITE)->node = true;
    else if (rng->backend == VIR_RNG_BACKEND_EGD)
        qemuChrSourceTouches(&rng->source, dev, ctx, out);
}

static bool
qemuRngBuildBackend(const virRng *rng, const char *id, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    const virDevice *dev = &rng->base;
    g_autofree char *chardev = qemuChrId(dev);
    virJSON *props;

    if (rng->backend == VIR_RNG_BACKEND_EGD &&
        !qemuChrSourceBuild(&rng->source, dev, chardev, NULL, 0, ctx, plan, error))
        return false;
    props = virJSONObject();
    virJSONAddStringF(props, "qom-type", "rng-%s", virRngBackendToString(rng->backend));
    virJSONAddString(props, "id", id);
    if (rng->backend == VIR_RNG_BACKEND_EGD)
        virJSONAddString(props, "chardev", chardev);
    virJSONAddString(props, "filename", rng->path);
    qmpPlanObject(plan, props);
    return true;
}

static bool
qemuRngBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virRng *rng = VIR_RNG(dev);
    g_autofree char *backend = g_strdup_printf("obj%s", dev->info.alias);
    g_autoptr(virJSON) props =
        qemuVirtioProps(dev, "virtio-rng", virRngVariant(rng), &rng->virtio, ctx, error);

    if (!props)
        return false;
    virJSONAddString(props, "rng", backend);
    virJSONAddString(props, "id", dev->info.alias);
    if (rng->rateBytes.value > 0) {
        virJSONAddUInt(props, "max-bytes", rng->rateBytes.value);
        virJSONAddUInt(props, "period",
                       rng->ratePeriod.value ? rng->ratePeriod.value : QEMU_RNG_PERIOD_DEFAULT);
    }
    if (!qemuAddressProps(dev, ctx, props, error) ||
        !qemuRngBuildBackend(rng, backend, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virRngQemu = {
    .kind = &virRngKind,
    .stage = QEMU_BOOT_STAGE_LATE,
    .check = qemuRngCheck,
    .claim = qemuRngClaim,
    .touches = qemuRngTouches,
    .build = qemuRngBuild,
};
