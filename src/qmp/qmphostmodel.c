/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmphostmodel.c: properties of QEMU's CPU to features, features to the closest model. Any thread.
 */
#include "qmp/qmphostmodel.h"

#include "util/cpu/vircpudata.h"
#include "util/virerror.h"

typedef struct {
    int64_t family;
    int64_t model;
    int64_t stepping;
} qmpHostSignature;

static void
qmpHostModelAddNumber(qmpHostSignature *signature, const qmpCpuProperty *property)
{
    if (g_str_equal(property->name, "family"))
        signature->family = property->number;
    else if (g_str_equal(property->name, "model"))
        signature->model = property->number;
    else if (g_str_equal(property->name, "stepping"))
        signature->stepping = property->number;
}

static void
qmpHostModelData(const qmpCpuModel *from, bool migratable, virCPUData *data)
{
    qmpHostSignature signature = {0};

    for (guint i = 0; i < from->properties->len; i++) {
        const qmpCpuProperty *property = from->properties->pdata[i];

        if (property->type == QMP_CPU_PROPERTY_NUMBER)
            qmpHostModelAddNumber(&signature, property);
        else if (property->type == QMP_CPU_PROPERTY_STRING && g_str_equal(property->name, "vendor"))
            virCPUDataSetVendor(data, property->string);
        else if (property->boolean && !(migratable && property->migratable == VIR_TRISTATE_NO))
            (void)virCPUDataAddFeature(data, property->name); /* most are no CPU features */
    }
    virCPUDataSetSignature(data, (unsigned)signature.family, (unsigned)signature.model,
                           (unsigned)signature.stepping);
}

/* The models to choose from: all that QEMU has. */
static GArray *
qmpHostModelChoices(const GPtrArray *cpus)
{
    GArray *choices = g_array_new(false, false, sizeof(virCPUModelChoice));

    for (guint i = 0; cpus && i < cpus->len; i++) {
        const qmpCpuDefinition *cpu = cpus->pdata[i];
        virCPUModelChoice choice = {cpu->name, (const char *const *)cpu->blockers};

        g_array_append_val(choices, choice);
    }
    return choices;
}

/* A QEMU that can't tell what it took away from a guest can't be trusted with features of MSRs. */
static void
qmpHostModelDropMsr(virCPUData *data)
{
    virCPUFeatureSet msr = {{0}};

    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        if (virCPUMapFeatures[i].isMSR)
            virCPUFeatureSetAdd(&msr, (int)i);
    }
    data->features = virCPUFeatureSetSubtract(data->features, msr);
}

virCPUDef *
qmpHostModelMake(const qmpCaps *caps, qmpAccel accel, const qmpHostModelOptions *options,
                 GError **error)
{
    const qmpCpuModel *from = qmpCapsHostCpu(caps, accel);
    bool migratable = options && options->migratable;
    g_autoptr(GArray) choices = NULL;
    g_autoptr(virCPUDef) cpu = NULL;
    virCPUDecodeOptions decode = {.migratable = migratable,
                                  .evenWeights = options && options->evenWeights};
    virCPUData data = {0};

    if (!from || !virCPUMapHasArch(qmpCapsArch(caps))) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("the host CPU model is not known to QEMU binary '%s'"),
                    qmpCapsEmulator(caps));
        return NULL;
    }
    qmpHostModelData(from, migratable, &data);
    if (!qmpCapsHas(caps, QMP_CAPS_CPU_UNAVAILABLE_FEATURES))
        qmpHostModelDropMsr(&data);
    if (options && options->known)
        data.features = virCPUFeatureSetIntersect(data.features, *options->known);
    choices = qmpHostModelChoices(qmpCapsCpuDefinitions(caps, accel));
    decode.choices = (const virCPUModelChoice *)choices->data;
    decode.choiceCount = choices->len;
    cpu = virCPUDefNew(VIR_CPU_TYPE_GUEST);
    cpu->mode = VIR_CPU_MODE_CUSTOM;
    cpu->match = VIR_CPU_MATCH_EXACT;
    cpu->fallback = VIR_CPU_FALLBACK_FORBID;
    if (!virCPUDataDecode(&data, cpu, &decode, error))
        return NULL;
    return g_steal_pointer(&cpu);
}
