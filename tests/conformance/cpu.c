/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.c: the family "cpu": processors decoded, compared, combined, completed.
 *
 * The expected results were made with the CPU map in the data folder, which lacks features that our
 * tables have; what it doesn't know is taken out of the inputs. */
#include <string.h>

#include "families.h"
#include "util/cpu/vircpumodel.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virjson.h"
#include "util/virxml.h"

enum { MAP_MAX = 1024 * 1024 };

/* --- inputs --- */

/* The features of the map in the data folder; read once. */
const virCPUFeatureSet *
conformanceKnownFeatures(const conformanceCase *row)
{
    static virCPUFeatureSet known;
    static bool isRead;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autoptr(xmlDoc) doc = NULL;

    if (isRead)
        return &known;
    path = conformancePath(row, "cpu_map/x86_features.xml");
    if (!(text = virFileRead(path, MAP_MAX, NULL, NULL)) ||
        !(doc = virXMLParse(text, -1, "cpu_map", NULL)))
        return NULL;
    virXMLForEachChildNamed (xmlDocGetRootElement(doc), node, "feature") {
        int number = virCPUMapFindFeature(virXMLAttrPeek(node, "name"));

        if (number >= 0)
            virCPUFeatureSetAdd(&known, number);
    }
    isRead = true;
    return &known;
}

static void
cpuForgetUnknown(const conformanceCase *row, virCPUData *data)
{
    const virCPUFeatureSet *known = conformanceKnownFeatures(row);

    if (known)
        data->features = virCPUFeatureSetIntersect(data->features, *known);
}

static virCPUDef *
cpuInput(const conformanceCase *row, size_t index, GError **error)
{
    g_autofree char *text = conformanceInput(row, index, error);

    return text ? virCPUDefParseText(text, VIR_CPU_TYPE_AUTO, error) : NULL;
}

static bool
cpuInputData(const conformanceCase *row, size_t index, virCPUData *ret, GError **error)
{
    g_autofree char *text = conformanceInput(row, index, error);

    if (!text || !virCPUDataParse(text, ret, error))
        return false;
    cpuForgetUnknown(row, ret);
    return true;
}

/* The "return" of reply number nth of a file of them; borrowed from *replies. */
static virJSON *
cpuReply(const conformanceCase *row, size_t input, size_t nth, virJSON **retReply, GError **error)
{
    g_autofree char *text = conformanceInput(row, input, error);
    g_auto(GStrv) replies = text ? g_strsplit(text, "\n\n", -1) : NULL;

    if (!replies || nth >= g_strv_length(replies)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "no reply %zu", nth);
        return NULL;
    }
    if (!(*retReply = virJSONParse(g_strstrip(replies[nth]), -1, error)))
        return NULL;
    return virJSONGet(*retReply, "return");
}

/* --- models that the hypervisor has --- */

typedef struct {
    virCPUDecodeOptions options;
    GArray *choices; /* of virCPUModelChoice */
    GPtrArray *owned;
} cpuModels;

static void
cpuModelsClear(cpuModels *models)
{
    g_clear_pointer(&models->choices, g_array_unref);
    g_clear_pointer(&models->owned, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(cpuModels, cpuModelsClear)

static void
cpuModelsAdd(cpuModels *models, const char *name, char **blockers)
{
    virCPUModelChoice choice = {g_strdup(name), (const char *const *)blockers};

    if (!models->choices) {
        models->choices = g_array_new(FALSE, FALSE, sizeof(virCPUModelChoice));
        models->owned = g_ptr_array_new_with_free_func(g_free);
    }
    g_ptr_array_add(models->owned, (char *)choice.name);
    g_array_append_val(models->choices, choice);
    models->options.choices = (virCPUModelChoice *)models->choices->data;
    models->options.choiceCount = models->choices->len;
}

static void
cpuModelsFromList(cpuModels *models, const char *list)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);

    for (char **name = names; *name; name++)
        cpuModelsAdd(models, *name, NULL);
}

/* From query-cpu-definitions. */
static void
cpuModelsFromJSON(cpuModels *models, virJSON *definitions)
{
    for (size_t i = 0; i < virJSONLength(definitions); i++) {
        virJSON *definition = virJSONAt(definitions, i);
        virJSON *features = virJSONGetArray(definition, "unavailable-features");
        size_t count = features ? virJSONLength(features) : 0;
        char **blockers = g_new0(char *, count + 1);

        cpuModelsAdd(models, virJSONGetString(definition, "name"), blockers);
        g_ptr_array_add(models->owned, blockers);
        for (size_t j = 0; j < count; j++) {
            blockers[j] = g_strdup(json_object_get_string(virJSONAt(features, j)));
            g_ptr_array_add(models->owned, blockers[j]);
        }
    }
}

static bool
cpuModelsRead(const conformanceCase *row, cpuModels *models, GError **error)
{
    const char *flag = conformanceFlag(row, "models");
    bool isGuest = g_str_equal(row->variant, "cpuid-guest") && row->inputs[1];
    g_autoptr(virJSON) reply = NULL;
    virJSON *definitions;

    models->options.evenWeights = true; /* the data are older than what replaced it */
    if (isGuest || g_strcmp0(flag, "from-json") == 0) {
        if (!(definitions = cpuReply(row, isGuest ? 1 : 0, 1, &reply, error)))
            return false;
        cpuModelsFromJSON(models, definitions);
    } else if (flag && !g_str_equal(flag, "any") && !g_str_equal(flag, "none")) {
        cpuModelsFromList(models, flag);
    }
    return true;
}

/* --- decoding --- */

static char *
cpuSignatureText(const virCPUData *data)
{
    unsigned base = MIN(data->family, 15);
    unsigned raw = (data->family - base) << 20 | (data->model >> 4) << 16 | base << 8 |
                   (data->model & 0xf) << 4 | data->stepping;

    return g_strdup_printf("%06x\nfamily: %5u (0x%02x)\nmodel:  %5u (0x%02x)\n"
                           "stepping: %3u (0x%02x)\n",
                           raw, data->family, data->family, data->model, data->model,
                           data->stepping, data->stepping);
}

static char *
cpuDecode(const virCPUData *data, virCPUType type, const virCPUDecodeOptions *options,
          GError **error)
{
    g_autoptr(virCPUDef) cpu = virCPUDefNew(type);

    if (type == VIR_CPU_TYPE_HOST)
        cpu->arch = g_strdup("x86_64");
    else
        cpu->fallback = VIR_CPU_FALLBACK_FORBID;
    if (!virCPUDataDecode(data, cpu, options, error))
        return NULL;
    return virCPUDefFormatText(cpu);
}

static bool
cpuRunCPUID(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_auto(cpuModels) models = {0};
    virCPUData data;
    virCPUType type =
        g_str_equal(row->variant, "cpuid-host") ? VIR_CPU_TYPE_HOST : VIR_CPU_TYPE_GUEST;
    char *text;

    if (!cpuInputData(row, 0, &data, error) || !cpuModelsRead(row, &models, error))
        return conformanceFail(result, "parse");
    if (g_str_equal(row->variant, "cpuid-signature"))
        return conformanceAdd(result, cpuSignatureText(&data));
    if (!(text = cpuDecode(&data, type, &models.options, error)))
        return conformanceFail(result, "decode");
    return conformanceAdd(result, text);
}

static void
cpuDataFromProps(virCPUData *data, virJSON *props)
{
    int64_t family = 0, model = 0, stepping = 0;

    json_object_object_foreach(props, name, value)
    {
        if (json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value))
            (void)virCPUDataAddFeature(data, name); /* most are no processor features */
    }
    if (virJSONGetString(props, "vendor"))
        virCPUDataSetVendor(data, virJSONGetString(props, "vendor"));
    virJSONGetInt(props, "family", &family);
    virJSONGetInt(props, "model", &model);
    virJSONGetInt(props, "stepping", &stepping);
    virCPUDataSetSignature(data, (unsigned)family, (unsigned)model, (unsigned)stepping);
}

/* host-model from query-cpu-model-expansion. */
static bool
cpuRunJSON(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_auto(cpuModels) models = {0};
    g_autoptr(virJSON) reply = NULL;
    virJSON *expansion = cpuReply(row, 0, 0, &reply, error);
    virCPUData data = {0};
    char *text;

    if (!expansion || !cpuModelsRead(row, &models, error))
        return conformanceFail(result, "parse");
    cpuDataFromProps(&data, virJSONGetObject(virJSONGetObject(expansion, "model"), "props"));
    cpuForgetUnknown(row, &data);
    if (!(text = cpuDecode(&data, VIR_CPU_TYPE_GUEST, &models.options, error)))
        return conformanceFail(result, "decode");
    conformanceAdd(result, text);
    return conformanceAdd(result, cpuSignatureText(&data));
}

/* --- two CPUs --- */

static const char *
cpuResultText(virCPUCompareResult result)
{
    static const char *const names[] = {"error", "incompatible", "identical", "superset"};

    return names[result + 1];
}

static bool
cpuRunCompare(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(virCPUDef) host = cpuInput(row, 0, error);
    g_autoptr(virCPUDef) cpu = host ? cpuInput(row, 1, error) : NULL;
    g_autoptr(GError) why = NULL;

    if (!cpu)
        return conformanceFail(result, "parse");
    return conformanceAdd(result,
                          g_strdup(cpuResultText(virCPUModelCompare(host, cpu, NULL, &why))));
}

static bool
cpuRunHasFeature(const conformanceCase *row, conformanceResult *result, GError **error)
{
    static const char *const answers[] = {"fail", "no", "yes"};
    g_autoptr(virCPUDef) host = cpuInput(row, 0, error);
    g_autoptr(GError) why = NULL;

    if (!host)
        return conformanceFail(result, "parse");
    return conformanceAdd(
        result,
        g_strdup(answers[1 + virCPUModelHasFeature(host, conformanceFlag(row, "feature"), &why)]));
}

static bool
cpuRunUpdate(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(virCPUDef) host = cpuInput(row, 0, error);
    g_autoptr(virCPUDef) guest = host ? cpuInput(row, 1, error) : NULL;
    g_autoptr(virCPUDef) migratable = NULL;
    const char *then = conformanceFlag(row, "then-compare");

    if (!guest)
        return conformanceFail(result, "parse");
    migratable = virCPUModelCopyMigratable(host);
    if (!virCPUModelUpdate(guest, migratable, error))
        return conformanceFail(result, "update");
    if (then && !g_str_equal(then, cpuResultText(virCPUModelCompare(host, guest, NULL, error)))) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "the host is not %s to the result", then);
        return conformanceFail(result, "compare");
    }
    return conformanceAdd(result, virCPUDefFormatText(guest));
}

static bool
cpuRunGuestCPU(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(virCPUDef) host = cpuInput(row, 0, error);
    g_autoptr(virCPUDef) guest = host ? cpuInput(row, 1, error) : NULL;
    g_autoptr(virCPUDef) migratable = NULL;
    g_auto(cpuModels) models = {0};

    if (!guest || !cpuModelsRead(row, &models, error))
        return conformanceFail(result, "parse");
    if (virCPUModelCompare(host, guest, NULL, error) < VIR_CPU_COMPARE_IDENTICAL)
        return conformanceFail(result, "compare");
    migratable = virCPUModelCopyMigratable(host);
    if (!virCPUModelUpdate(guest, migratable, error))
        return conformanceFail(result, "update");
    if (!virCPUModelTranslate(guest, &models.options, error))
        return conformanceFail(result, "translate");
    return conformanceAdd(result, virCPUDefFormatText(guest));
}

/* --- several CPUs --- */

static bool
cpuRunBaseline(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *text = conformanceInput(row, 0, error);
    g_autoptr(xmlDoc) doc = text ? virXMLParse(text, -1, "cpus", error) : NULL;
    g_autoptr(GPtrArray) cpus = g_ptr_array_new_with_free_func((GDestroyNotify)virCPUDefFree);
    virCPUDecodeOptions options = {.evenWeights = true,
                                   .migratable = strstr(row->variant, "migratable") != NULL};
    g_autoptr(virCPUDef) baseline = NULL;

    if (!doc)
        return conformanceFail(result, "parse");
    virXMLForEachChild (xmlDocGetRootElement(doc), node) {
        virCPUDef *cpu = virCPUDefParse(node, VIR_CPU_TYPE_AUTO, error);

        if (!cpu)
            return conformanceFail(result, "parse");
        g_ptr_array_add(cpus, cpu);
    }
    baseline =
        virCPUModelBaseline((virCPUDef *const *)cpus->pdata, cpus->len, &options, NULL, error);
    if (!baseline || (strstr(row->variant, "expanded") && !virCPUModelExpand(baseline, error)))
        return conformanceFail(result, "baseline");
    return conformanceAdd(result, virCPUDefFormatText(baseline));
}

/* --- what QEMU really gave --- */

static bool
cpuIsRequired(const virCPUDef *cpu, const char *name)
{
    const virCPUFeature *feature = virCPUDefFindFeature(cpu, name);

    return feature && feature->policy == VIR_CPU_FEATURE_REQUIRE;
}

/* Both expanded: the same features required, and what is disabled in wanted isn't in got. */
static bool
cpuLiveAlike(const virCPUDef *wanted, const virCPUDef *got)
{
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        const char *name = virCPUMapFeatures[i].name;

        if (cpuIsRequired(wanted, name) != cpuIsRequired(got, name))
            return false;
    }
    return true;
}

/* The rule compares features, not texts: a CPU that is alike gives the expected text. */
static bool
cpuRunUpdateLive(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *path = conformancePath(row, row->expected);
    g_autofree char *expected = virFileRead(path, MAP_MAX, NULL, error);
    g_autoptr(virCPUDef) wanted =
        expected ? virCPUDefParseText(expected, VIR_CPU_TYPE_GUEST, error) : NULL;
    g_autoptr(virCPUDef) guest = wanted ? cpuInput(row, 0, error) : NULL;
    virCPUData enabled, disabled;

    if (!guest || !cpuInputData(row, 1, &enabled, error) || !cpuInputData(row, 2, &disabled, error))
        return conformanceFail(result, "parse");
    if (!virCPUModelUpdateLive(guest, &enabled, &disabled, error) ||
        !virCPUModelExpand(guest, error) || !virCPUModelExpand(wanted, error))
        return conformanceFail(result, "update");
    if (cpuLiveAlike(wanted, guest))
        return conformanceAdd(result, g_steal_pointer(&expected));
    return conformanceAdd(result, virCPUDefFormatText(guest));
}

bool
conformanceCpu(const conformanceCase *row, conformanceResult *result, GError **error)
{
    static const struct {
        const char *variant; /* or what it begins with */
        bool (*run)(const conformanceCase *row, conformanceResult *result, GError **error);
    } runs[] = {
        {"cpuid-", cpuRunCPUID},          {"json", cpuRunJSON},
        {"compare", cpuRunCompare},       {"hasfeature", cpuRunHasFeature},
        {"updatelive", cpuRunUpdateLive}, {"update", cpuRunUpdate},
        {"guestcpu", cpuRunGuestCPU},     {"baseline", cpuRunBaseline},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        if (g_str_has_prefix(row->variant, runs[i].variant))
            return runs[i].run(row, result, error);
    }
    return virErrorSet(error, VIR_ERR_NO_SUPPORT, "no such variant: %s", row->variant);
}
