/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policycheck.c: see policycheck.h. A bound that is misspelt must not wait for the first call to be
 * found, and a list with a gap must not allow what nobody wrote: an empty path is the beginning of
 * every other. */
#include "helperd/policycheck.h"

#include <string.h>

#include "util/cgroup/vircgrouplimit.h"
#include "util/virbitmap.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* --- lines --- */

/* What a line is; group or key is set to the caller's to free, comments and blanks to neither.
 * False: it is nothing that belongs here. */
static bool
readLine(const char *line, char **retGroup, char **retKey)
{
    g_autofree char *text = g_strstrip(g_strdup(line));
    char *end = *text == '[' ? strchr(text, ']') : strchr(text, '=');

    *retGroup = *retKey = NULL;
    if (*text == '\0' || *text == '#')
        return true;
    if (!end || end == text || (*text == '[' && end[1] != '\0'))
        return false;
    *end = '\0';
    if (*text == '[')
        *retGroup = g_strdup(text + 1);
    else
        *retKey = g_strdup(g_strchomp(text));
    return true;
}

unsigned
helperPolicyFindLine(const char *text, const char *group, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool inside = false;

    for (unsigned i = 0; lines[i]; i++) {
        g_autofree char *head = NULL;
        g_autofree char *name = NULL;

        if (!readLine(lines[i], &head, &name))
            continue;
        if (head)
            inside = g_str_equal(head, group);
        if (inside && (key ? g_strcmp0(name, key) == 0 : head != NULL))
            return i + 1;
    }
    return 0;
}

bool
helperPolicyCheckLines(const char *path, const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *group = NULL;

    for (unsigned i = 0; lines[i]; i++) {
        g_autofree char *head = NULL;
        g_autofree char *key = NULL;
        g_autofree char *shown = NULL;

        if (!readLine(lines[i], &head, &key) || (key && !group))
            return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                               _("%s:%u: '%s' is neither [OPERATION] nor KEY=VALUE in one"), path,
                               i + 1, g_strstrip(lines[i]));
        if (!head && !key)
            continue;
        if (head) {
            g_free(group);
            group = g_strdup(head);
        }
        shown = key ? g_strdup_printf("[%s] %s", group, key) : g_strdup_printf("[%s]", group);
        if (!g_hash_table_add(seen, g_steal_pointer(&shown)))
            return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("%s:%u: [%s]%s%s is there twice"),
                               path, i + 1, group, key ? " " : "", key ? key : "");
    }
    return true;
}

/* --- values --- */

typedef bool (*valueCheck)(const char *value);

static bool
isNumber(const char *value)
{
    char *end = NULL;

    errno = 0;
    (void)g_ascii_strtoll(value, &end, 10);
    return *value && *end == '\0' && !g_ascii_isspace(*value) && errno == 0;
}

static bool
isYes(const char *value)
{
    return g_str_equal(value, "yes") || g_str_equal(value, "no");
}

/* A shell pattern of characters out of a set; what stands in brackets may be a range. */
static bool
isPattern(const char *value, const char *set)
{
    bool inside = false;

    for (const char *at = value; *at; at++) {
        if (*at == '[' || *at == ']') {
            if ((*at == '[') == inside)
                return false;
            inside = *at == '[';
        } else if (!strchr(set, *at) && !(inside && strchr("-!^", *at))) {
            return false;
        }
    }
    return *value && !inside;
}

static bool
isNumberPattern(const char *value)
{
    return isPattern(value, "0123456789*?");
}

static bool
isPath(const char *value)
{
    const size_t len = strlen(value);

    return *value == '/' && (len == 1 || value[len - 1] != '/') && !strstr(value, "//") &&
           !strstr(value, "/../") && !g_str_has_suffix(value, "/..") && !strchr(value, '\n');
}

static bool
isWord(const char *value)
{
    return *value && !strchr(value, '/') && !strchr(value, ' ');
}

/* "c 10:232", with patterns in the place of each; "*" for all. */
static bool
isDevice(const char *value)
{
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    g_auto(GStrv) numbers = words[0] && words[1] ? g_strsplit(words[1], ":", -1) : NULL;

    if (g_str_equal(value, "*"))
        return true;
    return numbers && !words[2] && isPattern(words[0], "bc*?") && numbers[0] && numbers[1] &&
           !numbers[2] && isNumberPattern(numbers[0]) && isNumberPattern(numbers[1]);
}

/* "0000:03:00.[0-3]" */
static bool
isPCI(const char *value)
{
    return isPattern(value, "0123456789abcdefABCDEF:.*?");
}

static bool
isMode(const char *value)
{
    return g_str_equal(value, "enforce") || g_str_equal(value, "permissive");
}

static bool
isMacvtapMode(const char *value)
{
    static const char *const modes[] = {"vepa", "private", "bridge", "passthrough", NULL};

    return g_strv_contains(modes, value);
}

static bool
isMountKind(const char *value)
{
    static const char *const kinds[] = {"tmpfs", "bind", "devpts", "node", "link", NULL};

    return g_strv_contains(kinds, value);
}

static bool
isMountSource(const char *value)
{
    static const char *const kinds[] = {"devpts", "tmpfs", "mqueue", "hugetlbfs", NULL};

    return g_strv_contains(kinds, value);
}

static bool
isAny(const char *value)
{
    return g_str_equal(value, "any");
}

static bool
isCpuList(const char *value)
{
    g_autoptr(virBitmap) map = virBitmapParse(value, VIR_BITMAP_MAX, NULL);

    return map != NULL;
}

bool
helperPolicyReadBounds(const char *row, char **retFile, bool *retBounded, gint64 *retMin,
                       gint64 *retMax)
{
    const char *colon = strchr(row, ':');
    g_auto(GStrv) ends = colon ? g_strsplit(colon + 1, "-", -1) : NULL;

    *retBounded = colon != NULL;
    *retMin = *retMax = 0;
    if (colon) {
        if (g_strv_length(ends) != 2 || !isNumber(ends[0]))
            return false;
        *retMin = g_ascii_strtoll(ends[0], NULL, 10);
        *retMax = g_str_equal(ends[1], "max") ? G_MAXINT64 : g_ascii_strtoll(ends[1], NULL, 10);
        if ((!isNumber(ends[1]) && !g_str_equal(ends[1], "max")) || *retMin > *retMax)
            return false;
    }
    *retFile = colon ? g_strndup(row, (gsize)(colon - row)) : g_strdup(row);
    return true;
}

static bool
isLimit(const char *value)
{
    g_autofree char *file = NULL;
    gint64 min, max;
    bool bounded;

    return helperPolicyReadBounds(value, &file, &bounded, &min, &max) && virCgroupLimitIsFile(file);
}

/* What the value of a key is; group NULL: of every operation that has no row of its own. */
static const struct {
    const char *group;
    const char *key;
    bool list;
    valueCheck check;
    const char *what; /* ends the sentence "... is no" */
} kinds[] = {
    {"device.open", "devices", true, isWord, N_("kind of device")},
    {"tap.create", "modes", true, isMacvtapMode,
     N_("mode of a macvtap (vepa, private, bridge, passthrough)")},
    {NULL, "devices", true, isDevice, N_("pattern of devices (\"c MAJOR:MINOR\", \"b ...\")")},
    {NULL, "max", false, isNumber, N_("number")},
    {NULL, "min", false, isNumber, N_("number")},
    {NULL, "burst", false, isNumber, N_("number")},
    {NULL, "mtu", false, isNumber, N_("number")},
    {NULL, "burst", false, isNumber, N_("number")},
    {NULL, "unlimited", false, isYes, N_("\"yes\" or \"no\"")},
    {NULL, "ids", false, isYes, N_("\"yes\" or \"no\"")},
    {NULL, "other-users", false, isYes, N_("\"yes\" or \"no\"")},
    {NULL, "policies", true, isNumberPattern, N_("number, nor a shell pattern of numbers")},
    {NULL, "uids", true, isNumberPattern, N_("number, nor a shell pattern of numbers")},
    {NULL, "gids", true, isNumberPattern, N_("number, nor a shell pattern of numbers")},
    {NULL, "cpus", true, isNumberPattern, N_("number, nor a shell pattern of numbers")},
    {NULL, "folders", true, isPath, N_("absolute path without \"..\" or a slash at its end")},
    {NULL, "sockets", true, isPath, N_("absolute path without \"..\" or a slash at its end")},
    {NULL, "cgroups", true, isPath, N_("absolute path without \"..\" or a slash at its end")},
    {NULL, "from", true, isPath, N_("absolute path without \"..\" or a slash at its end")},
    {NULL, "nodes", true, isPath, N_("absolute path without \"..\" or a slash at its end")},
    {NULL, "pci", true, isPCI, N_("PCI address or shell pattern of addresses")},
    {NULL, "drivers", true, isWord, N_("name or shell pattern of names")},
    {NULL, "names", true, isWord, N_("name or shell pattern of names")},
    {NULL, "parents", true, isWord, N_("name or shell pattern of names")},
    {NULL, "bridges", true, isWord, N_("name or shell pattern of names")},
    {NULL, "controllers", true, isWord, N_("name of a controller")},
    {NULL, "modes", true, isMode, N_("mode of a gate (enforce, permissive)")},
    {NULL, "kinds", true, isMountKind, N_("kind of mount (tmpfs, bind, devpts, node, link)")},
    {NULL, "sources", true, isMountSource,
     N_("file system with folders for guests (devpts, tmpfs, mqueue, hugetlbfs)")},
    {NULL, "namespaces", true, isAny, N_("word for network namespaces (any)")},
    {NULL, "housekeeping", false, isCpuList, N_("list of CPUs (\"0-1,8\")")},
    {NULL, "vcpus", false, isCpuList, N_("list of CPUs (\"0-1,8\")")},
    {NULL, "files", true, isLimit,
     N_("file of a limit, with or without bounds (\"FILE:MIN-MAX\")")},
};

static bool
refuse(const char *path, const char *text, const char *group, const char *key, const char *value,
       const char *what, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("%s:%u: [%s] %s: '%s' is no %s"), path,
                       helperPolicyFindLine(text, group, key), group, key, value, what);
}

static bool
checkOrder(const char *path, const char *text, GKeyFile *file, const char *group, GError **error)
{
    gint64 max = g_key_file_get_int64(file, group, "max", NULL);
    gint64 min = g_key_file_get_int64(file, group, "min", NULL);

    return !g_key_file_has_key(file, group, "max", NULL) || min <= max ||
           virErrorSet(
               error, VIR_ERR_CONF_SYNTAX, _("%s:%u: [%s] min of %lld is above max of %lld"), path,
               helperPolicyFindLine(text, group, "min"), group, (long long)min, (long long)max);
}

bool
helperPolicyCheckValue(const char *path, const char *text, GKeyFile *file, const char *group,
                       const char *key, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(GStrv) list = NULL;
        g_autofree char *value = NULL;

        if (!g_str_equal(kinds[i].key, key) ||
            (kinds[i].group && !g_str_equal(kinds[i].group, group)))
            continue;
        if (kinds[i].list) {
            list = g_key_file_get_string_list(file, group, key, NULL, NULL);
            for (char **one = list; one && *one; one++) {
                if (!kinds[i].check(*one))
                    return refuse(path, text, group, key, *one, _(kinds[i].what), error);
            }
            if (list)
                return true;
        }
        value = g_key_file_get_string(file, group, key, NULL);
        if (!value || kinds[i].list || !kinds[i].check(value))
            return refuse(path, text, group, key, value ? value : "", _(kinds[i].what), error);
        return !g_str_equal(key, "min") || checkOrder(path, text, file, group, error);
    }
    return true;
}
