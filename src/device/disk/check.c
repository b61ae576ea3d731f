/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check.c: contradictions inside a <disk> and between disks, for any hypervisor. */
#include <string.h>

#include "device/disk/disk.h"
#include "util/virerror.h"

#define UNSUPPORTED(...) virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

/* --- images --- */

static bool
virDiskCheckAuth(const virStorageSource *src, GError **error)
{
    const char *type = src->auth ? src->auth->secret.type : NULL;
    const char *wanted = NULL;

    if (!src->auth || src->type != VIR_STORAGE_TYPE_NETWORK)
        return true;
    if (src->protocol == VIR_STORAGE_PROTOCOL_ISCSI)
        wanted = "iscsi";
    else if (src->protocol == VIR_STORAGE_PROTOCOL_RBD)
        wanted = "ceph";
    if (wanted && type && !g_str_equal(type, wanted))
        return UNSUPPORTED(_("invalid secret type '%s'"), type);
    return true;
}

static bool
virDiskCheckImage(const virStorageSource *src, GError **error)
{
    bool rbd = src->type == VIR_STORAGE_TYPE_NETWORK && src->protocol == VIR_STORAGE_PROTOCOL_RBD;

    if (src->snapshot && !rbd)
        return UNSUPPORTED("%s",
                           _("<snapshot> element is currently supported only with 'rbd' disks"));
    if (src->configFile && !rbd)
        return UNSUPPORTED("%s",
                           _("<config> element is currently supported only with 'rbd' disks"));
    if (!virDiskCheckAuth(src, error))
        return false;
    if (src->encryption && src->encryption->format == VIR_ENCRYPTION_FORMAT_LUKS &&
        src->encryption->cipherName)
        return UNSUPPORTED("%s", _("supplying <cipher> for domain disk definition is unnecessary"));
    return true;
}

static bool
virDiskCheckImages(const virDisk *disk, GError **error)
{
    for (const virStorageSource *src = &disk->src; virStorageSourceIsBacking(src);
         src = src->backing) {
        if (!virDiskCheckImage(src, error))
            return false;
    }
    return true;
}

static bool
virDiskCheckLun(const virDisk *disk, GError **error)
{
    const virStorageSource *src = &disk->src;

    if (disk->device != VIR_DISK_DEVICE_LUN) {
        if (src->reservations)
            return UNSUPPORTED("%s", _("<reservations/> allowed only for lun devices"));
        if (disk->rawio != VIR_TRISTATE_ABSENT)
            return UNSUPPORTED("%s", _("rawio can be used only with device='lun'"));
        if (disk->sgio)
            return UNSUPPORTED("%s", _("sgio can be used only with device='lun'"));
        return true;
    }
    if (disk->sgio == VIR_DISK_SGIO_UNFILTERED)
        return UNSUPPORTED("%s", _("unfiltered sgio is no longer supported"));
    if (src->type == VIR_STORAGE_TYPE_NETWORK) {
        if (src->protocol != VIR_STORAGE_PROTOCOL_ISCSI)
            return UNSUPPORTED(_("disk device='lun' is not supported for protocol='%s'"),
                               virStorageProtocolToString(src->protocol));
    } else if (src->type != VIR_STORAGE_TYPE_BLOCK && src->type != VIR_STORAGE_TYPE_VOLUME) {
        return UNSUPPORTED("%s", _("disk device='lun' is only valid for block type disk source"));
    }
    if (src->format != VIR_STORAGE_FORMAT_RAW && src->format != VIR_STORAGE_FORMAT_NONE)
        return UNSUPPORTED("%s", _("disk device 'lun' must use 'raw' format"));
    if (src->hasSlice)
        return UNSUPPORTED("%s", _("disk device 'lun' doesn't support storage slice"));
    if (src->encryption && src->encryption->format != VIR_ENCRYPTION_FORMAT_NONE)
        return UNSUPPORTED("%s", _("disk device 'lun' doesn't support encryption"));
    return true;
}

static bool
virDiskCheckStartupPolicy(const virDisk *disk, GError **error)
{
    if (disk->startupPolicy == VIR_DISK_STARTUP_DEFAULT)
        return true;
    if (disk->src.type == VIR_STORAGE_TYPE_NETWORK)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("disk startupPolicy '%s' is not allowed for disk of '%s' type"),
                           virDiskStartupPolicyToString(disk->startupPolicy),
                           virStorageTypeToString(disk->src.type));
    if (disk->startupPolicy == VIR_DISK_STARTUP_REQUISITE && !virDiskIsRemovable(disk))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("disk startupPolicy 'requisite' is allowed only for cdrom or "
                             "floppy"));
    return true;
}

/* --- front ends --- */

static bool
virDiskBusTakesAddress(const virDisk *disk)
{
    int type = disk->base.info.address.type;

    if (type == VIR_ADDRESS_NONE)
        return true;
    switch (disk->bus) {
    case VIR_DISK_BUS_IDE:
    case VIR_DISK_BUS_FDC:
    case VIR_DISK_BUS_SCSI:
    case VIR_DISK_BUS_SATA:
        return type == VIR_ADDRESS_DRIVE;
    default: /* the rest is QEMU's affair */
        return true;
    }
}

static bool
virDiskCheckVirtioOnly(const virDisk *disk, GError **error)
{
    if (disk->bus == VIR_DISK_BUS_VIRTIO)
        return true;
    if (disk->queues.set)
        return UNSUPPORTED(
            "%s", _("queues attribute in disk driver element is only supported by virtio-blk"));
    if (disk->queueSize.set)
        return UNSUPPORTED("%s", _("queue_size attribute in disk driver element is only supported "
                                   "by virtio-blk"));
    if (disk->eventIdx != VIR_TRISTATE_ABSENT)
        return UNSUPPORTED("%s", _("disk event_idx mode supported only for virtio bus"));
    if (disk->ioeventfd != VIR_TRISTATE_ABSENT)
        return UNSUPPORTED("%s", _("disk ioeventfd mode supported only for virtio bus"));
    if (!virVirtioCheckUnused(&disk->virtio, error))
        return false;
    if (disk->model != VIR_DISK_MODEL_NONE)
        return UNSUPPORTED(_("disk model '%s' not supported for bus '%s'"),
                           virDiskModelToString(disk->model), virDiskBusToString(disk->bus));
    return true;
}

static bool
virDiskCheckBus(const virDisk *disk, GError **error)
{
    if (disk->device == VIR_DISK_DEVICE_FLOPPY && disk->bus != VIR_DISK_BUS_FDC)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("Invalid bus type '%s' for floppy disk"),
                           virDiskBusToString(disk->bus));
    if (disk->device != VIR_DISK_DEVICE_FLOPPY && disk->bus == VIR_DISK_BUS_FDC)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Invalid bus type '%s' for disk"),
                           virDiskBusToString(disk->bus));
    if (disk->removable != VIR_TRISTATE_ABSENT && disk->bus != VIR_DISK_BUS_USB)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("removable is only valid for usb disks"));
    if (disk->tray != 0 && !virDiskIsRemovable(disk))
        return UNSUPPORTED("%s", _("tray is only valid for cdrom and floppy"));
    if (!virDiskBusTakesAddress(disk))
        return UNSUPPORTED(_("Invalid address type '%s' for the disk '%s' with the bus type '%s'"),
                           virAddressTypeToString(disk->base.info.address.type), disk->target,
                           virDiskBusToString(disk->bus));
    return virDiskCheckVirtioOnly(disk, error);
}

static bool
virDiskCheckVhostUser(const virDisk *disk, GError **error)
{
    const virStorageSource *src = &disk->src;
    const struct {
        const char *name;
        bool given;
    } unsupported[] = {
        {"cache", disk->cache},
        {"error_policy", disk->errorPolicy || disk->rerrorPolicy},
        {"io", disk->io},
        {"ioeventfd", disk->ioeventfd},
        {"copy_on_read", disk->copyOnRead},
        {"discard", disk->discard},
        {"iothread", disk->iothread.set},
        {"detect_zeroes", disk->detectZeroes},
        {"metadata_cache", src->metadataCache.set},
        {"iotune", virDiskIotuneHasAny(virDiskLimits(disk))},
        {"backingStore", src->backing},
        {"encryption", src->encryption},
        {"readonly", src->readonly},
        {"shareable", src->shared},
        {"transient", disk->transient},
        {"serial", disk->serial},
        {"wwn", disk->wwn},
        {"vendor", disk->vendor},
        {"product", disk->product},
        {"auth", src->auth},
        {"geometry", disk->cylinders.value || disk->heads.value || disk->sectors.value},
        {"blockio", disk->logicalBlockSize.set || disk->physicalBlockSize.set},
    };

    if (src->type != VIR_STORAGE_TYPE_VHOST_USER)
        return true;
    if (!src->path)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'path' attribute for vhostuser disk source"));
    if (disk->bus != VIR_DISK_BUS_VIRTIO)
        return UNSUPPORTED("%s", _("vhostuser disk supports only virtio bus"));
    if (disk->snapshot != VIR_DISK_SNAPSHOT_NO)
        return UNSUPPORTED("%s", _("only snapshot=no is supported with vhostuser disk"));
    for (size_t i = 0; i < G_N_ELEMENTS(unsupported); i++) {
        if (unsupported[i].given)
            return UNSUPPORTED(_("%s is not supported with vhostuser disk"), unsupported[i].name);
    }
    return true;
}

/* --- names --- */

static bool
virDiskTextIsPrintable(const char *text)
{
    for (; *text; text++) {
        if (!g_ascii_isprint(*text))
            return false;
    }
    return true;
}

static bool
virDiskCheckInquiry(const char *text, const char *what, size_t max, GError **error)
{
    if (!text)
        return true;
    if (!virDiskTextIsPrintable(text))
        return UNSUPPORTED(_("disk %s is not printable string"), what);
    if (strlen(text) > max)
        return UNSUPPORTED(_("disk %s is more than %d characters"), what, (int)max);
    return true;
}

static bool
virDiskCheckWWN(const char *wwn, GError **error)
{
    const char *digits = wwn;

    if (!wwn)
        return true;
    if (g_str_has_prefix(digits, "0x"))
        digits += 2;
    if (strlen(digits) != 16 || strspn(digits, "0123456789abcdefABCDEF") != 16)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Malformed wwn: %s"), wwn);
    return true;
}

static bool
virDiskHasTarget(const virDisk *disk, GError **error)
{
    if (disk->target)
        return true;
    if (disk->src.pool)
        return virErrorSet(error, VIR_ERR_NO_TARGET, _("pool = '%s', volume = '%s'"),
                           disk->src.pool, disk->src.poolVolume);
    return virErrorSet(error, VIR_ERR_NO_TARGET, "%s", virDiskSourcePath(disk));
}

static bool
virDiskCheckTarget(const virDisk *disk, GError **error)
{
    bool floppy = g_str_has_prefix(disk->target, "fd");

    if (disk->device == VIR_DISK_DEVICE_FLOPPY && !floppy)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Invalid floppy device name: %s"),
                           disk->target);
    if (virDiskTargetIndex(disk->target) < 0 || (disk->device != VIR_DISK_DEVICE_FLOPPY && floppy))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Invalid harddisk device name: %s"),
                           disk->target);
    return true;
}

static bool
virDiskCheckNames(const virDisk *disk, GError **error)
{
    return virDiskCheckWWN(disk->wwn, error) &&
           virDiskCheckInquiry(disk->vendor, "vendor", VIR_DISK_VENDOR_MAX, error) &&
           virDiskCheckInquiry(disk->product, "product", VIR_DISK_PRODUCT_MAX, error);
}

/* --- among disks --- */

static bool
virDiskCheckPair(const virDisk *earlier, const virDisk *disk, GError **error)
{
    const virAddress *at = &earlier->base.info.address;

    if (g_str_equal(earlier->target, disk->target))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("target '%s' duplicated for disk sources '%s' and '%s'"), disk->target,
                           virDiskSourcePath(earlier), virDiskSourcePath(disk));
    if (earlier->bus == disk->bus && at->type == VIR_ADDRESS_DRIVE &&
        virAddressEqual(at, &disk->base.info.address))
        return UNSUPPORTED(
            _("Found duplicate drive address for disk with target name '%s' controller='%u' "
              "bus='%u' target='%u' unit='%u'"),
            earlier->target, at->drive.controller, at->drive.bus, at->drive.target, at->drive.unit);
    return true;
}

static bool
virDiskCheckOthers(const virDisk *disk, const virDomainFacts *facts, GError **error)
{
    for (guint i = 0; facts->devices && i < facts->devices->len; i++) {
        const virDevice *other = g_ptr_array_index(facts->devices, i);

        if (other == &disk->base)
            break;
        if (other->kind == disk->base.kind && VIR_DISK_CONST(other)->target &&
            !virDiskCheckPair(VIR_DISK_CONST(other), disk, error))
            return false;
    }
    return true;
}

bool
virDiskCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    return virDiskCheckImages(disk, error) && virDiskCheckLun(disk, error) &&
           virDiskHasTarget(disk, error) && virDiskCheckBus(disk, error) &&
           virDiskCheckTarget(disk, error) && virDiskCheckVhostUser(disk, error) &&
           virDiskCheckStartupPolicy(disk, error) && virDiskCheckNames(disk, error) &&
           virDiskIotuneCheck(virDiskLimits(disk), error) && virDiskCheckOthers(disk, facts, error);
}
