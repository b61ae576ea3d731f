/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations.c: the effects. Every value is held against the policy first; targets are the
 * descriptors that came with the call, and no path of the other side is ever opened. */
#include "helperd/operations.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/cgroup/vircgroup.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

int64_t
helperNumber(const virInternalRequest *request, const char *field)
{
    long long value = 0;

    (void)virInternalRequestGetNumber(request, field, &value); /* the library knows the field */
    return value;
}

/* --- processes and threads --- */

/* A guest whose memory is locked as a whole comes without a limit, which is a word of its own. */
static bool
mayLock(const helperPolicy *policy, uint64_t bytes, GError **error)
{
    return bytes == RLIM_INFINITY
               ? helperPolicyWord(policy, "memlock.set", "unlimited", "yes", error)
               : helperPolicyNumber(policy, "memlock.set", "a locked memory limit",
                                    (int64_t)MIN(bytes, INT64_MAX), error);
}

static bool
setMemlock(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
           GError **error)
{
    uint64_t bytes = (uint64_t)helperNumber(request, "soft");
    struct rlimit limit = {bytes, bytes};
    pid_t pid = 0;

    if (!helperPolicyProcess(policy, virInternalRequestGetFd(request, 0), &pid, error) ||
        !mayLock(policy, bytes, error))
        return false;
    if (prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL) < 0)
        return virErrorErrno(error, _("cannot set the locked memory limit of process %d"),
                             (int)pid);
    return true;
}

GArray *
helperCheckedThreads(const helperPolicy *policy, const virInternalRequest *request, GError **error)
{
    g_autoptr(GArray) tids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    virInternalThreads threads;
    pid_t pid = 0;

    if (virInternalRequestGetThreads(request, &threads) < 0) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("descriptors are missing"));
        return NULL;
    }
    if (!helperPolicyProcess(policy, threads.pidfd, &pid, error))
        return NULL;
    for (size_t i = 0; i < threads.n; i++) {
        pid_t tid = threads.fds ? virPidfdGetPid(threads.fds[i], NULL) : threads.tids[i];
        g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", (int)pid, (int)tid);

        if (tid <= 0 || access(path, F_OK) < 0) {
            virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("thread %d is not of process %d"),
                        (int)threads.tids[i], (int)pid);
            return NULL;
        }
        g_array_append_val(tids, tid);
    }
    return g_steal_pointer(&tids);
}

static bool
setThreadScheduler(pid_t tid, int kind, const struct sched_param *param, GError **error)
{
    int failure = sched_setscheduler(tid, kind, param) < 0 ? errno : 0;

    if (failure == 0)
        return true;
    virErrorErrnoValue(error, failure, _("cannot set the scheduler of thread %d"), (int)tid);
    virCgroupExplainRealtime(tid, kind, failure, error);
    return false;
}

static bool
setScheduler(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
             GError **error)
{
    int kind = (int)helperNumber(request, "policy");
    struct sched_param param = {.sched_priority = (int)helperNumber(request, "priority")};
    g_autoptr(GArray) tids = helperCheckedThreads(policy, request, error);

    if (!tids || !helperPolicyMember(policy, "sched.set", "policies", kind, error) ||
        !helperPolicyNumber(policy, "sched.set", "a priority", param.sched_priority, error))
        return false;
    for (guint i = 0; i < tids->len; i++) {
        if (!setThreadScheduler(g_array_index(tids, pid_t, i), kind, &param, error))
            return false;
    }
    return true;
}

static bool
setAffinity(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
            GError **error)
{
    size_t len = 0;
    const unsigned char *map = virInternalRequestGetBytes(request, "cpus", &len);
    g_autoptr(GArray) tids = helperCheckedThreads(policy, request, error);
    g_autofree cpu_set_t *cpus = NULL;

    if (!tids)
        return false;
    cpus = g_malloc0(CPU_ALLOC_SIZE(len * 8)); /* whole words, as CPU_SET_S writes */
    for (size_t cpu = 0; cpu < len * 8; cpu++) {
        if (!(map[cpu / 8] & 1 << cpu % 8))
            continue;
        if (!helperPolicyMember(policy, "affinity.set", "cpus", (int64_t)cpu, error))
            return false;
        CPU_SET_S(cpu, len, cpus);
    }
    for (guint i = 0; i < tids->len; i++) {
        if (sched_setaffinity(g_array_index(tids, pid_t, i), len, cpus) < 0)
            return virErrorErrno(error, _("cannot set the CPUs of thread %d"),
                                 (int)g_array_index(tids, pid_t, i));
    }
    return true;
}

/* The file is opened before it is known for certain whose it is: once open it is that process's for
 * good, and a write after its end fails. */
static bool
tuneProcess(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
            GError **error)
{
    int64_t value = helperNumber(request, "oom_score_adj");
    g_autofree char *path = NULL;
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
    VIR_AUTOCLOSE fd = -1;
    pid_t pid = 0;

    if (!helperPolicyProcess(policy, virInternalRequestGetFd(request, 0), &pid, error) ||
        !helperPolicyNumber(policy, "proc.tune", "oom_score_adj", value, error))
        return false;
    path = g_strdup_printf("/proc/%d/oom_score_adj", (int)pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (!helperPolicyProcess(policy, virInternalRequestGetFd(request, 0), &pid, error))
        return false;
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return virErrorErrno(error, _("cannot write '%s'"), path);
    return true;
}

/* --- files and devices --- */

static bool
setOwner(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
         GError **error)
{
    int fd = virInternalRequestGetFd(request, 0);
    uid_t uid = (uid_t)helperNumber(request, "uid");
    gid_t gid = (gid_t)helperNumber(request, "gid");
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", fd);

    if (!helperPolicyFile(policy, "own.set", fd, error) ||
        !helperPolicyMember(policy, "own.set", "uids", (int64_t)uid, error) ||
        !helperPolicyMember(policy, "own.set", "gids", (int64_t)gid, error))
        return false;
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ||
        chmod(self, (mode_t)helperNumber(request, "mode") & 01777) < 0)
        return virErrorErrno(error, _("cannot set the owner of a file"));
    return true;
}

bool
helperGiveNode(int folder, const char *name, mode_t mode, dev_t device, uid_t uid, gid_t gid,
               GError **error)
{
    VIR_AUTOCLOSE node = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", node);
    struct stat st;

    if (node < 0 || fstat(node, &st) < 0)
        return virErrorErrno(error, _("cannot look at the node '%s'"), name);
    if (((st.st_mode ^ mode) & S_IFMT) || st.st_rdev != device || st.st_uid != geteuid())
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("'%s' is not the node that was made there"), name);
    if (fchownat(node, "", uid, gid, AT_EMPTY_PATH) < 0 || chmod(self, mode & 0777) < 0)
        return virErrorErrno(error, _("cannot give the node '%s' away"), name);
    return true;
}

static bool
createNode(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
           GError **error)
{
    int folder = virInternalRequestGetFd(request, 0);
    const char *name = virInternalRequestGetString(request, "name");
    mode_t mode = (mode_t)helperNumber(request, "mode");
    unsigned high = (unsigned)helperNumber(request, "major"),
             low = (unsigned)helperNumber(request, "minor");
    uid_t uid = (uid_t)helperNumber(request, "uid");
    gid_t gid = (gid_t)helperNumber(request, "gid");
    g_autofree char *device = g_strdup_printf("%c %u:%u", S_ISBLK(mode) ? 'b' : 'c', high, low);

    if (strchr(name, '/') || name[0] == '\0' || name[0] == '.' || !(S_ISBLK(mode) || S_ISCHR(mode)))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is no name of a node"), name);
    if (!helperPolicyFile(policy, "node.create", folder, error) ||
        !helperPolicyWord(policy, "node.create", "devices", device, error) ||
        !helperPolicyMember(policy, "node.create", "uids", (int64_t)uid, error) ||
        !helperPolicyMember(policy, "node.create", "gids", (int64_t)gid, error))
        return false;
    if (mknodat(folder, name, (mode & S_IFMT) | 0600, makedev(high, low)) < 0)
        return virErrorErrno(error, _("cannot make the node '%s'"), name);
    return helperGiveNode(folder, name, mode, makedev(high, low), uid, gid, error);
}

/* The path of the node that is asked for, which is the helper's own; NULL: it isn't allowed. */
static char *
deviceNode(const helperPolicy *policy, const virInternalRequest *request, GError **error)
{
    static const char *const paths[] = {
        [VIR_INTERNAL_DEVICE_KVM] = "/dev/kvm",
        [VIR_INTERNAL_DEVICE_VHOST_NET] = "/dev/vhost-net",
        [VIR_INTERNAL_DEVICE_VHOST_VSOCK] = "/dev/vhost-vsock",
    };
    static const char *const names[] = {"kvm", "vhost-net", "vhost-vsock"};
    const char *identity = virInternalRequestGetString(request, "identity");
    int64_t kind = helperNumber(request, "device");

    if (kind >= 0 && (size_t)kind < G_N_ELEMENTS(paths))
        return helperPolicyWord(policy, "device.open", "devices", names[kind], error)
                   ? g_strdup(paths[kind])
                   : NULL;
    if (kind >= VIR_INTERNAL_DEVICE_VFIO_GROUP && kind <= VIR_INTERNAL_DEVICE_IOMMUFD)
        return helperVFIONode(policy, (virInternalDevice)kind, identity, error);
    /* The identity must be one of the policy's own words, which makes it the helper's path. */
    return helperPolicyWord(policy, "device.open", "nodes", identity, error) ? g_strdup(identity)
                                                                             : NULL;
}

static bool
openDevice(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
           GError **error)
{
    g_autofree char *path = NULL;
    struct stat st;
    int fd;

    if (helperNumber(request, "device") == VIR_INTERNAL_DEVICE_TAP)
        return helperOpenTap(policy, request, error);
    path = deviceNode(policy, request, error);
    if (!path)
        return false;
    fd = open(path, ((int)helperNumber(request, "flags") & O_ACCMODE) | O_CLOEXEC | O_NOFOLLOW |
                        O_NONBLOCK);
    if (fd < 0)
        return virErrorErrno(error, _("cannot open '%s'"), path);
    virInternalRequestAddFd(request, fd);
    if (fstat(fd, &st) < 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is no device"), path);
    (void)virInternalRequestSetNumber(request, "major", major(st.st_rdev)); /* known fields */
    (void)virInternalRequestSetNumber(request, "minor", minor(st.st_rdev));
    return true;
}

/* --- the operations --- */

/* To go to network namespaces that are not the helper's own. */
#define ELSEWHERE                                                                                  \
    {                                                                                              \
        "namespaces", "any",                                                                       \
        {                                                                                          \
            CAP_SYS_ADMIN, -1                                                                      \
        }                                                                                          \
    }

const helperOperation helperOperations[] = {
    {"memlock.set", setMemlock, {CAP_SYS_RESOURCE, CAP_SYS_PTRACE, -1}},
    {"sched.set", setScheduler, {CAP_SYS_NICE, -1}},
    {"affinity.set", setAffinity, {CAP_SYS_NICE, -1}},
    {"proc.tune", tuneProcess, {CAP_SYS_RESOURCE, CAP_DAC_OVERRIDE, -1}},
    {"own.set", setOwner, {CAP_CHOWN, CAP_FOWNER, CAP_DAC_READ_SEARCH, -1}},
    {"node.create", createNode, {CAP_MKNOD, CAP_CHOWN, CAP_FOWNER, CAP_DAC_READ_SEARCH, -1}},
    {"device.open",
     openDevice,
     {CAP_DAC_OVERRIDE, -1},
     {"devices", "tap", {CAP_SYS_ADMIN, CAP_MKNOD, -1}}},
    {"pci.bind", helperBindPCI, {-1}},
    {"pci.release", helperReleasePCI, {-1}},
    {"tap.create",
     helperCreateTap,
     {CAP_NET_ADMIN, -1},
     {"namespaces", "any", {CAP_SYS_ADMIN, CAP_MKNOD, -1}}}, /* nodes of macvtaps over there */
    {"tap.remove", helperRemoveTap, {CAP_NET_ADMIN, -1}, ELSEWHERE},
    {"net.attach", helperAttachPort, {CAP_NET_ADMIN, -1}, ELSEWHERE},
    {"net.detach", helperDetachPort, {CAP_NET_ADMIN, -1}, ELSEWHERE},
    {"net.set", helperSetUp, {CAP_NET_ADMIN, -1}, ELSEWHERE},
    {"net.bandwidth", helperSetBandwidth, {CAP_NET_ADMIN, -1}, ELSEWHERE},
    {"barrier", helperPassBarrier, {CAP_SYS_NICE, -1}},
    {"gate.create", helperCreateGate, {CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, -1}},
    {"gate.update", helperUpdateGate, {CAP_BPF, CAP_NET_ADMIN, -1}},
    {"gate.replace",
     helperReplaceGate,
     {CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, -1},
     {"ids", "yes", {CAP_SYS_ADMIN, -1}}},
    {"gate.remove", helperRemoveGate, {CAP_BPF, CAP_NET_ADMIN, -1}},
    {"cgroup.create", helperCreateGroup, {CAP_CHOWN, CAP_DAC_OVERRIDE, -1}},
    {"cgroup.move", helperMoveIntoGroup, {CAP_DAC_OVERRIDE, -1}},
    {"cgroup.set", helperSetGroup, {CAP_DAC_OVERRIDE, -1}},
    {"cgroup.remove", helperRemoveGroup, {CAP_DAC_OVERRIDE, CAP_KILL, -1}},
    {"mount.apply",
     helperApplyMounts,
     {CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_MKNOD, CAP_CHOWN, CAP_FOWNER, -1}},
    {NULL, NULL, {-1}},
};
