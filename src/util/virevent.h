/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virevent.h: the event thread: one GLib main context with one epoll source for all descriptors.
 *
 * Callbacks run on the event thread, one at a time, and never wait: no file, no lock but the core
 * lock, no reply. Watches and timers may be added, changed and removed from any thread; after
 * Remove returns on the event thread the callback is not called again, from another thread it may
 * still be running once. The opaque's destroy notify runs on the event thread, when no callback can
 * come any more. No rights needed. Facts: epoll(7), eventfd(2). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/epoll.h>

typedef struct virEventWatch virEventWatch;
typedef struct virEventTimer virEventTimer;

/* events: the EPOLL bits that are ready. */
typedef void (*virEventWatchFunc)(int fd, unsigned events, void *opaque);
typedef void (*virEventFunc)(void *opaque);

/* Once, at start; false if the kernel gives no epoll descriptor. */
bool virEventInit(GError **error);
/* Runs the loop on the calling thread, the event thread from now on, until virEventQuit. */
void virEventRun(void);
void virEventQuit(void);
/* The main context, for GDBus and the like. */
GMainContext *virEventContext(void);
bool virEventIsLoopThread(void);

/* Watches fd (not owned) for EPOLLIN, EPOLLOUT, EPOLLET ...; 0 watches for hang-up and error only.
 */
virEventWatch *virEventWatchAdd(int fd, unsigned events, virEventWatchFunc func, void *opaque,
                                GDestroyNotify destroy, GError **error);
void virEventWatchUpdate(virEventWatch *watch, unsigned events);
/* Must come before fd is closed. NULL is allowed. */
void virEventWatchRemove(virEventWatch *watch);

/* Calls func after delay_ms, then every interval_ms (0: once). */
virEventTimer *virEventTimerAdd(unsigned delay_ms, unsigned interval_ms, virEventFunc func,
                                void *opaque, GDestroyNotify destroy);
void virEventTimerRestart(virEventTimer *timer, unsigned delay_ms, unsigned interval_ms);
/* NULL is allowed; also needed for a timer that has fired once. */
void virEventTimerRemove(virEventTimer *timer);

/* Has func called on the event thread, soon and in the order of the posts. */
void virEventPost(virEventFunc func, void *opaque);
