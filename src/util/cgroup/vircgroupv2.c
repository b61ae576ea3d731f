/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2.c: groups of the unified hierarchy, also beside v1 controllers. The gate is
 * vircgroupv2devices.c. Called by delegate/local only, in a job. Facts: the kernel's
 * Documentation/admin-guide/cgroup-v2.rst; 5.14 has cgroup.kill. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virutil.h"

static char *
virCgroupV2Available(const virCgroupMounts *mounts, const char **retReason)
{
    VIR_AUTOCLOSE fd = -1;

    if (!mounts->v2) {
        *retReason = N_("cgroup2 is not mounted");
        return NULL;
    }
    if (access(mounts->v2, W_OK) < 0)
        *retReason = N_("no right to make control groups");
    fd = open(mounts->v2, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    switch (virCgroupV2DevicesAvailable(fd)) {
    case VIR_CGROUP_V2_DEVICES_YES:
        break;
    case VIR_CGROUP_V2_DEVICES_DENIED:
        *retReason = N_("no right to use device programs of control groups");
        break;
    case VIR_CGROUP_V2_DEVICES_NO:
        *retReason = N_("the kernel has no device programs for control groups");
        return NULL;
    }
    return g_strdup(mounts->v2);
}

/* --- groups --- */

/* Gives the groups below folder every controller that folder has. One that can't be given (a
 * process sits in folder, a real-time thread exists) is left: it is asked for where it is needed.
 */
static void
virCgroupV2EnableControllers(const char *folder)
{
    g_autofree char *available = g_build_filename(folder, "cgroup.controllers", NULL);
    g_autofree char *control = g_build_filename(folder, "cgroup.subtree_control", NULL);
    g_autofree char *text = virFileRead(available, 4096, NULL, NULL);
    g_auto(GStrv) names = g_strsplit_set(text ? text : "", " \n", -1);

    for (char **name = names; *name; name++) {
        g_autofree char *word = g_strdup_printf("+%s", *name);
        VIR_AUTOCLOSE fd = **name ? open(control, O_WRONLY | O_CLOEXEC) : -1;

        if (fd >= 0)
            (void)!write(fd, word, strlen(word)); /* see above */
    }
}

static bool
virCgroupV2MakeFolder(const char *path, GError **error)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return virErrorErrno(error, _("cannot make control group %s"), path);
    return true;
}

static bool
virCgroupV2MakeGroup(virCgroup *group, GError **error)
{
    virCgroupV2EnableControllers(group->instance->path);
    return virCgroupV2MakeFolder(group->path, error) && VIR_FAULT_STEP("cgroup:made", error) &&
           virCgroupV2MakeFolder(group->leafPath, error) &&
           VIR_FAULT_STEP("cgroup:leaf-made", error);
}

/* The folder with all groups below it, which are empty. */
static bool
virCgroupV2RemoveTree(const char *path, GError **error)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool done = true;

    if (!folder)
        return errno == ENOENT || virErrorErrno(error, _("cannot list control group %s"), path);
    while (done && (entry = readdir(folder))) {
        g_autofree char *below = NULL;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        below = g_build_filename(path, entry->d_name, NULL);
        done = virCgroupV2RemoveTree(below, error);
    }
    (void)closedir(folder); /* read only */
    if (done && rmdir(path) < 0 && errno != ENOENT)
        done = virErrorErrno(error, _("cannot remove control group %s"), path);
    return done;
}

static bool
virCgroupV2RemoveGroup(virCgroup *group, GError **error)
{
    return virCgroupV2RemoveTree(group->path, error);
}

/* --- processes --- */

/* eventsFd is cgroup.events; reading it also arms the next poll. */
static bool
virCgroupV2ReadPopulated(virCgroup *group, int eventsFd, bool *retPopulated, GError **error)
{
    char text[256];
    ssize_t n = pread(eventsFd, text, sizeof(text) - 1, 0);

    if (n < 0 && errno == ENODEV) { /* the group went away under us */
        *retPopulated = false;
        return true;
    }
    if (n < 0)
        return virErrorErrno(error, _("cannot read cgroup.events of %s"), group->path);
    text[n] = '\0';
    *retPopulated = strstr(text, "populated 1") != NULL;
    return true;
}

static int
virCgroupV2OpenEvents(virCgroup *group, GError **error)
{
    g_autofree char *path = g_build_filename(group->path, "cgroup.events", NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        virErrorErrno(error, _("cannot open %s"), path);
    return fd;
}

static bool
virCgroupV2IsPopulated(virCgroup *group, bool *retPopulated, GError **error)
{
    VIR_AUTOCLOSE eventsFd = virCgroupV2OpenEvents(group, error);

    return eventsFd >= 0 && virCgroupV2ReadPopulated(group, eventsFd, retPopulated, error);
}

static bool
virCgroupV2Kill(virCgroup *group, GError **error)
{
    g_autofree char *path = g_build_filename(group->path, "cgroup.kill", NULL);
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "1", 1) < 0)
        return virErrorErrno(error, _("cannot kill the processes of control group %s"),
                             group->path);
    return true;
}

static bool
virCgroupV2KillAll(virCgroup *group, gint64 deadline_us, GError **error)
{
    VIR_AUTOCLOSE eventsFd = virCgroupV2OpenEvents(group, error);
    bool populated = false;

    if (eventsFd < 0 || !virCgroupV2ReadPopulated(group, eventsFd, &populated, error))
        return false;
    if (populated && !virCgroupV2Kill(group, error))
        return false;
    while (populated) {
        struct pollfd wait = {eventsFd, POLLPRI, 0};
        gint64 left_us = deadline_us - g_get_monotonic_time();

        if (left_us <= 0)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                               _("processes of control group %s didn't end when killed"),
                               group->path);
        (void)poll(&wait, 1, (int)(left_us / 1000) + 1); /* what matters is read next */
        if (!virCgroupV2ReadPopulated(group, eventsFd, &populated, error))
            return false;
    }
    return true;
}

/* --- the gate --- */

/* The ring that all gates of the store share: the pinned one, else a new one, pinned. */
static int
virCgroupV2StoreEvents(virGateStore *store, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&store->mutex);
    VIR_AUTOCLOSE fd = -1;

    if (store->eventsFd >= 0)
        return store->eventsFd;
    errno = ENOENT;
    if (store->pinsFd >= 0)
        fd = virGatePinsOpenEvents(store->pinsFd, error);
    if (fd < 0) {
        if (errno != ENOENT)
            return -1;
        fd = virCgroupV2DevicesCreateEvents(error);
        if (fd < 0 || (store->pinsFd >= 0 &&
                       !virGatePinsPinEvents(store->pinsFd, fd, store->owner, store->group, error)))
            return -1;
    }
    store->eventsFd = g_steal_fd(&fd);
    return store->eventsFd;
}

static bool
virCgroupV2GatePlace(virGate *gate, virCgroupV2DevicesPlace *place, GError **error)
{
    *place = (virCgroupV2DevicesPlace){
        .groupFd = virCgroupOpenLeaf(gate->group, error),
        .pinsFd = gate->store->pinsFd,
        .eventsFd = -1,
        .pinOwner = gate->store->owner,
        .pinGroup = gate->store->group,
    };
    memcpy(place->uuid, gate->uuid, sizeof(place->uuid));
    return place->groupFd >= 0;
}

static bool
virCgroupV2PrepareGate(virGate *gate, const GArray *rules, size_t extra, virGateFound *retFound,
                       GError **error)
{
    virCgroupV2DevicesPlace place;

    if (!virCgroupV2GatePlace(gate, &place, error))
        return false;
    place.eventsFd = virCgroupV2StoreEvents(gate->store, error);
    return place.eventsFd >= 0 && virCgroupV2DevicesPrepareProg(&gate->v2, &place, &gate->settings,
                                                                rules, extra, retFound, error);
}

static bool
virCgroupV2DetectGate(virGate *gate, virGateFound *retFound, GError **error)
{
    virCgroupV2DevicesPlace place;

    return virCgroupV2GatePlace(gate, &place, error) &&
           virCgroupV2DevicesDetectProg(&gate->v2, &place, retFound, error);
}

static bool
virCgroupV2RepairGate(virGate *gate, bool *retReattached, GError **error)
{
    virCgroupV2DevicesPlace place;

    return virCgroupV2GatePlace(gate, &place, error) &&
           virCgroupV2DevicesRepairProg(&gate->v2, &place, &gate->settings, retReattached, error);
}

static bool
virCgroupV2InspectGate(virGate *gate, virGateState *retState, GError **error)
{
    virCgroupV2DevicesPlace place;

    return virCgroupV2GatePlace(gate, &place, error) &&
           virCgroupV2DevicesInspect(&gate->v2, &place, retState, error);
}

static bool
virCgroupV2SetDevice(virGate *gate, const virDeviceRule *rule, unsigned before)
{
    return virCgroupV2DevicesSetRule(&gate->v2, rule);
}

static GArray *
virCgroupV2ListDevices(virGate *gate, GError **error)
{
    return virCgroupV2DevicesReadRules(&gate->v2, error);
}

static bool
virCgroupV2RemoveGate(virGate *gate, GError **error)
{
    virCgroupV2DevicesPlace place;

    if (!virCgroupV2GatePlace(gate, &place, NULL))
        place.groupFd = -1; /* gone already, and the attachment with it */
    return virCgroupV2DevicesRemoveProg(&gate->v2, &place, error);
}

static void
virCgroupV2CloseGate(virGate *gate)
{
    virCgroupV2DevicesClear(&gate->v2);
}

const virCgroupBackend virCgroupV2Backend = {
    .name = "v2",
    .available = virCgroupV2Available,
    .makeGroup = virCgroupV2MakeGroup,
    .removeGroup = virCgroupV2RemoveGroup,
    .isPopulated = virCgroupV2IsPopulated,
    .killAll = virCgroupV2KillAll,
    .prepareGate = virCgroupV2PrepareGate,
    .detectGate = virCgroupV2DetectGate,
    .repairGate = virCgroupV2RepairGate,
    .inspectGate = virCgroupV2InspectGate,
    .setDevice = virCgroupV2SetDevice,
    .listDevices = virCgroupV2ListDevices,
    .removeGate = virCgroupV2RemoveGate,
    .closeGate = virCgroupV2CloseGate,
};
