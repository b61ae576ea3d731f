/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devices.c: `virtward devices`: the device gates of running guests, and what they denied.
 *
 * Rules, use and counters come from the kernel, by the gate's pins: the daemon need not run.
 * Owners and denials come from files that the daemon keeps. Only reads; needs to be root or the
 * daemon's user. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "util/cgroup/virgate.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virjson.h"
#include "util/virutil.h"
#include "virtward.h"

/* Of what the daemon writes about a guest's gate. */
enum { FILE_SIZE_MAX = 16 * 1024 * 1024 };

typedef struct {
    gboolean json;
    gboolean denials;
    gboolean follow;
    char **names;
} devicesOptions;

/* --- the gate --- */

static virGate *
openGate(const virtwardContext *context, const char *name, GError **error)
{
    g_autoptr(virtwardGuest) guest = virtwardGuestFind(context, name, error);
    g_autoptr(virCgroupInstance) instance =
        guest && guest->group ? virCgroupInstanceNew(context->root, error) : NULL;
    g_autofree char *pins = g_build_filename(context->layout->run, "bpf", NULL);
    g_autoptr(virCgroup) group = instance ? virCgroupOpen(instance, guest->group, error) : NULL;
    g_autoptr(virGate) gate = NULL;
    virGateFound found;

    if (guest && !guest->group)
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("guest '%s' has no device gate"), name);
    if (!group)
        return NULL;
    gate = virGateOpen(group, pins, guest->uuid, &found, error);
    if (gate && found == VIR_GATE_FOUND_NONE) {
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("guest '%s' has no device gate"), name);
        return NULL;
    }
    return g_steal_pointer(&gate);
}

/* --- rules --- */

static void
putJSON(void *object)
{
    (void)json_object_put(object); /* whether it was the last reference doesn't matter */
}

/* What the daemon wrote about owners: rule -> array of names; empty without the file. */
static GHashTable *
readOwners(const virtwardContext *context, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/qemu/%s.rules", context->layout->run, name);
    g_autofree char *text = virFileRead(path, FILE_SIZE_MAX, NULL, NULL);
    g_autoptr(virJSON) whole = text ? virJSONParse(text, -1, NULL) : NULL;
    GHashTable *owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, putJSON);
    virJSON *list = whole ? virJSONGetArray(whole, "rules") : NULL;

    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *names = virJSONGetArray(virJSONAt(list, i), "owners");
        const char *rule = virJSONGetString(virJSONAt(list, i), "rule");

        if (rule && names)
            g_hash_table_insert(owners, g_strdup(rule), json_object_get(names));
    }
    return owners;
}

/* "policy, virtio-disk0" */
static char *
joinOwners(virJSON *names)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < virJSONLength(names); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "",
                               json_object_get_string(virJSONAt(names, i)));
    return g_string_free(text, FALSE);
}

static void
addCell(GPtrArray *cells, const char *text)
{
    g_ptr_array_add(cells, g_strdup(text ? text : ""));
}

static void
printRules(virGate *gate, const GArray *rules, GHashTable *owners)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

    addCell(cells, _("RULE"));
    addCell(cells, _("NODE"));
    addCell(cells, _("USED"));
    addCell(cells, _("OWNERS"));
    for (guint i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);
        g_autofree char *node = virDeviceRuleNodePath(rule);
        g_autofree char *text = virDeviceRuleFormat(rule);
        g_autofree char *names = joinOwners(g_hash_table_lookup(owners, text));

        addCell(cells, text);
        addCell(cells, node ? node : "-");
        addCell(cells, virGateRuleWasUsed(gate, rule) ? _("yes") : _("no"));
        addCell(cells, *names ? names : "-");
    }
    virtwardPrintTable(cells, 4);
}

static void
printRulesJSON(const char *name, virGate *gate, const GArray *rules, GHashTable *owners,
               const virGateCounters *counters)
{
    g_autoptr(virJSON) object = virJSONObject();
    g_autofree char *text = NULL;
    virJSON *list = json_object_new_array();

    for (guint i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);
        g_autofree char *node = virDeviceRuleNodePath(rule);
        g_autofree char *rulesText = virDeviceRuleFormat(rule);
        virJSON *names = g_hash_table_lookup(owners, rulesText);
        virJSON *one = virJSONObject();

        virJSONAddString(one, "rule", rulesText);
        virJSONAddString(one, "node", node);
        virJSONAddBool(one, "used", virGateRuleWasUsed(gate, rule));
        virJSONAddValue(one, "owners", names ? json_object_get(names) : json_object_new_array());
        json_object_array_add(list, one);
    }
    virJSONAddString(object, "name", name);
    virJSONAddString(object, "mode", virGateModeToString(virGateGetMode(gate)));
    virJSONAddUInt(object, "denied", counters->denied);
    virJSONAddUInt(object, "dropped", counters->dropped);
    virJSONAddValue(object, "rules", list);
    text = virJSONPrintPretty(object);
    fputs(text, stdout);
}

static bool
showGuest(const virtwardContext *context, const char *name, bool json, GError **error)
{
    g_autoptr(virGate) gate = openGate(context, name, error);
    g_autoptr(GArray) rules = gate ? virGateReadBack(gate, error) : NULL;
    g_autoptr(GHashTable) owners = readOwners(context, name);
    virGateCounters counters;

    if (!rules || !virGateGetCounters(gate, &counters, error))
        return false;
    if (json) {
        printRulesJSON(name, gate, rules, owners, &counters);
        return true;
    }
    printRules(gate, rules, owners);
    printf(_("\nmode %s, %" PRIu64 " denied, %" PRIu64 " of them not reported\n"),
           virGateModeToString(virGateGetMode(gate)), counters.denied, counters.dropped);
    return true;
}

/* One line a guest; one that can't be read says why in its place. */
static void
addGuestRow(const virtwardContext *context, const char *name, GPtrArray *cells)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virGate) gate = openGate(context, name, &error);
    g_autoptr(GArray) rules = gate ? virGateReadBack(gate, &error) : NULL;
    virGateCounters counters = {0};

    addCell(cells, name);
    if (!rules || !virGateGetCounters(gate, &counters, &error)) {
        addCell(cells, error->message);
        for (int i = 0; i < 3; i++)
            addCell(cells, "-");
        return;
    }
    addCell(cells, virGateModeToString(virGateGetMode(gate)));
    g_ptr_array_add(cells, g_strdup_printf("%u", rules->len));
    g_ptr_array_add(cells, g_strdup_printf("%" PRIu64, counters.denied));
    g_ptr_array_add(cells, g_strdup_printf("%" PRIu64, counters.dropped));
}

static bool
listGuests(const virtwardContext *context, GError **error)
{
    g_autoptr(GPtrArray) names = virtwardGuestNames(context, error);
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    const char *head[] = {_("GUEST"), _("MODE"), _("RULES"), _("DENIED"), _("DROPPED")};

    if (!names)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
        addCell(cells, head[i]);
    for (guint i = 0; i < names->len; i++)
        addGuestRow(context, names->pdata[i], cells);
    virtwardPrintTable(cells, G_N_ELEMENTS(head));
    return true;
}

/* --- denials --- */

/* Seconds of the monotonic clock as a local time of day with its date. Caller frees. */
static char *
timeText(virJSON *denial, const char *key)
{
    virJSON *value = json_object_object_get(denial, key);
    gint64 ago_us =
        g_get_monotonic_time() - (gint64)(json_object_get_double(value) * (double)G_USEC_PER_SEC);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autoptr(GDateTime) then = g_date_time_add(now, -ago_us);

    return g_date_time_format(then, "%F %T");
}

static void
printTimes(virJSON *denial)
{
    g_autofree char *first = timeText(denial, "first");
    g_autofree char *last = timeText(denial, "last");

    if (g_str_equal(first, last))
        printf(_("    at %s\n"), first);
    else
        printf(_("    first at %s, last at %s\n"), first, last);
}

static void
printDenial(virJSON *denial)
{
    const char *node = virJSONGetString(denial, "node");
    const char *access = virJSONGetString(denial, "access");
    const char *allow = virJSONGetString(denial, "allow");
    const char *thread = virJSONGetString(denial, "thread");
    uint64_t count = 0;
    uint64_t process = 0;
    int64_t major = 0;
    int64_t minor = 0;

    (void)virJSONGetUInt(denial, "count", &count); /* what is missing is shown as 0 */
    (void)virJSONGetUInt(denial, "process", &process);
    (void)virJSONGetInt(denial, "major", &major);
    (void)virJSONGetInt(denial, "minor", &minor);
    printf("%c %" PRId64 ":%" PRId64 " %s%s%s  ",
           g_strcmp0(virJSONGetString(denial, "type"), "block") == 0 ? 'b' : 'c', major, minor,
           access && *access ? access : "-", node ? "  " : "", node ? node : "");
    printf(ngettext("%s of process %" PRIu64 ", %" PRIu64 " time",
                    "%s of process %" PRIu64 ", %" PRIu64 " times", count),
           thread ? thread : "?", process, count);
    puts(virJSONGetBool(denial, "permissive", false) ? _(" (allowed: permissive)") : "");
    printTimes(denial);
    if (allow)
        printf(_("    would be allowed by %s\n"), allow);
    else if (node)
        printf(_("    would be allowed by \"%s\" in cgroup_device_acl of virtwardd.conf\n"), node);
}

static bool
showDenials(const char *path, bool json, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(virJSON) whole = NULL;
    virJSON *list;
    uint64_t unlisted = 0;

    if (access(path, F_OK) < 0 && errno == ENOENT)
        text = g_strdup("{\"denials\": [], \"unlisted\": 0}");
    else
        text = virFileRead(path, FILE_SIZE_MAX, NULL, error);
    if (!text || !(whole = virJSONParse(text, -1, error)))
        return false;
    if (json) {
        g_autofree char *line = virJSONPrint(whole);

        printf("%s\n", line);
        return true;
    }
    list = virJSONGetArray(whole, "denials");
    for (size_t i = 0; i < virJSONLength(list); i++)
        printDenial(virJSONAt(list, i));
    if (virJSONGetUInt(whole, "unlisted", &unlisted) && unlisted)
        printf(_("and %" PRIu64 " accesses to other nodes\n"), unlisted);
    return true;
}

/* Shows the denials again whenever the daemon has written them anew, until the guest is gone. */
static bool
followDenials(const char *folder, const char *name, bool json, GError **error)
{
    g_autofree char *file = g_strdup_printf("%s.denials", name);
    g_autofree char *status = g_strdup_printf("%s/%s.xml", folder, name);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    VIR_AUTOCLOSE fd = inotify_init1(IN_CLOEXEC);
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    if (fd < 0 || inotify_add_watch(fd, folder, IN_MOVED_TO | IN_DELETE) < 0)
        return virErrorErrno(error, _("cannot watch %s"), folder);
    if (!showDenials(path, json, error))
        return false;
    (void)fflush(stdout); /* whoever reads may wait for it */
    while (access(status, F_OK) == 0) {
        ssize_t got = read(fd, buffer, sizeof(buffer));
        const struct inotify_event *event;
        bool changed = false;

        for (ssize_t at = 0; at < got; at += (ssize_t)(sizeof(*event) + event->len)) {
            event = (const struct inotify_event *)(const void *)(buffer + at);
            changed |=
                event->len > 0 && (event->mask & IN_MOVED_TO) && g_str_equal(event->name, file);
        }
        if (changed) {
            printf("\n");
            if (!showDenials(path, json, error))
                return false;
            (void)fflush(stdout); /* whoever reads is told by the next one */
        }
    }
    return true;
}

static bool
runDenials(const virtwardContext *context, const devicesOptions *options, GError **error)
{
    g_autoptr(virtwardGuest) guest = virtwardGuestFind(context, options->names[0], error);
    g_autofree char *folder = g_build_filename(context->layout->run, "qemu", NULL);
    g_autofree char *path = g_strdup_printf("%s/%s.denials", folder, options->names[0]);

    if (!guest)
        return false;
    return options->follow ? followDenials(folder, guest->name, options->json, error)
                           : showDenials(path, options->json, error);
}

/* --- the command --- */

static bool
devicesParse(int argc, char **argv, devicesOptions *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"denials", 'd', 0, G_OPTION_ARG_NONE, &options->denials,
         N_("what the gate denied, and what would allow it"), NULL},
        {"follow", 'f', 0, G_OPTION_ARG_NONE, &options->follow,
         N_("with --denials: go on until the guest is gone"), NULL},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &options->json, N_("for programs"), NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->names, NULL, N_("[GUEST]")},
        {NULL},
    };
    g_autoptr(GOptionContext) parser = g_option_context_new(NULL);
    g_autoptr(GError) cause = NULL;

    g_option_context_set_translation_domain(parser, PACKAGE);
    g_option_context_set_summary(
        parser, _("Without a guest: the gates of all running guests. With one: its rules."));
    g_option_context_add_main_entries(parser, entries, PACKAGE);
    if (!g_option_context_parse(parser, &argc, &argv, &cause))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", cause->message);
    if (options->names && options->names[1])
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("one guest at a time"));
    if (!options->names && (options->denials || options->json))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("of which guest?"));
    return true;
}

static bool
devicesRun(const virtwardContext *context, int argc, char **argv, GError **error)
{
    devicesOptions options = {0};
    g_auto(GStrv) names = NULL;
    bool done = devicesParse(argc, argv, &options, error);

    names = options.names;
    if (!done)
        return false;
    if (!names)
        return listGuests(context, error);
    return options.denials ? runDenials(context, &options, error)
                           : showGuest(context, names[0], options.json, error);
}

const virtwardCommand virtwardDevices = {
    "devices", N_("device gates of running guests: rules, use, denials"), devicesRun};
