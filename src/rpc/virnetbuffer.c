/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetbuffer.c: realloc(3) leaves a copy of what it moves, so growing is done by hand. */
#include "rpc/virnetbuffer.h"

#include <string.h>

#include "util/virsecure.h"

enum { SIZE_MIN = 256 };

void
virNetBufferInit(virNetBuffer *buffer, size_t max)
{
    *buffer = (virNetBuffer){.max = max};
}

void
virNetBufferClear(virNetBuffer *buffer)
{
    virSecureErase(buffer->data, buffer->len);
    g_clear_pointer(&buffer->data, g_free);
    buffer->len = buffer->size = 0;
}

static void
bufferGrow(virNetBuffer *buffer, size_t need)
{
    size_t size = MAX(buffer->size * 2, SIZE_MIN);
    uint8_t *data;

    size = MIN(MAX(size, need), MAX(buffer->max, need));
    data = g_malloc(size);
    if (buffer->len > 0) {
        memcpy(data, buffer->data, buffer->len);
        virSecureErase(buffer->data, buffer->len);
    }
    g_free(buffer->data);
    buffer->data = data;
    buffer->size = size;
}

uint8_t *
virNetBufferExtend(virNetBuffer *buffer, size_t len)
{
    uint8_t *at;

    if (len > buffer->max || buffer->len > buffer->max - len)
        return NULL;
    if (len > buffer->size - buffer->len)
        bufferGrow(buffer, buffer->len + len);
    at = buffer->data + buffer->len;
    buffer->len += len;
    return at;
}

void
virNetBufferTruncate(virNetBuffer *buffer, size_t len)
{
    g_assert(len <= buffer->len);
    if (len == buffer->len)
        return; /* also where there is no memory yet */
    virSecureErase(buffer->data + len, buffer->len - len);
    buffer->len = len;
}

void
virNetBufferConsume(virNetBuffer *buffer, size_t len)
{
    size_t left;

    g_assert(len <= buffer->len);
    left = buffer->len - len;
    if (left > 0)
        memmove(buffer->data, buffer->data + len, left);
    virNetBufferTruncate(buffer, left);
}
