/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * field.h: rows. One attribute or element of a document is one row; the table is read, written,
 * copied, compared for ABI, listed in the schema and checked against the manual from that one row.
 *
 * A table belongs to one struct and one element. The order of the rows is the order of the text.
 * A path names the place below the table's element:
 *
 *     "@model"              attribute of the element itself
 *     "cid@address"         attribute of the child element <cid>
 *     "source/reservations@managed"
 *     "serial"              text of the child element <serial>
 *     "."                   text of the element itself
 *
 * An element without text says nothing, an attribute without text does.
 *
 * Rows of one element stand together, attributes before text, text before children; an element is
 * written if one of its rows has something to say. What a row cannot say is a CODE row: it keeps
 * its place in the order and calls the kind. The struct is zeroed memory: zero is "absent" for
 * every row type, so numbers carry whether they were given. Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/virenum.h"
#include "util/virutil.h"
#include "util/virxml.h"

/* A number that may be absent. Packed: a definition holds some hundred of them, most of them
 * absent. Take no address of value. */
typedef struct __attribute__((packed)) {
    uint64_t value;
    bool set;
} virOptUInt;
typedef struct __attribute__((packed)) {
    int64_t value;
    bool set;
} virOptInt;

static inline virOptUInt
virOptUIntOf(uint64_t value)
{
    return (virOptUInt){value, true};
}

typedef enum {
    VIR_FIELD_TYPE_END = 0,
    VIR_FIELD_TYPE_STRING,   /* char *, NULL is absent */
    VIR_FIELD_TYPE_ENUM,     /* int, 0 is absent and, as a name in the document, an error unless
                                VIR_FIELD_ZERO says that the first name may be written and read */
    VIR_FIELD_TYPE_YESNO,    /* virTristate as yes, no */
    VIR_FIELD_TYPE_ONOFF,    /* virTristate as on, off */
    VIR_FIELD_TYPE_UINT,     /* virOptUInt, decimal within min..max */
    VIR_FIELD_TYPE_HEX,      /* virOptUInt, read in any base, written as 0x%0*x (width in min) */
    VIR_FIELD_TYPE_INT,      /* virOptInt */
    VIR_FIELD_TYPE_KIB,      /* virOptUInt, read with the element's unit (KiB without), written as
                                KiB; an element's text, or an attribute beside "unit" */
    VIR_FIELD_TYPE_PRESENT,  /* bool: the element is there, or not */
    VIR_FIELD_TYPE_CODE,     /* calls parse and format */
    VIR_FIELD_TYPE_MIXIN,    /* another table at offset, same element */
    VIR_FIELD_TYPE_ELEMENTS, /* schema only: any number of elements, each described by mixin */
    VIR_FIELD_TYPE_REFUSED,  /* recognised and not supported: an error with the reason */
} virFieldType;

/* How a document is read. */
typedef enum {
    VIR_PARSE_INACTIVE = 1 << 0,      /* as a stored definition: run-time parts are passed over */
    VIR_PARSE_STATUS = 1 << 1,        /* our own status file: everything, unchecked */
    VIR_PARSE_SKIP_VALIDATE = 1 << 2, /* read what an earlier version wrote */
    VIR_PARSE_ABI_UPDATE = 1 << 3,    /* a new guest: better defaults may be chosen */
} virParseFlags;

/* How a document is written; the first four are the wire's VIR_DOMAIN_XML_* . */
typedef enum {
    VIR_FORMAT_SECURE = 1 << 0,
    VIR_FORMAT_INACTIVE = 1 << 1,
    VIR_FORMAT_UPDATE_CPU = 1 << 2,
    VIR_FORMAT_MIGRATABLE = 1 << 3,
    VIR_FORMAT_STATUS = 1 << 16, /* our own status file */
} virFormatFlags;

typedef enum {
    VIR_FIELD_ABI = 1 << 0, /* the guest sees it: must be equal for ABI stability */
    VIR_FIELD_LIVE =
        1 << 1, /* known only of a running guest: neither read nor written as INACTIVE */
    VIR_FIELD_SECRET = 1 << 2,    /* written only with VIR_FORMAT_SECURE, wiped when freed */
    VIR_FIELD_REQUIRED = 1 << 3,  /* must be given, if its element is there */
    VIR_FIELD_ZERO = 1 << 4,      /* enum: value 0 is a name like the others and always written */
    VIR_FIELD_SILENT = 1 << 5,    /* read but never written (old spellings) */
    VIR_FIELD_IN_STATUS = 1 << 6, /* written to the status file only */
    VIR_FIELD_READ_ZERO = 1 << 7, /* enum: value 0 may be read by its name, but is never written */
    VIR_FIELD_MANY = 1 << 8,      /* CODE: the element may stand there several times */
} virFieldFlags;

typedef struct virField virField;
struct virField {
    const char *path;
    virFieldType type;
    size_t offset;
    unsigned flags; /* virFieldFlags */
    const virEnum *names;
    uint64_t min;
    uint64_t max;
    const virField *mixin;
    const char *reason; /* REFUSED: why, in words for a user */
    /* Texts that clients know, where they differ from those of all rows: of a value that is not
     * allowed ("unknown watchdog model '%s'", the value), and of a missing one. */
    const char *unknown;
    const char *missing;
    /* CODE. node is the table's element. parse runs for every document, also if nothing is there.
     */
    bool (*parse)(void *object, xmlNode *node, unsigned parseFlags, GError **error);
    void (*format)(const void *object, virXMLWriter *w, unsigned formatFlags);
    void (*clear)(void *object);
    /* NULL: not part of the ABI */
    bool (*same)(const void *a, const void *b, GError **error);
    /* What stands in the element at path, for the schema alone: rows of the VIR_HOLDS kinds, or
     * tables that the code reads with. NULL: an element is not described further, an attribute
     * holds any text (one of names, if they are given). */
    const virField *holds;
};

#define VIR_FIELD_STRING(p, s, m, ...)                                                             \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_STRING, .offset = offsetof(s, m), __VA_ARGS__          \
    }
#define VIR_FIELD_ENUM(p, s, m, n, ...)                                                            \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_ENUM, .offset = offsetof(s, m), .names = &(n),         \
        __VA_ARGS__                                                                                \
    }
#define VIR_FIELD_YESNO(p, s, m, ...)                                                              \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_YESNO, .offset = offsetof(s, m), __VA_ARGS__           \
    }
#define VIR_FIELD_ONOFF(p, s, m, ...)                                                              \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_ONOFF, .offset = offsetof(s, m), __VA_ARGS__           \
    }
/* lo and hi are inclusive */
#define VIR_FIELD_UINT(p, s, m, lo, hi, ...)                                                       \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_UINT, .offset = offsetof(s, m), .min = (lo),           \
        .max = (hi), __VA_ARGS__                                                                   \
    }
#define VIR_FIELD_HEX(p, s, m, width, hi, ...)                                                     \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_HEX, .offset = offsetof(s, m), .min = (width),         \
        .max = (hi), __VA_ARGS__                                                                   \
    }
#define VIR_FIELD_INT(p, s, m, ...)                                                                \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_INT, .offset = offsetof(s, m), __VA_ARGS__             \
    }
#define VIR_FIELD_KIB(p, s, m, ...)                                                                \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_KIB, .offset = offsetof(s, m), __VA_ARGS__             \
    }
#define VIR_FIELD_PRESENT(p, s, m, ...)                                                            \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_PRESENT, .offset = offsetof(s, m), __VA_ARGS__         \
    }
/* p names what the code is about, for the schema and the manual: "source", "address" */
#define VIR_FIELD_CODE(p, pf, ff, ...)                                                             \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_CODE, .parse = (pf), .format = (ff), __VA_ARGS__       \
    }
/* What code reads and writes, as the schema shows it; nothing is stored by these. */
#define VIR_HOLDS(p)                                                                               \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_STRING                                                 \
    }
#define VIR_HOLDS_ENUM(p, n)                                                                       \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_ENUM, .names = &(n), .flags = VIR_FIELD_ZERO           \
    }
#define VIR_HOLDS_YESNO(p)                                                                         \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_YESNO                                                  \
    }
#define VIR_HOLDS_ONOFF(p)                                                                         \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_ONOFF                                                  \
    }
#define VIR_HOLDS_UINT(p)                                                                          \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_UINT, .max = UINT64_MAX                                \
    }
#define VIR_HOLDS_NUMBER(p) /* decimal or 0x... */                                                 \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_HEX, .max = UINT64_MAX                                 \
    }
#define VIR_HOLDS_INT(p)                                                                           \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_INT                                                    \
    }
#define VIR_HOLDS_PRESENT(p)                                                                       \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_PRESENT                                                \
    }
#define VIR_HOLDS_SIZE(p) /* a number with its unit */                                             \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_KIB                                                    \
    }
#define VIR_HOLDS_ROWS(t)                                                                          \
    {                                                                                              \
        .path = "", .type = VIR_FIELD_TYPE_MIXIN, .mixin = (t)                                     \
    }
#define VIR_HOLDS_ELEMENTS(p, t) /* t NULL: not described further */                               \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_ELEMENTS, .mixin = (t)                                 \
    }

#define VIR_FIELD_MIXIN(s, m, t)                                                                   \
    {                                                                                              \
        .path = "", .type = VIR_FIELD_TYPE_MIXIN, .offset = offsetof(s, m), .mixin = (t)           \
    }
#define VIR_FIELD_REFUSED(p, r)                                                                    \
    {                                                                                              \
        .path = (p), .type = VIR_FIELD_TYPE_REFUSED, .reason = (r)                                 \
    }
#define VIR_FIELD_END                                                                              \
    {                                                                                              \
        .type = VIR_FIELD_TYPE_END                                                                 \
    }

/* Reads what the rows name from node into object. VIR_ERR_XML_ERROR naming attribute and element,
 * VIR_ERR_CONFIG_UNSUPPORTED for a refused row. What was read so far stays: clear the object. */
bool virFieldParse(const virField *fields, void *object, xmlNode *node, unsigned parseFlags,
                   GError **error);
/* Writes into the element that is open in w. */
void virFieldFormat(const virField *fields, const void *object, virXMLWriter *w,
                    unsigned formatFlags);
/* Frees what rows own and zeroes them; wipes secrets. Twice is fine. */
void virFieldClear(const virField *fields, void *object);
/* Compares the ABI rows of two objects; false with VIR_ERR_CONFIG_UNSUPPORTED naming element,
 * attribute and both values. element is the table's element, for the text. */
bool virFieldSameABI(const virField *fields, const char *element, const void *a, const void *b,
                     GError **error);

/* True if every row that wanted gives says the same in object: how a request describes the device
 * it means. CODE rows are not asked. */
bool virFieldMatches(const virField *fields, const void *object, const void *wanted);

/* Number of an attribute with libvirt's error texts; *retSet is false and *ret as it was if absent.
 */
bool virFieldAttrUInt(const xmlNode *node, const char *name, int base, uint64_t max, bool *retSet,
                      uint64_t *ret, GError **error);
/* The same into a number that may be absent. */
bool virFieldAttrOptUInt(const xmlNode *node, const char *name, int base, uint64_t max,
                         virOptUInt *ret, GError **error);
