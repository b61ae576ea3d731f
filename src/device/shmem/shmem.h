/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shmem.h: <shmem>: memory shared between guests. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_SHMEM_MODEL_IVSHMEM = 0, /* of a QEMU before 4.0 */
    VIR_SHMEM_MODEL_PLAIN,
    VIR_SHMEM_MODEL_DOORBELL,
    VIR_SHMEM_MODEL_LAST
} virShmemModel;
VIR_ENUM_DECL(virShmemModel);

typedef struct {
    virDevice base;
    char *name;
    int role;      /* 0 default, 1 master, 2 peer */
    int model;     /* virShmemModel */
    uint64_t size; /* bytes; 0: not given */
    bool server;
    char *serverPath;
    bool msi;
    virOptUInt vectors;
    virTristate ioeventfd;
} virShmem;

#define VIR_SHMEM(dev) ((virShmem *)(dev))
extern const virDeviceKind virShmemKind;
