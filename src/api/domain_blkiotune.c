/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_blkiotune.c: what share of the host's disks a domain gets, and how much of each device it
 * may use. */
#include <inttypes.h>
#include <string.h>

#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virscale.h"

static const char *
virApiBlkioMissing(void)
{
    return _("blkio cgroup isn't mounted");
}

static const char *
virApiBlkioSession(void)
{
    return _("Block I/O tuning is not available in session mode");
}

/* Limits of devices, in the order of the answer: "path,value,path,value". */
static const struct {
    const char *name;
    size_t offset; /* of the virOptUInt in virDomainBlkioDevice */
    virCgroupLimit limit;
    uint64_t max;
} limits[] = {
    {"device_weight", offsetof(virDomainBlkioDevice, weight), VIR_CGROUP_BLKIO_DEVICE_WEIGHT,
     UINT32_MAX},
    {"device_read_iops_sec", offsetof(virDomainBlkioDevice, readIops), VIR_CGROUP_BLKIO_READ_IOPS,
     UINT32_MAX},
    {"device_write_iops_sec", offsetof(virDomainBlkioDevice, writeIops),
     VIR_CGROUP_BLKIO_WRITE_IOPS, UINT32_MAX},
    {"device_read_bytes_sec", offsetof(virDomainBlkioDevice, readBytes),
     VIR_CGROUP_BLKIO_READ_BYTES, UINT64_MAX},
    {"device_write_bytes_sec", offsetof(virDomainBlkioDevice, writeBytes),
     VIR_CGROUP_BLKIO_WRITE_BYTES, UINT64_MAX},
};

static virOptUInt *
virApiBlkioValue(const virDomainBlkioDevice *device, guint limit)
{
    return (virOptUInt *)(void *)((char *)device + limits[limit].offset);
}

/* --- reading --- */

static char *
virApiBlkioFormat(const virDomainBlkiotune *blkio, guint limit)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; blkio->devices && i < blkio->devices->len; i++) {
        const virDomainBlkioDevice *device = g_ptr_array_index(blkio->devices, i);
        const virOptUInt *value = virApiBlkioValue(device, limit);

        if (value->value)
            g_string_append_printf(text, "%s%s,%" PRIu64, text->len ? "," : "", device->path,
                                   value->value);
    }
    return g_string_free(text, FALSE);
}

/* A kernel whose schedulers know no weights has no file for one: then it is what was asked for. */
static uint64_t
virApiBlkioWeight(const virApiTuneQuestion *question)
{
    int64_t weight;

    if (question->group &&
        virCgroupGetNumber(question->group, NULL, VIR_CGROUP_BLKIO_WEIGHT, &weight, NULL))
        return (uint64_t)weight;
    return virDomainDocDef(question->doc)->tune.blkio.weight.value;
}

bool
virApiDomainGetBlkioParameters(virApiCall *call,
                               const remote_domain_get_blkio_parameters_args *args,
                               remote_domain_get_blkio_parameters_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};
    g_auto(virApiParams) list = {0};

    if (args->nparams < 0 || args->nparams > REMOTE_DOMAIN_BLKIO_PARAMETERS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT | VIR_API_PARAM_STRING_OKAY, error) ||
        !virApiTuneCheckSession(call, virApiBlkioSession(), error) ||
        !virApiTuneAsk(call, &args->dom, args->flags, VIR_CGROUP_CONTROLLER_BLKIO,
                       virApiBlkioMissing(), &question, error))
        return false;
    if (args->nparams == 0) {
        ret->nparams = 1 + G_N_ELEMENTS(limits);
        return true;
    }
    virApiParamsInit(&list, call);
    virApiParamsUInt(&list, (unsigned)virApiBlkioWeight(&question), "weight");
    for (guint i = 0; i < G_N_ELEMENTS(limits) && i + 1 < (guint)args->nparams; i++) {
        g_autofree char *text = virApiBlkioFormat(&virDomainDocDef(question.doc)->tune.blkio, i);

        virApiParamsString(&list, text, "%s", limits[i].name);
    }
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    return true;
}

/* --- changing --- */

typedef struct {
    guint limit;
    char *path;
    uint64_t value;
} virApiBlkioItem;

typedef struct {
    const remote_typed_param *weight; /* NULL: as it is */
    GArray *items;                    /* of virApiBlkioItem */
} virApiBlkioChange;

static void
virApiBlkioItemClear(void *opaque)
{
    g_free(((virApiBlkioItem *)opaque)->path);
}

static bool
virApiBlkioParse(const remote_typed_param *param, guint limit, GArray *items, GError **error)
{
    g_auto(GStrv) words = g_strsplit(param->value.s, ",", -1);
    guint count = g_strv_length(words);

    if (count == 0)
        return true;
    if (count % 2)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unable to parse blkio device '%s' '%s'"),
                           param->field, param->value.s);
    for (guint i = 0; i < count; i += 2) {
        virApiBlkioItem item = {.limit = limit};

        if (!*words[i] || !virStringToUInt(words[i + 1], limits[limit].max, &item.value))
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("unable to parse blkio device '%s' '%s'"), param->field,
                               param->value.s);
        item.path = g_strdup(words[i]);
        g_array_append_val(items, item);
    }
    return true;
}

static bool
virApiBlkioApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiBlkioChange *change = opaque;

    if (change->weight &&
        !qemuTuneNumber(tune, NULL, VIR_CGROUP_BLKIO_WEIGHT, change->weight->value.ui, error))
        return false;
    for (guint i = 0; i < change->items->len; i++) {
        const virApiBlkioItem *item = &g_array_index(change->items, virApiBlkioItem, i);

        if (!qemuTuneDevice(tune, limits[item->limit].limit, item->path, item->value, error))
            return false;
    }
    return true;
}

static bool
virApiBlkioEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiBlkioChange *change = opaque;
    virDomainBlkiotune *blkio = &def->tune.blkio;

    if (change->weight)
        blkio->weight =
            (virOptUInt){.set = change->weight->value.ui != 0, .value = change->weight->value.ui};
    for (guint i = 0; i < change->items->len; i++) {
        const virApiBlkioItem *item = &g_array_index(change->items, virApiBlkioItem, i);
        virDomainBlkioDevice *device = virDomainBlkioDeviceGet(blkio, item->path);

        *virApiBlkioValue(device, item->limit) =
            (virOptUInt){.set = item->value != 0, .value = item->value};
    }
    return true;
}

bool
virApiDomainSetBlkioParameters(virApiCall *call,
                               const remote_domain_set_blkio_parameters_args *args, GError **error)
{
    static const virApiParamRow rows[] = {{"weight", VIR_API_PARAM_UINT},
                                          {"device_weight", VIR_API_PARAM_STRING},
                                          {"device_read_iops_sec", VIR_API_PARAM_STRING},
                                          {"device_write_iops_sec", VIR_API_PARAM_STRING},
                                          {"device_read_bytes_sec", VIR_API_PARAM_STRING},
                                          {"device_write_bytes_sec", VIR_API_PARAM_STRING},
                                          {NULL, 0}};
    const virApiTuneChange how = {
        .job = "set block I/O parameters",
        .session = virApiBlkioSession(),
        .controller = VIR_CGROUP_CONTROLLER_BLKIO,
        .missing = virApiBlkioMissing(),
        .apply = virApiBlkioApply,
        .edit = virApiBlkioEdit,
    };
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(virApiBlkioItem));
    virApiBlkioChange change = {.items = items};

    g_array_set_clear_func(items, virApiBlkioItemClear);
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiParamsCheck(args->params_val, args->params_len, rows, error))
        return false;
    change.weight = virApiParamsFind(args->params_val, args->params_len, "weight");
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        const remote_typed_param *param =
            virApiParamsFind(args->params_val, args->params_len, limits[i].name);

        if (param && !virApiBlkioParse(param, i, items, error))
            return false;
    }
    return virApiTuneRun(call, &args->dom, args->flags, &how, &change, error);
}
