/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.c: CPU models: their names, a CPU compared with the host's, several combined.
 *
 * The first question about the host's CPU asks the processor, so these rows say "job". */
#include "host/cpu.h"
#include "api/handlers.gen.h"
#include "util/cpu/vircpumodel.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* Flags of the calls, as clients send them. */
enum {
    COMPARE_FAIL_INCOMPATIBLE = 1 << 0,
    BASELINE_EXPAND_FEATURES = 1 << 0,
    BASELINE_MIGRATABLE = 1 << 1,
};

bool
virApiConnectGetCPUModelNames(virApiCall *call, const remote_connect_get_cpu_model_names_args *args,
                              remote_connect_get_cpu_model_names_ret *ret, GError **error)
{
    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (!virCPUArchIsKnown(args->arch))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("cannot find architecture %s"),
                           args->arch);
    if (!virCPUMapHasArch(args->arch))
        return true;
    ret->ret = (int32_t)virCPUMapModelCount;
    if (!args->need_results)
        return true;
    ret->models_len = (uint32_t)virCPUMapModelCount;
    ret->models_val = virApiNew(call, const char *, virCPUMapModelCount);
    for (size_t i = 0; i < virCPUMapModelCount; i++)
        ret->models_val[i] = virCPUMapModels[i].name;
    return true;
}

bool
virApiConnectCompareCPU(virApiCall *call, const remote_connect_compare_cpu_args *args,
                        remote_connect_compare_cpu_ret *ret, GError **error)
{
    g_autoptr(virCPUDef) cpu = NULL;
    g_autofree char *why = NULL;
    const virCPUDef *host;

    if (!virApiOnlyFlags(args->flags, COMPARE_FAIL_INCOMPATIBLE, error) ||
        !(host = virHostCPUGet(error)) ||
        !(cpu = virCPUDefParseText(args->xml, VIR_CPU_TYPE_AUTO, error)))
        return false;
    ret->result = virCPUModelCompare(host, cpu, &why, error);
    if (ret->result == VIR_CPU_COMPARE_ERROR)
        return false;
    if (ret->result == VIR_CPU_COMPARE_INCOMPATIBLE && (args->flags & COMPARE_FAIL_INCOMPATIBLE))
        return virErrorSet(error, VIR_ERR_CPU_INCOMPATIBLE, "%s", why);
    return true;
}

/* The <cpu> elements of hosts, as clients send them. */
static bool
virApiParseCPUs(const char *const *texts, uint32_t count, GPtrArray *cpus, GError **error)
{
    if (count == 0)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("ncpus in virConnectBaselineCPU must not be zero"));
    for (uint32_t i = 0; i < count; i++) {
        virCPUDef *cpu = virCPUDefParseText(texts[i], VIR_CPU_TYPE_HOST, error);

        if (!cpu)
            return false;
        g_ptr_array_add(cpus, cpu);
    }
    return true;
}

bool
virApiConnectBaselineCPU(virApiCall *call, const remote_connect_baseline_cpu_args *args,
                         remote_connect_baseline_cpu_ret *ret, GError **error)
{
    g_autoptr(GPtrArray) cpus = g_ptr_array_new_with_free_func((GDestroyNotify)virCPUDefFree);
    virCPUDecodeOptions options = {.migratable = args->flags & BASELINE_MIGRATABLE};
    g_autoptr(virCPUDef) baseline = NULL;
    g_autofree char *text = NULL;

    if (!virApiOnlyFlags(args->flags, BASELINE_EXPAND_FEATURES | BASELINE_MIGRATABLE, error) ||
        !virApiParseCPUs(args->xmlCPUs_val, args->xmlCPUs_len, cpus, error) ||
        !(baseline = virCPUModelBaseline((virCPUDef *const *)cpus->pdata, cpus->len, &options, NULL,
                                         error)))
        return false;
    if (args->flags & BASELINE_EXPAND_FEATURES) {
        if (!virCPUModelExpand(baseline, error))
            return false;
        virCPUDefSortFeatures(baseline);
    }
    text = virCPUDefFormatText(baseline);
    ret->cpu = virApiStrdup(call, text);
    return true;
}
