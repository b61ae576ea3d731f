/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * drive_qemu.c: a disk's image as one long option: where it is, its format, how it is used. */
#include "device/disk/drive_qemu.h"

#include <inttypes.h>
#include <string.h>

#include "device/disk/blockdev_qemu.h"
#include "device/disk/frontend_qemu.h"
#include "device/disk/protocol_qemu.h"
#include "util/virerror.h"

/* A comma inside a value is doubled. */
static void
qemuDriveAppendValue(GString *opt, const char *value)
{
    for (; *value; value++) {
        if (*value == ',')
            g_string_append_c(opt, ',');
        g_string_append_c(opt, *value);
    }
}

static void
qemuDriveAppendEscaped(GString *text, const char *value)
{
    for (; *value; value++) {
        if (*value == ':')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *value);
    }
}

/* --- where it is: nested properties with dots --- */

static void
qemuDriveAppendFlat(GString *opt, const char *prefix, virJSON *value)
{
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, member)
        {
            g_autofree char *path = g_strdup_printf("%s.%s", prefix, key);

            qemuDriveAppendFlat(opt, path, member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < virJSONLength(value); i++) {
            g_autofree char *path = g_strdup_printf("%s.%zu", prefix, i);

            qemuDriveAppendFlat(opt, path, virJSONAt(value, i));
        }
    } else {
        g_string_append_printf(opt, "%s=", prefix);
        qemuDriveAppendValue(opt, json_object_get_string(value));
        g_string_append_c(opt, ',');
    }
}

static bool
qemuDriveNeedsProps(const virStorageSource *src, const qmpCaps *caps)
{
    int type = virStorageSourceActualType(src);

    if (type == VIR_STORAGE_TYPE_NVME)
        return true;
    if (type != VIR_STORAGE_TYPE_NETWORK)
        return false;
    switch (src->protocol) {
    case VIR_STORAGE_PROTOCOL_GLUSTER:
        return src->hosts && src->hosts->len > 1;
    case VIR_STORAGE_PROTOCOL_ISCSI:
        return qmpCapsHas(caps, QMP_CAPS_ISCSI_PASSWORD_SECRET);
    case VIR_STORAGE_PROTOCOL_VXHS:
        return true;
    case VIR_STORAGE_PROTOCOL_NBD:
        return src->run.tlsAlias != NULL;
    default:
        return false;
    }
}

/* --- where it is: as one string --- */

static char *
qemuDriveNBD(const virStorageSource *src)
{
    const virStorageHost *host = g_ptr_array_index(src->hosts, 0);
    g_autofree char *name = src->path ? g_strconcat(":exportname=", src->path, NULL) : g_strdup("");

    if (host->transport == VIR_STORAGE_TRANSPORT_UNIX)
        return g_strdup_printf("nbd:unix:%s%s", host->socket, name);
    if (strchr(host->name, ':') || (src->path && src->path[0] == '/'))
        return qemuProtocolURI(src);
    return g_strdup_printf("nbd:%s:%u%s", host->name, host->port, name);
}

static void
qemuDriveAppendMonitors(GString *text, const virStorageSource *src)
{
    for (guint i = 0; src->hosts && i < src->hosts->len; i++) {
        const virStorageHost *host = g_ptr_array_index(src->hosts, i);
        bool bracket = strchr(host->name, ':') != NULL;

        g_string_append(text, i ? "\\;" : ":mon_host=");
        g_string_append(text, bracket ? "[" : "");
        qemuDriveAppendEscaped(text, host->name);
        g_string_append(text, bracket ? "]" : "");
        if (host->port)
            g_string_append_printf(text, "\\:%u", host->port);
    }
}

static char *
qemuDriveRBD(const virStorageSource *src, GError **error)
{
    GString *text;

    if (strchr(src->path, ':')) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("':' not allowed in RBD source volume name '%s'"), src->path);
        return NULL;
    }
    text = g_string_new(NULL);
    g_string_append_printf(text, "rbd:%s/%s", src->volume, src->path);
    if (src->snapshot)
        g_string_append_printf(text, "@%s", src->snapshot);
    if (src->auth) {
        g_string_append(text, ":id=");
        qemuDriveAppendEscaped(text, src->auth->username);
        g_string_append(text, ":auth_supported=cephx\\;none");
    } else {
        g_string_append(text, ":auth_supported=none");
    }
    qemuDriveAppendMonitors(text, src);
    if (src->configFile) {
        g_string_append(text, ":conf=");
        qemuDriveAppendEscaped(text, src->configFile);
    }
    return g_string_free(text, FALSE);
}

static char *
qemuDriveSheepdog(const virStorageSource *src)
{
    const virStorageHost *host =
        src->hosts && src->hosts->len > 0 ? g_ptr_array_index(src->hosts, 0) : NULL;

    if (!host)
        return g_strconcat("sheepdog:", src->path, NULL);
    return g_strdup_printf("sheepdog:%s:%u:%s", host->name, host->port, src->path);
}

static char *
qemuDriveNetwork(const virStorageSource *src, GError **error)
{
    char *uri;

    if (src->protocol == VIR_STORAGE_PROTOCOL_NBD && src->hosts && src->hosts->len == 1)
        return qemuDriveNBD(src);
    if (src->protocol == VIR_STORAGE_PROTOCOL_RBD)
        return qemuDriveRBD(src, error);
    if (src->protocol == VIR_STORAGE_PROTOCOL_SHEEPDOG)
        return qemuDriveSheepdog(src);
    if (!(uri = qemuProtocolURI(src)))
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%s protocol accepts only one host"),
                    virStorageProtocolToString(src->protocol));
    return uri;
}

static char *
qemuDriveFile(const virDisk *disk, GError **error)
{
    const virStorageSource *src = &disk->src;

    switch (virStorageSourceActualType(src)) {
    case VIR_STORAGE_TYPE_FILE:
    case VIR_STORAGE_TYPE_BLOCK:
        return g_strdup(src->path);
    case VIR_STORAGE_TYPE_DIR:
        return g_strdup_printf(disk->device == VIR_DISK_DEVICE_FLOPPY ? "fat:floppy:%s" : "fat:%s",
                               src->path);
    case VIR_STORAGE_TYPE_NETWORK:
        return qemuDriveNetwork(src, error);
    default:
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("disk type '%s' is not supported with this QEMU binary"),
                    virStorageTypeToString(src->type));
        return NULL;
    }
}

static bool
qemuDriveAppendPlace(GString *opt, const virDisk *disk, const qmpCaps *caps, GError **error)
{
    const virStorageSource *src = &disk->src;
    g_autofree char *file = NULL;

    if (qemuDriveNeedsProps(src, caps)) {
        g_autoptr(virJSON) props = qemuProtocolProps(disk, src, QEMU_PROTOCOL_LEGACY, error);

        if (!props)
            return false;
        qemuDriveAppendFlat(opt, "file", props);
        return true;
    }
    if (!(file = qemuDriveFile(disk, error)))
        return false;
    g_string_append(opt, "file=");
    qemuDriveAppendValue(opt, file);
    g_string_append_c(opt, ',');
    if (src->run.glusterDebug)
        g_string_append_printf(opt, "file.debug=%u,", src->run.glusterDebug);
    if (src->run.authSecret)
        g_string_append_printf(opt, "file.password-secret=%s,", src->run.authSecret);
    return true;
}

/* --- format and use --- */

static void
qemuDriveAppendFormat(GString *opt, const virDisk *disk)
{
    const virStorageSource *src = &disk->src;

    if (virStorageSourceIsLUKS(src)) {
        g_string_append_printf(opt, "key-secret=%s,format=luks,", src->run.encryptionSecret);
        return;
    }
    if (src->encryption && src->run.encryptionSecret)
        g_string_append_printf(opt, "encrypt.format=luks,encrypt.key-secret=%s,",
                               src->run.encryptionSecret);
    if (src->format != VIR_STORAGE_FORMAT_NONE &&
        virStorageSourceActualType(src) != VIR_STORAGE_TYPE_DIR)
        g_string_append_printf(opt, "format=%s,", virStorageFormatToString(src->format));
}

static void
qemuDriveAppendErrorPolicy(GString *opt, const virDisk *disk, const qmpCaps *caps)
{
    const char *werror, *rerror;

    if (qemuFrontendTakesErrorPolicy(disk, caps))
        return;
    qemuFrontendErrorPolicy(disk, &werror, &rerror);
    if (werror)
        g_string_append_printf(opt, ",werror=%s", werror);
    if (rerror)
        g_string_append_printf(opt, ",rerror=%s", rerror);
}

/* QEMU refuses these for an empty drive. */
static void
qemuDriveAppendImageUse(GString *opt, const virDisk *disk)
{
    int detectZeroes = qemuBlockdevDetectZeroes(disk);

    if (disk->cache != VIR_DISK_CACHE_DEFAULT)
        g_string_append_printf(opt, ",cache=%s", virDiskCacheToString(disk->cache));
    if (disk->copyOnRead == VIR_TRISTATE_YES)
        g_string_append(opt, ",copy-on-read=on");
    if (disk->discard != VIR_DISK_DISCARD_DEFAULT)
        g_string_append_printf(opt, ",discard=%s", virDiskDiscardToString(disk->discard));
    if (detectZeroes != VIR_DISK_DETECT_ZEROES_DEFAULT)
        g_string_append_printf(opt, ",detect-zeroes=%s", virDiskDetectZeroesToString(detectZeroes));
    if (disk->io != VIR_DISK_IO_DEFAULT)
        g_string_append_printf(opt, ",aio=%s", virDiskIOToString(disk->io));
}

static void
qemuDriveAppendThrottling(GString *opt, const virDiskIotune *iotune)
{
    bool grouped = false;

    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        uint64_t value = *virDiskIotuneAt(iotune, limit);

        if (limit->class == VIR_DISK_IOTUNE_LENGTH && !grouped && iotune->group) {
            g_string_append(opt, ",throttling.group=");
            qemuDriveAppendValue(opt, iotune->group);
        }
        grouped = limit->class == VIR_DISK_IOTUNE_LENGTH;
        if (value)
            g_string_append_printf(opt, ",%s=%" PRIu64, limit->drive, value);
    }
}

char *
qemuDriveOption(const virDisk *disk, const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(GString) opt = g_string_new(NULL);
    bool empty = virStorageSourceIsEmpty(&disk->src);
    bool ejected = virDiskIsRemovable(disk) && disk->tray != 0;

    if (!empty && !ejected) {
        if (!qemuDriveAppendPlace(opt, disk, ctx->caps, error))
            return NULL;
        qemuDriveAppendFormat(opt, disk);
    }
    if (disk->bus == VIR_DISK_BUS_SD)
        g_string_append_printf(opt, "if=sd,index=%d", virDiskTargetIndex(disk->target));
    else
        g_string_append_printf(opt, "if=none,id=drive-%s", disk->base.info.alias);
    qemuDriveAppendErrorPolicy(opt, disk, ctx->caps);
    if (disk->src.readonly)
        g_string_append(opt, ",readonly=on");
    if (!empty)
        qemuDriveAppendImageUse(opt, disk);
    qemuDriveAppendThrottling(opt, virDiskLimits(disk));
    return g_string_free(g_steal_pointer(&opt), FALSE);
}
