/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * video_qemu.c: <video> for QEMU: which device a type is, and the memory it gets. */
#include "device/video/video_qemu.h"

#include "device/common/virtio_qemu.h"
#include "device/graphics/graphics.h"
#include "device/video/video.h"
#include "util/virerror.h"

enum { QEMU_VIDEO_QXL_VGAMEM_KIB = 16 * 1024 };

/* The first of these that the binary has is the type of a device that names none. */
static const struct {
    virVideoType type;
    qmpCapsFlag flag;
} defaults[] = {
    {VIR_VIDEO_TYPE_CIRRUS, QMP_CAPS_CIRRUS_VGA},
    {VIR_VIDEO_TYPE_VGA, QMP_CAPS_VGA},
};

static bool
qemuVideoComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  unsigned parseFlags, GError **error)
{
    virVideo *video = VIR_VIDEO(dev);

    for (size_t i = 0; caps && video->type == VIR_VIDEO_TYPE_DEFAULT && i < G_N_ELEMENTS(defaults);
         i++) {
        if (qmpCapsHas(caps, defaults[i].flag))
            virVideoSetType(video, defaults[i].type);
    }
    if (caps && video->type == VIR_VIDEO_TYPE_DEFAULT)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("missing video model and cannot determine default"));
    if (video->type == VIR_VIDEO_TYPE_QXL && video->vgamem.value == 0)
        video->vgamem = virOptUIntOf(QEMU_VIDEO_QXL_VGAMEM_KIB);
    return true;
}

/* --- which device --- */

/* Devices that draw like a VGA before a driver runs, or are nothing but a frame buffer. */
static const struct {
    const char *model;
    qmpCapsFlag flag;
} vgas[VIR_VIDEO_TYPE_LAST] = {
    [VIR_VIDEO_TYPE_VGA] = {"VGA", QMP_CAPS_VGA},
    [VIR_VIDEO_TYPE_CIRRUS] = {"cirrus-vga", QMP_CAPS_CIRRUS_VGA},
    [VIR_VIDEO_TYPE_VMVGA] = {"vmware-svga", QMP_CAPS_VMWARE_SVGA},
    [VIR_VIDEO_TYPE_QXL] = {"qxl-vga", QMP_CAPS_QXL},
    [VIR_VIDEO_TYPE_BOCHS] = {"bochs-display", QMP_CAPS_BOCHS_DISPLAY},
    [VIR_VIDEO_TYPE_RAMFB] = {"ramfb", QMP_CAPS_RAMFB},
};

typedef struct {
    const char *model;
    qmpCapsFlag flag;
    bool virtio; /* the model is a virtio base name: its bus is to be added */
    bool gl;     /* OpenGL is another device, not a property */
} qemuVideoModel;

static qemuVideoModel
qemuVideoModelVhostUser(const virVideo *video, const qmpCaps *caps)
{
    if (video->primary == VIR_TRISTATE_YES && qmpCapsHas(caps, QMP_CAPS_VHOST_USER_VGA))
        return (qemuVideoModel){"vhost-user-vga", QMP_CAPS_VHOST_USER_VGA, false, false};
    return (qemuVideoModel){"vhost-user-gpu", QMP_CAPS_VHOST_USER_GPU, true, false};
}

static qemuVideoModel
qemuVideoModelVirtio(const virVideo *video, const qmpCaps *caps)
{
    bool wants3d = video->accel3d == VIR_TRISTATE_YES;

    if (video->primary == VIR_TRISTATE_YES && qmpCapsHas(caps, QMP_CAPS_VIRTIO_VGA)) {
        if (wants3d && qmpCapsHas(caps, QMP_CAPS_VIRTIO_VGA_GL))
            return (qemuVideoModel){"virtio-vga-gl", QMP_CAPS_VIRTIO_VGA_GL, false, true};
        return (qemuVideoModel){"virtio-vga", QMP_CAPS_VIRTIO_GPU, false, false};
    }
    if (wants3d && qmpCapsHas(caps, QMP_CAPS_VIRTIO_GPU_GL_PCI))
        return (qemuVideoModel){"virtio-gpu-gl", QMP_CAPS_VIRTIO_GPU_GL_PCI, true, true};
    return (qemuVideoModel){"virtio-gpu", QMP_CAPS_VIRTIO_GPU, true, false};
}

static qemuVideoModel
qemuVideoModelOf(const virVideo *video, const qmpCaps *caps)
{
    if (video->backend == VIR_VIDEO_BACKEND_VHOST_USER)
        return qemuVideoModelVhostUser(video, caps);
    if (video->type == VIR_VIDEO_TYPE_VIRTIO)
        return qemuVideoModelVirtio(video, caps);
    if (video->type == VIR_VIDEO_TYPE_QXL && video->primary != VIR_TRISTATE_YES)
        return (qemuVideoModel){"qxl", QMP_CAPS_QXL, false, false};
    return (qemuVideoModel){vgas[video->type].model, vgas[video->type].flag, false, false};
}

/* --- checks --- */

static bool
qemuVideoCheckModel(const virVideo *video, const qmpCaps *caps, GError **error)
{
    qemuVideoModel model = qemuVideoModelOf(video, caps);

    if (!model.model || !qmpCapsHas(caps, model.flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("domain configuration does not support video model '%s'"),
                           virVideoTypeToString(video->type));
    if (video->accel3d == VIR_TRISTATE_YES && video->type == VIR_VIDEO_TYPE_VIRTIO &&
        video->backend != VIR_VIDEO_BACKEND_VHOST_USER && !model.gl &&
        !qmpCapsHas(caps, QMP_CAPS_VIRTIO_GPU_VIRGL))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%s 3d acceleration is not supported"),
                           virVideoTypeToString(video->type));
    return true;
}

static bool
qemuVideoCheckLimit(const char *name, virOptUInt kib, GError **error)
{
    unsigned limit = UINT32_MAX / 1024; /* QEMU takes bytes in 32 bits */

    return kib.value <= limit ||
           virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("value for '%s' must be less than '%u'"), name, limit);
}

static bool
qemuVideoCheckMemory(const virVideo *video, GError **error)
{
    if (video->type == VIR_VIDEO_TYPE_QXL) {
        if (!qemuVideoCheckLimit("vram", video->vram, error) ||
            !qemuVideoCheckLimit("ram", video->ram, error))
            return false;
        if (video->vgamem.set && video->vgamem.value < 1024)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("value for 'vgamem' must be at least 1 MiB (1024 KiB)"));
        if (video->vgamem.value & (video->vgamem.value - 1))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("value for 'vgamem' must be power of two"));
        return true;
    }
    if ((video->type == VIR_VIDEO_TYPE_VGA || video->type == VIR_VIDEO_TYPE_VMVGA) &&
        video->vram.set && video->vram.value < 1024)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("value for 'vram' must be at least 1 MiB (1024 KiB)"));
    return true;
}

static bool
qemuVideoCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    const virVideo *video = VIR_VIDEO(dev);

    switch (video->type) {
    case VIR_VIDEO_TYPE_NONE:
        return true;
    case VIR_VIDEO_TYPE_XEN:
    case VIR_VIDEO_TYPE_VBOX:
    case VIR_VIDEO_TYPE_PARALLELS:
    case VIR_VIDEO_TYPE_GOP:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("video type '%s' is not supported with QEMU"),
                           virVideoTypeToString(video->type));
    default:
        break;
    }
    if (video->primary != VIR_TRISTATE_YES && video->type != VIR_VIDEO_TYPE_QXL &&
        video->type != VIR_VIDEO_TYPE_VIRTIO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("video type '%s' is only valid as primary video device"),
                           virVideoTypeToString(video->type));
    if (video->type == VIR_VIDEO_TYPE_RAMFB && dev->info.address.type != VIR_ADDRESS_NONE)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("'address' is not supported for 'ramfb' video devices"));
    if (video->accel2d == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("qemu does not support the accel2d setting"));
    return qemuVideoCheckMemory(video, error) && qemuVideoCheckModel(video, caps, error) &&
           qemuVirtioCheck(&video->virtio, caps, error);
}

static void
qemuVideoTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virVideo *video = VIR_VIDEO(dev);

    if (video->renderNode) {
        virHostResource *node =
            virHostAccessAdd(out, dev, video->renderNode, VIR_HOST_READ | VIR_HOST_WRITE);

        node->node = true;
    }
}

/* --- properties --- */

static void
qemuVideoPropsQXL(const virVideo *video, const qmpCaps *caps, virJSON *props)
{
    virJSONAddUInt(props, "ram_size", video->ram.value * 1024);
    virJSONAddUInt(props, "vram_size", video->vram.value * 1024);
    if (qmpCapsHas(caps, QMP_CAPS_QXL_VRAM64_SIZE_MB))
        virJSONAddUInt(props, "vram64_size_mb", video->vram64.value / 1024);
    if (qmpCapsHas(caps, QMP_CAPS_QXL_VGAMEM_MB))
        virJSONAddUInt(props, "vgamem_mb", video->vgamem.value / 1024);
    if (qmpCapsHas(caps, QMP_CAPS_QXL_MAX_OUTPUTS) && video->heads.set)
        virJSONAddUInt(props, "max_outputs", video->heads.value);
}

static void
qemuVideoPropsByType(const virVideo *video, const qmpCaps *caps, virJSON *props)
{
    switch (video->type) {
    case VIR_VIDEO_TYPE_QXL:
        qemuVideoPropsQXL(video, caps, props);
        break;
    case VIR_VIDEO_TYPE_VIRTIO:
        if (qmpCapsHas(caps, QMP_CAPS_VIRTIO_GPU_MAX_OUTPUTS))
            virJSONAddPositive(props, "max_outputs", video->heads.value);
        break;
    case VIR_VIDEO_TYPE_VGA:
        if (qmpCapsHas(caps, QMP_CAPS_VGA_VGAMEM_MB))
            virJSONAddPositive(props, "vgamem_mb", video->vram.value / 1024);
        break;
    case VIR_VIDEO_TYPE_VMVGA:
        if (qmpCapsHas(caps, QMP_CAPS_VMWARE_SVGA_VGAMEM_MB))
            virJSONAddPositive(props, "vgamem_mb", video->vram.value / 1024);
        break;
    case VIR_VIDEO_TYPE_BOCHS:
        virJSONAddPositive(props, "vgamem", video->vram.value * 1024);
        break;
    default:
        break;
    }
    virJSONAddPositive(props, "xres", video->xres.value);
    virJSONAddPositive(props, "yres", video->yres.value);
}

static virJSON *
qemuVideoProps(const virVideo *video, const qemuVideoModel *model, const qemuBuildContext *ctx,
               GError **error)
{
    virJSON *props;

    if (model->virtio)
        return qemuVirtioProps(&video->base, model->model, VIR_VIRTIO_MODEL_DEFAULT, &video->virtio,
                               ctx, error);
    props = virJSONObject();
    virJSONAddString(props, "driver", model->model);
    return props;
}

/* The sockets of all vhost-user processes come before the first display. */
static void
qemuVideoPlanSockets(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan)
{
    if (virDevicesNth(ctx->facts->devices, &virVideoKind, 0) != dev)
        return;
    virDevicesForEach(ctx->facts->devices, &virVideoKind, each)
    {
        qmpHostStep process = {.type = QMP_HOST_VHOST_USER_GPU,
                               .path = VIR_VIDEO(each)->renderNode,
                               .alias = each->info.alias,
                               .fds = 1};
        virJSON *socket;
        g_autofree char *fd = NULL;

        if (VIR_VIDEO(each)->backend != VIR_VIDEO_BACKEND_VHOST_USER)
            continue;
        fd = qmpPlanFdToken(plan, qmpPlanHost(plan, &process), 0);
        socket = virJSONObject();
        virJSONAddString(socket, "backend", "socket");
        virJSONAddStringF(socket, "id", "chr-vu-%s", each->info.alias);
        virJSONAddString(socket, "fd", fd);
        qmpPlanChardev(plan, socket);
    }
}

static bool
qemuVideoBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virVideo *video = VIR_VIDEO(dev);
    qemuVideoModel model = qemuVideoModelOf(video, ctx->caps);
    g_autoptr(virJSON) props = NULL;

    if (video->type == VIR_VIDEO_TYPE_NONE)
        return true;
    qemuVideoPlanSockets(dev, ctx, plan);
    if (!(props = qemuVideoProps(video, &model, ctx, error)))
        return false;
    virJSONAddString(props, "id", dev->info.alias);
    if (video->backend == VIR_VIDEO_BACKEND_VHOST_USER) {
        virJSONAddPositive(props, "max_outputs", video->heads.value);
        virJSONAddStringF(props, "chardev", "chr-vu-%s", dev->info.alias);
    } else {
        if (video->type == VIR_VIDEO_TYPE_VIRTIO && !model.gl &&
            qmpCapsHas(ctx->caps, QMP_CAPS_VIRTIO_GPU_VIRGL))
            virJSONAddTristate(props, "virgl", video->accel3d);
        qemuVideoPropsByType(video, ctx->caps, props);
    }
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

/* A display shows a card; a document of old that names only the display means both. */
static void
qemuVideoImplicit(const virDomainFacts *facts, const qmpCaps *caps,
                  void (*add)(virDevice *dev, void *opaque), void *opaque)
{
    if (virDevicesCount(facts->devices, &virGraphicsKind) &&
        !virDevicesCount(facts->devices, &virVideoKind))
        add(virDeviceNew(&virVideoKind), opaque);
}

const virDeviceQemu virVideoQemu = {
    .kind = &virVideoKind,
    .implicit = qemuVideoImplicit,
    .complete = qemuVideoComplete,
    .check = qemuVideoCheck,
    .touches = qemuVideoTouches,
    .build = qemuVideoBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
