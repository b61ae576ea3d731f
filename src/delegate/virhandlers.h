/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlers.h: the external handlers that registered: who may, who serves what, and one call.
 *
 * A handler is a process of its own that connects to the instance's handler socket and registers
 * for hooks, for all guests or some. What it is asked and how is docs/handler-protocol.md. The
 * policy of a hook says whether it is asked at all:
 *
 *     auto              self, until somebody registers for the hook; from then on handler
 *     self              never
 *     handler           always; without one the operation fails
 *     handler-or-self   if one is there, else the daemon does it
 *     skip-if-satisfied only if what is wanted isn't true already; then as handler
 *     off               nobody does it, and nobody looks
 *
 * Never a silent fall-back: a handler that was there and went away leaves its hooks failing ("the
 * handler of memlock.set is not connected") until it comes back or takes its leave with unregister.
 * The same after a restart of the daemon, for guests that have grants of the hook. Only what takes
 * things back when a guest ends waits for a handler that has just gone (10 s), and then, under
 * auto, is done by the daemon, with a line in the log.
 *
 * All functions: any thread but where said, without the core lock (they take a lock of their own,
 * held for memory only). No rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "delegate/virdelegate.h"
#include "rpc/virpacket.h"

typedef enum {
    VIR_HANDLER_POLICY_AUTO,
    VIR_HANDLER_POLICY_SELF,
    VIR_HANDLER_POLICY_HANDLER,
    VIR_HANDLER_POLICY_HANDLER_OR_SELF,
    VIR_HANDLER_POLICY_SKIP_IF_SATISFIED,
    VIR_HANDLER_POLICY_OFF,
    VIR_HANDLER_POLICY_LAST
} virHandlerPolicy;

const char *virHandlerPolicyToString(int policy);
int virHandlerPolicyFromString(const char *name);

/* instance: as handlers see it in features. */
virHandlers *virHandlersNew(const char *instance);
/* What handlers are told the instance is called. Before listening. */
void virHandlersSetInstance(virHandlers *handlers, const char *instance);
/* Ends all connections; on the event thread or after it ended. NULL is allowed. */
void virHandlersFree(virHandlers *handlers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHandlers, virHandlersFree)

/* "memlock.set=handler", or "*=handler-or-self" for every hook. VIR_ERR_CONF_SYNTAX. Before
 * listening. */
bool virHandlersSetPolicy(virHandlers *handlers, const char *text, GError **error);
/* True if the policy of the hook (by name) has it done by handlers whatever comes: not if it waits
 * for one to register (auto). */
bool virHandlersHandsOut(const virHandlers *handlers, const char *hook);
/* Another user whose processes may register, besides root and the daemon's own. Before listening.
 */
void virHandlersAllowUser(virHandlers *handlers, uid_t uid);
/* A control group (cgroup v2, as /proc/PID/cgroup writes it): who registers must be in one of these
 * or below one; without any, anywhere. Before listening. */
void virHandlersAllowGroup(virHandlers *handlers, const char *group);
/* How long a call may take; 0: what the hook's row says. Before listening. */
void virHandlersSetDeadline(virHandlers *handlers, unsigned seconds);

/* Listens on folder/sock; the folder is made with mode 0700. On the event thread or before it. */
bool virHandlersListen(virHandlers *handlers, const char *folder, GError **error);
/* A connected socket, whose other end nobody needs to check. Taken over. Event thread. */
bool virHandlersAdd(virHandlers *handlers, int fd, GError **error);

typedef enum {
    VIR_HANDLER_SELF, /* the daemon does it */
    VIR_HANDLER_ASK,  /* virHandlersAsk */
    VIR_HANDLER_NONE, /* nobody does it: it counts as done */
} virHandlerChoice;

/* Who does the hook for this guest. VIR_ERR_OPERATION_UNSUPPORTED "... is not connected" where it
 * must be a handler and there is none. */
bool virHandlersChoose(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                       virHandlerChoice *retChoice, GError **error);

/* What a handler answered. */
typedef struct {
    virPacket packet; /* its descriptors are to be taken from here */
    virArena arena;   /* what ret points to */
} virHandlerReply;

void virHandlerReplyClear(virHandlerReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virHandlerReply, virHandlerReplyClear)

/* One call: args is the hook's struct, its handler_call filled here; fds are borrowed; ret (of
 * hook->ret) is decoded into. Waits, in a job without the core lock, no longer than the hook's
 * deadline: VIR_ERR_OPERATION_TIMEOUT then (VIR_ERR_OPERATION_ABORTED where virHandlersInterrupt
 * was sooner), the handler is told to cancel, and an answer that comes later is dropped, its
 * descriptors closed, its effect undone. reply is zeroed or cleared. */
bool virHandlersAsk(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                    void *args, const int *fds, size_t nfds, void *ret, virHandlerReply *reply,
                    GError **error);

/* One of several calls that do not wait for one another. */
typedef struct {
    void *args; /* as of virHandlersAsk, like the rest */
    const int *fds;
    size_t nfds;
    void *ret;
    virHandlerReply *reply;
    bool done;
} virHandlerQuestion;

/* The same hook n times, all sent before the first answer is waited for: the handler finds the next
 * when it is through with one, and neither side sleeps in between. Each has its deadline from the
 * answer before it on. False with the error of the first that failed: those after it may not have
 * been sent, or may be done; each question says. */
bool virHandlersAskAll(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                       virHandlerQuestion *questions, size_t n, GError **error);

/* --- calls that nobody wants answered any more --- */

/* The guest is going to be destroyed: each call for it that waits fails at once with
 * VIR_ERR_OPERATION_ABORTED, as if its time were over, and so does each that begins before
 * virHandlersResume. What takes things back (the phase of teardown) is not concerned. Counted. */
void virHandlersInterrupt(virHandlers *handlers, const uint8_t uuid[16]);
void virHandlersResume(virHandlers *handlers, const uint8_t uuid[16]);
/* The daemon ends: the same for all guests and for good. */
void virHandlersEnd(virHandlers *handlers);

/* --- what was granted (virhandlergrants.h) --- */

typedef struct virHandlerGuest virHandlerGuest;

/* What was granted for the hook in the present call through the door is not as it was reported, or
 * of no use: its handler is told to undo it. */
void virHandlersRevoke(virHandlers *handlers, const virDelegateCall *call, const char *hook);

/* The guest is gone: its handlers are told to undo what they remember, without waiting for them;
 * those that are not there now, when they come back. */
void virHandlersTeardown(virHandlers *handlers, const virDelegateCall *call);
