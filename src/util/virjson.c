/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjson.c: see virjson.h. */
#include "util/virjson.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virsecure.h"

enum { VIR_JSON_DEPTH_MAX = 64 };

static virJSON *
virJSONParseWith(struct json_tokener *tok, const char *text, size_t size, GError **error)
{
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
    while (status == json_tokener_success && end < size && g_ascii_isspace(text[end]))
        end++;
    if (status == json_tokener_success && end >= size)
        return value;
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("cannot parse JSON at byte %zu: %s"), end,
                status == json_tokener_success ? _("trailing garbage")
                                               : json_tokener_error_desc(status));
    virJSONEraseAndUnref(value);
    return NULL;
}

virJSON *
virJSONParse(const char *text, gssize len, GError **error)
{
    struct json_tokener *tok = json_tokener_new_ex(VIR_JSON_DEPTH_MAX);
    virJSON *value = virJSONParseWith(tok, text, len < 0 ? strlen(text) : (size_t)len, error);

    json_tokener_free(tok);
    return value;
}

/* json-c gathers each string in a buffer of the tokener's, which it moves with realloc(3) and never
 * wipes. A string of len bytes makes the buffer that large, or overwrites what was in it. */
static void
virJSONTokenerFill(struct json_tokener *tok, size_t len)
{
    g_autofree char *filler = g_malloc(len + 2);

    memset(filler, 'x', len + 2);
    filler[0] = filler[len + 1] = '"';
    json_tokener_reset(tok);
    json_object_put(json_tokener_parse_ex(tok, filler, (int)(len + 2)));
    json_tokener_reset(tok);
}

virJSON *
virJSONParseSecret(const char *text, GError **error)
{
    struct json_tokener *tok = json_tokener_new_ex(VIR_JSON_DEPTH_MAX);
    size_t len = strlen(text);
    virJSON *value;

    virJSONTokenerFill(tok, len);
    value = virJSONParseWith(tok, text, len, error);
    virJSONTokenerFill(tok, len);
    json_tokener_free(tok);
    return value;
}

/* A text that grows by hand: realloc(3) would leave a copy of a secret behind. */
typedef struct {
    char *text;
    size_t len;
    size_t room;
} virJSONText;

static void
virJSONTextAppend(virJSONText *out, const char *text, size_t len)
{
    if (len >= out->room - out->len) {
        size_t room = MAX(out->room * 2, out->len + len + 1);
        char *larger = g_malloc(room);

        memcpy(larger, out->text, out->len);
        virSecureErase(out->text, out->len);
        g_free(out->text);
        out->text = larger;
        out->room = room;
    }
    memcpy(out->text + out->len, text, len);
    out->len += len;
}

#define virJSONTextPut(out, literal) virJSONTextAppend((out), (literal), sizeof(literal) - 1)

/* How a character is written in a string; NULL: as it is. control has room for any. */
static const char *
virJSONEscape(unsigned char c, char control[static 8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    default:
        if (c >= 0x20)
            return NULL;
        g_snprintf(control, 8, "\\u%04X", c);
        return control;
    }
}

static void
virJSONPrintString(virJSONText *out, const char *str, size_t len)
{
    size_t plain = 0; /* from here to i nothing needs escaping */
    char control[8];

    virJSONTextPut(out, "\"");
    for (size_t i = 0; i < len; i++) {
        const char *escaped = virJSONEscape((unsigned char)str[i], control);

        if (!escaped)
            continue;
        virJSONTextAppend(out, str + plain, i - plain);
        virJSONTextAppend(out, escaped, strlen(escaped));
        plain = i + 1;
    }
    virJSONTextAppend(out, str + plain, len - plain);
    virJSONTextPut(out, "\"");
}

static void
virJSONPrintBreak(virJSONText *out, int level)
{
    if (level < 0)
        return;
    virJSONTextPut(out, "\n");
    for (int i = 0; i < level; i++)
        virJSONTextPut(out, "  ");
}

static void virJSONPrintValue(virJSONText *out, virJSON *value, int level);

/* Before each member but the first a comma; each on a line of its own where level says so. */
static void
virJSONPrintObject(virJSONText *out, virJSON *value, int level, int below)
{
    bool first = true;

    virJSONTextPut(out, "{");
    json_object_object_foreach(value, key, member)
    {
        if (!first)
            virJSONTextPut(out, ",");
        first = false;
        virJSONPrintBreak(out, below);
        virJSONPrintString(out, key, strlen(key));
        if (level < 0)
            virJSONTextPut(out, ":");
        else
            virJSONTextPut(out, ": ");
        virJSONPrintValue(out, member, below);
    }
    if (!first)
        virJSONPrintBreak(out, level);
    virJSONTextPut(out, "}");
}

static void
virJSONPrintArray(virJSONText *out, virJSON *value, int level, int below)
{
    size_t length = json_object_array_length(value);

    virJSONTextPut(out, "[");
    for (size_t i = 0; i < length; i++) {
        if (i > 0)
            virJSONTextPut(out, ",");
        virJSONPrintBreak(out, below);
        virJSONPrintValue(out, json_object_array_get_idx(value, i), below);
    }
    if (length > 0)
        virJSONPrintBreak(out, level);
    virJSONTextPut(out, "]");
}

/* level -1 prints everything in one line */
static void
virJSONPrintValue(virJSONText *out, virJSON *value, int level)
{
    int below = level < 0 ? -1 : level + 1;
    const char *plain = "null";

    switch (json_object_get_type(value)) {
    case json_type_string:
        virJSONPrintString(out, json_object_get_string(value),
                           (size_t)json_object_get_string_len(value));
        return;
    case json_type_object:
        virJSONPrintObject(out, value, level, below);
        return;
    case json_type_array:
        virJSONPrintArray(out, value, level, below);
        return;
    default: /* numbers (in the form they were read), booleans, null */
        if (value)
            plain = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
        virJSONTextAppend(out, plain, strlen(plain));
    }
}

static char *
virJSONPrintLevel(virJSON *value, int level)
{
    virJSONText out = {.text = g_malloc(1024), .room = 1024};

    virJSONPrintValue(&out, value, level);
    if (level >= 0)
        virJSONTextPut(&out, "\n");
    out.text[out.len] = '\0'; /* Append keeps a byte for it */
    return out.text;
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
