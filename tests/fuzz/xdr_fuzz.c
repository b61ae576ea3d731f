/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xdr_fuzz.c: any bytes as any type. What decodes must encode, and that must decode and encode to
 * the same bytes once more. The first two bytes choose the type. */
#include <string.h>

#include "rpc/types.gen.h"
#include "rpc/virxdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes and encodes; false if it does not decode. */
static bool
turn(const virXdrType *type, const uint8_t *data, size_t len, virNetBuffer *out)
{
    g_autofree void *value = g_malloc(type->size);
    g_auto(virArena) arena = {0};
    size_t used;

    virArenaInit(&arena);
    if (!virXdrDecode(type, data, len, &arena, value, &used, NULL))
        return false;
    g_assert(used <= len);
    g_assert(virXdrEncode(type, value, out, NULL));
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(virNetBuffer) once = {0};
    g_auto(virNetBuffer) twice = {0};
    const virXdrType *type;

    if (size < 2)
        return 0;
    type = virXdrTypes[(data[0] << 8 | data[1]) % virXdrTypesCount];
    virNetBufferInit(&once, SIZE_MAX);
    virNetBufferInit(&twice, SIZE_MAX);
    if (!turn(type, data + 2, size - 2, &once))
        return 0;
    g_assert(turn(type, once.data, once.len, &twice));
    g_assert(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    return 0;
}
