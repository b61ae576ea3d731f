/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestcpu.c: the processor a starting guest really gets. */
#include "qemu/guestcpu.h"

#include <string.h>

#include "qemu/prepare.h"
#include "qmp/qmphostmodel.h"
#include "util/cpu/vircpumodel.h"
#include "util/virerror.h"

/* Features that no guest gets from -cpu: they belong to the host's resource control, or the
 * guest's kernel sets them. */
static bool
qemuGuestCPUKeepsFeature(const virCPUFeature *feature, const void *opaque)
{
    static const char *const dropped[] = {"cmt",     "mbm_total", "mbm_local",
                                          "osxsave", "ospke",     NULL};

    (void)opaque;
    return !g_strv_contains(dropped, feature->name);
}

static bool
qemuGuestCPUCompare(const virCPUDef *cpu, const virCPUDef *host, GError **error)
{
    g_autofree char *why = NULL;

    switch (virCPUModelCompare(host, cpu, &why, error)) {
    case VIR_CPU_COMPARE_ERROR:
        return false;
    case VIR_CPU_COMPARE_INCOMPATIBLE:
        return virErrorSet(error, VIR_ERR_CPU_INCOMPATIBLE, "%s",
                           why ? why : _("the CPU is incompatible with host CPU"));
    default:
        return true;
    }
}

/* The models that the binary has and this host can run. */
static bool
qemuGuestCPUTranslate(virCPUDef *cpu, const qmpCaps *caps, qmpAccel accel, GError **error)
{
    const GPtrArray *models = qmpCapsCpuDefinitions(caps, accel);
    g_autoptr(GArray) choices = g_array_new(FALSE, TRUE, sizeof(virCPUModelChoice));
    virCPUDecodeOptions options = {0};

    for (guint i = 0; models && i < models->len; i++) {
        const qmpCpuDefinition *model = g_ptr_array_index(models, i);
        virCPUModelChoice choice = {.name = model->name,
                                    .blockers = (const char *const *)model->blockers};

        g_array_append_val(choices, choice);
    }
    if (choices->len == 0)
        return true;
    options.choices = (const virCPUModelChoice *)(void *)choices->data;
    options.choiceCount = choices->len;
    return virCPUModelTranslate(cpu, &options, error);
}

/* QEMU itself says that this host can run the model, and nothing is asked for beside it. */
static bool
qemuGuestCPUIsUsable(const virCPUDef *cpu, const qmpCaps *caps, qmpAccel accel)
{
    const qmpCpuDefinition *model = qmpCapsCpuDefinition(caps, accel, cpu->model);

    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++) {
        if (virCPUDefFeatureAt(cpu, i)->policy == VIR_CPU_FEATURE_REQUIRE)
            return false;
    }
    return model && model->usable == VIR_TRISTATE_YES;
}

static bool
qemuGuestCPUFit(virDomainDef *def, const qmpCaps *caps, const virCPUDef *host, GError **error)
{
    virCPUDef *cpu = def->cpu.def;

    if (cpu->check == VIR_CPU_CHECK_PARTIAL && cpu->mode == VIR_CPU_MODE_CUSTOM &&
        !qemuGuestCPUIsUsable(cpu, caps, qemuDomainAccel(def)) &&
        !qemuGuestCPUCompare(cpu, host, error))
        return false;
    if (!virCPUModelUpdate(cpu, host, error) ||
        !qemuGuestCPUTranslate(cpu, caps, qemuDomainAccel(def), error))
        return false;
    cpu->fallback = VIR_CPU_FALLBACK_FORBID;
    return true;
}

/* Whether anything is said of the host's processor at all. */
static bool
qemuGuestCPUAsksHost(const virCPUDef *cpu)
{
    if (cpu->mode == VIR_CPU_MODE_HOST_MODEL || cpu->match == VIR_CPU_MATCH_MINIMUM ||
        cpu->check == VIR_CPU_CHECK_PARTIAL)
        return true;
    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++) {
        if (virCPUDefFeatureAt(cpu, i)->policy == VIR_CPU_FEATURE_OPTIONAL)
            return true;
    }
    return cpu->match == VIR_CPU_MATCH_STRICT;
}

bool
qemuGuestCPUResolve(virDomainDef *def, const qmpCaps *caps, const virCPUDef *host, GError **error)
{
    virCPUDef *cpu = def->cpu.def;
    g_autoptr(virCPUDef) made = NULL;

    if (!cpu || (cpu->mode == VIR_CPU_MODE_CUSTOM && !cpu->model) ||
        cpu->mode == VIR_CPU_MODE_HOST_PASSTHROUGH || cpu->mode == VIR_CPU_MODE_MAXIMUM)
        return true;
    if (!host && qemuGuestCPUAsksHost(cpu) &&
        !qemuGuestCPUIsUsable(cpu, caps, qemuDomainAccel(def))) {
        static const qmpHostModelOptions options = {.migratable = true};

        if (!(made = qmpHostModelMake(caps, qemuDomainAccel(def), &options, error)))
            return false;
        host = made;
    }
    if (host ? !qemuGuestCPUFit(def, caps, host, error)
             : !qemuGuestCPUTranslate(cpu, caps, qemuDomainAccel(def), error))
        return false;
    virCPUDefFilterFeatures(cpu, qemuGuestCPUKeepsFeature, NULL);
    return true;
}
