/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * viruuid.c: UUIDs made, read and written. */
#include "util/viruuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static bool predictable;

void
virRandomMakePredictable(void)
{
    predictable = true;
}

void
virRandomBytes(void *bytes, size_t len)
{
    unsigned char *at = bytes;

    if (predictable) {
        for (size_t i = 0; i < len; i++)
            at[i] = (unsigned char)i;
        return;
    }
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0 && errno != EINTR)
            g_error("getrandom: %s", g_strerror(errno)); /* the kernel promises that it works */
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

void
virUUIDGenerate(unsigned char uuid[VIR_UUID_SIZE])
{
    virRandomBytes(uuid, VIR_UUID_SIZE);
    /* RFC 4122: version 4, variant 10 */
    uuid[6] = (uuid[6] & 0x0f) | (4 << 4);
    uuid[8] = (uuid[8] & 0x3f) | (2 << 6);
}

bool
virUUIDParse(const char *text, unsigned char uuid[VIR_UUID_SIZE])
{
    const char *at = text;

    while (g_ascii_isspace(*at))
        at++;
    for (int i = 0; i < VIR_UUID_SIZE; i++) {
        int high;
        int low;

        while (*at == '-')
            at++;
        high = g_ascii_xdigit_value(at[0]);
        low = high < 0 ? -1 : g_ascii_xdigit_value(at[1]);
        if (low < 0)
            return false;
        uuid[i] = (unsigned char)(high << 4 | low);
        at += 2;
    }
    while (g_ascii_isspace(*at))
        at++;
    return *at == '\0';
}

char *
virUUIDFormat(const unsigned char uuid[VIR_UUID_SIZE], char text[VIR_UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;

    for (int i = 0; i < VIR_UUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[uuid[i] >> 4];
        *at++ = digits[uuid[i] & 0xf];
    }
    *at = '\0';
    return text;
}
