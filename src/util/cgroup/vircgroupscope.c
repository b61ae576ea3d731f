/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupscope.c: groups below a scope of systemd's.
 *
 * systemd makes a scope for a process that is there already, so the process that will be QEMU comes
 * first (virSpawnHold). It is moved from the scope into a group of ours at once, since no group
 * with processes in it may give controllers to those below, waits there until the leaf has its
 * gate, and joins the leaf as its first act. What limits a guest stands in our group, as without
 * systemd; only weights, which count among scopes, are the scope's own and are set by systemd,
 * which would overwrite them else. See vircgroup.h and vircgroupbackend.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

/* A guest's name has no '/', and one in a partition begins with it. */
const char *
virCgroupScopeOf(const char *name)
{
    return *name != '/' && strstr(name, ".slice/machine-") && g_str_has_suffix(name, ".scope")
               ? name
               : NULL;
}

bool
virCgroupIsScope(const virCgroup *group)
{
    return group->scope != NULL;
}

void
virCgroupInstanceSetManager(virCgroupInstance *instance, virSystemdManager manager)
{
    instance->manager = manager;
}

virSystemdManager
virCgroupInstanceManager(const virCgroupInstance *instance)
{
    return instance->manager;
}

char *
virCgroupNameFor(const virCgroupInstance *instance, const char *partition, int id, const char *name)
{
    g_autofree char *machine = NULL;
    g_autofree char *plain = NULL;

    if (instance->manager == VIR_SYSTEMD_NONE) {
        plain = g_strdup_printf("%d-%s", id, name);
        return virCgroupNameIn(partition, plain);
    }
    machine = virSystemdMachineName(g_str_equal(instance->name, "system") ? NULL : instance->name,
                                    id, name);
    return virSystemdScopePath(partition, machine);
}

/* --- making --- */

/* Beside the leaf, which must be empty until it has its gate. */
static bool
virCgroupMoveLeader(const virCgroup *group, pid_t leader, GError **error)
{
    g_autofree char *folder = g_build_filename(group->path, "waiting", NULL);
    g_autofree char *path = g_build_filename(folder, "cgroup.procs", NULL);
    g_autofree char *text = g_strdup_printf("%d", leader);
    VIR_AUTOCLOSE fd = -1;

    if ((mkdir(group->path, 0755) < 0 && errno != EEXIST) ||
        (mkdir(folder, 0755) < 0 && errno != EEXIST))
        return virErrorErrno(error, _("cannot make control group %s"), folder);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return virErrorErrno(error, _("Unable to write to '%s'"), path);
    return true;
}

bool
virCgroupStartScope(virCgroup *group, const uint8_t uuid[16], pid_t leader, GError **error)
{
    virSystemdScope scope = {.path = group->scope, .leader = leader};

    if (leader <= 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("there is no process for the scope of '%s'"), group->name);
    memcpy(scope.uuid, uuid, sizeof(scope.uuid));
    if (!virSystemdStartScope(group->instance->manager, &scope, error) ||
        !VIR_FAULT_STEP("cgroup:scope-started", error))
        return false;
    /* on v1 a group with processes can have groups below it: QEMU joins on its own */
    return !group->instance->backend->canClone || virCgroupMoveLeader(group, leader, error);
}

/* --- the end --- */

bool
virCgroupEndScope(const virCgroup *group, GError **error)
{
    virSystemdManager manager = group->instance->manager;

    /* made by an earlier daemon, of other settings */
    if (manager == VIR_SYSTEMD_NONE)
        manager = virSystemdFind();
    return manager == VIR_SYSTEMD_NONE || virSystemdEndScope(manager, group->scope, error);
}

/* --- weights --- */

bool
virCgroupSetScope(const virCgroup *group, const virCgroupSetting *setting, GError **error)
{
    static const struct {
        const char *file;
        const char *property;
    } weights[] = {
        {"cpu.weight", "CPUWeight"},       {"cpu.shares", "CPUShares"},
        {"io.weight", "IOWeight"},         {"io.bfq.weight", "IOWeight"},
        {"blkio.weight", "BlockIOWeight"}, {"blkio.bfq.weight", "BlockIOWeight"},
    };
    const char *text = setting->text;

    if (!text || strchr(text, ':') || setting->part.type != VIR_CGROUP_PART_GUEST)
        return true; /* of a device, or of threads */
    if (g_str_has_prefix(text, "default "))
        text += strlen("default ");
    for (size_t i = 0; i < G_N_ELEMENTS(weights); i++) {
        if (g_str_equal(weights[i].file, setting->file))
            return virSystemdSetScope(group->scope, weights[i].property,
                                      g_ascii_strtoull(text, NULL, 10), error);
    }
    return true;
}

/* --- looking for them --- */

/* A scope with a group of ours in it. */
static bool
virCgroupIsOurScope(const virCgroupInstance *instance, const char *path)
{
    g_autofree char *machine = virSystemdScopeMachine(path);
    g_autofree char *own = g_strdup_printf("%s/virtward-%s", path, instance->name);

    return machine && access(own, F_OK) == 0;
}

/* below is the slice so far, "" at first. */
static bool
virCgroupListSlice(const virCgroupInstance *instance, const char *below, GPtrArray *names,
                   GError **error)
{
    const char *mount = virCgroupHierarchyAt(instance, 0)->mount;
    g_autofree char *folder = g_build_filename(mount, below, NULL);
    DIR *slice = opendir(folder);
    const struct dirent *entry;
    bool done = true;

    if (!slice)
        return errno == ENOENT || virErrorErrno(error, _("cannot list control group %s"), folder);
    while (done && (entry = readdir(slice))) {
        g_autofree char *name = g_build_filename(below, entry->d_name, NULL);
        g_autofree char *path = g_build_filename(mount, name, NULL);

        if (entry->d_type != DT_DIR)
            continue;
        if (g_str_has_suffix(name, ".slice"))
            done = virCgroupListSlice(instance, name, names, error);
        else if (*below && virCgroupIsOurScope(instance, path))
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    (void)closedir(slice); /* read only */
    return done;
}

bool
virCgroupListScopes(const virCgroupInstance *instance, GPtrArray *names, GError **error)
{
    return instance->hierarchies->len == 0 || virCgroupListSlice(instance, "", names, error);
}
