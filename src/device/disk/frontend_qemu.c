/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * frontend_qemu.c: QEMU's devices for disks. */
#include "device/disk/frontend_qemu.h"

#include <stdlib.h>
#include <string.h>

#include "device/common/virtio_qemu.h"
#include "device/controller/controller.h"
#include "device/disk/blockdev_qemu.h"
#include "util/virerror.h"

/* --- buses --- */

static const virController *
qemuFrontendController(const virDisk *disk, int type, const qemuBuildContext *ctx, GError **error)
{
    unsigned index = disk->base.info.address.drive.controller;
    const virController *controller = virControllersFind(ctx->facts->devices, type, index);

    if (controller && controller->base.info.alias)
        return controller;
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Could not find %s controller with index '%u'"),
                virControllerTypeToString(type), index);
    return NULL;
}

static virJSON *
qemuFrontendIDE(const virDisk *disk, const qemuBuildContext *ctx, GError **error)
{
    const virAddress *at = &disk->base.info.address;
    bool sata = disk->bus == VIR_DISK_BUS_SATA;
    const virController *controller =
        qemuFrontendController(disk, sata ? VIR_CONTROLLER_SATA : VIR_CONTROLLER_IDE, ctx, error);
    virJSON *props;

    if (!controller)
        return NULL;
    props = virJSONObject();
    virJSONAddString(props, "driver", disk->device == VIR_DISK_DEVICE_CDROM ? "ide-cd" : "ide-hd");
    virJSONAddStringF(props, "bus", "%s.%u", controller->base.info.alias,
                      sata ? at->drive.unit : at->drive.bus);
    if (!sata)
        virJSONAddUInt(props, "unit", at->drive.unit);
    return props;
}

static const char *
qemuFrontendSCSIDriver(const virDisk *disk)
{
    if (disk->device == VIR_DISK_DEVICE_LUN)
        return "scsi-block";
    return disk->device == VIR_DISK_DEVICE_CDROM ? "scsi-cd" : "scsi-hd";
}

/* The identity in the guest's eyes: it must not follow from QEMU's names, which may change. */
static void
qemuFrontendAddDeviceId(const virDisk *disk, const qmpCaps *caps, virJSON *props)
{
    if (disk->device == VIR_DISK_DEVICE_LUN || !qmpCapsHas(caps, QMP_CAPS_SCSI_DISK_DEVICE_ID))
        return;
    if (disk->serial)
        virJSONAddString(props, "device_id", disk->serial);
    else
        virJSONAddStringF(props, "device_id", "drive-%s", disk->base.info.alias);
}

static virJSON *
qemuFrontendSCSI(const virDisk *disk, const qemuBuildContext *ctx, GError **error)
{
    const virAddress *at = &disk->base.info.address;
    const virController *controller = qemuFrontendController(disk, VIR_CONTROLLER_SCSI, ctx, error);
    virJSON *props;

    if (!controller)
        return NULL;
    props = virJSONObject();
    virJSONAddString(props, "driver", qemuFrontendSCSIDriver(disk));
    virJSONAddStringF(props, "bus", "%s.0", controller->base.info.alias);
    if (controller->model == VIR_CONTROLLER_SCSI_LSILOGIC) {
        virJSONAddUInt(props, "scsi-id", at->drive.unit);
    } else {
        virJSONAddUInt(props, "channel", at->drive.bus);
        virJSONAddUInt(props, "scsi-id", at->drive.target);
        virJSONAddUInt(props, "lun", at->drive.unit);
    }
    qemuFrontendAddDeviceId(disk, ctx->caps, props);
    return props;
}

static virVirtioModel
qemuFrontendVariant(const virDisk *disk)
{
    switch (disk->model) {
    case VIR_DISK_MODEL_VIRTIO_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    case VIR_DISK_MODEL_VIRTIO_NON_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    default:
        return VIR_VIRTIO_MODEL_DEFAULT;
    }
}

/* SCSI requests through virtio-blk: a LUN's purpose, else off wherever that is not the default. */
static void
qemuFrontendAddPassthrough(const virDisk *disk, const qmpCaps *caps, virJSON *props)
{
    if (!qmpCapsHas(caps, QMP_CAPS_VIRTIO_BLK_PCI_SCSI))
        return;
    if (disk->device == VIR_DISK_DEVICE_LUN)
        virJSONAddBool(props, "scsi", true);
    else if (!qmpCapsHas(caps, QMP_CAPS_VIRTIO_BLK_PCI_SCSI_DEFAULT_DISABLED))
        virJSONAddBool(props, "scsi", false);
}

static virJSON *
qemuFrontendVirtio(const virDisk *disk, const qemuBuildContext *ctx, GError **error)
{
    bool vhostUser = disk->src.type == VIR_STORAGE_TYPE_VHOST_USER;
    g_autoptr(virJSON) props =
        qemuVirtioProps(&disk->base, vhostUser ? "vhost-user-blk" : "virtio-blk",
                        qemuFrontendVariant(disk), &disk->virtio, ctx, error);

    if (!props)
        return NULL;
    if (disk->iothread.set)
        virJSONAddStringF(props, "iothread", "iothread%u", (unsigned)disk->iothread.value);
    virJSONAddTristate(props, "ioeventfd", disk->ioeventfd);
    virJSONAddTristate(props, "event_idx", disk->eventIdx);
    if (!vhostUser)
        qemuFrontendAddPassthrough(disk, ctx->caps, props);
    virJSONAddPositive(props, "num-queues", disk->queues.value);
    virJSONAddPositive(props, "queue-size", disk->queueSize.value);
    if (!qemuAddressProps(&disk->base, ctx, props, error))
        return NULL;
    return g_steal_pointer(&props);
}

static virJSON *
qemuFrontendUSB(const virDisk *disk, const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", "usb-storage");
    if (!qemuAddressProps(&disk->base, ctx, props, error))
        return NULL;
    return g_steal_pointer(&props);
}

static virJSON *
qemuFrontendFloppy(const virDisk *disk)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "floppy");
    virJSONAddUInt(props, "unit", disk->base.info.address.drive.unit);
    return props;
}

static virJSON *
qemuFrontendBus(const virDisk *disk, const qemuBuildContext *ctx, GError **error)
{
    switch (disk->bus) {
    case VIR_DISK_BUS_IDE:
    case VIR_DISK_BUS_SATA:
        return qemuFrontendIDE(disk, ctx, error);
    case VIR_DISK_BUS_SCSI:
        return qemuFrontendSCSI(disk, ctx, error);
    case VIR_DISK_BUS_VIRTIO:
        return qemuFrontendVirtio(disk, ctx, error);
    case VIR_DISK_BUS_USB:
        return qemuFrontendUSB(disk, ctx, error);
    case VIR_DISK_BUS_FDC:
        return qemuFrontendFloppy(disk);
    default:
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("unsupported disk bus '%s' with device setup"),
                    virDiskBusToString(disk->bus));
        return NULL;
    }
}

/* --- errors --- */

void
qemuFrontendErrorPolicy(const virDisk *disk, const char **retWrite, const char **retRead)
{
    *retWrite = disk->errorPolicy ? virDiskErrorPolicyToString(disk->errorPolicy) : NULL;
    *retRead = disk->rerrorPolicy ? virDiskErrorPolicyToString(disk->rerrorPolicy) : NULL;
    if (disk->errorPolicy == VIR_DISK_ERROR_ENOSPACE) /* a matter of writes only */
        *retWrite = "enospc";
    else if (!*retRead)
        *retRead = *retWrite;
}

bool
qemuFrontendTakesErrorPolicy(const virDisk *disk, const qmpCaps *caps)
{
    return qmpCapsHas(caps, disk->bus == VIR_DISK_BUS_USB ? QMP_CAPS_USB_STORAGE_WERROR
                                                          : QMP_CAPS_STORAGE_WERROR);
}

static void
qemuFrontendAddErrorPolicy(const virDisk *disk, const qmpCaps *caps, virJSON *props)
{
    const char *werror, *rerror;

    if (!qemuFrontendTakesErrorPolicy(disk, caps))
        return;
    qemuFrontendErrorPolicy(disk, &werror, &rerror);
    virJSONAddString(props, "werror", werror);
    virJSONAddString(props, "rerror", rerror);
}

/* --- the rest --- */

static void
qemuFrontendAddWriteCache(const virDisk *disk, const qmpCaps *caps, virJSON *props)
{
    bool writeback, direct, noFlush;

    /* a LUN's cache is its own */
    if (disk->cache == VIR_DISK_CACHE_DEFAULT || disk->device == VIR_DISK_DEVICE_LUN ||
        !qmpCapsHas(caps, QMP_CAPS_DISK_WRITE_CACHE))
        return;
    qemuBlockdevCacheFlags(disk->cache, &writeback, &direct, &noFlush);
    virJSONAddOnOff(props, "write-cache", virTristateFromBool(writeback));
}

/* QEMU takes a backslash before a space, as it once had to be on the command line. */
static void
qemuFrontendAddSerial(const virDisk *disk, virJSON *props)
{
    GString *text;

    if (!disk->serial)
        return;
    text = g_string_new(NULL);
    for (const char *p = disk->serial; *p; p++) {
        if (*p == ' ')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *p);
    }
    virJSONAddString(props, "serial", text->str);
    g_string_free(text, TRUE);
}

static void
qemuFrontendAddGeometry(const virDisk *disk, virJSON *props)
{
    if (!disk->cylinders.value || !disk->heads.value || !disk->sectors.value)
        return;
    virJSONAddUInt(props, "cyls", disk->cylinders.value);
    virJSONAddUInt(props, "heads", disk->heads.value);
    virJSONAddUInt(props, "secs", disk->sectors.value);
    if (disk->translation != VIR_DISK_TRANS_DEFAULT && disk->bus == VIR_DISK_BUS_IDE)
        virJSONAddString(props, "bios-chs-trans", virDiskTransToString(disk->translation));
}

static void
qemuFrontendAddWWN(const virDisk *disk, virJSON *props)
{
    if (disk->wwn)
        virJSONAddUInt(props, "wwn", strtoull(disk->wwn, NULL, 16));
}

static void
qemuFrontendAddBackend(const virDisk *disk, const char *backend, const qemuBuildContext *ctx,
                       virJSON *props)
{
    if (disk->src.shared && qmpCapsHas(ctx->caps, QMP_CAPS_DISK_SHARE_RW))
        virJSONAddBool(props, "share-rw", true);
    virJSONAddString(props, disk->src.type == VIR_STORAGE_TYPE_VHOST_USER ? "chardev" : "drive",
                     backend);
    virJSONAddString(props, "id", disk->base.info.alias);
    if (disk->bus != VIR_DISK_BUS_FDC) /* that is the controller's affair */
        qemuBootIndexProps(&disk->base, ctx, props);
    virJSONAddString(props, "loadparm", disk->base.info.bootLoadparm);
}

virJSON *
qemuFrontendProps(const virDisk *disk, const char *backend, const qemuBuildContext *ctx,
                  GError **error)
{
    virJSON *props = qemuFrontendBus(disk, ctx, error);

    if (!props)
        return NULL;
    qemuFrontendAddBackend(disk, backend, ctx, props);
    virJSONAddPositive(props, "logical_block_size", disk->logicalBlockSize.value);
    virJSONAddPositive(props, "physical_block_size", disk->physicalBlockSize.value);
    qemuFrontendAddWWN(disk, props);
    virJSONAddPositive(props, "rotation_rate", disk->rotationRate.value);
    virJSONAddString(props, "vendor", disk->vendor);
    virJSONAddString(props, "product", disk->product);
    if (disk->bus == VIR_DISK_BUS_USB)
        virJSONAddBool(props, "removable", disk->removable == VIR_TRISTATE_YES);
    qemuFrontendAddWriteCache(disk, ctx->caps, props);
    qemuFrontendAddGeometry(disk, props);
    qemuFrontendAddSerial(disk, props);
    qemuFrontendAddErrorPolicy(disk, ctx->caps, props);
    return props;
}

/* --- floppy controllers --- */

/* Q35 machines from 2.4 on come without one. */
static bool
qemuFrontendNeedsFDC(const virDomainFacts *facts)
{
    static const char *const builtIn[] = {"1.4", "1.5", "1.6", "1.7", "2.0", "2.1", "2.2", "2.3"};
    const char *version = facts->machine;

    if (!facts->q35)
        return false;
    if (!g_str_has_prefix(version, "pc-q35-"))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(builtIn); i++) {
        if (g_str_equal(version + strlen("pc-q35-"), builtIn[i]))
            return false;
    }
    return true;
}

static void
qemuFrontendFloppyDrive(const virDisk *disk, const qemuBuildContext *ctx, bool drives,
                        virJSON *controller, qmpPlan *plan)
{
    char letter = disk->base.info.address.drive.unit ? 'B' : 'A';
    g_autofree char *drive = g_strdup_printf("drive%c", letter);
    g_autofree char *index = g_strdup_printf("bootindex%c", letter);
    virOptUInt boot = qemuBootIndex(&disk->base, ctx);

    if (controller) {
        if (drives)
            virJSONAddStringF(controller, drive, "drive-%s", disk->base.info.alias);
        if (boot.set)
            virJSONAddUInt(controller, index, boot.value);
        return;
    }
    if (drives)
        qmpPlanArgF(plan, "-global", "isa-fdc.%s=drive-%s", drive, disk->base.info.alias);
    if (boot.set)
        qmpPlanArgF(plan, "-global", "isa-fdc.%s=%u", index, (unsigned)boot.value);
}

void
qemuFrontendFloppyController(const qemuBuildContext *ctx, bool drives, qmpPlan *plan)
{
    g_autoptr(virJSON) controller = NULL;
    bool any = false;

    if (qemuFrontendNeedsFDC(ctx->facts)) {
        controller = virJSONObject();
        virJSONAddString(controller, "driver", "isa-fdc");
    }
    virDevicesForEach(ctx->facts->devices, &virDiskKind, dev)
    {
        if (VIR_DISK(dev)->bus != VIR_DISK_BUS_FDC)
            continue;
        any = true;
        qemuFrontendFloppyDrive(VIR_DISK(dev), ctx, drives, controller, plan);
    }
    if (controller && any)
        qmpPlanDevice(plan, g_steal_pointer(&controller));
}
