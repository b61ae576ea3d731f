/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virbitmap.c: a set of small numbers as words of bits. */
#include "util/virbitmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"

enum { VIR_BITMAP_BITS = 64 };

struct virBitmap {
    size_t words;
    guint64 *bits;
};

virBitmap *
virBitmapNew(void)
{
    return g_new0(virBitmap, 1);
}

void
virBitmapFree(virBitmap *map)
{
    if (!map)
        return;
    g_free(map->bits);
    g_free(map);
}

virBitmap *
virBitmapCopy(const virBitmap *map)
{
    virBitmap *copy;

    if (!map)
        return NULL;
    copy = virBitmapNew();
    copy->words = map->words;
    copy->bits = g_memdup2(map->bits, map->words * sizeof(*map->bits));
    return copy;
}

void
virBitmapSet(virBitmap *map, size_t number)
{
    size_t word = number / VIR_BITMAP_BITS;

    if (word >= map->words) {
        map->bits = g_renew(guint64, map->bits, word + 1);
        memset(map->bits + map->words, 0, (word + 1 - map->words) * sizeof(*map->bits));
        map->words = word + 1;
    }
    map->bits[word] |= G_GUINT64_CONSTANT(1) << (number % VIR_BITMAP_BITS);
}

void
virBitmapClear(virBitmap *map, size_t number)
{
    if (number / VIR_BITMAP_BITS < map->words)
        map->bits[number / VIR_BITMAP_BITS] &=
            ~(G_GUINT64_CONSTANT(1) << (number % VIR_BITMAP_BITS));
}

bool
virBitmapHas(const virBitmap *map, size_t number)
{
    size_t word = number / VIR_BITMAP_BITS;

    return map && word < map->words && (map->bits[word] >> (number % VIR_BITMAP_BITS) & 1);
}

long
virBitmapNext(const virBitmap *map, size_t from)
{
    if (!map)
        return -1;
    for (size_t word = from / VIR_BITMAP_BITS; word < map->words; word++) {
        guint64 bits = map->bits[word];

        if (word == from / VIR_BITMAP_BITS)
            bits &= ~G_GUINT64_CONSTANT(0) << (from % VIR_BITMAP_BITS);
        if (bits)
            return (long)(word * VIR_BITMAP_BITS) + __builtin_ctzll(bits);
    }
    return -1;
}

long
virBitmapLast(const virBitmap *map)
{
    for (size_t word = map ? map->words : 0; word-- > 0;) {
        if (map->bits[word])
            return (long)(word * VIR_BITMAP_BITS) + 63 - __builtin_clzll(map->bits[word]);
    }
    return -1;
}

size_t
virBitmapCount(const virBitmap *map)
{
    size_t count = 0;

    for (size_t word = 0; map && word < map->words; word++)
        count += (size_t)__builtin_popcountll(map->bits[word]);
    return count;
}

bool
virBitmapIsEmpty(const virBitmap *map)
{
    return virBitmapNext(map, 0) < 0;
}

bool
virBitmapEqual(const virBitmap *a, const virBitmap *b)
{
    long at = 0;

    if (!a || !b)
        return !a && !b;
    for (;;) {
        long next = virBitmapNext(a, (size_t)at);

        if (next != virBitmapNext(b, (size_t)at))
            return false;
        if (next < 0)
            return true;
        at = next + 1;
    }
}

bool
virBitmapOverlaps(const virBitmap *a, const virBitmap *b)
{
    for (size_t word = 0; a && b && word < a->words && word < b->words; word++) {
        if (a->bits[word] & b->bits[word])
            return true;
    }
    return false;
}

void
virBitmapUnite(virBitmap *map, const virBitmap *other)
{
    virBitmapForEach(other, number) virBitmapSet(map, (size_t)number);
}

/* One number at *at, which is moved behind it. */
static bool
virBitmapParseNumber(const char **at, size_t limit, size_t *ret)
{
    char *end;

    if (!g_ascii_isdigit(**at))
        return false;
    errno = 0;
    *ret = strtoul(*at, &end, 10);
    if (errno != 0 || *ret >= limit)
        return false;
    *at = end;
    return true;
}

static void
virBitmapSkipSpace(const char **at)
{
    while (g_ascii_isspace(**at))
        (*at)++;
}

static bool
virBitmapParseItem(virBitmap *map, const char **at, size_t limit)
{
    bool without = **at == '^';
    size_t first;
    size_t last;

    *at += without;
    if (!virBitmapParseNumber(at, limit, &first))
        return false;
    last = first;
    virBitmapSkipSpace(at);
    if (**at == '-') {
        (*at)++;
        virBitmapSkipSpace(at);
        if (without || !virBitmapParseNumber(at, limit, &last) || last < first)
            return false;
        virBitmapSkipSpace(at);
    }
    for (size_t number = first; number <= last; number++) {
        if (without)
            virBitmapClear(map, number);
        else
            virBitmapSet(map, number);
    }
    return true;
}

virBitmap *
virBitmapParse(const char *text, size_t limit, GError **error)
{
    g_autoptr(virBitmap) map = virBitmapNew();
    const char *at = text;

    do {
        virBitmapSkipSpace(&at);
        if (!virBitmapParseItem(map, &at, limit)) {
            virErrorSet(error, VIR_ERR_INVALID_ARG, _("Failed to parse bitmap '%s'"), text);
            return NULL;
        }
    } while (*at == ',' && at++);
    if (*at) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("Failed to parse bitmap '%s'"), text);
        return NULL;
    }
    return g_steal_pointer(&map);
}

char *
virBitmapFormat(const virBitmap *map)
{
    GString *text = g_string_new(NULL);

    for (long first = virBitmapNext(map, 0); first >= 0;) {
        long last = first;

        while (virBitmapHas(map, (size_t)last + 1))
            last++;
        g_string_append_printf(text, "%s%ld", text->len ? "," : "", first);
        if (last > first)
            g_string_append_printf(text, "-%ld", last);
        first = virBitmapNext(map, (size_t)last + 1);
    }
    return g_string_free(text, FALSE);
}
