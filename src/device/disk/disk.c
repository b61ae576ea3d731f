/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk.c: <disk> as a document. */
#include "device/disk/disk.h"

#include <string.h>

#include "device/controller/controller.h"
#include "device/disk/mirror.h"
#include "device/disk/sourceparts.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virDiskDevice, VIR_DISK_DEVICE_LAST, "disk", "cdrom", "floppy", "lun");
VIR_ENUM_IMPL(virDiskBus, VIR_DISK_BUS_LAST, "none", "ide", "fdc", "scsi", "virtio", "xen", "usb",
              "uml", "sata", "sd");
VIR_ENUM_IMPL(virDiskModel, VIR_DISK_MODEL_LAST, "default", "virtio", "virtio-transitional",
              "virtio-non-transitional");
VIR_ENUM_IMPL(virDiskCache, VIR_DISK_CACHE_LAST, "default", "none", "writethrough", "writeback",
              "directsync", "unsafe");
VIR_ENUM_IMPL(virDiskErrorPolicy, VIR_DISK_ERROR_LAST, "default", "stop", "report", "ignore",
              "enospace");
VIR_ENUM_IMPL(virDiskIO, VIR_DISK_IO_LAST, "default", "native", "threads", "io_uring");
VIR_ENUM_IMPL(virDiskDiscard, VIR_DISK_DISCARD_LAST, "default", "unmap", "ignore");
VIR_ENUM_IMPL(virDiskDetectZeroes, VIR_DISK_DETECT_ZEROES_LAST, "default", "off", "on", "unmap");
VIR_ENUM_IMPL(virDiskSnapshot, VIR_DISK_SNAPSHOT_LAST, "default", "no", "internal", "external",
              "manual");
VIR_ENUM_IMPL(virDiskStartupPolicy, VIR_DISK_STARTUP_LAST, "default", "mandatory", "requisite",
              "optional");

enum { VIR_DISK_TRAY_LAST = 2 };
VIR_ENUM_IMPL(virDiskSgio, VIR_DISK_SGIO_LAST, "default", "filtered", "unfiltered");
VIR_ENUM_IMPL(virDiskTrans, VIR_DISK_TRANS_LAST, "default", "none", "auto", "lba");
VIR_ENUM_DECL(virDiskTray);
VIR_ENUM_IMPL(virDiskTray, VIR_DISK_TRAY_LAST, "closed", "open");

/* --- rows that need code --- */

static bool
virDiskParseSnapshot(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    g_autofree char *text = virXMLAttr(node, "snapshot");

    if (text && (disk->snapshot = virDiskSnapshotFromString(text)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute 'snapshot' in element 'disk': '%s'."),
                           text);
    return true;
}

/* what a read-only disk gets by itself is not written */
static void
virDiskFormatSnapshot(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDisk *disk = object;

    if (disk->snapshot != VIR_DISK_SNAPSHOT_DEFAULT &&
        !(disk->snapshot == VIR_DISK_SNAPSHOT_NO && disk->src.readonly))
        virXMLWriterAttr(w, "snapshot", virDiskSnapshotToString(disk->snapshot));
}

/* Before the rows of <driver>: what is said of a bad value in words of its own. */
static bool
virDiskParseDriver(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *driver = virXMLFirstChild(node, "driver");
    g_autofree char *type = driver ? virXMLAttr(driver, "type") : NULL;
    g_autofree char *rerror = driver ? virXMLAttr(driver, "rerror_policy") : NULL;

    if (type && virStorageFormatFromString(type) <= VIR_STORAGE_FORMAT_NONE)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unknown driver format value '%s'"),
                           type);
    if (rerror && (virDiskErrorPolicyFromString(rerror) <= 0 ||
                   virDiskErrorPolicyFromString(rerror) == VIR_DISK_ERROR_ENOSPACE))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Invalid disk read error policy: '%s'"), rerror);
    return true;
}

/* After its rows: any unit is read, bytes are written. */
static bool
virDiskParseMetadataCache(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    xmlNode *driver = virXMLFirstChild(node, "driver");

    if (!driver || !virXMLChildAt(driver, "metadata_cache/max_size"))
        return true;
    g_free(disk->metadataUnit);
    disk->metadataUnit = g_strdup("bytes");
    return virStorageMetadataCacheParse(&disk->src, driver, error);
}

static bool
virDiskParseAuth(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    xmlNode *auth = virXMLFirstChild(node, "auth");

    if (!auth)
        return true;
    if (virXMLChildAt(node, "source/auth"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("an <auth> definition already found for disk source"));
    disk->authInDisk = true;
    return (disk->src.auth = virStorageAuthParse(auth, error)) != NULL;
}

static void
virDiskFormatAuth(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDisk *disk = object;

    if (disk->authInDisk && disk->src.auth)
        virStorageAuthFormat(disk->src.auth, w);
}

static bool
virDiskParseEncryption(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    xmlNode *encryption = virXMLFirstChild(node, "encryption");

    if (!encryption)
        return true;
    if (virXMLChildAt(node, "source/encryption"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("an <encryption> definition already found for disk source"));
    disk->encryptionInDisk = true;
    return (disk->src.encryption = virStorageEncryptionParse(encryption, error)) != NULL;
}

static void
virDiskFormatEncryption(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDisk *disk = object;

    if (disk->encryptionInDisk && disk->src.encryption)
        virStorageEncryptionFormat(disk->src.encryption, w);
}

static bool
virDiskParseSource(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    xmlNode *source = virXMLFirstChild(node, "source");
    g_autofree char *policy = source ? virXMLAttr(source, "startupPolicy") : NULL;
    g_autofree char *index = source ? virXMLAttr(source, "index") : NULL;
    uint64_t id;

    if (disk->src.type == VIR_STORAGE_TYPE_NONE)
        disk->src.type = VIR_STORAGE_TYPE_FILE;
    if (source && !virStorageSourceParse(&disk->src, source, parseFlags, error))
        return false;
    if (policy && (disk->startupPolicy = virDiskStartupPolicyFromString(policy)) <= 0)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("Invalid value for attribute 'startupPolicy' in element 'source': '%s'."), policy);
    if (index && !(parseFlags & VIR_PARSE_INACTIVE)) {
        if (!virStringToUInt(index, UINT32_MAX, &id))
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid disk index '%s'"), index);
        disk->src.id = (unsigned)id;
    }
    return virStorageBackingParse(&disk->src, node, parseFlags, error);
}

static void
virDiskFormatSource(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDisk *disk = object;
    const virStorageSourceFormatOptions options = {
        .startupPolicy =
            disk->startupPolicy ? virDiskStartupPolicyToString(disk->startupPolicy) : NULL,
        .index = true,
        .skipAuth = disk->authInDisk,
        .skipEncryption = disk->encryptionInDisk,
    };

    virStorageSourceFormat(&disk->src, w, &options, formatFlags);
    virStorageBackingFormat(&disk->src, w, formatFlags);
}

static void
virDiskClearSource(void *object)
{
    virStorageSourceClear(&VIR_DISK(object)->src);
}

const virDiskIotune *
virDiskLimits(const virDisk *disk)
{
    static const virDiskIotune none;

    return disk->iotune ? disk->iotune : &none;
}

void
virDiskSetLimits(virDisk *disk, const virDiskIotune *iotune)
{
    virDiskIotuneFree(disk->iotune);
    disk->iotune = g_memdup2(iotune, sizeof(*iotune));
    disk->iotune->group = g_strdup(iotune->group);
}

static bool
virDiskParseIotune(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    return virDiskIotuneParse(&VIR_DISK(object)->iotune, node, error);
}

static void
virDiskFormatIotune(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDisk *disk = VIR_DISK_CONST(object);

    if (disk->iotune)
        virDiskIotuneFormat(disk->iotune, w);
}

static void
virDiskClearIotune(void *object)
{
    g_clear_pointer(&VIR_DISK(object)->iotune, virDiskIotuneFree);
}

static bool
virDiskParsePrivateData(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    xmlNode *data = virXMLFirstChild(node, "privateData");
    xmlNode *qom = data ? virXMLFirstChild(data, "qom") : NULL;
    xmlNode *nodes = data ? virXMLFirstChild(data, "nodenames") : NULL;

    if (!(parseFlags & VIR_PARSE_STATUS))
        return true;
    if (qom)
        disk->qomName = virXMLAttr(qom, "name");
    if (!nodes)
        return true;
    virXMLForEachChildNamed (nodes, child, "nodename") {
        if (g_strcmp0(virXMLAttrPeek(child, "type"), "copyOnRead") != 0)
            continue;
        g_free(disk->copyOnReadNode);
        disk->copyOnReadNode = virXMLAttr(child, "name");
    }
    return true;
}

static void
virDiskFormatPrivateData(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDisk *disk = object;

    virXMLWriterOpen(w, "privateData");
    if (disk->qomName) {
        virXMLWriterOpen(w, "qom");
        virXMLWriterAttr(w, "name", disk->qomName);
        virXMLWriterClose(w);
    }
    if (disk->copyOnReadNode) {
        virXMLWriterOpen(w, "nodenames");
        virXMLWriterOpen(w, "nodename");
        virXMLWriterAttr(w, "type", "copyOnRead");
        virXMLWriterAttr(w, "name", disk->copyOnReadNode);
        virXMLWriterClose(w);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterOpen(w, "diskSecretsPlacement");
    virXMLWriterAttr(w, "auth", disk->authInDisk ? "true" : NULL);
    virXMLWriterAttr(w, "enc", disk->encryptionInDisk ? "true" : NULL);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDiskClearPrivateData(void *object)
{
    g_clear_pointer(&VIR_DISK(object)->qomName, g_free);
    g_clear_pointer(&VIR_DISK(object)->copyOnReadNode, g_free);
}

static const virField iotuneHolds[] = {
    VIR_HOLDS_UINT("total_bytes_sec"),
    VIR_HOLDS_UINT("read_bytes_sec"),
    VIR_HOLDS_UINT("write_bytes_sec"),
    VIR_HOLDS_UINT("total_iops_sec"),
    VIR_HOLDS_UINT("read_iops_sec"),
    VIR_HOLDS_UINT("write_iops_sec"),
    VIR_HOLDS_UINT("total_bytes_sec_max"),
    VIR_HOLDS_UINT("read_bytes_sec_max"),
    VIR_HOLDS_UINT("write_bytes_sec_max"),
    VIR_HOLDS_UINT("total_iops_sec_max"),
    VIR_HOLDS_UINT("read_iops_sec_max"),
    VIR_HOLDS_UINT("write_iops_sec_max"),
    VIR_HOLDS_UINT("size_iops_sec"),
    VIR_HOLDS_UINT("total_bytes_sec_max_length"),
    VIR_HOLDS_UINT("read_bytes_sec_max_length"),
    VIR_HOLDS_UINT("write_bytes_sec_max_length"),
    VIR_HOLDS_UINT("total_iops_sec_max_length"),
    VIR_HOLDS_UINT("read_iops_sec_max_length"),
    VIR_HOLDS_UINT("write_iops_sec_max_length"),
    VIR_HOLDS("group_name"),
    VIR_FIELD_END,
};

static const virField authHolds[] = {
    VIR_HOLDS("@username"),
    VIR_HOLDS("secret@type"),
    VIR_HOLDS("secret@uuid"),
    VIR_HOLDS("secret@usage"),
    VIR_FIELD_END,
};

static const virField noHolds[] = {
    VIR_FIELD_END,
};

static const virField seclabelHolds[] = {
    VIR_HOLDS("@model"),
    VIR_HOLDS_YESNO("@relabel"),
    VIR_HOLDS_YESNO("@labelskip"),
    VIR_HOLDS("label"),
    VIR_FIELD_END,
};

static const virField secretHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS("@uuid"),
    VIR_HOLDS("@usage"),
    VIR_FIELD_END,
};

static const virField encryptionHolds[] = {
    VIR_HOLDS("@format"),
    VIR_HOLDS("@engine"),
    VIR_HOLDS_ELEMENTS("secret", secretHolds),
    VIR_HOLDS("cipher@name"),
    VIR_HOLDS("cipher@mode"),
    VIR_HOLDS("cipher@hash"),
    VIR_HOLDS("ivgen@name"),
    VIR_HOLDS("ivgen@hash"),
    VIR_HOLDS_UINT("cipher@size"),
    VIR_FIELD_END,
};

static const virField hostHolds[] = {
    VIR_HOLDS("@name"),   VIR_HOLDS("@port"), VIR_HOLDS("@transport"),
    VIR_HOLDS("@socket"), VIR_FIELD_END,
};

static const virField cookieHolds[] = {
    VIR_HOLDS("@name"),
    VIR_HOLDS("."),
    VIR_FIELD_END,
};

static const virField sliceHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS_UINT("@offset"),
    VIR_HOLDS_UINT("@size"),
    VIR_FIELD_END,
};

static const virField addressHolds[] = {
    VIR_HOLDS_NUMBER("@domain"),   VIR_HOLDS_NUMBER("@bus"), VIR_HOLDS_NUMBER("@slot"),
    VIR_HOLDS_NUMBER("@function"), VIR_HOLDS("@type"),       VIR_FIELD_END,
};

/* of all types of images together */
static const virField sourceHolds[] = {
    VIR_HOLDS("@file"),
    VIR_HOLDS("@dev"),
    VIR_HOLDS("@dir"),
    VIR_HOLDS("@name"),
    VIR_HOLDS("@volume"),
    VIR_HOLDS("@pool"),
    VIR_HOLDS("@path"),
    VIR_HOLDS("@query"),
    VIR_HOLDS("@tlsHostname"),
    VIR_HOLDS("@type"),
    VIR_HOLDS("@tlsFromConfig"),
    VIR_HOLDS_ENUM("@protocol", virStorageProtocolNames),
    VIR_HOLDS("@mode"),
    VIR_HOLDS_ENUM("@startupPolicy", virDiskStartupPolicyNames),
    VIR_HOLDS_YESNO("@tls"),
    VIR_HOLDS_YESNO("@managed"),
    VIR_HOLDS_UINT("@index"),
    VIR_HOLDS_UINT("@namespace"),
    VIR_HOLDS_ELEMENTS("seclabel", seclabelHolds),
    VIR_HOLDS_ELEMENTS("host", hostHolds),
    VIR_HOLDS_ELEMENTS("slices/slice", sliceHolds),
    VIR_HOLDS_ELEMENTS("cookies/cookie", cookieHolds),
    VIR_HOLDS("snapshot@name"),
    VIR_HOLDS("config@file"),
    VIR_HOLDS("initiator/iqn@name"),
    VIR_HOLDS("identity@user"),
    VIR_HOLDS("identity@group"),
    VIR_HOLDS_YESNO("ssl@verify"),
    VIR_HOLDS_YESNO("reconnect@enabled"),
    VIR_HOLDS_UINT("readahead@size"),
    VIR_HOLDS_UINT("timeout@seconds"),
    VIR_HOLDS_UINT("reconnect@delay"),
    VIR_HOLDS_UINT("reconnect@timeout"),
    VIR_FIELD_CODE("address", NULL, NULL, .holds = addressHolds),
    VIR_FIELD_CODE("auth", NULL, NULL, .holds = authHolds),
    VIR_FIELD_CODE("encryption", NULL, NULL, .holds = encryptionHolds),
    VIR_HOLDS_YESNO("reservations@managed"),
    VIR_HOLDS("reservations/source@type"),
    VIR_HOLDS("reservations/source@path"),
    VIR_HOLDS("reservations/source@mode"),
    VIR_FIELD_CODE("privateData", NULL, NULL),
    VIR_FIELD_END,
};

static const virField backingHolds[] = {
    VIR_HOLDS_ENUM("@type", virStorageTypeNames),
    VIR_HOLDS_UINT("@index"),
    VIR_HOLDS_ENUM("format@type", virStorageFormatNames),
    VIR_HOLDS_SIZE("format/metadata_cache/max_size"),
    VIR_FIELD_CODE("source", NULL, NULL, .holds = sourceHolds),
    VIR_FIELD_CODE("backingStore", NULL, NULL),
    VIR_FIELD_END,
};

static const virField mirrorHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS("@file"),
    VIR_HOLDS("@format"),
    VIR_HOLDS("@job"),
    VIR_HOLDS("@ready"),
    VIR_HOLDS_ENUM("format@type", virStorageFormatNames),
    VIR_HOLDS_SIZE("format/metadata_cache/max_size"),
    VIR_FIELD_CODE("source", NULL, NULL, .holds = sourceHolds),
    VIR_FIELD_CODE("backingStore", NULL, NULL, .holds = backingHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virDisk, src.type, virStorageTypeNames),
    VIR_FIELD_ENUM("@device", virDisk, device, virDiskDeviceNames, .flags = VIR_FIELD_ZERO),
    VIR_FIELD_ENUM("@model", virDisk, model, virDiskModelNames),
    VIR_FIELD_YESNO("@rawio", virDisk, rawio),
    VIR_FIELD_ENUM("@sgio", virDisk, sgio, virDiskSgioNames),
    VIR_FIELD_CODE("@snapshot", virDiskParseSnapshot, virDiskFormatSnapshot),

    VIR_FIELD_CODE("driver", virDiskParseDriver, NULL, .holds = noHolds),
    VIR_FIELD_STRING("driver@name", virDisk, driverName),
    VIR_FIELD_ENUM("driver@type", virDisk, src.format, virStorageFormatNames),
    VIR_FIELD_ENUM("driver@cache", virDisk, cache, virDiskCacheNames, .flags = VIR_FIELD_READ_ZERO),
    VIR_FIELD_ENUM("driver@error_policy", virDisk, errorPolicy, virDiskErrorPolicyNames),
    VIR_FIELD_ENUM("driver@rerror_policy", virDisk, rerrorPolicy, virDiskErrorPolicyNames),
    VIR_FIELD_ENUM("driver@io", virDisk, io, virDiskIONames),
    VIR_FIELD_ONOFF("driver@ioeventfd", virDisk, ioeventfd),
    VIR_FIELD_ONOFF("driver@event_idx", virDisk, eventIdx),
    VIR_FIELD_ONOFF("driver@copy_on_read", virDisk, copyOnRead),
    VIR_FIELD_ENUM("driver@discard", virDisk, discard, virDiskDiscardNames),
    VIR_FIELD_UINT("driver@iothread", virDisk, iothread, 1, UINT32_MAX),
    VIR_FIELD_ENUM("driver@detect_zeroes", virDisk, detectZeroes, virDiskDetectZeroesNames),
    VIR_FIELD_UINT("driver@queues", virDisk, queues, 0, UINT32_MAX),
    VIR_FIELD_UINT("driver@queue_size", virDisk, queueSize, 0, UINT32_MAX),
    VIR_FIELD_MIXIN(virDisk, virtio, virVirtioFields),
    VIR_FIELD_STRING("driver/metadata_cache/max_size@unit", virDisk, metadataUnit),
    VIR_FIELD_UINT("driver/metadata_cache/max_size", virDisk, src.metadataCache, 0, UINT64_MAX),
    VIR_FIELD_CODE("driver/metadata_cache", virDiskParseMetadataCache, NULL, .holds = noHolds),

    VIR_FIELD_CODE("auth", virDiskParseAuth, virDiskFormatAuth, .holds = authHolds),
    VIR_FIELD_CODE("source", virDiskParseSource, virDiskFormatSource, .clear = virDiskClearSource,
                   .holds = sourceHolds),
    VIR_FIELD_CODE("backingStore", NULL, NULL, .holds = backingHolds),
    VIR_FIELD_STRING("backenddomain@name", virDisk, backendDomain),
    VIR_FIELD_UINT("geometry@cyls", virDisk, cylinders, 0, UINT32_MAX),
    VIR_FIELD_UINT("geometry@heads", virDisk, heads, 0, UINT32_MAX),
    VIR_FIELD_UINT("geometry@secs", virDisk, sectors, 0, UINT32_MAX),
    VIR_FIELD_ENUM("geometry@trans", virDisk, translation, virDiskTransNames),
    VIR_FIELD_UINT("blockio@logical_block_size", virDisk, logicalBlockSize, 0, UINT32_MAX),
    VIR_FIELD_UINT("blockio@physical_block_size", virDisk, physicalBlockSize, 0, UINT32_MAX),
    VIR_FIELD_CODE("mirror", virDiskMirrorParse, virDiskMirrorFormat, .clear = virDiskMirrorClear,
                   .holds = mirrorHolds),
    VIR_FIELD_STRING("target@dev", virDisk, target),
    VIR_FIELD_ENUM("target@bus", virDisk, bus, virDiskBusNames),
    VIR_FIELD_ENUM("target@tray", virDisk, tray, virDiskTrayNames, .flags = VIR_FIELD_READ_ZERO),
    VIR_FIELD_ONOFF("target@removable", virDisk, removable),
    VIR_FIELD_UINT("target@rotation_rate", virDisk, rotationRate, 1, UINT32_MAX),
    VIR_FIELD_CODE("iotune", virDiskParseIotune, virDiskFormatIotune, .clear = virDiskClearIotune,
                   .holds = iotuneHolds),
    VIR_FIELD_PRESENT("readonly", virDisk, src.readonly),
    VIR_FIELD_PRESENT("shareable", virDisk, src.shared),
    VIR_FIELD_YESNO("transient@shareBacking", virDisk, shareBacking),
    VIR_FIELD_PRESENT("transient", virDisk, transient),
    VIR_FIELD_STRING("serial", virDisk, serial),
    VIR_FIELD_STRING("wwn", virDisk, wwn),
    VIR_FIELD_STRING("vendor", virDisk, vendor),
    VIR_FIELD_STRING("product", virDisk, product),
    VIR_FIELD_CODE("encryption", virDiskParseEncryption, virDiskFormatEncryption,
                   .holds = encryptionHolds),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_CODE("privateData", virDiskParsePrivateData, virDiskFormatPrivateData,
                   .flags = VIR_FIELD_IN_STATUS, .clear = virDiskClearPrivateData),
    VIR_FIELD_END,
};

/* --- after the rows --- */

static void
virDiskForgetEmpty(char **text)
{
    if (*text && !**text)
        g_clear_pointer(text, g_free);
}

static void
virDiskForgetZero(virOptUInt *number)
{
    if (number->value == 0)
        number->set = false;
}

static bool
virDiskParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = VIR_DISK(dev);

    virDiskForgetEmpty(&disk->serial);
    virDiskForgetEmpty(&disk->wwn);
    virDiskForgetEmpty(&disk->vendor);
    virDiskForgetEmpty(&disk->product);
    virDiskForgetZero(&disk->queues);
    virDiskForgetZero(&disk->queueSize);
    virDiskForgetZero(&disk->logicalBlockSize);
    virDiskForgetZero(&disk->physicalBlockSize);
    if (disk->device == VIR_DISK_DEVICE_CDROM)
        disk->src.readonly = true;
    if ((disk->src.type == VIR_STORAGE_TYPE_NETWORK && virStorageSourceIsEmpty(&disk->src)) ||
        (disk->src.type == VIR_STORAGE_TYPE_VOLUME && !disk->src.pool))
        disk->src.type = VIR_STORAGE_TYPE_FILE;
    if (disk->shareBacking == VIR_TRISTATE_NO)
        disk->shareBacking = VIR_TRISTATE_ABSENT;
    if (disk->bus == VIR_DISK_BUS_NONE) /* before its place among the others is found by it */
        disk->bus = virDiskTargetBus(disk->target, disk->device);
    return true;
}

/* A LUN number belongs to an iSCSI target; the first one is meant if there is none. */
static void
virDiskCompleteISCSIPath(virStorageSource *src)
{
    char *path = src->path;

    if (src->type != VIR_STORAGE_TYPE_NETWORK || src->protocol != VIR_STORAGE_PROTOCOL_ISCSI ||
        !path || strchr(path, '/'))
        return;
    src->path = g_strconcat(path, "/0", NULL);
    g_free(path);
}

static bool
virDiskComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virDisk *disk = VIR_DISK(dev);

    if (disk->snapshot == VIR_DISK_SNAPSHOT_DEFAULT && disk->src.readonly)
        disk->snapshot = VIR_DISK_SNAPSHOT_NO;
    if (disk->src.type == VIR_STORAGE_TYPE_VHOST_USER &&
        disk->snapshot == VIR_DISK_SNAPSHOT_DEFAULT)
        disk->snapshot = VIR_DISK_SNAPSHOT_NO;
    virDiskCompleteISCSIPath(&disk->src);
    return disk->base.info.address.type != VIR_ADDRESS_NONE || !disk->target ||
           virDiskAssignAddress(disk, facts, error);
}

static int
virDiskOrder(const virDevice *a, const virDevice *b)
{
    const virDisk *first = VIR_DISK_CONST(a);
    const virDisk *second = VIR_DISK_CONST(b);

    if (first->bus != second->bus)
        return 0;
    return virDiskTargetIndex(first->target) > virDiskTargetIndex(second->target) ? 1 : -1;
}

static bool
virDiskMatches(const virDevice *dev, const virDevice *wanted)
{
    return g_strcmp0(VIR_DISK_CONST(dev)->target, VIR_DISK_CONST(wanted)->target) == 0;
}

static unsigned
virDiskPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    if (disk->bus != VIR_DISK_BUS_VIRTIO)
        return 0;
    return virVirtioPCIConnect(facts, disk->model == VIR_DISK_MODEL_VIRTIO_TRANSITIONAL
                                          ? VIR_VIRTIO_MODEL_TRANSITIONAL
                                          : VIR_VIRTIO_MODEL_DEFAULT);
}

static int
virDiskController(const virDevice *dev, unsigned *retIndex)
{
    const virAddress *at = &dev->info.address;

    *retIndex = at->type == VIR_ADDRESS_DRIVE ? at->drive.controller : 0;
    switch (VIR_DISK_CONST(dev)->bus) {
    case VIR_DISK_BUS_IDE:
        return VIR_CONTROLLER_IDE;
    case VIR_DISK_BUS_FDC:
        return VIR_CONTROLLER_FDC;
    case VIR_DISK_BUS_SCSI:
        return VIR_CONTROLLER_SCSI;
    case VIR_DISK_BUS_SATA:
        return VIR_CONTROLLER_SATA;
    default:
        return -1;
    }
}

static virBootsAs
virDiskBootsAs(const virDevice *dev)
{
    switch (VIR_DISK_CONST(dev)->device) {
    case VIR_DISK_DEVICE_CDROM:
        return VIR_BOOTS_CDROM;
    case VIR_DISK_DEVICE_FLOPPY:
        return VIR_BOOTS_FLOPPY;
    default:
        return VIR_BOOTS_DISK;
    }
}

static bool
virDiskOnUSB(const virDevice *dev)
{
    return VIR_DISK_CONST(dev)->bus == VIR_DISK_BUS_USB;
}

/* LSI's narrow bus knows no targets beside units */
static bool
virDiskHasTargetAndUnit(const virDisk *disk, const virDomainFacts *facts)
{
    const virController *controller;

    if (disk->bus != VIR_DISK_BUS_SCSI)
        return false;
    controller = virControllersFind(facts->devices, VIR_CONTROLLER_SCSI,
                                    disk->base.info.address.drive.controller);
    return !controller || controller->model != VIR_CONTROLLER_SCSI_LSILOGIC;
}

static char *
virDiskAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    const virDisk *disk = VIR_DISK_CONST(dev);
    const char *prefix = virDiskBusToString(disk->bus);
    const virAddress *at = &dev->info.address;

    if (at->type != VIR_ADDRESS_DRIVE)
        return g_strdup_printf("%s-disk%d", prefix, virDiskTargetIndex(disk->target));
    if (virDiskHasTargetAndUnit(disk, facts))
        return g_strdup_printf("%s%u-%u-%u-%u", prefix, at->drive.controller, at->drive.bus,
                               at->drive.target, at->drive.unit);
    return g_strdup_printf("%s%u-%u-%u", prefix, at->drive.controller, at->drive.bus,
                           at->drive.unit);
}

static bool
virDiskABIDiffers(const char *what, const char *is, const char *was, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target disk %s %s does not match source %s"), what, is ? is : "(null)",
                       was ? was : "(null)");
}

static bool
virDiskSameNumber(const char *what, virOptUInt is, virOptUInt was, GError **error)
{
    return is.value == was.value || virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                                _("Target disk %s %u does not match source %u"),
                                                what, (unsigned)is.value, (unsigned)was.value);
}

static bool
virDiskSameABI(const virDevice *a, const virDevice *b, GError **error)
{
    const virDisk *was = VIR_DISK_CONST(a);
    const virDisk *is = VIR_DISK_CONST(b);

    if (was->device != is->device)
        return virDiskABIDiffers("device", virDiskDeviceToString(is->device),
                                 virDiskDeviceToString(was->device), error);
    if (was->bus != is->bus)
        return virDiskABIDiffers("bus", virDiskBusToString(is->bus), virDiskBusToString(was->bus),
                                 error);
    if (g_strcmp0(was->target, is->target) != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target disk %s does not match source %s"), is->target, was->target);
    if (g_strcmp0(was->serial, is->serial) != 0)
        return virDiskABIDiffers("serial", is->serial, was->serial, error);
    if (g_strcmp0(was->wwn, is->wwn) != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target disk wwn '%s' does not match source '%s'"),
                           is->wwn ? is->wwn : "", was->wwn ? was->wwn : "");
    if (was->src.readonly != is->src.readonly || was->src.shared != is->src.shared)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Target disk access mode does not match source"));
    if (was->model != is->model)
        return virDiskABIDiffers("model", virDiskModelToString(is->model),
                                 virDiskModelToString(was->model), error);
    if (was->rotationRate.value != is->rotationRate.value)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target disk rotation rate %u RPM does not match source %u RPM"),
                           (unsigned)is->rotationRate.value, (unsigned)was->rotationRate.value);
    return virDiskSameNumber("queue count", is->queues, was->queues, error) &&
           virDiskSameNumber("queue size", is->queueSize, was->queueSize, error);
}

bool
virDiskIsRemovable(const virDisk *disk)
{
    return disk->device == VIR_DISK_DEVICE_CDROM || disk->device == VIR_DISK_DEVICE_FLOPPY;
}

const char *
virDiskSourcePath(const virDisk *disk)
{
    return disk->src.path ? disk->src.path : "";
}

static char *
virDiskLabel(const virDevice *dev)
{
    return g_strdup(VIR_DISK_CONST(dev)->target);
}

static bool
virDiskMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    const virDisk *disk = VIR_DISK_CONST(dev);

    virDevicesForEach(devices, &virDiskKind, other)
    {
        if (g_strcmp0(VIR_DISK_CONST(other)->target, disk->target) != 0)
            continue;
        if (!live)
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, _("target %s already exists"),
                               disk->target);
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("target '%s' duplicated for disk sources '%s' and '%s'"), disk->target,
                           virDiskSourcePath(VIR_DISK_CONST(other)), virDiskSourcePath(disk));
    }
    return true;
}

const virDeviceKind virDiskKind = {
    .element = "disk",
    .noun = "disk",
    .size = sizeof(virDisk),
    .fields = fields,
    .parse = virDiskParse,
    .complete = virDiskComplete,
    .check = virDiskCheck,
    .order = virDiskOrder,
    .matches = virDiskMatches,
    .pciConnect = virDiskPCIConnect,
    .controller = virDiskController,
    .bootsAs = virDiskBootsAs,
    .onUSB = virDiskOnUSB,
    .alias = virDiskAlias,
    .sameABI = virDiskSameABI,
    .live = {VIR_DEVICE_COMES_AND_GOES | VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
             N_("disk %s not found"), VIR_ERR_INTERNAL_ERROR, N_("disk '%s' not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES | VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
               N_("no target device %s"), VIR_ERR_INVALID_ARG, N_("target %s doesn't exist.")},
    .label = virDiskLabel,
    .mayJoin = virDiskMayJoin,
};
