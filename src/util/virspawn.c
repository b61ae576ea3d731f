/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virspawn.c: the daemon's half of starting a program: pack the request, clone, hand over, wait.
 *
 * Between clone3 and execve the child calls dup2, fcntl, execve, write and _exit, nothing else: no
 * allocation, no stdio, no lock. All signals are blocked around the clone and reset in the child.
 * Where clone3 is missing (virclone.h) virtward-spawn joins the group, as it does those of v1,
 * before it execs the program.
 * Any thread, without the core lock. Rights: see virspawn.h. */
#include "util/virspawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "config.h"
#include "util/virclone.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virspawnwire.h"
#include "util/virutil.h"

#define DEFAULT_TIMEOUT_MS 30000

/* A request as bytes and the descriptors that go with it. */
typedef struct {
    int memfd;
    int procsFd; /* of the group that the child still has to join; -1: it was born in it */
    GArray *fds; /* int, borrowed, in the order of the targets, joinFds and procsFd last */
} virSpawnPacked;

static char *helperPath;

void
virSpawnSetHelper(const char *path)
{
    g_free(helperPath);
    helperPath = g_strdup(path);
}

static const char *
virSpawnGetHelper(void)
{
    static char *found; /* looked for once; the same answer from every thread */
    static gsize once;

    if (helperPath)
        return helperPath;
    if (g_once_init_enter(&once)) {
        g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
        g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
        g_autofree char *built =
            folder ? g_build_filename(folder, "..", "spawn", "virtward-spawn", NULL) : NULL;

        if (built && access(built, X_OK) == 0)
            found = g_steal_pointer(&built);
        else
            found = g_strdup(LIBEXECDIR "/virtward-spawn");
        g_once_init_leave(&once, 1);
    }
    return found;
}

/* --- packing --- */

static void
virSpawnPackedClear(virSpawnPacked *packed)
{
    virCloseFd(&packed->memfd);
    virCloseFd(&packed->procsFd);
    g_clear_pointer(&packed->fds, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virSpawnPacked, virSpawnPackedClear)

static bool
virSpawnCheck(const virSpawnRequest *request, GError **error)
{
    if (!request->argv || !request->argv[0] || request->argv[0][0] != '/')
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("a program to start needs an absolute path"));
    for (size_t i = 0; i < request->nfds; i++) {
        for (size_t j = i + 1; j < request->nfds; j++) {
            if (request->fds[i].target == request->fds[j].target)
                return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                                   _("two descriptors for number %d of '%s'"),
                                   request->fds[i].target, request->argv[0]);
        }
    }
    return true;
}

static bool
virSpawnHasTarget(const virSpawnRequest *request, int target)
{
    for (size_t i = 0; i < request->nfds; i++) {
        if (request->fds[i].target == target)
            return true;
    }
    return false;
}

static void
virSpawnPackDescriptors(const virSpawnRequest *request, int nullFd, GArray *fds,
                        GByteArray *targets)
{
    const int standard[3] = {request->stdinFd, request->stdoutFd, request->stderrFd};

    for (int32_t i = 0; i < 3; i++) {
        int fd = standard[i] >= 0 ? standard[i] : nullFd;

        if (virSpawnHasTarget(request, i))
            continue;
        g_array_append_val(fds, fd);
        g_byte_array_append(targets, (const guint8 *)&i, sizeof(i));
    }
    for (size_t i = 0; i < request->nfds; i++) {
        int32_t target = request->fds[i].target;

        g_array_append_val(fds, request->fds[i].fd);
        g_byte_array_append(targets, (const guint8 *)&target, sizeof(target));
    }
}

/* The number of groups to join. */
static uint32_t
virSpawnPackJoins(const virSpawnRequest *request, virSpawnPacked *packed)
{
    g_array_append_vals(packed->fds, request->joinFds, (guint)request->njoinFds);
    if (packed->procsFd < 0)
        return (uint32_t)request->njoinFds;
    g_array_append_val(packed->fds, packed->procsFd);
    return (uint32_t)request->njoinFds + 1;
}

static uint32_t
virSpawnPackStrings(GByteArray *bytes, const char *const *strings)
{
    uint32_t count = 0;

    for (; strings && strings[count]; count++)
        g_byte_array_append(bytes, (const guint8 *)strings[count], strlen(strings[count]) + 1);
    return count;
}

static void
virSpawnPackTables(const virSpawnRequest *request, GByteArray *tables)
{
    for (size_t i = 0; i < request->nlimits; i++) {
        virSpawnWireLimit limit = {
            .soft = request->limits[i].limit.rlim_cur,
            .hard = request->limits[i].limit.rlim_max,
            .resource = (uint32_t)request->limits[i].resource,
        };

        g_byte_array_append(tables, (const guint8 *)&limit, sizeof(limit));
    }
    for (size_t i = 0; i < request->nnodes; i++) {
        virSpawnWireNode node = {
            .device = request->nodes[i].device,
            .mode = request->nodes[i].mode,
            .uid = request->nodes[i].uid,
            .gid = request->nodes[i].gid,
        };

        g_byte_array_append(tables, (const guint8 *)&node, sizeof(node));
    }
    for (size_t i = 0; i < request->ngroups; i++) {
        uint32_t group = request->groups[i];

        g_byte_array_append(tables, (const guint8 *)&group, sizeof(group));
    }
}

static uint32_t
virSpawnPackFlags(const virSpawnRequest *request)
{
    uint32_t flags = 0;

    if (request->uid != VIR_SPAWN_KEEP_ID)
        flags |= VIR_SPAWN_WIRE_SET_ID;
    if (request->setOomScoreAdj)
        flags |= VIR_SPAWN_WIRE_SET_OOM;
    if (request->newSession)
        flags |= VIR_SPAWN_WIRE_SESSION;
    if (request->noNewPrivs)
        flags |= VIR_SPAWN_WIRE_NO_NEW_PRIVS;
    if (request->dieWithParent)
        flags |= VIR_SPAWN_WIRE_DIE_WITH_PARENT;
    if (request->nodes)
        flags |= VIR_SPAWN_WIRE_PRIVATE_DEV;
    if (request->mountNodes)
        flags |= VIR_SPAWN_WIRE_MOUNT_NODES;
    if (request->ownMounts)
        flags |= VIR_SPAWN_WIRE_OWN_MOUNTS;
    if (request->prepare)
        flags |= VIR_SPAWN_WIRE_PREPARE;
    return flags;
}

static bool
virSpawnPack(const virSpawnRequest *request, int nullFd, virSpawnPacked *packed, GError **error)
{
    g_autoptr(GByteArray) tables = g_byte_array_new();
    g_autoptr(GByteArray) targets = g_byte_array_new();
    g_autoptr(GByteArray) strings = g_byte_array_new();
    const char *cwd[] = {request->cwd ? request->cwd : "/", NULL};
    virSpawnWireHeader header = {
        .magic = VIR_SPAWN_WIRE_MAGIC,
        .flags = virSpawnPackFlags(request),
        .uid = request->uid,
        .gid = request->gid,
        .keepCaps = request->keepCaps,
        .oomScoreAdj = request->oomScoreAdj,
        .umask = request->umask,
        .nlimits = (uint32_t)request->nlimits,
        .nnodes = (uint32_t)request->nnodes,
        .ngroups = (uint32_t)request->ngroups,
    };

    virSpawnPackTables(request, tables);
    virSpawnPackDescriptors(request, nullFd, packed->fds, targets);
    header.njoins = virSpawnPackJoins(request, packed);
    header.ntargets = targets->len / sizeof(int32_t);
    virSpawnPackStrings(strings, cwd);
    header.nargv = virSpawnPackStrings(strings, request->argv);
    header.nenv = virSpawnPackStrings(strings, request->env);
    for (size_t i = 0; i < request->nnodes; i++)
        g_byte_array_append(strings, (const guint8 *)request->nodes[i].name,
                            strlen(request->nodes[i].name) + 1);
    header.stringsSize = strings->len;
    if (sizeof(header) + tables->len + targets->len + strings->len > VIR_SPAWN_WIRE_MAX)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the arguments of '%s' are longer than %u bytes"), request->argv[0],
                           VIR_SPAWN_WIRE_MAX);

    packed->memfd = memfd_create("virtward-spawn", MFD_CLOEXEC);
    if (packed->memfd < 0 || !virFileWriteAll(packed->memfd, &header, sizeof(header)) ||
        !virFileWriteAll(packed->memfd, tables->data, tables->len) ||
        !virFileWriteAll(packed->memfd, targets->data, targets->len) ||
        !virFileWriteAll(packed->memfd, strings->data, strings->len))
        return virErrorErrno(error, _("cannot write the request to start '%s'"), request->argv[0]);
    return true;
}

/* --- the clone --- */

/* In the child. Nothing here may take a lock or allocate. */
static G_GNUC_NORETURN void
virSpawnChild(int pair, const char *helper)
{
    static const char *const noEnv[] = {NULL};
    const char *argv[] = {helper, NULL};
    virSpawnWireReply reply = {VIR_SPAWN_WIRE_MAGIC, VIR_SPAWN_STEP_HELPER, 0, 0};

    if (pair == VIR_SPAWN_WIRE_FD ? fcntl(pair, F_SETFD, 0) == 0
                                  : dup2(pair, VIR_SPAWN_WIRE_FD) == VIR_SPAWN_WIRE_FD)
        execve(helper, (char *const *)argv, (char *const *)noEnv);
    reply.errnum = errno;
    (void)!write(pair, &reply, sizeof(reply)); /* the daemon is waiting, or nobody is */
    _exit(127);
}

/* clone3 into the group, as pid and pidfd of result; -1 with errno. */
static pid_t
virSpawnCloneIntoGroup(int groupFd, virSpawnResult *result)
{
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)&result->pidfd,
        .exit_signal = SIGCHLD,
    };

    if (groupFd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)groupFd;
    }
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* A child that the group isn't given to at its birth: *retProcsFd is where it joins. */
static pid_t
virSpawnClonePlain(int groupFd, virSpawnResult *result, int *retProcsFd)
{
    if (groupFd >= 0 && (*retProcsFd = virCloneOpenProcs(groupFd)) < 0)
        return -1;
    return virClonePlain(&result->pidfd);
}

static bool
virSpawnClone(const virSpawnRequest *request, int childEnd, virSpawnResult *result, int *retProcsFd,
              GError **error)
{
    const char *helper = virSpawnGetHelper();
    sigset_t all;
    sigset_t before;
    int errnum;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result->pid = virSpawnCloneIntoGroup(request->cgroupFd, result);
    if (result->pid < 0 && errno == ENOSYS)
        result->pid = virSpawnClonePlain(request->cgroupFd, result, retProcsFd);
    if (result->pid == 0)
        virSpawnChild(childEnd, helper);
    errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result->pid > 0 ||
           virErrorErrnoValue(error, errnum, _("cannot create a process for '%s'"),
                              request->argv[0]);
}

struct virSpawnHeld {
    virSpawnResult process;
    int pair;    /* our end */
    int procsFd; /* of the group that it must join, where it could not be born there; -1: none */
};

/* --- the hand-over --- */

static bool
virSpawnSendBatch(int pair, const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(VIR_SPAWN_WIRE_BATCH * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {(void *)"fd", 2};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    return sendmsg(pair, &msg, MSG_NOSIGNAL) == (ssize_t)iov.iov_len;
}

/* False with errno; EPIPE means that the child has ended, and its reply says why. */
static bool
virSpawnHandOver(int pair, const virSpawnPacked *packed)
{
    if (!virSpawnSendBatch(pair, &packed->memfd, 1))
        return false;
    for (size_t i = 0; i < packed->fds->len; i += VIR_SPAWN_WIRE_BATCH) {
        size_t count = MIN(VIR_SPAWN_WIRE_BATCH, packed->fds->len - i);

        if (!virSpawnSendBatch(pair, &g_array_index(packed->fds, int, i), count))
            return false;
    }
    return true;
}

static char *
virSpawnStepText(const virSpawnRequest *request, const virSpawnWireReply *reply)
{
    switch ((virSpawnStep)reply->step) {
    case VIR_SPAWN_STEP_HELPER:
        return g_strdup_printf(_("cannot run '%s'"), virSpawnGetHelper());
    case VIR_SPAWN_STEP_REQUEST:
        return g_strdup_printf(_("'%s' didn't understand the request"), virSpawnGetHelper());
    case VIR_SPAWN_STEP_JOIN:
        return g_strdup(_("cannot join its control group"));
    case VIR_SPAWN_STEP_PREPARE:
        return g_strdup(_("nobody let it go on"));
    case VIR_SPAWN_STEP_SESSION:
        return g_strdup(_("cannot begin a session"));
    case VIR_SPAWN_STEP_LIMIT:
        return g_strdup_printf(_("cannot set resource limit %u"), reply->detail);
    case VIR_SPAWN_STEP_OOM:
        return g_strdup_printf(_("cannot set oom_score_adj to %d"), request->oomScoreAdj);
    case VIR_SPAWN_STEP_NAMESPACE:
        return g_strdup(_("cannot make a mount namespace"));
    case VIR_SPAWN_STEP_DEV:
        return g_strdup(_("cannot make a private /dev"));
    case VIR_SPAWN_STEP_NODE:
        return g_strdup_printf(_("cannot make node '%s' in the private /dev"),
                               reply->detail < request->nnodes ? request->nodes[reply->detail].name
                                                               : "?");
    case VIR_SPAWN_STEP_IDENTITY:
        return g_strdup_printf(_("cannot become user %u, group %u"), (unsigned)request->uid,
                               (unsigned)request->gid);
    case VIR_SPAWN_STEP_CAPABILITIES:
        return g_strdup(_("cannot set its capabilities"));
    case VIR_SPAWN_STEP_FOLDER:
        return g_strdup_printf(_("cannot change to folder '%s'"), request->cwd);
    case VIR_SPAWN_STEP_DESCRIPTORS:
        return g_strdup(_("cannot place its descriptors"));
    case VIR_SPAWN_STEP_EXEC:
        return g_strdup(_("cannot execute it"));
    case VIR_SPAWN_STEP_READY:
    case VIR_SPAWN_STEP_LAST:
        break;
    }
    return g_strdup_printf(_("unknown step %u failed"), reply->step);
}

static int
virSpawnLeft(gint64 deadline_us)
{
    gint64 left = (deadline_us - g_get_monotonic_time() + 999) / 1000;

    return left < 0 ? 0 : (int)MIN(left, G_MAXINT);
}

/* One reply, or 0 at end of file, or -1 with errno (ETIMEDOUT at the deadline). */
static ssize_t
virSpawnReceive(int pair, virSpawnWireReply *reply, gint64 deadline_us)
{
    for (;;) {
        struct pollfd wait = {pair, POLLIN, 0};
        int ready = poll(&wait, 1, virSpawnLeft(deadline_us));

        if (ready > 0)
            return recv(pair, reply, sizeof(*reply), 0);
        if (ready == 0)
            errno = ETIMEDOUT;
        else if (errno == EINTR)
            continue;
        return -1;
    }
}

/* The child waits: what is to be done to it from outside, then it goes on. */
static bool
virSpawnPrepare(const virSpawnRequest *request, const virSpawnHeld *held, GError **error)
{
    static const char go[] = "go";

    if (!request->prepare(held->process.pid, held->process.pidfd, request->prepareOpaque, error))
        return false;
    return send(held->pair, go, strlen(go), MSG_NOSIGNAL) > 0 || errno == EPIPE ||
           errno == ECONNRESET || /* it has ended: what it said is read next */
           virErrorErrno(error, _("cannot start '%s'"), request->argv[0]);
}

/* True when the program has been exec'ed. */
static bool
virSpawnAwaitExec(const virSpawnRequest *request, const virSpawnHeld *held, GError **error)
{
    unsigned timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
    gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool ready = false;

    for (;;) {
        virSpawnWireReply reply = {0};
        ssize_t got = virSpawnReceive(held->pair, &reply, deadline_us);

        if (got < 0 && errno == ETIMEDOUT)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                               _("'%s' wasn't executed within %u s"), request->argv[0],
                               (timeout_ms + 999) / 1000);
        if (got < 0 && errno != ECONNRESET)
            return virErrorErrno(error, _("cannot start '%s'"), request->argv[0]);
        if (got <= 0)
            return ready || virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                                        _("cannot start '%s': its process ended before the exec"),
                                        request->argv[0]);
        if (got != sizeof(reply) || reply.magic != VIR_SPAWN_WIRE_MAGIC)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("cannot start '%s': '%s' is of another version"), request->argv[0],
                               virSpawnGetHelper());
        if (reply.step == VIR_SPAWN_STEP_PREPARE && reply.errnum == 0 && request->prepare) {
            if (!virSpawnPrepare(request, held, error))
                return false;
            deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
            continue;
        }
        if (reply.step != VIR_SPAWN_STEP_READY) {
            g_autofree char *step = virSpawnStepText(request, &reply);

            return virErrorErrnoValue(error, reply.errnum, _("cannot start '%s': %s"),
                                      request->argv[0], step);
        }
        ready = true;
    }
}

static void
virSpawnAbandon(virSpawnResult *result)
{
    /* Ours and not yet reaped: the signal can reach nobody else. */
    (void)pidfd_send_signal(result->pidfd, SIGKILL, NULL, 0);
    (void)virSpawnReap(result->pidfd, NULL, NULL);
    virCloseFd(&result->pidfd);
}

/* --- a process and its socket --- */

void
virSpawnHeldFree(virSpawnHeld *held)
{
    if (!held)
        return;
    if (held->process.pidfd >= 0)
        virSpawnAbandon(&held->process);
    virCloseFd(&held->pair);
    virCloseFd(&held->procsFd);
    g_free(held);
}

pid_t
virSpawnHeldPid(const virSpawnHeld *held)
{
    return held->process.pid;
}

int
virSpawnHeldPidfd(const virSpawnHeld *held)
{
    return held->process.pidfd;
}

static bool
virSpawnPair(const virSpawnRequest *request, int pair[2], GError **error)
{
    const struct timeval patience = {30, 0};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return virErrorErrno(error, _("cannot make the socket to start '%s'"), request->argv[0]);
    return true;
}

static virSpawnHeld *
virSpawnBegin(const virSpawnRequest *request, GError **error)
{
    g_autoptr(virSpawnHeld) held = g_new0(virSpawnHeld, 1);
    int pair[2] = {-1, -1};
    VIR_AUTOCLOSE childEnd = -1;

    held->process = (virSpawnResult){-1, -1};
    held->pair = -1;
    held->procsFd = -1;
    if (!virSpawnPair(request, pair, error))
        return NULL;
    held->pair = pair[0];
    childEnd = pair[1];
    if (!virSpawnClone(request, childEnd, &held->process, &held->procsFd, error))
        return NULL;
    VIR_FAULT_POINT("spawn:cloned");
    return g_steal_pointer(&held);
}

virSpawnHeld *
virSpawnHold(GError **error)
{
    const char *argv[] = {virSpawnGetHelper(), NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;

    request.argv = argv;
    return virSpawnBegin(&request, error);
}

/* What the child is told, and what becomes of it. */
static bool
virSpawnBecome(const virSpawnRequest *request, int nullFd, virSpawnHeld *held, GError **error)
{
    g_auto(virSpawnPacked)
        packed = {-1, g_steal_fd(&held->procsFd), g_array_new(FALSE, FALSE, sizeof(int))};

    if (!virSpawnPack(request, nullFd, &packed, error))
        return false;
    if (!virSpawnHandOver(held->pair, &packed) && errno != EPIPE && errno != ECONNRESET)
        return virErrorErrno(error, _("cannot hand the request to the child for '%s'"),
                             request->argv[0]);
    return virSpawnAwaitExec(request, held, error);
}

bool
virSpawn(const virSpawnRequest *request, virSpawnResult *retResult, GError **error)
{
    g_autoptr(virSpawnHeld) held = request->held;
    VIR_AUTOCLOSE nullFd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nullFd < 0)
        return virErrorErrno(error, _("cannot open %s"), "/dev/null");
    if (!virSpawnCheck(request, error) || (!held && !(held = virSpawnBegin(request, error))) ||
        !virSpawnBecome(request, nullFd, held, error))
        return false;
    VIR_FAULT_POINT("spawn:executed");
    *retResult = held->process;
    held->process.pidfd = -1;
    return true;
}

/* --- the end of a child --- */

bool
virSpawnReap(int pidfd, int *retStatus, GError **error)
{
    siginfo_t info = {0};

    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0) {
        if (errno != EINTR)
            return virErrorErrno(error, _("cannot wait for a child process"));
    }
    if (retStatus)
        *retStatus = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
                                                : W_EXITCODE(0, info.si_status);
    return true;
}

char *
virSpawnStatusText(int status)
{
    if (WIFEXITED(status))
        return g_strdup_printf("exit status %d", WEXITSTATUS(status));
    return g_strdup_printf("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}
