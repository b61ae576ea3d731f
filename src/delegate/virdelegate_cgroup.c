/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_cgroup.c: the front of the hooks for groups: what must hold before and after. In a
 * job, without the core lock. */
#include <string.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
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
    if (!virDelegateGroupIsThere(group))
        return virDelegateNotTrue(&trace, error, _("the group is not there"));
    *retGroup = g_steal_pointer(&group);
    return true;
}

/* The process is in the leaf, or has ended. */
static bool
virDelegateIsInside(virCgroup *group, int pidfd, bool *retInside, GError **error)
{
    g_autoptr(GArray) pids = virCgroupListProcs(group, error);
    pid_t pid = pids ? virPidfdGetPid(pidfd, error) : -1;

    if (pid < 0)
        return false;
    *retInside = pid == 0;
    for (guint i = 0; i < pids->len && !*retInside; i++)
        *retInside = g_array_index(pids, pid_t, i) == pid;
    return true;
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

static const virCgroupController threadControllers[] = {
    VIR_CGROUP_CONTROLLER_CPU, VIR_CGROUP_CONTROLLER_CPUACCT, VIR_CGROUP_CONTROLLER_CPUSET};

/* How many of the part's groups are there, and how many there should be. */
static unsigned
virDelegateCountPart(const virCgroup *group, const virCgroupPart *part, unsigned *retAll)
{
    unsigned there = 0;

    *retAll = 0;
    for (guint i = 0; i < G_N_ELEMENTS(threadControllers); i++) {
        g_autofree char *path = virCgroupPartPath(group, threadControllers[i], part);

        *retAll += path != NULL;
        there += path && access(path, F_OK) == 0;
    }
    return there;
}

bool
virDelegateCgroupMakePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                          const virCgroupPart *part, GError **error)
{
    virDelegateTrace trace;
    unsigned all;

    if (!virDelegateBegin(door, call, "cgroup.create", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->cgroupMakePart(door, call, group, part, error)))
        return false;
    return virDelegateCountPart(group, part, &all) == all ||
           virDelegateNotTrue(&trace, error, _("the group is not there"));
}

bool
virDelegateCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                            const virCgroupPart *part, GError **error)
{
    virDelegateTrace trace;
    unsigned all;

    if (!virDelegateBegin(door, call, "cgroup.remove", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->cgroupRemovePart(door, call, group, part, error)))
        return false;
    return virDelegateCountPart(group, part, &all) == 0 ||
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
    return !virDelegateGroupIsThere(group) ||
           virDelegateNotTrue(&trace, error, _("the group is still there"));
}
