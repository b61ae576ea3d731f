/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virbitmap.h: a set of small numbers (CPUs, NUMA nodes) and its text, "0-3,^2,8". A value; any
 * thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* No number is larger: the text of a stranger can't make us take memory. */
#define VIR_BITMAP_MAX 16384

typedef struct virBitmap virBitmap;

virBitmap *virBitmapNew(void);
void virBitmapFree(virBitmap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virBitmap, virBitmapFree)
/* NULL gives NULL. */
virBitmap *virBitmapCopy(const virBitmap *map);

/* "0-3,^2,8": ranges and single numbers, "^" takes one out again; each below limit. An empty text
 * is an error. VIR_ERR_INVALID_ARG. */
virBitmap *virBitmapParse(const char *text, size_t limit, GError **error);
/* Caller frees; "" for an empty set. */
char *virBitmapFormat(const virBitmap *map);

void virBitmapSet(virBitmap *map, size_t number);
void virBitmapClear(virBitmap *map, size_t number);
/* False for a number the map can't hold. */
bool virBitmapHas(const virBitmap *map, size_t number);
/* The first number >= from, or -1. */
long virBitmapNext(const virBitmap *map, size_t from);
/* The largest number, or -1. */
long virBitmapLast(const virBitmap *map);
size_t virBitmapCount(const virBitmap *map);
bool virBitmapIsEmpty(const virBitmap *map);
/* Both NULL, or equal sets. */
bool virBitmapEqual(const virBitmap *a, const virBitmap *b);
bool virBitmapOverlaps(const virBitmap *a, const virBitmap *b);
/* Adds what is in other. */
void virBitmapUnite(virBitmap *map, const virBitmap *other);

#define virBitmapForEach(map, number)                                                              \
    for (long number = virBitmapNext(map, 0); number >= 0; number = virBitmapNext(map, number + 1))
