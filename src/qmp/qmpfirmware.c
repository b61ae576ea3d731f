/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpfirmware.c: descriptors read, ordered and matched. Reads files: in a job. */
#include "qmp/qmpfirmware.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"

enum { QMP_FIRMWARE_FILE_MAX = 1024 * 1024 };

VIR_ENUM_IMPL(qmpFirmwareInterface, QMP_FIRMWARE_INTERFACE_LAST, "bios", "openfirmware", "uboot",
              "uefi");
VIR_ENUM_IMPL(qmpFirmwareDevice, QMP_FIRMWARE_DEVICE_LAST, "flash", "kernel", "memory");

static void
qmpFirmwareTargetFree(qmpFirmwareTarget *target)
{
    g_free(target->arch);
    g_strfreev(target->machines);
    g_free(target);
}

void
qmpFirmwareFree(qmpFirmware *firmware)
{
    if (!firmware)
        return;
    g_free(firmware->path);
    g_free(firmware->image);
    g_free(firmware->imageFormat);
    g_free(firmware->nvram);
    g_free(firmware->nvramFormat);
    g_clear_pointer(&firmware->targets, g_ptr_array_unref);
    g_strfreev(firmware->features);
    g_free(firmware);
}

/* Reading one */

/* A list of strings; NULL if it is missing or holds anything else. */
static char **
qmpFirmwareStrings(virJSON *object, const char *key)
{
    virJSON *array = virJSONGetArray(object, key);
    size_t count = array ? virJSONLength(array) : 0;
    g_auto(GStrv) strings = g_new0(char *, count + 1);

    if (!array)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        virJSON *item = virJSONAt(array, i);

        if (!json_object_is_type(item, json_type_string))
            return NULL;
        strings[i] = g_strdup(json_object_get_string(item));
    }
    return g_steal_pointer(&strings);
}

static bool
qmpFirmwareMissing(GError **error, const char *what)
{
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                       _("firmware descriptor without a usable '%s'"), what);
}

static bool
qmpFirmwareParseInterfaces(qmpFirmware *firmware, virJSON *from, GError **error)
{
    g_auto(GStrv) names = qmpFirmwareStrings(from, "interface-types");

    if (!names || !*names)
        return qmpFirmwareMissing(error, "interface-types");
    for (char **name = names; *name; name++) {
        int interface = qmpFirmwareInterfaceFromString(*name);

        if (interface < 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unknown interface type: '%s'"),
                               *name);
        firmware->interfaces |= 1u << interface;
    }
    return true;
}

static bool
qmpFirmwareParseFlash(qmpFirmware *firmware, virJSON *mapping, GError **error)
{
    virJSON *executable = virJSONGetObject(mapping, "executable");
    virJSON *nvram = virJSONGetObject(mapping, "nvram-template");

    if (!executable || !virJSONGetString(executable, "filename") ||
        !virJSONGetString(executable, "format"))
        return qmpFirmwareMissing(error, "executable");
    firmware->image = g_strdup(virJSONGetString(executable, "filename"));
    firmware->imageFormat = g_strdup(virJSONGetString(executable, "format"));
    if (!nvram)
        return true;
    if (!virJSONGetString(nvram, "filename") || !virJSONGetString(nvram, "format"))
        return qmpFirmwareMissing(error, "nvram-template");
    firmware->nvram = g_strdup(virJSONGetString(nvram, "filename"));
    firmware->nvramFormat = g_strdup(virJSONGetString(nvram, "format"));
    return true;
}

static bool
qmpFirmwareParseMapping(qmpFirmware *firmware, virJSON *from, GError **error)
{
    virJSON *mapping = virJSONGetObject(from, "mapping");
    int device = mapping ? qmpFirmwareDeviceFromString(virJSONGetString(mapping, "device")) : -1;

    if (device < 0)
        return qmpFirmwareMissing(error, "mapping");
    firmware->device = (qmpFirmwareDevice)device;
    if (firmware->device == QMP_FIRMWARE_FLASH)
        return qmpFirmwareParseFlash(firmware, mapping, error);
    firmware->image = g_strdup(virJSONGetString(mapping, "filename"));
    return firmware->image || qmpFirmwareMissing(error, "filename");
}

static bool
qmpFirmwareParseTargets(qmpFirmware *firmware, virJSON *from, GError **error)
{
    virJSON *targets = virJSONGetArray(from, "targets");

    firmware->targets = g_ptr_array_new_with_free_func((GDestroyNotify)qmpFirmwareTargetFree);
    for (size_t i = 0; targets && i < virJSONLength(targets); i++) {
        virJSON *item = virJSONAt(targets, i);
        const char *arch = virJSONGetString(item, "architecture");
        qmpFirmwareTarget *target;
        char **machines = qmpFirmwareStrings(item, "machines");

        if (!arch || !machines) {
            g_strfreev(machines);
            return qmpFirmwareMissing(error, "targets");
        }
        target = g_new0(qmpFirmwareTarget, 1);
        target->arch = g_strdup(g_str_equal(arch, "i386") ? "i686" : arch);
        target->machines = machines;
        g_ptr_array_add(firmware->targets, target);
    }
    return targets || qmpFirmwareMissing(error, "targets");
}

qmpFirmware *
qmpFirmwareParse(const char *text, const char *path, GError **error)
{
    g_autoptr(virJSON) from = virJSONParse(text, -1, error);
    g_autoptr(qmpFirmware) firmware = NULL;

    if (!from)
        return NULL;
    firmware = g_new0(qmpFirmware, 1);
    firmware->path = g_strdup(path);
    if (!qmpFirmwareParseInterfaces(firmware, from, error) ||
        !qmpFirmwareParseMapping(firmware, from, error) ||
        !qmpFirmwareParseTargets(firmware, from, error))
        return NULL;
    if (!(firmware->features = qmpFirmwareStrings(from, "features"))) {
        qmpFirmwareMissing(error, "features");
        return NULL;
    }
    return g_steal_pointer(&firmware);
}

/* Writing one */

static virJSON *
qmpFirmwareFormatStrings(char **strings)
{
    virJSON *array = json_object_new_array();

    for (; *strings; strings++)
        json_object_array_add(array, json_object_new_string(*strings));
    return array;
}

static void
qmpFirmwareFormatFile(virJSON *mapping, const char *key, const char *filename, const char *format)
{
    virJSON *file;

    if (!filename)
        return;
    file = virJSONObject();
    virJSONAddString(file, "filename", filename);
    virJSONAddString(file, "format", format);
    virJSONAddValue(mapping, key, file);
}

static virJSON *
qmpFirmwareFormatMapping(const qmpFirmware *firmware)
{
    virJSON *mapping = virJSONObject();

    virJSONAddString(mapping, "device", qmpFirmwareDeviceToString(firmware->device));
    if (firmware->device == QMP_FIRMWARE_FLASH) {
        qmpFirmwareFormatFile(mapping, "executable", firmware->image, firmware->imageFormat);
        qmpFirmwareFormatFile(mapping, "nvram-template", firmware->nvram, firmware->nvramFormat);
    } else {
        virJSONAddString(mapping, "filename", firmware->image);
    }
    return mapping;
}

static virJSON *
qmpFirmwareFormatTargets(const qmpFirmware *firmware)
{
    virJSON *targets = json_object_new_array();

    for (guint i = 0; i < firmware->targets->len; i++) {
        const qmpFirmwareTarget *target = firmware->targets->pdata[i];
        virJSON *item = virJSONObject();

        virJSONAddString(item, "architecture",
                         g_str_equal(target->arch, "i686") ? "i386" : target->arch);
        virJSONAddValue(item, "machines", qmpFirmwareFormatStrings(target->machines));
        json_object_array_add(targets, item);
    }
    return targets;
}

virJSON *
qmpFirmwareFormat(const qmpFirmware *firmware)
{
    virJSON *to = virJSONObject();
    virJSON *interfaces = json_object_new_array();

    for (int i = 0; i < QMP_FIRMWARE_INTERFACE_LAST; i++) {
        if (qmpFirmwareHasInterface(firmware, (qmpFirmwareInterface)i))
            json_object_array_add(interfaces,
                                  json_object_new_string(qmpFirmwareInterfaceToString(i)));
    }
    virJSONAddValue(to, "interface-types", interfaces);
    virJSONAddValue(to, "mapping", qmpFirmwareFormatMapping(firmware));
    virJSONAddValue(to, "targets", qmpFirmwareFormatTargets(firmware));
    virJSONAddValue(to, "features", qmpFirmwareFormatStrings(firmware->features));
    return to;
}

/* Finding all */

/* The folder's descriptors by name; those of an earlier folder give way. */
static void
qmpFirmwareCollect(GHashTable *paths, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL); /* none is as good as an empty one */
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (*name != '.' && g_str_has_suffix(name, ".json"))
            g_hash_table_replace(paths, g_strdup(name), g_build_filename(folder, name, NULL));
    }
}

static gint
qmpFirmwareCompareNames(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* NULL for one that is there to hide another, or is broken. */
static qmpFirmware *
qmpFirmwareRead(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = virFileRead(path, QMP_FIRMWARE_FILE_MAX, NULL, &error);
    qmpFirmware *firmware;

    if (text && !*text)
        return NULL;
    firmware = text ? qmpFirmwareParse(text, path, &error) : NULL;
    if (!firmware)
        VIR_WARN("firmware descriptor %s is passed over: %s", path, error->message);
    return firmware;
}

GPtrArray *
qmpFirmwareReadAll(const char *root, const char *config)
{
    static const char *const folders[] = {"/usr/share/qemu/firmware", "/etc/qemu/firmware"};
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)qmpFirmwareFree);
    g_autoptr(GList) names = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = g_strconcat(root ? root : "", folders[i], NULL);

        qmpFirmwareCollect(paths, folder);
    }
    if (config) {
        g_autofree char *folder = g_build_filename(config, "qemu", "firmware", NULL);

        qmpFirmwareCollect(paths, folder);
    }
    names = g_list_sort(g_hash_table_get_keys(paths), qmpFirmwareCompareNames);
    for (GList *link = names; link; link = link->next) {
        qmpFirmware *firmware = qmpFirmwareRead(g_hash_table_lookup(paths, link->data));

        if (firmware)
            g_ptr_array_add(all, firmware);
    }
    return all;
}

/* Choosing */

bool
qmpFirmwareFits(const qmpFirmware *firmware, const char *arch, const char *machine)
{
    for (guint i = 0; i < firmware->targets->len; i++) {
        const qmpFirmwareTarget *target = firmware->targets->pdata[i];

        if (!g_str_equal(target->arch, arch))
            continue;
        for (char **pattern = target->machines; *pattern; pattern++) {
            if (g_pattern_match_simple(*pattern, machine))
                return true;
        }
    }
    return false;
}

bool
qmpFirmwareHasInterface(const qmpFirmware *firmware, qmpFirmwareInterface interface)
{
    return firmware->interfaces >> interface & 1;
}

bool
qmpFirmwareHasFeature(const qmpFirmware *firmware, const char *feature)
{
    return g_strv_contains((const char *const *)firmware->features, feature);
}
