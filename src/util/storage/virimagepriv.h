/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virimagepriv.h: the bytes of a header, read only within their bounds; for the formats' files. */
#pragma once

#include "util/storage/virimage.h"

typedef struct {
    const unsigned char *bytes;
    size_t len;
} virImageData;

/* len bytes from offset on are there. */
bool virImageBytes(const virImageData *data, uint64_t offset, uint64_t len);
/* Zero where there is nothing. */
uint32_t virImageU32(const virImageData *data, uint64_t offset, bool big);
uint64_t virImageU64(const virImageData *data, uint64_t offset, bool big);
/* Text of len bytes without a NUL in it; NULL if it is not whole. Caller frees. */
char *virImageText(const virImageData *data, uint64_t offset, uint64_t len);

/* virimageqcow.c */
bool virImageParseQcow(const virImageData *data, virImageHeader *header, GError **error);
bool virImageParseQcow2(const virImageData *data, virImageHeader *header, GError **error);
bool virImageParseQED(const virImageData *data, virImageHeader *header, GError **error);
/* virimagevmdk.c */
bool virImageParseVMDK(const virImageData *data, virImageHeader *header, GError **error);
