/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virclone.c: see virclone.h. */
#include "util/virclone.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t
virClonePlain(int *retPidfd)
{
    /* The kernel's call, not libc's: that one wants a stack and a function for the child. Its
     * pidfd comes where other uses have the parent's copy of the thread id. */
    return (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, retPidfd, NULL, NULL);
}

int
virCloneOpenProcs(int groupFd)
{
    return openat(groupFd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}
