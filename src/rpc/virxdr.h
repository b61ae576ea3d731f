/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxdr.h: values to bytes and back, by descriptors that generate.py makes from the tables.
 *
 * Every limit is checked before memory is taken: an array's count against its limit and against the
 * bytes that are there, so what a message decodes into is bounded by the message's own size. As
 * lenient as the stock decoder (protocol/README.md section 2), so that bytes it takes are taken
 * here. Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/virarena.h"
#include "rpc/virnetbuffer.h"

typedef enum {
    VIR_XDR_INT,             /* 4 bytes */
    VIR_XDR_HYPER,           /* 8 bytes; also double */
    VIR_XDR_CHAR,            /* 4 bytes, one in C, sign-extended */
    VIR_XDR_UCHAR,           /* the same without sign */
    VIR_XDR_SHORT,           /* 4 bytes, two in C, sign-extended */
    VIR_XDR_USHORT,          /* the same without sign */
    VIR_XDR_OPAQUE,          /* bytes; only as an array */
    VIR_XDR_STRING,          /* never NULL */
    VIR_XDR_OPTIONAL_STRING, /* NULL when absent */
    VIR_XDR_STRUCT,          /* struct or union: .type */
} virXdrKind;

typedef enum {
    VIR_XDR_PLAIN,
    VIR_XDR_OPTIONAL, /* a pointer, NULL when absent */
    VIR_XDR_FIXED,    /* .limit items in place */
    VIR_XDR_VARIABLE, /* a pointer and a count of at most .limit */
} virXdrShape;

typedef struct virXdrType virXdrType;

typedef struct {
    const char *name;
    uint8_t kind;
    uint8_t shape;
    uint32_t offset;      /* of the value or of the pointer */
    uint32_t countOffset; /* of a variable array's uint32_t count */
    uint32_t limit;       /* items */
    uint32_t stringMax;   /* bytes of a string */
    const virXdrType *type;
    int32_t arm; /* in a union: the discriminant that selects it */
} virXdrField;

struct virXdrType {
    const char *name;
    size_t size;      /* in C */
    uint32_t minWire; /* fewest bytes on the wire */
    uint32_t fieldCount;
    bool isUnion; /* the first field is the discriminant, the others are the arms */
    const virXdrField *fields;
};

/* An operation that can be handed to an external handler, as both sides must know it: the two agree
 * if number, abi and digest do. */
typedef struct {
    uint32_t number;
    const char *name;    /* "memlock.set" */
    uint32_t abi;        /* goes up with every change of meaning */
    uint32_t deadline_s; /* how long one call may take, unless configured otherwise */
    const virXdrType *args;
    const virXdrType *ret; /* NULL: nothing but success */
    uint8_t digest[16];    /* of every field of args and ret, and of the descriptors beside them */
    const char *const *takes; /* descriptors of the call, ended by NULL; "thread...": any number */
    const char *const *gives; /* and of the answer */
} virXdrHook;

/* The field of a struct by its name; NULL: there is none (NULL has none). */
const virXdrField *virXdrTypeField(const virXdrType *type, const char *name);

/* Decodes the beginning of data into *value (type->size bytes, zeroed by this function); what it
 * points to is taken from the arena. VIR_ERR_RPC if it does not fit the type; bytes behind are left
 * alone, *retUsed (NULL: not wanted) says how many were read. */
bool virXdrDecode(const virXdrType *type, const uint8_t *data, size_t len, virArena *arena,
                  void *value, size_t *retUsed, GError **error);

/* Appends value to out. VIR_ERR_RPC if it is beyond a limit of the type or of the buffer; out is
 * then as it was before. */
bool virXdrEncode(const virXdrType *type, const void *value, virNetBuffer *out, GError **error);

/* One word in network order. */
static inline uint32_t
virXdrGetWord(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline void
virXdrPutWord(uint8_t *at, uint32_t word)
{
    word = GUINT32_TO_BE(word);
    __builtin_memcpy(at, &word, sizeof(word));
}
