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
    /* Limits of a guest; never what moves processes or delegates. */
    static const char *const files[] = {
        /* v2 */
        "cpu.weight", "cpu.max", "memory.max", "memory.high", "memory.swap.max", "io.weight",
        "io.bfq.weight", "io.max", "cgroup.freeze",
        /* v1 */
        "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "memory.limit_in_bytes",
        "memory.soft_limit_in_bytes", "memory.memsw.limit_in_bytes", "blkio.weight",
        "blkio.bfq.weight", "blkio.weight_device", "blkio.bfq.weight_device",
        "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device",
        "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
        "cpuset.memory_migrate", "freezer.state",
        /* both */
        "cpuset.cpus", "cpuset.mems", "pids.max", NULL};

    if (!g_strv_contains(files, setting->file))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("'%s' is no limit of a guest's control group"), setting->file);
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
    return virCgroupRemove(group, timeout_ms, error) &&
           VIR_FAULT_STEP("stop:group-removed", error) &&
           (!door->store || virGateStoreForget(door->store, call->uuid, error));
}
