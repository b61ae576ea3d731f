/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlercall.c: one call to a handler, from the job's side: out, wait, in. */
#include <string.h>

#include "delegate/virhandlerspriv.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { EXPIRED_MAX = 4096 };

uint32_t
virHandlersNextSerial(virHandlers *handlers)
{
    do
        handlers->serial++;
    while (handlers->serial == 0 ||
           g_hash_table_contains(handlers->pending, GUINT_TO_POINTER(handlers->serial)));
    return handlers->serial;
}

void
virHandlerReplyClear(virHandlerReply *reply)
{
    virPacketClear(&reply->packet);
    virArenaClear(&reply->arena);
}

/* The connection of who serves the hook, referenced, and the numbers of this call. */
static virHandlerPeer *
openCall(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
         virHandlerPending *pending, uint64_t *retRequest, GError **error)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    virHandlerServer *server = virHandlersFind(handlers, hook, call->uuid, call->domain);

    if (!server || !server->peer) {
        virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                    _("the handler of %s is not connected; try again when it is back"), hook->name);
        return NULL;
    }
    pending->serial = virHandlersNextSerial(handlers);
    pending->peer = server->peer;
    *retRequest = ++handlers->request;
    g_hash_table_insert(handlers->pending, GUINT_TO_POINTER(pending->serial), pending);
    server->calls++;
    return virHandlerPeerRef(server->peer);
}

/* What every call says about itself. */
static void
fillCall(handler_call *head, const virDelegateCall *call, uint64_t request, unsigned seconds)
{
    memcpy(head->uuid, call->uuid, sizeof(head->uuid));
    head->domain = call->domain;
    head->phase = (int32_t)call->phase; /* the same numbers */
    head->request = request;
    head->deadline = seconds * 1000;
    head->flags = 0;
}

static bool
sendCall(virHandlerPeer *peer, const virXdrHook *hook, uint32_t serial, const void *args,
         const int *fds, size_t nfds, gint64 deadline_us, GError **error)
{
    const virNetHeader header = {.program = HANDLER_PROGRAM,
                                 .version = HANDLER_VERSION,
                                 .procedure = (int32_t)hook->number,
                                 .type = RPC_MESSAGE_TYPE_CALL,
                                 .serial = serial,
                                 .status = RPC_MESSAGE_STATUS_OK};
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);

    return virNetMessageEncode(message, hook->args, args, error) &&
           virHandlerPeerSend(peer, message, fds, nfds, deadline_us, error);
}

/* Under lock. False: the deadline passed or the connection ended. */
static bool
awaitAnswer(virHandlers *handlers, const virHandlerPending *pending, const virXdrHook *hook,
            unsigned seconds, gint64 deadline_us, GError **error)
{
    while (!pending->answered && !pending->lost) {
        if (!g_cond_wait_until(&handlers->answered, &handlers->lock, deadline_us))
            break;
    }
    if (pending->answered)
        return true;
    if (pending->lost)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("the handler of %s went away in the middle of the call"), hook->name);
    return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                       _("the handler of %s has not answered within %u s"), hook->name, seconds);
}

/* The call is over, with an answer or without. */
static void
closeCall(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
          const virHandlerPending *pending, uint64_t request, bool done, gint64 began_us)
{
    virHandlerServer *server = virHandlersFind(handlers, hook, call->uuid, call->domain);

    g_hash_table_remove(handlers->pending, GUINT_TO_POINTER(pending->serial));
    if (!pending->answered && !pending->lost && g_hash_table_size(handlers->expired) < EXPIRED_MAX)
        g_hash_table_insert(handlers->expired, GUINT_TO_POINTER(pending->serial),
                            g_memdup2(&request, sizeof(request)));
    if (!server)
        return;
    server->last_us = (uint64_t)(g_get_monotonic_time() - began_us);
    server->total_us += server->last_us;
    server->failures += !done;
    server->late += !pending->answered && !pending->lost;
}

static bool
readAnswer(const virHandlerReply *reply, const virXdrHook *hook, virArena *arena, void *ret,
           GError **error)
{
    if (reply->packet.header.procedure != (int32_t)hook->number)
        return virErrorSet(error, VIR_ERR_RPC, _("the handler of %s answered another call"),
                           hook->name);
    if (reply->packet.header.status == RPC_MESSAGE_STATUS_ERROR) {
        virPacketGetError(&reply->packet, error);
        g_prefix_error(error, _("the handler of %s: "), hook->name);
        return false;
    }
    return virPacketDecode(&reply->packet, hook->ret, arena, ret, error);
}

bool
virHandlersAsk(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
               void *args, const int *fds, size_t nfds, void *ret, virHandlerReply *reply,
               GError **error)
{
    unsigned seconds = handlers->deadline_s ? handlers->deadline_s : hook->deadline_s;
    gint64 began_us = g_get_monotonic_time();
    gint64 deadline_us = began_us + (gint64)seconds * G_USEC_PER_SEC;
    virHandlerPending pending = {.reply = &reply->packet};
    uint64_t request = 0;
    g_autoptr(virHandlerPeer) peer = NULL;
    bool sent, done;

    virArenaInit(&reply->arena);
    peer = openCall(handlers, call, hook, &pending, &request, error);
    if (!peer)
        return false;
    fillCall(args, call, request, seconds);
    sent = sendCall(peer, hook, pending.serial, args, fds, nfds, deadline_us, error);
    g_mutex_lock(&handlers->lock);
    done = sent && awaitAnswer(handlers, &pending, hook, seconds, deadline_us, error);
    closeCall(handlers, call, hook, &pending, request,
              done && reply->packet.header.status == RPC_MESSAGE_STATUS_OK, began_us);
    g_mutex_unlock(&handlers->lock);
    if (sent && !pending.answered && !pending.lost) {
        handler_cancel_msg cancel = {.request = request};

        virHandlerPeerTell(peer, HANDLER_PROC_CANCEL, RPC_MESSAGE_TYPE_MESSAGE,
                           &handler_cancel_msg_xdr, &cancel);
    }
    if (!done || !readAnswer(reply, hook, &reply->arena, ret, error))
        return false;
    virHandlersNote(handlers, call, hook, request);
    return true;
}
