/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_restore.c: one grant that its handler has lost or does not know: the daemon looks
 * whether it holds, and has it done again through the same hook if it doesn't. Most fronts look
 * first anyway, so to restore is to call them with what was asked then. In a job of the guest,
 * without the core lock. */
#include "delegate/virdelegate_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delegate/handler.h"
#include "delegate/virhandlerspriv.h"
#include "util/cgroup/vircgrouplimit.h"
#include "util/netdev/virnetdev.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

enum {
    LIMIT_MAX = 64 * 1024,  /* bytes of a file of limits */
    LIST_MAX = 1024 * 1024, /* of a group's list of threads */
};

/* One grant, its arguments decoded, among all of the guest's. */
typedef struct {
    virDelegate *door;
    const virDelegateCall *call;
    const virDelegateSubject *subject;
    const virHandlerGrant *grant;
    const GPtrArray *grants; /* virHandlerGrant, in the order of asking */
    virArena arena;
    void *args; /* of the hook; NULL: were not kept */
} restoreJob;

static void
restoreJobClear(restoreJob *job)
{
    virArenaClear(&job->arena);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(restoreJob, restoreJobClear)

void *
virDelegateGrantArgs(const virHandlerGrant *grant, virArena *arena)
{
    void *args = virArenaAlloc(arena, grant->hook->args->size);
    size_t len;
    const uint8_t *bytes = grant->args ? g_bytes_get_data(grant->args, &len) : NULL;

    return bytes && virXdrDecode(grant->hook->args, bytes, len, arena, args, NULL, NULL) ? args
                                                                                         : NULL;
}

/* --- threads --- */

static bool
isAmong(const handler_threads *threads, uint32_t tid)
{
    for (uint32_t i = 0; i < threads->tids_len; i++) {
        if (threads->tids_val[i] == tid)
            return true;
    }
    return false;
}

/* The folder part of a target, without what comes behind it; caller frees. */
static char *
groupFolder(const virHandlerGrant *grant)
{
    const char *end = strstr(grant->target, " threads ");

    return end ? g_strndup(grant->target, (size_t)(end - grant->target))
               : g_path_get_dirname(grant->target);
}

/* A thread is in one group of each hierarchy: a later move within another changes nothing here. */
static bool
isElsewhere(const virHandlerGrant *grant, const virHandlerGrant *later)
{
    g_autofree char *here = groupFolder(grant);
    g_autofree char *there = groupFolder(later);
    struct stat a, b;

    return grant->hook->number == HANDLER_PROC_CGROUP_MOVE && stat(here, &a) == 0 &&
           stat(there, &b) == 0 && a.st_dev != b.st_dev;
}

/* A later grant of the same hook has the thread. */
static bool
isTakenLater(const virHandlerGrant *grant, const GPtrArray *grants, uint32_t tid)
{
    bool later = false;

    for (guint i = 0; i < grants->len; i++) {
        const virHandlerGrant *other = g_ptr_array_index((GPtrArray *)grants, i);
        g_auto(virArena) arena = {0};
        const handler_threads *threads;

        if (other->request == grant->request) {
            later = true;
            continue;
        }
        if (!later || other->hook != grant->hook || other->state == VIR_HANDLER_GRANT_ASKED ||
            isElsewhere(grant, other))
            continue;
        virArenaInit(&arena);
        threads = virHandlerHookThreads(other->hook, virDelegateGrantArgs(other, &arena));
        if (threads && isAmong(threads, tid))
            return true;
    }
    return false;
}

GArray *
virDelegateGrantThreads(const virHandlerGrant *grant, const void *args, const GPtrArray *grants,
                        int pidfd)
{
    const handler_threads *threads = virHandlerHookThreads(grant->hook, args);
    pid_t pid = threads ? virPidfdGetPid(pidfd, NULL) : 0;
    g_autoptr(GArray) tids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    if (!threads)
        return NULL;
    for (uint32_t i = 0; pid > 0 && i < threads->tids_len; i++) {
        pid_t tid = (pid_t)threads->tids_val[i];
        g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", (int)pid, (int)tid);

        if (access(path, F_OK) == 0 && !isTakenLater(grant, grants, threads->tids_val[i]))
            g_array_append_val(tids, tid);
    }
    return g_steal_pointer(&tids);
}

static GArray *
restoreThreads(const restoreJob *job)
{
    return virDelegateGrantThreads(job->grant, job->args, job->grants, job->subject->pidfd);
}

/* --- the hooks --- */

static virDelegateHold
holds(bool done)
{
    return done ? VIR_DELEGATE_HOLD_TRUE : VIR_DELEGATE_HOLD_FALSE;
}

static virDelegateHold
restoreMemlock(const restoreJob *job, GError **error)
{
    const handler_memlock_set_args *args = job->args;
    const virDelegateMemlock wanted = {.bytes = args->soft,
                                       .guest = args->guest,
                                       .passthrough = args->passthrough,
                                       .extra = args->extra};

    return holds(virDelegateMemlockSet(job->door, job->call, job->subject->pidfd, &wanted, error));
}

static virDelegateHold
restoreScheduler(const restoreJob *job, GError **error)
{
    const handler_sched_set_args *args = job->args;
    g_autoptr(GArray) tids = restoreThreads(job);

    return holds(tids->len == 0 || virDelegateSchedSet(job->door, job->call, job->subject->pidfd,
                                                       (const pid_t *)(void *)tids->data, tids->len,
                                                       args->policy, args->priority, error));
}

/* This front does not look first, since fewer CPUs than are asked for would pass for them. */
static virDelegateHold
restoreAffinity(const restoreJob *job, GError **error)
{
    const handler_affinity_set_args *args = job->args;
    size_t size = CPU_ALLOC_SIZE(args->cpus_len * 8);
    g_autofree cpu_set_t *cpus = g_malloc0(MAX(size, 1));
    g_autoptr(GArray) tids = restoreThreads(job);
    const pid_t *list = (const pid_t *)(void *)tids->data;

    for (size_t cpu = 0; cpu < (size_t)args->cpus_len * 8; cpu++) {
        if (args->cpus_val[cpu / 8] & 1 << cpu % 8)
            CPU_SET_S(cpu, size, cpus);
    }
    return holds(virDelegateHaveAffinity(list, tids->len, cpus, size) ||
                 virDelegateAffinitySet(job->door, job->call, job->subject->pidfd, list, tids->len,
                                        cpus, size, error));
}

static virDelegateHold
restoreTuning(const restoreJob *job, GError **error)
{
    const handler_proc_tune_args *args = job->args;

    return holds(
        virDelegateProcTune(job->door, job->call, job->subject->pidfd, args->oom_score_adj, error));
}

static virDelegateHold
restoreOwner(const restoreJob *job, GError **error)
{
    const handler_own_set_args *args = job->args;
    const virDelegateOwner wanted = {args->uid, args->gid, args->mode};
    VIR_AUTOCLOSE fd = open(job->grant->target, O_PATH | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return holds(virErrorErrno(error, _("cannot open %s"), job->grant->target));
    return holds(virDelegateOwnSet(job->door, job->call, fd, &wanted, NULL, error));
}

static virDelegateHold
restorePort(const restoreJob *job, GError **error)
{
    const handler_net_attach_args *args = job->args;

    return holds(virDelegateNetAttach(job->door, job->call, args->name, args->bridge, error));
}

static virDelegateHold
restoreState(const restoreJob *job, GError **error)
{
    const handler_net_set_args *args = job->args;

    return holds(virDelegateNetSetUp(job->door, job->call, args->name, args->up != 0, error));
}

static virDelegateHold
restoreBandwidth(const restoreJob *job, GError **error)
{
    const handler_net_bandwidth_args *args = job->args;
    const virNetDevBandwidth wanted = {
        .sent = {args->sent_average, args->sent_peak, args->sent_burst},
        .received = {args->received_average, args->received_peak, args->received_burst},
    };
    virNetDevBandwidth now;

    return holds(virNetDevGetBandwidth(args->name, &now, error) &&
                 (virNetDevBandwidthHolds(&now, &wanted) ||
                  virDelegateNetSetBandwidth(job->door, job->call, args->name, &wanted, error)));
}

/* Another interface would not be the one that QEMU has. */
static virDelegateHold
lookForTap(const restoreJob *job, GError **error)
{
    virNetDevInfo info = {0};
    bool exists = false;

    if (!virNetDevLookup(job->grant->target, &exists, &info, error))
        return VIR_DELEGATE_HOLD_UNSEEN;
    return holds(exists ||
                 virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                             _("there is no interface '%s' any more"), job->grant->target));
}

static virDelegateHold
restoreBinding(const restoreJob *job, GError **error)
{
    const handler_pci_bind_args *args = job->args;

    return holds(virDelegatePCIBind(job->door, job->call, args->address, args->driver, error));
}

/* It gave a descriptor, which the running process has: nobody can take it away. */
static virDelegateHold
lookForProcess(const restoreJob *job, GError **error)
{
    return holds(virPidfdGetPid(job->subject->pidfd, error) > 0);
}

/* A look at the gate puts back what was taken off. */
static virDelegateHold
lookAtGate(const restoreJob *job, GError **error)
{
    virGateState state = VIR_GATE_STATE_WHOLE;

    if (!job->subject->gate)
        return VIR_DELEGATE_HOLD_UNSEEN;
    return holds(virDelegateGateWatch(job->door, job->call, job->subject->gate, &state, error));
}

static virDelegateHold
lookForGroup(const restoreJob *job, GError **error)
{
    return holds(access(job->grant->target, F_OK) == 0 ||
                 virErrorErrno(error, _("cannot find the control group %s"), job->grant->target));
}

static bool
limitHolds(const restoreJob *job, const handler_cgroup_set_args *args)
{
    const virCgroupSetting setting = {.file = args->file, .text = (char *)args->value};
    g_autofree char *now = virFileRead(job->grant->target, LIMIT_MAX, NULL, NULL);

    return now && virCgroupSettingHolds(&setting, g_strchomp(now));
}

static virDelegateHold
restoreLimit(const restoreJob *job, GError **error)
{
    handler_cgroup_set_args *args = job->args;
    g_autofree char *path = groupFolder(job->grant);
    VIR_AUTOCLOSE folder = -1;

    if (limitHolds(job, args))
        return VIR_DELEGATE_HOLD_TRUE;
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return holds(virErrorErrno(error, _("cannot open control group %s"), path));
    if (!virDelegateHandlerAsk(job->door, job->call, HANDLER_PROC_CGROUP_SET, args, &folder, 1,
                               error))
        return VIR_DELEGATE_HOLD_FALSE;
    return holds(limitHolds(job, args) ||
                 virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the file reads otherwise")));
}

/* As the group's own list says: of v2 if it has that file, else of v1. */
static bool
isInGroup(pid_t tid, const char *path)
{
    g_autofree char *threads = g_build_filename(path, "cgroup.threads", NULL);
    g_autofree char *tasks = g_build_filename(path, "tasks", NULL);
    g_autofree char *text = virFileRead(threads, LIST_MAX, NULL, NULL);
    g_autofree char *id = g_strdup_printf("%d", (int)tid);
    g_auto(GStrv) lines = NULL;

    if (!text)
        text = virFileRead(tasks, LIST_MAX, NULL, NULL);
    lines = g_strsplit(text ? text : "", "\n", -1);
    return g_strv_contains((const char *const *)lines, id);
}

static bool
areInGroup(const GArray *tids, const char *path)
{
    for (guint i = 0; i < tids->len; i++) {
        if (!isInGroup(g_array_index(tids, pid_t, i), path))
            return false;
    }
    return true;
}

static bool
moveAgain(const restoreJob *job, const char *path, const GArray *tids, GError **error)
{
    g_auto(virDelegateTargets) targets = {0};
    VIR_AUTOCLOSE folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int first[] = {folder, job->subject->pidfd};
    handler_cgroup_move_args args = {0};

    if (folder < 0)
        return virErrorErrno(error, _("cannot open control group %s"), path);
    if (!virDelegateTargetsFind(&targets, first, G_N_ELEMENTS(first), job->subject->pidfd,
                                (const pid_t *)(void *)tids->data, tids->len, error))
        return false;
    args.threads = targets.threads;
    return virDelegateHandlerAsk(job->door, job->call, HANDLER_PROC_CGROUP_MOVE, &args,
                                 (const int *)(void *)targets.fds->data, targets.fds->len, error);
}

/* Of a whole process nothing is said: its threads have gone their ways since. */
static virDelegateHold
restorePlace(const restoreJob *job, GError **error)
{
    g_autofree char *path = groupFolder(job->grant);
    g_autoptr(GArray) tids = restoreThreads(job);

    if (tids->len == 0)
        return VIR_DELEGATE_HOLD_UNSEEN;
    if (areInGroup(tids, path))
        return VIR_DELEGATE_HOLD_TRUE;
    return holds(
        moveAgain(job, path, tids, error) &&
        (areInGroup(tids, path) ||
         virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("a thread is in another control group"))));
}

static const struct {
    uint32_t hook;
    bool args; /* are needed */
    virDelegateHold (*func)(const restoreJob *job, GError **error);
} restorers[] = {
    {HANDLER_PROC_MEMLOCK_SET, true, restoreMemlock},
    {HANDLER_PROC_SCHED_SET, true, restoreScheduler},
    {HANDLER_PROC_AFFINITY_SET, true, restoreAffinity},
    {HANDLER_PROC_PROC_TUNE, true, restoreTuning},
    {HANDLER_PROC_OWN_SET, true, restoreOwner},
    {HANDLER_PROC_NET_ATTACH, true, restorePort},
    {HANDLER_PROC_NET_SET, true, restoreState},
    {HANDLER_PROC_NET_BANDWIDTH, true, restoreBandwidth},
    {HANDLER_PROC_TAP_CREATE, false, lookForTap},
    {HANDLER_PROC_DEVICE_OPEN, false, lookForProcess},
    {HANDLER_PROC_PCI_BIND, true, restoreBinding},
    {HANDLER_PROC_GATE_CREATE, false, lookAtGate},
    {HANDLER_PROC_GATE_UPDATE, false, lookAtGate},
    {HANDLER_PROC_GATE_REPLACE, false, lookAtGate},
    {HANDLER_PROC_CGROUP_CREATE, false, lookForGroup},
    {HANDLER_PROC_CGROUP_SET, true, restoreLimit},
    {HANDLER_PROC_CGROUP_MOVE, true, restorePlace},
};

virDelegateHold
virDelegateRestore(virDelegate *door, const virDelegateCall *call,
                   const virDelegateSubject *subject, const virHandlerGrant *grant,
                   const GPtrArray *grants, GError **error)
{
    g_auto(restoreJob)
        job = {.door = door, .call = call, .subject = subject, .grant = grant, .grants = grants};

    virArenaInit(&job.arena);
    job.args = virDelegateGrantArgs(grant, &job.arena);
    for (size_t i = 0; i < G_N_ELEMENTS(restorers); i++) {
        if (restorers[i].hook == grant->hook->number && (job.args || !restorers[i].args))
            return restorers[i].func(&job, error);
    }
    return VIR_DELEGATE_HOLD_UNSEEN;
}
