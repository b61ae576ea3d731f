/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config.c: one row per key. At start only. */
#include "daemon/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { FILE_MAX = 1024 * 1024 };

typedef enum {
    KEY_BOOL,
    KEY_INT,
    KEY_MODE, /* a string of octal digits, as file modes are written */
    KEY_STRING,
    KEY_LIST, /* strings in brackets, on one line */
    KEY_AUTH, /* a string; only what we can do */
    KEY_WORD, /* a string, one of the words */
} keyKind;

static const char *const gateModes[] = {"enforce", "permissive", NULL};
static const char *const managers[] = {"auto", "machined", "systemd", "none", NULL};
static const char *const namespaces[] = {"mount", NULL};
static const char *const controllers[] = {"cpu",     "cpuacct", "cpuset", "memory", "devices",
                                          "freezer", "blkio",   "pids",   NULL};
static const char *const gateLocks[] = {"direct", "both", NULL};

static const struct {
    const char *name;
    keyKind kind;
    size_t offset;
    int min;                  /* of KEY_INT */
    const char *const *words; /* of KEY_WORD; of KEY_LIST, NULL: any */
} keys[] = {
    {"unix_sock_group", KEY_STRING, offsetof(virDaemonConfig, unix_sock_group)},
    {"unix_sock_rw_perms", KEY_MODE, offsetof(virDaemonConfig, unix_sock_rw_perms)},
    {"unix_sock_ro_perms", KEY_MODE, offsetof(virDaemonConfig, unix_sock_ro_perms)},
    {"unix_sock_admin_perms", KEY_MODE, offsetof(virDaemonConfig, unix_sock_admin_perms)},
    {"libvirt_sockets", KEY_BOOL, offsetof(virDaemonConfig, libvirt_sockets)},
    {"auth_unix_rw", KEY_AUTH, offsetof(virDaemonConfig, auth_unix_rw)},
    {"auth_unix_ro", KEY_AUTH, offsetof(virDaemonConfig, auth_unix_ro)},
    {"max_clients", KEY_INT, offsetof(virDaemonConfig, max_clients), 1},
    {"max_client_requests", KEY_INT, offsetof(virDaemonConfig, max_client_requests), 1},
    {"keepalive_interval", KEY_INT, offsetof(virDaemonConfig, keepalive_interval), -1},
    {"keepalive_count", KEY_INT, offsetof(virDaemonConfig, keepalive_count), 0},
    {"user", KEY_STRING, offsetof(virDaemonConfig, user)},
    {"group", KEY_STRING, offsetof(virDaemonConfig, group)},
    {"dynamic_ownership", KEY_BOOL, offsetof(virDaemonConfig, dynamic_ownership)},
    {"cgroup_device_acl", KEY_LIST, offsetof(virDaemonConfig, cgroup_device_acl)},
    {"cgroup_manager", KEY_WORD, offsetof(virDaemonConfig, cgroup_manager), 0, managers},
    {"cgroup_controllers", KEY_LIST, offsetof(virDaemonConfig, cgroup_controllers), 0, controllers},
    {"namespaces", KEY_LIST, offsetof(virDaemonConfig, namespaces), 0, namespaces},
    {"gate_mode", KEY_WORD, offsetof(virDaemonConfig, gate_mode), 0, gateModes},
    {"gate_lock", KEY_WORD, offsetof(virDaemonConfig, gate_lock), 0, gateLocks},
    {"gate_rules", KEY_INT, offsetof(virDaemonConfig, gate_rules), 4},
    {"gate_rules_max", KEY_INT, offsetof(virDaemonConfig, gate_rules_max), 4},
    {"gate_watch_interval", KEY_INT, offsetof(virDaemonConfig, gate_watch_interval), 0},
    {"vnc_listen", KEY_STRING, offsetof(virDaemonConfig, vnc_listen)},
    {"spice_listen", KEY_STRING, offsetof(virDaemonConfig, spice_listen)},
    {"remote_display_port_min", KEY_INT, offsetof(virDaemonConfig, remote_display_port_min), 1024},
    {"remote_display_port_max", KEY_INT, offsetof(virDaemonConfig, remote_display_port_max), 1024},
    {"monitor_timeout", KEY_INT, offsetof(virDaemonConfig, monitor_timeout), 1},
    {"stop_timeout", KEY_INT, offsetof(virDaemonConfig, stop_timeout), 1},
    {"handler_policy", KEY_LIST, offsetof(virDaemonConfig, handler_policy)},
    {"handler_users", KEY_LIST, offsetof(virDaemonConfig, handler_users)},
    {"handler_groups", KEY_LIST, offsetof(virDaemonConfig, handler_groups)},
    {"handler_timeout", KEY_INT, offsetof(virDaemonConfig, handler_timeout), 0},
};

const char *
virDaemonConfigKey(size_t index)
{
    return index < G_N_ELEMENTS(keys) ? keys[index].name : NULL;
}

virDaemonConfig *
virDaemonConfigNew(void)
{
    virDaemonConfig *config = g_new0(virDaemonConfig, 1);

    config->unix_sock_rw_perms = 0700;
    config->unix_sock_ro_perms = 0777;
    config->unix_sock_admin_perms = 0700;
    config->auth_unix_rw = g_strdup("none");
    config->auth_unix_ro = g_strdup("none");
    config->max_clients = 5000;
    config->max_client_requests = 32;
    config->keepalive_interval = 5;
    config->keepalive_count = 5;
    config->user = g_strdup("virtward-qemu");
    config->dynamic_ownership = true;
    config->cgroup_manager = g_strdup("auto");
    config->gate_mode = g_strdup("enforce");
    config->gate_lock = g_strdup("both");
    config->gate_rules = 65536;
    config->gate_rules_max = 1 << 22;
    config->gate_watch_interval = 2;
    config->vnc_listen = g_strdup("127.0.0.1");
    config->spice_listen = g_strdup("127.0.0.1");
    config->remote_display_port_min = 5900;
    config->remote_display_port_max = 65535;
    config->monitor_timeout = 30;
    config->stop_timeout = 10;
    return config;
}

void
virDaemonConfigFree(virDaemonConfig *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].kind == KEY_STRING || keys[i].kind == KEY_AUTH || keys[i].kind == KEY_WORD)
            g_free(*(char **)(void *)((char *)config + keys[i].offset));
        else if (keys[i].kind == KEY_LIST)
            g_strfreev(*(char ***)(void *)((char *)config + keys[i].offset));
    }
    g_free(config);
}

/* The text between quotes, or NULL. A backslash keeps the character behind it. */
static char *
stringValue(const char *value)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char quote = value[0];
    const char *at = value + 1;

    if (quote != '"' && quote != '\'')
        return NULL;
    for (; *at && *at != quote; at++) {
        if (*at == '\\' && at[1])
            at++;
        g_string_append_c(text, *at);
    }
    if (*at != quote || at[1] != '\0')
        return NULL;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The strings of ["a", "b"]; words: the only ones there may be, NULL: any. */
static bool
listValue(const char *value, const char *const *words, char ***ret)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *inner = NULL;
    g_auto(GStrv) parts = NULL;
    size_t len = strlen(value);

    if (len < 2 || value[0] != '[' || value[len - 1] != ']')
        return false;
    inner = g_strstrip(g_strndup(value + 1, len - 2));
    parts = g_strsplit(inner, ",", -1);
    for (char **part = parts; *part && *inner; part++) {
        char *text = stringValue(g_strstrip(*part));

        if (!text)
            return false;
        g_ptr_array_add(list, text);
        if (words && !g_strv_contains(words, text))
            return false;
    }
    g_ptr_array_add(list, NULL);
    g_strfreev(*ret);
    *ret = (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
    return true;
}

static bool
intValue(const char *value, int min, int *ret)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (errno || end == value || *end || number < min || number > G_MAXINT)
        return false;
    *ret = (int)number;
    return true;
}

static bool
boolValue(const char *value, bool *ret)
{
    if (g_str_equal(value, "true") || g_str_equal(value, "1"))
        *ret = true;
    else if (g_str_equal(value, "false") || g_str_equal(value, "0"))
        *ret = false;
    else
        return false;
    return true;
}

static bool
modeValue(const char *value, unsigned *ret)
{
    g_autofree char *text = stringValue(value);
    char *end;
    unsigned long mode;

    if (!text || !g_ascii_isdigit(text[0]))
        return false;
    mode = strtoul(text, &end, 8);
    if (*end || mode > 0777)
        return false;
    *ret = (unsigned)mode;
    return true;
}

static bool
ownedValue(const char *value, char **ret)
{
    char *text = stringValue(value);

    if (!text)
        return false;
    g_free(*ret);
    *ret = text;
    return true;
}

static bool
wordValue(const char *value, const char *const *words, char **ret)
{
    g_autofree char *text = stringValue(value);

    return text && g_strv_contains(words, text) && ownedValue(value, ret);
}

static bool
setKey(virDaemonConfig *config, size_t row, const char *value, GError **error)
{
    void *member = (char *)config + keys[row].offset;
    bool ok = false;

    switch (keys[row].kind) {
    case KEY_BOOL:
        ok = boolValue(value, member);
        break;
    case KEY_INT:
        ok = intValue(value, keys[row].min, member);
        break;
    case KEY_MODE:
        ok = modeValue(value, member);
        break;
    case KEY_LIST:
        ok = listValue(value, keys[row].words, member);
        break;
    case KEY_STRING:
    case KEY_AUTH:
        ok = ownedValue(value, member);
        break;
    case KEY_WORD:
        ok = wordValue(value, keys[row].words, member);
        break;
    }
    if (!ok)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("bad value %s of '%s'"), value,
                           keys[row].name);
    if (keys[row].kind == KEY_AUTH && !g_str_equal(*(char **)member, "none"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("authentication '%s' of '%s' is not supported, only 'none'"),
                           *(char **)member, keys[row].name);
    return true;
}

/* Cuts a comment off, but not inside quotes. */
static void
cutComment(char *line)
{
    char quote = '\0';

    for (char *at = line; *at; at++) {
        if (!quote && *at == '#') {
            *at = '\0';
            return;
        }
        if (quote && *at == '\\' && at[1])
            at++;
        else if (quote && *at == quote)
            quote = '\0';
        else if (!quote && (*at == '"' || *at == '\''))
            quote = *at;
    }
}

static bool
parseLine(virDaemonConfig *config, char *line, GError **error)
{
    char *value;

    cutComment(line);
    g_strstrip(line);
    if (line[0] == '\0')
        return true;
    value = strchr(line, '=');
    if (!value)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("expecting an assignment: %s"), line);
    *value++ = '\0';
    g_strchomp(line);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_equal(line, keys[i].name))
            return setKey(config, i, g_strstrip(value), error);
    }
    return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("unknown key '%s'"), line);
}

bool
virDaemonConfigParse(virDaemonConfig *config, const char *text, const char *name, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (size_t i = 0; lines[i]; i++) {
        if (!parseLine(config, lines[i], error)) {
            g_prefix_error(error, "%s:%zu: ", name, i + 1);
            return false;
        }
    }
    return true;
}

bool
virDaemonConfigLoad(virDaemonConfig *config, const char *path, GError **error)
{
    g_autofree char *text = NULL;

    if (access(path, F_OK) < 0 && errno == ENOENT)
        return true;
    text = virFileRead(path, FILE_MAX, NULL, error);
    return text && virDaemonConfigParse(config, text, path, error);
}
