/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virevent.c: the event thread's loop.
 *
 * A GMainContext scans all its sources in every turn, so there is just one of ours: it holds an
 * epoll descriptor with all watches, the timers sorted by due time, and the queue of posts. The
 * cost of a turn follows what is ready.
 *
 * A removed watch is unlinked from epoll at once and given back by a post. Posts run on the event
 * thread after the batch of events they may still be named in, so no callback can come any more.
 * One mutex guards timers and posts; it is never held while a callback runs. */
#include "util/virevent.h"

#include <errno.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { EVENTS_PER_TURN = 64 };

struct virEventWatch {
    int fd;
    int removed; /* atomic */
    virEventWatchFunc func;
    void *opaque;
    GDestroyNotify destroy;
};

struct virEventTimer {
    GSequenceIter *place; /* in loop.timers, NULL while not due at all */
    gint64 due;           /* g_get_monotonic_time */
    guint64 serial;       /* order among equal times */
    unsigned interval_ms;
    bool removed;
    virEventFunc func;
    void *opaque;
    GDestroyNotify destroy;
};

typedef struct {
    virEventFunc func;
    void *opaque;
} virEventCall;

typedef struct {
    GSource source;
    void *tag; /* of the epoll descriptor */
} virEventSource;

static struct {
    GMainContext *context;
    virEventSource *source;
    int epollFd;
    GThread *thread; /* the one in virEventRun, NULL outside of it; atomic */
    int quit;        /* atomic */

    GMutex mutex; /* guards what follows; the last lock taken by anyone */
    GSequence *timers;
    guint64 timerSerial;
    GArray *calls;  /* of virEventCall */
    bool wakeUnder; /* a wake-up is on its way */
} loop = {.epollFd = -1};

/* Makes the loop look at timers and posts again. With the mutex held. */
static void
loopWake(void)
{
    if (virEventIsLoopThread() || loop.wakeUnder)
        return;
    loop.wakeUnder = true;
    g_main_context_wakeup(loop.context);
}

static int
timerCompare(const void *a, const void *b, void *data G_GNUC_UNUSED)
{
    const virEventTimer *left = a, *right = b;

    if (left->due != right->due)
        return left->due < right->due ? -1 : 1;
    return left->serial < right->serial ? -1 : left->serial > right->serial;
}

static virEventTimer *
timerFirst(void)
{
    GSequenceIter *first = g_sequence_get_begin_iter(loop.timers);

    return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

/* With the mutex held. */
static void
timerUnlink(virEventTimer *timer)
{
    if (timer->place)
        g_sequence_remove(timer->place);
    timer->place = NULL;
}

/* With the mutex held. */
static void
timerLink(virEventTimer *timer, gint64 due)
{
    timerUnlink(timer);
    timer->due = due;
    timer->serial = loop.timerSerial++;
    timer->place = g_sequence_insert_sorted(loop.timers, timer, timerCompare, NULL);
    if (timerFirst() == timer)
        loopWake();
}

static gboolean
sourcePrepare(GSource *source G_GNUC_UNUSED, int *timeout)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.mutex);
    virEventTimer *first = timerFirst();
    gint64 left;

    *timeout = -1;
    loop.wakeUnder = false;
    if (loop.calls->len > 0)
        return TRUE;
    if (!first)
        return FALSE;
    left = first->due - g_get_monotonic_time();
    if (left <= 0)
        return TRUE;
    *timeout = (int)MIN((left + 999) / 1000, G_MAXINT);
    return FALSE;
}

static gboolean
sourceCheck(GSource *source)
{
    int timeout;

    return g_source_query_unix_fd(source, loop.source->tag) != 0 || sourcePrepare(source, &timeout);
}

static void
dispatchWatches(void)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int n = epoll_wait(loop.epollFd, events, EVENTS_PER_TURN, 0);

    if (n < 0 && errno != EINTR)
        VIR_WARN("epoll_wait: %s", g_strerror(errno));
    for (int i = 0; i < n; i++) {
        virEventWatch *watch = events[i].data.ptr;

        if (!g_atomic_int_get(&watch->removed))
            watch->func(watch->fd, events[i].events, watch->opaque);
    }
}

/* Only those due when the turn began: an interval of 0 cannot keep the loop to itself. */
static void
dispatchTimers(void)
{
    gint64 now = g_get_monotonic_time();

    for (;;) {
        virEventTimer *timer;

        g_mutex_lock(&loop.mutex);
        timer = timerFirst();
        if (!timer || timer->due > now) {
            g_mutex_unlock(&loop.mutex);
            return;
        }
        timerUnlink(timer);
        if (timer->interval_ms > 0)
            timerLink(timer, now + (gint64)timer->interval_ms * 1000);
        g_mutex_unlock(&loop.mutex);
        /* Freed by a post alone, so still there even if it is being removed. */
        timer->func(timer->opaque);
    }
}

/* Only those queued when the turn began. True if there were any. */
static bool
dispatchCalls(void)
{
    g_autoptr(GArray) calls = NULL;

    g_mutex_lock(&loop.mutex);
    if (loop.calls->len > 0) {
        calls = loop.calls;
        loop.calls = g_array_new(FALSE, FALSE, sizeof(virEventCall));
    }
    g_mutex_unlock(&loop.mutex);
    for (guint i = 0; calls && i < calls->len; i++) {
        virEventCall *call = &g_array_index(calls, virEventCall, i);

        call->func(call->opaque);
    }
    return calls != NULL;
}

static gboolean
sourceDispatch(GSource *source, GSourceFunc func G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
    if (g_source_query_unix_fd(source, loop.source->tag) != 0)
        dispatchWatches();
    dispatchTimers();
    dispatchCalls();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs sourceFuncs = {
    .prepare = sourcePrepare,
    .check = sourceCheck,
    .dispatch = sourceDispatch,
};

bool
virEventInit(GError **error)
{
    if (loop.context)
        return true;
    loop.epollFd = epoll_create1(EPOLL_CLOEXEC);
    if (loop.epollFd < 0)
        return virErrorErrno(error, _("cannot make an epoll descriptor"));
    loop.timers = g_sequence_new(NULL);
    loop.calls = g_array_new(FALSE, FALSE, sizeof(virEventCall));
    loop.context = g_main_context_new();
    loop.source = (virEventSource *)g_source_new(&sourceFuncs, sizeof(virEventSource));
    g_source_set_static_name(&loop.source->source, "virtward");
    loop.source->tag = g_source_add_unix_fd(&loop.source->source, loop.epollFd, G_IO_IN);
    /* Nobody iterates within a callback. Said so, GLib does not take the descriptor out of the poll
     * set and back in around each dispatch, which costs three system calls a turn. */
    g_source_set_can_recurse(&loop.source->source, TRUE);
    g_source_attach(&loop.source->source, loop.context);
    return true;
}

void
virEventRun(void)
{
    g_main_context_push_thread_default(loop.context);
    g_atomic_pointer_set(&loop.thread, g_thread_self());
    while (!g_atomic_int_get(&loop.quit))
        g_main_context_iteration(loop.context, TRUE);
    while (dispatchCalls()) {
        /* what was removed last is given back too */
    }
    g_atomic_int_set(&loop.quit, 0);
    g_atomic_pointer_set(&loop.thread, NULL);
    g_main_context_pop_thread_default(loop.context);
}

void
virEventQuit(void)
{
    g_atomic_int_set(&loop.quit, 1);
    g_main_context_wakeup(loop.context);
}

GMainContext *
virEventContext(void)
{
    return loop.context;
}

bool
virEventIsLoopThread(void)
{
    return g_atomic_pointer_get(&loop.thread) == g_thread_self();
}

virEventWatch *
virEventWatchAdd(int fd, unsigned events, virEventWatchFunc func, void *opaque,
                 GDestroyNotify destroy, GError **error)
{
    virEventWatch *watch = g_new0(virEventWatch, 1);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    watch->destroy = destroy;
    if (epoll_ctl(loop.epollFd, EPOLL_CTL_ADD, fd, &event) < 0) {
        virErrorErrno(error, _("cannot watch descriptor %d"), fd);
        g_free(watch);
        return NULL;
    }
    return watch;
}

void
virEventWatchUpdate(virEventWatch *watch, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (g_atomic_int_get(&watch->removed))
        return;
    if (epoll_ctl(loop.epollFd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
        VIR_WARN("cannot change the watch of descriptor %d: %s", watch->fd, g_strerror(errno));
}

static void
watchGiveBack(void *opaque)
{
    virEventWatch *watch = opaque;

    if (watch->destroy)
        watch->destroy(watch->opaque);
    g_free(watch);
}

void
virEventWatchRemove(virEventWatch *watch)
{
    if (!watch || !g_atomic_int_compare_and_exchange(&watch->removed, 0, 1))
        return;
    if (epoll_ctl(loop.epollFd, EPOLL_CTL_DEL, watch->fd, NULL) < 0)
        VIR_WARN("cannot end the watch of descriptor %d: %s", watch->fd, g_strerror(errno));
    virEventPost(watchGiveBack, watch);
}

virEventTimer *
virEventTimerAdd(unsigned delay_ms, unsigned interval_ms, virEventFunc func, void *opaque,
                 GDestroyNotify destroy)
{
    virEventTimer *timer = g_new0(virEventTimer, 1);

    timer->func = func;
    timer->opaque = opaque;
    timer->destroy = destroy;
    virEventTimerRestart(timer, delay_ms, interval_ms);
    return timer;
}

void
virEventTimerRestart(virEventTimer *timer, unsigned delay_ms, unsigned interval_ms)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.mutex);

    if (timer->removed)
        return;
    timer->interval_ms = interval_ms;
    timerLink(timer, g_get_monotonic_time() + (gint64)delay_ms * 1000);
}

static void
timerGiveBack(void *opaque)
{
    virEventTimer *timer = opaque;

    if (timer->destroy)
        timer->destroy(timer->opaque);
    g_free(timer);
}

void
virEventTimerRemove(virEventTimer *timer)
{
    if (!timer)
        return;
    g_mutex_lock(&loop.mutex);
    if (timer->removed) {
        g_mutex_unlock(&loop.mutex);
        return;
    }
    timer->removed = true;
    timerUnlink(timer);
    g_mutex_unlock(&loop.mutex);
    virEventPost(timerGiveBack, timer);
}

void
virEventPost(virEventFunc func, void *opaque)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.mutex);
    virEventCall call = {func, opaque};

    g_array_append_val(loop.calls, call);
    loopWake();
}
