/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupsettle.h: making sure, after a move into a control group, that the right one was moved.
 *
 * cgroup.procs, cgroup.threads and v1's tasks take a number; no kernel up to 6.18 takes a pidfd
 * there (Documentation/admin-guide/cgroup-v2.rst, "Processes"; cgroups(7)). The ways without a
 * number are birth in the group (clone3 with CLONE_INTO_CGROUP, Linux 5.7, clone(2)) and "0", which
 * is the writer itself; both are used where they can be, but not by a helper for somebody else's
 * process.
 *
 * A number stays a process's until it has been waited for (wait(2), pidfd_open(2)): if its pidfd
 * says after the write that it has not ended, the number was its own all the time. If it has ended,
 * the number may have been given to a new process before the write. That one is as old as the
 * moment between a look and a write, so where it belongs is where it was born: its parent's group
 * (cgroups(7): a child begins in the group of its parent). On v2 threads cannot be moved to another
 * process's groups (EOPNOTSUPP, cgroup-v2.rst, "Threads"), so this matters for processes, and on v1
 * for threads. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* After number was written to file ("cgroup.procs", "tasks") of the group behind the descriptor
 * (O_PATH is enough). True: the process of pidfd lives, so it is what was moved. False: it has
 * ended, and whoever has its number now, if anybody, is where it was; a failure at that is logged.
 * Any thread; the rights that the move took. */
bool virCgroupSettleMove(int groupFd, const char *file, int pidfd, pid_t number);
/* The same for a thread, as long as it is one of the process: false if number is not its thread's
 * any more. */
bool virCgroupSettleThread(int groupFd, const char *file, int pidfd, pid_t number);
