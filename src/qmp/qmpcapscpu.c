/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapscpu.c: CPU models as QEMU tells them. Waits for answers; no lock is held. */
#include "qmp/qmpcapscpu.h"

static char **
qmpCpuBlockers(virJSON *features)
{
    size_t count = virJSONLength(features);
    char **blockers;

    if (count == 0)
        return NULL;
    blockers = g_new0(char *, count + 1);
    for (size_t i = 0, out = 0; i < count; i++) {
        virJSON *feature = virJSONAt(features, i);

        if (json_object_is_type(feature, json_type_string))
            blockers[out++] = g_strdup(json_object_get_string(feature));
    }
    return blockers;
}

GPtrArray *
qmpCpuDefinitionsFromJSON(virJSON *answer)
{
    GPtrArray *cpus = g_ptr_array_new_with_free_func((GDestroyNotify)qmpCpuDefinitionFree);

    for (size_t i = 0; i < virJSONLength(answer); i++) {
        virJSON *from = virJSONAt(answer, i);
        virJSON *unavailable = virJSONGetArray(from, "unavailable-features");
        qmpCpuDefinition *cpu;

        if (!virJSONGetString(from, "name"))
            continue;
        cpu = qmpCpuDefinitionNew(virJSONGetString(from, "name"));
        cpu->typeName = g_strdup(virJSONGetString(from, "typename"));
        cpu->deprecated = virJSONGetBool(from, "deprecated", false);
        if (unavailable) {
            cpu->blockers = qmpCpuBlockers(unavailable);
            cpu->usable = virTristateFromBool(!cpu->blockers);
        }
        g_ptr_array_add(cpus, cpu);
    }
    return cpus;
}

/* What "type" and "model" of query-cpu-model-expansion are to be. */
static virJSON *
qmpCpuExpansionArguments(const char *type, const char *name, virJSON *props)
{
    virJSON *arguments = virJSONObject();
    virJSON *model = virJSONObject();

    virJSONAddString(arguments, "type", type);
    virJSONAddString(model, "name", name);
    if (props)
        virJSONAddValue(model, "props", json_object_get(props));
    virJSONAddValue(arguments, "model", model);
    return arguments;
}

/* The "model" of the answer, or NULL in *ret if QEMU refuses. */
static bool
qmpCpuExpand(qmpTransport *transport, const char *type, const char *name, virJSON *props,
             virJSON **ret, GError **error)
{
    g_autoptr(virJSON) arguments = qmpCpuExpansionArguments(type, name, props);
    g_autoptr(virJSON) answer = NULL;
    qmpErrorClass class = QMP_ERROR_NONE;
    virJSON *model;

    if (!transport->call(transport, "query-cpu-model-expansion", arguments, &answer, &class, error))
        return false;
    model = virJSONGetObject(answer, "model");
    if (model && virJSONGetString(model, "name") && virJSONGetObject(model, "props"))
        *ret = json_object_get(model);
    return true;
}

/* Static expansion; a QEMU without canonical feature names has its answer expanded once more, in
 * full, since the aliases are only then in it. */
static bool
qmpCpuExpandHost(qmpTransport *transport, const qmpCaps *caps, const char *name, bool migratable,
                 virJSON **ret, GError **error)
{
    g_autoptr(virJSON) props = NULL;
    g_autoptr(virJSON) model = NULL;

    if (!migratable) {
        props = virJSONObject();
        virJSONAddBool(props, "migratable", false);
    }
    if (!qmpCpuExpand(transport, "static", name, props, &model, error))
        return false;
    if (!model || qmpCapsHas(caps, QMP_CAPS_CANONICAL_CPU_FEATURES)) {
        *ret = g_steal_pointer(&model);
        return true;
    }
    return qmpCpuExpand(transport, "full", virJSONGetString(model, "name"),
                        virJSONGetObject(model, "props"), ret, error);
}

static qmpCpuProperty *
qmpCpuPropertyFromJSON(const char *name, virJSON *value)
{
    qmpCpuProperty *property = NULL;

    switch (json_object_get_type(value)) {
    case json_type_boolean:
        property = qmpCpuPropertyNew(name, QMP_CPU_PROPERTY_BOOLEAN);
        property->boolean = json_object_get_boolean(value);
        break;
    case json_type_string:
        property = qmpCpuPropertyNew(name, QMP_CPU_PROPERTY_STRING);
        property->string = g_strdup(json_object_get_string(value));
        break;
    case json_type_int:
        property = qmpCpuPropertyNew(name, QMP_CPU_PROPERTY_NUMBER);
        property->number = json_object_get_int64(value);
        break;
    default: /* QEMU has no others; a new kind is no property that we could use */
        break;
    }
    return property;
}

/* Properties of whole, marked by whether they are still on in migratable. */
static qmpCpuModel *
qmpCpuModelFromJSON(virJSON *migratable, virJSON *whole)
{
    virJSON *from = virJSONGetObject(migratable, "props");
    virJSON *wholeProps = whole ? virJSONGetObject(whole, "props") : NULL;
    qmpCpuModel *model = qmpCpuModelNew(virJSONGetString(migratable, "name"));

    model->migratability = wholeProps != NULL;
    json_object_object_foreach(from, name, value)
    {
        qmpCpuProperty *property = qmpCpuPropertyFromJSON(name, value);

        if (!property)
            continue;
        if (property->type == QMP_CPU_PROPERTY_BOOLEAN && wholeProps &&
            virJSONGetBool(wholeProps, name, false)) {
            property->migratable = virTristateFromBool(property->boolean);
            property->boolean = true;
        }
        g_ptr_array_add(model->properties, property);
    }
    return model;
}

static const char *
qmpCpuHostName(qmpAccel accel)
{
    return accel == QMP_ACCEL_KVM ? "host" : "max";
}

bool
qmpCpuModelProbe(qmpTransport *transport, const qmpCaps *caps, qmpAccel accel, qmpCpuModel **ret,
                 GError **error)
{
    const char *name = qmpCpuHostName(accel);
    g_autoptr(virJSON) migratable = NULL;
    g_autoptr(virJSON) whole = NULL;

    if (!qmpCapsHas(caps, QMP_CAPS_QUERY_CPU_MODEL_EXPANSION))
        return true;
    if (!qmpCpuExpandHost(transport, caps, name, true, &migratable, error))
        return false;
    if (!migratable)
        return true;
    if (qmpCapsHas(caps, QMP_CAPS_QUERY_CPU_MODEL_EXPANSION_MIGRATABLE) &&
        !qmpCpuExpandHost(transport, caps, name, false, &whole, error))
        return false;
    *ret = qmpCpuModelFromJSON(migratable, whole);
    return true;
}

/* Enlightenments as documents call them, and QEMU's CPU property. */
static const struct {
    const char *value;
    const char *property;
} enlightenments[] = {
    {"relaxed", "hv-relaxed"},
    {"vapic", "hv-vapic"},
    {"spinlocks", "hv-spinlocks"},
    {"vpindex", "hv-vpindex"},
    {"runtime", "hv-runtime"},
    {"synic", "hv-synic"},
    {"stimer", "hv-stimer"},
    {"reset", "hv-reset"},
    {"vendor_id", "hv-vendor-id"},
    {"frequencies", "hv-frequencies"},
    {"reenlightenment", "hv-reenlightenment"},
    {"tlbflush", "hv-tlbflush"},
    {"ipi", "hv-ipi"},
    {"evmcs", "hv-evmcs"},
    {"avic", "hv-avic"},
};

/* A switch counts if hv-passthrough turns it on; what takes a value counts by being there. */
static char **
qmpCpuHypervFromJSON(virJSON *props)
{
    char **names = g_new0(char *, G_N_ELEMENTS(enlightenments) + 1);

    for (size_t i = 0, out = 0; i < G_N_ELEMENTS(enlightenments); i++) {
        virJSON *value = virJSONGet(props, enlightenments[i].property);

        if (value &&
            (!json_object_is_type(value, json_type_boolean) || json_object_get_boolean(value)))
            names[out++] = g_strdup(enlightenments[i].value);
    }
    return names;
}

bool
qmpCpuHypervProbe(qmpTransport *transport, const qmpCaps *caps, qmpAccel accel, char ***ret,
                  GError **error)
{
    g_autoptr(virJSON) props = NULL;
    g_autoptr(virJSON) model = NULL;

    if (caps->version < 7000000 || !qmpCapsHas(caps, QMP_CAPS_QUERY_CPU_MODEL_EXPANSION))
        return true;
    props = virJSONObject();
    virJSONAddBool(props, "hv-passthrough", true);
    if (!qmpCpuExpand(transport, "full", qmpCpuHostName(accel), props, &model, error))
        return false;
    if (model)
        *ret = qmpCpuHypervFromJSON(virJSONGetObject(model, "props"));
    return true;
}
