/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror.c: reading and writing <mirror>. */
#include "device/disk/mirror.h"

#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virDiskMirrorJob, VIR_DISK_MIRROR_JOB_LAST, "", "copy", "active-commit");
VIR_ENUM_IMPL(virDiskMirrorState, VIR_DISK_MIRROR_LAST, "no", "yes", "abort", "pivot");

static bool
virDiskMirrorParseState(virDisk *disk, const xmlNode *mirror, GError **error)
{
    g_autofree char *job = virXMLAttr(mirror, "job");
    g_autofree char *ready = virXMLAttr(mirror, "ready");

    disk->mirrorJob = VIR_DISK_MIRROR_JOB_COPY;
    if (job && (disk->mirrorJob = virDiskMirrorJobFromString(job)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown mirror job type '%s'"), job);
    if (ready && (disk->mirrorState = virDiskMirrorStateFromString(ready)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown mirror ready state %s"), ready);
    return true;
}

/* As it was written before there were types: a file by two attributes. */
static bool
virDiskMirrorParseOld(virDisk *disk, const xmlNode *mirror, GError **error)
{
    g_autofree char *format = virXMLAttr(mirror, "format");

    if (disk->mirrorJob != VIR_DISK_MIRROR_JOB_COPY)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("mirror without type only supported by copy job"));
    disk->mirror = virStorageSourceNew();
    disk->mirror->type = VIR_STORAGE_TYPE_FILE;
    if (!(disk->mirror->path = virXMLAttr(mirror, "file")))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("mirror requires file name"));
    if (format && (disk->mirror->format = virStorageFormatFromString(format)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown storage source format '%s'"),
                           format);
    return true;
}

static bool
virDiskMirrorParseImage(virDisk *disk, xmlNode *mirror, const char *type, unsigned parseFlags,
                        GError **error)
{
    xmlNode *source = virXMLFirstChild(mirror, "source");
    g_autofree char *index = source ? virXMLAttr(source, "index") : NULL;
    uint64_t id = 0;

    if (!(disk->mirror = virStorageImageParse(mirror, type, parseFlags, error)))
        return false;
    if (virStorageSourceIsEmpty(disk->mirror))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("mirror requires source element"));
    if (index && !virStringToUInt(index, UINT32_MAX, &id))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid disk index '%s'"), index);
    disk->mirror->id = (unsigned)id;
    return virStorageBackingParse(disk->mirror, mirror, parseFlags, error);
}

bool
virDiskMirrorParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDisk *disk = object;
    xmlNode *mirror = virXMLFirstChild(node, "mirror");
    g_autofree char *type = mirror ? virXMLAttr(mirror, "type") : NULL;

    if (!mirror || (parseFlags & VIR_PARSE_INACTIVE))
        return true;
    if (!virDiskMirrorParseState(disk, mirror, error))
        return false;
    return type ? virDiskMirrorParseImage(disk, mirror, type, parseFlags, error)
                : virDiskMirrorParseOld(disk, mirror, error);
}

void
virDiskMirrorFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    static const virStorageSourceFormatOptions options = {.index = true};
    const virDisk *disk = object;
    const virStorageSource *mirror = disk->mirror;

    if (!mirror || (formatFlags & VIR_FORMAT_INACTIVE))
        return;
    virXMLWriterOpen(w, "mirror");
    virXMLWriterAttr(w, "type", virStorageTypeToString(mirror->type));
    if (mirror->type == VIR_STORAGE_TYPE_FILE && disk->mirrorJob == VIR_DISK_MIRROR_JOB_COPY) {
        virXMLWriterAttr(w, "file", mirror->path);
        if (mirror->format != VIR_STORAGE_FORMAT_NONE)
            virXMLWriterAttr(w, "format", virStorageFormatToString(mirror->format));
    }
    virXMLWriterAttr(w, "job", virDiskMirrorJobToString(disk->mirrorJob));
    if (disk->mirrorState != VIR_DISK_MIRROR_NOT_READY)
        virXMLWriterAttr(w, "ready", virDiskMirrorStateToString(disk->mirrorState));
    if (mirror->format != VIR_STORAGE_FORMAT_NONE)
        virStorageImageFormatFormat(mirror, w);
    virStorageSourceFormat(mirror, w, &options, formatFlags);
    virStorageBackingFormat(mirror, w, formatFlags);
    virXMLWriterClose(w);
}

void
virDiskMirrorClear(void *object)
{
    g_clear_pointer(&VIR_DISK(object)->mirror, virStorageSourceFree);
}
