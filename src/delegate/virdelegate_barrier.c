/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_barrier.c: the front of barrier: a word with a handler at the points of a guest's
 * life where its threads can still be placed. In a job, without the core lock. */
#include <poll.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

/* The process lives. What a handler did to its threads is its own business; an end isn't. */
static bool
virDelegateCheckAlive(int pidfd, GError **error)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    return poll(&ended, 1, 0) == 0 ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the process has ended"));
}

/* Ids that came from QEMU are of its own threads. */
static bool
virDelegateCheckTable(int pidfd, const virDelegateThread *threads, size_t nthreads, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);

    for (size_t i = 0; i < nthreads; i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", pid, threads[i].tid);

        if (access(path, F_OK) < 0)
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("process %d has no thread %d"),
                               pid, threads[i].tid);
    }
    return virDelegateCheckAlive(pidfd, error);
}

bool
virDelegateBarrier(virDelegate *door, const virDelegateCall *call, virDelegateBarrierStage stage,
                   int pidfd, const virDelegateThread *threads, size_t nthreads, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "barrier", &trace, error))
        return trace.nobody;
    if (!virDelegateCheckTable(pidfd, threads, nthreads, error) ||
        !virDelegateEnd(&trace,
                        trace.ops->barrier(door, call, stage, pidfd, threads, nthreads, error)))
        return false;
    return virDelegateCheckAlive(pidfd, NULL) ||
           virDelegateNotTrue(&trace, error, _("the process has ended"));
}
