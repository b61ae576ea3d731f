/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjson.c: see virjson.h. */
#include "util/virjson.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virsecure.h"

enum { VIR_JSON_DEPTH_MAX = 64 };

virJSON *
virJSONParse(const char *text, gssize len, GError **error)
{
    struct json_tokener *tok = json_tokener_new_ex(VIR_JSON_DEPTH_MAX);
    size_t size = len < 0 ? strlen(text) : (size_t)len;
    virJSON *value;
    enum json_tokener_error status;
    size_t end;

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
    value = json_tokener_parse_ex(tok, text, (int)size);
    status = json_tokener_get_error(tok);
    if (status == json_tokener_continue) { /* a bare number ends only at the end */
        value = json_tokener_parse_ex(tok, "\n", 1);
        status = json_tokener_get_error(tok);
        end = size;
    } else {
        end = json_tokener_get_parse_end(tok);
    }
    json_tokener_free(tok);
    while (status == json_tokener_success && end < size && g_ascii_isspace(text[end]))
        end++;
    if (status == json_tokener_success && end >= size)
        return value;
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("cannot parse JSON at byte %zu: %s"), end,
                status == json_tokener_success ? _("trailing garbage")
                                               : json_tokener_error_desc(status));
    json_object_put(value);
    return NULL;
}

static void
virJSONPrintString(GString *out, const char *str, size_t len)
{
    g_string_append_c(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)str[i];

        switch (c) {
        case '"':
            g_string_append(out, "\\\"");
            break;
        case '\\':
            g_string_append(out, "\\\\");
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        case '\t':
            g_string_append(out, "\\t");
            break;
        case '\r':
            g_string_append(out, "\\r");
            break;
        case '\b':
            g_string_append(out, "\\b");
            break;
        case '\f':
            g_string_append(out, "\\f");
            break;
        default:
            if (c < 0x20)
                g_string_append_printf(out, "\\u%04X", c);
            else
                g_string_append_c(out, (char)c);
        }
    }
    g_string_append_c(out, '"');
}

static void
virJSONPrintBreak(GString *out, int level)
{
    if (level < 0)
        return;
    g_string_append_c(out, '\n');
    for (int i = 0; i < level; i++)
        g_string_append(out, "  ");
}

/* level -1 prints everything in one line */
static void
virJSONPrintValue(GString *out, virJSON *value, int level)
{
    int below = level < 0 ? -1 : level + 1;
    bool first = true;

    switch (json_object_get_type(value)) {
    case json_type_string:
        virJSONPrintString(out, json_object_get_string(value),
                           (size_t)json_object_get_string_len(value));
        return;
    case json_type_object: {
        g_string_append_c(out, '{');
        json_object_object_foreach(value, key, member)
        {
            if (!first)
                g_string_append_c(out, ',');
            first = false;
            virJSONPrintBreak(out, below);
            virJSONPrintString(out, key, strlen(key));
            g_string_append(out, level < 0 ? ":" : ": ");
            virJSONPrintValue(out, member, below);
        }
        if (!first)
            virJSONPrintBreak(out, level);
        g_string_append_c(out, '}');
        return;
    }
    case json_type_array:
        g_string_append_c(out, '[');
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (i > 0)
                g_string_append_c(out, ',');
            virJSONPrintBreak(out, below);
            virJSONPrintValue(out, json_object_array_get_idx(value, i), below);
        }
        if (json_object_array_length(value) > 0)
            virJSONPrintBreak(out, level);
        g_string_append_c(out, ']');
        return;
    default: /* numbers (in the form they were read), booleans, null */
        g_string_append(out, value ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN)
                                   : "null");
    }
}

/* A GString that grows leaves copies behind; a generous start makes that rare, and secrets are
 * short and stand in short commands. */
static char *
virJSONPrintLevel(virJSON *value, int level)
{
    GString *out = g_string_sized_new(1024);

    virJSONPrintValue(out, value, level);
    if (level >= 0)
        g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

char *
virJSONPrint(virJSON *value)
{
    return virJSONPrintLevel(value, -1);
}

char *
virJSONPrintPretty(virJSON *value)
{
    return virJSONPrintLevel(value, 0);
}

static void
virJSONErase(virJSON *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        virSecureErase((char *)json_object_get_string(value),
                       (size_t)json_object_get_string_len(value));
        return;
    case json_type_object: {
        json_object_object_foreach(value, key, member)
        {
            (void)key;
            virJSONErase(member);
        }
        return;
    }
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++)
            virJSONErase(json_object_array_get_idx(value, i));
        return;
    default:
        return;
    }
}

void
virJSONEraseAndUnref(virJSON *value)
{
    virJSONErase(value);
    json_object_put(value);
}

virJSON *
virJSONObject(void)
{
    return json_object_new_object();
}

virJSON *
virJSONCopy(virJSON *value)
{
    virJSON *copy = NULL;

    (void)json_object_deep_copy(value, &copy, NULL); /* fails only without memory */
    return copy;
}

void
virJSONAddValue(virJSON *object, const char *key, virJSON *value)
{
    if (value)
        (void)json_object_object_add(object, key, value); /* fails only without memory */
}

void
virJSONAddString(virJSON *object, const char *key, const char *value)
{
    if (value)
        virJSONAddValue(object, key, json_object_new_string(value));
}

void
virJSONAddStringF(virJSON *object, const char *key, const char *fmt, ...)
{
    g_autofree char *value = NULL;
    va_list ap;

    va_start(ap, fmt);
    value = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    virJSONAddString(object, key, value);
}

void
virJSONAddInt(virJSON *object, const char *key, int64_t value)
{
    virJSONAddValue(object, key, json_object_new_int64(value));
}

void
virJSONAddUInt(virJSON *object, const char *key, uint64_t value)
{
    virJSONAddValue(object, key, json_object_new_uint64(value));
}

void
virJSONAddPositive(virJSON *object, const char *key, uint64_t value)
{
    if (value > 0)
        virJSONAddUInt(object, key, value);
}

void
virJSONAddBool(virJSON *object, const char *key, bool value)
{
    virJSONAddValue(object, key, json_object_new_boolean(value));
}

void
virJSONAddTrue(virJSON *object, const char *key, bool value)
{
    if (value)
        virJSONAddBool(object, key, true);
}

void
virJSONAddTristate(virJSON *object, const char *key, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        virJSONAddBool(object, key, value == VIR_TRISTATE_YES);
}

void
virJSONAddOnOff(virJSON *object, const char *key, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        virJSONAddString(object, key, value == VIR_TRISTATE_YES ? "on" : "off");
}

virJSON *
virJSONGet(virJSON *object, const char *key)
{
    virJSON *value = NULL;

    if (json_object_is_type(object, json_type_object))
        (void)json_object_object_get_ex(object, key, &value); /* NULL stays if it is not there */
    return value;
}

static virJSON *
virJSONGetOfType(virJSON *object, const char *key, enum json_type type)
{
    virJSON *value = virJSONGet(object, key);

    return value && json_object_is_type(value, type) ? value : NULL;
}

virJSON *
virJSONGetObject(virJSON *object, const char *key)
{
    return virJSONGetOfType(object, key, json_type_object);
}

virJSON *
virJSONGetArray(virJSON *object, const char *key)
{
    return virJSONGetOfType(object, key, json_type_array);
}

const char *
virJSONGetString(virJSON *object, const char *key)
{
    virJSON *value = virJSONGetOfType(object, key, json_type_string);

    return value ? json_object_get_string(value) : NULL;
}

bool
virJSONGetInt(virJSON *object, const char *key, int64_t *ret)
{
    virJSON *value = virJSONGetOfType(object, key, json_type_int);

    if (!value)
        return false;
    *ret = json_object_get_int64(value);
    return true;
}

bool
virJSONGetUInt(virJSON *object, const char *key, uint64_t *ret)
{
    virJSON *value = virJSONGetOfType(object, key, json_type_int);

    if (!value)
        return false;
    *ret = json_object_get_uint64(value);
    return true;
}

bool
virJSONGetBool(virJSON *object, const char *key, bool fallback)
{
    virJSON *value = virJSONGetOfType(object, key, json_type_boolean);

    return value ? json_object_get_boolean(value) : fallback;
}

size_t
virJSONLength(virJSON *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

virJSON *
virJSONAt(virJSON *array, size_t index)
{
    return json_object_array_get_idx(array, index);
}
