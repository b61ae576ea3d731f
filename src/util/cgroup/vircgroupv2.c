/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2.c: groups of the unified hierarchy, also beside v1 controllers. The gate is
 * vircgroupv2devices.c. Called by delegate/local only, in a job. Facts: the kernel's
 * Documentation/admin-guide/cgroup-v2.rst; 5.14 has cgroup.kill. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
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

const char *
virCgroupV2NameOf(virCgroupController controller)
{
    switch (controller) {
    case VIR_CGROUP_CONTROLLER_CPU:
    case VIR_CGROUP_CONTROLLER_CPUACCT:
        return "cpu";
    case VIR_CGROUP_CONTROLLER_BLKIO:
        return "io";
    case VIR_CGROUP_CONTROLLER_CPUSET:
    case VIR_CGROUP_CONTROLLER_MEMORY:
    case VIR_CGROUP_CONTROLLER_PIDS:
        return virCgroupControllerToString(controller);
    default:
        return NULL; /* devices and freezer need not be given */
    }
}

static bool
virCgroupV2Offers(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, "cgroup.controllers", NULL);
    g_autofree char *text = virFileRead(path, 4096, NULL, NULL);
    g_auto(GStrv) words = g_strsplit_set(text ? text : "", " \n", -1);

    return g_strv_contains((const char *const *)words, name);
}

static bool
virCgroupV2WriteFile(const char *folder, const char *file, const char *text)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) >= 0;
}

/* Has the groups below folder get the controllers that folder itself has. One that can't be given
 * (a real-time thread exists, somebody's process sits in folder) is missing there: that is an error
 * where a limit asks for it. */
static void
virCgroupV2Enable(const char *folder, unsigned controllers)
{
    for (unsigned i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++) {
        const char *name = virCgroupV2NameOf((virCgroupController)i);
        g_autofree char *word = name ? g_strdup_printf("+%s", name) : NULL;

        if (word && (controllers & (1u << i)) && virCgroupV2Offers(folder, name))
            (void)virCgroupV2WriteFile(folder, "cgroup.subtree_control", word); /* see above */
    }
}

static bool
virCgroupV2HasController(const char *path, virCgroupController controller)
{
    const char *name = virCgroupV2NameOf(controller);

    return name ? virCgroupV2Offers(path, name) : access(path, F_OK) == 0;
}

static bool
virCgroupV2MakeFolder(const char *parent, const char *path, unsigned controllers, GError **error)
{
    virCgroupV2Enable(parent, controllers);
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return virErrorErrno(error, _("cannot make control group %s"), path);
    return true;
}

/* The parent becomes the domain of its threads. It may give them controllers only once a part is
 * threaded, since processes are in it. */
static bool
virCgroupV2MakePart(const char *parent, const char *path, unsigned controllers, GError **error)
{
    if (mkdir(path, 0755) < 0)
        return errno == EEXIST || virErrorErrno(error, _("cannot make control group %s"), path);
    if (!virCgroupV2WriteFile(path, "cgroup.type", "threaded"))
        return virErrorErrno(error, _("cannot make control group %s one of threads"), path);
    virCgroupV2Enable(parent, controllers);
    return true;
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
virCgroupV2OpenEvents(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "cgroup.events", NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        virErrorErrno(error, _("cannot open %s"), path);
    return fd;
}

static bool
virCgroupV2IsPopulated(virCgroup *group, bool *retPopulated, GError **error)
{
    VIR_AUTOCLOSE eventsFd = virCgroupV2OpenEvents(group->leafPath, error);

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

/* Until no process is left in the folder of eventsFd. */
static bool
virCgroupV2Await(virCgroup *group, int eventsFd, gint64 deadline_us, GError **error)
{
    bool populated = true;

    while (virCgroupV2ReadPopulated(group, eventsFd, &populated, error) && populated) {
        struct pollfd wait = {eventsFd, POLLPRI, 0};
        gint64 left_us = deadline_us - g_get_monotonic_time();

        if (left_us <= 0)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                               _("processes of control group %s didn't end when killed"),
                               group->path);
        (void)poll(&wait, 1, (int)(left_us / 1000) + 1); /* what matters is read next */
    }
    return !populated;
}

static bool
virCgroupV2AwaitEmpty(virCgroup *group, gint64 deadline_us, GError **error)
{
    VIR_AUTOCLOSE eventsFd = virCgroupV2OpenEvents(group->path, error);

    return eventsFd >= 0 && virCgroupV2Await(group, eventsFd, deadline_us, error);
}

static bool
virCgroupV2KillAll(virCgroup *group, gint64 deadline_us, GError **error)
{
    VIR_AUTOCLOSE eventsFd = virCgroupV2OpenEvents(group->path, error);
    bool populated = false;

    if (eventsFd < 0 || !virCgroupV2ReadPopulated(group, eventsFd, &populated, error))
        return false;
    return !populated ||
           (virCgroupV2Kill(group, error) && virCgroupV2Await(group, eventsFd, deadline_us, error));
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
    .threads = "cgroup.threads",
    .canClone = true,
    .hasController = virCgroupV2HasController,
    .makeFolder = virCgroupV2MakeFolder,
    .makePart = virCgroupV2MakePart,
    .isPopulated = virCgroupV2IsPopulated,
    .killAll = virCgroupV2KillAll,
    .awaitEmpty = virCgroupV2AwaitEmpty,
    .prepareGate = virCgroupV2PrepareGate,
    .detectGate = virCgroupV2DetectGate,
    .repairGate = virCgroupV2RepairGate,
    .inspectGate = virCgroupV2InspectGate,
    .setDevice = virCgroupV2SetDevice,
    .listDevices = virCgroupV2ListDevices,
    .removeGate = virCgroupV2RemoveGate,
    .closeGate = virCgroupV2CloseGate,
};
