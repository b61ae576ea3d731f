/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xdrprobe.c: our codec as a shared object, for xdr_compare.py to call. */
#include <string.h>

#include "rpc/types.gen.h"
#include "rpc/virxdr.h"

__attribute__((visibility("default"))) int xdrProbe(const char *type, const uint8_t *in,
                                                    size_t inLen, uint8_t *out, size_t outMax,
                                                    size_t *retUsed, size_t *retLen);

enum { PROBE_NO_TYPE, PROBE_NOT_DECODED, PROBE_NOT_ENCODED, PROBE_DONE };

/* Decodes in and encodes that again into out; says how far it came. */
int
xdrProbe(const char *type, const uint8_t *in, size_t inLen, uint8_t *out, size_t outMax,
         size_t *retUsed, size_t *retLen)
{
    const virXdrType *row = NULL;
    g_autofree void *value = NULL;
    g_auto(virArena) arena = {0};
    g_auto(virNetBuffer) buffer = {0};

    for (size_t i = 0; i < virXdrTypesCount && !row; i++) {
        if (g_str_equal(virXdrTypes[i]->name, type))
            row = virXdrTypes[i];
    }
    if (!row)
        return PROBE_NO_TYPE;
    virArenaInit(&arena);
    virNetBufferInit(&buffer, outMax);
    value = g_malloc(row->size);
    if (!virXdrDecode(row, in, inLen, &arena, value, retUsed, NULL))
        return PROBE_NOT_DECODED;
    if (!virXdrEncode(row, value, &buffer, NULL))
        return PROBE_NOT_ENCODED;
    memcpy(out, buffer.data, buffer.len);
    *retLen = buffer.len;
    return PROBE_DONE;
}
