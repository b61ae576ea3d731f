/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv1.c: groups of v1's hierarchies, one for each controller; the gate is devices.allow and
 * devices.deny, for hosts where cgroup2 isn't mounted at all. No denials are reported, nothing is
 * pinned: the group itself holds the rules. Called by delegate/local only, in a job. Facts: the
 * kernel's Documentation/admin-guide/cgroup-v1/devices.rst. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

static char *
virCgroupV1Available(const virCgroupMounts *mounts, const char **retReason)
{
    const char *devices = mounts->v1[VIR_CGROUP_CONTROLLER_DEVICES];

    if (!devices) {
        *retReason = N_("no device controller is mounted");
        return NULL;
    }
    if (access(devices, W_OK) < 0)
        *retReason = N_("no right to make control groups");
    return g_strdup(devices);
}

/* --- groups --- */

/* A new cpuset is empty, and no task may join it before it has what its parent has. */
static bool
virCgroupV1Inherit(const char *parent, const char *path, const char *file, GError **error)
{
    g_autofree char *from = g_build_filename(parent, file, NULL);
    g_autofree char *to = g_build_filename(path, file, NULL);
    g_autofree char *now = virFileRead(to, 1 << 16, NULL, error);
    g_autofree char *text = NULL;
    VIR_AUTOCLOSE fd = -1;

    if (!now)
        return false;
    if (*g_strchomp(now))
        return true;
    text = virFileRead(from, 1 << 16, NULL, error);
    if (!text)
        return false;
    fd = open(to, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return virErrorErrno(error, _("Unable to write to '%s'"), to);
    return true;
}

static bool
virCgroupV1MakeFolder(const char *parent, const char *path, unsigned controllers, GError **error)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return virErrorErrno(error, _("cannot make control group %s"), path);
    if (!(controllers & (1u << VIR_CGROUP_CONTROLLER_CPUSET)))
        return true;
    return virCgroupV1Inherit(parent, path, "cpuset.cpus", error) &&
           virCgroupV1Inherit(parent, path, "cpuset.mems", error);
}

static bool
virCgroupV1HasController(const char *path, virCgroupController controller)
{
    return access(path, F_OK) == 0; /* the hierarchy has it, so every group has */
}

static bool
virCgroupV1IsPopulated(virCgroup *group, bool *retPopulated, GError **error)
{
    g_autoptr(GArray) pids = virCgroupListProcs(group, error);

    if (!pids)
        return false;
    *retPopulated = pids->len > 0;
    return true;
}

/* Kills the process and waits for its end; false at the deadline. The pid may be another's by the
 * time the descriptor is open: so it is looked for in the group once more before the signal. */
static bool
virCgroupV1KillOne(virCgroup *group, pid_t pid, gint64 deadline_us)
{
    VIR_AUTOCLOSE pidfd = pidfd_open(pid, 0);
    g_autoptr(GArray) pids = pidfd < 0 ? NULL : virCgroupListProcs(group, NULL);
    struct pollfd wait = {pidfd, POLLIN, 0};

    for (guint i = 0; pids && i < pids->len; i++) {
        gint64 left_us = deadline_us - g_get_monotonic_time();

        if (g_array_index(pids, pid_t, i) != pid)
            continue;
        (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0); /* gone already is what we want */
        return left_us > 0 && poll(&wait, 1, (int)(left_us / 1000) + 1) > 0;
    }
    return true;
}

static bool
virCgroupV1KillAll(virCgroup *group, gint64 deadline_us, GError **error)
{
    for (;;) {
        g_autoptr(GArray) pids = virCgroupListProcs(group, error);

        if (!pids || pids->len == 0)
            return pids != NULL;
        for (guint i = 0; i < pids->len; i++) {
            if (!virCgroupV1KillOne(group, g_array_index(pids, pid_t, i), deadline_us))
                return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                                   _("processes of control group %s didn't end when killed"),
                                   group->path);
        }
    }
}

static bool
virCgroupV1AwaitEmpty(virCgroup *group, gint64 deadline_us, GError **error)
{
    for (;;) {
        g_autoptr(GArray) pids = virCgroupListProcs(group, error);
        VIR_AUTOCLOSE pidfd = pids && pids->len ? pidfd_open(g_array_index(pids, pid_t, 0), 0) : -1;
        struct pollfd wait = {pidfd, POLLIN, 0};
        gint64 left_us = deadline_us - g_get_monotonic_time();

        if (!pids || pids->len == 0)
            return pids != NULL;
        if (left_us <= 0)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                               _("processes of control group %s didn't end when killed"),
                               group->path);
        if (pidfd >= 0)
            (void)poll(&wait, 1, (int)(left_us / 1000) + 1); /* what matters is read next */
    }
}

/* --- the gate --- */

static bool
virCgroupV1WriteDevice(virGate *gate, const char *file, const char *text)
{
    int folderFd = virCgroupOpenLeaf(gate->group, NULL);
    VIR_AUTOCLOSE fd = folderFd < 0 ? -1 : openat(folderFd, file, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) >= 0;
}

static bool
virCgroupV1WriteRule(virGate *gate, const char *file, const virDeviceRule *rule, unsigned access)
{
    virDeviceRule part = *rule;
    g_autofree char *text = NULL;

    if (!access)
        return true;
    part.access = access;
    text = virDeviceRuleFormat(&part);
    return virCgroupV1WriteDevice(gate, file, text);
}

static bool
virCgroupV1SetDevice(virGate *gate, const virDeviceRule *rule, unsigned before)
{
    return virCgroupV1WriteRule(gate, "devices.allow", rule, rule->access & ~before) &&
           virCgroupV1WriteRule(gate, "devices.deny", rule, before & ~rule->access);
}

static int
virCgroupV1CompareRules(const void *a, const void *b)
{
    return virDeviceRuleCompare(a, b);
}

static GArray *
virCgroupV1ListDevices(virGate *gate, GError **error)
{
    int folderFd = virCgroupOpenLeaf(gate->group, error);
    g_autofree char *text =
        folderFd < 0 ? NULL : virFileReadAt(folderFd, "devices.list", 1 << 20, NULL, error);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    g_autoptr(GArray) rules = g_array_new(FALSE, TRUE, sizeof(virDeviceRule));

    for (char **line = lines; line && *line; line++) {
        virDeviceRule rule;

        if (!**line)
            continue;
        if (!virDeviceRuleParse(*line, &rule, error))
            return NULL;
        g_array_append_val(rules, rule);
    }
    g_array_sort(rules, virCgroupV1CompareRules);
    return text ? g_steal_pointer(&rules) : NULL;
}

/* A group without a gate has the one rule "everything". */
static bool
virCgroupV1DetectGate(virGate *gate, virGateFound *retFound, GError **error)
{
    g_autoptr(GArray) rules = virCgroupV1ListDevices(gate, error);

    if (!rules)
        return false;
    *retFound = rules->len > 0 && g_array_index(rules, virDeviceRule, 0).type == VIR_DEVICE_ALL
                    ? VIR_GATE_FOUND_NONE
                    : VIR_GATE_FOUND_IDS;
    return true;
}

static bool
virCgroupV1PrepareGate(virGate *gate, const GArray *rules, size_t extra, virGateFound *retFound,
                       GError **error)
{
    if (!virCgroupV1DetectGate(gate, retFound, error))
        return false;
    if (*retFound != VIR_GATE_FOUND_NONE)
        return true;
    if (gate->settings.mode == VIR_GATE_PERMISSIVE)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("a device gate on cgroup v1 can't be permissive"));
    if (!virCgroupV1WriteDevice(gate, "devices.deny", "a"))
        return virErrorErrno(error, _("cannot deny devices in control group %s"),
                             gate->group->leafPath);
    for (guint i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);

        if (!virCgroupV1WriteRule(gate, "devices.allow", rule, rule->access))
            return virErrorErrno(error, _("cannot allow a device in control group %s"),
                                 gate->group->leafPath);
    }
    return true;
}

static bool
virCgroupV1RepairGate(virGate *gate, bool *retReattached, GError **error)
{
    *retReattached = false;
    return true; /* nothing of it can be lost while the group is there */
}

static bool
virCgroupV1RemoveGate(virGate *gate, GError **error)
{
    return true; /* goes with the group */
}

static void
virCgroupV1CloseGate(virGate *gate)
{
}

const virCgroupBackend virCgroupV1Backend = {
    .name = "v1",
    .available = virCgroupV1Available,
    .threads = "tasks",
    .hasController = virCgroupV1HasController,
    .makeFolder = virCgroupV1MakeFolder,
    .makePart = virCgroupV1MakeFolder,
    .isPopulated = virCgroupV1IsPopulated,
    .killAll = virCgroupV1KillAll,
    .awaitEmpty = virCgroupV1AwaitEmpty,
    .prepareGate = virCgroupV1PrepareGate,
    .detectGate = virCgroupV1DetectGate,
    .repairGate = virCgroupV1RepairGate,
    .setDevice = virCgroupV1SetDevice,
    .listDevices = virCgroupV1ListDevices,
    .removeGate = virCgroupV1RemoveGate,
    .closeGate = virCgroupV1CloseGate,
};
