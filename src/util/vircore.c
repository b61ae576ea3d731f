/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircore.c: the core lock and the job pool.
 *
 * The pool has a thread for every job that waits: one is made whenever there are more jobs than
 * idle threads, and ends when it has found nothing to do for LINGER_US. Lock order: the core lock,
 * then the pool's. */
#include "util/vircore.h"

#include "util/virevent.h"
#include "util/virlog.h"

static GMutex core;
static __thread bool held;

/* A longer hold keeps every client waiting. */
enum { HOLD_WARN_US = 1000 };

#ifndef NDEBUG
static __thread gint64 heldSince;
static __thread const char *holder;

static void
holdBegin(const char *who)
{
    heldSince = g_get_monotonic_time();
    if (who)
        holder = who;
}

/* To be called when the lock has been given up: logging is a system call. */
static void
holdEnd(void)
{
    gint64 us = g_get_monotonic_time() - heldSince;

    if (us <= HOLD_WARN_US)
        return;
    /* On a loaded machine a holder may just have lost its CPU: no reason for a test to fail. */
    g_log("virtward", g_test_initialized() ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING,
          "%s held the core lock for %" G_GINT64_FORMAT " us", holder, us);
}
#else
static void
holdBegin(const char *who G_GNUC_UNUSED)
{
}

static void
holdEnd(void)
{
}
#endif

void
virCoreLockFor(const char *who)
{
    g_assert(!held);
    g_mutex_lock(&core);
    held = true;
    holdBegin(who);
}

void
virCoreUnlock(void)
{
    g_assert(held);
    held = false;
    g_mutex_unlock(&core);
    holdEnd();
}

bool
virCoreIsHeld(void)
{
    return held;
}

bool
virCoreWait(GCond *cond, gint64 deadline_us)
{
    bool inTime;

    g_assert(held);
    g_assert(!virEventIsLoopThread());
    held = false;
    inTime = g_cond_wait_until(cond, &core, deadline_us);
    held = true;
    holdBegin(NULL);
    return inTime;
}

/* The pool */

enum { LINGER_US = 5 * G_USEC_PER_SEC };

typedef struct {
    void (*func)(void *opaque);
    void *opaque;
} virCoreJob;

static struct {
    GMutex mutex;
    GCond work;  /* jobs is not empty, or draining has begun */
    GCond ended; /* a thread has ended */
    GQueue jobs; /* of virCoreJob */
    unsigned threads;
    unsigned idle; /* of these, waiting for work; one just woken still counts, as does its job */
    bool draining;
} pool;

/* The next job, or NULL when this thread is to end. With the mutex held. */
static virCoreJob *
poolTake(void)
{
    gint64 deadline = g_get_monotonic_time() + LINGER_US;
    virCoreJob *job;

    while (!(job = g_queue_pop_head(&pool.jobs)) && !pool.draining) {
        bool inTime;

        pool.idle++;
        inTime = g_cond_wait_until(&pool.work, &pool.mutex, deadline);
        pool.idle--;
        if (!inTime && g_queue_is_empty(&pool.jobs))
            return NULL;
    }
    return job;
}

static void *
poolThread(void *data G_GNUC_UNUSED)
{
    virCoreJob *job;

    g_mutex_lock(&pool.mutex);
    while ((job = poolTake())) {
        g_mutex_unlock(&pool.mutex);
        job->func(job->opaque);
        g_assert(!held);
        g_free(job);
        g_mutex_lock(&pool.mutex);
    }
    pool.threads--;
    g_cond_broadcast(&pool.ended);
    g_mutex_unlock(&pool.mutex);
    return NULL;
}

/* One thread more. Without one the job stays queued for the first thread that gets free. With the
 * mutex held. */
static void
poolGrow(void)
{
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_try_new("job", poolThread, NULL, &error);

    if (!thread) {
        VIR_ERROR_LOG("a job has to wait, no new thread: %s", error->message);
        return;
    }
    g_thread_unref(thread);
    pool.threads++;
}

void
virCoreRunJob(void (*func)(void *opaque), void *opaque)
{
    virCoreJob *job = g_new(virCoreJob, 1);

    job->func = func;
    job->opaque = opaque;
    g_mutex_lock(&pool.mutex);
    g_queue_push_tail(&pool.jobs, job);
    if (g_queue_get_length(&pool.jobs) > pool.idle)
        poolGrow();
    else
        g_cond_signal(&pool.work);
    g_mutex_unlock(&pool.mutex);
}

void
virCoreDrainJobs(void)
{
    g_mutex_lock(&pool.mutex);
    pool.draining = true;
    g_cond_broadcast(&pool.work);
    while (pool.threads > 0)
        g_cond_wait(&pool.ended, &pool.mutex);
    pool.draining = false;
    g_mutex_unlock(&pool.mutex);
}
