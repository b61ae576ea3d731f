/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations_barrier.c: the policy's say in where a guest's threads run, while none of its CPUs has
 * run: the emulator's threads go to the housekeeping CPUs, those of vCPUs and I/O threads stay
 * where the daemon put them. Threads are descriptors; what QEMU makes later begins where its main
 * thread is. */
#include <sched.h>
#include <unistd.h>

#include "helperd/operations.h"
#include "util/virbitmap.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

/* A set of CPUs as the kernel takes it. */
typedef struct {
    cpu_set_t *bits;
    size_t size;
} cpuSet;

static void
cpuSetClear(cpuSet *set)
{
    g_clear_pointer(&set->bits, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(cpuSet, cpuSetClear)

static void
cpuSetInit(cpuSet *set)
{
    set->size = CPU_ALLOC_SIZE(VIR_BITMAP_MAX);
    set->bits = g_malloc0(set->size);
}

/* The key's CPUs; without the key, all but those of other. */
static bool
readCpus(const helperPolicy *policy, const char *key, const cpuSet *other, cpuSet *set,
         GError **error)
{
    g_autofree char *text = helperPolicyText(policy, "barrier", key);
    g_autoptr(virBitmap) map = NULL;

    cpuSetInit(set);
    if (!text && other) {
        for (size_t cpu = 0; cpu < VIR_BITMAP_MAX; cpu++) {
            if (!CPU_ISSET_S(cpu, other->size, other->bits))
                CPU_SET_S(cpu, set->size, set->bits);
        }
        return true;
    }
    if (!text)
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("the policy of barrier sets no %s, so nothing is allowed"), key);
    map = virBitmapParse(text, VIR_BITMAP_MAX, error);
    if (!map)
        return false;
    virBitmapForEach(map, cpu)
    {
        CPU_SET_S((size_t)cpu, set->size, set->bits);
    }
    return true;
}

/* A point or a role of a later version would be passed in silence. */
static bool
checkKnown(int64_t stage, const virInternalGuestThreads *table, GError **error)
{
    if (stage < VIR_INTERNAL_BARRIER_PREPARED || stage > VIR_INTERNAL_BARRIER_HOTPLUG_VCPU)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("there is no barrier of stage %d"),
                           (int)stage);
    for (size_t i = 0; i < table->n; i++) {
        int role = (int)table->threads[i].role;

        if (role < VIR_INTERNAL_THREAD_EMULATOR || role > VIR_INTERNAL_THREAD_OTHER)
            return virErrorSet(error, VIR_ERR_INVALID_ARG, _("threads have no role %d"), role);
    }
    return true;
}

/* The thread's id, once it is known to be of the process. */
static bool
checkThread(pid_t pid, const virInternalGuestThread *thread, pid_t *retTid, GError **error)
{
    pid_t tid = thread->fd >= 0 ? virPidfdGetPid(thread->fd, NULL) : thread->tid;
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", (int)pid, (int)tid);

    if (tid <= 0 || access(path, F_OK) < 0)
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("thread %d is not of process %d"),
                           (int)thread->tid, (int)pid);
    *retTid = tid;
    return true;
}

static bool
bindThread(pid_t tid, const cpuSet *cpus, GError **error)
{
    return sched_setaffinity(tid, cpus->size, cpus->bits) == 0 ||
           virErrorErrno(error, _("cannot set the CPUs of thread %d"), (int)tid);
}

/* A plugged vCPU begins where its maker is; if the daemon left it there it goes to the guests'
 * CPUs. */
static bool
freeVcpu(const helperPolicy *policy, pid_t tid, const cpuSet *housekeeping, GError **error)
{
    g_auto(cpuSet) now = {0};
    g_auto(cpuSet) both = {0};
    g_auto(cpuSet) vcpus = {0};

    cpuSetInit(&now);
    cpuSetInit(&both);
    if (!readCpus(policy, "vcpus", housekeeping, &vcpus, error))
        return false;
    if (sched_getaffinity(tid, now.size, now.bits) < 0)
        return virErrorErrno(error, _("cannot get the CPUs of thread %d"), (int)tid);
    CPU_AND_S(now.size, both.bits, now.bits, housekeeping->bits);
    return !CPU_EQUAL_S(now.size, both.bits, now.bits) || bindThread(tid, &vcpus, error);
}

static bool
placeThread(const helperPolicy *policy, int64_t stage, const virInternalGuestThread *thread,
            pid_t tid, const cpuSet *housekeeping, GError **error)
{
    bool emulates =
        thread->role == VIR_INTERNAL_THREAD_EMULATOR || thread->role == VIR_INTERNAL_THREAD_OTHER;

    if (stage == VIR_INTERNAL_BARRIER_PREPARED && emulates)
        return bindThread(tid, housekeeping, error);
    if (stage == VIR_INTERNAL_BARRIER_HOTPLUG_VCPU && thread->role == VIR_INTERNAL_THREAD_VCPU)
        return freeVcpu(policy, tid, housekeeping, error);
    return true;
}

bool
helperPassBarrier(const helperPolicy *policy, const virInternalCall *call,
                  virInternalRequest *request, GError **error)
{
    g_auto(cpuSet) housekeeping = {0};
    virInternalGuestThreads table;
    long long stage = 0;
    pid_t pid = 0;

    (void)virInternalRequestGetNumber(request, "stage", &stage); /* the library knows the field */
    if (virInternalRequestGetGuestThreads(request, &table) < 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("descriptors are missing"));
    if (!helperPolicyProcess(policy, table.pidfd, &pid, error) ||
        !checkKnown(stage, &table, error) ||
        !readCpus(policy, "housekeeping", NULL, &housekeeping, error))
        return false;
    for (size_t i = 0; i < table.n; i++) {
        pid_t tid = 0;

        if (!checkThread(pid, &table.threads[i], &tid, error) ||
            !placeThread(policy, stage, &table.threads[i], tid, &housekeeping, error))
            return false;
    }
    return true;
}
