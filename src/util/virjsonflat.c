/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjsonflat.c: see virjsonflat.h. */
#include "util/virjsonflat.h"

#include <string.h>

#include "util/virerror.h"

enum { VIR_JSON_FLAT_DEPTH_MAX = 64 };

static bool virJSONFlatAddAll(virJSON *target, virJSON *from, int depth, GError **error);

/* The object below target at one name, made if there is none yet. */
static virJSON *
virJSONFlatChild(virJSON *target, const char *name, GError **error)
{
    virJSON *child = virJSONGet(target, name);

    if (!child) {
        child = virJSONObject();
        virJSONAddValue(target, name, child);
    }
    if (json_object_is_type(child, json_type_object))
        return child;
    virErrorSet(error, VIR_ERR_INVALID_ARG, _("cannot nest JSON: '%s' is both a value and a group"),
                name);
    return NULL;
}

static bool
virJSONFlatAddHere(virJSON *target, const char *name, virJSON *value, int depth, GError **error)
{
    if (json_object_object_get_ex(target, name, NULL))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("cannot nest JSON: '%s' is given twice"),
                           name);
    if (!json_object_is_type(value, json_type_object)) {
        json_object_object_add(target, name, json_object_get(value));
        return true;
    }
    return virJSONFlatAddAll(virJSONFlatChild(target, name, error), value, depth, error);
}

static bool
virJSONFlatAdd(virJSON *target, const char *key, virJSON *value, int depth, GError **error)
{
    const char *dot = strchr(key, '.');
    g_autofree char *name = NULL;
    virJSON *child;

    if (depth >= VIR_JSON_FLAT_DEPTH_MAX)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("cannot nest JSON: nested too deeply"));
    if (!dot)
        return virJSONFlatAddHere(target, key, value, depth + 1, error);
    name = g_strndup(key, (gsize)(dot - key));
    child = virJSONFlatChild(target, name, error);
    return child && virJSONFlatAdd(child, dot + 1, value, depth + 1, error);
}

static bool
virJSONFlatAddAll(virJSON *target, virJSON *from, int depth, GError **error)
{
    json_object_object_foreach(from, key, value)
    {
        if (!virJSONFlatAdd(target, key, value, depth, error))
            return false;
    }
    return true;
}

/* The array that an object with the keys 0 to n-1 stands for, or NULL. */
static virJSON *
virJSONFlatArray(virJSON *object)
{
    int count = json_object_object_length(object);
    g_autoptr(virJSON) array = json_object_new_array();

    if (count == 0)
        return NULL;
    for (int i = 0; i < count; i++) {
        char key[16];
        virJSON *item = NULL;

        g_snprintf(key, sizeof(key), "%d", i);
        if (!json_object_object_get_ex(object, key, &item))
            return NULL;
        json_object_array_add(array, json_object_get(item));
    }
    return g_steal_pointer(&array);
}

static void
virJSONFlatMakeArrays(virJSON *object)
{
    json_object_object_foreach(object, key, value)
    {
        virJSON *array;

        if (!json_object_is_type(value, json_type_object))
            continue;
        virJSONFlatMakeArrays(value);
        if ((array = virJSONFlatArray(value)))
            json_object_object_add(object, key, array); /* an existing key keeps its place */
    }
}

virJSON *
virJSONDeflatten(virJSON *object, GError **error)
{
    g_autoptr(virJSON) nested = NULL;

    if (!json_object_is_type(object, json_type_object)) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                    _("cannot nest JSON: only an object has members"));
        return NULL;
    }
    nested = virJSONObject();
    if (!virJSONFlatAddAll(nested, object, 0, error))
        return NULL;
    virJSONFlatMakeArrays(nested);
    return g_steal_pointer(&nested);
}
