/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virclone.h: what is done where clone3(2) is not to be had.
 *
 * The profiles that containers run under answer it with ENOSYS, because a filter cannot look into
 * its arguments; valgrind doesn't know it either. clone(2) gives a pidfd as well, but no birth in a
 * control group: the child, a copy of the daemon, has to move itself there before it becomes
 * anything else. Any thread; no rights beyond those of the group's cgroup.procs. Facts: clone(2).
 */
#pragma once

#include <sys/types.h>

/* A copy of the calling thread alone, memory copied on write: 0 in the child, where all signals are
 * blocked, and which may call nothing that takes a lock; in the parent its pid, and a pidfd
 * (close-on-exec, the caller's); or -1 with errno. */
pid_t virClonePlain(int *retPidfd);

/* Opens a group's list of processes, to write "0" into it: the writer moves there. groupFd is its
 * folder. The caller closes it; -1 with errno. */
int virCloneOpenProcs(int groupFd);
