/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_memtune.c: how much of the host's memory a domain may use, and from which nodes. */
#include <string.h>

#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

static const char *
virApiMemtuneMissing(void)
{
    return _("cgroup memory controller is not mounted");
}

static const char *
virApiMemtuneSession(void)
{
    return _("Memory tuning is not available in session mode");
}

/* --- limits of memory --- */

static const struct {
    const char *name;
    size_t offset; /* of the virOptUInt in virDomainMemtune */
    virCgroupLimit limit;
} limits[] = {
    {"hard_limit", offsetof(virDomainMemtune, hardLimit), VIR_CGROUP_MEMORY_HARD},
    {"soft_limit", offsetof(virDomainMemtune, softLimit), VIR_CGROUP_MEMORY_SOFT},
    {"swap_hard_limit", offsetof(virDomainMemtune, swapHardLimit), VIR_CGROUP_MEMORY_SWAP},
};
enum { HARD, SOFT, SWAP };

static uint64_t
virApiMemtuneStored(const virDomainDef *def, guint i)
{
    const char *memtune = (const char *)&def->tune.memory;
    const virOptUInt *value = (const virOptUInt *)(const void *)(memtune + limits[i].offset);

    return value->set ? MIN(value->value, VIR_DOMAIN_MEMORY_UNLIMITED)
                      : VIR_DOMAIN_MEMORY_UNLIMITED;
}

/* A kernel that doesn't count swap limits none of it. */
static bool
virApiMemtuneRead(const virApiTuneQuestion *question, guint i, uint64_t *retValue, GError **error)
{
    g_autoptr(GError) cause = NULL;
    int64_t value;

    if (!question->group) {
        *retValue = virApiMemtuneStored(virDomainDocDef(question->doc), i);
        return true;
    }
    if (virCgroupGetNumber(question->group, NULL, limits[i].limit, &value, &cause)) {
        *retValue = (uint64_t)value;
        return true;
    }
    if (i == SWAP && virErrorIs(cause, VIR_ERR_OPERATION_UNSUPPORTED)) {
        *retValue = VIR_DOMAIN_MEMORY_UNLIMITED;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

bool
virApiDomainGetMemoryParameters(virApiCall *call,
                                const remote_domain_get_memory_parameters_args *args,
                                remote_domain_get_memory_parameters_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};
    g_auto(virApiParams) list = {0};

    if (args->nparams < 0 || args->nparams > REMOTE_DOMAIN_MEMORY_PARAMETERS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT | VIR_API_PARAM_STRING_OKAY, error) ||
        !virApiTuneCheckSession(call, virApiMemtuneSession(), error) ||
        !virApiTuneAsk(call, &args->dom, args->flags, VIR_CGROUP_CONTROLLER_MEMORY,
                       virApiMemtuneMissing(), &question, error))
        return false;
    if (args->nparams == 0) {
        ret->nparams = G_N_ELEMENTS(limits);
        return true;
    }
    virApiParamsInit(&list, call);
    for (guint i = 0; i < G_N_ELEMENTS(limits) && i < (guint)args->nparams; i++) {
        uint64_t value;

        if (!virApiMemtuneRead(&question, i, &value, error))
            return false;
        virApiParamsULLong(&list, value, "%s", limits[i].name);
    }
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    return true;
}

/* What is to be changed; not given: as it is. */
typedef struct {
    bool given[G_N_ELEMENTS(limits)];
    uint64_t value[G_N_ELEMENTS(limits)];
} virApiMemtuneChange;

static uint64_t
virApiMemtuneWanted(const virApiMemtuneChange *change, const virDomainDef *def, guint i)
{
    return change->given[i] ? MIN(change->value[i], VIR_DOMAIN_MEMORY_UNLIMITED)
                            : virApiMemtuneStored(def, i);
}

static bool
virApiMemtuneCheck(const virDomainDef *def, bool live, void *opaque, GError **error)
{
    const virApiMemtuneChange *change = opaque;

    if (!change->given[HARD] && !change->given[SWAP])
        return true;
    return virApiMemtuneWanted(change, def, HARD) <= virApiMemtuneWanted(change, def, SWAP) ||
           virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                       _("memory hard_limit tunable value must be lower than or equal to "
                         "swap_hard_limit"));
}

/* Memory may never have more than memory and swap together: a sum that shrinks goes last. On v2,
 * where swap is what is left of the sum, a new limit of memory changes it too. */
static bool
virApiMemtuneApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiMemtuneChange *change = opaque;
    const bool shrinks = virApiMemtuneWanted(change, live, HARD) < virApiMemtuneStored(live, HARD);
    const guint order[] = {SOFT, shrinks ? HARD : SWAP, shrinks ? SWAP : HARD};
    const uint64_t swap = virApiMemtuneWanted(change, live, SWAP);

    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        const guint at = order[i];

        if (change->given[at] &&
            !qemuTuneNumber(tune, NULL, limits[at].limit,
                            (int64_t)virApiMemtuneWanted(change, live, at), error))
            return false;
    }
    return !change->given[HARD] || swap == VIR_DOMAIN_MEMORY_UNLIMITED ||
           qemuTuneNumber(tune, NULL, VIR_CGROUP_MEMORY_SWAP, (int64_t)swap, error);
}

static bool
virApiMemtuneEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiMemtuneChange *change = opaque;

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        virOptUInt *value = (virOptUInt *)(void *)((char *)&def->tune.memory + limits[i].offset);
        const uint64_t wanted = virApiMemtuneWanted(change, def, i);

        if (change->given[i])
            *value = (virOptUInt){.set = wanted < VIR_DOMAIN_MEMORY_UNLIMITED, .value = wanted};
    }
    return true;
}

bool
virApiDomainSetMemoryParameters(virApiCall *call,
                                const remote_domain_set_memory_parameters_args *args,
                                GError **error)
{
    static const virApiParamRow rows[] = {{"hard_limit", VIR_API_PARAM_ULLONG},
                                          {"soft_limit", VIR_API_PARAM_ULLONG},
                                          {"swap_hard_limit", VIR_API_PARAM_ULLONG},
                                          {NULL, 0}};
    const virApiTuneChange how = {
        .job = "set memory parameters",
        .session = virApiMemtuneSession(),
        .controller = VIR_CGROUP_CONTROLLER_MEMORY,
        .missing = virApiMemtuneMissing(),
        .check = virApiMemtuneCheck,
        .apply = virApiMemtuneApply,
        .edit = virApiMemtuneEdit,
    };
    virApiMemtuneChange change = {0};

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiParamsCheck(args->params_val, args->params_len, rows, error))
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        const remote_typed_param *param =
            virApiParamsFind(args->params_val, args->params_len, limits[i].name);

        change.given[i] = param != NULL;
        change.value[i] = param ? param->value.ul : 0;
    }
    return virApiTuneRun(call, &args->dom, args->flags, &how, &change, error);
}

/* --- the host's nodes --- */

enum { NUMA_PARAMS = 2 };

bool
virApiDomainGetNumaParameters(virApiCall *call, const remote_domain_get_numa_parameters_args *args,
                              remote_domain_get_numa_parameters_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};
    g_auto(virApiParams) list = {0};
    g_autofree char *nodes = NULL;
    const virDomainNumatune *numa;

    if (args->nparams < 0 || args->nparams > REMOTE_DOMAIN_NUMA_PARAMETERS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT | VIR_API_PARAM_STRING_OKAY, error) ||
        !virApiTuneAsk(call, &args->dom, args->flags, VIR_CGROUP_CONTROLLER_CPUSET, NULL, &question,
                       error))
        return false;
    if (args->nparams == 0) {
        ret->nparams = NUMA_PARAMS;
        return true;
    }
    numa = &virDomainDocDef(question.doc)->tune.numa;
    nodes = numa->nodeset ? virBitmapFormat(numa->nodeset) : g_strdup("");
    virApiParamsInit(&list, call);
    virApiParamsInt(&list, numa->specified ? numa->mode : VIR_NUMATUNE_STRICT, "numa_mode");
    if (args->nparams > 1)
        virApiParamsString(&list, nodes, "numa_nodeset");
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    return true;
}

typedef struct {
    const remote_typed_param *mode;
    virBitmap *nodes; /* NULL: as they are */
} virApiNumaChange;

static bool
virApiNumaCheck(const virDomainDef *def, bool live, void *opaque, GError **error)
{
    const virApiNumaChange *change = opaque;
    const virDomainNumatune *numa = &def->tune.numa;
    const int mode = numa->specified ? numa->mode : VIR_NUMATUNE_STRICT;

    if (!live)
        return true;
    if (change->mode && change->mode->value.i != mode)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("can't change numatune mode for running domain"));
    return !change->nodes || mode == VIR_NUMATUNE_RESTRICTIVE ||
           virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                       _("change of nodeset for running domain requires restrictive numa mode"));
}

static bool
virApiNumaApplyPart(const qemuTune *tune, virCgroupPartType type, unsigned id, const char *nodes,
                    GError **error)
{
    const virCgroupPart part = {type, id};

    /* what is there moves along, as it does on v2 by itself */
    return qemuTuneNumber(tune, &part, VIR_CGROUP_CPUSET_MIGRATE, 1, error) &&
           qemuTuneText(tune, &part, VIR_CGROUP_CPUSET_MEMS, nodes, error);
}

static bool
virApiNumaApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiNumaChange *change = opaque;
    g_autofree char *nodes = change->nodes ? virBitmapFormat(change->nodes) : NULL;

    if (!nodes)
        return true;
    if (!virApiNumaApplyPart(tune, VIR_CGROUP_PART_EMULATOR, 0, nodes, error))
        return false;
    for (guint i = 0; i < tune->guest->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(tune->guest->vcpus, qemuVcpu, i);

        if (!virApiNumaApplyPart(tune, VIR_CGROUP_PART_VCPU, (unsigned)vcpu->index, nodes, error))
            return false;
    }
    for (guint i = 0; i < virDomainIOThreadCount(&live->iothreads); i++) {
        if (!virApiNumaApplyPart(tune, VIR_CGROUP_PART_IOTHREAD,
                                 virDomainIOThreadAt(&live->iothreads, i)->id, nodes, error))
            return false;
    }
    return true;
}

static bool
virApiNumaEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiNumaChange *change = opaque;
    virDomainNumatune *numa = &def->tune.numa;

    if (change->mode)
        numa->mode = change->mode->value.i;
    if (change->nodes) {
        virBitmapFree(numa->nodeset);
        numa->nodeset = virBitmapCopy(change->nodes);
        numa->placement = VIR_NUMATUNE_PLACEMENT_STATIC;
    }
    numa->specified = numa->specified || numa->nodeset;
    return true;
}

bool
virApiDomainSetNumaParameters(virApiCall *call, const remote_domain_set_numa_parameters_args *args,
                              GError **error)
{
    static const virApiParamRow rows[] = {
        {"numa_mode", VIR_API_PARAM_INT}, {"numa_nodeset", VIR_API_PARAM_STRING}, {NULL, 0}};
    const virApiTuneChange how = {
        .job = "set NUMA parameters",
        .session = _("NUMA tuning is not available in session mode"),
        .controller = VIR_CGROUP_CONTROLLER_CPUSET,
        .missing = _("cgroup cpuset controller is not mounted"),
        .check = virApiNumaCheck,
        .apply = virApiNumaApply,
        .edit = virApiNumaEdit,
    };
    g_autoptr(virBitmap) nodes = NULL;
    virApiNumaChange change = {0};
    const remote_typed_param *nodeset;

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiParamsCheck(args->params_val, args->params_len, rows, error))
        return false;
    change.mode = virApiParamsFind(args->params_val, args->params_len, "numa_mode");
    nodeset = virApiParamsFind(args->params_val, args->params_len, "numa_nodeset");
    if (change.mode && (change.mode->value.i < 0 || change.mode->value.i >= VIR_NUMATUNE_MODE_LAST))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unsupported numatune mode: '%d'"),
                           change.mode->value.i);
    if (nodeset && !(nodes = virBitmapParse(nodeset->value.s, VIR_BITMAP_MAX, error)))
        return false;
    if (nodes && virBitmapIsEmpty(nodes))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, _("Invalid nodeset of 'numatune': %s"),
                           nodeset->value.s);
    change.nodes = nodes;
    return virApiTuneRun(call, &args->dom, args->flags, &how, &change, error);
}
