/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_process.c: the front of the hooks for processes and threads: what must hold before
 * and after. In a job, without the core lock. A process is a pidfd; threads are ids that are looked
 * for below it. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

pid_t
virDelegateLivePid(int pidfd, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);

    if (pid == 0)
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the process has ended"));
    return pid > 0 ? pid : -1;
}

/* Every id is a thread of the process. */
static bool
virDelegateCheckThreads(pid_t pid, const pid_t *tids, size_t ntids, GError **error)
{
    for (size_t i = 0; i < ntids; i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", pid, tids[i]);

        if (access(path, F_OK) < 0)
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("process %d has no thread %d"),
                               pid, tids[i]);
    }
    return true;
}

/* --- locked memory --- */

/* By /proc, which tells it of a process of any user. */
static bool
virDelegateHasMemlock(pid_t pid, const virDelegateMemlock *wanted, bool *retHas, GError **error)
{
    uint64_t now = 0;

    if (!virProcReadMemlock(pid, &now, NULL))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("cannot read the locked memory limit of process %d"), pid);
    *retHas = now == wanted->bytes || (now > wanted->bytes && !wanted->exact);
    return true;
}

bool
virDelegateMemlockSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                      const virDelegateMemlock *wanted, GError **error)
{
    virDelegateTrace trace;
    pid_t pid;
    bool has = false;

    if (!virDelegateBegin(door, call, "memlock.set", &trace, error))
        return trace.nobody;
    pid = virDelegateLivePid(pidfd, error);
    if (pid < 0 || !virDelegateHasMemlock(pid, wanted, &has, error))
        return false;
    if (has)
        return true;
    if (!virDelegateEnd(&trace, trace.ops->memlockSet(door, call, pidfd, wanted, error)) ||
        !virDelegateHasMemlock(pid, wanted, &has, error))
        return false;
    return has ||
           virDelegateNotTrue(&trace, error,
                              wanted->exact ? _("the limit is another") : _("the limit is lower"));
}

/* --- threads --- */

static bool
virDelegateHaveSched(const pid_t *tids, size_t ntids, int policy, int priority)
{
    for (size_t i = 0; i < ntids; i++) {
        struct sched_param param = {0};

        if ((sched_getscheduler(tids[i]) & ~SCHED_RESET_ON_FORK) != policy ||
            sched_getparam(tids[i], &param) < 0 || param.sched_priority != priority)
            return false;
    }
    return true;
}

bool
virDelegateSchedSet(virDelegate *door, const virDelegateCall *call, int pidfd, const pid_t *tids,
                    size_t ntids, int policy, int priority, GError **error)
{
    virDelegateTrace trace;
    pid_t pid;

    if (!virDelegateBegin(door, call, "sched.set", &trace, error))
        return trace.nobody;
    pid = virDelegateLivePid(pidfd, error);
    if (pid < 0 || !virDelegateCheckThreads(pid, tids, ntids, error))
        return false;
    if (virDelegateHaveSched(tids, ntids, policy, priority))
        return true;
    if (!virDelegateEnd(
            &trace, trace.ops->schedSet(door, call, pidfd, tids, ntids, policy, priority, error)))
        return false;
    return virDelegateHaveSched(tids, ntids, policy, priority) ||
           virDelegateNotTrue(&trace, error, _("a thread has another scheduler"));
}

/* The kernel leaves out those that are off. */
bool
virDelegateHaveAffinity(const pid_t *tids, size_t ntids, const cpu_set_t *cpus, size_t cpusSize)
{
    g_autofree cpu_set_t *now = g_malloc0(cpusSize);
    g_autofree cpu_set_t *both = g_malloc0(cpusSize);

    for (size_t i = 0; i < ntids; i++) {
        if (sched_getaffinity(tids[i], cpusSize, now) < 0)
            return false;
        CPU_AND_S(cpusSize, both, now, cpus);
        if (!CPU_EQUAL_S(cpusSize, both, now))
            return false;
    }
    return true;
}

bool
virDelegateAffinitySet(virDelegate *door, const virDelegateCall *call, int pidfd, const pid_t *tids,
                       size_t ntids, const cpu_set_t *cpus, size_t cpusSize, GError **error)
{
    virDelegateTrace trace;
    pid_t pid;

    if (!virDelegateBegin(door, call, "affinity.set", &trace, error))
        return trace.nobody;
    pid = virDelegateLivePid(pidfd, error);
    if (pid < 0 || !virDelegateCheckThreads(pid, tids, ntids, error))
        return false;
    if (!virDelegateEnd(
            &trace, trace.ops->affinitySet(door, call, pidfd, tids, ntids, cpus, cpusSize, error)))
        return false;
    return virDelegateHaveAffinity(tids, ntids, cpus, cpusSize) ||
           virDelegateNotTrue(&trace, error, _("a thread may run on other CPUs"));
}

/* --- the rest of a process --- */

static bool
virDelegateGetOom(pid_t pid, int *retValue, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/oom_score_adj", pid);
    g_autofree char *text = virFileRead(path, 64, NULL, error);

    if (!text)
        return false;
    *retValue = (int)g_ascii_strtoll(text, NULL, 10);
    return true;
}

bool
virDelegateProcTune(virDelegate *door, const virDelegateCall *call, int pidfd, int oomScoreAdj,
                    GError **error)
{
    virDelegateTrace trace;
    pid_t pid;
    int now = 0;

    if (!virDelegateBegin(door, call, "proc.tune", &trace, error))
        return trace.nobody;
    pid = virDelegateLivePid(pidfd, error);
    if (pid < 0 || !virDelegateGetOom(pid, &now, error))
        return false;
    if (now == oomScoreAdj)
        return true;
    if (!virDelegateEnd(&trace, trace.ops->procTune(door, call, pidfd, oomScoreAdj, error)) ||
        !virDelegateGetOom(pid, &now, error))
        return false;
    return now == oomScoreAdj || virDelegateNotTrue(&trace, error, _("oom_score_adj is another"));
}
