/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk.h: <disk>: what the guest sees as hard disk, CD-ROM, floppy or SCSI logical unit. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"
#include "device/disk/iotune.h"
#include "device/disk/source.h"

typedef enum {
    VIR_DISK_DEVICE_DISK = 0,
    VIR_DISK_DEVICE_CDROM,
    VIR_DISK_DEVICE_FLOPPY,
    VIR_DISK_DEVICE_LUN,
    VIR_DISK_DEVICE_LAST
} virDiskDevice;
VIR_ENUM_DECL(virDiskDevice);

typedef enum {
    VIR_DISK_BUS_NONE = 0,
    VIR_DISK_BUS_IDE,
    VIR_DISK_BUS_FDC,
    VIR_DISK_BUS_SCSI,
    VIR_DISK_BUS_VIRTIO,
    VIR_DISK_BUS_XEN,
    VIR_DISK_BUS_USB,
    VIR_DISK_BUS_UML,
    VIR_DISK_BUS_SATA,
    VIR_DISK_BUS_SD,
    VIR_DISK_BUS_LAST
} virDiskBus;
VIR_ENUM_DECL(virDiskBus);

typedef enum {
    VIR_DISK_MODEL_NONE = 0,
    VIR_DISK_MODEL_VIRTIO,
    VIR_DISK_MODEL_VIRTIO_TRANSITIONAL,
    VIR_DISK_MODEL_VIRTIO_NON_TRANSITIONAL,
    VIR_DISK_MODEL_LAST
} virDiskModel;
VIR_ENUM_DECL(virDiskModel);

typedef enum {
    VIR_DISK_CACHE_DEFAULT = 0,
    VIR_DISK_CACHE_NONE,
    VIR_DISK_CACHE_WRITETHROUGH,
    VIR_DISK_CACHE_WRITEBACK,
    VIR_DISK_CACHE_DIRECTSYNC,
    VIR_DISK_CACHE_UNSAFE,
    VIR_DISK_CACHE_LAST
} virDiskCache;
VIR_ENUM_DECL(virDiskCache);

typedef enum {
    VIR_DISK_ERROR_DEFAULT = 0,
    VIR_DISK_ERROR_STOP,
    VIR_DISK_ERROR_REPORT,
    VIR_DISK_ERROR_IGNORE,
    VIR_DISK_ERROR_ENOSPACE,
    VIR_DISK_ERROR_LAST
} virDiskErrorPolicy;
VIR_ENUM_DECL(virDiskErrorPolicy);

typedef enum {
    VIR_DISK_IO_DEFAULT = 0,
    VIR_DISK_IO_NATIVE,
    VIR_DISK_IO_THREADS,
    VIR_DISK_IO_URING,
    VIR_DISK_IO_LAST
} virDiskIO;
VIR_ENUM_DECL(virDiskIO);

typedef enum {
    VIR_DISK_DISCARD_DEFAULT = 0,
    VIR_DISK_DISCARD_UNMAP,
    VIR_DISK_DISCARD_IGNORE,
    VIR_DISK_DISCARD_LAST
} virDiskDiscard;
VIR_ENUM_DECL(virDiskDiscard);

typedef enum {
    VIR_DISK_DETECT_ZEROES_DEFAULT = 0,
    VIR_DISK_DETECT_ZEROES_OFF,
    VIR_DISK_DETECT_ZEROES_ON,
    VIR_DISK_DETECT_ZEROES_UNMAP,
    VIR_DISK_DETECT_ZEROES_LAST
} virDiskDetectZeroes;
VIR_ENUM_DECL(virDiskDetectZeroes);

typedef enum {
    VIR_DISK_SNAPSHOT_DEFAULT = 0,
    VIR_DISK_SNAPSHOT_NO,
    VIR_DISK_SNAPSHOT_INTERNAL,
    VIR_DISK_SNAPSHOT_EXTERNAL,
    VIR_DISK_SNAPSHOT_MANUAL,
    VIR_DISK_SNAPSHOT_LAST
} virDiskSnapshot;
VIR_ENUM_DECL(virDiskSnapshot);

typedef enum {
    VIR_DISK_STARTUP_DEFAULT = 0,
    VIR_DISK_STARTUP_MANDATORY,
    VIR_DISK_STARTUP_REQUISITE, /* a missing medium is dropped, except at boot */
    VIR_DISK_STARTUP_OPTIONAL,  /* a missing medium is dropped */
    VIR_DISK_STARTUP_LAST
} virDiskStartupPolicy;
VIR_ENUM_DECL(virDiskStartupPolicy);

typedef enum {
    VIR_DISK_MIRROR_JOB_NONE = 0,
    VIR_DISK_MIRROR_JOB_COPY,
    VIR_DISK_MIRROR_JOB_ACTIVE_COMMIT,
    VIR_DISK_MIRROR_JOB_LAST
} virDiskMirrorJob;
VIR_ENUM_DECL(virDiskMirrorJob);

typedef enum {
    VIR_DISK_MIRROR_NOT_READY = 0,
    VIR_DISK_MIRROR_READY,
    VIR_DISK_MIRROR_ABORT,
    VIR_DISK_MIRROR_PIVOT,
    VIR_DISK_MIRROR_LAST
} virDiskMirrorState;
VIR_ENUM_DECL(virDiskMirrorState);

typedef enum {
    VIR_DISK_SGIO_DEFAULT = 0,
    VIR_DISK_SGIO_FILTERED,
    VIR_DISK_SGIO_UNFILTERED,
    VIR_DISK_SGIO_LAST
} virDiskSgio;
VIR_ENUM_DECL(virDiskSgio);

typedef enum {
    VIR_DISK_TRANS_DEFAULT = 0,
    VIR_DISK_TRANS_NONE,
    VIR_DISK_TRANS_AUTO,
    VIR_DISK_TRANS_LBA,
    VIR_DISK_TRANS_LAST
} virDiskTrans;
VIR_ENUM_DECL(virDiskTrans);

enum { VIR_DISK_VENDOR_MAX = 8, VIR_DISK_PRODUCT_MAX = 16 };

typedef struct {
    virDevice base;
    virStorageSource src; /* what is in the drive; driver@type is its format */
    int device;           /* virDiskDevice */
    int model;            /* virDiskModel */
    virTristate rawio;
    int sgio; /* virDiskSgio; read, written, never honoured */
    int snapshot;

    char *driverName;
    int cache, errorPolicy, rerrorPolicy, io, discard, detectZeroes;
    virTristate ioeventfd, eventIdx, copyOnRead;
    virOptUInt iothread, queues, queueSize;
    virVirtioOptions virtio;
    char *metadataUnit; /* of src.metadataCache: "bytes" */

    int startupPolicy;
    char *backendDomain;               /* Xen's */
    bool authInDisk, encryptionInDisk; /* <auth>, <encryption> stand in <disk>, not in <source> */
    virOptUInt cylinders, heads, sectors;
    int translation;
    virOptUInt logicalBlockSize, physicalBlockSize;

    virStorageSource *mirror; /* copy or commit that is going on */
    int mirrorJob, mirrorState;

    char *target; /* name, e.g. "vda" */
    int bus;      /* virDiskBus */
    int tray;     /* 1: open */
    virTristate removable;
    virOptUInt rotationRate;
    virDiskIotune *iotune; /* NULL: no limits, as most disks; read it with virDiskLimits */
    bool transient;
    virTristate shareBacking;
    char *serial, *wwn, *vendor, *product;

    /* Run-time: QOM path of the front end, node of copy-on-read. */
    char *qomName, *copyOnReadNode;
} virDisk;

#define VIR_DISK(dev) ((virDisk *)(dev))
#define VIR_DISK_CONST(dev) ((const virDisk *)(dev))
extern const virDeviceKind virDiskKind;

/* The number behind a target's name: "hda" 0, "vdb" 1, "sdaa" 26; digits of a partition are passed
 * over. -1 if it is no such name. */
int virDiskTargetIndex(const char *target);
/* The same; retPartition is 0 for a whole disk. */
int virDiskTargetSplit(const char *target, int *retPartition);
/* The bus a target's name stands for, if the document says none. */
int virDiskTargetBus(const char *target, int device);

/* Where a disk on a drive bus sits, by its target's name: needs bus and target; does nothing for
 * other buses. VIR_ERR_XML_ERROR, VIR_ERR_CONFIG_UNSUPPORTED. */
bool virDiskAssignAddress(virDisk *disk, const virDomainFacts *facts, GError **error);

/* The disk with the target's name, or whose source is that path; NULL if there is none. */
virDisk *virDisksFindByTarget(const GPtrArray *devices, const char *target);
virDisk *virDisksFindByName(const GPtrArray *devices, const char *targetOrPath);

/* Its limits, all 0 if it has none. */
const virDiskIotune *virDiskLimits(const virDisk *disk);
/* Gives it others, as a copy. */
void virDiskSetLimits(virDisk *disk, const virDiskIotune *iotune);

/* A drive whose medium can be changed. */
bool virDiskIsRemovable(const virDisk *disk);
/* For messages: the source's path or "" . */
const char *virDiskSourcePath(const virDisk *disk);

/* Contradictions inside one disk, those of any hypervisor (check.c). */
bool virDiskCheck(const virDevice *dev, const virDomainFacts *facts, GError **error);
