/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_cgroup.c: the hooks for groups, done here. Needs write access to the hierarchy. */
#include "delegate/local.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

bool
virDelegateLocalCgroupCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             GError **error)
{
    return virCgroupInstanceMake(door->instance, error) && virCgroupMake(group, error);
}

bool
virDelegateLocalCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           int pidfd, GError **error)
{
    pid_t pid = virDelegatePidOf(pidfd, error);

    /* cgroup.procs takes a number: should the process end and the number be another's between the
     * two lines, that one would be moved. The front looks by the pidfd afterwards. */
    return pid == 0 || (pid > 0 && virCgroupAddProcess(group, pid, error));
}

bool
virDelegateLocalCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                          const char *file, const char *value, GError **error)
{
    /* Limits of a guest; never what moves processes or delegates. */
    static const char *const files[] = {
        "cpu.weight",    "cpu.max",    "cpuset.cpus", "cpuset.mems",     "memory.max",
        "memory.high",   "memory.low", "memory.min",  "memory.swap.max", "io.weight",
        "io.bfq.weight", "io.max",     "pids.max",    "cgroup.freeze",   NULL};

    if (!g_strv_contains(files, file))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("'%s' is no limit of a guest's control group"), file);
    return virCgroupWrite(group, file, value, error);
}

bool
virDelegateLocalCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             unsigned timeout_ms, GError **error)
{
    return virCgroupRemove(group, timeout_ms, error) &&
           VIR_FAULT_STEP("stop:group-removed", error) &&
           (!door->store || virGateStoreForget(door->store, call->uuid, error));
}
