/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsprobe.c: the questions, in the order a recorded talk has them, and what follows from the
 * answers together. Which name means which flag is in qmpcapstables.c. */
#include "qmp/qmpcapsprobe.h"

#include <string.h>

#include "qmp/qmpcapscpu.h"
#include "qmp/qmpcapspriv.h"
#include "qmp/qmpcapstables.h"
#include "qmp/qmpschema.h"
#include "util/virerror.h"

enum { QMP_OLDEST = 2011000 }; /* as qmpCapsVersion */

typedef struct {
    qmpTransport *transport;
    qmpCaps *caps;
} qmpProbe;

/* Asks what may be refused: *ret is NULL then. */
static bool
qmpProbeTry(const qmpProbe *probe, const char *command, virJSON *arguments, virJSON **ret,
            GError **error)
{
    qmpErrorClass class = QMP_ERROR_NONE;

    return probe->transport->call(probe->transport, command, arguments, ret, &class, error);
}

/* Asks what every QEMU answers, with a value of this type. */
static virJSON *
qmpProbeAsk(const qmpProbe *probe, const char *command, json_type type, GError **error)
{
    g_autoptr(virJSON) value = NULL;

    if (!qmpProbeTry(probe, command, NULL, &value, error))
        return NULL;
    if (!value || !json_object_is_type(value, type)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%s gives no usable answer to '%s'"),
                    probe->caps->emulator, command);
        return NULL;
    }
    return g_steal_pointer(&value);
}

/* The properties of a type, or NULL in *ret if QEMU has no such type. */
static bool
qmpProbeProperties(const qmpProbe *probe, const char *command, const char *typeName, virJSON **ret,
                   GError **error)
{
    g_autoptr(virJSON) arguments = virJSONObject();

    virJSONAddString(arguments, "typename", typeName);
    return qmpProbeTry(probe, command, arguments, ret, error);
}

/* The item called name of a list of objects, or of a list of strings. */
static bool
qmpProbeListHas(virJSON *list, const char *name, virJSON **retItem)
{
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *item = virJSONAt(list, i);
        const char *own = json_object_is_type(item, json_type_string)
                              ? json_object_get_string(item)
                              : virJSONGetString(item, "name");

        if (g_strcmp0(own, name) == 0) {
            if (retItem)
                *retItem = item;
            return true;
        }
    }
    return false;
}

static bool
qmpProbeIsOffByDefault(virJSON *property)
{
    virJSON *value = virJSONGet(property, "default-value");

    return value && json_object_is_type(value, json_type_boolean) &&
           !json_object_get_boolean(value);
}

static void
qmpProbeSetFromList(qmpCaps *caps, virJSON *list, const qmpCapsRow *rows)
{
    for (const qmpCapsRow *row = rows; row->name; row++) {
        virJSON *item = NULL;

        if (qmpProbeListHas(list, row->name, &item) &&
            (!row->defaultOff || qmpProbeIsOffByDefault(item)))
            qmpCapsSetFlag(caps, row->flag);
    }
}

/* The same for a list of thousands. */
static void
qmpProbeSetFromLongList(qmpCaps *caps, virJSON *list, const qmpCapsRow *rows)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (size_t i = 0; i < virJSONLength(list); i++) {
        const char *name = virJSONGetString(virJSONAt(list, i), "name");

        if (name)
            g_hash_table_add(names, (char *)name);
    }
    for (const qmpCapsRow *row = rows; row->name; row++) {
        if (g_hash_table_contains(names, row->name))
            qmpCapsSetFlag(caps, row->flag);
    }
}

static bool
qmpProbeVersion(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer = qmpProbeAsk(probe, "query-version", json_type_object, error);
    virJSON *version;
    int64_t major = 0, minor = 0, micro = 0;

    if (!answer)
        return false;
    version = virJSONGetObject(answer, "qemu");
    if (!version || !virJSONGetInt(version, "major", &major) ||
        !virJSONGetInt(version, "minor", &minor) || !virJSONGetInt(version, "micro", &micro) ||
        major < 0 || major > 999 || minor < 0 || minor > 999 || micro < 0 || micro > 999)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%s tells no version"),
                           probe->caps->emulator);
    probe->caps->version = (unsigned)(major * 1000000 + minor * 1000 + micro);
    probe->caps->package = g_strdup(virJSONGetString(answer, "package"));
    if (probe->caps->version < QMP_OLDEST)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("QEMU version >= %d.%d.%d is required, but %d.%d.%d found"), 2, 11, 0,
                           (int)major, (int)minor, (int)micro);
    return true;
}

static bool
qmpCapsIsX86(const qmpCaps *caps)
{
    return g_str_equal(caps->arch, "x86_64") || g_str_equal(caps->arch, "i686");
}

static bool
qmpProbeTarget(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer = qmpProbeAsk(probe, "query-target", json_type_object, error);
    qmpCaps *caps = probe->caps;
    const char *arch;

    if (!answer)
        return false;
    if (!(arch = virJSONGetString(answer, "arch")))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%s tells no target"), caps->emulator);
    g_free(caps->arch);
    caps->arch = g_strdup(g_str_equal(arch, "i386") ? "i686" : arch);
    if (qmpCapsIsX86(caps) || g_str_equal(caps->arch, "aarch64"))
        qmpCapsSetFlag(caps, QMP_CAPS_NO_ACPI);
    if (qmpCapsIsX86(caps))
        qmpCapsSetFlag(caps, QMP_CAPS_NO_HPET);
    return true;
}

static bool
qmpProbeSchema(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer = qmpProbeAsk(probe, "query-qmp-schema", json_type_array, error);
    g_autoptr(qmpSchema) schema = NULL;

    if (!answer)
        return false;
    schema = qmpSchemaNew(answer);
    for (const qmpCapsRow *row = qmpCapsSchemaRows; row->name; row++) {
        if (qmpSchemaHas(schema, row->name))
            qmpCapsSetFlag(probe->caps, row->flag);
    }
    return true;
}

static bool
qmpProbeKvm(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer = qmpProbeAsk(probe, "query-kvm", json_type_object, error);

    if (!answer)
        return false;
    if (virJSONGetBool(answer, "present", false) && virJSONGetBool(answer, "enabled", false))
        qmpCapsSetFlag(probe->caps, QMP_CAPS_KVM);
    return true;
}

/* A list that sets flags by its items' names. */
static bool
qmpProbeList(const qmpProbe *probe, const char *command, const qmpCapsRow *rows, GError **error)
{
    g_autoptr(virJSON) answer = qmpProbeAsk(probe, command, json_type_array, error);

    if (!answer)
        return false;
    qmpProbeSetFromLongList(probe->caps, answer, rows);
    return true;
}

static bool
qmpProbeTypeProperties(const qmpProbe *probe, const char *command,
                       const qmpCapsTypeProperties *types, GError **error)
{
    for (const qmpCapsTypeProperties *type = types; type->typeName; type++) {
        g_autoptr(virJSON) answer = NULL;

        if (type->needs != QMP_CAPS_LAST && !qmpCapsHas(probe->caps, type->needs))
            continue;
        if (!qmpProbeProperties(probe, command, type->typeName, &answer, error))
            return false;
        qmpProbeSetFromList(probe->caps, answer, type->rows);
    }
    return true;
}

static bool
qmpProbeObjects(const qmpProbe *probe, const qmpCapsTypeProperties *types, GError **error)
{
    return !qmpCapsHas(probe->caps, QMP_CAPS_QOM_LIST_PROPERTIES) ||
           qmpProbeTypeProperties(probe, "qom-list-properties", types, error);
}

static qmpMachine *
qmpProbeMachine(virJSON *from)
{
    qmpMachine *machine = qmpMachineNew(virJSONGetString(from, "name"));
    int64_t maxCpus = 0;

    machine->alias = g_strdup(virJSONGetString(from, "alias"));
    machine->defaultCpu = g_strdup(virJSONGetString(from, "default-cpu-type"));
    machine->defaultRamId = g_strdup(virJSONGetString(from, "default-ram-id"));
    machine->hotplugCpus = virJSONGetBool(from, "hotpluggable-cpus", false);
    machine->isDefault = virJSONGetBool(from, "is-default", false);
    /* told since 4.1; until then every machine could */
    machine->numaMemSupported = virJSONGetBool(from, "numa-mem-supported", true);
    machine->deprecated = virJSONGetBool(from, "deprecated", false);
    if (virJSONGetInt(from, "cpu-max", &maxCpus))
        machine->maxCpus = (unsigned)CLAMP(maxCpus, 0, 1 << 20);
    return machine;
}

static bool
qmpProbeMachines(const qmpProbe *probe, qmpAccel accel, GError **error)
{
    g_autoptr(virJSON) answer = qmpProbeAsk(probe, "query-machines", json_type_array, error);
    GPtrArray *machines = probe->caps->accel[accel].machines;

    if (!answer)
        return false;
    g_ptr_array_set_size(machines, 0);
    for (size_t i = 0; i < virJSONLength(answer); i++) {
        qmpMachine *machine;

        if (!virJSONGetString(virJSONAt(answer, i), "name") ||
            g_str_equal(virJSONGetString(virJSONAt(answer, i), "name"), "none"))
            continue;
        machine = qmpProbeMachine(virJSONAt(answer, i));
        g_ptr_array_insert(machines, machine->isDefault ? 0 : -1, machine);
    }
    return true;
}

static bool
qmpProbeCpus(const qmpProbe *probe, qmpAccel accel, GError **error)
{
    qmpCaps *caps = probe->caps;
    g_autoptr(virJSON) answer = NULL;

    if (!qmpCapsHas(caps, QMP_CAPS_QUERY_CPU_DEFINITIONS))
        return true;
    if (!(answer = qmpProbeAsk(probe, "query-cpu-definitions", json_type_array, error)))
        return false;
    g_clear_pointer(&caps->accel[accel].cpus, g_ptr_array_unref);
    caps->accel[accel].cpus = qmpCpuDefinitionsFromJSON(answer);
    if (qmpCapsCpuDefinition(caps, accel, "max"))
        qmpCapsSetFlag(caps, QMP_CAPS_CPU_MAX);
    return true;
}

static bool
qmpProbeTpm(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) models = NULL;
    g_autoptr(virJSON) types = NULL;

    if (!qmpProbeTry(probe, "query-tpm-models", NULL, &models, error) ||
        !qmpProbeTry(probe, "query-tpm-types", NULL, &types, error))
        return false;
    qmpProbeSetFromList(probe->caps, models, qmpCapsTpmModelRows);
    qmpProbeSetFromList(probe->caps, types, qmpCapsTpmTypeRows);
    return true;
}

static bool
qmpProbeOptionHas(virJSON *options, const char *name)
{
    const char *slash = strchr(name, '/');
    size_t len = slash ? (size_t)(slash - name) : strlen(name);

    for (size_t i = 0; i < virJSONLength(options); i++) {
        virJSON *option = virJSONAt(options, i);
        const char *own = virJSONGetString(option, "option");

        if (own && strlen(own) == len && strncmp(own, name, len) == 0)
            return !slash ||
                   qmpProbeListHas(virJSONGetArray(option, "parameters"), slash + 1, NULL);
    }
    return false;
}

static bool
qmpProbeOptions(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer =
        qmpProbeAsk(probe, "query-command-line-options", json_type_array, error);

    if (!answer)
        return false;
    for (const qmpCapsRow *row = qmpCapsOptionRows; row->name; row++) {
        if (qmpProbeOptionHas(answer, row->name))
            qmpCapsSetFlag(probe->caps, row->flag);
    }
    return true;
}

static bool
qmpProbeMigration(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer =
        qmpProbeAsk(probe, "query-migrate-capabilities", json_type_array, error);

    if (!answer)
        return false;
    for (size_t i = 0; i < virJSONLength(answer); i++) {
        const char *name = virJSONGetString(virJSONAt(answer, i), "capability");

        for (const qmpCapsRow *row = qmpCapsMigrationRows; row->name; row++) {
            if (g_strcmp0(name, row->name) == 0)
                qmpCapsSetFlag(probe->caps, row->flag);
        }
    }
    return true;
}

/* A QEMU with the object type may still run on a host without the hardware. */
static bool
qmpProbeSev(const qmpProbe *probe, GError **error)
{
    g_autoptr(virJSON) answer = NULL;
    g_autoptr(qmpSevInfo) sev = NULL;
    int64_t cbitpos, reducedPhysBits;

    if (!qmpCapsHas(probe->caps, QMP_CAPS_SEV_GUEST))
        return true;
    if (!qmpProbeTry(probe, "query-sev-capabilities", NULL, &answer, error))
        return false;
    if (!virJSONGetInt(answer, "cbitpos", &cbitpos) ||
        !virJSONGetInt(answer, "reduced-phys-bits", &reducedPhysBits)) {
        qmpCapsClearFlag(probe->caps, QMP_CAPS_SEV_GUEST);
        return true;
    }
    sev = g_new0(qmpSevInfo, 1);
    sev->cbitpos = (unsigned)cbitpos;
    sev->reducedPhysBits = (unsigned)reducedPhysBits;
    sev->pdh = g_strdup(virJSONGetString(answer, "pdh"));
    sev->certChain = g_strdup(virJSONGetString(answer, "cert-chain"));
    sev->cpu0Id = g_strdup(virJSONGetString(answer, "cpu0-id"));
    probe->caps->sev = g_steal_pointer(&sev);
    return true;
}

/* What follows from flags that are known. */
static void
qmpProbeConclude(qmpCaps *caps)
{
    if (caps->version < 5002000)
        qmpCapsSetFlag(caps, QMP_CAPS_ENABLE_FIPS);
    /* before QEMU could tell its displays it was nearly always built with these */
    if (!qmpCapsHas(caps, QMP_CAPS_QUERY_DISPLAY_OPTIONS)) {
        qmpCapsSetFlag(caps, QMP_CAPS_SDL);
        qmpCapsSetFlag(caps, QMP_CAPS_EGL_HEADLESS);
    }
    if (qmpCapsIsX86(caps) && qmpCapsHas(caps, QMP_CAPS_QUERY_CPU_MODEL_EXPANSION)) {
        qmpCapsSetFlag(caps, QMP_CAPS_CPU_CACHE);
        /* until 2.12 the property was taken, but not listed */
        if (qmpCapsHas(caps, QMP_CAPS_CPU_MIGRATABLE) || caps->version < 2012000)
            qmpCapsSetFlag(caps, QMP_CAPS_QUERY_CPU_MODEL_EXPANSION_MIGRATABLE);
    }
    if (qmpCapsHas(caps, QMP_CAPS_CPU_UNAVAILABLE_FEATURES))
        qmpCapsSetFlag(caps, QMP_CAPS_CANONICAL_CPU_FEATURES);
    /* all that a guest without -drive needs */
    if (qmpCapsHasAll(caps, QMP_CAPS_BLOCKDEV_FILE_DYNAMIC_AUTO_READ_ONLY,
                      QMP_CAPS_SCSI_DISK_DEVICE_ID, QMP_CAPS_SAVEVM_MONITOR_NODES, QMP_CAPS_LAST)) {
        qmpCapsSetFlag(caps, QMP_CAPS_BLOCKDEV);
        qmpCapsSetFlag(caps, QMP_CAPS_BLOCKDEV_HOSTDEV_SCSI);
    } else {
        qmpCapsClearFlag(caps, QMP_CAPS_BLOCKDEV_BACKUP);
    }
    if (qmpCapsHasAll(caps, QMP_CAPS_BLOCKDEV_BACKUP, QMP_CAPS_BLOCKDEV_REOPEN,
                      QMP_CAPS_MIGRATION_PARAM_BLOCK_BITMAP_MAPPING, QMP_CAPS_LAST))
        qmpCapsSetFlag(caps, QMP_CAPS_INCREMENTAL_BACKUP);
    /* error policies move to the device for all kinds of disks at once */
    if (qmpCapsHas(caps, QMP_CAPS_USB_STORAGE) && !qmpCapsHas(caps, QMP_CAPS_USB_STORAGE_WERROR))
        qmpCapsClearFlag(caps, QMP_CAPS_STORAGE_WERROR);
    /* a guest device that JSON made on the command line could not be unplugged before (QEMU 6.2) */
    if (caps->version >= 6002000 && !qmpCapsHas(caps, QMP_CAPS_DEVICE_JSON_HOTPLUG))
        qmpCapsClearFlag(caps, QMP_CAPS_DEVICE_JSON);
    /* -compat is listed nowhere; the same release brought both */
    if (qmpCapsHas(caps, QMP_CAPS_OBJECT_QAPIFIED))
        qmpCapsSetFlag(caps, QMP_CAPS_COMPAT_DEPRECATED);
}

/* All that is asked of any QEMU before the answers decide what to ask. */
static bool
qmpProbeAnnounce(const qmpProbe *probe, GError **error)
{
    static const char *const first[] = {"query-version",  "query-target", "query-qmp-schema",
                                        "query-commands", "query-kvm",    "qom-list-types"};
    g_autoptr(GArray) questions = g_array_new(false, false, sizeof(qmpQuestion));

    if (!probe->transport->announce)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(first); i++)
        g_array_append_val(questions, ((qmpQuestion){first[i], NULL}));
    for (const qmpCapsTypeProperties *type = qmpCapsDeviceProperties; type->typeName; type++) {
        if (type->needs == QMP_CAPS_LAST)
            g_array_append_val(questions,
                               ((qmpQuestion){"device-list-properties", type->typeName}));
    }
    return probe->transport->announce(probe->transport, (const qmpQuestion *)questions->data,
                                      questions->len, error);
}

qmpCaps *
qmpCapsProbe(qmpTransport *transport, const char *emulator, GError **error)
{
    g_autoptr(qmpCaps) caps = qmpCapsNew(emulator, "");
    qmpProbe probe = {transport, caps};
    qmpAccel accel;

    if (!qmpProbeAnnounce(&probe, error) || !qmpProbeVersion(&probe, error) ||
        !qmpProbeTarget(&probe, error) || !qmpProbeSchema(&probe, error) ||
        !qmpProbeList(&probe, "query-commands", qmpCapsCommandRows, error) ||
        !qmpProbeKvm(&probe, error) ||
        !qmpProbeList(&probe, "qom-list-types", qmpCapsTypeRows, error) ||
        !qmpProbeTypeProperties(&probe, "device-list-properties", qmpCapsDeviceProperties, error) ||
        !qmpProbeObjects(&probe, qmpCapsObjectProperties, error))
        return NULL;
    accel = qmpCapsDefaultAccel(caps);
    if (!qmpProbeMachines(&probe, accel, error) ||
        !qmpProbeObjects(&probe, qmpCapsMachineProperties, error) ||
        !qmpProbeCpus(&probe, accel, error) || !qmpProbeTpm(&probe, error) ||
        !qmpProbeOptions(&probe, error) || !qmpProbeMigration(&probe, error) ||
        !qmpProbeSev(&probe, error))
        return NULL;
    qmpProbeConclude(caps);
    if (!qmpCpuModelProbe(transport, caps, accel, &caps->accel[accel].hostCpu, error) ||
        !qmpCpuHypervProbe(transport, caps, accel, &caps->hyperv, error))
        return NULL;
    return g_steal_pointer(&caps);
}

bool
qmpCapsProbeNeedsTcg(const qmpCaps *caps)
{
    return qmpCapsHas(caps, QMP_CAPS_KVM) && qmpCapsHas(caps, QMP_CAPS_TCG);
}

bool
qmpCapsProbeTcg(qmpCaps *caps, qmpTransport *transport, GError **error)
{
    qmpProbe probe = {transport, caps};

    return qmpProbeCpus(&probe, QMP_ACCEL_TCG, error) &&
           qmpCpuModelProbe(transport, caps, QMP_ACCEL_TCG, &caps->accel[QMP_ACCEL_TCG].hostCpu,
                            error) &&
           qmpProbeMachines(&probe, QMP_ACCEL_TCG, error);
}
