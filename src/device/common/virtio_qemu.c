/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio_qemu.c: how a virtio front end is called and which options it takes. */
#include "device/common/virtio_qemu.h"

#include "util/virerror.h"

static const char *
qemuVirtioBusSuffix(const virDevice *dev)
{
    switch (dev->info.address.type) {
    case VIR_ADDRESS_PCI:
    case VIR_ADDRESS_NONE: /* not placed yet: a PCI machine will */
        return "-pci";
    case VIR_ADDRESS_VIRTIO_MMIO:
        return "-device";
    default:
        return NULL;
    }
}

/* Before QEMU 4.0 the variants were properties of the one device. */
static void
qemuVirtioOldVariant(virJSON *props, virVirtioModel model)
{
    bool transitional = model == VIR_VIRTIO_MODEL_TRANSITIONAL;

    virJSONAddOnOff(props, "disable-legacy", virTristateFromBool(!transitional));
    virJSONAddOnOff(props, "disable-modern", VIR_TRISTATE_NO);
}

virJSON *
qemuVirtioProps(const virDevice *dev, const char *base, virVirtioModel model,
                const virVirtioOptions *options, const qemuBuildContext *ctx, GError **error)
{
    bool named = qmpCapsHas(ctx->caps, QMP_CAPS_VIRTIO_PCI_NON_TRANSITIONAL);
    const char *suffix = qemuVirtioBusSuffix(dev);
    const char *variant = "";
    virJSON *props;

    if (!suffix) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Unexpected address type for '%s'"), base);
        return NULL;
    }
    if (model != VIR_VIRTIO_MODEL_DEFAULT && dev->info.address.type != VIR_ADDRESS_PCI) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("virtio (non-)transitional models are not supported for address type=%s"),
                    virAddressTypeToString(dev->info.address.type));
        return NULL;
    }
    if (model != VIR_VIRTIO_MODEL_DEFAULT && !named &&
        !qmpCapsHas(ctx->caps, QMP_CAPS_VIRTIO_PCI_DISABLE_LEGACY)) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                    _("virtio (non-)transitional models are not supported by this QEMU binary"));
        return NULL;
    }
    if (named && model == VIR_VIRTIO_MODEL_TRANSITIONAL)
        variant = "-transitional";
    else if (named && model == VIR_VIRTIO_MODEL_NON_TRANSITIONAL)
        variant = "-non-transitional";

    props = virJSONObject();
    virJSONAddStringF(props, "driver", "%s%s%s", base, suffix, variant);
    if (model != VIR_VIRTIO_MODEL_DEFAULT && !named)
        qemuVirtioOldVariant(props, model);
    if (options) {
        virJSONAddTristate(props, "iommu_platform", options->iommu);
        virJSONAddTristate(props, "ats", options->ats);
        virJSONAddTristate(props, "packed", options->packed);
        virJSONAddTristate(props, "page-per-vq", options->pagePerVq);
    }
    return props;
}

bool
qemuVirtioCheck(const virVirtioOptions *options, const qmpCaps *caps, GError **error)
{
    if (options->iommu != VIR_TRISTATE_ABSENT && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_IOMMU_PLATFORM))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("the iommu setting is not supported with this QEMU binary"));
    if (options->ats != VIR_TRISTATE_ABSENT && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_ATS))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("the ats setting is not supported with this QEMU binary"));
    if (options->packed != VIR_TRISTATE_ABSENT && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_PACKED))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("the packed setting is not supported with this QEMU binary"));
    return true;
}
