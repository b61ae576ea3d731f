/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_cgroup.c: the front of the hooks for groups: what must hold before and after. In a
 * job, without the core lock. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

static bool
virDelegateCheckUsable(const virDelegate *door, GError **error)
{
    const char *reason = "";

    return virCgroupInstanceUsable(door->instance, &reason) ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("no control groups are available here: %s"), reason);
}

static bool
virDelegateGroupIsThere(virCgroup *group)
{
    return access(virCgroupPath(group), F_OK) == 0;
}

/* Of the group, or of a part of it, in every hierarchy; a part's hold threads. */
static bool
virDelegateFoldersAreThere(const virCgroup *group, const virCgroupPart *part)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (guint i = 0; i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);
        g_autofree char *path = g_build_filename(folder->path, "cgroup.type", NULL);
        g_autofree char *type = NULL;

        if (access(folder->path, F_OK) < 0)
            return false;
        if (folder->kind == VIR_CGROUP_FOLDER_PART && folder->at->backend == &virCgroupV2Backend &&
            (!(type = virFileRead(path, 64, NULL, NULL)) || !g_str_has_prefix(type, "threaded")))
            return false;
    }
    return true;
}

static bool
virDelegateIsOwned(const virDelegate *door, const virCgroup *group)
{
    struct stat st;

    return stat(virCgroupPath((virCgroup *)group), &st) == 0 && st.st_uid == door->owner.uid;
}

bool
virDelegateCgroupWantsOwner(virDelegate *door, const virDelegateCall *call, const virCgroup *group)
{
    return door->owner.uid != 0 &&
           (virCgroupMayReach(group) || !virDelegateIsAsked(door, call, "cgroup.move"));
}

bool
virDelegateCgroupCreate(virDelegate *door, const virDelegateCall *call, const char *name,
                        pid_t leader, virCgroup **retGroup, GError **error)
{
    virDelegateTrace trace;
    g_autoptr(virCgroup) group = NULL;
    bool populated = false;

    if (!virDelegateBegin(door, call, "cgroup.create", &trace, error))
        return trace.nobody;
    if (!virDelegateCheckUsable(door, error))
        return false;
    group = virCgroupNew(door->instance, name);
    if (virDelegateGroupIsThere(group) && !virCgroupIsPopulated(group, &populated, error))
        return false;
    if (populated)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("control group %s already exists and has processes in it"),
                           virCgroupPath(group));
    if (!virDelegateEnd(&trace, trace.ops->cgroupCreate(door, call, group, leader, error)))
        return false;
    if (!virDelegateFoldersAreThere(group, NULL))
        return virDelegateNotTrue(&trace, error, _("the group is not there"));
    if (trace.ops == &virDelegateHandlerOps && virDelegateCgroupWantsOwner(door, call, group) &&
        !virDelegateIsOwned(door, group))
        return virDelegateNotTrue(&trace, error, _("the group is another user's"));
    *retGroup = g_steal_pointer(&group);
    return true;
}

/* The process is in the group, or has ended. */
static bool
virDelegateIsInside(virCgroup *group, int pidfd, bool *retInside, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);

    *retInside = pid == 0;
    return pid == 0 || (pid > 0 && virCgroupHasProcess(group, pid, retInside, error));
}

bool
virDelegateCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group, int pidfd,
                      GError **error)
{
    virDelegateTrace trace;
    bool inside = false;

    if (!virDelegateBegin(door, call, "cgroup.move", &trace, error))
        return trace.nobody;
    if (!virDelegateIsInside(group, pidfd, &inside, error))
        return false;
    if (inside)
        return true;
    if (!virDelegateEnd(&trace, trace.ops->cgroupMove(door, call, group, pidfd, error)) ||
        !virDelegateIsInside(group, pidfd, &inside, error))
        return false;
    return inside || virDelegateNotTrue(&trace, error, _("the process is in another group"));
}

bool
virDelegateCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                     const virCgroupSetting *setting, GError **error)
{
    virDelegateTrace trace;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    if (!virDelegateBegin(door, call, "cgroup.set", &trace, error))
        return trace.nobody;
    if (!setting->text)
        return true;
    if (!virCgroupLimitIsFile(setting->file))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("'%s' is no limit of a guest's control group"), setting->file);
    before = virCgroupGet(group, setting->controller, &setting->part, setting->file, error);
    if (!before)
        return false;
    if (g_str_equal(before, setting->text))
        return true;
    if (!virDelegateEnd(&trace, trace.ops->cgroupSet(door, call, group, setting, error)))
        return false;
    after = virCgroupGet(group, setting->controller, &setting->part, setting->file, error);
    if (!after)
        return false;
    return virCgroupSettingHolds(setting, after) ||
           virDelegateNotTrue(&trace, error, _("the file reads otherwise"));
}

/* --- parts --- */

static bool
virDelegatePartIsGone(const virCgroup *group, const virCgroupPart *part)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (guint i = 0; i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (access(folder->path, F_OK) == 0)
            return false;
    }
    return true;
}

bool
virDelegateCgroupMakePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                          const virCgroupPart *part, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "cgroup.create", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->cgroupMakePart(door, call, group, part, error)))
        return false;
    return virDelegateFoldersAreThere(group, part) ||
           virDelegateNotTrue(&trace, error, _("the group is not there"));
}

bool
virDelegateCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                            const virCgroupPart *part, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "cgroup.remove", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->cgroupRemovePart(door, call, group, part, error)))
        return false;
    return virDelegatePartIsGone(group, part) ||
           virDelegateNotTrue(&trace, error, _("the group is still there"));
}

bool
virDelegateCgroupMoveThreads(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             const virCgroupPart *part, int pidfd, const pid_t *tids, size_t ntids,
                             GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "cgroup.move", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->cgroupMoveThreads(door, call, group, part, pidfd, tids,
                                                             ntids, error)))
        return false;
    for (size_t i = 0; i < ntids; i++) {
        bool inside = false;

        if (!virCgroupHasThread(group, part, tids[i], &inside, error))
            return false;
        if (!inside)
            return virDelegateNotTrue(&trace, error, _("a thread is in another group"));
    }
    return true;
}

bool
virDelegateCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                        unsigned timeout_ms, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "cgroup.remove", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->cgroupRemove(door, call, group, timeout_ms, error)))
        return false;
    if (virDelegateGroupIsThere(group))
        return virDelegateNotTrue(&trace, error, _("the group is still there"));
    /* the gate's pins would outlive it */
    return door->ops->gateForget(door, call, error);
}
