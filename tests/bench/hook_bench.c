/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hook_bench.c: what it costs to hand an operation to a handler.
 *
 *     hook_bench [--assert]
 *
 * One call through the daemon's side of the channel (virHandlersAsk, with its event thread) to a
 * handler in a process of its own that the library serves, with one descriptor each way; in turns
 * with it a bare SEQPACKET echo between two processes, with one descriptor each way and as many
 * bytes. With --assert the exit status says whether the median is within the bound. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define VIR_INTERNAL_UNSTABLE_API_OPT_IN 1
#include "delegate/virhandlers.h"
#include "internal/libvirt-internal.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virutil.h"

enum { ROUNDS = 20, CALLS = 500, BYTES = 120, BOUND_US = 25 };

static const virDelegateCall benchCall = {"bench", {1}, VIR_DELEGATE_PHASE_START};

static double
now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
compareTimes(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double
part(GArray *times /* double */, double share)
{
    g_array_sort(times, compareTimes);
    return g_array_index(times, double, (guint)((double)(times->len - 1) * share));
}

/* --- the echo --- */

/* Sends bytes and one descriptor. */
static bool
sendOne(int sock, const void *bytes, size_t len, int fd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec iov = {(void *)bytes, len};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    return sendmsg(sock, &message, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
receiveOne(int sock, void *bytes, size_t len, int *retFd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {bytes, len};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};

    if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != (ssize_t)len || !CMSG_FIRSTHDR(&message))
        return false;
    memcpy(retFd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(*retFd));
    return true;
}

static void
serveEcho(int sock)
{
    char bytes[BYTES];
    int fd;

    while (receiveOne(sock, bytes, sizeof(bytes), &fd)) {
        if (!sendOne(sock, bytes, sizeof(bytes), fd))
            return;
        (void)close(fd); /* sent */
    }
}

static bool
askEcho(int sock, int fd)
{
    char bytes[BYTES] = {0};
    int back = -1;

    if (!sendOne(sock, bytes, sizeof(bytes), fd) || !receiveOne(sock, bytes, sizeof(bytes), &back))
        return false;
    (void)close(back); /* only its coming counts */
    return true;
}

/* --- the handler --- */

static int
giveBack(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalRequestAddFd(request,
                            fcntl(virInternalRequestGetFd(request, 0), F_DUPFD_CLOEXEC, 3));
    return virInternalRequestSetString(request, "name", "bench0");
}

static void
serveHook(const char *path, int readyFd)
{
    virInternalSession *session = virInternalSessionOpenPath(path, VIR_INTERNAL_ABI);
    struct pollfd ready = {.events = POLLIN};

    if (!session || virInternalSessionRegister(session, "tap.create", NULL, NULL, 0, giveBack, NULL,
                                               NULL) < 0) {
        fprintf(stderr, "hook_bench: %s\n", virInternalGetLastError());
        return;
    }
    (void)write(readyFd, "x", 1); /* who waits sees the end otherwise */
    ready.fd = virInternalSessionGetFd(session);
    while (poll(&ready, 1, -1) > 0 && virInternalSessionDispatch(session) == 0)
        continue;
    virInternalSessionFree(session);
}

static bool
askHook(virHandlers *handlers, int fd, GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    handler_tap_create_args args = {.name = "bench0", .queues = 1, .parent = ""};
    handler_tap_create_ret ret = {0};

    return virHandlersAsk(handlers, &benchCall, virXdrHookByNumber(HANDLER_PROC_TAP_CREATE), &args,
                          &fd, 1, &ret, &reply, error) &&
           (virPacketFdCount(&reply.packet) == 1 ||
            virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "no descriptor came back"));
}

/* --- both in turns --- */

static bool
measure(virHandlers *handlers, int echo, GArray *hookTimes, GArray *echoTimes, GError **error)
{
    VIR_AUTOCLOSE fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CALLS; i++) {
            double began_us = now_us();
            double time_us;

            if (!askEcho(echo, fd))
                return virErrorErrno(error, "the echo does not answer");
            time_us = now_us() - began_us;
            g_array_append_val(echoTimes, time_us);
        }
        for (int i = 0; i < CALLS; i++) {
            double began_us = now_us();
            double time_us;

            if (!askHook(handlers, fd, error))
                return false;
            time_us = now_us() - began_us;
            g_array_append_val(hookTimes, time_us);
        }
    }
    return true;
}

static void *
runEvents(void *unused)
{
    virEventRun();
    return NULL;
}

/* Forks a process that ends with this one. */
static pid_t
forkOne(void)
{
    pid_t pid = fork();

    if (pid == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* only tidier */
    return pid;
}

static bool
run(const char *folder, double *retHook_us, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "handler", "sock", NULL);
    g_autofree char *inside = g_build_filename(folder, "handler", NULL);
    g_autoptr(GArray) hookTimes = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) echoTimes = g_array_new(FALSE, FALSE, sizeof(double));
    virHandlers *handlers;
    GThread *events;
    int ends[2], ready[2];
    pid_t echo, hook;
    char byte;
    bool done;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
        pipe2(ready, O_CLOEXEC) < 0)
        return virErrorErrno(error, "cannot make sockets");
    if ((echo = forkOne()) == 0) {
        (void)close(ends[0]); /* the parent's */
        serveEcho(ends[1]);
        _exit(0);
    }
    (void)close(ends[1]); /* the child's */
    if (!virEventInit(error))
        return false;
    handlers = virHandlersNew("bench");
    if (!virHandlersListen(handlers, inside, error))
        return false;
    if ((hook = forkOne()) == 0) {
        serveHook(path, ready[1]);
        _exit(0);
    }
    (void)close(ready[1]); /* the child's */
    events = g_thread_new("events", runEvents, NULL);
    done = read(ready[0], &byte, 1) == 1
               ? measure(handlers, ends[0], hookTimes, echoTimes, error)
               : virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "the handler does not register");
    (void)kill(hook, SIGKILL); /* ours, not yet waited for */
    (void)kill(echo, SIGKILL);
    (void)waitpid(hook, NULL, 0);
    (void)waitpid(echo, NULL, 0);
    virEventQuit();
    g_thread_join(events);
    virHandlersFree(handlers);
    if (!done)
        return false;
    *retHook_us = part(hookTimes, 0.5);
    printf("one descriptor each way, %u calls     p10    p50    p99\n"
           "  a handler's call                 %6.1f %6.1f %6.1f us\n"
           "  a bare SEQPACKET echo            %6.1f %6.1f %6.1f us\n"
           "    a handler's call, p50, us %6.1f  at most %d  %s\n",
           hookTimes->len, part(hookTimes, 0.1), *retHook_us, part(hookTimes, 0.99),
           part(echoTimes, 0.1), part(echoTimes, 0.5), part(echoTimes, 0.99), *retHook_us, BOUND_US,
           *retHook_us <= BOUND_US ? "yes" : "NO");
    return true;
}

int
main(int argc, char **argv)
{
    g_autofree char *folder = g_dir_make_tmp("virtward-hook-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);
    g_autoptr(GError) error = NULL;
    double hook_us = 0;
    bool done = run(folder, &hook_us, &error);

    (void)g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL); /* below /tmp */
    if (!done) {
        fprintf(stderr, "hook_bench: %s\n", error->message);
        return EXIT_FAILURE;
    }
    return argc == 2 && g_str_equal(argv[1], "--assert") && hook_us > BOUND_US;
}
