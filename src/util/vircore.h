/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircore.h: the one core lock, the named wait points where it is given up, and the job pool.
 *
 * All domain state is read and written under the core lock. Under it: memory only, no system call
 * but a wake-up. Who has to wait says so with VIR_CORE_UNLOCKED or virCoreWait; what was relied on
 * is checked again afterwards. A build with assertions warns of a hold longer than 1 ms. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* who: the function that takes it, for the warning. Not recursive. */
void virCoreLockFor(const char *who);
#define virCoreLock() virCoreLockFor(__func__)
void virCoreUnlock(void);
/* True if the calling thread holds the lock (for assertions). */
bool virCoreIsHeld(void);

/* Holds the core lock to the end of the scope: VIR_CORE_GUARD; */
typedef struct virCoreGuard virCoreGuard;
static inline virCoreGuard *
virCoreGuardTake(const char *who)
{
    virCoreLockFor(who);
    return (virCoreGuard *)1;
}
static inline void
virCoreGuardDrop(virCoreGuard **guard)
{
    (void)guard; /* only marks the scope */
    virCoreUnlock();
}
#define VIR_CORE_GUARD                                                                             \
    __attribute__((cleanup(virCoreGuardDrop), unused)) virCoreGuard *virCoreGuardHere =            \
        virCoreGuardTake(__func__)

/* Gives the lock up to the end of the scope, where a job waits for something slow. */
static inline virCoreGuard *
virCoreYieldTake(void)
{
    virCoreUnlock();
    return (virCoreGuard *)1;
}
static inline void
virCoreYieldDrop(virCoreGuard **guard)
{
    (void)guard;          /* only marks the scope */
    virCoreLockFor(NULL); /* the same holder as before */
}
#define VIR_CORE_UNLOCKED                                                                          \
    __attribute__((cleanup(virCoreYieldDrop), unused)) virCoreGuard *virCoreYieldHere =            \
        virCoreYieldTake()

/* Waits for cond, with the lock held before and after; false when deadline_us
 * (g_get_monotonic_time) has passed. Never on the event thread. Spurious wake-ups happen: loop over
 * the condition. */
bool virCoreWait(GCond *cond, gint64 deadline_us);

/* Runs func on a thread of the job pool, which grows with the threads that wait. Jobs start without
 * the core lock. Never blocks. */
void virCoreRunJob(void (*func)(void *opaque), void *opaque);
/* Waits until every job has ended, at the daemon's end. */
void virCoreDrainJobs(void);
