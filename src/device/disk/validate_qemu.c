/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * validate_qemu.c: what QEMU cannot do with a disk: its images, its front end, its limits. */
#include "device/disk/validate_qemu.h"

#include <string.h>

#include "device/common/virtio_qemu.h"
#include "device/controller/controller.h"
#include "device/disk/disk.h"
#include "util/virerror.h"

/* QEMU's own bound of a throttling value */
#define QEMU_IOTUNE_MAX UINT64_C(1000000000000000)

static const char QEMU_SERIAL_CHARS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ .+";

#define UNSUPPORTED(...) virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)
#define INTERNAL(...) virErrorSet(error, VIR_ERR_INTERNAL_ERROR, __VA_ARGS__)

/* --- images --- */

static bool
qemuDiskCheckFormat(const virStorageSource *src, GError **error)
{
    int type = virStorageSourceActualType(src);

    switch (src->format) {
    case VIR_STORAGE_FORMAT_COW:
        return UNSUPPORTED("%s", _("'cow' storage format is not supported"));
    case VIR_STORAGE_FORMAT_DIR:
        return UNSUPPORTED("%s", _("'directory' storage format is not directly supported by QEMU, "
                                   "use 'dir' disk type instead"));
    case VIR_STORAGE_FORMAT_ISO:
        return UNSUPPORTED("%s", _("storage format 'iso' is not directly supported by QEMU, use "
                                   "'raw' instead"));
    case VIR_STORAGE_FORMAT_FAT:
        if (type != VIR_STORAGE_TYPE_DIR && type != VIR_STORAGE_TYPE_VOLUME)
            return UNSUPPORTED("%s",
                               _("storage format 'fat' is supported only with 'dir' storage type"));
        break;
    default:
        if (type == VIR_STORAGE_TYPE_DIR)
            return UNSUPPORTED("%s", _("storage type 'dir' requires use of storage format 'fat'"));
    }
    if (type == VIR_STORAGE_TYPE_DIR && !src->readonly)
        return UNSUPPORTED("%s", _("virtual FAT storage can't be accessed in read-write mode"));
    if (src->metadataCache.value && src->format != VIR_STORAGE_FORMAT_QCOW2)
        return UNSUPPORTED(
            "%s", _("metadata cache max size control is supported only with qcow2 images"));
    return true;
}

static bool
qemuDiskCheckEncryption(const virStorageSource *src, const qmpCaps *caps, GError **error)
{
    const virStorageEncryption *enc = src->encryption;

    if (!enc)
        return true;
    if (enc->engine == VIR_ENCRYPTION_ENGINE_LIBRBD) {
        if (src->type != VIR_STORAGE_TYPE_NETWORK || src->protocol != VIR_STORAGE_PROTOCOL_RBD)
            return UNSUPPORTED("%s",
                               _("librbd encryption is supported only with RBD backed disks"));
        return qmpCapsHas(caps, QMP_CAPS_RBD_ENCRYPTION) ||
               UNSUPPORTED("%s", _("librbd encryption is not supported by this QEMU binary"));
    }
    if (enc->format == VIR_ENCRYPTION_FORMAT_QCOW || enc->format == VIR_ENCRYPTION_FORMAT_NONE)
        return UNSUPPORTED("%s", _("old qcow/qcow2 encryption is not supported"));
    if (enc->format == VIR_ENCRYPTION_FORMAT_LUKS2 || enc->format == VIR_ENCRYPTION_FORMAT_LUKS_ANY)
        return UNSUPPORTED(_("%s is currently not supported by the qemu encryption engine"),
                           virEncryptionFormatToString(enc->format));
    if (src->format != VIR_STORAGE_FORMAT_RAW && src->format != VIR_STORAGE_FORMAT_QCOW2 &&
        src->format != VIR_STORAGE_FORMAT_NONE)
        return UNSUPPORTED("%s",
                           _("encryption is supported only with 'raw' and 'qcow2' image format"));
    return true;
}

static bool
qemuDiskCheckNetwork(const virStorageSource *src, GError **error)
{
    bool web =
        src->protocol == VIR_STORAGE_PROTOCOL_HTTP || src->protocol == VIR_STORAGE_PROTOCOL_HTTPS;

    if (src->type != VIR_STORAGE_TYPE_NETWORK)
        return true;
    if (src->query && !web)
        return UNSUPPORTED("%s", _("query is supported only with HTTP(S) protocols"));
    if (src->sslVerify != VIR_TRISTATE_ABSENT && src->protocol != VIR_STORAGE_PROTOCOL_HTTPS &&
        src->protocol != VIR_STORAGE_PROTOCOL_FTPS)
        return UNSUPPORTED("%s", _("ssl verification is supported only with HTTPS/FTPS protocol"));
    if (src->cookies && !web)
        return UNSUPPORTED("%s", _("http cookies are supported only with HTTP(S) protocol"));
    if (src->tlsHostname && src->protocol != VIR_STORAGE_PROTOCOL_NBD)
        return UNSUPPORTED("%s", _("'tlsHostname' field is supported only with NBD disks"));
    return true;
}

static bool
qemuDiskCheckImage(const virStorageSource *src, const qmpCaps *caps, GError **error)
{
    if (!qemuDiskCheckFormat(src, error) || !qemuDiskCheckEncryption(src, caps, error) ||
        !qemuDiskCheckNetwork(src, error))
        return false;
    if (src->type == VIR_STORAGE_TYPE_NVME && !qmpCapsHas(caps, QMP_CAPS_DRIVE_NVME))
        return UNSUPPORTED("%s", _("NVMe disks are not supported with this QEMU binary"));
    if (src->reservations && !qmpCapsHas(caps, QMP_CAPS_PR_MANAGER_HELPER))
        return UNSUPPORTED("%s", _("reservations not supported with this QEMU binary"));
    if (src->hasSlice && !qmpCapsHas(caps, QMP_CAPS_BLOCKDEV))
        return UNSUPPORTED("%s", _("storage slice is not supported by this QEMU binary"));
    if (src->metadataCache.value && !qmpCapsHas(caps, QMP_CAPS_BLOCKDEV))
        return UNSUPPORTED(
            "%s", _("metadata cache max size control is not supported with this QEMU binary"));
    return true;
}

static bool
qemuDiskCheckImages(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    for (const virStorageSource *src = &disk->src; virStorageSourceIsBacking(src);
         src = src->backing) {
        if (!virStorageSourceIsEmpty(src) && !qemuDiskCheckImage(src, caps, error))
            return false;
    }
    if (disk->src.shared && !disk->src.readonly && disk->src.format != VIR_STORAGE_FORMAT_RAW &&
        disk->src.format != VIR_STORAGE_FORMAT_NONE)
        return UNSUPPORTED(
            _("shared access for disk '%s' requires use of supported storage format"),
            disk->target);
    return true;
}

/* --- front ends, bus by bus --- */

static bool
qemuDiskHasDriveAddress(const virDisk *disk, GError **error)
{
    return disk->base.info.address.type == VIR_ADDRESS_DRIVE ||
           INTERNAL(_("unexpected address type for %s disk"), virDiskBusToString(disk->bus));
}

static bool
qemuDiskCheckSCSI(const virDisk *disk, const virDomainFacts *facts, GError **error)
{
    const virAddress *at = &disk->base.info.address;
    const virController *controller;

    if (!qemuDiskHasDriveAddress(disk, error))
        return false;
    if (at->drive.bus != 0)
        return UNSUPPORTED("%s", _("SCSI controller only supports 1 bus"));
    controller = virControllersFind(facts->devices, VIR_CONTROLLER_SCSI, at->drive.controller);
    if (controller && controller->model == VIR_CONTROLLER_SCSI_LSILOGIC && at->drive.target != 0)
        return UNSUPPORTED("%s", _("target must be 0 for controller model 'lsilogic'"));
    return true;
}

static bool
qemuDiskCheckIDE(const virDisk *disk, GError **error)
{
    if (!qemuDiskHasDriveAddress(disk, error))
        return false;
    if (disk->base.info.address.drive.controller != 0)
        return INTERNAL("%s", _("Only 1 IDE controller is supported"));
    if (disk->base.info.address.drive.target != 0)
        return UNSUPPORTED("%s", _("target must be 0 for ide controller"));
    return true;
}

static bool
qemuDiskCheckSATA(const virDisk *disk, GError **error)
{
    const virAddress *at = &disk->base.info.address;

    if (!qemuDiskHasDriveAddress(disk, error))
        return false;
    if (at->drive.bus != 0)
        return UNSUPPORTED("%s", _("bus must be 0 for sata controller"));
    if (at->drive.target != 0)
        return UNSUPPORTED("%s", _("target must be 0 for sata controller"));
    return true;
}

static bool
qemuDiskCheckFloppy(const virDisk *disk, GError **error)
{
    const virAddress *at = &disk->base.info.address;

    if (!qemuDiskHasDriveAddress(disk, error))
        return false;
    if (at->drive.controller != 0)
        return INTERNAL("%s", _("Only 1 fdc controller is supported"));
    if (at->drive.bus != 0)
        return INTERNAL("%s", _("Only 1 fdc bus is supported"));
    if (at->drive.target != 0)
        return UNSUPPORTED("%s", _("target must be 0 for controller fdc"));
    return true;
}

static bool
qemuDiskCheckVirtio(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    if (virDiskIsRemovable(disk))
        return UNSUPPORTED(_("disk type of '%s' does not support ejectable media"), disk->target);
    if (disk->queueSize.set && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_BLK_QUEUE_SIZE))
        return UNSUPPORTED("%s", _("queue-size property isn't supported by this QEMU binary"));
    if (disk->queues.set && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_BLK_NUM_QUEUES))
        return UNSUPPORTED("%s", _("num-queues property isn't supported by this QEMU binary"));
    return qemuVirtioCheck(&disk->virtio, caps, error);
}

static bool
qemuDiskCheckUSB(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    int type = disk->base.info.address.type;

    if (type != VIR_ADDRESS_NONE && type != VIR_ADDRESS_USB)
        return INTERNAL("%s", _("unexpected address type for usb disk"));
    return true;
}

static bool
qemuDiskCheckBus(const virDisk *disk, const virDomainFacts *facts, const qmpCaps *caps,
                 GError **error)
{
    switch (disk->bus) {
    case VIR_DISK_BUS_SCSI:
        return qemuDiskCheckSCSI(disk, facts, error);
    case VIR_DISK_BUS_IDE:
        return qemuDiskCheckIDE(disk, error);
    case VIR_DISK_BUS_SATA:
        return qemuDiskCheckSATA(disk, error);
    case VIR_DISK_BUS_FDC:
        return qemuDiskCheckFloppy(disk, error);
    case VIR_DISK_BUS_VIRTIO:
        return qemuDiskCheckVirtio(disk, caps, error);
    case VIR_DISK_BUS_USB:
        return qemuDiskCheckUSB(disk, caps, error);
    case VIR_DISK_BUS_SD:
        return !disk->serial || UNSUPPORTED(_("Serial property not supported for drive bus '%s'"),
                                            virDiskBusToString(disk->bus));
    default:
        return INTERNAL(_("unsupported disk bus '%s' with device setup"),
                        virDiskBusToString(disk->bus));
    }
}

static bool
qemuDiskCheckGeometry(const virDisk *disk, GError **error)
{
    if (!disk->cylinders.value || !disk->heads.value || !disk->sectors.value)
        return true;
    if (disk->bus == VIR_DISK_BUS_USB || disk->bus == VIR_DISK_BUS_SD ||
        disk->bus == VIR_DISK_BUS_FDC)
        return UNSUPPORTED(_("CHS geometry can not be set for '%s' bus"),
                           virDiskBusToString(disk->bus));
    if (disk->translation != VIR_DISK_TRANS_DEFAULT && disk->bus != VIR_DISK_BUS_IDE)
        return UNSUPPORTED(_("CHS translation mode can only be set for 'ide' bus not '%s'"),
                           virDiskBusToString(disk->bus));
    return true;
}

static bool
qemuDiskCheckLun(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    if (disk->device != VIR_DISK_DEVICE_LUN)
        return true;
    if (disk->bus != VIR_DISK_BUS_VIRTIO && disk->bus != VIR_DISK_BUS_SCSI)
        return UNSUPPORTED(_("disk device='lun' is not supported for bus='%s'"),
                           virDiskBusToString(disk->bus));
    if (disk->bus == VIR_DISK_BUS_SCSI && !qmpCapsHas(caps, QMP_CAPS_SCSI_BLOCK))
        return UNSUPPORTED("%s", _("This QEMU doesn't support scsi-block for lun passthrough"));
    if (disk->copyOnRead == VIR_TRISTATE_YES)
        return UNSUPPORTED(_("copy_on_read is not compatible with 'lun' disk '%s'"), disk->target);
    if (disk->wwn)
        return UNSUPPORTED("%s", _("Setting wwn is not supported for lun device"));
    if (disk->vendor || disk->product)
        return UNSUPPORTED("%s", _("Setting vendor or product is not supported for lun device"));
    if (disk->serial && disk->bus == VIR_DISK_BUS_SCSI)
        return UNSUPPORTED("%s", _("scsi-block 'lun' devices do not support the serial property"));
    return true;
}

static bool
qemuDiskCheckIdentity(const virDisk *disk, GError **error)
{
    bool ata = disk->bus == VIR_DISK_BUS_IDE || disk->bus == VIR_DISK_BUS_SATA;

    if (disk->wwn && !ata && disk->bus != VIR_DISK_BUS_SCSI)
        return UNSUPPORTED("%s", _("Only ide and scsi disk support wwn"));
    if ((disk->vendor || disk->product) && disk->bus != VIR_DISK_BUS_SCSI)
        return UNSUPPORTED("%s", _("Only scsi disk supports vendor and product"));
    if (disk->serial && strspn(disk->serial, QEMU_SERIAL_CHARS) != strlen(disk->serial))
        return INTERNAL(_("driver serial '%s' contains unsafe characters"), disk->serial);
    return true;
}

static bool
qemuDiskCheckRotation(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    if (!disk->rotationRate.set)
        return true;
    if (disk->bus != VIR_DISK_BUS_SCSI && disk->bus != VIR_DISK_BUS_IDE &&
        disk->bus != VIR_DISK_BUS_SATA)
        return UNSUPPORTED("%s", _("rotation rate is only valid for SCSI/IDE/SATA bus"));
    if (disk->device != VIR_DISK_DEVICE_DISK)
        return UNSUPPORTED("%s", _("rotation rate is only valid for disk device"));
    if (!qmpCapsHas(caps, QMP_CAPS_ROTATION_RATE))
        return UNSUPPORTED("%s", _("rotation rate is not supported with this QEMU"));
    return true;
}

static bool
qemuDiskCheckMedium(const virDisk *disk, GError **error)
{
    bool disky = !virDiskIsRemovable(disk);

    if (disky && virStorageSourceIsEmpty(&disk->src))
        return virErrorSet(error, VIR_ERR_NO_SOURCE, "%s", disk->target);
    if (disk->copyOnRead == VIR_TRISTATE_YES && disk->src.readonly)
        return UNSUPPORTED(_("copy_on_read is not compatible with read-only disk '%s'"),
                           disk->target);
    if (disk->copyOnRead == VIR_TRISTATE_YES && !disky)
        return UNSUPPORTED(_("copy_on_read is not supported with removable disk '%s'"),
                           disk->target);
    if (disk->device != VIR_DISK_DEVICE_DISK || !disk->src.readonly)
        return true;
    if (disk->bus == VIR_DISK_BUS_IDE)
        return UNSUPPORTED("%s", _("readonly ide disks are not supported"));
    if (disk->bus == VIR_DISK_BUS_SATA)
        return UNSUPPORTED("%s", _("readonly sata disks are not supported"));
    return true;
}

static bool
qemuDiskCheckIO(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    if (disk->io == VIR_DISK_IO_NATIVE && disk->cache != VIR_DISK_CACHE_DIRECTSYNC &&
        disk->cache != VIR_DISK_CACHE_NONE)
        return UNSUPPORTED("%s",
                           _("io='native' needs either no disk cache or directsync cache mode"));
    if (disk->io == VIR_DISK_IO_URING && !qmpCapsHas(caps, QMP_CAPS_AIO_IO_URING))
        return UNSUPPORTED("%s", _("io uring is not supported by this QEMU binary"));
    if (disk->detectZeroes && !qmpCapsHas(caps, QMP_CAPS_DRIVE_DETECT_ZEROES))
        return UNSUPPORTED("%s", _("detect_zeroes is not supported by this QEMU binary"));
    if (disk->iothread.set && disk->bus != VIR_DISK_BUS_VIRTIO)
        return UNSUPPORTED(_("IOThreads not available for bus %s target %s"),
                           virDiskBusToString(disk->bus), disk->target);
    return true;
}

/* --- limits --- */

static bool
qemuDiskCheckIotuneGroup(const virDisk *disk, const virDomainFacts *facts, GError **error)
{
    virDevicesForEach(facts->devices, disk->base.kind, other)
    {
        const virDisk *mate = VIR_DISK(other);
        const virDiskIotune *iotune = virDiskLimits(mate);

        if (mate == disk || g_strcmp0(iotune->group, disk->iotune->group) != 0 ||
            !virDiskIotuneHasAny(iotune))
            continue;
        if (!virDiskIotuneEqual(iotune, disk->iotune))
            return UNSUPPORTED(_("different iotunes for disks %s and %s"), disk->target,
                               mate->target);
    }
    return true;
}

static bool
qemuDiskCheckIotune(const virDisk *disk, const virDomainFacts *facts, const qmpCaps *caps,
                    GError **error)
{
    const virDiskIotune *iotune = virDiskLimits(disk);

    if (iotune->group && !virDiskIotuneHasAny(iotune))
        return UNSUPPORTED("%s", _("group_name can be configured only together with settings"));
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        if (*virDiskIotuneAt(iotune, limit) > QEMU_IOTUNE_MAX)
            return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                               _("block I/O throttle limit must be no more than %llu using QEMU"),
                               (unsigned long long)QEMU_IOTUNE_MAX);
    }
    return !iotune->group || qemuDiskCheckIotuneGroup(disk, facts, error);
}

static bool
qemuDiskCheckTransient(const virDisk *disk, const qmpCaps *caps, GError **error)
{
    if (!disk->transient)
        return true;
    if (virStorageSourceIsEmpty(&disk->src))
        return UNSUPPORTED(_("transient disk '%s' must not be empty"), disk->target);
    if (disk->src.readonly)
        return UNSUPPORTED(_("transient disk '%s' must not be read-only"), disk->target);
    if (disk->src.type != VIR_STORAGE_TYPE_FILE)
        return UNSUPPORTED(_("transient disk supported only with 'file' type (%s)"), disk->target);
    if (disk->device != VIR_DISK_DEVICE_DISK)
        return UNSUPPORTED(_("transient disk supported only with 'disk' device (%s)"),
                           disk->target);
    if (!qmpCapsHas(caps, QMP_CAPS_BLOCKDEV))
        return UNSUPPORTED(_("transient disk not supported by this QEMU binary (%s)"),
                           disk->target);
    if (disk->shareBacking == VIR_TRISTATE_YES && disk->bus != VIR_DISK_BUS_VIRTIO &&
        disk->bus != VIR_DISK_BUS_SCSI && disk->bus != VIR_DISK_BUS_USB)
        return UNSUPPORTED(_("disk bus '%s' doesn't support transiend disk backing image sharing"),
                           virDiskBusToString(disk->bus));
    return true;
}

static bool
qemuDiskCheckNames(const virDisk *disk, GError **error)
{
    int partition = 0;

    if (disk->driverName && !g_str_equal(disk->driverName, "qemu"))
        return UNSUPPORTED(_("unsupported driver name '%s' for disk '%s'"), disk->driverName,
                           disk->target);
    if (virDiskTargetSplit(disk->target, &partition) < 0)
        return INTERNAL(_("invalid disk target '%s'"), disk->target);
    if (partition != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("invalid disk target '%s', partitions can't appear in disk targets"),
                           disk->target);
    return true;
}

bool
qemuDiskCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
              GError **error)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    if (disk->src.type == VIR_STORAGE_TYPE_VHOST_USER && !qmpCapsHas(caps, QMP_CAPS_VHOST_USER_BLK))
        return UNSUPPORTED("%s", _("vhostuser disk is not supported with this QEMU binary"));
    return qemuDiskCheckNames(disk, error) && qemuDiskCheckGeometry(disk, error) &&
           qemuDiskCheckMedium(disk, error) && qemuDiskCheckIdentity(disk, error) &&
           qemuDiskCheckLun(disk, caps, error) && qemuDiskCheckRotation(disk, caps, error) &&
           qemuDiskCheckBus(disk, facts, caps, error) && qemuDiskCheckIO(disk, caps, error) &&
           qemuDiskCheckIotune(disk, facts, caps, error) &&
           qemuDiskCheckTransient(disk, caps, error) && qemuDiskCheckImages(disk, caps, error);
}
