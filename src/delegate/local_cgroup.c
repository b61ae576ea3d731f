/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_cgroup.c: the hooks for groups, done here. Needs write access to the hierarchy. */
#include "delegate/local.h"
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

bool
virDelegateLocalCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           int pidfd, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);

    /* cgroup.procs takes a number: should the process end and the number be another's between the
     * two lines, that one would be moved. The front looks by the pidfd afterwards. */
    return pid == 0 || (pid > 0 && virCgroupAddProcess(group, pid, error));
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
    }
    return true;
}

bool
virDelegateLocalCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             unsigned timeout_ms, GError **error)
{
    return virCgroupRemove(group, timeout_ms, error) && VIR_FAULT_STEP("stop:group-removed", error);
}
