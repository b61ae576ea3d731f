/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virsystemd.c: names of units and machines. What goes over the bus is virsystemdbus.c. See
 * virsystemd.h. */
#include "util/virsystemd.h"

#include <string.h>

/* A machine's name is a host's. */
#define MACHINE_NAME_MAX 64
#define SCOPE_PREFIX "machine-"
#define SCOPE_SUFFIX ".scope"

const char *
virSystemdManagerToString(virSystemdManager manager)
{
    static const char *const names[] = {
        [VIR_SYSTEMD_NONE] = "none",
        [VIR_SYSTEMD_SCOPES] = "systemd",
        [VIR_SYSTEMD_MACHINES] = "machined",
    };

    return names[manager];
}

/* --- machines --- */

/* Points and hyphens neither begin nor end a name, nor follow each other. */
static void
virSystemdAppendHostname(GString *machine, const char *name)
{
    bool skip = true;

    for (; *name && machine->len < MACHINE_NAME_MAX; name++) {
        if (*name == '.' || *name == '-') {
            if (!skip)
                g_string_append_c(machine, *name);
            skip = true;
            continue;
        }
        skip = false;
        if (g_ascii_isalnum(*name))
            g_string_append_c(machine, *name);
    }
    while (machine->len && strchr("-.", machine->str[machine->len - 1]))
        g_string_truncate(machine, machine->len - 1);
}

char *
virSystemdMachineName(const char *instance, int id, const char *name)
{
    GString *machine = g_string_new("qemu-");

    if (instance)
        g_string_append_printf(machine, "embed-%.8s-", instance);
    g_string_append_printf(machine, "%d-", id);
    virSystemdAppendHostname(machine, name);
    return g_string_free(machine, FALSE);
}

/* --- units --- */

/* '/' becomes '-', and what a unit's name can't have \xNN. */
static void
virSystemdEscape(GString *unit, const char *name)
{
    for (const char *at = name; *at; at++) {
        if (*at == '/')
            g_string_append_c(unit, '-');
        else if (g_ascii_isalnum(*at) || strchr(":_", *at) || (*at == '.' && at != name))
            g_string_append_c(unit, *at);
        else
            g_string_append_printf(unit, "\\x%02x", (unsigned char)*at);
    }
}

static char *
virSystemdUnescape(const char *name, size_t length)
{
    GString *plain = g_string_new(NULL);

    for (size_t i = 0; i < length; i++) {
        if (i + 3 < length && name[i] == '\\' && name[i + 1] == 'x' &&
            g_ascii_isxdigit(name[i + 2]) && g_ascii_isxdigit(name[i + 3])) {
            g_string_append_c(plain, (char)(g_ascii_xdigit_value(name[i + 2]) * 16 +
                                            g_ascii_xdigit_value(name[i + 3])));
            i += 3;
        } else {
            g_string_append_c(plain, name[i]);
        }
    }
    return g_string_free(plain, FALSE);
}

/* A slice lies in the slices whose names its own begins with. */
static void
virSystemdAppendSlices(GString *path, const char *partition)
{
    g_auto(GStrv) words = g_strsplit(partition, "/", -1);
    g_autoptr(GString) slice = g_string_new(NULL);

    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        if (slice->len)
            g_string_append_c(slice, '-');
        virSystemdEscape(slice, *word);
        g_string_append_printf(path, "%s.slice/", slice->str);
    }
}

char *
virSystemdScopePath(const char *partition, const char *machine)
{
    GString *path = g_string_new(NULL);

    virSystemdAppendSlices(path, partition ? partition : "");
    if (path->len == 0)
        g_string_append(path, "machine.slice/");
    g_string_append(path, SCOPE_PREFIX);
    virSystemdEscape(path, machine);
    g_string_append(path, SCOPE_SUFFIX);
    return g_string_free(path, FALSE);
}

char *
virSystemdScopeMachine(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *unit = slash ? slash + 1 : path;
    const size_t around = strlen(SCOPE_PREFIX SCOPE_SUFFIX);

    if (!g_str_has_prefix(unit, SCOPE_PREFIX) || !g_str_has_suffix(unit, SCOPE_SUFFIX) ||
        strlen(unit) <= around)
        return NULL;
    return virSystemdUnescape(unit + strlen(SCOPE_PREFIX), strlen(unit) - around);
}
