/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * filesystem.h: <filesystem>: a folder of the host, in the guest. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_FILESYSTEM_MOUNT = 0,
    VIR_FILESYSTEM_BLOCK,
    VIR_FILESYSTEM_FILE,
    VIR_FILESYSTEM_TEMPLATE,
    VIR_FILESYSTEM_RAM,
    VIR_FILESYSTEM_BIND,
    VIR_FILESYSTEM_VOLUME,
    VIR_FILESYSTEM_LAST
} virFilesystemType;
VIR_ENUM_DECL(virFilesystemType);

typedef enum {
    VIR_FILESYSTEM_DRIVER_DEFAULT = 0,
    VIR_FILESYSTEM_DRIVER_PATH,
    VIR_FILESYSTEM_DRIVER_HANDLE,
    VIR_FILESYSTEM_DRIVER_LOOP,
    VIR_FILESYSTEM_DRIVER_NBD,
    VIR_FILESYSTEM_DRIVER_PLOOP,
    VIR_FILESYSTEM_DRIVER_VIRTIOFS,
    VIR_FILESYSTEM_DRIVER_LAST
} virFilesystemDriver;
VIR_ENUM_DECL(virFilesystemDriver);

typedef enum {
    VIR_FILESYSTEM_ACCESS_DEFAULT = 0,
    VIR_FILESYSTEM_ACCESS_PASSTHROUGH,
    VIR_FILESYSTEM_ACCESS_MAPPED,
    VIR_FILESYSTEM_ACCESS_SQUASH,
    VIR_FILESYSTEM_ACCESS_LAST
} virFilesystemAccess;
VIR_ENUM_DECL(virFilesystemAccess);

typedef enum {
    VIR_FILESYSTEM_MODEL_NONE = 0,
    VIR_FILESYSTEM_MODEL_VIRTIO,
    VIR_FILESYSTEM_MODEL_VIRTIO_TRANSITIONAL,
    VIR_FILESYSTEM_MODEL_VIRTIO_NON_TRANSITIONAL,
    VIR_FILESYSTEM_MODEL_LAST
} virFilesystemModel;
VIR_ENUM_DECL(virFilesystemModel);

typedef struct {
    virDevice base;
    int type;                /* virFilesystemType */
    int access;              /* virFilesystemAccess */
    int model;               /* virFilesystemModel */
    int multidevs;           /* 0: not given; remap, forbid, warn */
    virOptUInt fmode, dmode; /* of files and folders that the guest makes */
    int driver;              /* virFilesystemDriver */
    char *format;
    int wrpolicy; /* 0: not given; immediate */
    virOptUInt queue;
    virVirtioOptions virtio;
    /* virtiofs: how the file server is run */
    char *binary;
    virTristate xattr;
    int cache;   /* 0: not given; none, always */
    int sandbox; /* 0: not given; namespace, chroot */
    virTristate posixLock, flock;
    virOptUInt threads;
    char *socket; /* virtiofs: of a file server that somebody else runs */
    char *source; /* folder, file, node or template; RAM: kilobytes */
    char *pool, *volume;
    char *target; /* the name under which the guest mounts it */
    bool readonly;
    virOptUInt hardLimit, softLimit; /* bytes */
} virFilesystem;

#define VIR_FILESYSTEM(dev) ((virFilesystem *)(dev))
extern const virDeviceKind virFilesystemKind;

extern const virEnum virFilesystemMultidevsNames;
virVirtioModel virFilesystemVariant(const virFilesystem *fs);
