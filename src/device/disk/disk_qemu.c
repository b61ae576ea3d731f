/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk_qemu.c: <disk> for QEMU. */
#include "device/disk/disk_qemu.h"

#include "device/disk/blockdev_qemu.h"
#include "device/disk/chain.h"
#include "device/disk/claim_qemu.h"
#include "device/disk/disk.h"
#include "device/disk/drive_qemu.h"
#include "device/disk/frontend_qemu.h"
#include "device/disk/media_qemu.h"
#include "device/disk/stats_qemu.h"
#include "device/disk/validate_qemu.h"
#include "util/virerror.h"

static void
qemuDiskCompleteEncryption(virStorageSource *src)
{
    for (; virStorageSourceIsBacking(src); src = src->backing) {
        if (src->encryption && src->encryption->engine == VIR_ENCRYPTION_ENGINE_NONE)
            src->encryption->engine = VIR_ENCRYPTION_ENGINE_QEMU;
    }
}

/* Older daemons did not write the aliases of secrets to the status file. */
static void
qemuDiskCompleteOldStatus(virDisk *disk, const qmpCaps *caps)
{
    virStorageSource *src = &disk->src;
    const char *alias = disk->base.info.alias;
    bool hadAuth = src->type == VIR_STORAGE_TYPE_NETWORK &&
                   (src->protocol == VIR_STORAGE_PROTOCOL_RBD ||
                    (src->protocol == VIR_STORAGE_PROTOCOL_ISCSI &&
                     qmpCapsHas(caps, QMP_CAPS_ISCSI_PASSWORD_SECRET)));

    if (src->auth && hadAuth && !src->run.authSecret)
        src->run.authSecret = g_strdup_printf("%s-secret0", alias);
    if (src->encryption && src->encryption->format == VIR_ENCRYPTION_FORMAT_LUKS &&
        !src->run.encryptionSecret)
        src->run.encryptionSecret = g_strdup_printf("%s-luks-secret0", alias);
    if (src->tls == VIR_TRISTATE_YES && !src->run.tlsAlias)
        src->run.tlsAlias = g_strdup_printf("obj%s_tls0", alias);
}

static bool
qemuDiskComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                 unsigned parseFlags, GError **error)
{
    virDisk *disk = VIR_DISK(dev);

    if (!disk->driverName)
        disk->driverName = g_strdup("qemu");
    if (disk->src.format == VIR_STORAGE_FORMAT_NONE && disk->src.type != VIR_STORAGE_TYPE_VOLUME)
        disk->src.format = VIR_STORAGE_FORMAT_RAW;
    if (disk->mirror && disk->mirror->format == VIR_STORAGE_FORMAT_NONE)
        disk->mirror->format = VIR_STORAGE_FORMAT_RAW;
    qemuDiskCompleteEncryption(&disk->src);
    if ((parseFlags & VIR_PARSE_STATUS) && caps && disk->base.info.alias &&
        !virStorageSourceIsEmpty(&disk->src))
        qemuDiskCompleteOldStatus(disk, caps);
    return true;
}

/* --- what it touches --- */

static void
qemuDiskTouchImage(const virDisk *disk, const virStorageSource *src, virHostAccess *out)
{
    int type = virStorageSourceActualType(src);
    virHostResource *resource;
    unsigned mode = VIR_HOST_READ | (src->readonly ? 0 : VIR_HOST_WRITE);

    switch (type) {
    case VIR_STORAGE_TYPE_FILE:
    case VIR_STORAGE_TYPE_BLOCK:
    case VIR_STORAGE_TYPE_DIR:
    case VIR_STORAGE_TYPE_VHOST_USER:
        if (!src->path)
            return;
        resource = virHostAccessAdd(out, &disk->base, src->path, mode);
        resource->node = true; /* also a plain path may turn out to be one */
        resource->own = type == VIR_STORAGE_TYPE_FILE || type == VIR_STORAGE_TYPE_BLOCK;
        resource->shared = src->shared || src->readonly;
        return;
    case VIR_STORAGE_TYPE_NVME:
        if (!src->run.vfioNode)
            return;
        virHostAccessAdd(out, &disk->base, src->run.vfioNode, VIR_HOST_READ | VIR_HOST_WRITE)
            ->node = true;
        virHostAccessAdd(out, &disk->base, "/dev/vfio/vfio", VIR_HOST_READ | VIR_HOST_WRITE)->node =
            true;
        return;
    default:
        return;
    }
}

static void
qemuDiskTouchReservations(const virDisk *disk, const virStorageSource *src, virHostAccess *out)
{
    virHostResource *resource;

    if (!src->reservations)
        return;
    if (src->reservations->path)
        virHostAccessAdd(out, &disk->base, src->reservations->path, VIR_HOST_READ | VIR_HOST_WRITE);
    /* multipath: the paths below are asked for by device mapper's own node */
    resource =
        virHostAccessAdd(out, &disk->base, "/dev/mapper/control", VIR_HOST_READ | VIR_HOST_WRITE);
    resource->node = true;
    resource->optional = true;
}

static void
qemuDiskTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    for (const virStorageSource *src = &disk->src; virStorageSourceIsBacking(src);
         src = src->backing) {
        qemuDiskTouchImage(disk, src, out);
        qemuDiskTouchReservations(disk, src, out);
    }
}

/* --- what QEMU is told --- */

static virDevice *
qemuDiskLast(const GPtrArray *devices)
{
    unsigned count = virDevicesCount(devices, &virDiskKind);

    return count ? virDevicesNth(devices, &virDiskKind, count - 1) : NULL;
}

static bool
qemuDiskBuildVhostUser(const virDisk *disk, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error)
{
    g_autofree char *id = g_strdup_printf("chr-vu-%s", disk->base.info.alias);
    virJSON *front = qemuFrontendProps(disk, id, ctx, error);
    virJSON *chardev;

    if (!front)
        return false;
    chardev = virJSONObject();
    virJSONAddString(chardev, "backend", "socket");
    virJSONAddString(chardev, "id", id);
    virJSONAddString(chardev, "path", disk->src.path);
    if (disk->src.reconnect == VIR_TRISTATE_YES)
        virJSONAddUInt(chardev, "reconnect", disk->src.reconnectTimeout.value);
    else if (disk->src.reconnect == VIR_TRISTATE_NO)
        virJSONAddUInt(chardev, "reconnect", 0);
    qmpPlanChardev(plan, chardev);
    qmpPlanDevice(plan, front);
    return true;
}

/* Before QEMU 4.2, and SD cards. Floppies have no device of their own then. */
static bool
qemuDiskBuildDrive(const virDisk *disk, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autofree char *drive = NULL;
    g_autofree char *option = NULL;
    virJSON *front;

    if (!qemuBlockdevBuildObjects(&disk->src, ctx, plan, error) ||
        !(option = qemuDriveOption(disk, ctx, error)))
        return false;
    qmpPlanArg(plan, "-drive", option);
    if (disk->bus == VIR_DISK_BUS_SD || disk->bus == VIR_DISK_BUS_FDC)
        return true;
    drive = g_strdup_printf("drive-%s", disk->base.info.alias);
    if (!(front = qemuFrontendProps(disk, drive, ctx, error)))
        return false;
    qmpPlanDevice(plan, front);
    return true;
}

static bool
qemuDiskBuildBlockdev(const virDisk *disk, const qemuBuildContext *ctx, qmpPlan *plan,
                      GError **error)
{
    virJSON *front;

    if (!qemuBlockdevBuild(disk, ctx, plan, error) ||
        !(front = qemuFrontendProps(disk, qemuBlockdevTopNode(disk), ctx, error)))
        return false;
    qmpPlanDevice(plan, front);
    if (ctx->hotplug)
        qemuDiskThrottle(disk, NULL, virDiskLimits(disk), plan);
    return true;
}

/* Limits are set on the front end's back end, once it is there. */
static bool
qemuDiskAfterStart(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    if (disk->qomName)
        qemuDiskThrottle(disk, NULL, virDiskLimits(disk), plan);
    return true;
}

static bool
qemuDiskBuildOne(const virDisk *disk, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    /* several guests share the image below: the disk comes by hot-plug, once it has its overlay */
    if (disk->shareBacking == VIR_TRISTATE_YES && !ctx->hotplug)
        return true;
    if (disk->src.type == VIR_STORAGE_TYPE_VHOST_USER)
        return qemuDiskBuildVhostUser(disk, ctx, plan, error);
    if (qemuDiskIsDrive(&disk->base, ctx->caps))
        return qemuDiskBuildDrive(disk, ctx, plan, error);
    return qemuDiskBuildBlockdev(disk, ctx, plan, error);
}

static bool
qemuDiskBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    bool blockdev = qmpCapsHas(ctx->caps, QMP_CAPS_BLOCKDEV);

    /* the floppy controller stands before the drives that are plugged into it, or, where it names
     * them itself, behind */
    if (!ctx->hotplug && blockdev && dev == virDevicesNth(ctx->facts->devices, &virDiskKind, 0))
        qemuFrontendFloppyController(ctx, /* drives: */ false, plan);
    if (!qemuDiskBuildOne(VIR_DISK_CONST(dev), ctx, plan, error))
        return false;
    if (!ctx->hotplug && !blockdev && dev == qemuDiskLast(ctx->facts->devices))
        qemuFrontendFloppyController(ctx, /* drives: */ true, plan);
    return true;
}

/* --- what the host and QEMU say --- */

static qemuFinding
qemuDiskDiscover(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                 GError **error)
{
    virDisk *disk = VIR_DISK(dev);

    switch (virDiskCheckSource(disk, !ctx->incoming && !ctx->hotplug, error)) {
    case VIR_DISK_SOURCE_EJECT:
        virDiskEject(disk);
        return QEMU_FOUND;
    case VIR_DISK_SOURCE_DROP:
        return QEMU_FOUND_NOT;
    case VIR_DISK_SOURCE_MISSING:
        return QEMU_FOUND_ERROR;
    default:
        break;
    }
    if (qemuDiskIsDrive(dev, ctx->caps)) /* such a QEMU follows the chain itself */
        return QEMU_FOUND;
    if (!virDiskDetectChain(disk, error) || !qemuDiskClaim(dev, ctx, claims, error))
        return QEMU_FOUND_ERROR;
    return QEMU_FOUND;
}

/* A tray may have been moved, a medium taken out by the guest. */
static void
qemuDiskLearn(virDevice *dev, const char *command, virJSON *reply)
{
    virDisk *disk = VIR_DISK(dev);
    virJSON *entry;

    if (!g_str_equal(command, "query-block") || !virDiskIsRemovable(disk) ||
        !(entry = qemuBlockEntry(reply, disk)))
        return;
    disk->tray = qemuBlockEntryTrayOpen(entry) == VIR_TRISTATE_YES;
    if (!virJSONGetObject(entry, "inserted")) {
        virDiskEject(disk);
        disk->src.format = VIR_STORAGE_FORMAT_NONE;
    }
}

/* --- coming and going --- */

static bool
qemuDiskUnpluggable(const virDisk *disk, GError **error)
{
    bool usbOrSCSI = disk->bus == VIR_DISK_BUS_USB || disk->bus == VIR_DISK_BUS_SCSI;

    if (virDiskIsRemovable(disk) && (!usbOrSCSI || disk->device == VIR_DISK_DEVICE_FLOPPY))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("disk device type '%s' cannot be detached"),
                           virDiskDeviceToString(disk->device));
    if (disk->bus != VIR_DISK_BUS_VIRTIO && !usbOrSCSI)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("This type of disk cannot be hot unplugged"));
    return true;
}

static bool
qemuDiskHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    if (ctx->unplug)
        return qemuDiskUnpluggable(disk, error);
    if (disk->device == VIR_DISK_DEVICE_FLOPPY)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("floppy device hotplug isn't supported"));
    /* an IDE or SATA bus is QEMU's to refuse */
    if (disk->bus == VIR_DISK_BUS_SD)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("disk bus '%s' cannot be hotplugged."), virDiskBusToString(disk->bus));
    if (disk->bus == VIR_DISK_BUS_VIRTIO && disk->device == VIR_DISK_DEVICE_CDROM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("cdrom device with virtio bus isn't supported"));
    if (disk->bus == VIR_DISK_BUS_USB && disk->device == VIR_DISK_DEVICE_LUN)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("disk device='lun' is not supported for usb bus"));
    if (qemuDiskIsDrive(dev, ctx->caps))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("hot-plug of disks is not supported with this QEMU binary"));
    return true;
}

static bool
qemuDiskOwnsNode(const virDevice *dev, const char *node, char **retPlain, char **retIndexed,
                 const char **retPath)
{
    const virDisk *disk = VIR_DISK(dev);

    for (const virStorageSource *src = &disk->src; src; src = src->backing) {
        if (g_strcmp0(src->run.storageNode, node) != 0 && g_strcmp0(src->run.formatNode, node) != 0)
            continue;
        if (src == &disk->src && !src->run.thresholdByIndex)
            *retPlain = g_strdup(disk->target);
        *retIndexed = g_strdup_printf("%s[%u]", disk->target, src->id);
        *retPath = virStorageSourceIsLocal(src) ? src->path : NULL;
        return true;
    }
    return false;
}

/* QEMU drives an NVMe drive of the host itself, by VFIO. */
static qemuLocks
qemuDiskLocks(const virDevice *dev)
{
    for (const virStorageSource *src = &VIR_DISK(dev)->src; src; src = src->backing) {
        if (src->type == VIR_STORAGE_TYPE_NVME)
            return QEMU_LOCKS_SHARED;
    }
    return QEMU_LOCKS_NOTHING;
}

const virDeviceQemu virDiskQemu = {
    .kind = &virDiskKind,
    .complete = qemuDiskComplete,
    .check = qemuDiskCheck,
    .claim = qemuDiskClaim,
    .claimLastFirst = true,
    .touches = qemuDiskTouches,
    .locks = qemuDiskLocks,
    .discover = qemuDiskDiscover,
    .build = qemuDiskBuild,
    .afterStart = qemuDiskAfterStart,
    .learn = qemuDiskLearn,
    .inherit = qemuDiskInherit,
    .ownsNode = qemuDiskOwnsNode,
    .update = qemuDiskUpdate,
    .hotpluggable = qemuDiskHotpluggable,
};
