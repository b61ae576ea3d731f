/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_iotune.c: how fast a domain may use one of its disks: QEMU's throttling, <iotune> in the
 * document. */
#include <inttypes.h>
#include <string.h>

#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "device/disk/disk.h"
#include "device/disk/media_qemu.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* Limits that a change replaces together: what of them isn't given is none. */
static const char *const families[] = {
    "bytes_sec",           "iops_sec", "bytes_sec_max", "iops_sec_max", "bytes_sec_max_length",
    "iops_sec_max_length",
};
/* QEMU's largest number. */
#define IOTUNE_MAX UINT64_C(1000000000000000)

/* The row's family, NULL for one that stands alone. */
static const char *
virApiIotuneFamily(const char *element)
{
    static const char *const prefixes[] = {"total_", "read_", "write_"};

    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(families); j++) {
            if (g_str_has_prefix(element, prefixes[i]) &&
                g_str_equal(element + strlen(prefixes[i]), families[j]))
                return families[j];
        }
    }
    return NULL;
}

static virDisk *
virApiIotuneDisk(const virDomainDef *def, const char *name, bool live, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virDiskKind && (g_strcmp0(VIR_DISK(dev)->target, name) == 0 ||
                                          g_strcmp0(VIR_DISK(dev)->src.path, name) == 0))
            return VIR_DISK(dev);
    }
    virErrorSet(error, VIR_ERR_INVALID_ARG,
                live ? _("disk '%s' not found in domain")
                     : _("missing persistent configuration for disk '%s'"),
                name);
    return NULL;
}

/* --- reading --- */

bool
virApiDomainGetBlockIoTune(virApiCall *call, const remote_domain_get_block_io_tune_args *args,
                           remote_domain_get_block_io_tune_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};
    g_auto(virApiParams) list = {0};
    const virDisk *disk;
    const virDiskIotune *iotune;
    bool grouped = false;

    if (args->nparams < 0 || args->nparams > REMOTE_DOMAIN_BLOCK_IO_TUNE_PARAMETERS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT | VIR_API_PARAM_STRING_OKAY, error) ||
        !virApiTuneAsk(call, &args->dom, args->flags, VIR_CGROUP_CONTROLLER_BLKIO, NULL, &question,
                       error))
        return false;
    virApiParamsInit(&list, call);
    if (args->disk && *args->disk) {
        if (!(disk = virApiIotuneDisk(virDomainDocDef(question.doc), args->disk, true, error)))
            return false;
    } else {
        disk = NULL; /* only how many there are */
    }
    iotune = disk ? virDiskLimits(disk) : NULL;
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        if (limit->class == VIR_DISK_IOTUNE_LENGTH && !grouped) {
            virApiParamsString(&list, iotune && iotune->group ? iotune->group : "", "group_name");
            grouped = true;
        }
        virApiParamsULLong(&list, iotune ? *virDiskIotuneAt(iotune, limit) : 0, "%s",
                           limit->element);
    }
    if (args->nparams == 0) {
        ret->nparams = (int32_t)list.list->len;
        return true;
    }
    g_array_set_size(list.list, MIN(list.list->len, (guint)args->nparams));
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    return true;
}

/* --- changing --- */

typedef struct {
    const char *disk;
    const remote_typed_param *list;
    uint32_t len;
} virApiIotuneChange;

static bool
virApiIotuneFamilyGiven(const virApiIotuneChange *change, const char *family)
{
    for (uint32_t i = 0; i < change->len; i++) {
        if (g_strcmp0(virApiIotuneFamily(change->list[i].field), family) == 0)
            return true;
    }
    return false;
}

/* The limits as they are to be. Caller clears. */
static void
virApiIotuneMerge(const virApiIotuneChange *change, const virDiskIotune *was, virDiskIotune *is)
{
    const remote_typed_param *group = virApiParamsFind(change->list, change->len, "group_name");

    *is = *was;
    is->group = g_strdup(group ? (*group->value.s ? group->value.s : NULL) : was->group);
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        const remote_typed_param *param =
            virApiParamsFind(change->list, change->len, limit->element);
        const char *family = virApiIotuneFamily(limit->element);

        if (param)
            *virDiskIotuneAt(is, limit) = param->value.ul;
        else if (family && virApiIotuneFamilyGiven(change, family))
            *virDiskIotuneAt(is, limit) = 0;
    }
    /* the length of a burst says nothing once the burst is gone */
    if (!virDiskIotuneHasClass(is, VIR_DISK_IOTUNE_MAX)) {
        is->totalBytesMaxLength = is->readBytesMaxLength = is->writeBytesMaxLength = 0;
        is->totalIopsMaxLength = is->readIopsMaxLength = is->writeIopsMaxLength = 0;
    }
}

/* Why virDiskIotuneCheck does not take it, in the words of a call's parameters. */
static bool
virApiIotuneRefuse(const virDiskIotune *is, GError **error)
{
    const bool bytes = is->totalBytes && (is->readBytes || is->writeBytes);
    const bool iops = is->totalIops && (is->readIops || is->writeIops);
    const bool bytesMax = is->totalBytesMax && (is->readBytesMax || is->writeBytesMax);

    return virErrorSet(error, VIR_ERR_INVALID_ARG,
                       _("total and read/write of %s cannot be set at the same time"),
                       bytes      ? "bytes_sec"
                       : iops     ? "iops_sec"
                       : bytesMax ? "bytes_sec_max"
                                  : "iops_sec_max");
}

static bool
virApiIotuneCheck(const virDomainDef *def, bool live, void *opaque, GError **error)
{
    const virApiIotuneChange *change = opaque;
    const virDisk *disk = virApiIotuneDisk(def, change->disk, live, error);
    virDiskIotune is;
    bool ok;

    if (!disk)
        return false;
    virApiIotuneMerge(change, virDiskLimits(disk), &is);
    ok = virDiskIotuneCheck(&is, NULL) || virApiIotuneRefuse(&is, error);
    virDiskIotuneClear(&is);
    return ok;
}

static bool
virApiIotuneEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiIotuneChange *change = opaque;
    virDisk *disk = virApiIotuneDisk(def, change->disk, true, error);
    virDiskIotune is;

    if (!disk)
        return false;
    virApiIotuneMerge(change, virDiskLimits(disk), &is);
    virDiskSetLimits(disk, &is);
    virDiskIotuneClear(&is);
    return true;
}

/* QEMU is told all limits at once. Job and lock held. */
static bool
virApiIotuneTell(virDomainObj *obj, const virApiIotuneChange *change, GError **error)
{
    const virDisk *disk = virApiIotuneDisk(virDomainDocDef(obj->live), change->disk, true, error);
    virDiskIotune is;
    virJSON *arguments;

    if (!disk)
        return false;
    virApiIotuneMerge(change, virDiskLimits(disk), &is);
    arguments = qemuDiskThrottleArguments(disk, &is);
    virDiskIotuneClear(&is);
    return qemuGuestCommand(obj, "block_set_io_throttle", arguments, NULL, error);
}

static bool
virApiIotuneParams(const remote_domain_set_block_io_tune_args *args, GError **error)
{
    g_autofree virApiParamRow *rows = g_new0(virApiParamRow, 32);
    guint count = 0;

    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++)
        rows[count++] = (virApiParamRow){limit->element, VIR_API_PARAM_ULLONG};
    rows[count++] = (virApiParamRow){"group_name", VIR_API_PARAM_STRING};
    if (!virApiParamsCheck(args->params_val, args->params_len, rows, error))
        return false;
    for (uint32_t i = 0; i < args->params_len; i++) {
        const remote_typed_param *param = &args->params_val[i];

        if (param->value.type == VIR_API_PARAM_ULLONG && param->value.ul > IOTUNE_MAX)
            return virErrorSet(
                error, VIR_ERR_OVERFLOW,
                _("block I/O throttle limit must be no more than %" PRIu64 " using QEMU"),
                IOTUNE_MAX);
    }
    return true;
}

static void
virApiIotuneChanged(const virApiIotuneChange *change, virApiParams *changed)
{
    virApiParamsString(changed, change->disk, "blkdeviotune.disk");
    for (uint32_t i = 0; i < change->len; i++) {
        const remote_typed_param *param = &change->list[i];

        if (param->value.type == VIR_API_PARAM_STRING)
            virApiParamsString(changed, param->value.s, "blkdeviotune.%s", param->field);
        else
            virApiParamsULLong(changed, param->value.ul, "blkdeviotune.%s", param->field);
    }
}

bool
virApiDomainSetBlockIoTune(virApiCall *call, const remote_domain_set_block_io_tune_args *args,
                           GError **error)
{
    virApiIotuneChange change = {args->disk, args->params_val, args->params_len};
    g_autoptr(virDomainObj) obj = NULL;
    bool isLive, isConfig;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiIotuneParams(args, error) || !(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set block I/O limits", error);
    if (!virDomainObjAffected(obj, args->flags, &isLive, &isConfig, error) ||
        (isLive && !virApiIotuneCheck(virDomainDocDef(obj->live), true, &change, error)) ||
        (isConfig && !virApiIotuneCheck(virDomainDocDef(obj->config), false, &change, error)) ||
        (isLive && !virApiIotuneTell(obj, &change, error)))
        return false;
    if (!qemuDriverEdit(virApiQemu(call), obj, isLive, isConfig, virApiIotuneEdit, &change, error))
        return false;
    if (isLive) {
        g_auto(virApiParams) changed = {0};

        virApiParamsInit(&changed, call);
        virApiIotuneChanged(&change, &changed);
        virApiTuneEmit(call, obj, &changed);
    }
    return true;
}
