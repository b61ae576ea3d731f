/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupinstance.c: the groups of an instance: in which hierarchies they are, with which
 * controllers, and which guests have one. See vircgroup.h and vircgroupbackend.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

#define FILE_MAX (1u << 20)

/* --- instances --- */

/* "system", a user's "session-1000", or twelve digits that follow from the folder's real path. */
static char *
virCgroupInstanceNameFor(const char *root)
{
    g_autofree char *real = NULL;
    char *raw;
    char *name;

    if (!root)
        return geteuid() == 0 ? g_strdup("system")
                              : g_strdup_printf("session-%u", (unsigned)geteuid());
    raw = realpath(root, NULL);
    real = g_strdup(raw ? raw : root);
    free(raw);
    name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, real, -1);
    name[12] = '\0';
    return name;
}

static void
virCgroupHierarchyClear(void *opaque)
{
    virCgroupHierarchy *hierarchy = opaque;

    g_free(hierarchy->mount);
    g_free(hierarchy->path);
}

static void
virCgroupInstanceAdd(virCgroupInstance *instance, const virCgroupBackend *backend,
                     const char *mount, unsigned controllers)
{
    virCgroupHierarchy hierarchy = {.backend = backend,
                                    .mount = g_strdup(mount),
                                    .path =
                                        g_strdup_printf("%s/virtward-%s", mount, instance->name),
                                    .controllers = controllers};

    g_array_append_val(instance->hierarchies, hierarchy);
}

virCgroupInstance *
virCgroupInstanceNewAt(const char *name, const virCgroupBackend *backend, const char *path,
                       unsigned controllers)
{
    virCgroupInstance *instance = g_new0(virCgroupInstance, 1);

    g_atomic_ref_count_init(&instance->refs);
    g_mutex_init(&instance->mutex);
    instance->name = g_strdup(name);
    instance->hierarchies = g_array_new(FALSE, TRUE, sizeof(virCgroupHierarchy));
    g_array_set_clear_func(instance->hierarchies, virCgroupHierarchyClear);
    instance->unused = g_array_new(FALSE, TRUE, sizeof(virCgroupHierarchy));
    g_array_set_clear_func(instance->unused, virCgroupHierarchyClear);
    if (backend) {
        instance->backend = backend;
        instance->path = g_strdup_printf("%s/virtward-%s", path, name);
        virCgroupInstanceAdd(instance, backend, path, controllers);
    }
    return instance;
}

/* Takes the backend if groups can be made in it, or if some of this instance are there already:
 * those can be found again by a daemon that may make none. */
static bool
virCgroupInstanceTry(virCgroupInstance *instance, const virCgroupBackend *backend)
{
    const char *reason = NULL;
    g_autofree char *folder = backend->available(&instance->mounts, &reason);
    g_autofree char *path =
        folder ? g_strdup_printf("%s/virtward-%s", folder, instance->name) : NULL;

    if (!path || (reason && access(path, F_OK) < 0)) {
        if (!instance->reason)
            instance->reason = reason;
        return false;
    }
    instance->backend = backend;
    instance->path = g_steal_pointer(&path);
    instance->reason = reason;
    return true;
}

/* The controllers that are mounted on v1 at this place, maybe several together. */
static unsigned
virCgroupInstanceControllersAt(const virCgroupMounts *mounts, const char *mount)
{
    unsigned controllers = 0;

    for (unsigned i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++) {
        if (g_strcmp0(mounts->v1[i], mount) == 0)
            controllers |= 1u << i;
    }
    return controllers & VIR_CGROUP_GUEST_CONTROLLERS;
}

/* Somebody can make groups there: this process, or who does it for it. */
static bool
virCgroupInstanceMayMake(const virCgroupInstance *instance, const char *mount)
{
    return instance->handed || access(mount, W_OK) == 0;
}

/* The gate's hierarchy first, then every other in which groups can be made. */
static void
virCgroupInstanceAddHierarchies(virCgroupInstance *instance)
{
    const virCgroupMounts *mounts = &instance->mounts;
    const bool isV2 = instance->backend == &virCgroupV2Backend;
    const unsigned v2 = mounts->v2Controllers & VIR_CGROUP_GUEST_CONTROLLERS;
    unsigned done = 0;

    if (isV2) {
        done = v2 | 1u << VIR_CGROUP_CONTROLLER_FREEZER; /* cgroup.freeze is no controller */
        virCgroupInstanceAdd(instance, instance->backend, mounts->v2, done);
    }
    for (unsigned i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++) {
        const unsigned first =
            isV2 ? i : (i + VIR_CGROUP_CONTROLLER_DEVICES) % VIR_CGROUP_CONTROLLER_LAST;
        const char *mount = mounts->v1[first];
        const unsigned controllers =
            mount ? virCgroupInstanceControllersAt(mounts, mount) & ~done : 0;

        if (!controllers || !virCgroupInstanceMayMake(instance, mount))
            continue;
        done |= controllers;
        virCgroupInstanceAdd(instance, &virCgroupV1Backend, mount, controllers);
    }
    if (!isV2 && mounts->v2 && (v2 & ~done) && virCgroupInstanceMayMake(instance, mounts->v2))
        virCgroupInstanceAdd(instance, &virCgroupV2Backend, mounts->v2, v2 & ~done);
}

/* A user's daemon: groups and controllers as far as they were given to it. */
static void
virCgroupInstanceTryDelegated(virCgroupInstance *instance)
{
    g_autofree char *text = virFileRead("/proc/self/cgroup", FILE_MAX, NULL, NULL);
    g_autofree char *place = NULL;
    VIR_AUTOCLOSE fd = -1;

    virCgroupMountsPlace(&instance->mounts, text ? text : "");
    place = virCgroupDelegatedPlace(&instance->mounts, &instance->reason);
    if (!place)
        return;
    instance->backend = &virCgroupV2Backend;
    instance->delegated = true;
    instance->path = g_strdup_printf("%s/virtward-%s", place, instance->name);
    fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (virCgroupV2DevicesAvailable(fd) != VIR_CGROUP_V2_DEVICES_YES)
        instance->gateReason = N_("no right to use device programs of control groups");
    virCgroupInstanceAdd(instance, instance->backend, place,
                         virCgroupDelegatedControllers(place) |
                             1u << VIR_CGROUP_CONTROLLER_FREEZER);
}

/* What the unified hierarchy offers groups below its root. A right that is missing here is
 * another's where groups are handed over. */
static void
virCgroupInstanceAskV2(virCgroupMounts *mounts, bool handed)
{
    virCgroupV2DevicesAnswer devices;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    VIR_AUTOCLOSE fd = -1;

    if (!mounts->v2)
        return;
    path = g_build_filename(mounts->v2, "cgroup.controllers", NULL);
    text = virFileRead(path, 4096, NULL, NULL);
    fd = open(mounts->v2, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    devices = virCgroupV2DevicesAvailable(fd);
    virCgroupMountsOffer(mounts, text ? text : "",
                         devices == VIR_CGROUP_V2_DEVICES_YES ||
                             (handed && devices == VIR_CGROUP_V2_DEVICES_DENIED));
}

virCgroupInstance *
virCgroupInstanceNew(const char *root, GError **error)
{
    g_autofree char *mounts = virFileRead("/proc/self/mounts", 8 * FILE_MAX, NULL, error);
    g_autofree char *name = virCgroupInstanceNameFor(root);
    virCgroupInstance *instance;

    if (!mounts)
        return NULL;
    instance = virCgroupInstanceNewAt(name, NULL, NULL, 0);
    virCgroupMountsParse(&instance->mounts, mounts);
    if (geteuid() != 0) {
        virCgroupInstanceTryDelegated(instance);
        return instance;
    }
    virCgroupInstanceAskV2(&instance->mounts, /* handed: */ false);
    if (!virCgroupInstanceTry(instance, &virCgroupV2Backend))
        (void)virCgroupInstanceTry(instance, &virCgroupV1Backend); /* reason says what is missing */
    if (instance->backend)
        virCgroupInstanceAddHierarchies(instance);
    return instance;
}

/* The layout that root has, if there is a hierarchy for it. */
static bool
virCgroupInstancePlan(virCgroupInstance *instance)
{
    virCgroupMounts *mounts = &instance->mounts;
    const char *place;

    if (instance->backend)
        return true;
    virCgroupInstanceAskV2(mounts, /* handed: */ true);
    instance->backend = mounts->v2Controllers & (1u << VIR_CGROUP_CONTROLLER_DEVICES)
                            ? &virCgroupV2Backend
                            : &virCgroupV1Backend;
    place = instance->backend == &virCgroupV2Backend ? mounts->v2
                                                     : mounts->v1[VIR_CGROUP_CONTROLLER_DEVICES];
    if (!place) {
        instance->backend = NULL;
        return false;
    }
    instance->path = g_strdup_printf("%s/virtward-%s", place, instance->name);
    virCgroupInstanceAddHierarchies(instance);
    return true;
}

void
virCgroupInstanceHandOver(virCgroupInstance *instance, const char *gateReason)
{
    if (virCgroupInstanceUsable(instance, NULL))
        return;
    instance->handed = true;
    if (!virCgroupInstancePlan(instance)) {
        instance->handed = false;
        return;
    }
    instance->reason = NULL;
    instance->gateReason = gateReason;
}

virCgroupInstance *
virCgroupInstanceRef(virCgroupInstance *instance)
{
    g_atomic_ref_count_inc(&instance->refs);
    return instance;
}

void
virCgroupInstanceUnref(virCgroupInstance *instance)
{
    if (!instance || !g_atomic_ref_count_dec(&instance->refs))
        return;
    virCgroupMountsClear(&instance->mounts);
    g_array_unref(instance->hierarchies);
    g_array_unref(instance->unused);
    g_mutex_clear(&instance->mutex);
    g_free(instance->name);
    g_free(instance->path);
    g_free(instance);
}

const char *
virCgroupInstanceName(const virCgroupInstance *instance)
{
    return instance->name;
}

const char *
virCgroupInstanceBackendName(const virCgroupInstance *instance)
{
    return instance->backend ? instance->backend->name : "none";
}

bool
virCgroupInstanceUsable(const virCgroupInstance *instance, const char **retReason)
{
    bool usable = instance->backend && !instance->reason;

    if (!usable && retReason)
        *retReason = instance->reason ? instance->reason : N_("no hierarchy is mounted");
    return usable;
}

bool
virCgroupInstanceHasGates(const virCgroupInstance *instance, const char **retReason)
{
    if (!virCgroupInstanceUsable(instance, retReason))
        return false;
    if (instance->gateReason && retReason)
        *retReason = instance->gateReason;
    return !instance->gateReason;
}

const virCgroupHierarchy *
virCgroupHierarchyAt(const virCgroupInstance *instance, guint i)
{
    return &g_array_index(instance->hierarchies, virCgroupHierarchy, i);
}

const virCgroupHierarchy *
virCgroupHierarchyOf(const virCgroupInstance *instance, virCgroupController controller)
{
    for (guint i = 0; i < instance->hierarchies->len; i++) {
        const virCgroupHierarchy *hierarchy = virCgroupHierarchyAt(instance, i);

        if (hierarchy->controllers & (1u << controller))
            return hierarchy;
    }
    return NULL;
}

/* What is left of a hierarchy's controllers: the gate's is not to be chosen, and what cpu and
 * cpuacct have in common is there for both or for none. */
static unsigned
virCgroupControllersLeft(unsigned there, unsigned wanted)
{
    const unsigned cpu = 1u << VIR_CGROUP_CONTROLLER_CPU;
    const unsigned cpuacct = 1u << VIR_CGROUP_CONTROLLER_CPUACCT;

    if ((there & cpu) && !(wanted & cpu))
        wanted &= ~cpuacct;
    return there & (wanted | 1u << VIR_CGROUP_CONTROLLER_DEVICES);
}

void
virCgroupInstanceRestrict(virCgroupInstance *instance, unsigned controllers)
{
    for (guint i = instance->hierarchies->len; i-- > 0;) {
        virCgroupHierarchy *at = &g_array_index(instance->hierarchies, virCgroupHierarchy, i);

        at->controllers = virCgroupControllersLeft(at->controllers, controllers);
        if (i == 0 || at->controllers)
            continue;
        g_array_append_val(instance->unused, *at);
        *at = (virCgroupHierarchy){0}; /* moved */
        g_array_remove_index(instance->hierarchies, i);
    }
}

bool
virCgroupInstanceHasController(const virCgroupInstance *instance, virCgroupController controller)
{
    return virCgroupHierarchyOf(instance, controller) != NULL;
}

const char *
virCgroupInstanceVersionOf(const virCgroupInstance *instance, virCgroupController controller)
{
    const virCgroupHierarchy *hierarchy = virCgroupHierarchyOf(instance, controller);

    return hierarchy ? hierarchy->backend->name : NULL;
}

/* Others may be in the place with us, and then it gives no controllers: what is not offered to the
 * guests is not there. */
static bool
virCgroupInstanceMakeDelegated(virCgroupInstance *instance, GError **error)
{
    virCgroupHierarchy *at = &g_array_index(instance->hierarchies, virCgroupHierarchy, 0);

    if (!virCgroupDelegatedClear(at->mount, error) ||
        !at->backend->makeFolder(at->mount, at->path, at->controllers, error))
        return false;
    at->controllers &=
        virCgroupDelegatedControllers(at->path) | (1u << VIR_CGROUP_CONTROLLER_FREEZER);
    return true;
}

bool
virCgroupInstanceMake(virCgroupInstance *instance, GError **error)
{
    const virCgroupHierarchy *at = virCgroupHierarchyAt(instance, 0);

    if (instance->handed)
        return true; /* it comes with the first guest */
    if (instance->delegated)
        return virCgroupInstanceMakeDelegated(instance, error);
    if (instance->manager != VIR_SYSTEMD_NONE)
        return true; /* what is there is systemd's */
    return at->backend->makeFolder(at->mount, at->path, at->controllers, error);
}

bool
virCgroupInstanceRemove(virCgroupInstance *instance, GError **error)
{
    if (!instance->handed && rmdir(instance->path) < 0 && errno != ENOENT)
        return virErrorErrno(error, _("cannot remove control group %s"), instance->path);
    return true;
}

/* The guests in the folder and in its partitions; prefix is the partition so far. */
static bool
virCgroupListFolder(const char *path, const char *prefix, GPtrArray *names, GError **error)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool done = true;

    if (!folder)
        return errno == ENOENT || virErrorErrno(error, _("cannot list control group %s"), path);
    while (done && (entry = readdir(folder))) {
        g_autofree char *name = NULL;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        if (g_str_has_suffix(entry->d_name, VIR_CGROUP_PARTITION)) {
            g_autofree char *below = g_build_filename(path, entry->d_name, NULL);

            name = g_strdup_printf("%s/%.*s", prefix,
                                   (int)(strlen(entry->d_name) - strlen(VIR_CGROUP_PARTITION)),
                                   entry->d_name);
            done = virCgroupListFolder(below, name, names, error);
        } else {
            g_ptr_array_add(names, *prefix ? g_strdup_printf("%s/%s", prefix, entry->d_name)
                                           : g_strdup(entry->d_name));
        }
    }
    (void)closedir(folder); /* read only */
    return done;
}

GPtrArray *
virCgroupInstanceList(virCgroupInstance *instance, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    return !instance->backend || (virCgroupListFolder(instance->path, "", names, error) &&
                                  virCgroupListScopes(instance, names, error))
               ? g_steal_pointer(&names)
               : NULL;
}
