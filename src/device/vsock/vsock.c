/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vsock.c: <vsock> as a document. */
#include "device/vsock/vsock.h"

#include "util/virerror.h"

/* The kernel reserves 0 to 2 for hypervisor, local and host: vsock(7). */
enum { VIR_VSOCK_CID_MIN = 3 };

VIR_ENUM_DECL(virVsockModel);
VIR_ENUM_IMPL(virVsockModel, VIR_VSOCK_MODEL_LAST, "default", "virtio", "virtio-transitional",
              "virtio-non-transitional");

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virVsock, model, virVsockModelNames, .flags = VIR_FIELD_ABI),
    VIR_FIELD_YESNO("cid@auto", virVsock, autoCid),
    VIR_FIELD_UINT("cid@address", virVsock, cid, VIR_VSOCK_CID_MIN, UINT32_MAX),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_MIXIN(virVsock, virtio, virVirtioFields),
    VIR_FIELD_END,
};

static bool
virVsockComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virVsock *vsock = VIR_VSOCK(dev);

    if (vsock->autoCid == VIR_TRISTATE_ABSENT)
        vsock->autoCid = virTristateFromBool(!vsock->cid.set);
    if (vsock->autoCid == VIR_TRISTATE_YES && (parseFlags & VIR_PARSE_INACTIVE))
        vsock->cid = (virOptUInt){0};
    return true;
}

static bool
virVsockCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virVsock *vsock = VIR_VSOCK(dev);

    if (vsock->autoCid == VIR_TRISTATE_NO && !vsock->cid.set)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("guest CID needs to be specified for vsock with auto='no'"));
    return true;
}

static unsigned
virVsockPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    return virVirtioPCIConnect(facts, VIR_VSOCK(dev)->model == VIR_VSOCK_MODEL_VIRTIO_TRANSITIONAL
                                          ? VIR_VIRTIO_MODEL_TRANSITIONAL
                                          : VIR_VIRTIO_MODEL_DEFAULT);
}

static bool
virVsockMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    if (!virDevicesNth(devices, &virVsockKind, 0))
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                       live ? _("the domain already has a vsock device")
                            : _("domain already has a vsock device"));
}

const virDeviceKind virVsockKind = {
    .element = "vsock",
    .noun = "vsock",
    .size = sizeof(virVsock),
    .fields = fields,
    .complete = virVsockComplete,
    .check = virVsockCheck,
    .pciConnect = virVsockPCIConnect,
    .aliasPrefix = "vsock",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("matching vsock device not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
               N_("matching vsock device not found")},
    .mayJoin = virVsockMayJoin,
};
