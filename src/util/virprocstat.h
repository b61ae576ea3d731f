/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virprocstat.h: what a process or one of its threads has used, as the kernel counts it.
 *
 * Reads /proc: in a job, without the core lock. No rights needed. Facts: proc(5). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    uint64_t user_ns, system_ns;
    uint64_t delay_ns; /* ready to run, and another ran; 0 if the kernel doesn't count it */
    uint64_t rssKiB;   /* of the whole process */
    int cpu;           /* where it ran last */
} virProcStat;

/* tid 0: the process with all its threads. False if there is no such process any more. */
bool virProcStatRead(pid_t pid, pid_t tid, virProcStat *ret);
/* Time that a thread of it spent waiting for the scheduler after a wake-up; false where the kernel
 * doesn't tell (it is a debugging option). */
bool virProcStatReadWait(pid_t pid, pid_t tid, uint64_t *retWait_ns);

/* How much memory the process may lock (UINT64_MAX: any amount), and how much it has locked or
 * pinned; in bytes, retLocked may be NULL. False if there is no such process any more. */
bool virProcReadMemlock(pid_t pid, uint64_t *retLimit, uint64_t *retLocked);

/* The process, or thread, that a pidfd is for: 0 if it has ended, -1 with an error if it is another
 * kind of descriptor. */
pid_t virPidfdGetPid(int pidfd, GError **error);

/* True unless the caller lives in a user namespace of a container's: there what makes a device node
 * makes one that nobody can open (user_namespaces(7), mknod(2)). Read once. */
bool virProcInInitialUserns(void);

/* The parts that only read text. */
bool virProcStatParse(const char *text, virProcStat *ret);
bool virProcStatParseUidMap(const char *text);
bool virProcParseMemlock(const char *limits, uint64_t *retLimit);
uint64_t virProcParseLocked(const char *status);
bool virProcStatParseWait(const char *text, uint64_t *retWait_ns);
