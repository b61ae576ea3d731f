/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_cgroup.c: the hooks for groups, done here. Needs write access to the hierarchy. */
#include <fcntl.h>

#include "delegate/local.h"
#include "util/cgroup/vircgroupsettle.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

bool
virDelegateLocalCgroupCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             pid_t leader, GError **error)
{
    if (virCgroupIsScope(group))
        return virCgroupStartScope(group, call->uuid, leader, error) && virCgroupMake(group, error);
    return virCgroupInstanceMake(door->instance, error) && virCgroupMake(group, error);
}

/* The number may have become another's before it was written. */
static void
virDelegateLocalSettle(const virCgroup *group, int pidfd, pid_t pid)
{
    const virCgroupInstance *instance = virCgroupInstanceOf(group);

    for (guint i = 0; i < instance->hierarchies->len; i++) {
        g_autofree char *entry = virCgroupEntryIn(group, virCgroupHierarchyAt(instance, i));
        VIR_AUTOCLOSE fd = open(entry, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 && virCgroupSettleMove(fd, "cgroup.procs", pidfd, pid))
            return; /* it lives: the number was its own in all of them */
    }
}

bool
virDelegateLocalCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           int pidfd, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);

    if (pid <= 0)
        return pid == 0;
    if (!virCgroupAddProcess(group, pid, error))
        return false;
    virDelegateLocalSettle(group, pidfd, pid);
    return true;
}

bool
virDelegateLocalCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                          const virCgroupSetting *setting, GError **error)
{
    return virCgroupWrite(group, setting, error);
}

bool
virDelegateLocalCgroupMakePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                               const virCgroupPart *part, GError **error)
{
    return virCgroupMakePart(group, part, error);
}

bool
virDelegateLocalCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                 const virCgroupPart *part, GError **error)
{
    return virCgroupRemovePart(group, part, error);
}

/* The same for a thread; v2 refuses those of other processes. */
static void
virDelegateLocalSettleThread(const virCgroup *group, const virCgroupPart *part, int pidfd,
                             pid_t tid)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (guint i = 0; i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);
        VIR_AUTOCLOSE fd = -1;

        if (folder->kind != VIR_CGROUP_FOLDER_PART || folder->at->backend != &virCgroupV1Backend)
            continue;
        fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && virCgroupSettleThread(fd, "tasks", pidfd, tid))
            return; /* it is its thread: so it was all the time */
    }
}

bool
virDelegateLocalCgroupMoveThreads(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                  const virCgroupPart *part, int pidfd, const pid_t *tids,
                                  size_t ntids, GError **error)
{
    for (size_t i = 0; i < ntids; i++) {
        /* as long as the process lives, the numbers are its threads' or nobody's */
        pid_t pid = virPidfdGetPid(pidfd, error);

        if (pid <= 0)
            return pid == 0;
        if (!virCgroupAddThread(group, part, tids[i], error))
            return false;
        virDelegateLocalSettleThread(group, part, pidfd, tids[i]);
    }
    return true;
}

bool
virDelegateLocalCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             unsigned timeout_ms, GError **error)
{
    return virCgroupRemove(group, timeout_ms, error) && VIR_FAULT_STEP("stop:group-removed", error);
}
