/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chain.c: following images down their headers. */
#include "device/disk/chain.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/disk/backingstring.h"
#include "util/virerror.h"

enum { VIR_CHAIN_DEPTH_MAX = 200 };

static bool
virChainIsReadable(const virStorageSource *src)
{
    return (src->type == VIR_STORAGE_TYPE_FILE || src->type == VIR_STORAGE_TYPE_BLOCK) &&
           src->path && !src->hasSlice;
}

static void
virChainEnd(virStorageSource *src)
{
    src->backing = virStorageSourceNew();
    src->backing->detected = true;
}

static void
virChainTellBlockDevice(virStorageSource *src)
{
    struct stat st;

    if (src->type == VIR_STORAGE_TYPE_FILE && src->path && stat(src->path, &st) == 0 &&
        S_ISBLK(st.st_mode))
        src->type = VIR_STORAGE_TYPE_BLOCK;
}

/* What the header says of the image below; *retBacking is NULL if it says there is none, or
 * something we cannot follow (*retUnknown). */
static bool
virChainRead(virStorageSource *src, const virStorageSource *overlay, virStorageSource **retBacking,
             bool *retUnknown, GError **error)
{
    VIR_AUTOCLOSE fd = virImageOpen(src->path, error);
    g_autofree void *data = NULL;
    g_auto(virImageHeader) header = {0};
    bool guessed = src->format == VIR_STORAGE_FORMAT_NONE;
    size_t len = 0;

    if (fd < 0 || !(data = virImageReadHeader(fd, src->path, &len, error)))
        return false;
    if (guessed)
        src->format = virImageDetect(data, len);
    if (!virImageParse(data, len, src->format, &header, error)) {
        g_prefix_error(error, "%s: ", src->path);
        return false;
    }
    if (guessed && header.backing)
        return virErrorSet(
            error, VIR_ERR_OPERATION_INVALID,
            _("format of backing image '%s' of image '%s' was not specified in the image metadata "
              "(See https://libvirt.org/kbase/backing_chains.html for troubleshooting)"),
            src->path, overlay ? overlay->path : "");
    if (header.dataFile)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("image '%s' keeps its data in another file, '%s', which is not "
                             "supported"),
                           src->path, header.dataFile);
    if (!header.backing)
        return true;
    switch (virStorageBackingFromString(header.backing, src, retBacking, error)) {
    case VIR_BACKING_OK:
        (*retBacking)->format = header.backingFormat;
        return true;
    case VIR_BACKING_UNKNOWN:
        *retUnknown = true;
        return true;
    default:
        g_prefix_error(error, "%s: ", src->path);
        return false;
    }
}

static bool
virChainHas(const virStorageSource *top, const virStorageSource *src)
{
    for (; top && top != src; top = top->backing) {
        if (virStorageSourceSameLocation(top, src))
            return true;
    }
    return false;
}

/* One image further down; *src becomes it, or NULL at the end. */
static bool
virChainStep(virStorageSource *top, virStorageSource **src, const virStorageSource *overlay,
             GError **error)
{
    g_autoptr(virStorageSource) backing = NULL;
    bool unknown = false;

    if (!virChainIsReadable(*src)) {
        *src = NULL; /* left open: QEMU will look */
        return true;
    }
    if (!virChainRead(*src, overlay, &backing, &unknown, error))
        return false;
    if (!backing) {
        if (!unknown)
            virChainEnd(*src);
        *src = NULL;
        return true;
    }
    virChainTellBlockDevice(backing);
    backing->detected = true;
    backing->readonly = true;
    if (virChainHas(top, backing))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("backing store for %s is self-referential or too deeply nested"),
                           top->path);
    (*src)->backing = g_steal_pointer(&backing);
    *src = (*src)->backing;
    return true;
}

bool
virDiskDetectChain(virDisk *disk, GError **error)
{
    virStorageSource *src = &disk->src;
    const virStorageSource *overlay = NULL;
    unsigned depth = 1;

    if (virStorageSourceIsEmpty(src))
        return true;
    for (; src->backing; src = src->backing) { /* what the document says stays */
        if (!virStorageSourceIsBacking(src->backing))
            return true;
        overlay = src;
        depth++;
    }
    while (src) {
        virStorageSource *at = src;

        if (depth++ > VIR_CHAIN_DEPTH_MAX)
            return virErrorSet(
                error, VIR_ERR_OPERATION_UNSUPPORTED,
                _("backing chains more than 200 layers deep are not supported for disk '%s'"),
                disk->target);
        if (!virChainStep(&disk->src, &src, overlay, error))
            return false;
        overlay = at;
    }
    return true;
}

/* --- missing sources --- */

virDiskSourceFate
virDiskCheckSource(const virDisk *disk, bool coldBoot, GError **error)
{
    const virStorageSource *src = &disk->src;

    if (!virStorageSourceIsLocal(src) || !src->path || access(src->path, F_OK) == 0)
        return VIR_DISK_SOURCE_THERE;
    if (disk->startupPolicy == VIR_DISK_STARTUP_OPTIONAL ||
        (disk->startupPolicy == VIR_DISK_STARTUP_REQUISITE && !coldBoot))
        return virDiskIsRemovable(disk) ? VIR_DISK_SOURCE_EJECT : VIR_DISK_SOURCE_DROP;
    virErrorErrno(error, _("Cannot access storage file '%s'"), src->path);
    return VIR_DISK_SOURCE_MISSING;
}

void
virDiskEject(virDisk *disk)
{
    bool readonly = disk->src.readonly;
    bool shared = disk->src.shared;
    int format = disk->src.format;

    virStorageSourceClear(&disk->src);
    disk->src.type = VIR_STORAGE_TYPE_FILE;
    disk->src.format = format;
    disk->src.readonly = readonly;
    disk->src.shared = shared;
}
