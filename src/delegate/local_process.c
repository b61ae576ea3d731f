/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_process.c: the hooks for processes and threads, done here. Needs CAP_SYS_RESOURCE to raise
 * limits, CAP_SYS_NICE for real-time scheduling, and access to the process. The kernel takes
 * numbers here; the pidfd says before each that the number is still that process. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "delegate/local.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

static pid_t
localLivePid(int pidfd, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);

    if (pid == 0)
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the process has ended"));
    return pid > 0 ? pid : -1;
}

bool
virDelegateLocalMemlockSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                           const virDelegateMemlock *wanted, GError **error)
{
    pid_t pid = localLivePid(pidfd, error);
    struct rlimit limit;

    if (pid < 0)
        return false;
    if (prlimit(pid, RLIMIT_MEMLOCK, NULL, &limit) < 0)
        return virErrorErrno(error, _("cannot read the locked memory limit of process %d"), pid);
    /* Within the hard limit no right is needed. */
    limit.rlim_cur = wanted->bytes; /* RLIM_INFINITY is the same number as unlimited */
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    if (prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL) == 0)
        return true;
    return wanted->bytes == VIR_DELEGATE_MEMLOCK_UNLIMITED
               ? virErrorErrno(error, _("cannot let process %d lock any amount of memory"), pid)
               : virErrorErrno(error, _("cannot limit locked memory of process %d to %" PRIu64),
                               pid, wanted->bytes);
}
G_STATIC_ASSERT(RLIM_INFINITY == VIR_DELEGATE_MEMLOCK_UNLIMITED);

static bool
localSetScheduler(pid_t tid, int policy, const struct sched_param *param, GError **error)
{
    int failure = sched_setscheduler(tid, policy, param) < 0 ? errno : 0;

    if (failure == 0)
        return true;
    virErrorErrnoValue(error, failure, _("Cannot set scheduler parameters for pid %d"), tid);
    virCgroupExplainRealtime(tid, policy, failure, error);
    return false;
}

bool
virDelegateLocalSchedSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                         const pid_t *tids, size_t ntids, int policy, int priority, GError **error)
{
    struct sched_param param = {.sched_priority = priority};

    for (size_t i = 0; i < ntids; i++) {
        if (localLivePid(pidfd, error) < 0 || !localSetScheduler(tids[i], policy, &param, error))
            return false;
    }
    return true;
}

bool
virDelegateLocalAffinitySet(virDelegate *door, const virDelegateCall *call, int pidfd,
                            const pid_t *tids, size_t ntids, const cpu_set_t *cpus, size_t cpusSize,
                            GError **error)
{
    for (size_t i = 0; i < ntids; i++) {
        if (localLivePid(pidfd, error) < 0)
            return false;
        if (sched_setaffinity(tids[i], cpusSize, cpus) < 0)
            return virErrorErrno(error, _("cannot set CPU affinity on process %d"), tids[i]);
    }
    return true;
}

bool
virDelegateLocalProcTune(virDelegate *door, const virDelegateCall *call, int pidfd, int oomScoreAdj,
                         GError **error)
{
    pid_t pid = localLivePid(pidfd, error);
    g_autofree char *path = g_strdup_printf("/proc/%d/oom_score_adj", pid);
    g_autofree char *text = g_strdup_printf("%d", oomScoreAdj);
    VIR_AUTOCLOSE fd = pid < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);

    if (pid < 0)
        return false;
    if (fd < 0 || !virFileWriteAll(fd, text, strlen(text)))
        return virErrorErrno(error, _("cannot set oom_score_adj of process %d"), pid);
    return true;
}

/* What the document says of its threads has been done by the other hooks. */
bool
virDelegateLocalBarrier(virDelegate *door, const virDelegateCall *call,
                        virDelegateBarrierStage stage, int pidfd, const virDelegateThread *threads,
                        size_t nthreads, GError **error)
{
    return true;
}
