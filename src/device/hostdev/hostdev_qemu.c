/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostdev_qemu.c: <hostdev> for QEMU. */
#include "device/hostdev/hostdev_qemu.h"

#include <fcntl.h>

#include "device/common/virtio_qemu.h"
#include "device/graphics/graphics.h"
#include "device/hostdev/hostdev.h"
#include "device/hostdev/scsi_qemu.h"
#include "util/virerror.h"

static bool
qemuHostdevComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                    unsigned parseFlags, GError **error)
{
    virHostdev *hostdev = VIR_HOSTDEV(dev);

    /* QEMU's own default may change; nobody asked for a display */
    if (hostdev->model == VIR_HOSTDEV_MODEL_VFIO_PCI && hostdev->display == VIR_TRISTATE_ABSENT &&
        caps && qmpCapsHas(caps, QMP_CAPS_VFIO_PCI_DISPLAY))
        hostdev->display = VIR_TRISTATE_NO;
    return true;
}

/* --- checks --- */

static bool
qemuHostdevCheckMdev(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                     GError **error)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);

    switch (hostdev->model) {
    case VIR_HOSTDEV_MODEL_VFIO_AP:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("VFIO AP device assignment is not supported by this version of QEMU"));
    case VIR_HOSTDEV_MODEL_VFIO_CCW:
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("VFIO CCW device assignment is not supported by this version of QEMU"));
    default:
        break;
    }
    if (dev->info.bootIndex.set)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("booting from assigned devices is not supported by mediated devices "
                             "of model vfio-pci"));
    if (hostdev->display == VIR_TRISTATE_ABSENT)
        return true;
    if (!qmpCapsHas(caps, QMP_CAPS_VFIO_PCI_DISPLAY))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("display property of device vfio-pci is not supported by this "
                             "version of QEMU"));
    if (hostdev->display == VIR_TRISTATE_YES &&
        virDevicesCount(facts->devices, &virGraphicsKind) == 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("graphics device is needed for attribute value 'display=on' in "
                             "<hostdev>"));
    return true;
}

static bool
qemuHostdevCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                 GError **error)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);

    if (virHostdevUsesVFIO(hostdev) && !qmpCapsHas(caps, QMP_CAPS_VFIO_PCI))
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("VFIO PCI device assignment is not supported by this version of QEMU"));
    if (virHostdevUsesIommufd(hostdev) &&
        (!qmpCapsHas(caps, QMP_CAPS_IOMMUFD) || !qmpCapsHas(caps, QMP_CAPS_VFIO_PCI_IOMMUFD)))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<driver iommufd='yes'/> of <hostdev>: IOMMUFD is not supported by "
                             "this version of QEMU"));
    if (hostdev->type == VIR_HOSTDEV_TYPE_MDEV)
        return qemuHostdevCheckMdev(dev, facts, caps, error);
    if (hostdev->type == VIR_HOSTDEV_TYPE_SCSI_HOST && dev->info.bootIndex.set)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("booting from assigned devices is not supported by vhost SCSI devices"));
    return true;
}

/* --- what is found at each start --- */

/* A device by its kind is where it was plugged in last. */
static bool
qemuHostdevUSBClaim(virHostdevSource *source, const qemuClaims *claims, GError **error)
{
    g_autoptr(GError) absent = NULL;

    if (source->bus && !source->autoAddress)
        return true;
    if (!source->vendor.set)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("USB host device is missing bus/device information"));
    if (!claims->usbDevice)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("USB devices of the host cannot be looked up here"));
    source->autoAddress = true;
    if (claims->usbDevice((unsigned)source->vendor.value, (unsigned)source->product.value,
                          &source->bus, &source->device, claims->opaque, &absent))
        return true;
    source->missing = source->startupPolicy == VIR_HOSTDEV_STARTUP_OPTIONAL;
    if (!source->missing)
        g_propagate_error(error, g_steal_pointer(&absent));
    return source->missing;
}

static bool
qemuHostdevClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                 GError **error)
{
    virHostdev *hostdev = VIR_HOSTDEV(dev);

    switch (hostdev->type) {
    case VIR_HOSTDEV_TYPE_USB:
        return qemuHostdevUSBClaim(&hostdev->source, claims, error);
    case VIR_HOSTDEV_TYPE_SCSI:
        return qemuHostdevSCSIClaim(hostdev, ctx, claims, error);
    case VIR_HOSTDEV_TYPE_PCI: /* what is wrong with it is told when it is taken */
        g_free(hostdev->vfioGroup);
        hostdev->vfioGroup = claims->vfioGroup && !virHostdevUsesIommufd(hostdev)
                                 ? claims->vfioGroup(&hostdev->source.pci, claims->opaque)
                                 : NULL;
        return true;
    default:
        return true;
    }
}

static char *
qemuHostdevUSBNode(const virHostdevSource *source)
{
    return g_strdup_printf("/dev/bus/usb/%03u/%03u", source->bus, source->device);
}

static void
qemuHostdevTouchVFIO(const virDevice *dev, virHostAccess *out)
{
    const char *node = VIR_HOSTDEV(dev)->vfioGroup;

    if (virHostdevUsesIommufd(VIR_HOSTDEV(dev)))
        return; /* QEMU opens nothing */
    virHostAccessAdd(out, dev, "/dev/vfio/vfio", VIR_HOST_READ | VIR_HOST_WRITE)->node = true;
    if (node) {
        virHostResource *group = virHostAccessAdd(out, dev, node, VIR_HOST_READ | VIR_HOST_WRITE);

        group->node = true;
        group->own = true;
    }
}

static void
qemuHostdevTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);
    g_autofree char *path = NULL;
    virHostResource *node;

    if (virHostdevUsesVFIO(hostdev)) {
        qemuHostdevTouchVFIO(dev, out);
        return;
    }
    if (hostdev->type == VIR_HOSTDEV_TYPE_USB && hostdev->source.bus)
        path = qemuHostdevUSBNode(&hostdev->source);
    else if (hostdev->type == VIR_HOSTDEV_TYPE_SCSI)
        path = g_strdup(hostdev->scsiGeneric);
    if (!path || hostdev->source.missing)
        return;
    node = virHostAccessAdd(out, dev, path,
                            hostdev->readonly ? VIR_HOST_READ : VIR_HOST_READ | VIR_HOST_WRITE);
    node->node = true;
    node->own = true;
}

/* --- building --- */

static virJSON *
qemuHostdevUSBProps(const virHostdev *hostdev, const qemuBuildContext *ctx)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "usb-host");
    if (qmpCapsHas(ctx->caps, QMP_CAPS_USB_HOST_HOSTDEVICE)) {
        g_autofree char *node = qemuHostdevUSBNode(&hostdev->source);

        virJSONAddString(props, "hostdevice", node);
    } else {
        virJSONAddUInt(props, "hostbus", hostdev->source.bus);
        virJSONAddUInt(props, "hostaddr", hostdev->source.device);
    }
    virJSONAddString(props, "id", hostdev->base.info.alias);
    qemuBootIndexProps(&hostdev->base, ctx, props);
    if (hostdev->source.guestReset) {
        const char *reset = virHostdevSourceGuestReset(&hostdev->source);

        virJSONAddBool(props, "guest-reset", !g_str_equal(reset, "off"));
        virJSONAddBool(props, "guest-resets-all", g_str_equal(reset, "on"));
    }
    return props;
}

/* The device must be free of its driver, and ready to be opened, before QEMU sees it. Returns the
 * number of the step. */
static unsigned
qemuHostdevPlanVFIO(const virHostdev *hostdev, qmpPlan *plan)
{
    g_autofree char *pci = virPCIAddressToString(&hostdev->source.pci);
    bool mdev = hostdev->type == VIR_HOSTDEV_TYPE_MDEV;
    qmpHostStep ready = {.type = QMP_HOST_VFIO,
                         .path = mdev ? hostdev->source.uuid : pci,
                         .flags = hostdev->managed == VIR_TRISTATE_YES,
                         .fds = virHostdevUsesIommufd(hostdev) ? 1 : 0,
                         .alias = hostdev->base.info.alias};

    return qmpPlanHost(plan, &ready);
}

/* Devices of one IOMMU group must be in one IOMMU of iommufd's, so all of the guest's are: it comes
 * with the first of them and goes with the last. On the command line that is the first one of the
 * document, later the one that is alone there. */
static bool
qemuHostdevBringsIommufd(const virHostdev *hostdev, const qemuBuildContext *ctx)
{
    virDevicesForEach(ctx->facts->devices, &virHostdevKind, other)
    {
        if (other == &hostdev->base) {
            if (!ctx->hotplug)
                return true;
        } else if (virHostdevUsesIommufd(VIR_HOSTDEV(other))) {
            return false;
        }
    }
    return true;
}

static void
qemuHostdevPlanIommufd(const virHostdev *hostdev, const qemuBuildContext *ctx, unsigned ready,
                       qmpPlan *plan, virJSON *props)
{
    const qmpHostStep opened = {
        .type = QMP_HOST_IOMMUFD, .alias = hostdev->base.info.alias, .fds = 1};
    g_autofree char *device = qmpPlanFdToken(plan, ready, 0);

    if (qemuHostdevBringsIommufd(hostdev, ctx)) {
        g_autofree char *iommu = qmpPlanFdToken(plan, qmpPlanHost(plan, &opened), 0);
        virJSON *object = virJSONObject();

        virJSONAddString(object, "qom-type", "iommufd");
        virJSONAddString(object, "id", "iommufd0");
        virJSONAddString(object, "fd", iommu);
        qmpPlanObject(plan, object);
    }
    virJSONAddString(props, "iommufd", "iommufd0");
    virJSONAddString(props, "fd", device);
}

static virJSON *
qemuHostdevPCIProps(const virHostdev *hostdev, const qemuBuildContext *ctx, qmpPlan *plan)
{
    g_autofree char *host = virPCIAddressToString(&hostdev->source.pci);
    const unsigned ready = qemuHostdevPlanVFIO(hostdev, plan);
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "vfio-pci");
    if (virHostdevUsesIommufd(hostdev))
        qemuHostdevPlanIommufd(hostdev, ctx, ready, plan, props);
    else
        virJSONAddString(props, "host", host);
    virJSONAddString(props, "id", hostdev->base.info.alias);
    qemuBootIndexProps(&hostdev->base, ctx, props);
    virJSONAddString(props, "failover_pair_id", hostdev->teamingPersistent);
    return props;
}

static virJSON *
qemuHostdevMdevProps(const virHostdev *hostdev)
{
    virJSON *props = virJSONObject();
    bool ramfb = hostdev->ramfb == VIR_TRISTATE_YES;

    virJSONAddString(props, "driver", ramfb ? "vfio-pci-nohotplug" : "vfio-pci");
    virJSONAddString(props, "id", hostdev->base.info.alias);
    virJSONAddStringF(props, "sysfsdev", "/sys/bus/mdev/devices/%s", hostdev->source.uuid);
    virJSONAddOnOff(props, "display", hostdev->display);
    virJSONAddTristate(props, "ramfb", hostdev->ramfb);
    return props;
}

static virVirtioModel
qemuHostdevVariant(const virHostdev *hostdev)
{
    switch (hostdev->model) {
    case VIR_HOSTDEV_MODEL_VIRTIO_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    case VIR_HOSTDEV_MODEL_VIRTIO_NON_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    default:
        return VIR_VIRTIO_MODEL_DEFAULT;
    }
}

static virJSON *
qemuHostdevVhostProps(const virHostdev *hostdev, const qemuBuildContext *ctx, qmpPlan *plan,
                      GError **error)
{
    qmpHostStep opened = {.type = QMP_HOST_OPEN,
                          .path = (char *)"/dev/vhost-scsi",
                          .flags = O_RDWR,
                          .alias = hostdev->base.info.alias,
                          .fds = 1};
    virJSON *props = qemuVirtioProps(&hostdev->base, "vhost-scsi", qemuHostdevVariant(hostdev),
                                     NULL, ctx, error);
    g_autofree char *fd = NULL;

    if (!props)
        return NULL;
    fd = qmpPlanFdToken(plan, qmpPlanHost(plan, &opened), 0);
    virJSONAddString(props, "wwpn", hostdev->source.wwpn);
    virJSONAddString(props, "vhostfd", fd);
    virJSONAddString(props, "id", hostdev->base.info.alias);
    return props;
}

static bool
qemuHostdevBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);
    g_autoptr(virJSON) props = NULL;

    if (hostdev->source.missing || dev->info.address.type == VIR_ADDRESS_UNASSIGNED)
        return true;
    switch (hostdev->type) {
    case VIR_HOSTDEV_TYPE_SCSI:
        return qemuHostdevSCSIBuild(hostdev, ctx, plan, error);
    case VIR_HOSTDEV_TYPE_SCSI_HOST:
        props = qemuHostdevVhostProps(hostdev, ctx, plan, error);
        break;
    case VIR_HOSTDEV_TYPE_USB:
        props = qemuHostdevUSBProps(hostdev, ctx);
        break;
    case VIR_HOSTDEV_TYPE_PCI:
        props = qemuHostdevPCIProps(hostdev, ctx, plan);
        break;
    default:
        (void)qemuHostdevPlanVFIO(hostdev, plan);
        props = qemuHostdevMdevProps(hostdev);
    }
    if (!props || !qemuAddressProps(dev, ctx, props, error))
        return false;
    if (hostdev->type == VIR_HOSTDEV_TYPE_PCI)
        qemuRomProps(dev, props);
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static bool
qemuHostdevHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    if (VIR_HOSTDEV(dev)->ramfb != VIR_TRISTATE_YES)
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("hotplug is not supported for a mediated device with ramfb"));
}

static qemuLocks
qemuHostdevLocks(const virDevice *dev)
{
    return virHostdevUsesVFIO(VIR_HOSTDEV(dev)) ? QEMU_LOCKS_SHARED : QEMU_LOCKS_NOTHING;
}

const virDeviceQemu virHostdevQemu = {
    .kind = &virHostdevKind,
    .complete = qemuHostdevComplete,
    .check = qemuHostdevCheck,
    .claim = qemuHostdevClaim,
    .touches = qemuHostdevTouches,
    .locks = qemuHostdevLocks,
    .build = qemuHostdevBuild,
    .hotpluggable = qemuHostdevHotpluggable,
};
