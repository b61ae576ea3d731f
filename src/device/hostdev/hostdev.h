/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostdev.h: <hostdev>: a device of the host given to the guest. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"
#include "device/hostdev/source.h"

typedef enum {
    VIR_HOSTDEV_MODEL_DEFAULT = 0,
    VIR_HOSTDEV_MODEL_VFIO_PCI,
    VIR_HOSTDEV_MODEL_VFIO_CCW,
    VIR_HOSTDEV_MODEL_VFIO_AP,
    VIR_HOSTDEV_MODEL_VIRTIO,
    VIR_HOSTDEV_MODEL_VIRTIO_TRANSITIONAL,
    VIR_HOSTDEV_MODEL_VIRTIO_NON_TRANSITIONAL,
    VIR_HOSTDEV_MODEL_LAST
} virHostdevModel;
VIR_ENUM_DECL(virHostdevModel);

typedef struct {
    virDevice base;
    int mode; /* 1: subsystem; others are refused */
    int type; /* virHostdevType */
    virTristate managed;
    int sgio;                   /* scsi; 0 default, 1 filtered, 2 unfiltered */
    virTristate rawio;          /* scsi */
    int model;                  /* virHostdevModel; mdev, scsi_host */
    virTristate display, ramfb; /* mdev */
    int driver;                 /* pci; names in hostdev.c */
    virTristate iommufd;        /* pci: by descriptors, not by the group's node */
    virHostdevSource source;
    int teaming; /* pci; 0 none, 1 persistent, 2 transient */
    char *teamingPersistent;
    bool readonly, shareable; /* scsi */
    /* of a running guest */
    char *nodeName;    /* scsi: block node */
    char *scsiGeneric; /* scsi: "/dev/sg0" */
    char *vfioGroup;   /* pci: "/dev/vfio/7" */
} virHostdev;

#define VIR_HOSTDEV(dev) ((virHostdev *)(dev))
extern const virDeviceKind virHostdevKind;

/* True for a device of the host's that reaches all of the guest's memory by DMA: that memory must
 * be locked. */
bool virHostdevUsesVFIO(const virHostdev *hostdev);
/* True for one that QEMU gets by descriptors of its own node and of /dev/iommu. */
bool virHostdevUsesIommufd(const virHostdev *hostdev);
