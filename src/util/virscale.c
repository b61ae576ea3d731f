/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virscale.c: numbers with units. */
#include "util/virscale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"
#include "util/virxml.h"

/* Returns 0 for a suffix that is none. */
static uint64_t
virScaleFactor(const char *suffix)
{
    static const char letters[] = "kmgtpe";
    const char *letter;
    uint64_t base;
    uint64_t factor = 1;

    if (g_ascii_strcasecmp(suffix, "b") == 0 || g_ascii_strcasecmp(suffix, "byte") == 0 ||
        g_ascii_strcasecmp(suffix, "bytes") == 0)
        return 1;
    if (!suffix[1] || g_ascii_strcasecmp(suffix + 1, "iB") == 0)
        base = 1024;
    else if (g_ascii_tolower(suffix[1]) == 'b' && !suffix[2])
        base = 1000;
    else
        return 0;
    letter = strchr(letters, g_ascii_tolower(suffix[0]));
    if (!letter)
        return 0;
    for (const char *at = letters; at <= letter; at++)
        factor *= base;
    return factor;
}

bool
virScaleInteger(uint64_t *value, const char *suffix, uint64_t scale, uint64_t limit, GError **error)
{
    uint64_t factor = scale;

    if (suffix && *suffix)
        factor = virScaleFactor(suffix);
    if (factor == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unknown suffix '%s'"), suffix);
    if (*value > limit / factor)
        return virErrorSet(error, VIR_ERR_OVERFLOW, _("value too large: %" PRIu64 "%s"), *value,
                           suffix ? suffix : "");
    *value *= factor;
    return true;
}

bool
virStringToUInt(const char *text, uint64_t max, uint64_t *ret)
{
    char *end;
    uint64_t value;

    while (g_ascii_isspace(*text))
        text++;
    if (!g_ascii_isdigit(*text))
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end || value > max)
        return false;
    *ret = value;
    return true;
}

bool
virStringToInt(const char *text, int64_t *ret)
{
    char *end;
    int64_t value;

    while (g_ascii_isspace(*text))
        text++;
    if (!g_ascii_isdigit(text[*text == '-' || *text == '+']))
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || *end)
        return false;
    *ret = value;
    return true;
}

bool
virXMLScaled(const xmlNode *node, const char *path, uint64_t scale, uint64_t limit, bool required,
             bool *retSet, uint64_t *ret, GError **error)
{
    g_autofree char *element = g_strdup(path);
    char *attr = strchr(element, '@');
    const xmlNode *at;
    g_autofree char *text = NULL;
    g_autofree char *unit = NULL;
    uint64_t value;

    if (attr)
        *attr++ = '\0';
    at = *element ? virXMLChildAt(node, element) : node;
    text = attr ? virXMLAttr(at, attr) : virXMLText(at);
    *retSet = false;
    if (!text || !*text)
        return !required ||
               virErrorSet(error, VIR_ERR_XML_ERROR, _("missing element or attribute '%s'"), path);
    if (!virStringToUInt(text, UINT64_MAX, &value))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value '%s' for element or attribute '%s'"), text, path);
    unit = virXMLAttr(at, "unit");
    if (!virScaleInteger(&value, unit, scale, limit, error))
        return false;
    *retSet = true;
    *ret = value;
    return true;
}

bool
virXMLMemory(const xmlNode *node, const char *path, bool required, bool *retSet, uint64_t *retKiB,
             GError **error)
{
    uint64_t bytes;

    if (!virXMLScaled(node, path, 1024, INT64_MAX, required, retSet, &bytes, error))
        return false;
    if (!*retSet)
        return true;
    if (bytes > INT64_MAX - 1024)
        return virErrorSet(error, VIR_ERR_OVERFLOW, "%s", _("size value too large"));
    *retKiB = bytes / 1024 + (bytes % 1024 != 0);
    return true;
}

uint64_t
virScalePretty(uint64_t value, const char **retUnit)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned i = 0;

    while (value && value % 1024 == 0 && i + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        i++;
    }
    *retUnit = units[i];
    return value;
}
