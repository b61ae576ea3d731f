/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vsock_qemu.c: <vsock> for QEMU: a vhost descriptor that has claimed the context id. */
#include "device/vsock/vsock_qemu.h"

#include "device/common/virtio_qemu.h"
#include "device/vsock/vsock.h"
#include "util/virerror.h"

static virVirtioModel
qemuVsockVariant(const virVsock *vsock)
{
    switch (vsock->model) {
    case VIR_VSOCK_MODEL_VIRTIO_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    case VIR_VSOCK_MODEL_VIRTIO_NON_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    default:
        return VIR_VIRTIO_MODEL_DEFAULT;
    }
}

static bool
qemuVsockComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  unsigned parseFlags, GError **error)
{
    virVsock *vsock = VIR_VSOCK(dev);

    if (vsock->model == VIR_VSOCK_MODEL_NONE)
        vsock->model = VIR_VSOCK_MODEL_VIRTIO;
    return true;
}

static bool
qemuVsockCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    if (!qmpCapsHas(caps, QMP_CAPS_VHOST_VSOCK))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vsock device is not supported with this QEMU binary"));
    return qemuVirtioCheck(&VIR_VSOCK(dev)->virtio, caps, error);
}

static bool
qemuVsockBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virVsock *vsock = VIR_VSOCK(dev);
    qmpHostStep claim = {.type = QMP_HOST_VSOCK,
                         .cid = vsock->cid.set ? vsock->cid.value : 0,
                         .alias = dev->info.alias,
                         .fds = 1};
    g_autoptr(virJSON) props =
        qemuVirtioProps(dev, "vhost-vsock", qemuVsockVariant(vsock), &vsock->virtio, ctx, error);
    g_autofree char *fd = NULL;

    if (!props)
        return false;
    fd = qmpPlanFdToken(plan, qmpPlanHost(plan, &claim), 0);
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddUInt(props, "guest-cid", vsock->cid.value);
    virJSONAddString(props, "vhostfd", fd);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virVsockQemu = {
    .kind = &virVsockKind,
    .stage = QEMU_BOOT_STAGE_LAST,
    .complete = qemuVsockComplete,
    .check = qemuVsockCheck,
    .build = qemuVsockBuild,
};
