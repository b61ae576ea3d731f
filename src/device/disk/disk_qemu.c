/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk_qemu.c: <disk> for QEMU. */
#include "device/disk/disk_qemu.h"

#include "device/disk/disk.h"
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

const virDeviceQemu virDiskQemu = {
    .kind = &virDiskKind,
    .complete = qemuDiskComplete,
};
