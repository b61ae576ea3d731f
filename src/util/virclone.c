/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virclone.c: see virclone.h. */
#include "util/virclone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t
virClonePlain(int *retPidfd)
{
    sigset_t all;
    sigset_t before;
    pid_t pid;
    int errnum;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    /* The kernel's call, not libc's: that one wants a stack and a function for the child. Its
     * pidfd comes where other uses have the parent's copy of the thread id. */
    pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, retPidfd, NULL, NULL);
    errnum = errno;
    if (pid != 0)
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return pid;
}

int
virCloneOpenProcs(int groupFd)
{
    return openat(groupFd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}
