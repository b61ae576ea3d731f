/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virsystemdbus.c: scopes asked of systemd-machined or of systemd, over sd-bus. See virsystemd.h.
 */
#include <string.h>

#include "config.h"
#include "util/virerror.h"
#include "util/virsystemd.h"
#include "util/virutil.h"

#if WITH_SYSTEMD

#include <systemd/sd-bus.h>

#define TIMEOUT_US (UINT64_C(30) * 1000000)

#define MACHINED "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER MACHINED ".Manager"
#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"
#define BUS "org.freedesktop.DBus"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, sd_bus_flush_close_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_slot, sd_bus_slot_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(sd_bus_error, sd_bus_error_free)

static sd_bus *
virSystemdOpen(GError **error)
{
    sd_bus *bus = NULL;
    int failure = sd_bus_open_system(&bus);

    if (failure < 0) {
        virErrorErrnoValue(error, -failure, _("cannot connect to the system bus"));
        return NULL;
    }
    (void)sd_bus_set_method_call_timeout(bus, TIMEOUT_US); /* fails for no bus that is open */
    return bus;
}

/* What a call came back with; said may be unset. */
static bool
virSystemdRefuse(int failure, const sd_bus_error *said, const char *what, GError **error)
{
    if (failure == -ETIMEDOUT)
        return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                           _("systemd did not answer '%s' within %u seconds"), what,
                           (unsigned)(TIMEOUT_US / 1000000));
    if (sd_bus_error_is_set(said))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("systemd refuses '%s': %s"), what,
                           said->message ? said->message : said->name);
    return virErrorErrnoValue(error, -failure, _("cannot call '%s' of systemd"), what);
}

/* --- who is there --- */

static bool
virSystemdHasOwner(sd_bus *bus, const char *name)
{
    g_autoptr(sd_bus_message) reply = NULL;
    int owned = 0;

    return sd_bus_call_method(bus, BUS, "/org/freedesktop/DBus", BUS, "NameHasOwner", NULL, &reply,
                              "s", name) >= 0 &&
           sd_bus_message_read(reply, "b", &owned) >= 0 && owned;
}

/* machined ends when there is no machine, and is started by being called. */
static bool
virSystemdCanActivate(sd_bus *bus, const char *name)
{
    g_autoptr(sd_bus_message) reply = NULL;
    g_auto(GStrv) names = NULL;

    /* both free with free(3), as GLib does */
    return sd_bus_call_method(bus, BUS, "/org/freedesktop/DBus", BUS, "ListActivatableNames", NULL,
                              &reply, "") >= 0 &&
           sd_bus_message_read_strv(reply, &names) >= 0 && names &&
           g_strv_contains((const char *const *)names, name);
}

virSystemdManager
virSystemdFind(void)
{
    g_autoptr(sd_bus) bus = virSystemdOpen(NULL);

    if (!bus || !virSystemdHasOwner(bus, SYSTEMD))
        return VIR_SYSTEMD_NONE;
    return virSystemdHasOwner(bus, MACHINED) || virSystemdCanActivate(bus, MACHINED)
               ? VIR_SYSTEMD_MACHINES
               : VIR_SYSTEMD_SCOPES;
}

/* --- making a scope --- */

/* The last two words of a path: "machine-web.slice" and "machine-qemu\x2d3\x2dweb.scope". */
typedef struct {
    char *slice;
    char *unit;
} virSystemdNames;

static void
virSystemdNamesClear(virSystemdNames *names)
{
    g_free(names->slice);
    g_free(names->unit);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virSystemdNames, virSystemdNamesClear)

static void
virSystemdNamesOf(const char *path, virSystemdNames *names)
{
    g_autofree char *folder = g_path_get_dirname(path);

    names->slice = g_path_get_basename(folder);
    names->unit = g_path_get_basename(path);
}

/* Guests are ended before what they need when the machine is shut down. */
#define ORDER "Before", "as", 1, "virt-guest-shutdown.target"

static bool
virSystemdCreateMachine(sd_bus *bus, const virSystemdScope *scope, GError **error)
{
    g_auto(sd_bus_error) said = SD_BUS_ERROR_NULL;
    g_autoptr(sd_bus_message) call = NULL;
    g_auto(virSystemdNames) names = {0};
    g_autofree char *machine = virSystemdScopeMachine(scope->path);
    int failure;

    virSystemdNamesOf(scope->path, &names);
    failure = sd_bus_message_new_method_call(bus, &call, MACHINED, MACHINED_PATH, MACHINED_MANAGER,
                                             "CreateMachineWithNetwork");
    if (failure >= 0)
        failure = sd_bus_message_append(call, "s", machine);
    if (failure >= 0)
        failure = sd_bus_message_append_array(call, 'y', scope->uuid, sizeof(scope->uuid));
    if (failure >= 0) /* no interfaces: those of a guest come later than its group */
        failure = sd_bus_message_append(call, "ssusaia(sv)", "libvirt-qemu", "vm",
                                        (uint32_t)scope->leader, "", 0, 2, "Slice", "s",
                                        names.slice, ORDER);
    if (failure >= 0) /* answered when the scope is there */
        failure = sd_bus_call(bus, call, TIMEOUT_US, &said, NULL);
    return failure >= 0 || virSystemdRefuse(failure, &said, "CreateMachineWithNetwork", error);
}

/* A job of systemd that is waited for. */
typedef struct {
    const char *unit;
    char *result; /* NULL: not yet */
} virSystemdJob;

static int
virSystemdJobRemoved(sd_bus_message *message, void *opaque, sd_bus_error *said)
{
    virSystemdJob *job = opaque;
    const char *unit = NULL;
    const char *result = NULL;

    if (sd_bus_message_read(message, "uoss", NULL, NULL, &unit, &result) >= 0 && !job->result &&
        g_strcmp0(unit, job->unit) == 0)
        job->result = g_strdup(result);
    return 0;
}

static bool
virSystemdJobWait(sd_bus *bus, virSystemdJob *job, GError **error)
{
    const gint64 deadline_us = g_get_monotonic_time() + (gint64)TIMEOUT_US;

    while (!job->result) {
        const gint64 left_us = deadline_us - g_get_monotonic_time();
        int failure = sd_bus_process(bus, NULL);

        if (failure == 0)
            failure = left_us > 0 ? sd_bus_wait(bus, (uint64_t)left_us) : -ETIMEDOUT;
        if (failure < 0 && failure != -EINTR)
            return virSystemdRefuse(failure, NULL, "StartTransientUnit", error);
    }
    return g_str_equal(job->result, "done") ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("systemd could not start '%s': %s"),
                       job->unit, job->result);
}

static bool
virSystemdStartUnit(sd_bus *bus, const virSystemdScope *scope, GError **error)
{
    g_auto(sd_bus_error) said = SD_BUS_ERROR_NULL;
    g_autoptr(sd_bus_slot) slot = NULL;
    g_auto(virSystemdNames) names = {0};
    g_autofree char *machine = virSystemdScopeMachine(scope->path);
    g_autofree char *text = g_strdup_printf("Virtual Machine %s", machine);
    virSystemdJob job = {0};
    int failure;
    bool done;

    virSystemdNamesOf(scope->path, &names);
    job.unit = names.unit;
    /* signals of jobs come to those who subscribed, and the match is older than the job */
    failure = sd_bus_match_signal(bus, &slot, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                                  virSystemdJobRemoved, &job);
    if (failure >= 0)
        failure = sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe",
                                     &said, NULL, "");
    if (failure < 0)
        return virSystemdRefuse(failure, &said, "Subscribe", error);
    failure = sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit",
                                 &said, NULL, "ssa(sv)a(sa(sv))", names.unit, "fail", 6,
                                 "Description", "s", text, "Slice", "s", names.slice, "Delegate",
                                 "b", 1, "CollectMode", "s", "inactive-or-failed", "PIDs", "au", 1,
                                 (uint32_t)scope->leader, ORDER, 0);
    done = failure >= 0 ? virSystemdJobWait(bus, &job, error)
                        : virSystemdRefuse(failure, &said, "StartTransientUnit", error);
    g_free(job.result);
    return done;
}

bool
virSystemdStartScope(virSystemdManager manager, const virSystemdScope *scope, GError **error)
{
    g_autoptr(sd_bus) bus = virSystemdOpen(error);

    if (!bus)
        return false;
    return manager == VIR_SYSTEMD_MACHINES ? virSystemdCreateMachine(bus, scope, error)
                                           : virSystemdStartUnit(bus, scope, error);
}

/* --- its end, and its numbers --- */

bool
virSystemdEndScope(virSystemdManager manager, const char *path, GError **error)
{
    g_autoptr(sd_bus) bus = virSystemdOpen(error);
    g_auto(sd_bus_error) said = SD_BUS_ERROR_NULL;
    g_autofree char *machine = virSystemdScopeMachine(path);
    g_autofree char *unit = g_path_get_basename(path);
    const bool asMachine = manager == VIR_SYSTEMD_MACHINES && machine;
    int failure;

    if (!bus)
        return false;
    failure = asMachine ? sd_bus_call_method(bus, MACHINED, MACHINED_PATH, MACHINED_MANAGER,
                                             "TerminateMachine", &said, NULL, "s", machine)
                        : sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                             "StopUnit", &said, NULL, "ss", unit, "replace");
    return failure >= 0 || sd_bus_error_has_name(&said, MACHINED ".NoSuchMachine") ||
           sd_bus_error_has_name(&said, SYSTEMD ".NoSuchUnit") ||
           virSystemdRefuse(failure, &said, asMachine ? "TerminateMachine" : "StopUnit", error);
}

bool
virSystemdSetScope(const char *path, const char *property, uint64_t value, GError **error)
{
    g_autoptr(sd_bus) bus = virSystemdOpen(error);
    g_auto(sd_bus_error) said = SD_BUS_ERROR_NULL;
    g_autofree char *unit = g_path_get_basename(path);
    int failure;

    if (!bus)
        return false;
    failure =
        sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "SetUnitProperties", &said,
                           NULL, "sba(sv)", unit, /* runtime: */ 1, 1, property, "t", value);
    return failure >= 0 || virSystemdRefuse(failure, &said, "SetUnitProperties", error);
}

#else

static bool
virSystemdMissing(GError **error)
{
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("this build knows no systemd"));
}

virSystemdManager
virSystemdFind(void)
{
    return VIR_SYSTEMD_NONE;
}

bool
virSystemdStartScope(virSystemdManager manager, const virSystemdScope *scope, GError **error)
{
    return virSystemdMissing(error);
}

bool
virSystemdEndScope(virSystemdManager manager, const char *path, GError **error)
{
    return virSystemdMissing(error);
}

bool
virSystemdSetScope(const char *path, const char *property, uint64_t value, GError **error)
{
    return virSystemdMissing(error);
}

#endif
