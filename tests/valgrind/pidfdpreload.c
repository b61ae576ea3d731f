/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pidfdpreload.c: preloaded into a program under valgrind: pidfd_open and pidfd_send_signal, which
 * valgrind 3.19 answers with ENOSYS, are asked of pidfdserver. All other system calls pass. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "valgrind/pidfdpacket.h"

#define EXPORT __attribute__((visibility("default")))

int pidfd_open(pid_t pid, unsigned flags);
int pidfd_send_signal(int pidfd, int number, siginfo_t *info, unsigned flags);
long syscall(long number, ...);

/* *retFd: the descriptor that came with the answer, or -1. -1 with errno. */
static int
ask(uint32_t type, int32_t number, uint32_t flags, int fd, int *retFd)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a packet there, a packet back */
    const char *text = getenv(PIDFD_SERVER_FD);
    pidfdCall call = {type, number, flags};
    pidfdReply reply = {ENOSYS};
    int server = text ? atoi(text) : -1;

    (void)pthread_mutex_lock(&lock);
    if (!pidfdPacketSend(server, &call, sizeof(call), fd) ||
        !pidfdPacketReceive(server, &reply, sizeof(reply), retFd))
        reply.errnum = ENOSYS;
    (void)pthread_mutex_unlock(&lock);
    errno = reply.errnum;
    return reply.errnum ? -1 : 0;
}

/* What valgrind starts a program with has no place in what the program passes on. The shell script
 * that starts valgrind itself must pass it on, though. */
static __attribute__((constructor)) void
forgetEnvironment(void)
{
    const char *preload = getenv("LD_PRELOAD");

    if (!preload || !strstr(preload, "vgpreload"))
        return;
    unsetenv("LD_PRELOAD");
    unsetenv("LD_LIBRARY_PATH");
}

EXPORT int
pidfd_open(pid_t pid, unsigned flags)
{
    int pidfd = -1;

    return ask(PIDFD_CALL_OPEN, pid, flags, -1, &pidfd) < 0 ? -1 : pidfd;
}

EXPORT int
pidfd_send_signal(int pidfd, int number, siginfo_t *info, unsigned flags)
{
    int none = -1;

    (void)info; /* nobody here gives one */
    return ask(PIDFD_CALL_SIGNAL, number, flags, pidfd, &none);
}

EXPORT long
syscall(long number, ...)
{
    static long (*next)(long, ...);
    long args[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        args[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_pidfd_open)
        return pidfd_open((pid_t)args[0], (unsigned)args[1]);
    if (number == SYS_pidfd_send_signal)
        return pidfd_send_signal((int)args[0], (int)args[1], (siginfo_t *)args[2],
                                 (unsigned)args[3]);
    if (!next) /* the same from every thread */
        next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return next(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
