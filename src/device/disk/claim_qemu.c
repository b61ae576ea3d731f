/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * claim_qemu.c: names and modes of a disk for one run. */
#include "device/disk/claim_qemu.h"

#include "device/disk/disk.h"
#include "util/virerror.h"

enum { QEMU_GLUSTER_DEBUG = 4 };

bool
qemuDiskIsDrive(const virDevice *dev, const qmpCaps *caps)
{
    return !qmpCapsHas(caps, QMP_CAPS_BLOCKDEV) || VIR_DISK_CONST(dev)->bus == VIR_DISK_BUS_SD;
}

/* An alias that a status file brought along stays. */
static void
qemuDiskName(char **name, const char *fmt, const char *parent)
{
    if (!*name)
        *name = g_strdup_printf(fmt, parent);
}

/* --- volumes of pools --- */

static bool
qemuDiskClaimVolume(virStorageSource *src, const qemuBuildContext *ctx, GError **error)
{
    g_autofree char *type = NULL;
    char *path = NULL;

    if (src->type != VIR_STORAGE_TYPE_VOLUME || !src->pool)
        return true;
    if (!ctx->config->volume)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("source pool '%s' volume '%s': there is no storage driver"), src->pool,
                           src->poolVolume);
    if (!ctx->config->volume(src->pool, src->poolVolume, &type, &path, ctx->config->hostOpaque,
                             error))
        return false;
    g_free(src->path);
    src->path = path;
    src->run.volumeType = virStorageTypeFromString(type);
    if (src->run.volumeType == VIR_STORAGE_TYPE_DIR)
        src->format = VIR_STORAGE_FORMAT_FAT;
    else if (src->format == VIR_STORAGE_FORMAT_NONE)
        src->format = VIR_STORAGE_FORMAT_RAW;
    return true;
}

/* --- objects of one image --- */

static bool
qemuDiskClaimTLS(virStorageSource *src, const char *parent, const qemuBuildContext *ctx,
                 GError **error)
{
    if (src->type != VIR_STORAGE_TYPE_NETWORK || src->tls != VIR_TRISTATE_YES)
        return true;
    if (src->protocol != VIR_STORAGE_PROTOCOL_NBD && src->protocol != VIR_STORAGE_PROTOCOL_VXHS)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("TLS transport is not supported for disk protocol '%s'"),
                           virStorageProtocolToString(src->protocol));
    if (src->protocol == VIR_STORAGE_PROTOCOL_NBD && !qmpCapsHas(ctx->caps, QMP_CAPS_NBD_TLS))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("this qemu does not support TLS transport for NBD"));
    qemuDiskName(&src->run.tlsAlias, "obj%s_tls0", parent);
    return true;
}

static bool
qemuDiskClaimReservations(virStorageSource *src, const char *parent, GError **error)
{
    virStorageReservations *pr = src->reservations;

    if (!pr)
        return true;
    if (pr->managed == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<reservations managed='yes'/>: no helper is started for disks; run "
                             "qemu-pr-helper and name its socket with managed='no'"));
    qemuDiskName(&pr->managerAlias, "pr-helper-%s", parent);
    return true;
}

static bool
qemuDiskClaimNVMe(virStorageSource *src, const qemuBuildContext *ctx, GError **error)
{
    if (src->type != VIR_STORAGE_TYPE_NVME)
        return true;
    if (!ctx->config->vfioNode)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("disk type 'nvme': the drive cannot be taken from the host's driver"));
    g_free(src->run.vfioNode);
    src->run.vfioNode = ctx->config->vfioNode(&src->nvme, ctx->config->hostOpaque, error);
    return src->run.vfioNode != NULL;
}

/* storage and format are what aliases are made of: nodes, or the disk. */
static bool
qemuDiskClaimObjects(virStorageSource *src, const char *storage, const char *format,
                     const qemuBuildContext *ctx, GError **error)
{
    if (src->auth)
        qemuDiskName(&src->run.authSecret, "%s-auth-secret0", storage);
    if (src->encryption && src->encryption->secrets->len > 0)
        qemuDiskName(&src->run.encryptionSecret, "%s-encryption-secret0", format);
    if (src->cookies)
        qemuDiskName(&src->run.cookieSecret, "%s-httpcookie-secret0", storage);
    if (src->type == VIR_STORAGE_TYPE_NETWORK && src->protocol == VIR_STORAGE_PROTOCOL_GLUSTER &&
        qmpCapsHas(ctx->caps, QMP_CAPS_GLUSTER_DEBUG_LEVEL))
        src->run.glusterDebug = QEMU_GLUSTER_DEBUG;
    return qemuDiskClaimReservations(src, storage, error) &&
           qemuDiskClaimTLS(src, storage, ctx, error) && qemuDiskClaimNVMe(src, ctx, error);
}

static void
qemuDiskClaimCdrom(virDisk *disk, virStorageSource *src, const qemuBuildContext *ctx)
{
    src->run.hostCdrom = disk->device == VIR_DISK_DEVICE_CDROM && src->path &&
                         virStorageSourceActualType(src) == VIR_STORAGE_TYPE_BLOCK &&
                         ctx->config->isCdrom && ctx->config->isCdrom(src->path);
}

/* --- disks --- */

/* A number that a restart has read from the status file stays. */
static bool
qemuDiskClaimNodes(virDisk *disk, virStorageSource *src, const qemuBuildContext *ctx,
                   const qemuClaims *claims, GError **error)
{
    virStorageRuntime *run = &src->run;

    if (src->id == 0)
        src->id = claims->blockNode(claims->opaque);
    if (!run->storageNode)
        run->storageNode = g_strdup_printf("libvirt-%u-storage", src->id);
    if (!run->formatNode)
        run->formatNode = g_strdup_printf("libvirt-%u-format", src->id);
    if (src->hasSlice && !run->sliceNode)
        run->sliceNode = g_strdup_printf("libvirt-%u-slice-sto", src->id);
    qemuDiskClaimCdrom(disk, src, ctx);
    return qemuDiskClaimObjects(src, run->storageNode, run->formatNode, ctx, error);
}

/* Where the front end's part for block devices is in QEMU's object tree. */
static char *
qemuDiskQomName(const virDisk *disk)
{
    const char *alias = disk->base.info.alias;

    switch (disk->bus) {
    case VIR_DISK_BUS_VIRTIO:
        return g_strdup_printf("/machine/peripheral/%s/virtio-backend", alias);
    case VIR_DISK_BUS_USB:
        return g_strdup_printf("/machine/peripheral/%s/%s.0/legacy[0]", alias, alias);
    case VIR_DISK_BUS_SD:
        return NULL;
    default:
        return g_strdup(alias);
    }
}

bool
qemuDiskClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims, GError **error)
{
    virDisk *disk = VIR_DISK(dev);

    if (disk->cache == VIR_DISK_CACHE_DEFAULT && disk->src.shared && !disk->src.readonly)
        disk->cache = VIR_DISK_CACHE_NONE;
    if (disk->transient && !ctx->config->transientDisks)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("<transient/> of disk '%s': overlays are not made yet"), disk->target);
    if (!qemuDiskClaimVolume(&disk->src, ctx, error))
        return false;
    if (disk->src.type == VIR_STORAGE_TYPE_VHOST_USER)
        return true;
    if (qemuDiskIsDrive(dev, ctx->caps))
        return qemuDiskClaimObjects(&disk->src, dev->info.alias, dev->info.alias, ctx, error);
    if (!disk->qomName)
        disk->qomName = qemuDiskQomName(disk);
    if (!disk->copyOnReadNode && disk->copyOnRead == VIR_TRISTATE_YES)
        disk->copyOnReadNode = g_strdup_printf("libvirt-CoR-%s", disk->target);
    for (virStorageSource *src = &disk->src; virStorageSourceIsBacking(src); src = src->backing) {
        if (!qemuDiskClaimNodes(disk, src, ctx, claims, error))
            return false;
    }
    return true;
}
