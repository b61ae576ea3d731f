/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * blockdev_qemu.c: a chain of images as QEMU's block nodes. */
#include "device/disk/blockdev_qemu.h"

#include <string.h>

#include "device/disk/protocol_qemu.h"
#include "util/virerror.h"
#include "util/virsecure.h"

/* --- what nodes have in common --- */

void
qemuBlockdevCacheFlags(int cache, bool *retWriteback, bool *retDirect, bool *retNoFlush)
{
    *retWriteback = cache != VIR_DISK_CACHE_WRITETHROUGH && cache != VIR_DISK_CACHE_DIRECTSYNC;
    *retDirect = cache == VIR_DISK_CACHE_NONE || cache == VIR_DISK_CACHE_DIRECTSYNC;
    *retNoFlush = cache == VIR_DISK_CACHE_UNSAFE;
}

static void
qemuBlockdevAddCache(const virDisk *disk, virJSON *props)
{
    virJSON *cache;
    bool writeback, direct, noFlush;

    if (disk->cache == VIR_DISK_CACHE_DEFAULT)
        return;
    qemuBlockdevCacheFlags(disk->cache, &writeback, &direct, &noFlush);
    cache = virJSONObject();
    virJSONAddBool(cache, "direct", direct);
    virJSONAddBool(cache, "no-flush", noFlush);
    virJSONAddValue(props, "cache", cache);
}

int
qemuBlockdevDetectZeroes(const virDisk *disk)
{
    if (disk->detectZeroes == VIR_DISK_DETECT_ZEROES_UNMAP &&
        disk->discard != VIR_DISK_DISCARD_UNMAP)
        return VIR_DISK_DETECT_ZEROES_ON;
    return disk->detectZeroes;
}

/* --- nodes --- */

virJSON *
qemuBlockdevStorageProps(const virDisk *disk, const virStorageSource *src, GError **error)
{
    virJSON *props = qemuProtocolProps(disk, src, 0, error);

    if (!props)
        return NULL;
    virJSONAddString(props, "node-name", src->run.storageNode);
    qemuBlockdevAddCache(disk, props);
    /* written only once something above wants to write */
    virJSONAddBool(props, "auto-read-only", true);
    virJSONAddString(props, "discard", "unmap");
    return props;
}

bool
qemuBlockdevHasSliceNode(const virStorageSource *src)
{
    /* the raw driver takes the part itself */
    return src->hasSlice && (src->format != VIR_STORAGE_FORMAT_RAW || virStorageSourceIsLUKS(src));
}

virJSON *
qemuBlockdevSliceProps(const virDisk *disk, const virStorageSource *src)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "raw");
    virJSONAddString(props, "node-name", src->run.sliceNode);
    virJSONAddUInt(props, "offset", src->sliceOffset);
    virJSONAddUInt(props, "size", src->sliceSize);
    virJSONAddString(props, "file", src->run.storageNode);
    virJSONAddBool(props, "auto-read-only", true);
    virJSONAddString(props, "discard", "unmap");
    qemuBlockdevAddCache(disk, props);
    return props;
}

static const char *
qemuBlockdevFormatDriver(const virStorageSource *src)
{
    switch (src->format) {
    case VIR_STORAGE_FORMAT_RAW:
        return virStorageSourceIsLUKS(src) ? "luks" : "raw";
    case VIR_STORAGE_FORMAT_FAT: /* the protocol makes it up */
        return "raw";
    case VIR_STORAGE_FORMAT_VHD:
        return "vhdx";
    case VIR_STORAGE_FORMAT_PLOOP:
        return "parallels";
    case VIR_STORAGE_FORMAT_BOCHS:
    case VIR_STORAGE_FORMAT_CLOOP:
    case VIR_STORAGE_FORMAT_DMG:
    case VIR_STORAGE_FORMAT_VPC:
    case VIR_STORAGE_FORMAT_VDI:
    case VIR_STORAGE_FORMAT_QCOW:
    case VIR_STORAGE_FORMAT_QCOW2:
    case VIR_STORAGE_FORMAT_QED:
    case VIR_STORAGE_FORMAT_VMDK:
        return virStorageFormatToString(src->format);
    default:
        return NULL;
    }
}

static void
qemuBlockdevAddEncrypt(const virStorageSource *src, virJSON *props)
{
    virJSON *encrypt;

    if (!src->encryption || src->encryption->engine == VIR_ENCRYPTION_ENGINE_LIBRBD)
        return;
    encrypt = virJSONObject();
    virJSONAddString(encrypt, "format",
                     src->encryption->format == VIR_ENCRYPTION_FORMAT_QCOW ? "aes" : "luks");
    virJSONAddString(encrypt, "key-secret", src->run.encryptionSecret);
    virJSONAddValue(props, "encrypt", encrypt);
}

/* What only one format has. */
static void
qemuBlockdevAddFormatOptions(const virStorageSource *src, virJSON *props)
{
    if (src->format == VIR_STORAGE_FORMAT_RAW && virStorageSourceIsLUKS(src)) {
        virJSONAddString(props, "key-secret", src->run.encryptionSecret);
    } else if (src->format == VIR_STORAGE_FORMAT_RAW && src->hasSlice) {
        virJSONAddUInt(props, "offset", src->sliceOffset);
        virJSONAddUInt(props, "size", src->sliceSize);
    } else if (src->format == VIR_STORAGE_FORMAT_QCOW2 || src->format == VIR_STORAGE_FORMAT_QCOW) {
        qemuBlockdevAddEncrypt(src, props);
        virJSONAddPositive(props, "cache-size", src->metadataCache.value);
    }
}

static void
qemuBlockdevAddBacking(const virStorageSource *src, virJSON *props)
{
    if (!src->backing || src->format < VIR_STORAGE_FORMAT_BACKING)
        return;
    if (virStorageSourceIsBacking(src->backing))
        virJSONAddString(props, "backing", src->backing->run.formatNode);
    else
        json_object_object_add(props, "backing", NULL); /* whatever the header says */
}

virJSON *
qemuBlockdevFormatProps(const virDisk *disk, const virStorageSource *src, GError **error)
{
    const char *driver = qemuBlockdevFormatDriver(src);
    int detectZeroes = qemuBlockdevDetectZeroes(disk);
    virJSON *props;

    if (!driver) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("mishandled storage format '%s'"),
                    virStorageFormatToString(src->format));
        return NULL;
    }
    props = virJSONObject();
    virJSONAddString(props, "node-name", src->run.formatNode);
    virJSONAddBool(props, "read-only", src->readonly);
    qemuBlockdevAddCache(disk, props);
    if (disk->discard != VIR_DISK_DISCARD_DEFAULT)
        virJSONAddString(props, "discard", virDiskDiscardToString(disk->discard));
    if (src == &disk->src && detectZeroes != VIR_DISK_DETECT_ZEROES_DEFAULT)
        virJSONAddString(props, "detect-zeroes", virDiskDetectZeroesToString(detectZeroes));
    virJSONAddString(props, "driver", driver);
    qemuBlockdevAddFormatOptions(src, props);
    virJSONAddString(props, "file",
                     qemuBlockdevHasSliceNode(src) ? src->run.sliceNode : src->run.storageNode);
    qemuBlockdevAddBacking(src, props);
    return props;
}

static virJSON *
qemuBlockdevCopyOnReadProps(const virDisk *disk)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "copy-on-read");
    virJSONAddString(props, "node-name", disk->copyOnReadNode);
    virJSONAddString(props, "file", disk->src.run.formatNode);
    virJSONAddString(props, "discard", "unmap");
    return props;
}

const char *
qemuBlockdevTopNode(const virDisk *disk)
{
    if (virStorageSourceIsEmpty(&disk->src))
        return NULL;
    return disk->copyOnReadNode ? disk->copyOnReadNode : disk->src.run.formatNode;
}

/* --- objects --- */

static bool
qemuBlockdevBuildSecret(const char *alias, const char *plain, const qemuBuildContext *ctx,
                        qmpPlan *plan, GError **error)
{
    g_autofree char *iv = NULL;
    g_autofree char *data = NULL;
    virJSON *props;

    if (!ctx->config->encrypt)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("encrypted secrets are not supported"));
    data = ctx->config->encrypt(plain, strlen(plain), &iv, ctx->config->encryptOpaque);
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "secret");
    virJSONAddString(props, "id", alias);
    virJSONAddString(props, "data", data);
    virJSONAddString(props, "keyid", "masterKey0");
    virJSONAddString(props, "iv", iv);
    virJSONAddString(props, "format", "base64");
    qmpPlanObject(plan, props);
    return true;
}

static bool
qemuBlockdevBuildNamedSecret(const char *alias, const virStorageSecret *secret,
                             const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    char *plain;
    bool ok;

    if (!ctx->config->secret)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("secret '%s' of a disk: there is no secret driver"),
                           secret->uuid ? secret->uuid : secret->usage);
    plain = ctx->config->secret(secret->type, secret->uuid, secret->usage, ctx->config->hostOpaque,
                                error);
    if (!plain)
        return false;
    ok = qemuBlockdevBuildSecret(alias, plain, ctx, plan, error);
    virSecureFreeString(plain);
    return ok;
}

static void
qemuBlockdevBuildReservations(const virStorageReservations *pr, qmpPlan *plan)
{
    virJSON *props;

    if (!pr || pr->managed != VIR_TRISTATE_NO)
        return;
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "pr-manager-helper");
    virJSONAddString(props, "id", pr->managerAlias);
    virJSONAddString(props, "path", pr->path);
    qmpPlanObject(plan, props);
}

static bool
qemuBlockdevBuildCookies(const virStorageSource *src, const qemuBuildContext *ctx, qmpPlan *plan,
                         GError **error)
{
    char *cookies;
    bool ok;

    if (!src->run.cookieSecret)
        return true;
    cookies = qemuProtocolCookies(src);
    ok = qemuBlockdevBuildSecret(src->run.cookieSecret, cookies, ctx, plan, error);
    virSecureFreeString(cookies);
    return ok;
}

static void
qemuBlockdevBuildTLS(const virStorageSource *src, const qemuBuildContext *ctx, qmpPlan *plan)
{
    virJSON *props;

    if (!src->run.tlsAlias)
        return;
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "tls-creds-x509");
    virJSONAddString(props, "id", src->run.tlsAlias);
    virJSONAddString(props, "dir", ctx->config->nbdTLSDir);
    virJSONAddString(props, "endpoint", "client");
    virJSONAddBool(props, "verify-peer", true);
    virJSONAddString(props, "passwordid", src->run.tlsKeySecret);
    qmpPlanObject(plan, props);
}

bool
qemuBlockdevBuildObjects(const virStorageSource *src, const qemuBuildContext *ctx, qmpPlan *plan,
                         GError **error)
{
    const virStorageSecret *passphrase = src->encryption && src->encryption->secrets->len > 0
                                             ? g_ptr_array_index(src->encryption->secrets, 0)
                                             : NULL;

    qemuBlockdevBuildReservations(src->reservations, plan);
    if (src->auth && src->run.authSecret &&
        !qemuBlockdevBuildNamedSecret(src->run.authSecret, &src->auth->secret, ctx, plan, error))
        return false;
    if (passphrase && src->run.encryptionSecret &&
        !qemuBlockdevBuildNamedSecret(src->run.encryptionSecret, passphrase, ctx, plan, error))
        return false;
    if (!qemuBlockdevBuildCookies(src, ctx, plan, error))
        return false;
    qemuBlockdevBuildTLS(src, ctx, plan);
    return true;
}

/* --- chains --- */

static bool
qemuBlockdevBuildImage(const virDisk *disk, const virStorageSource *src,
                       const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    virJSON *storage, *format;

    if (!qemuBlockdevBuildObjects(src, ctx, plan, error))
        return false;
    if (!(storage = qemuBlockdevStorageProps(disk, src, error)))
        return false;
    qmpPlanBlockdev(plan, storage);
    if (qemuBlockdevHasSliceNode(src))
        qmpPlanBlockdev(plan, qemuBlockdevSliceProps(disk, src));
    if (!(format = qemuBlockdevFormatProps(disk, src, error)))
        return false;
    qmpPlanBlockdev(plan, format);
    return true;
}

/* The images of a chain, top first. Caller unrefs. */
static GPtrArray *
qemuBlockdevImages(const virDisk *disk)
{
    GPtrArray *images = g_ptr_array_new();

    for (const virStorageSource *src = &disk->src; virStorageSourceIsBacking(src);
         src = src->backing)
        g_ptr_array_add(images, (gpointer)src);
    return images;
}

bool
qemuBlockdevBuild(const virDisk *disk, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) images = NULL;

    if (virStorageSourceIsEmpty(&disk->src))
        return true;
    images = qemuBlockdevImages(disk);
    for (guint i = images->len; i-- > 0;) {
        if (!qemuBlockdevBuildImage(disk, g_ptr_array_index(images, i), ctx, plan, error))
            return false;
    }
    if (disk->copyOnReadNode)
        qmpPlanBlockdev(plan, qemuBlockdevCopyOnReadProps(disk));
    return true;
}

/* takes over props, which put the node back */
static void
qemuBlockdevRemoveNode(qmpPlan *plan, virJSON *props)
{
    virJSON *args = virJSONObject();

    virJSONAddString(args, "node-name", virJSONGetString(props, "node-name"));
    qmpPlanCommand(plan, "blockdev-del", args, "blockdev-add", props);
}

static void
qemuBlockdevRemoveObject(qmpPlan *plan, const char *alias)
{
    virJSON *args;

    if (!alias)
        return;
    args = virJSONObject();
    virJSONAddString(args, "id", alias);
    qmpPlanCommand(plan, "object-del", args, NULL, NULL);
}

static bool
qemuBlockdevRemoveImage(const virDisk *disk, const virStorageSource *src, qmpPlan *plan,
                        GError **error)
{
    virJSON *format = qemuBlockdevFormatProps(disk, src, error);
    virJSON *storage;

    if (!format)
        return false;
    qemuBlockdevRemoveNode(plan, format);
    if (qemuBlockdevHasSliceNode(src))
        qemuBlockdevRemoveNode(plan, qemuBlockdevSliceProps(disk, src));
    if (!(storage = qemuBlockdevStorageProps(disk, src, error)))
        return false;
    qemuBlockdevRemoveNode(plan, storage);
    return true;
}

/* Objects come last: they have no undo. */
static void
qemuBlockdevRemoveObjects(const virStorageSource *src, qmpPlan *plan)
{
    qemuBlockdevRemoveObject(plan, src->run.tlsAlias);
    qemuBlockdevRemoveObject(plan, src->run.cookieSecret);
    qemuBlockdevRemoveObject(plan, src->run.encryptionSecret);
    qemuBlockdevRemoveObject(plan, src->run.authSecret);
    if (src->reservations && src->reservations->managed == VIR_TRISTATE_NO)
        qemuBlockdevRemoveObject(plan, src->reservations->managerAlias);
}

bool
qemuBlockdevRemove(const virDisk *disk, qmpPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) images = NULL;

    if (virStorageSourceIsEmpty(&disk->src))
        return true;
    if (disk->copyOnReadNode)
        qemuBlockdevRemoveNode(plan, qemuBlockdevCopyOnReadProps(disk));
    images = qemuBlockdevImages(disk);
    for (guint i = 0; i < images->len; i++) {
        if (!qemuBlockdevRemoveImage(disk, g_ptr_array_index(images, i), plan, error))
            return false;
    }
    for (guint i = 0; i < images->len; i++)
        qemuBlockdevRemoveObjects(g_ptr_array_index(images, i), plan);
    return true;
}
