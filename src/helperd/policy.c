/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policy.c: the policy file, and the looks at a descriptor that decide whether it may be touched.
 * Paths of the other side are never opened: what the kernel says about a descriptor counts. */
#include "helperd/policy.h"

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helperd/file.h"
#include "helperd/group.h"
#include "helperd/policycheck.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

struct helperPolicy {
    GKeyFile *file;
    char **sockets;
    char **groups; /* folders of control groups, as /proc/PID/cgroup writes them */
};

/* The keys of each operation's group, besides "guests". */
static const struct {
    const char *hook;
    const char *keys[8];
} known[] = {
    {"memlock.set", {"max", "unlimited"}},
    {"sched.set", {"policies", "min", "max"}},
    {"affinity.set", {"cpus"}},
    {"proc.tune", {"min", "max"}},
    {"own.set", {"folders", "uids", "gids"}},
    {"node.create", {"folders", "devices", "uids", "gids"}},
    {"device.open", {"devices", "nodes", "pci", "names", "namespaces"}},
    {"pci.bind", {"pci", "drivers"}},
    {"pci.release", {"pci"}},
    {"gate.create", {"devices", "max", "modes"}},
    {"gate.update", {"devices", "modes"}},
    {"gate.replace", {"devices", "max", "modes", "ids"}},
    {"gate.remove", {NULL}},
    {"tap.create", {"names", "max", "uids", "mtu", "namespaces", "parents", "modes"}},
    {"tap.remove", {"names", "namespaces"}},
    {"net.attach", {"names", "bridges", "namespaces"}},
    {"net.detach", {"names", "namespaces"}},
    {"net.set", {"names", "namespaces"}},
    {"net.bandwidth", {"names", "max", "burst", "unlimited", "namespaces"}},
    {"barrier", {"housekeeping", "vcpus"}},
    {"cgroup.create", {"max", "controllers", "uids", "gids"}},
    {"cgroup.move", {"from", "uids"}},
    {"cgroup.set", {"files"}},
    {"cgroup.remove", {NULL}},
    {"mount.apply", {"kinds", "max", "devices", "uids", "gids", "sources"}},
};

static bool
checkGroup(GKeyFile *file, const char *path, const char *text, const char *group, GError **error)
{
    static const char *const helper[] = {"sockets", "cgroups", "other-users", NULL};
    const char *const *keys = g_str_equal(group, "helper") ? helper : NULL;
    g_auto(GStrv) have = g_key_file_get_keys(file, group, NULL, NULL);

    for (size_t i = 0; !keys && i < G_N_ELEMENTS(known); i++) {
        if (g_str_equal(known[i].hook, group))
            keys = known[i].keys;
    }
    if (!keys)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("%s:%u: there is no operation [%s]"), path,
                           helperPolicyFindLine(text, group, NULL), group);
    for (char **key = have; key && *key; key++) {
        if (!g_strv_contains(keys, *key) && (keys == helper || !g_str_equal(*key, "guests")))
            return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("%s:%u: [%s] has no key '%s'"), path,
                               helperPolicyFindLine(text, group, *key), group, *key);
        if (!helperPolicyCheckValue(path, text, file, group, *key, error))
            return false;
    }
    return true;
}

helperPolicy *
helperPolicyLoad(const char *path, GError **error)
{
    g_autoptr(helperPolicy) policy = g_new0(helperPolicy, 1);
    g_autofree char *text = NULL;
    g_auto(GStrv) groups = NULL;
    g_autoptr(GError) why = NULL;

    helperGroupForget();
    policy->file = g_key_file_new();
    if (!g_file_get_contents(path, &text, NULL, &why)) {
        virErrorSet(error, VIR_ERR_CONF_SYNTAX, "%s", why->message);
        return NULL;
    }
    if (!helperPolicyCheckLines(path, text, error))
        return NULL;
    if (!g_key_file_load_from_data(policy->file, text, strlen(text), G_KEY_FILE_NONE, &why)) {
        virErrorSet(error, VIR_ERR_CONF_SYNTAX, "%s: %s", path, why->message);
        return NULL;
    }
    groups = g_key_file_get_groups(policy->file, NULL);
    for (char **group = groups; *group; group++) {
        if (!checkGroup(policy->file, path, text, *group, error))
            return NULL;
    }
    policy->sockets = g_key_file_get_string_list(policy->file, "helper", "sockets", NULL, NULL);
    policy->groups = g_key_file_get_string_list(policy->file, "helper", "cgroups", NULL, NULL);
    if (!policy->sockets || !*policy->sockets) {
        virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                    _("%s: [helper] names no sockets to serve (sockets=PATH;...)"), path);
        return NULL;
    }
    return g_steal_pointer(&policy);
}

void
helperPolicyFree(helperPolicy *policy)
{
    if (!policy)
        return;
    g_key_file_unref(policy->file);
    g_strfreev(policy->sockets);
    g_strfreev(policy->groups);
    g_free(policy);
}

const char *const *
helperPolicySockets(const helperPolicy *policy)
{
    return (const char *const *)policy->sockets;
}

bool
helperPolicyOtherUsers(const helperPolicy *policy)
{
    return helperPolicyFlag(policy, "helper", "other-users");
}

bool
helperPolicyServes(const helperPolicy *policy, const char *hook)
{
    return g_key_file_has_group(policy->file, hook);
}

const char *
helperPolicyGuests(const helperPolicy *policy, const char *hook)
{
    g_autofree char *text = g_key_file_get_string(policy->file, hook, "guests", NULL);

    return text ? g_intern_string(text) : "*";
}

/* --- bounds --- */

/* One bound; a missing one refuses, a word that is no number too. */
static bool
getBound(const helperPolicy *policy, const char *hook, const char *key, int64_t *retBound,
         GError **error)
{
    g_autoptr(GError) why = NULL;

    *retBound = g_key_file_get_int64(policy->file, hook, key, &why);
    return !why || virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                               _("the policy of %s sets no %s, so nothing is allowed"), hook, key);
}

bool
helperPolicyNumber(const helperPolicy *policy, const char *hook, const char *what, int64_t value,
                   GError **error)
{
    int64_t max = 0, min = 0;

    if (!getBound(policy, hook, "max", &max, error))
        return false;
    if (g_key_file_has_key(policy->file, hook, "min", NULL) &&
        !getBound(policy, hook, "min", &min, error))
        return false;
    if (value >= min && value <= max)
        return true;
    return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("%s of %lld is outside the policy of %s (%lld to %lld)"), what,
                       (long long)value, hook, (long long)min, (long long)max);
}

bool
helperPolicyUpTo(const helperPolicy *policy, const char *hook, const char *key, const char *what,
                 int64_t value, GError **error)
{
    int64_t max = 0;

    if (!getBound(policy, hook, key, &max, error))
        return false;
    return (value >= 0 && value <= max) ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("%s of %lld is outside the policy of %s (up to %lld)"), what,
                       (long long)value, hook, (long long)max);
}

bool
helperPolicyWord(const helperPolicy *policy, const char *hook, const char *key, const char *word,
                 GError **error)
{
    g_auto(GStrv) list = g_key_file_get_string_list(policy->file, hook, key, NULL, NULL);

    for (char **one = list; one && *one; one++) {
        if (fnmatch(*one, word, FNM_PATHNAME | FNM_PERIOD) == 0)
            return true;
    }
    return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is not among the %s of %s"), word, key,
                       hook);
}

char *
helperPolicyText(const helperPolicy *policy, const char *hook, const char *key)
{
    return g_key_file_get_string(policy->file, hook, key, NULL);
}

bool
helperPolicyMember(const helperPolicy *policy, const char *hook, const char *key, int64_t value,
                   GError **error)
{
    g_autofree char *word = g_strdup_printf("%" G_GINT64_FORMAT, value);

    return helperPolicyWord(policy, hook, key, word, error);
}

bool
helperPolicyFlag(const helperPolicy *policy, const char *hook, const char *key)
{
    return helperPolicyWord(policy, hook, key, "yes", NULL);
}

/* One number of a value, "max" and -1 being more than any other. The kernel reads one that begins
 * with 0 as octal. */
static bool
numberFits(const char *text, int64_t min, int64_t max)
{
    char *end = NULL;
    int64_t value = g_ascii_strtoll(text, &end, 10);

    if (g_str_equal(text, "max") || g_str_equal(text, "-1"))
        return max == G_MAXINT64;
    return g_ascii_isdigit(*text) && (*text != '0' || text[1] == '\0') && *end == '\0' &&
           value >= min && value <= max;
}

/* "8:16", which is a device at the beginning; not "8-15:4/8", which are CPUs. */
static bool
isDeviceWord(const char *word)
{
    size_t high = strspn(word, "0123456789");

    return high > 0 && word[high] == ':' && word[high + 1] != '\0' &&
           word[high + 1 + strspn(word + high + 1, "0123456789")] == '\0';
}

/* "100000 100000", "8:0 rbps=1048576", "0-3,5": every number but a device's. */
static bool
valueFits(const char *value, int64_t min, int64_t max)
{
    g_auto(GStrv) words = g_strsplit_set(value, " ,", -1);

    for (char **word = words; *word; word++) {
        const char *equals = strchr(*word, '=');
        const char *last = equals ? equals + 1 : *word;
        g_auto(GStrv) ends = **word == '-' ? NULL : g_strsplit(last, "-", 2);

        if (**word == '\0' || (word == words && word[1] && isDeviceWord(*word)))
            continue;
        if (!ends ? !numberFits(last, min, max)
                  : !ends[0] || !numberFits(ends[0], min, max) ||
                        (ends[1] && !numberFits(ends[1], min, max)))
            return false;
    }
    return true;
}

bool
helperPolicySetting(const helperPolicy *policy, const char *hook, const char *file,
                    const char *value, GError **error)
{
    g_auto(GStrv) rows = g_key_file_get_string_list(policy->file, hook, "files", NULL, NULL);

    for (char **row = rows; row && *row; row++) {
        g_autofree char *of = NULL;
        bool bounded;
        gint64 min, max;

        if (!helperPolicyReadBounds(*row, &of, &bounded, &min, &max) || !g_str_equal(of, file))
            continue;
        return !bounded || valueFits(value, min, max) ||
               virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("'%s' is outside the policy of %s for '%s' (%s)"), value, hook, file,
                           *row);
    }
    return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is not among the %s of %s"), file,
                       "files", hook);
}

/* --- processes --- */

/* One line of /proc/PID/cgroup, "0::/virtward-system/...", is below one of the groups. */
static bool
lineIsBelow(char *const *groups, const char *line)
{
    const char *name = strchr(line, ':');
    const char *path = name ? strchr(name + 1, ':') : NULL;

    for (char *const *group = groups; path && group && *group; group++) {
        size_t len = strlen(*group);

        if (g_str_has_prefix(path + 1, *group) && (path[1 + len] == '/' || path[1 + len] == '\0'))
            return true;
    }
    return false;
}

bool
helperPolicyProcess(const helperPolicy *policy, int pidfd, pid_t *retPid, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, NULL);
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = pid > 0 ? virFileRead(path, 65536, NULL, NULL) : NULL;
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    bool below = false;

    for (char **line = lines; line && *line && !below; line++)
        below = lineIsBelow(policy->groups, *line);
    /* Still alive: so the number was this process's all the time. */
    if (!text || poll(&ended, 1, 0) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("the descriptor is no process, or it has ended"));
    *retPid = pid;
    return below ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("process %d is in none of the control groups of the policy"), (int)pid);
}

/* The process's line in the hierarchy that keeps it behind a gate, "0::/..." or, where cgroup v2
 * isn't mounted, that of devices. */
static bool
isGateLine(const char *line, bool v2)
{
    g_auto(GStrv) words = g_strsplit(line, ":", 3);
    g_auto(GStrv) controllers = words[0] && words[1] ? g_strsplit(words[1], ",", -1) : NULL;

    return v2 ? g_str_has_prefix(line, "0::")
              : controllers && g_strv_contains((const char *const *)controllers, "devices");
}

bool
helperPolicyNewcomer(const helperPolicy *policy, const char *hook, int pidfd, int group,
                     pid_t *retPid, GError **error)
{
    g_auto(GStrv) from = g_key_file_get_string_list(policy->file, hook, "from", NULL, NULL);
    const bool v2 = faccessat(group, "cgroup.controllers", F_OK, 0) == 0;
    const bool gated = v2 || faccessat(group, "devices.allow", F_OK, 0) == 0;
    pid_t pid = virPidfdGetPid(pidfd, NULL);
    g_autofree char *folder = g_strdup_printf("/proc/%d", (int)pid);
    g_autofree char *path = g_build_filename(folder, "cgroup", NULL);
    g_autofree char *text = pid > 0 ? virFileRead(path, 65536, NULL, NULL) : NULL;
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    bool comes = false, inside = false;
    struct stat st = {0};

    for (char **line = lines; *line; line++) {
        const bool ours = lineIsBelow(policy->groups, *line);

        comes |= ours || lineIsBelow(from, *line);
        inside |= ours && gated && isGateLine(*line, v2);
    }
    if (!text || stat(folder, &st) < 0 || poll(&ended, 1, 0) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("the descriptor is no process, or it has ended"));
    *retPid = pid;
    if (inside)
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("process %d is in a guest's group and stays there"), (int)pid);
    if (!comes)
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("process %d comes from none of the groups of %s"), (int)pid, hook);
    return helperPolicyMember(policy, hook, "uids", (int64_t)st.st_uid, error);
}

bool
helperPolicyParent(const helperPolicy *policy, const char *hook, int fd, const char *name,
                   bool *retAbove, GError **error)
{
    *retAbove = false;
    if (!helperGroupIsAbove(fd, name, (const char *const *)policy->groups, retAbove, error)) {
        g_prefix_error(error, "%s: ", hook);
        return false;
    }
    return *retAbove || helperPolicyGroup(policy, hook, fd, error);
}

bool
helperPolicyGroup(const helperPolicy *policy, const char *hook, int fd, GError **error)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *path = g_file_read_link(link, NULL);
    bool below = false;

    if (!path)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("a descriptor is missing"));
    if (!helperGroupIsBelow(fd, (const char *const *)policy->groups, &below, error)) {
        g_prefix_error(error, "%s: ", hook);
        return false;
    }
    return below ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("%s: '%s' is in none of the control groups of the policy"), hook, path);
}

/* --- files and networks --- */

bool
helperPolicyFile(const helperPolicy *policy, const char *hook, int fd, GError **error)
{
    g_auto(GStrv) folders = g_key_file_get_string_list(policy->file, hook, "folders", NULL, NULL);
    g_autofree char *name = NULL;
    bool below = helperFileIsBelow(fd, (const char *const *)folders, &name);
    struct stat st;

    if (!name || fstat(fd, &st) < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("a descriptor is missing"));
    if (S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink != 1))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("'%s' is a link, or has other names, or none"), name);
    return below || virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                                _("'%s' is in none of the folders of %s"), name, hook);
}

bool
helperPolicyNetwork(const helperPolicy *policy, const char *hook, int fd, GError **error)
{
    struct stat own, given;

    if (stat("/proc/self/ns/net", &own) < 0 || fstat(fd, &given) < 0)
        return virErrorErrno(error, _("cannot look at a network namespace"));
    if (own.st_dev == given.st_dev && own.st_ino == given.st_ino)
        return true;
    return helperPolicyWord(policy, hook, "namespaces", "any", error);
}
