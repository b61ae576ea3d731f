/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.h: <memory> below <devices>: memory modules, which come and go while the guest runs. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_MEMORY_MODEL_UNSET = 0,
    VIR_MEMORY_MODEL_DIMM,
    VIR_MEMORY_MODEL_NVDIMM,
    VIR_MEMORY_MODEL_VIRTIO_PMEM,
    VIR_MEMORY_MODEL_VIRTIO_MEM,
    VIR_MEMORY_MODEL_SGX_EPC,
    VIR_MEMORY_MODEL_LAST
} virMemoryModel;
VIR_ENUM_DECL(virMemoryModel);

typedef enum {
    VIR_MEMORY_ACCESS_DEFAULT = 0,
    VIR_MEMORY_ACCESS_SHARED,
    VIR_MEMORY_ACCESS_PRIVATE,
    VIR_MEMORY_ACCESS_LAST
} virMemoryAccess;

typedef struct {
    virDevice base;
    int model;  /* virMemoryModel */
    int access; /* virMemoryAccess */
    virTristate discard;
    char *uuid;
    char *nodemask;       /* nodes of the host, normal form "1-3"; NULL: not given */
    virOptUInt pageSize;  /* KiB */
    char *path;           /* nvdimm, virtio-pmem */
    virOptUInt alignSize; /* KiB; nvdimm */
    bool pmem;            /* nvdimm: path is persistent memory */
    virOptUInt size;      /* KiB */
    virOptUInt node;      /* of the guest */
    virOptUInt labelSize; /* KiB; nvdimm */
    bool readonly;        /* nvdimm */
    virOptUInt block;     /* KiB; virtio-mem: what it grows by */
    virOptUInt requested; /* KiB; virtio-mem */
    virOptUInt current;   /* KiB; virtio-mem, live only */
} virMemory;

#define VIR_MEMORY(dev) ((virMemory *)(dev))
extern const virDeviceKind virMemoryKind;

/* Sum of all modules. */
uint64_t virMemoryDevicesKiB(const GPtrArray *devices);
/* True if there is a module of the model: machines are told of NVDIMMs. */
bool virMemoryHasModel(const GPtrArray *devices, virMemoryModel model);
/* It has a slot on the board; the others are PCI devices. */
bool virMemoryHasSlot(const virMemory *memory);
