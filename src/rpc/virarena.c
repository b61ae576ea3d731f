/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virarena.c: chunks handed out from front to back. Only what was handed out is wiped. */
#include "rpc/virarena.h"

#include <string.h>

#include "util/virsecure.h"

enum { CHUNK_MIN = 4096, CHUNK_MAX = 256 * 1024 };

struct virArenaChunk {
    virArenaChunk *older;
    size_t olderUsed; /* of that chunk, for wiping */
    max_align_t data[];
};

void
virArenaInit(virArena *arena)
{
    arena->chunks = NULL;
    arena->used = 0;
    arena->size = sizeof(arena->first);
}

void
virArenaClear(virArena *arena)
{
    while (arena->chunks) {
        virArenaChunk *chunk = arena->chunks;

        virSecureErase(chunk->data, arena->used);
        arena->chunks = chunk->older;
        arena->used = chunk->olderUsed;
        g_free(chunk);
    }
    virSecureErase(arena->first.bytes, arena->used);
    virArenaInit(arena);
}

static void
arenaGrow(virArena *arena, size_t size)
{
    size_t next = MAX(size, CLAMP(arena->size * 2, CHUNK_MIN, CHUNK_MAX));
    virArenaChunk *chunk = g_malloc(sizeof(*chunk) + next);

    chunk->older = arena->chunks;
    chunk->olderUsed = arena->used;
    arena->chunks = chunk;
    arena->used = 0;
    arena->size = next;
}

void *
virArenaAlloc(virArena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size_t rounded = (size + align - 1) / align * align;
    uint8_t *at;

    g_assert(rounded >= size);
    if (rounded > arena->size - arena->used)
        arenaGrow(arena, rounded);
    at = arena->chunks ? (uint8_t *)arena->chunks->data : arena->first.bytes;
    at += arena->used;
    arena->used += rounded;
    memset(at, 0, size);
    return at;
}

void *
virArenaAllocMany(virArena *arena, size_t n, size_t size)
{
    size_t total;

    g_assert(g_size_checked_mul(&total, n, size));
    return virArenaAlloc(arena, total);
}

char *
virArenaStrndup(virArena *arena, const char *text, size_t len)
{
    char *copy = virArenaAlloc(arena, len + 1);

    memcpy(copy, text, len);
    return copy;
}

char *
virArenaStrdup(virArena *arena, const char *text)
{
    return text ? virArenaStrndup(arena, text, strlen(text)) : NULL;
}
