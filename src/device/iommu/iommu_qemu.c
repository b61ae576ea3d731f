/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iommu_qemu.c: <iommu> for QEMU. */
#include "device/iommu/iommu_qemu.h"

#include "device/iommu/iommu.h"
#include "util/virerror.h"

enum { QEMU_WITH_VIRTIO_IOMMU = 7000000 }; /* before it the firmware could not boot with one */

static bool
qemuIOMMUCheckIntel(const virIOMMU *iommu, const qmpCaps *caps, GError **error)
{
    const struct {
        bool used;
        qmpCapsFlag flag;
        const char *text;
    } options[] = {
        {iommu->intremap, QMP_CAPS_INTEL_IOMMU_INTREMAP,
         N_("iommu: interrupt remapping is not supported with this QEMU binary")},
        {iommu->cachingMode, QMP_CAPS_INTEL_IOMMU_CACHING_MODE,
         N_("iommu: caching mode is not supported with this QEMU binary")},
        {iommu->eim, QMP_CAPS_INTEL_IOMMU_EIM,
         N_("iommu: eim is not supported with this QEMU binary")},
        {iommu->iotlb, QMP_CAPS_INTEL_IOMMU_DEVICE_IOTLB,
         N_("iommu: device IOTLB is not supported with this QEMU binary")},
        {iommu->awBits.value > 0, QMP_CAPS_INTEL_IOMMU_AW_BITS,
         N_("iommu: aw_bits is not supported with this QEMU binary")},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].used && !qmpCapsHas(caps, options[i].flag))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", _(options[i].text));
    }
    return true;
}

static bool
qemuIOMMUCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    const virIOMMU *iommu = VIR_IOMMU(dev);
    const char *model = virIOMMUModelToString(iommu->model);
    bool there;

    if (iommu->model == VIR_IOMMU_MODEL_SMMUV3)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("IOMMU device: '%s' is only supported with ARM Virt machines"), model);
    if (!facts->q35)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            iommu->model == VIR_IOMMU_MODEL_INTEL
                ? _("IOMMU device: '%s' is only supported with Q35 machines")
                : _("IOMMU device: '%s' is only supported with Q35 and ARM Virt machines"),
            model);
    there = iommu->model == VIR_IOMMU_MODEL_INTEL ? qmpCapsHas(caps, QMP_CAPS_INTEL_IOMMU)
                                                  : qmpCapsVersion(caps) >= QEMU_WITH_VIRTIO_IOMMU;
    if (!there)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("IOMMU device: '%s' is not supported with this QEMU binary"), model);
    return qemuIOMMUCheckIntel(iommu, caps, error);
}

static bool
qemuIOMMUBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virIOMMU *iommu = VIR_IOMMU(dev);
    g_autoptr(virJSON) props = virJSONObject();

    if (iommu->model == VIR_IOMMU_MODEL_VIRTIO) {
        virJSONAddString(props, "driver", "virtio-iommu");
        virJSONAddString(props, "id", dev->info.alias);
        if (!qemuAddressProps(dev, ctx, props, error))
            return false;
    } else {
        virJSONAddString(props, "driver", "intel-iommu");
        virJSONAddOnOff(props, "intremap", iommu->intremap);
        virJSONAddTristate(props, "caching-mode", iommu->cachingMode);
        virJSONAddOnOff(props, "eim", iommu->eim);
        virJSONAddTristate(props, "device-iotlb", iommu->iotlb);
        virJSONAddPositive(props, "aw-bits", iommu->awBits.value);
    }
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static qemuLocks
qemuIOMMULocks(const virDevice *dev)
{
    return QEMU_LOCKS_APART;
}

const virDeviceQemu virIOMMUQemu = {
    .kind = &virIOMMUKind,
    .stage = QEMU_BOOT_STAGE_FIRST,
    .check = qemuIOMMUCheck,
    .build = qemuIOMMUBuild,
    .locks = qemuIOMMULocks,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
