/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * video.c: <video> as a document. */
#include "device/video/video.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virVideoType, VIR_VIDEO_TYPE_LAST, NULL, "vga", "cirrus", "vmvga", "xen", "vbox",
              "qxl", "parallels", "virtio", "gop", "none", "bochs", "ramfb");
VIR_ENUM_IMPL(virVideoBackend, VIR_VIDEO_BACKEND_LAST, NULL, "qemu", "vhostuser");

static const char *const vgaConfs[] = {NULL, "io", "on", "off"};
static const virEnum vgaConfNames = {vgaConfs, G_N_ELEMENTS(vgaConfs)};

enum { VIR_VIDEO_VRAM_KIB = 16 * 1024, VIR_VIDEO_QXL_RAM_KIB = 64 * 1024 };

static const virField fields[] = {
    VIR_FIELD_MIXIN(virVideo, virtio, virVirtioFields),
    VIR_FIELD_ENUM("driver@vgaconf", virVideo, vgaConf, vgaConfNames),
    VIR_FIELD_ENUM("driver@name", virVideo, backend, virVideoBackendNames),
    VIR_FIELD_ENUM("model@type", virVideo, type, virVideoTypeNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown video model '%s'")),
    VIR_FIELD_UINT("model@ram", virVideo, ram, 0, UINT32_MAX, .flags = VIR_FIELD_ABI,
                   .unknown = N_("cannot parse video ram '%s'")),
    VIR_FIELD_UINT("model@vram", virVideo, vram, 0, UINT32_MAX, .flags = VIR_FIELD_ABI,
                   .unknown = N_("cannot parse video vram '%s'")),
    VIR_FIELD_UINT("model@vram64", virVideo, vram64, 0, UINT32_MAX, .flags = VIR_FIELD_ABI,
                   .unknown = N_("cannot parse video vram64 '%s'")),
    VIR_FIELD_UINT("model@vgamem", virVideo, vgamem, 0, UINT32_MAX, .flags = VIR_FIELD_ABI,
                   .unknown = N_("cannot parse video vgamem '%s'")),
    VIR_FIELD_UINT("model@heads", virVideo, heads, 0, UINT32_MAX, .flags = VIR_FIELD_ABI,
                   .unknown = N_("cannot parse video heads '%s'")),
    VIR_FIELD_YESNO("model@primary", virVideo, primary),
    VIR_FIELD_YESNO("model/acceleration@accel2d", virVideo, accel2d, .flags = VIR_FIELD_ABI),
    VIR_FIELD_YESNO("model/acceleration@accel3d", virVideo, accel3d, .flags = VIR_FIELD_ABI),
    VIR_FIELD_STRING("model/acceleration@rendernode", virVideo, renderNode),
    VIR_FIELD_UINT("model/resolution@x", virVideo, xres, 0, UINT32_MAX),
    VIR_FIELD_UINT("model/resolution@y", virVideo, yres, 0, UINT32_MAX),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static uint64_t
virVideoPowerOfTwo(uint64_t value)
{
    uint64_t power = 1;

    while (power < value)
        power *= 2;
    return power;
}

static void
virVideoCompleteMemory(virVideo *video)
{
    switch (video->type) {
    case VIR_VIDEO_TYPE_QXL:
        if (video->ram.value == 0)
            video->ram = virOptUIntOf(VIR_VIDEO_QXL_RAM_KIB);
        if (video->vram.value == 0)
            video->vram = virOptUIntOf(VIR_VIDEO_QXL_RAM_KIB);
        break;
    case VIR_VIDEO_TYPE_VGA:
    case VIR_VIDEO_TYPE_CIRRUS:
    case VIR_VIDEO_TYPE_VMVGA:
    case VIR_VIDEO_TYPE_BOCHS:
        if (video->vram.value == 0)
            video->vram = virOptUIntOf(VIR_VIDEO_VRAM_KIB);
        break;
    default:
        break;
    }
    if (video->ram.value)
        video->ram.value = virVideoPowerOfTwo(video->ram.value);
    if (video->vram.value)
        video->vram.value = virVideoPowerOfTwo(video->vram.value);
    video->ram.set = video->ram.value != 0;
    video->vram.set = video->vram.value != 0;
    video->vram64.set = video->vram64.value != 0;
    video->vgamem.set = video->vgamem.value != 0;
}

void
virVideoSetType(virVideo *video, virVideoType type)
{
    video->type = type;
    virVideoCompleteMemory(video);
}

static bool
virVideoComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virVideo *video = VIR_VIDEO(dev);
    bool first = virDevicesNth(facts->devices, &virVideoKind, 0) == dev;

    if (!video->heads.set)
        video->heads = virOptUIntOf(1);
    if (video->primary == VIR_TRISTATE_NO)
        video->primary = VIR_TRISTATE_ABSENT;
    if (first && video->type != VIR_VIDEO_TYPE_NONE)
        video->primary = VIR_TRISTATE_YES;
    virVideoCompleteMemory(video);
    return true;
}

static bool
virVideoCheckSet(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    virDevicesForEach(facts->devices, &virVideoKind, other)
    {
        if (other == dev)
            continue;
        if (VIR_VIDEO(dev)->type == VIR_VIDEO_TYPE_NONE)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("a 'none' video type must be the only video device defined for "
                                 "the domain"));
        if (VIR_VIDEO(dev)->primary == VIR_TRISTATE_YES &&
            VIR_VIDEO(other)->primary == VIR_TRISTATE_YES)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("Only one primary video device is supported"));
    }
    return true;
}

static bool
virVideoCheckQXLOnly(const virVideo *video, GError **error)
{
    const char *name = NULL;

    if (video->type == VIR_VIDEO_TYPE_QXL)
        return true;
    if (video->ram.set)
        name = "ram";
    else if (video->vram64.set)
        name = "vram64";
    else if (video->vgamem.set)
        name = "vgamem";
    return !name || virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                _("%s attribute only supported for video type qxl"), name);
}

static bool
virVideoCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virVideo *video = VIR_VIDEO(dev);

    if (!virVideoCheckSet(dev, facts, error) || !virVideoCheckQXLOnly(video, error))
        return false;
    if (video->backend == VIR_VIDEO_BACKEND_VHOST_USER) {
        if (video->type != VIR_VIDEO_TYPE_VIRTIO)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("'vhostuser' driver is only supported with 'virtio' device"));
    } else if (video->renderNode) {
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("unsupported rendernode accel attribute without 'vhostuser'"));
    }
    if ((video->xres.set || video->yres.set) && (video->xres.value == 0 || video->yres.value == 0))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("video resolution values must be greater than 0"));
    return video->type == VIR_VIDEO_TYPE_VIRTIO || virVirtioCheckUnused(&video->virtio, error);
}

/* The primary one stands first, wherever it was given. */
static int
virVideoOrder(const virDevice *a, const virDevice *b)
{
    return VIR_VIDEO(b)->primary == VIR_TRISTATE_YES && VIR_VIDEO(a)->primary != VIR_TRISTATE_YES
               ? 1
               : -1;
}

static unsigned
virVideoPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    switch (VIR_VIDEO(dev)->type) {
    case VIR_VIDEO_TYPE_VIRTIO:
    case VIR_VIDEO_TYPE_BOCHS:
        return virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_DEFAULT);
    case VIR_VIDEO_TYPE_DEFAULT:
    case VIR_VIDEO_TYPE_NONE:
    case VIR_VIDEO_TYPE_RAMFB:
        return 0;
    default:
        return VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
    }
}

/* The first card's: behind the chips that are part of the machine. */
static bool
virVideoPCIPlace(const virDevice *dev, const virDomainFacts *facts, virPCIPlace *ret)
{
    if (virDevicesNth(facts->devices, &virVideoKind, 0) != dev || !virVideoPCIConnect(dev, facts) ||
        (!facts->i440fx && !facts->q35))
        return false;
    *ret =
        (virPCIPlace){.slot = facts->q35 ? 1 : 2, .must = !facts->primaryVideoFree, .next = true};
    return true;
}

const virDeviceKind virVideoKind = {
    .element = "video",
    .noun = "video",
    .size = sizeof(virVideo),
    .fields = fields,
    .complete = virVideoComplete,
    .check = virVideoCheck,
    .order = virVideoOrder,
    .pciConnect = virVideoPCIConnect,
    .pciPlace = virVideoPCIPlace,
    .aliasPrefix = "video",
};
