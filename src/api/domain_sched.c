/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_sched.c: how much of the processors a domain gets: shares, and time a period of the whole,
 * of the emulator, of each vCPU and of each I/O thread. */
#include <inttypes.h>
#include <string.h>

#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* What the kernel of cgroup v2 calls "max". */
#define NO_QUOTA_V2 INT64_C(17592186044415)
#define QUOTA_LIMIT INT64_C(18446744073709551)

/* In the order of the answer; period and quota of a part follow each other. */
static const struct {
    const char *name;
    virApiParamType type;
    size_t offset; /* of the virOptUInt or virOptInt in virDomainCputune */
    virCgroupLimit limit;
    virCgroupPartType part;
} params[] = {
#define SHARES(name, member, part)                                                                 \
    {                                                                                              \
        name, VIR_API_PARAM_ULLONG, offsetof(virDomainCputune, member), VIR_CGROUP_CPU_SHARES,     \
            VIR_CGROUP_PART_##part                                                                 \
    }
#define PERIOD(name, member, part)                                                                 \
    {                                                                                              \
        name, VIR_API_PARAM_ULLONG, offsetof(virDomainCputune, member), VIR_CGROUP_CPU_PERIOD,     \
            VIR_CGROUP_PART_##part                                                                 \
    }
#define QUOTA(name, member, part)                                                                  \
    {                                                                                              \
        name, VIR_API_PARAM_LLONG, offsetof(virDomainCputune, member), VIR_CGROUP_CPU_QUOTA,       \
            VIR_CGROUP_PART_##part                                                                 \
    }
    SHARES("cpu_shares", shares, GUEST),
    PERIOD("vcpu_period", period, VCPU),
    QUOTA("vcpu_quota", quota, VCPU),
    PERIOD("emulator_period", emulatorPeriod, EMULATOR),
    QUOTA("emulator_quota", emulatorQuota, EMULATOR),
    PERIOD("global_period", globalPeriod, GUEST),
    QUOTA("global_quota", globalQuota, GUEST),
    PERIOD("iothread_period", iothreadPeriod, IOTHREAD),
    QUOTA("iothread_quota", iothreadQuota, IOTHREAD),
};

static const char *
virApiSchedMissing(void)
{
    return _("cgroup CPU controller is not mounted");
}

static const char *
virApiSchedSession(void)
{
    return _("CPU tuning is not available in session mode");
}

bool
virApiDomainGetSchedulerType(virApiCall *call, const remote_domain_get_scheduler_type_args *args,
                             remote_domain_get_scheduler_type_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};

    if (!virApiTuneCheckSession(call, virApiSchedSession(), error) ||
        !virApiTuneAsk(call, &args->dom, 0, VIR_CGROUP_CONTROLLER_CPU, virApiSchedMissing(),
                       &question, error))
        return false;
    ret->type = virApiStrdup(call, "posix");
    ret->nparams = G_N_ELEMENTS(params);
    return true;
}

/* --- reading --- */

/* The first of the parts that the limit is for; false if the guest has none. */
static bool
virApiSchedPart(const virApiTuneQuestion *question, virCgroupPartType type, virCgroupPart *part)
{
    const virDomainIOThreads *iothreads = &virDomainDocDef(question->doc)->iothreads;

    *part = (virCgroupPart){type, 0};
    if (type == VIR_CGROUP_PART_VCPU) {
        if (question->vcpus->len == 0)
            return false;
        part->id = (unsigned)g_array_index(question->vcpus, qemuVcpu, 0).index;
    }
    if (type == VIR_CGROUP_PART_IOTHREAD) {
        if (virDomainIOThreadCount(iothreads) == 0)
            return false;
        part->id = virDomainIOThreadAt(iothreads, 0)->id;
    }
    return true;
}

/* From the group of a running guest, else from the document. */
static bool
virApiSchedRead(const virApiTuneQuestion *question, guint i, int64_t *retValue, GError **error)
{
    const char *cputune = (const char *)&virDomainDocDef(question->doc)->tune.cpu;
    virCgroupPart part;

    *retValue =
        params[i].type == VIR_API_PARAM_LLONG
            ? ((const virOptInt *)(const void *)(cputune + params[i].offset))->value
            : (int64_t)((const virOptUInt *)(const void *)(cputune + params[i].offset))->value;
    if (!question->group || !virApiSchedPart(question, params[i].part, &part))
        return true;
    if (!virCgroupGetNumber(question->group, &part, params[i].limit, retValue, error))
        return false;
    if (params[i].limit == VIR_CGROUP_CPU_QUOTA && *retValue < 0 &&
        g_strcmp0(virCgroupInstanceVersionOf(virCgroupInstanceOf(question->group),
                                             VIR_CGROUP_CONTROLLER_CPU),
                  "v2") == 0)
        *retValue = NO_QUOTA_V2;
    return true;
}

static bool
virApiSchedGet(virApiCall *call, const remote_nonnull_domain *dom, int nparams, unsigned flags,
               uint32_t *retLen, remote_typed_param **retParams, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};
    g_auto(virApiParams) list = {0};

    if (nparams < 0 || nparams > REMOTE_DOMAIN_SCHEDULER_PARAMETERS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (!virApiOnlyFlags(flags, VIR_API_TUNE_AFFECT | VIR_API_PARAM_STRING_OKAY, error) ||
        !virApiTuneCheckSession(call, virApiSchedSession(), error) ||
        !virApiTuneAsk(call, dom, flags, VIR_CGROUP_CONTROLLER_CPU, virApiSchedMissing(), &question,
                       error))
        return false;
    virApiParamsInit(&list, call);
    for (guint i = 0; i < G_N_ELEMENTS(params) && i < (guint)nparams; i++) {
        int64_t value;

        if (!virApiSchedRead(&question, i, &value, error))
            return false;
        if (params[i].type == VIR_API_PARAM_LLONG)
            virApiParamsLLong(&list, value, "%s", params[i].name);
        else
            virApiParamsULLong(&list, (uint64_t)value, "%s", params[i].name);
    }
    *retParams = virApiParamsTake(&list, retLen);
    return true;
}

bool
virApiDomainGetSchedulerParameters(virApiCall *call,
                                   const remote_domain_get_scheduler_parameters_args *args,
                                   remote_domain_get_scheduler_parameters_ret *ret, GError **error)
{
    return virApiSchedGet(call, &args->dom, args->nparams, 0, &ret->params_len, &ret->params_val,
                          error);
}

bool
virApiDomainGetSchedulerParametersFlags(
    virApiCall *call, const remote_domain_get_scheduler_parameters_flags_args *args,
    remote_domain_get_scheduler_parameters_flags_ret *ret, GError **error)
{
    return virApiSchedGet(call, &args->dom, args->nparams, args->flags, &ret->params_len,
                          &ret->params_val, error);
}

/* --- changing --- */

typedef struct {
    const remote_typed_param *list;
    uint32_t len;
} virApiSchedChange;

static guint
virApiSchedRow(const remote_typed_param *param)
{
    guint i = 0;

    while (i < G_N_ELEMENTS(params) && !g_str_equal(params[i].name, param->field))
        i++;
    return i;
}

static bool
virApiSchedInRange(const remote_typed_param *param, GError **error)
{
    const guint row = virApiSchedRow(param);
    const bool isQuota = params[row].limit == VIR_CGROUP_CPU_QUOTA;
    const int64_t max = isQuota ? QUOTA_LIMIT : 1000000;
    const int64_t value = param->value.l;

    if (params[row].limit == VIR_CGROUP_CPU_SHARES || (value <= 0 && (isQuota || value == 0)) ||
        (value >= 1000 && value <= max))
        return true;
    return virErrorSet(error, VIR_ERR_INVALID_ARG,
                       _("value of '%s' is out of range [%d, %" PRId64 "]"), param->field, 1000,
                       max);
}

static bool
virApiSchedApplyPart(const qemuTune *tune, const virDomainDef *live, guint row, int64_t value,
                     GError **error)
{
    virCgroupPart part = {params[row].part, 0};
    const virCgroupLimit limit = params[row].limit;

    switch (part.type) {
    case VIR_CGROUP_PART_VCPU:
        for (guint i = 0; i < tune->guest->vcpus->len; i++) {
            part.id = (unsigned)g_array_index(tune->guest->vcpus, qemuVcpu, i).index;
            if (!qemuTuneNumber(tune, &part, limit, value, error))
                return false;
        }
        return true;
    case VIR_CGROUP_PART_IOTHREAD:
        for (guint i = 0; i < virDomainIOThreadCount(&live->iothreads); i++) {
            part.id = virDomainIOThreadAt(&live->iothreads, i)->id;
            if (!qemuTuneNumber(tune, &part, limit, value, error))
                return false;
        }
        return true;
    default:
        return qemuTuneNumber(tune, &part, limit, value, error);
    }
}

static bool
virApiSchedApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiSchedChange *change = opaque;

    for (uint32_t i = 0; i < change->len; i++) {
        const guint row = virApiSchedRow(&change->list[i]);
        const int64_t value = change->list[i].value.l;

        /* 0 is no value for time */
        if ((value || params[row].limit == VIR_CGROUP_CPU_SHARES) &&
            !virApiSchedApplyPart(tune, live, row, value, error))
            return false;
    }
    return true;
}

static bool
virApiSchedEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiSchedChange *change = opaque;

    for (uint32_t i = 0; i < change->len; i++) {
        const guint row = virApiSchedRow(&change->list[i]);
        char *at = (char *)&def->tune.cpu + params[row].offset;
        const remote_typed_param_value *value = &change->list[i].value;

        if (params[row].type == VIR_API_PARAM_LLONG)
            *(virOptInt *)(void *)at = (virOptInt){.set = value->l != 0, .value = value->l};
        else
            *(virOptUInt *)(void *)at = (virOptUInt){.set = value->ul != 0, .value = value->ul};
    }
    return true;
}

static void
virApiSchedTell(const void *opaque, virApiParams *changed)
{
    const virApiSchedChange *change = opaque;

    for (uint32_t i = 0; i < change->len; i++) {
        const guint row = virApiSchedRow(&change->list[i]);
        const remote_typed_param_value *value = &change->list[i].value;

        if (params[row].type == VIR_API_PARAM_LLONG && value->l)
            virApiParamsLLong(changed, value->l, "cputune.%s", params[row].name);
        else if (value->ul || params[row].limit == VIR_CGROUP_CPU_SHARES)
            virApiParamsULLong(changed, value->ul, "cputune.%s", params[row].name);
    }
}

static bool
virApiSchedSet(virApiCall *call, const remote_nonnull_domain *dom, const remote_typed_param *list,
               uint32_t len, unsigned flags, GError **error)
{
    virApiSchedChange change = {list, len};
    virApiParamRow rows[G_N_ELEMENTS(params) + 1] = {{NULL, 0}};
    const virApiTuneChange how = {
        .job = "set scheduler parameters",
        .session = virApiSchedSession(),
        .controller = VIR_CGROUP_CONTROLLER_CPU,
        .missing = virApiSchedMissing(),
        .apply = virApiSchedApply,
        .edit = virApiSchedEdit,
        .tell = virApiSchedTell,
    };

    for (guint i = 0; i < G_N_ELEMENTS(params); i++)
        rows[i] = (virApiParamRow){params[i].name, params[i].type};
    if (!virApiOnlyFlags(flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiParamsCheck(list, len, rows, error))
        return false;
    for (uint32_t i = 0; i < len; i++) {
        if (!virApiSchedInRange(&list[i], error))
            return false;
    }
    return virApiTuneRun(call, dom, flags, &how, &change, error);
}

bool
virApiDomainSetSchedulerParameters(virApiCall *call,
                                   const remote_domain_set_scheduler_parameters_args *args,
                                   GError **error)
{
    return virApiSchedSet(call, &args->dom, args->params_val, args->params_len, 0, error);
}

bool
virApiDomainSetSchedulerParametersFlags(
    virApiCall *call, const remote_domain_set_scheduler_parameters_flags_args *args, GError **error)
{
    return virApiSchedSet(call, &args->dom, args->params_val, args->params_len, args->flags, error);
}
