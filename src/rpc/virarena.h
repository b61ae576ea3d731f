/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virarena.h: the memory of one message, given back all at once and wiped.
 *
 * What a message decodes into, and what a handler answers with, may be secret (a password in a
 * document, a key): nobody has to know, all of it is overwritten at the end. One thread at a time.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct virArenaChunk virArenaChunk;

typedef struct {
    virArenaChunk *chunks; /* the newest first */
    size_t used;           /* of the newest chunk, or of first */
    size_t size;
    /* Enough for most messages: no allocation at all. */
    union {
        uint8_t bytes[512];
        max_align_t align;
    } first;
} virArena;

void virArenaInit(virArena *arena);
/* Wipes and frees all that was taken; the arena is empty afterwards and may be used again. */
void virArenaClear(virArena *arena);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virArena, virArenaClear)

/* size bytes of zeroes, aligned for any type. Ends the program if there is no memory, so check
 * against a limit first what a stranger chose. */
void *virArenaAlloc(virArena *arena, size_t size);
#define virArenaNew(arena, type, n) ((type *)virArenaAllocMany(arena, n, sizeof(type)))
/* The same for n items of that size. */
void *virArenaAllocMany(virArena *arena, size_t n, size_t size);
/* A copy with a NUL behind it. */
char *virArenaStrndup(virArena *arena, const char *text, size_t len);
char *virArenaStrdup(virArena *arena, const char *text /* NULL gives NULL */);
