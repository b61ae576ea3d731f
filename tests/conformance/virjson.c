/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjson.c: the JSON reader and printer, the nesting of dotted keys, members taken and added. */
#include "families.h"
#include "util/virerror.h"
#include "util/virjsonflat.h"

static bool
conformanceAddRemove(virJSON *value, conformanceResult *result, GError **error)
{
    if (!json_object_is_type(value, json_type_object) || !virJSONGet(value, "name")) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "no member to take away");
        return conformanceFail(result, "add-remove");
    }
    json_object_object_del(value, "name");
    virJSONAddString(value, "newname", "foo");
    return conformanceAdd(result, virJSONPrint(value));
}

static bool
conformanceDeflatten(virJSON *value, conformanceResult *result, GError **error)
{
    g_autoptr(virJSON) nested = virJSONDeflatten(value, error);

    if (!nested)
        return conformanceFail(result, "deflatten");
    return conformanceAdd(result, virJSONPrintPretty(nested));
}

bool
conformanceVirJson(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *text = conformanceInput(row, 0, error);
    g_autoptr(virJSON) value = text ? virJSONParse(text, -1, error) : NULL;

    if (!value)
        return conformanceFail(result, "parse");
    if (g_str_equal(row->variant, "deflatten"))
        return conformanceDeflatten(value, result, error);
    if (g_str_equal(row->variant, "add-remove"))
        return conformanceAddRemove(value, result, error);
    return conformanceAdd(result, virJSONPrint(value));
}
