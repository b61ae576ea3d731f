/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.c: CPU models: their names, a CPU compared with what the host or an emulator has, several
 * combined.
 *
 * The first question asks the processor or starts a QEMU, so these rows say "job". */
#include "host/cpu.h"
#include "api/emulator.h"
#include "api/handlers.gen.h"
#include "qmp/qmphostmodel.h"
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

/* --- comparing --- */

static bool
compareTo(const virCPUDef *offered, const virCPUDef *cpu, uint32_t flags, int32_t *retResult,
          GError **error)
{
    g_autofree char *why = NULL;
    virCPUCompareResult result = virCPUModelCompare(offered, cpu, &why, error);

    if (result == VIR_CPU_COMPARE_ERROR)
        return false;
    if (result == VIR_CPU_COMPARE_INCOMPATIBLE && (flags & COMPARE_FAIL_INCOMPATIBLE))
        return virErrorSet(error, VIR_ERR_CPU_INCOMPATIBLE, "%s", why);
    *retResult = result;
    return true;
}

bool
virApiConnectCompareCPU(virApiCall *call, const remote_connect_compare_cpu_args *args,
                        remote_connect_compare_cpu_ret *ret, GError **error)
{
    g_autoptr(virCPUDef) cpu = NULL;
    const virCPUDef *host;

    if (!virApiOnlyFlags(args->flags, COMPARE_FAIL_INCOMPATIBLE, error) ||
        !(host = virHostCPUGet(error)) ||
        !(cpu = virCPUDefParseText(args->xml, VIR_CPU_TYPE_AUTO, error)))
        return false;
    return compareTo(host, cpu, args->flags, &ret->result, error);
}

bool
virApiConnectCompareHypervisorCPU(virApiCall *call,
                                  const remote_connect_compare_hypervisor_cpu_args *args,
                                  remote_connect_compare_hypervisor_cpu_ret *ret, GError **error)
{
    g_auto(virApiEmulator) emulator = {0};
    g_autoptr(virCPUDef) offered = NULL;
    g_autoptr(virCPUDef) cpu = NULL;

    if (!virApiOnlyFlags(args->flags, COMPARE_FAIL_INCOMPATIBLE, error) ||
        !virApiEmulatorChoose(virApiDriver(call), args->emulator, args->arch, args->machine,
                              args->virttype, &emulator, error) ||
        !(offered = qmpHostModelMake(emulator.caps, emulator.accel, NULL, error)) ||
        !(cpu = virCPUDefParseText(args->xmlCPU, VIR_CPU_TYPE_AUTO, error)))
        return false;
    return compareTo(offered, cpu, args->flags, &ret->result, error);
}

/* --- combining --- */

/* The <cpu> elements that a client wants combined. */
static bool
parseCPUs(const char *const *texts, uint32_t count, virCPUType type, GPtrArray *cpus,
          GError **error)
{
    if (count == 0)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("ncpus in virConnectBaselineCPU must not be zero"));
    for (uint32_t i = 0; i < count; i++) {
        virCPUDef *cpu = virCPUDefParseText(texts[i], type, error);

        if (!cpu)
            return false;
        g_ptr_array_add(cpus, cpu);
    }
    return true;
}

static const char *
baselineText(virApiCall *call, virCPUDef *baseline, uint32_t flags, GError **error)
{
    g_autofree char *text = NULL;

    if (flags & BASELINE_EXPAND_FEATURES) {
        if (!virCPUModelExpand(baseline, error))
            return NULL;
        virCPUDefSortFeatures(baseline);
    }
    text = virCPUDefFormatText(baseline);
    return virApiStrdup(call, text);
}

bool
virApiConnectBaselineCPU(virApiCall *call, const remote_connect_baseline_cpu_args *args,
                         remote_connect_baseline_cpu_ret *ret, GError **error)
{
    g_autoptr(GPtrArray) cpus = g_ptr_array_new_with_free_func((GDestroyNotify)virCPUDefFree);
    virCPUDecodeOptions options = {.migratable = args->flags & BASELINE_MIGRATABLE};
    g_autoptr(virCPUDef) baseline = NULL;

    if (!virApiOnlyFlags(args->flags, BASELINE_EXPAND_FEATURES | BASELINE_MIGRATABLE, error) ||
        !parseCPUs(args->xmlCPUs_val, args->xmlCPUs_len, VIR_CPU_TYPE_HOST, cpus, error) ||
        !(baseline = virCPUModelBaseline((virCPUDef *const *)cpus->pdata, cpus->len, &options, NULL,
                                         error)))
        return false;
    return (ret->cpu = baselineText(call, baseline, args->flags, error)) != NULL;
}

/* What the emulator can give, by its own names; borrowed from caps, ends with NULL. Caller frees
 * the array. */
static const char **
offeredFeatures(const virApiEmulator *emulator, bool migratable)
{
    const qmpCpuModel *model = qmpCapsHostCpu(emulator->caps, emulator->accel);
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < model->properties->len; i++) {
        const qmpCpuProperty *property = model->properties->pdata[i];

        if (property->type == QMP_CPU_PROPERTY_BOOLEAN && property->boolean &&
            !(migratable && property->migratable == VIR_TRISTATE_NO))
            g_ptr_array_add(names, property->name);
    }
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}

/* The models the emulator has; borrowed from caps. Caller unrefs the array. */
static GArray *
offeredModels(const virApiEmulator *emulator)
{
    const GPtrArray *definitions = qmpCapsCpuDefinitions(emulator->caps, emulator->accel);
    GArray *models = g_array_new(FALSE, FALSE, sizeof(virCPUModelChoice));

    for (guint i = 0; definitions && i < definitions->len; i++) {
        const qmpCpuDefinition *definition = definitions->pdata[i];
        virCPUModelChoice model = {definition->name, (const char *const *)definition->blockers};

        g_array_append_val(models, model);
    }
    return models;
}

static virCPUDef *
baselineOffered(const virApiEmulator *emulator, GPtrArray *cpus, bool migratable, GError **error)
{
    g_autoptr(GArray) models = offeredModels(emulator);
    virCPUDecodeOptions options = {.choices = (const virCPUModelChoice *)models->data,
                                   .choiceCount = models->len,
                                   .migratable = migratable};
    g_autofree const char **features = NULL;

    if (!qmpCapsHostCpu(emulator->caps, emulator->accel) || models->len == 0) {
        virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                    _("QEMU doesn't support any CPU models for binary %s"),
                    qmpCapsEmulator(emulator->caps));
        return NULL;
    }
    features = offeredFeatures(emulator, migratable);
    return virCPUModelBaseline((virCPUDef *const *)cpus->pdata, cpus->len, &options, features,
                               error);
}

bool
virApiConnectBaselineHypervisorCPU(virApiCall *call,
                                   const remote_connect_baseline_hypervisor_cpu_args *args,
                                   remote_connect_baseline_hypervisor_cpu_ret *ret, GError **error)
{
    g_autoptr(GPtrArray) cpus = g_ptr_array_new_with_free_func((GDestroyNotify)virCPUDefFree);
    g_auto(virApiEmulator) emulator = {0};
    g_autoptr(virCPUDef) baseline = NULL;

    if (!virApiOnlyFlags(args->flags, BASELINE_EXPAND_FEATURES | BASELINE_MIGRATABLE, error) ||
        !parseCPUs(args->xmlCPUs_val, args->xmlCPUs_len, VIR_CPU_TYPE_AUTO, cpus, error) ||
        !virApiEmulatorChoose(virApiDriver(call), args->emulator, args->arch, args->machine,
                              args->virttype, &emulator, error) ||
        !(baseline = baselineOffered(&emulator, cpus, args->flags & BASELINE_MIGRATABLE, error)))
        return false;
    baseline->fallback = VIR_CPU_FALLBACK_FORBID;
    return (ret->cpu = baselineText(call, baseline, args->flags, error)) != NULL;
}
