/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtward-spawn.c: the child between the daemon's clone3 and a guest's QEMU.
 *
 * It reads one request (util/virspawnwire.h), turns itself into what the request says, and execs.
 * It exists because a forked child of a daemon with threads may call next to nothing; here, after
 * an exec, everything may be called. One thread, no library but libc, so that it starts quickly.
 * Rights: those of the daemon; it gives up all that the request doesn't keep. An error goes back as
 * step and errno; nothing is printed. Run by hand it says what it is. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawn/privatedev.h"
#include "spawn/reply.h"
#include "util/virspawnwire.h"

typedef struct {
    virSpawnWireHeader header;
    const virSpawnWireLimit *limits;
    const virSpawnWireNode *nodes;
    const uint32_t *groups;
    const int32_t *targets;
    const char *cwd;
    char **argv;
    char **env;
    const char **nodeNames;
    int *fds; /* header.ntargets of them, then header.njoins */
} spawnRequest;

/* --- the request --- */

/* Takes len bytes from the front of the rest; NULL if there aren't so many. */
static const void *
spawnTake(const char **at, size_t *left, size_t count, size_t size)
{
    const char *here = *at;

    if (count > *left / size)
        return NULL;
    *at += count * size;
    *left -= count * size;
    return here;
}

static bool
spawnTakeStrings(const char **at, size_t *left, size_t count, const char **ret)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strnlen(*at, *left);

        if (len == *left)
            return false;
        ret[i] = *at;
        *at += len + 1;
        *left -= len + 1;
    }
    return true;
}

static bool
spawnParse(const char *data, size_t size, spawnRequest *request)
{
    const char *at = data;
    size_t left = size;
    const virSpawnWireHeader *header = spawnTake(&at, &left, 1, sizeof(*header));

    if (!header || header->magic != VIR_SPAWN_WIRE_MAGIC || header->nargv == 0 ||
        header->ntargets > VIR_SPAWN_WIRE_MAX_FDS || header->njoins > VIR_SPAWN_WIRE_MAX_FDS)
        return false;
    request->header = *header;
    request->limits = spawnTake(&at, &left, header->nlimits, sizeof(*request->limits));
    request->nodes = spawnTake(&at, &left, header->nnodes, sizeof(*request->nodes));
    request->groups = spawnTake(&at, &left, header->ngroups, sizeof(*request->groups));
    request->targets = spawnTake(&at, &left, header->ntargets, sizeof(*request->targets));
    if (!request->limits || !request->nodes || !request->groups || !request->targets ||
        left != header->stringsSize || header->nargv > left || header->nenv > left)
        return false;
    request->argv = calloc(header->nargv + 1, sizeof(char *));
    request->env = calloc(header->nenv + 1, sizeof(char *));
    request->nodeNames = calloc(header->nnodes + 1, sizeof(char *));
    return request->argv && request->env && request->nodeNames &&
           spawnTakeStrings(&at, &left, 1, &request->cwd) &&
           spawnTakeStrings(&at, &left, header->nargv, (const char **)request->argv) &&
           spawnTakeStrings(&at, &left, header->nenv, (const char **)request->env) &&
           spawnTakeStrings(&at, &left, header->nnodes, request->nodeNames) && left == 0;
}

/* Receives one packet of descriptors; their number, or -1. */
static int
spawnReceive(int *fds, size_t room)
{
    char byte[2];
    union {
        char bytes[CMSG_SPACE(VIR_SPAWN_WIRE_BATCH * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {byte, sizeof(byte)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    const struct cmsghdr *cmsg;
    size_t count;

    if (recvmsg(VIR_SPAWN_WIRE_FD, &msg, MSG_CMSG_CLOEXEC) <= 0 || (msg.msg_flags & MSG_CTRUNC))
        return -1;
    cmsg = CMSG_FIRSTHDR(&msg);
    if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
        return -1;
    count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (count == 0 || count > room)
        return -1;
    memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
    return (int)count;
}

static char *
spawnReadAll(int fd, size_t *retSize)
{
    struct stat st;
    char *data;
    size_t done = 0;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > VIR_SPAWN_WIRE_MAX)
        return NULL;
    data = malloc((size_t)st.st_size);
    while (data && done < (size_t)st.st_size) {
        ssize_t n = pread(fd, data + done, (size_t)st.st_size - done, (off_t)done);

        if (n <= 0)
            return NULL;
        done += (size_t)n;
    }
    *retSize = done;
    return data;
}

static void
spawnReadRequest(spawnRequest *request)
{
    int memfd = -1;
    size_t size = 0;
    size_t have = 0;
    size_t want;
    const char *data;

    if (spawnReceive(&memfd, 1) != 1 || !(data = spawnReadAll(memfd, &size)) ||
        !spawnParse(data, size, request))
        spawnFail(VIR_SPAWN_STEP_REQUEST, EBADMSG, 0);
    (void)close(memfd); /* read whole */
    want = (size_t)request->header.ntargets + request->header.njoins;
    request->fds = calloc(want + 1, sizeof(int));
    while (request->fds && have < want) {
        int count = spawnReceive(request->fds + have, want - have);

        if (count < 0)
            break;
        have += (size_t)count;
    }
    if (have < want)
        spawnFail(VIR_SPAWN_STEP_REQUEST, EBADMSG, (uint32_t)have);
}

/* --- what the program will be --- */

static void
spawnJoinGroups(const spawnRequest *request)
{
    for (uint32_t i = 0; i < request->header.njoins; i++) {
        int fd = request->fds[request->header.ntargets + i];

        if (write(fd, "0", 1) != 1)
            spawnFail(VIR_SPAWN_STEP_JOIN, errno, i);
        (void)close(fd);
    }
}

/* Without CAP_SETPCAP there is nothing in the bounding set that an exec could give us: no_new_privs
 * is then what holds, and the caller asks for it. */
static void
spawnDropBounding(uint64_t keep)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (cap < 64 && (keep & (1ULL << cap)))
            continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
            spawnFail(VIR_SPAWN_STEP_CAPABILITIES, errno, (uint32_t)cap);
    }
}

/* A process with no capabilities after its exec has none in the user namespace either. */
static void
spawnOwnMounts(void)
{
    const bool alone = spawnMakeMountNamespace();

    if (alone)
        spawnDropBounding(0);
}

/* Until the daemon has done to this process what can't be done from inside. */
static void
spawnAwaitPreparation(const spawnRequest *request)
{
    char word[2];

    if (!(request->header.flags & VIR_SPAWN_WIRE_PREPARE))
        return;
    spawnPrepared();
    if (recv(VIR_SPAWN_WIRE_FD, word, sizeof(word), 0) != sizeof(word))
        spawnFail(VIR_SPAWN_STEP_PREPARE, ECANCELED, 0);
}

static void
spawnSetLimits(const spawnRequest *request)
{
    for (uint32_t i = 0; i < request->header.nlimits; i++) {
        const virSpawnWireLimit *wanted = &request->limits[i];
        struct rlimit limit = {wanted->soft, wanted->hard};
        struct rlimit now;

        if (getrlimit(wanted->resource, &now) == 0 && now.rlim_cur == limit.rlim_cur &&
            now.rlim_max == limit.rlim_max)
            continue;
        if (setrlimit(wanted->resource, &limit) < 0)
            spawnFail(VIR_SPAWN_STEP_LIMIT, errno, wanted->resource);
    }
}

static void
spawnSetOom(const spawnRequest *request)
{
    char text[16];
    int fd;
    int len;

    if (!(request->header.flags & VIR_SPAWN_WIRE_SET_OOM))
        return;
    len = snprintf(text, sizeof(text), "%d", request->header.oomScoreAdj);
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, (size_t)len) != len)
        spawnFail(VIR_SPAWN_STEP_OOM, errno, 0);
    (void)close(fd);
}

static void
spawnSetCapabilities(uint64_t keep)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    for (int i = 0; i < 2; i++) {
        uint32_t half = (uint32_t)(keep >> (32 * i));

        data[i] = (struct __user_cap_data_struct){half, half, half};
    }
    if (syscall(SYS_capset, &header, data) < 0)
        spawnFail(VIR_SPAWN_STEP_CAPABILITIES, errno, 0);
    for (int cap = 0; cap < 64; cap++) {
        if (!(keep & (1ULL << cap)))
            continue;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            spawnFail(VIR_SPAWN_STEP_CAPABILITIES, errno, (uint32_t)cap);
    }
}

static void
spawnSetIdentity(const spawnRequest *request)
{
    const virSpawnWireHeader *header = &request->header;
    gid_t *groups;

    if (!(header->flags & VIR_SPAWN_WIRE_SET_ID))
        return;
    spawnDropBounding(header->keepCaps);
    if (header->keepCaps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        spawnFail(VIR_SPAWN_STEP_CAPABILITIES, errno, 0);
    groups = calloc(header->ngroups + 1, sizeof(gid_t));
    for (uint32_t i = 0; groups && i < header->ngroups; i++)
        groups[i] = request->groups[i];
    /* A user without rights who stays himself may not even set the groups he has. */
    if ((geteuid() == 0 || header->uid != geteuid()) && setgroups(header->ngroups, groups) < 0)
        spawnFail(VIR_SPAWN_STEP_IDENTITY, errno, 0);
    if (setresgid(header->gid, header->gid, header->gid) < 0 ||
        setresuid(header->uid, header->uid, header->uid) < 0)
        spawnFail(VIR_SPAWN_STEP_IDENTITY, errno, 0);
    spawnSetCapabilities(header->keepCaps);
}

/* --- descriptors --- */

static int
spawnCompareTargets(const void *a, const void *b)
{
    const int32_t *left = a;
    const int32_t *right = b;

    return *left < *right ? -1 : *left > *right;
}

static void
spawnCloseAllBut(const int32_t *sorted, uint32_t count, int control)
{
    unsigned next = 0;

    for (uint32_t i = 0; i <= count; i++) {
        int keep = i < count ? sorted[i] : control;

        if ((unsigned)keep > next && close_range(next, (unsigned)keep - 1, 0) < 0)
            spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, errno, 0);
        next = (unsigned)keep + 1;
    }
    if (close_range(next, ~0U, 0) < 0)
        spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, errno, 0);
}

/* Moves every descriptor above all targets, then each to its own: no order of targets can overwrite
 * one that is still to be moved. */
static void
spawnPlaceDescriptors(const spawnRequest *request)
{
    uint32_t count = request->header.ntargets;
    int32_t *sorted = calloc(count + 1, sizeof(*sorted));
    int base = VIR_SPAWN_WIRE_FD + 1;
    int control;

    for (uint32_t i = 0; sorted && i < count; i++) {
        sorted[i] = request->targets[i];
        if (sorted[i] < 0 || sorted[i] > VIR_SPAWN_WIRE_MAX_TARGET)
            spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, EBADF, i);
        if (sorted[i] >= base)
            base = sorted[i] + 1;
    }
    if (!sorted)
        spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, ENOMEM, 0);
    for (uint32_t i = 0; i < count; i++) {
        request->fds[i] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, base);
        if (request->fds[i] < 0)
            spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, errno, i);
    }
    control = fcntl(VIR_SPAWN_WIRE_FD, F_DUPFD_CLOEXEC, base);
    if (control < 0)
        spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, errno, 0);
    spawnReplyTo(control);
    for (uint32_t i = 0; i < count; i++) {
        if (dup2(request->fds[i], request->targets[i]) < 0)
            spawnFail(VIR_SPAWN_STEP_DESCRIPTORS, errno, i);
    }
    qsort(sorted, count, sizeof(*sorted), spawnCompareTargets);
    spawnCloseAllBut(sorted, count, control);
    free(sorted);
}

/* After the identity, whose change would undo it; and not for a parent that is gone already. */
static void
spawnDieWithParent(void)
{
    struct pollfd control = {.fd = VIR_SPAWN_WIRE_FD};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        spawnFail(VIR_SPAWN_STEP_SESSION, errno, 0);
    if (poll(&control, 1, 0) > 0 && (control.revents & POLLHUP))
        spawnFail(VIR_SPAWN_STEP_SESSION, ESRCH, 0);
}

int
main(int argc, char **argv)
{
    spawnRequest request = {0};
    sigset_t none;
    int type = 0;
    socklen_t len = sizeof(type);

    if (getsockopt(VIR_SPAWN_WIRE_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        type != SOCK_SEQPACKET) {
        fprintf(stderr, "%s is started by virtwardd, not by hand\n", argc ? argv[0] : "this");
        return 2;
    }
    spawnReplyTo(VIR_SPAWN_WIRE_FD);
    spawnReadRequest(&request);

    spawnJoinGroups(&request);
    if (request.header.flags & VIR_SPAWN_WIRE_OWN_MOUNTS)
        spawnOwnMounts();
    spawnAwaitPreparation(&request);
    if ((request.header.flags & VIR_SPAWN_WIRE_SESSION) && setsid() < 0)
        spawnFail(VIR_SPAWN_STEP_SESSION, errno, 0);
    spawnSetLimits(&request);
    spawnSetOom(&request);
    if (request.header.flags & VIR_SPAWN_WIRE_PRIVATE_DEV)
        spawnMakePrivateDev(request.nodes, request.nodeNames, request.header.nnodes,
                            request.header.flags & VIR_SPAWN_WIRE_MOUNT_NODES);
    spawnSetIdentity(&request);
    if ((request.header.flags & VIR_SPAWN_WIRE_NO_NEW_PRIVS) &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        spawnFail(VIR_SPAWN_STEP_CAPABILITIES, errno, 0);
    if (request.header.flags & VIR_SPAWN_WIRE_DIE_WITH_PARENT)
        spawnDieWithParent();
    if (chdir(request.cwd) < 0)
        spawnFail(VIR_SPAWN_STEP_FOLDER, errno, 0);
    (void)umask((mode_t)request.header.umask);
    spawnPlaceDescriptors(&request);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* what whoever started the daemon ignored (a shell's background job: SIGQUIT) isn't inherited
     */
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* fails for those that nobody can ignore */

    spawnReady();
    (void)execve(request.argv[0], request.argv, request.env);
    spawnFail(VIR_SPAWN_STEP_EXEC, errno, 0);
}
