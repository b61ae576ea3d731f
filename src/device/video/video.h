/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * video.h: <video>: what the guest draws with. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_VIDEO_TYPE_DEFAULT = 0,
    VIR_VIDEO_TYPE_VGA,
    VIR_VIDEO_TYPE_CIRRUS,
    VIR_VIDEO_TYPE_VMVGA,
    VIR_VIDEO_TYPE_XEN,
    VIR_VIDEO_TYPE_VBOX,
    VIR_VIDEO_TYPE_QXL,
    VIR_VIDEO_TYPE_PARALLELS,
    VIR_VIDEO_TYPE_VIRTIO,
    VIR_VIDEO_TYPE_GOP,
    VIR_VIDEO_TYPE_NONE, /* the guest has none, and gets none by default */
    VIR_VIDEO_TYPE_BOCHS,
    VIR_VIDEO_TYPE_RAMFB,
    VIR_VIDEO_TYPE_LAST
} virVideoType;
VIR_ENUM_DECL(virVideoType);

typedef enum {
    VIR_VIDEO_BACKEND_DEFAULT = 0,
    VIR_VIDEO_BACKEND_QEMU,
    VIR_VIDEO_BACKEND_VHOST_USER, /* drawn by another process */
    VIR_VIDEO_BACKEND_LAST
} virVideoBackend;
VIR_ENUM_DECL(virVideoBackend);

typedef struct {
    virDevice base;
    int type;                             /* virVideoType */
    virOptUInt ram, vram, vram64, vgamem; /* KiB */
    virOptUInt heads;
    virTristate primary; /* NO is kept as absent */
    virTristate accel2d, accel3d;
    char *renderNode; /* of the vhost-user process */
    virOptUInt xres, yres;
    int backend; /* virVideoBackend */
    int vgaConf;
    virVirtioOptions virtio;
} virVideo;

#define VIR_VIDEO(dev) ((virVideo *)(dev))
extern const virDeviceKind virVideoKind;

/* Chooses the type of a device that gave none, and the memory that goes with it. */
void virVideoSetType(virVideo *video, virVideoType type);
