/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpclient.h: the connection to one QEMU's monitor: commands, their answers, events.
 *
 * Commands are sent at once and may be sent many before the first is waited for (QEMU answers in
 * order); events and answers are read on the event thread. Everything here is state under the core
 * lock: all functions are called with it held, unless said otherwise. Sending is one sendmsg(2)
 * that never waits, no more than the wake-up it is to QEMU; only qmpRequestWait and qmpClientCall
 * wait, and give the lock up meanwhile, so what is relied on must be looked at again.
 *
 * What comes from QEMU is a stranger's: messages are bounded in size and in number of values, and
 * what is no QMP ends the connection. What goes out may hold secrets: texts are wiped when they are
 * sent. No rights needed. Facts: QEMU's docs/interop/qmp-spec. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "qmp/qmptransport.h"
#include "util/virjson.h"

/* How long commands usually get; long ones (savevm and the like) are jobs with events today. */
enum { QMP_CLIENT_TIMEOUT_MS = 30000 };

typedef struct qmpClient qmpClient;
typedef struct qmpRequest qmpRequest;

/* Both are called on the event thread with the core lock held, and never wait. */
typedef struct {
    /* data is borrowed, NULL if the event has none; seconds and micros are QEMU's clock. */
    void (*event)(qmpClient *client, const char *name, virJSON *data, int64_t seconds,
                  int64_t micros, void *opaque);
    /* Once, when the connection is lost; not after qmpClientClose. All requests have failed. */
    void (*closed)(qmpClient *client, const GError *reason, void *opaque);
} qmpClientCallbacks;

/* Takes over fd, a connected UNIX socket, and asks for command mode at once. callbacks must live as
 * long as the client; NULL: none. */
qmpClient *qmpClientNew(int fd, const qmpClientCallbacks *callbacks, void *opaque, GError **error);
qmpClient *qmpClientRef(qmpClient *client);
/* Any thread, with the core lock or without. NULL is allowed. */
void qmpClientUnref(qmpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpClient, qmpClientUnref)

/* Ends the connection: what is unanswered fails, no callback comes any more. May be repeated. */
void qmpClientClose(qmpClient *client);
/* False once the connection is lost or closed. */
bool qmpClientIsOpen(const qmpClient *client);

/* Waits until QEMU has taken qmp_capabilities. Its greeting tells the version (as qmpCapsVersion).
 */
bool qmpClientWaitReady(qmpClient *client, unsigned timeout_ms, GError **error);
unsigned qmpClientVersion(const qmpClient *client);

typedef enum {
    QMP_SEND_SECRET = 1 << 0, /* arguments hold one: they are overwritten, not just given back */
} qmpSendFlags;

/* Sends a command. Takes over arguments (NULL: none). Never fails: a lost connection is found by
 * the wait. */
qmpRequest *qmpClientSend(qmpClient *client, const char *command, virJSON *arguments);
/* The same with a descriptor (for getfd, add-fd), taken over; -1: none. */
qmpRequest *qmpClientSendFull(qmpClient *client, const char *command, virJSON *arguments, int fd,
                              unsigned flags);

/* Sends a whole command as it is, but for its id, which is ours. Takes over question, an object. */
qmpRequest *qmpClientSendWhole(qmpClient *client, virJSON *question);

/* Waits for the answer: what "return" holds is the caller's (retValue may be NULL).
 * VIR_ERR_OPERATION_TIMEOUT names the command and the seconds; a later answer is dropped.
 * VIR_ERR_INTERNAL_ERROR "unable to execute QEMU command ..." if QEMU refuses: which class of
 * refusal tells qmpRequestErrorClass. At most once for a request; never on the event thread. */
bool qmpRequestWait(qmpRequest *request, unsigned timeout_ms, virJSON **retValue, GError **error);
/* QMP_ERROR_NONE while there is no answer, or a good one. */
qmpErrorClass qmpRequestErrorClass(const qmpRequest *request);
/* QEMU's answer as it came, good or not, with its id; borrowed, NULL while there is none. For who
 * passes it on unread. */
virJSON *qmpRequestReply(const qmpRequest *request);
/* True if the wait would not wait. */
bool qmpRequestIsDone(const qmpRequest *request);
/* Gives the request up, answered or not. Any thread, with the core lock held. NULL is allowed. */
void qmpRequestFree(qmpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpRequest, qmpRequestFree)

/* Send and wait in one. */
bool qmpClientCall(qmpClient *client, const char *command, virJSON *arguments, unsigned timeout_ms,
                   virJSON **retValue, GError **error);

/* A transport for the prober on this connection; borrowed from the client, whose end it must not
 * outlive. Its functions are called WITHOUT the core lock and take it. */
typedef struct qmpClientTransport qmpClientTransport;
qmpClientTransport *qmpClientTransportNew(qmpClient *client, unsigned timeout_ms);
void qmpClientTransportFree(qmpClientTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpClientTransport, qmpClientTransportFree)
qmpTransport *qmpClientTransportBase(qmpClientTransport *transport);
