/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjson.h: json-c with the few things it lacks: bounded parsing with a GError, typed look-ups,
 * and a compact printer into memory that is wiped. Objects keep the order of their members.
 *
 * Building helpers take a value only when it says something: a NULL string, an absent tristate add
 * nothing, so that a props function is a list of lines without ifs. Any thread, one object a
 * thread. */
#pragma once

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virutil.h"

typedef struct json_object virJSON;
static inline void
virJSONUnref(virJSON *value)
{
    json_object_put(value);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virJSON, virJSONUnref)

/* One value, nothing behind it but white space; depth at most 64. len -1: up to the NUL.
 * VIR_ERR_INTERNAL_ERROR naming the offset. */
virJSON *virJSONParse(const char *text, gssize len, GError **error);
/* The same for a text that may hold a secret: nothing of it is left in what json-c frees. The value
 * is the caller's to wipe (virJSONEraseAndUnref). */
virJSON *virJSONParseSecret(const char *text, GError **error);

/* The value in one line without white space, "/" and non-ASCII as they are. Caller frees; wipe with
 * virSecureFreeString if it holds a secret. */
char *virJSONPrint(virJSON *value);
/* The same with two-space indent and a newline at the end, as in libvirt's test data. */
char *virJSONPrintPretty(virJSON *value);
/* Overwrites every string below value; then unref. For values that carried a secret. */
void virJSONEraseAndUnref(virJSON *value);
typedef virJSON virJSONSecret; /* g_autoptr(virJSONSecret): a value that ends so */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virJSONSecret, virJSONEraseAndUnref)

/* A new empty object. */
virJSON *virJSONObject(void);
/* A deep copy. */
virJSON *virJSONCopy(virJSON *value);

/* Adding to an object; the key is copied. */
void virJSONAddString(virJSON *object, const char *key, const char *value /* NULL: nothing */);
void virJSONAddStringF(virJSON *object, const char *key, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
void virJSONAddInt(virJSON *object, const char *key, int64_t value);
void virJSONAddUInt(virJSON *object, const char *key, uint64_t value);
void virJSONAddPositive(virJSON *object, const char *key, uint64_t value /* 0: nothing */);
void virJSONAddBool(virJSON *object, const char *key, bool value);
void virJSONAddTrue(virJSON *object, const char *key, bool value /* false: nothing */);
void virJSONAddTristate(virJSON *object, const char *key, virTristate value /* as true, false */);
void virJSONAddOnOff(virJSON *object, const char *key, virTristate value /* as "on", "off" */);
/* Takes over value; NULL adds nothing. */
void virJSONAddValue(virJSON *object, const char *key, virJSON *value);

/* Reading: borrowed, NULL or the fallback if the member is missing or of another type. */
virJSON *virJSONGet(virJSON *object, const char *key);
virJSON *virJSONGetObject(virJSON *object, const char *key);
virJSON *virJSONGetArray(virJSON *object, const char *key);
const char *virJSONGetString(virJSON *object, const char *key);
bool virJSONGetInt(virJSON *object, const char *key, int64_t *ret);
bool virJSONGetUInt(virJSON *object, const char *key, uint64_t *ret);
bool virJSONGetBool(virJSON *object, const char *key, bool fallback);
size_t virJSONLength(virJSON *array);
virJSON *virJSONAt(virJSON *array, size_t index);
