/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_cpustats.c: processor time that a running domain has used, in total and, where the kernel
 * counts it so, on each of the host's CPUs. */
#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "host/topology.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { TOTAL = -1, TOTAL_PARAMS = 3, CPU_PARAMS = 2 };

static bool
virApiCpuStatsTotal(virApiCall *call, const virApiTuneQuestion *question, unsigned nparams,
                    remote_domain_get_cpu_stats_ret *ret, GError **error)
{
    g_auto(virApiParams) list = {0};
    uint64_t total, user, system;

    if (nparams == 0) {
        ret->nparams = TOTAL_PARAMS;
        return true;
    }
    if (!virCgroupGetCpuUsage(question->group, &total, &user, &system, error))
        return false;
    virApiParamsInit(&list, call);
    virApiParamsULLong(&list, total, "cpu_time");
    if (nparams > 1)
        virApiParamsULLong(&list, user, "user_time");
    if (nparams > 2)
        virApiParamsULLong(&list, system, "system_time");
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    ret->nparams = (int32_t)ret->params_len;
    return true;
}

/* Times of a group, one a CPU, as far as the text goes. */
static void
virApiCpuStatsAdd(const char *text, uint64_t *times, size_t count)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (size_t i = 0; words[i] && *words[i] && i < count; i++)
        times[i] += g_ascii_strtoull(words[i], NULL, 10);
}

static bool
virApiCpuStatsRead(const virApiTuneQuestion *question, const virCgroupPart *part, uint64_t *times,
                   size_t count, GError **error)
{
    g_autofree char *text = virCgroupGet(question->group, VIR_CGROUP_CONTROLLER_CPUACCT, part,
                                         "cpuacct.usage_percpu", error);

    if (text)
        virApiCpuStatsAdd(text, times, count);
    return text != NULL;
}

/* All that the vCPUs have used. */
static bool
virApiCpuStatsVcpus(const virApiTuneQuestion *question, uint64_t *times, size_t count,
                    GError **error)
{
    for (guint i = 0; i < question->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(question->vcpus, qemuVcpu, i);
        const virCgroupPart part = {VIR_CGROUP_PART_VCPU, (unsigned)vcpu->index};

        if (!virApiCpuStatsRead(question, &part, times, count, error))
            return false;
    }
    return true;
}

static bool
virApiCpuStatsEach(virApiCall *call, const virApiTuneQuestion *question,
                   const remote_domain_get_cpu_stats_args *args,
                   remote_domain_get_cpu_stats_ret *ret, GError **error)
{
    g_autoptr(virBitmap) present = virHostTopologyPresent(VIR_HOST_SYSTEM);
    const unsigned count = (unsigned)(virBitmapLast(present) + 1);
    const unsigned first = (unsigned)args->start_cpu;
    const unsigned last = MIN(first + args->ncpus, count);
    g_autofree uint64_t *times = g_new0(uint64_t, count);
    g_autofree uint64_t *vcpuTimes = g_new0(uint64_t, count);
    g_auto(virApiParams) list = {0};

    if (args->nparams == 0) {
        ret->nparams = args->ncpus == 0 ? (int32_t)count : CPU_PARAMS;
        return true;
    }
    if (first >= count)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("start_cpu %d larger than maximum of %d"),
                           args->start_cpu, (int)count - 1);
    if (g_strcmp0(virCgroupInstanceVersionOf(virCgroupInstanceOf(question->group),
                                             VIR_CGROUP_CONTROLLER_CPUACCT),
                  "v2") == 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("operation '%s' not supported for backend '%s'"),
                           "getCpuacctPercpuUsage", "cgroup V2");
    if (!virApiCpuStatsRead(question, NULL, times, count, error) ||
        !virApiCpuStatsVcpus(question, vcpuTimes, count, error))
        return false;
    virApiParamsInit(&list, call);
    for (unsigned i = first; i < last; i++) {
        virApiParamsULLong(&list, times[i], "cpu_time");
        if (args->nparams > 1)
            virApiParamsULLong(&list, vcpuTimes[i], "vcpu_time");
    }
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    ret->nparams = (int32_t)MIN(args->nparams, CPU_PARAMS);
    return true;
}

bool
virApiDomainGetCPUStats(virApiCall *call, const remote_domain_get_cpu_stats_args *args,
                        remote_domain_get_cpu_stats_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};

    if (args->nparams > REMOTE_NODE_CPU_STATS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (args->ncpus > REMOTE_DOMAIN_GET_CPU_STATS_NCPUS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("ncpus too large"));
    if (!virApiOnlyFlags(args->flags, VIR_API_PARAM_STRING_OKAY, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
            return false;
    }
    if (!virApiTuneAsk(call, &args->dom, VIR_DOMAIN_AFFECT_LIVE, VIR_CGROUP_CONTROLLER_CPUACCT,
                       _("cgroup CPUACCT controller is not mounted"), &question, error))
        return false;
    return args->start_cpu == TOTAL
               ? virApiCpuStatsTotal(call, &question, args->nparams, ret, error)
               : virApiCpuStatsEach(call, &question, args, ret, error);
}
