/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetbuffer.h: bytes of the wire in memory that is wiped whenever it moves or goes. One thread
 * at a time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *data;
    size_t len;
    size_t size; /* of the memory behind data */
    size_t max;  /* no more than this many bytes ever */
} virNetBuffer;

/* Takes no memory yet. */
void virNetBufferInit(virNetBuffer *buffer, size_t max);
/* Wipes and frees; the buffer is empty afterwards and may be used again. */
void virNetBufferClear(virNetBuffer *buffer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virNetBuffer, virNetBufferClear)

/* Makes the buffer len bytes longer and returns where they begin, NULL if that would be beyond max.
 * The bytes are the caller's to fill. */
uint8_t *virNetBufferExtend(virNetBuffer *buffer, size_t len);
/* Cuts the buffer to len bytes and wipes what falls off. */
void virNetBufferTruncate(virNetBuffer *buffer, size_t len);
/* Takes the first len bytes out and wipes where they were. */
void virNetBufferConsume(virNetBuffer *buffer, size_t len);
