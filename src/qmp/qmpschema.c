/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpschema.c: an index by name over the schema, and the walk along a path. Any thread. */
#include "qmp/qmpschema.h"

#include <string.h>

enum { QMP_SCHEMA_ARRAYS_MAX = 8 }; /* an array of arrays of ...; QEMU has one level */

struct qmpSchema {
    virJSON *reply;
    GHashTable *types; /* name -> entry of reply, both borrowed from it */
};

qmpSchema *
qmpSchemaNew(virJSON *reply)
{
    qmpSchema *schema = g_new0(qmpSchema, 1);

    schema->reply = json_object_get(reply);
    schema->types = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < virJSONLength(reply); i++) {
        virJSON *entry = virJSONAt(reply, i);
        const char *name = virJSONGetString(entry, "name");

        if (name)
            g_hash_table_insert(schema->types, (char *)name, entry);
    }
    return schema;
}

void
qmpSchemaFree(qmpSchema *schema)
{
    if (!schema)
        return;
    g_hash_table_unref(schema->types);
    virJSONUnref(schema->reply);
    g_free(schema);
}

static virJSON *
qmpSchemaType(const qmpSchema *schema, const char *name)
{
    return name ? g_hash_table_lookup(schema->types, name) : NULL;
}

static bool
qmpSchemaIs(virJSON *entry, const char *metaType)
{
    return g_strcmp0(virJSONGetString(entry, "meta-type"), metaType) == 0;
}

static bool
qmpSchemaListHas(virJSON *list, const char *value)
{
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *item = virJSONAt(list, i);

        if (json_object_is_type(item, json_type_string) &&
            g_str_equal(json_object_get_string(item), value))
            return true;
    }
    return false;
}

/* The item of a list of objects whose member key has this value. */
static virJSON *
qmpSchemaListFind(virJSON *list, const char *key, const char *value)
{
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *item = virJSONAt(list, i);

        if (g_strcmp0(virJSONGetString(item, key), value) == 0)
            return item;
    }
    return NULL;
}

static virJSON *
qmpSchemaMember(const qmpSchema *schema, virJSON *object, const char *name, bool optional)
{
    virJSON *member = qmpSchemaListFind(virJSONGetArray(object, "members"), "name", name);

    if (!member || (optional && !json_object_object_get_ex(member, "default", NULL)))
        return NULL;
    return qmpSchemaType(schema, virJSONGetString(member, "type"));
}

static virJSON *
qmpSchemaVariant(const qmpSchema *schema, virJSON *object, const char *name)
{
    virJSON *variant = qmpSchemaListFind(virJSONGetArray(object, "variants"), "case", name);

    return variant ? qmpSchemaType(schema, virJSONGetString(variant, "type")) : NULL;
}

/* What the step leads to from entry, or NULL. */
static virJSON *
qmpSchemaStep(const qmpSchema *schema, virJSON *entry, const char *step)
{
    switch (*step) {
    case '^':
        return qmpSchemaListHas(virJSONGetArray(entry, "values"), step + 1) ? entry : NULL;
    case '$':
        return qmpSchemaListHas(virJSONGetArray(entry, "features"), step + 1) ? entry : NULL;
    case '!':
        return g_strcmp0(virJSONGetString(entry, "json-type"), step + 1) == 0 ? entry : NULL;
    case '+':
        return qmpSchemaVariant(schema, entry, step + 1);
    case '*':
        return qmpSchemaMember(schema, entry, step + 1, true);
    default:
        if (qmpSchemaIs(entry, "command") || qmpSchemaIs(entry, "event"))
            return qmpSchemaType(schema, virJSONGetString(entry, step));
        return qmpSchemaMember(schema, entry, step, false);
    }
}

bool
qmpSchemaHas(const qmpSchema *schema, const char *path)
{
    g_auto(GStrv) steps = g_strsplit(path, "/", -1);
    virJSON *entry = qmpSchemaType(schema, steps[0]);

    for (size_t i = 1; entry && steps[i]; i++) {
        for (int depth = 0; entry && qmpSchemaIs(entry, "array"); depth++) {
            entry = depth < QMP_SCHEMA_ARRAYS_MAX
                        ? qmpSchemaType(schema, virJSONGetString(entry, "element-type"))
                        : NULL;
        }
        if (entry)
            entry = qmpSchemaStep(schema, entry, steps[i]);
    }
    return entry != NULL;
}
