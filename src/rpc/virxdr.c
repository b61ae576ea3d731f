/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxdr.c: one interpreter for decoding and one for encoding, both over field descriptors. */
#include "rpc/virxdr.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"

static size_t
xdrPadding(size_t len)
{
    return (4 - len % 4) % 4;
}

/* Bytes an item of the field takes in C. */
static size_t
fieldItemSize(const virXdrField *field)
{
    switch ((virXdrKind)field->kind) {
    case VIR_XDR_INT:
        return 4;
    case VIR_XDR_HYPER:
        return 8;
    case VIR_XDR_CHAR:
    case VIR_XDR_UCHAR:
    case VIR_XDR_OPAQUE:
        return 1;
    case VIR_XDR_SHORT:
    case VIR_XDR_USHORT:
        return 2;
    case VIR_XDR_STRING:
    case VIR_XDR_OPTIONAL_STRING:
        return sizeof(char *);
    case VIR_XDR_STRUCT:
        return field->type->size;
    }
    g_assert_not_reached();
}

/* Fewest bytes an item of the field takes on the wire. */
static size_t
fieldItemWire(const virXdrField *field)
{
    switch ((virXdrKind)field->kind) {
    case VIR_XDR_HYPER:
        return 8;
    case VIR_XDR_OPAQUE:
        return 1;
    case VIR_XDR_STRUCT:
        return field->type->minWire;
    default:
        return 4;
    }
}

/* Decoding */

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    virArena *arena;
} xdrReader;

static bool readStruct(xdrReader *reader, const virXdrType *type, uint8_t *value);

static bool
readWord(xdrReader *reader, uint32_t *retWord)
{
    if (reader->end - reader->at < 4)
        return false;
    *retWord = virXdrGetWord(reader->at);
    reader->at += 4;
    return true;
}

static bool
readHyper(xdrReader *reader, void *value)
{
    uint64_t number;

    if (reader->end - reader->at < 8)
        return false;
    number = (uint64_t)virXdrGetWord(reader->at) << 32 | virXdrGetWord(reader->at + 4);
    memcpy(value, &number, sizeof(number));
    reader->at += 8;
    return true;
}

/* len bytes and their padding, which may be anything. NULL if they are not there. */
static const uint8_t *
readBytes(xdrReader *reader, size_t len)
{
    const uint8_t *at = reader->at;
    size_t left = (size_t)(reader->end - at);

    if (len > left || xdrPadding(len) > left - len)
        return NULL;
    reader->at += len + xdrPadding(len);
    return at;
}

static bool
readString(xdrReader *reader, const virXdrField *field, const char **retText)
{
    const uint8_t *bytes;
    uint32_t len;

    if (!readWord(reader, &len) || len > field->stringMax || !(bytes = readBytes(reader, len)))
        return false;
    *retText = virArenaStrndup(reader->arena, (const char *)bytes, len);
    return true;
}

static bool
readOptionalString(xdrReader *reader, const virXdrField *field, const char **retText)
{
    uint32_t present;

    if (!readWord(reader, &present))
        return false;
    return !present || readString(reader, field, retText);
}

/* One item that is no opaque. */
static bool
readItem(xdrReader *reader, const virXdrField *field, uint8_t *value)
{
    uint32_t word;

    switch ((virXdrKind)field->kind) {
    case VIR_XDR_HYPER:
        return readHyper(reader, value);
    case VIR_XDR_STRING:
        return readString(reader, field, (const char **)value);
    case VIR_XDR_OPTIONAL_STRING:
        return readOptionalString(reader, field, (const char **)value);
    case VIR_XDR_STRUCT:
        return readStruct(reader, field->type, value);
    default:
        break;
    }
    if (!readWord(reader, &word))
        return false;
    if (field->kind == VIR_XDR_INT)
        memcpy(value, &word, sizeof(word));
    else if (fieldItemSize(field) == 2)
        memcpy(value, &(uint16_t){(uint16_t)word}, 2);
    else
        *value = (uint8_t)word;
    return true;
}

static bool
readItems(xdrReader *reader, const virXdrField *field, uint8_t *items, size_t count)
{
    size_t size = fieldItemSize(field);

    if (field->kind == VIR_XDR_OPAQUE) {
        const uint8_t *bytes = readBytes(reader, count);

        if (bytes && count > 0)
            memcpy(items, bytes, count);
        return bytes != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!readItem(reader, field, items + i * size))
            return false;
    }
    return true;
}

static bool
readArray(xdrReader *reader, const virXdrField *field, uint8_t *value)
{
    uint32_t count;
    uint8_t *items;

    if (!readWord(reader, &count) || count > field->limit ||
        count > (size_t)(reader->end - reader->at) / fieldItemWire(field))
        return false;
    memcpy(value + field->countOffset, &count, sizeof(count));
    if (count == 0)
        return true;
    items = virArenaAllocMany(reader->arena, count, fieldItemSize(field));
    memcpy(value + field->offset, &items, sizeof(void *));
    return readItems(reader, field, items, count);
}

static bool
readOptional(xdrReader *reader, const virXdrField *field, uint8_t *value)
{
    uint32_t present;
    uint8_t *item;

    if (!readWord(reader, &present))
        return false;
    if (!present)
        return true;
    if ((size_t)(reader->end - reader->at) < fieldItemWire(field))
        return false;
    item = virArenaAlloc(reader->arena, fieldItemSize(field));
    memcpy(value, &item, sizeof(void *));
    return readItem(reader, field, item);
}

static bool
readField(xdrReader *reader, const virXdrField *field, uint8_t *value)
{
    switch ((virXdrShape)field->shape) {
    case VIR_XDR_PLAIN:
        return readItem(reader, field, value + field->offset);
    case VIR_XDR_OPTIONAL:
        return readOptional(reader, field, value + field->offset);
    case VIR_XDR_FIXED:
        return readItems(reader, field, value + field->offset, field->limit);
    case VIR_XDR_VARIABLE:
        return readArray(reader, field, value);
    }
    g_assert_not_reached();
}

/* The arm of a union that its discriminant selects, or NULL. */
static const virXdrField *
unionArm(const virXdrType *type, const uint8_t *value)
{
    int32_t discriminant;

    memcpy(&discriminant, value + type->fields[0].offset, sizeof(discriminant));
    for (uint32_t i = 1; i < type->fieldCount; i++) {
        if (type->fields[i].arm == discriminant)
            return &type->fields[i];
    }
    return NULL;
}

static bool
readStruct(xdrReader *reader, const virXdrType *type, uint8_t *value)
{
    if (type->isUnion) {
        const virXdrField *arm;

        return readField(reader, &type->fields[0], value) && (arm = unionArm(type, value)) &&
               readField(reader, arm, value);
    }
    for (uint32_t i = 0; i < type->fieldCount; i++) {
        if (!readField(reader, &type->fields[i], value))
            return false;
    }
    return true;
}

bool
virXdrDecode(const virXdrType *type, const uint8_t *data, size_t len, virArena *arena, void *value,
             size_t *retUsed, GError **error)
{
    const uint8_t *begin = data ? data : (const uint8_t *)""; /* a message without payload */
    xdrReader reader = {begin, begin + len, arena};

    memset(value, 0, type->size);
    if (!readStruct(&reader, type, value))
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("Unable to decode message payload"));
    if (retUsed)
        *retUsed = (size_t)(reader.at - begin);
    return true;
}

/* Encoding */

typedef struct {
    virNetBuffer *out;
    GError **error;
} xdrWriter;

static bool writeStruct(xdrWriter *writer, const virXdrType *type, const uint8_t *value);

static uint8_t *
writeSpace(xdrWriter *writer, size_t len)
{
    uint8_t *at = virNetBufferExtend(writer->out, len);

    if (!at)
        virErrorSet(writer->error, VIR_ERR_RPC,
                    _("Unable to encode message payload: more than %zu bytes"), writer->out->max);
    return at;
}

static bool
writeWord(xdrWriter *writer, uint32_t word)
{
    uint8_t *at = writeSpace(writer, 4);

    if (at)
        virXdrPutWord(at, word);
    return at != NULL;
}

static bool
writeHyper(xdrWriter *writer, const void *value)
{
    uint8_t *at = writeSpace(writer, 8);
    uint64_t number;

    if (!at)
        return false;
    memcpy(&number, value, sizeof(number));
    number = GUINT64_TO_BE(number);
    memcpy(at, &number, sizeof(number));
    return true;
}

static bool
writeBytes(xdrWriter *writer, const void *bytes, size_t len)
{
    uint8_t *at = writeSpace(writer, len + xdrPadding(len));

    if (!at)
        return false;
    if (len > 0)
        memcpy(at, bytes, len);
    memset(at + len, 0, xdrPadding(len));
    return true;
}

/* False with the error set if there are more than go. */
static bool
writeCount(xdrWriter *writer, const virXdrField *field, size_t count, size_t limit)
{
    if (count > limit)
        return virErrorSet(writer->error, VIR_ERR_RPC,
                           _("Unable to encode message payload: '%s' has %zu items, limit %zu"),
                           field->name, count, limit);
    return writeWord(writer, (uint32_t)count);
}

static bool
writeString(xdrWriter *writer, const virXdrField *field, const char *text)
{
    size_t len;

    if (!text)
        return virErrorSet(writer->error, VIR_ERR_RPC,
                           _("Unable to encode message payload: '%s' is missing"), field->name);
    len = strlen(text);
    return writeCount(writer, field, len, field->stringMax) && writeBytes(writer, text, len);
}

/* One item that is no opaque. */
static bool
writeItem(xdrWriter *writer, const virXdrField *field, const uint8_t *value)
{
    const char *text;
    int32_t word = 0;
    int16_t narrow;

    switch ((virXdrKind)field->kind) {
    case VIR_XDR_HYPER:
        return writeHyper(writer, value);
    case VIR_XDR_STRING:
        memcpy(&text, value, sizeof(text));
        return writeString(writer, field, text);
    case VIR_XDR_OPTIONAL_STRING:
        memcpy(&text, value, sizeof(text));
        return writeWord(writer, text != NULL) && (!text || writeString(writer, field, text));
    case VIR_XDR_STRUCT:
        return writeStruct(writer, field->type, value);
    case VIR_XDR_INT:
        memcpy(&word, value, sizeof(word));
        break;
    case VIR_XDR_SHORT:
    case VIR_XDR_USHORT:
        memcpy(&narrow, value, sizeof(narrow));
        word = field->kind == VIR_XDR_SHORT ? narrow : (uint16_t)narrow;
        break;
    case VIR_XDR_CHAR:
        word = (int8_t)*value;
        break;
    case VIR_XDR_UCHAR:
        word = *value;
        break;
    case VIR_XDR_OPAQUE:
        g_assert_not_reached();
    }
    return writeWord(writer, (uint32_t)word);
}

static bool
writeItems(xdrWriter *writer, const virXdrField *field, const uint8_t *items, size_t count)
{
    size_t size = fieldItemSize(field);

    if (field->kind == VIR_XDR_OPAQUE)
        return writeBytes(writer, items, count);
    for (size_t i = 0; i < count; i++) {
        if (!writeItem(writer, field, items + i * size))
            return false;
    }
    return true;
}

static bool
writeField(xdrWriter *writer, const virXdrField *field, const uint8_t *value)
{
    const uint8_t *items;
    uint32_t count;

    switch ((virXdrShape)field->shape) {
    case VIR_XDR_PLAIN:
        return writeItem(writer, field, value + field->offset);
    case VIR_XDR_FIXED:
        return writeItems(writer, field, value + field->offset, field->limit);
    case VIR_XDR_OPTIONAL:
        memcpy(&items, value + field->offset, sizeof(void *));
        return writeWord(writer, items != NULL) && (!items || writeItem(writer, field, items));
    case VIR_XDR_VARIABLE:
        memcpy(&items, value + field->offset, sizeof(void *));
        memcpy(&count, value + field->countOffset, sizeof(count));
        return writeCount(writer, field, count, field->limit) &&
               writeItems(writer, field, items, count);
    }
    g_assert_not_reached();
}

static bool
writeStruct(xdrWriter *writer, const virXdrType *type, const uint8_t *value)
{
    if (type->isUnion) {
        const virXdrField *arm = unionArm(type, value);

        if (!arm)
            return virErrorSet(writer->error, VIR_ERR_RPC,
                               _("Unable to encode message payload: no such arm of %s"),
                               type->name);
        return writeField(writer, &type->fields[0], value) && writeField(writer, arm, value);
    }
    for (uint32_t i = 0; i < type->fieldCount; i++) {
        if (!writeField(writer, &type->fields[i], value))
            return false;
    }
    return true;
}

bool
virXdrEncode(const virXdrType *type, const void *value, virNetBuffer *out, GError **error)
{
    xdrWriter writer = {out, error};
    size_t before = out->len;

    if (writeStruct(&writer, type, value))
        return true;
    virNetBufferTruncate(out, before);
    return false;
}

const virXdrField *
virXdrTypeField(const virXdrType *type, const char *name)
{
    for (uint32_t i = 0; type && i < type->fieldCount; i++) {
        if (g_str_equal(type->fields[i].name, name))
            return &type->fields[i];
    }
    return NULL;
}
