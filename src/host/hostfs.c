/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostfs.c: the small files in which a Linux describes itself. */
#include "host/hostfs.h"

#include <stdarg.h>
#include <string.h>

#include "util/virfile.h"
#include "util/virscale.h"
#include "util/virutil.h"

/* No file that we read is larger. */
#define VIR_HOST_FS_MAX (4 * 1024 * 1024)

static char *
virHostFsRead(const char *fmt, va_list ap)
{
    g_autofree char *path = g_strdup_vprintf(fmt, ap);
    char *text = virFileRead(path, VIR_HOST_FS_MAX, NULL, NULL); /* absence is an answer */

    return text ? g_strstrip(text) : NULL;
}

char *
virHostFsText(const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    text = virHostFsRead(fmt, ap);
    va_end(ap);
    return text;
}

bool
virHostFsNumber(uint64_t *ret, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    uint64_t scale = 1;
    uint64_t value;
    size_t len;
    va_list ap;

    va_start(ap, fmt);
    text = virHostFsRead(fmt, ap);
    va_end(ap);
    if (!text || (len = strlen(text)) == 0)
        return false;
    if (text[len - 1] == 'K')
        scale = 1024;
    else if (text[len - 1] == 'M')
        scale = 1024 * 1024;
    if (scale > 1)
        text[len - 1] = '\0';
    if (!virStringToUInt(text, UINT64_MAX / scale, &value))
        return false;
    *ret = value * scale;
    return true;
}

virBitmap *
virHostFsList(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = virHostFsRead(fmt, ap);
    va_end(ap);
    if (!text)
        return NULL;
    return *text ? virBitmapParse(text, VIR_BITMAP_MAX, NULL) : virBitmapNew();
}

virBitmap *
virHostFsEntries(const char *prefix, const char *fmt, ...)
{
    g_autofree char *path = NULL;
    g_autoptr(GDir) dir = NULL;
    virBitmap *map;
    const char *name;
    va_list ap;

    va_start(ap, fmt);
    path = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (!(dir = g_dir_open(path, 0, NULL)))
        return NULL;
    map = virBitmapNew();
    while ((name = g_dir_read_name(dir))) {
        uint64_t number;

        if (g_str_has_prefix(name, prefix) &&
            virStringToUInt(name + strlen(prefix), VIR_BITMAP_MAX, &number))
            virBitmapSet(map, number);
    }
    return map;
}

bool
virHostFsExists(const char *fmt, ...)
{
    g_autofree char *path = NULL;
    va_list ap;

    va_start(ap, fmt);
    path = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}
