/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_block.c: what is done with a running guest's disks by name: resizing, a mark whose passing
 * is told, what went wrong on them, and jobs, of which there are none yet. */
#include "api/domain_block.h"

#include <stdio.h>
#include <string.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum {
    RESIZE_BYTES = 1 << 0,   /* VIR_DOMAIN_BLOCK_RESIZE_BYTES */
    RESIZE_SECTOR = 512,     /* what images are whole multiples of */
    JOB_ABORT_ALL = 3,       /* VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC, _PIVOT */
    JOB_BANDWIDTH_BYTES = 1, /* VIR_DOMAIN_BLOCK_JOB_INFO_, _SPEED_BANDWIDTH_BYTES */
};
/* virDomainDiskErrorCode */
enum { DISK_ERROR_UNSPEC = 1, DISK_ERROR_NO_SPACE = 2 };

/* --- finding them --- */

virDisk *
virApiDiskFind(const virDomainDef *def, const char *name)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virDiskKind && (g_strcmp0(VIR_DISK(dev)->target, name) == 0 ||
                                          g_strcmp0(VIR_DISK(dev)->src.path, name) == 0))
            return VIR_DISK(dev);
    }
    return NULL;
}

/* --- size --- */

static bool
virApiResizeBytes(const remote_domain_block_resize_args *args, uint64_t *ret, GError **error)
{
    uint64_t size = args->size;

    if (!(args->flags & RESIZE_BYTES)) {
        if (size > UINT64_MAX / 1024)
            return virErrorSet(error, VIR_ERR_OVERFLOW, _("size must be less than %" PRIu64),
                               UINT64_MAX / 1024);
        size *= 1024;
    }
    /* an image's end lies at a whole sector */
    *ret = size + (RESIZE_SECTOR - size % RESIZE_SECTOR) % RESIZE_SECTOR;
    return true;
}

bool
virApiDomainBlockResize(virApiCall *call, const remote_domain_block_resize_args *args,
                        GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    const virDisk *disk;
    virJSON *arguments;
    uint64_t size = 0;

    if (!virApiOnlyFlags(args->flags, RESIZE_BYTES, error) ||
        !virApiResizeBytes(args, &size, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "resize a disk", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    if (!(disk = virApiDiskFind(virDomainObjDef(obj), args->disk)))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("disk '%s' was not found in the domain config"), args->disk);
    if (virStorageSourceIsEmpty(&disk->src) || disk->src.readonly)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("can't resize empty or readonly disk '%s'"), disk->target);
    arguments = virJSONObject();
    virJSONAddString(arguments, "node-name", disk->src.run.formatNode);
    virJSONAddUInt(arguments, "size", size);
    return qemuGuestCommand(obj, "block_resize", arguments, NULL, error);
}

/* --- the mark --- */

/* dev is a disk's name or, of one with a chain, "vda[3]" by the index that the document shows. */
static virStorageSource *
virApiThresholdSource(const virDomainDef *def, const char *dev, GError **error)
{
    g_autofree char *name = g_strndup(dev, strcspn(dev, "["));
    virDisk *disk = virApiDiskFind(def, name);
    unsigned index = 0;

    if (!disk) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("failed to find disk '%s'"), dev);
        return NULL;
    }
    if (strlen(name) == strlen(dev))
        return &disk->src;
    if (sscanf(dev + strlen(name), "[%u]", &index) == 1) {
        for (virStorageSource *src = &disk->src; src; src = src->backing) {
            if (src->id == index)
                return src;
        }
    }
    virErrorSet(error, VIR_ERR_INVALID_ARG, _("failed to find disk '%s'"), dev);
    return NULL;
}

bool
virApiDomainSetBlockThreshold(virApiCall *call, const remote_domain_set_block_threshold_args *args,
                              GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    const virStorageSource *src;
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set a block threshold", error);
    if (!virDomainObjCheckActive(obj, error) ||
        !(src = virApiThresholdSource(virDomainObjDef(obj), args->dev, error)))
        return false;
    if (!src->run.storageNode)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("threshold currently can't be set for block device '%s'"), args->dev);
    arguments = virJSONObject();
    virJSONAddString(arguments, "node-name", src->run.storageNode);
    virJSONAddUInt(arguments, "write-threshold", args->threshold);
    return qemuGuestCommand(obj, "block-set-write-threshold", arguments, NULL, error);
}

/* --- what went wrong --- */

/* The disk of an answer of query-block. */
static const virDisk *
virApiDiskOfBlock(const virDomainDef *def, virJSON *block)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);
        const char *qdev = virJSONGetString(block, "qdev");
        const char *at = qdev && dev->info.alias ? strstr(qdev, dev->info.alias) : NULL;

        if (dev->kind == &virDiskKind && at && (at == qdev || at[-1] == '/') &&
            (at[strlen(dev->info.alias)] == '\0' || at[strlen(dev->info.alias)] == '/'))
            return VIR_DISK(dev);
    }
    return NULL;
}

static int
virApiDiskError(virJSON *block)
{
    const char *status = virJSONGetString(block, "io-status");

    if (g_strcmp0(status, "nospace") == 0)
        return DISK_ERROR_NO_SPACE;
    return g_strcmp0(status, "failed") == 0 ? DISK_ERROR_UNSPEC : 0;
}

static int32_t
virApiDiskCount(const virDomainDef *def)
{
    int32_t count = 0;

    for (guint i = 0; i < def->devices->len; i++)
        count += ((virDevice *)g_ptr_array_index(def->devices, i))->kind == &virDiskKind;
    return count;
}

bool
virApiDomainGetDiskErrors(virApiCall *call, const remote_domain_get_disk_errors_args *args,
                          remote_domain_get_disk_errors_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virJSON) blocks = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
        return false;
    if (args->maxerrors == 0) {
        ret->nerrors = virApiDiskCount(virDomainObjDef(obj));
        return true;
    }
    if (!qemuGuestCommand(obj, "query-block", NULL, &blocks, error) ||
        !virDomainObjCheckActive(obj, error))
        return false;
    ret->errors_val = virApiNew(call, remote_domain_disk_error, MIN(args->maxerrors, 256));
    for (size_t i = 0; i < virJSONLength(blocks); i++) {
        virJSON *block = virJSONAt(blocks, i);
        const virDisk *disk = virApiDiskOfBlock(virDomainObjDef(obj), block);
        int code = virApiDiskError(block);

        if (!disk || code == 0 || ret->errors_len >= MIN(args->maxerrors, 256))
            continue;
        ret->errors_val[ret->errors_len].disk = virApiStrdup(call, disk->target);
        ret->errors_val[ret->errors_len++].error = code;
    }
    ret->nerrors = (int32_t)ret->errors_len;
    return true;
}

/* --- jobs --- */

bool
virApiDomainGetBlockJobInfo(virApiCall *call, const remote_domain_get_block_job_info_args *args,
                            remote_domain_get_block_job_info_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, JOB_BANDWIDTH_BYTES, error) ||
        !(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
        return false;
    if (!virApiDiskFind(virDomainObjDef(obj), args->path))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("disk '%s' not found in domain"),
                           args->path);
    return true; /* none is running: found stays 0 */
}

/* No operation starts a job yet, so there is none to be changed. */
static bool
virApiNoBlockJob(virApiCall *call, const remote_nonnull_domain *dom, const char *path,
                 GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    const virDisk *disk;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)) || !virDomainObjCheckActive(obj, error))
        return false;
    disk = virApiDiskFind(virDomainObjDef(obj), path);
    if (!disk)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("disk '%s' not found in domain"), path);
    return virErrorSet(error, VIR_ERR_INVALID_ARG, _("disk %s does not have an active block job"),
                       disk->target);
}

bool
virApiDomainBlockJobAbort(virApiCall *call, const remote_domain_block_job_abort_args *args,
                          GError **error)
{
    return virApiOnlyFlags(args->flags, JOB_ABORT_ALL, error) &&
           virApiNoBlockJob(call, &args->dom, args->path, error);
}

bool
virApiDomainBlockJobSetSpeed(virApiCall *call, const remote_domain_block_job_set_speed_args *args,
                             GError **error)
{
    return virApiOnlyFlags(args->flags, JOB_BANDWIDTH_BYTES, error) &&
           virApiNoBlockJob(call, &args->dom, args->path, error);
}
