/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * media_qemu.c: changing the medium of a drive, and refusing to change what cannot be.
 *
 * The new image is opened before the old one is let go: a path that cannot be opened leaves the
 * guest with what it had. */
#include "device/disk/media_qemu.h"

#include "device/disk/blockdev_qemu.h"
#include "device/disk/claim_qemu.h"
#include "util/virerror.h"

/* --- limits --- */

virJSON *
qemuDiskThrottleArguments(const virDisk *disk, const virDiskIotune *iotune)
{
    virJSON *args = virJSONObject();

    virJSONAddString(args, "id", disk->qomName);
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        uint64_t value = *virDiskIotuneAt(iotune, limit);

        /* a length says something only of a burst, and QEMU takes no zero */
        if (limit->class != VIR_DISK_IOTUNE_LENGTH || value)
            virJSONAddUInt(args, limit->qemu, value);
    }
    virJSONAddString(args, "group", iotune->group);
    return args;
}

void
qemuDiskThrottle(const virDisk *disk, const virDiskIotune *was, const virDiskIotune *is,
                 qmpPlan *plan)
{
    if (!virDiskIotuneHasAny(is) && (!was || !virDiskIotuneHasAny(was)))
        return;
    if (was)
        qmpPlanCommand(plan, "block_set_io_throttle", qemuDiskThrottleArguments(disk, is),
                       "block_set_io_throttle", qemuDiskThrottleArguments(disk, was));
    else
        qmpPlanCommand(plan, "block_set_io_throttle", qemuDiskThrottleArguments(disk, is), NULL,
                       NULL);
}

/* --- what may not change --- */

typedef struct {
    const char *name;
    bool differs;
} qemuDiskDifference;

static bool
qemuDiskSameNumber(virOptUInt a, virOptUInt b)
{
    return a.value == b.value;
}

static bool
qemuDiskSameVirtio(const virDisk *was, const virDisk *is)
{
    return was->virtio.iommu == is->virtio.iommu && was->virtio.ats == is->virtio.ats &&
           was->virtio.packed == is->virtio.packed && was->virtio.pagePerVq == is->virtio.pagePerVq;
}

static bool
qemuDiskSameAddress(const virDisk *was, const virDisk *is)
{
    return is->base.info.address.type == VIR_ADDRESS_NONE ||
           virAddressEqual(&was->base.info.address, &is->base.info.address);
}

/* Where a request leaves out what the daemon filled in, nothing is asked for. */
static bool
qemuDiskSameAlias(const virDisk *was, const virDisk *is)
{
    return !is->base.info.alias || g_strcmp0(was->base.info.alias, is->base.info.alias) == 0;
}

/* The first limit that differs, as it is called in what is said of it; NULL: none does. */
static char *
qemuDiskDifferentLimit(const virDiskIotune *was, const virDiskIotune *is)
{
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        if (*virDiskIotuneAt(was, limit) != *virDiskIotuneAt(is, limit))
            return g_strdup_printf("blkdeviotune %s", limit->element);
    }
    return g_strcmp0(was->group, is->group) == 0 ? NULL : g_strdup("blkdeviotune group name");
}

static bool
qemuDiskChangeSupported(const virDisk *was, const virDisk *is, GError **error)
{
    g_autofree char *limit = qemuDiskDifferentLimit(virDiskLimits(was), virDiskLimits(is));
    const qemuDiskDifference fields[] = {
        {"device", was->device != is->device},
        {"bus", was->bus != is->bus},
        {"model", was->model != is->model},
        {"rawio", was->rawio != is->rawio},
        {"geometry cylinders", !qemuDiskSameNumber(was->cylinders, is->cylinders)},
        {"geometry heads", !qemuDiskSameNumber(was->heads, is->heads)},
        {"geometry sectors", !qemuDiskSameNumber(was->sectors, is->sectors)},
        {"BIOS-translation-modus", was->translation != is->translation},
        {"blockio logical_block_size",
         !qemuDiskSameNumber(was->logicalBlockSize, is->logicalBlockSize)},
        {"blockio physical_block_size",
         !qemuDiskSameNumber(was->physicalBlockSize, is->physicalBlockSize)},
        {limit, limit != NULL},
        {"serial", is->serial && g_strcmp0(was->serial, is->serial) != 0},
        {"wwn", g_strcmp0(was->wwn, is->wwn) != 0},
        {"vendor", g_strcmp0(was->vendor, is->vendor) != 0},
        {"product", g_strcmp0(was->product, is->product) != 0},
        {"cache", was->cache != is->cache},
        {"error_policy", was->errorPolicy != is->errorPolicy},
        {"rerror_policy", was->rerrorPolicy != is->rerrorPolicy},
        {"io", was->io != is->io},
        {"ioeventfd", was->ioeventfd != is->ioeventfd},
        {"event_idx", was->eventIdx != is->eventIdx},
        {"copy_on_read", was->copyOnRead != is->copyOnRead},
        {"iothread", !qemuDiskSameNumber(was->iothread, is->iothread)},
        {"discard", was->discard != is->discard},
        {"detect_zeroes", was->detectZeroes != is->detectZeroes},
        {"driver", !qemuDiskSameVirtio(was, is)},
        {"queues", !qemuDiskSameNumber(was->queues, is->queues)},
        {"readonly", was->src.readonly != is->src.readonly},
        {"shareable", was->src.shared != is->src.shared},
        {"transient", was->transient != is->transient},
        {"boot order", is->base.info.bootIndex.set &&
                           !qemuDiskSameNumber(was->base.info.bootIndex, is->base.info.bootIndex)},
        {"address", !qemuDiskSameAddress(was, is)},
        {"alias", !qemuDiskSameAlias(was, is)},
        {"removable", was->removable != is->removable},
        {"rotation_rate", !qemuDiskSameNumber(was->rotationRate, is->rotationRate)},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].differs)
            return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                               _("cannot modify field '%s' of the disk"), fields[i].name);
    }
    return true;
}

/* --- media --- */

static virJSON *
qemuDiskDriveArguments(const virDisk *disk)
{
    virJSON *args = virJSONObject();

    virJSONAddString(args, "id", disk->qomName);
    return args;
}

static virJSON *
qemuDiskInsertArguments(const virDisk *disk, const virDisk *medium)
{
    virJSON *args = qemuDiskDriveArguments(disk);

    virJSONAddString(args, "node-name", qemuBlockdevTopNode(medium));
    return args;
}

static virJSON *
qemuDiskTrayArguments(const virDisk *disk, bool force)
{
    virJSON *args = qemuDiskDriveArguments(disk);

    virJSONAddBool(args, "force", force);
    return args;
}

/* A floppy drive has no tray that QEMU would know of. */
static void
qemuDiskOpenTray(const virDisk *disk, bool force, qmpPlan *plan)
{
    if (disk->device == VIR_DISK_DEVICE_CDROM)
        qmpPlanCommand(plan, "blockdev-open-tray", qemuDiskTrayArguments(disk, force),
                       "blockdev-close-tray", qemuDiskDriveArguments(disk));
}

static void
qemuDiskCloseTray(const virDisk *disk, qmpPlan *plan)
{
    if (disk->device == VIR_DISK_DEVICE_CDROM)
        qmpPlanCommand(plan, "blockdev-close-tray", qemuDiskDriveArguments(disk),
                       "blockdev-open-tray", qemuDiskTrayArguments(disk, /* force: */ true));
}

static bool
qemuDiskChangeMedium(const virDisk *disk, const virDisk *wanted, const qemuBuildContext *ctx,
                     qmpPlan *plan, GError **error)
{
    bool wasEmpty = virStorageSourceIsEmpty(&disk->src);
    bool isEmpty = virStorageSourceIsEmpty(&wanted->src);

    if (qemuDiskIsDrive(&disk->base, ctx->caps))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("changing the medium is not supported with this QEMU binary"));
    if (!qemuBlockdevBuild(wanted, ctx, plan, error))
        return false;
    qemuDiskOpenTray(disk, ctx->force, plan);
    if (!wasEmpty)
        qmpPlanCommand(plan, "blockdev-remove-medium", qemuDiskDriveArguments(disk),
                       "blockdev-insert-medium", qemuDiskInsertArguments(disk, disk));
    if (!isEmpty)
        qmpPlanCommand(plan, "blockdev-insert-medium", qemuDiskInsertArguments(disk, wanted),
                       "blockdev-remove-medium", qemuDiskDriveArguments(disk));
    if (!isEmpty)
        qemuDiskThrottle(disk, NULL, virDiskLimits(disk), plan);
    qemuDiskCloseTray(disk, plan);
    return qemuBlockdevRemove(disk, plan, error);
}

static bool
qemuDiskSourceChanges(const virDisk *was, const virDisk *is)
{
    return !virStorageSourceSameLocation(&was->src, &is->src) ||
           (was->src.format != is->src.format && !virStorageSourceIsEmpty(&is->src));
}

/* The same medium stays as it is, with the names it has in QEMU. */
void
qemuDiskInherit(virDevice *wanted, const virDevice *dev)
{
    virDisk *is = VIR_DISK(wanted);
    virDevice *copy;

    virStorageSource asked = is->src;

    if (qemuDiskSourceChanges(VIR_DISK_CONST(dev), is))
        return;
    copy = virDeviceCopy(dev);
    is->src = VIR_DISK(copy)->src;
    is->src.readonly = asked.readonly; /* a change of these is refused, not overlooked */
    is->src.shared = asked.shared;
    VIR_DISK(copy)->src = asked;
    virDeviceFree(copy);
}

bool
qemuDiskUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
               qmpPlan *plan, GError **error)
{
    const virDisk *was = VIR_DISK_CONST(dev);
    const virDisk *is = VIR_DISK_CONST(wanted);

    if (!qemuDiskChangeSupported(was, is, error))
        return false;
    if (!qemuDiskSourceChanges(was, is))
        return true; /* startupPolicy, snapshot: ours alone */
    if (!virDiskIsRemovable(was))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("disk source can be changed only in removable drives"));
    if (was->mirror)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                           _("can't change media while a block job is running on the device"));
    return qemuDiskChangeMedium(was, is, ctx, plan, error);
}
