/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * looks.c: see looks.h. The helper remembers nothing: what it says is what it sees, and only where
 * the policy would let it act too. */
#include "helperd/looks.h"

#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "util/virfile.h"
#include "util/virprocstat.h"

static virInternalVerdict
verdict(bool kept)
{
    return kept ? VIR_INTERNAL_KEPT : VIR_INTERNAL_LOST;
}

static virInternalVerdict
lookAtMemlock(const helperPolicy *policy, virInternalRequest *request)
{
    uint64_t bytes = (uint64_t)helperNumber(request, "soft");
    uint64_t limit = 0;
    pid_t pid = 0;

    if (!helperPolicyProcess(policy, virInternalRequestGetFd(request, 0), &pid, NULL) ||
        !virProcReadMemlock(pid, &limit, NULL))
        return VIR_INTERNAL_UNKNOWN;
    return verdict(limit >= bytes);
}

/* Goes over the threads of a request; the first that is not as wanted ends it. */
static virInternalVerdict
lookAtThreads(const helperPolicy *policy, virInternalRequest *request,
              bool (*isSo)(pid_t tid, virInternalRequest *request))
{
    virInternalThreads threads;
    pid_t pid = 0;

    if (virInternalRequestGetThreads(request, &threads) < 0 ||
        !helperPolicyProcess(policy, threads.pidfd, &pid, NULL))
        return VIR_INTERNAL_UNKNOWN;
    for (size_t i = 0; i < threads.n; i++) {
        pid_t tid = threads.fds ? virPidfdGetPid(threads.fds[i], NULL) : threads.tids[i];

        if (tid <= 0)
            return VIR_INTERNAL_UNKNOWN;
        if (!isSo(tid, request))
            return VIR_INTERNAL_LOST;
    }
    return VIR_INTERNAL_KEPT;
}

static bool
hasScheduler(pid_t tid, virInternalRequest *request)
{
    struct sched_param param = {0};

    return (sched_getscheduler(tid) & ~SCHED_RESET_ON_FORK) ==
               (int)helperNumber(request, "policy") &&
           sched_getparam(tid, &param) == 0 &&
           param.sched_priority == (int)helperNumber(request, "priority");
}

static virInternalVerdict
lookAtScheduler(const helperPolicy *policy, virInternalRequest *request)
{
    return lookAtThreads(policy, request, hasScheduler);
}

static bool
hasAffinity(pid_t tid, virInternalRequest *request)
{
    size_t len = 0;
    const unsigned char *map = virInternalRequestGetBytes(request, "cpus", &len);
    cpu_set_t now;

    if (sched_getaffinity(tid, sizeof(now), &now) < 0)
        return false;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &now) && (cpu / 8 >= len || !(map[cpu / 8] & 1 << cpu % 8)))
            return false;
    }
    return true;
}

static virInternalVerdict
lookAtAffinity(const helperPolicy *policy, virInternalRequest *request)
{
    return lookAtThreads(policy, request, hasAffinity);
}

static virInternalVerdict
lookAtTuning(const helperPolicy *policy, virInternalRequest *request)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    pid_t pid = 0;

    if (!helperPolicyProcess(policy, virInternalRequestGetFd(request, 0), &pid, NULL))
        return VIR_INTERNAL_UNKNOWN;
    path = g_strdup_printf("/proc/%d/oom_score_adj", (int)pid);
    text = virFileRead(path, 64, NULL, NULL);
    return text ? verdict(g_ascii_strtoll(text, NULL, 10) == helperNumber(request, "oom_score_adj"))
                : VIR_INTERNAL_UNKNOWN;
}

static virInternalVerdict
lookAtOwner(const helperPolicy *policy, virInternalRequest *request)
{
    int fd = virInternalRequestGetFd(request, 0);
    struct stat st;

    if (!helperPolicyFile(policy, "own.set", fd, NULL) || fstat(fd, &st) < 0)
        return VIR_INTERNAL_UNKNOWN;
    return verdict(st.st_uid == (uid_t)helperNumber(request, "uid") &&
                   st.st_gid == (gid_t)helperNumber(request, "gid") &&
                   (st.st_mode & 07777) == (mode_t)helperNumber(request, "mode"));
}

static const struct {
    const char *hook;
    virInternalVerdict (*func)(const helperPolicy *policy, virInternalRequest *request);
} looks[] = {
    {"memlock.set", lookAtMemlock},   {"sched.set", lookAtScheduler},
    {"affinity.set", lookAtAffinity}, {"proc.tune", lookAtTuning},
    {"own.set", lookAtOwner},
};

virInternalVerdict
helperLook(const helperPolicy *policy, const char *hook, virInternalRequest *request)
{
    for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
        if (g_str_equal(looks[i].hook, hook) && helperPolicyServes(policy, hook) &&
            virInternalRequestCountFds(request) > 0)
            return looks[i].func(policy, request);
    }
    return VIR_INTERNAL_UNKNOWN;
}
