/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlercall.c: one call to a handler, from the job's side: out, wait, in. */
#include <string.h>

#include "delegate/virhandlerspriv.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { EXPIRED_MAX = 4096, RESYNC_S = 5 };

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

/* --- one exchange with a peer --- */

/* What is sent, and how long an answer may take. */
typedef struct {
    uint32_t procedure;
    const char *name;
    const virXdrType *type;
    const void *args;
    const int *fds;
    size_t nfds;
    unsigned seconds;
    gint64 deadline_us;
} callMessage;

/* Under lock. */
static void
beginCall(virHandlers *handlers, virHandlerPeer *peer, virHandlerPending *pending)
{
    pending->serial = virHandlersNextSerial(handlers);
    pending->peer = peer;
    g_hash_table_insert(handlers->pending, GUINT_TO_POINTER(pending->serial), pending);
    virHandlerPeerBeginWait(peer);
}

/* Under lock. */
static void
dropCall(virHandlers *handlers, const virHandlerPending *pending)
{
    g_hash_table_remove(handlers->pending, GUINT_TO_POINTER(pending->serial));
    virHandlerPeerEndWait(pending->peer);
}

static bool
sendCall(virHandlerPeer *peer, const callMessage *what, uint32_t serial, GError **error)
{
    const virNetHeader header = {.program = HANDLER_PROGRAM,
                                 .version = HANDLER_VERSION,
                                 .procedure = (int32_t)what->procedure,
                                 .type = RPC_MESSAGE_TYPE_CALL,
                                 .serial = serial,
                                 .status = RPC_MESSAGE_STATUS_OK};
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);

    return virNetMessageEncode(message, what->type, what->args, error) &&
           virHandlerPeerSend(peer, message, what->fds, what->nfds, what->deadline_us, error);
}

/* Under lock. False: the deadline passed, the connection ended, or nobody wants it any more. */
static bool
awaitAnswer(virHandlers *handlers, const virHandlerPending *pending, const callMessage *what,
            GError **error)
{
    while (!pending->answered && !pending->lost && g_get_monotonic_time() < what->deadline_us) {
        if (pending->call && !virHandlersCheckWanted(handlers, pending->call, what->name, error))
            return false;
        if (!virHandlerPeerRead(pending->peer, what->deadline_us) &&
            !g_cond_wait_until(&handlers->answered, &handlers->lock, what->deadline_us))
            break;
    }
    if (pending->answered)
        return true;
    if (pending->lost)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("the handler of %s went away in the middle of the call"), what->name);
    return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                       _("the handler of %s has not answered within %u s"), what->name,
                       what->seconds);
}

/* request: of the call, 0: it has none. Under lock. */
static void
endCall(virHandlers *handlers, const virHandlerPending *pending, uint64_t request)
{
    dropCall(handlers, pending);
    if (!pending->answered && !pending->lost && g_hash_table_size(handlers->expired) < EXPIRED_MAX)
        g_hash_table_insert(handlers->expired, GUINT_TO_POINTER(pending->serial),
                            g_memdup2(&request, sizeof(request)));
}

static bool
readAnswer(const virHandlerReply *reply, const callMessage *what, const virXdrType *type,
           virArena *arena, void *ret, GError **error)
{
    if (reply->packet.header.procedure != (int32_t)what->procedure)
        return virErrorSet(error, VIR_ERR_RPC, _("the handler of %s answered another call"),
                           what->name);
    if (reply->packet.header.status == RPC_MESSAGE_STATUS_ERROR)
        virPacketGetError(&reply->packet, error);
    else if (virPacketDecode(&reply->packet, type, arena, ret, error))
        return true;
    g_prefix_error(error, _("the handler of %s: "), what->name);
    return false;
}

/* --- a hook --- */

typedef struct {
    virHandlers *handlers;
    const virDelegateCall *call;
    const virXdrHook *hook;
    callMessage what;
    virHandlerPending pending;
    virHandlerPeer *peer;   /* who is asked, referenced */
    virHandlerGrant *grant; /* what it would be; NULL: on the guest's list */
    uint64_t request;
    uint64_t number; /* among those of its server */
    gint64 began_us;
    bool save; /* the list is to be written first */
    bool sent; /* the handler may have done it */
} hookCall;

static void
hookCallClear(hookCall *ask)
{
    virHandlerPeerUnref(ask->peer);
    virHandlerGrantFree(ask->grant);
}

/* Who serves the hook, and the numbers of this call. */
static bool
openCall(hookCall *ask, GError **error)
{
    virHandlers *handlers = ask->handlers;
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    virHandlerServer *server;

    if (!virHandlersCheckWanted(handlers, ask->call, ask->hook->name, error))
        return false;
    server = virHandlersAwait(handlers, ask->call, ask->hook);
    if (!server || !server->peer)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("the handler of %s is not connected; try again when it is back"),
                           ask->hook->name);
    ask->peer = virHandlerPeerRef(server->peer);
    beginCall(handlers, ask->peer, &ask->pending);
    ask->request = virHandlersNoteAsked(handlers, ask->call, &ask->grant, &ask->save);
    ask->number = server->calls++;
    return true;
}

/* What every call says about itself. */
static void
fillCall(handler_call *head, const hookCall *ask)
{
    memcpy(head->uuid, ask->call->uuid, sizeof(head->uuid));
    head->domain = (char *)ask->call->domain;
    head->phase = (int32_t)ask->call->phase; /* the same numbers */
    head->request = ask->request;
    head->deadline = ask->what.seconds * 1000;
    head->flags = 0;
}

/* What is to be in the status file before the request goes out. */
static bool
saveGrants(const hookCall *ask, GError **error)
{
    const virHandlerJournal *journal = &ask->handlers->journal;

    return !ask->save || !journal->save || journal->save(ask->call, journal->opaque, error);
}

/* The call is over, with an answer or without. Under lock. */
static void
closeCall(const hookCall *ask)
{
    const virHandlerPending *pending = &ask->pending;
    const bool late = !pending->answered && !pending->lost &&
                      g_get_monotonic_time() >= ask->what.deadline_us; /* else: interrupted */
    virHandlerServer *server =
        virHandlersFind(ask->handlers, ask->hook, ask->call->uuid, ask->call->domain);

    endCall(ask->handlers, pending, ask->request);
    if (!server)
        return;
    server->last_us = (uint64_t)(g_get_monotonic_time() - ask->began_us);
    server->total_us += server->last_us;
    server->recent_us[ask->number % HANDLER_RECENT] = (uint32_t)MIN(server->last_us, UINT32_MAX);
    server->late += late;
    server->failures += pending->answered ? pending->reply->header.status != RPC_MESSAGE_STATUS_OK
                                          : late || pending->lost || !ask->sent;
}

static void
setDeadline(hookCall *ask, gint64 from_us)
{
    ask->what.deadline_us = from_us + (gint64)ask->what.seconds * G_USEC_PER_SEC;
}

static bool
runCall(hookCall *ask, GError **error)
{
    bool answered;

    g_mutex_lock(&ask->handlers->lock);
    answered = ask->sent && awaitAnswer(ask->handlers, &ask->pending, &ask->what, error);
    closeCall(ask);
    g_mutex_unlock(&ask->handlers->lock);
    if (ask->sent && !answered && !ask->pending.lost) {
        handler_cancel_msg cancel = {.request = ask->request};

        virHandlerPeerTell(ask->peer, HANDLER_PROC_CANCEL, RPC_MESSAGE_TYPE_MESSAGE,
                           &handler_cancel_msg_xdr, &cancel);
    }
    return answered;
}

/* Not sent after all. */
static void
abandonCall(const hookCall *ask)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&ask->handlers->lock);

    dropCall(ask->handlers, &ask->pending);
    virHandlersNoteAnswered(ask->handlers, ask->call, ask->request, false, NULL);
}

/* What came of it for the guest's grants: an answer that cannot be read leaves open whether it was
 * done, so it is to be undone. */
static void
noteOutcome(const hookCall *ask, bool answered, bool done, const void *ret)
{
    bool claimed = answered && ask->pending.reply->header.status == RPC_MESSAGE_STATUS_OK;

    if (claimed && !done)
        virHandlersTellUndo(ask->peer, ask->call, ask->request);
    g_mutex_lock(&ask->handlers->lock);
    if (answered || !ask->sent)
        virHandlersNoteAnswered(ask->handlers, ask->call, ask->request, done, ret);
    else
        virHandlersNoteUnanswered(ask->handlers, ask->call, ask->request);
    if (done && ask->grant)
        virHandlersNoteEnded(ask->handlers, ask->call, ask->hook, ask->grant->target);
    g_mutex_unlock(&ask->handlers->lock);
}

/* Out with it. False: it is over, and nobody has seen it. True with an error: it could not be sent
 * whole, which finishAsking notes. */
static bool
beginAsking(hookCall *ask, const virHandlerQuestion *question, GError **error)
{
    virArenaInit(&question->reply->arena);
    ask->pending.reply = &question->reply->packet;
    ask->grant = virHandlerGrantNew(ask->hook, question->args, question->fds, question->nfds);
    if (!openCall(ask, error))
        return false;
    fillCall(question->args, ask);
    if (!saveGrants(ask, error)) {
        abandonCall(ask);
        return false;
    }
    ask->began_us = g_get_monotonic_time();
    setDeadline(ask, ask->began_us);
    ask->sent = sendCall(ask->peer, &ask->what, ask->pending.serial, error);
    return true;
}

static bool
finishAsking(hookCall *ask, virHandlerQuestion *question, GError **error)
{
    const bool answered = runCall(ask, error);

    question->done = answered && readAnswer(question->reply, &ask->what, ask->hook->ret,
                                            &question->reply->arena, question->ret, error);
    noteOutcome(ask, answered, question->done, question->ret);
    return question->done;
}

/* An error behind the first is not told. */
static void
keepFirst(GError **first, GError *error)
{
    if (*first)
        g_clear_error(&error);
    else
        *first = error;
}

bool
virHandlersAskAll(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                  virHandlerQuestion *questions, size_t n, GError **error)
{
    const unsigned seconds = handlers->deadline_s ? handlers->deadline_s : hook->deadline_s;
    g_autofree hookCall *asks = g_new0(hookCall, n);
    g_autoptr(GError) first = NULL;
    gint64 answered_us = 0;
    size_t begun = 0;

    for (size_t i = 0; i < n; i++)
        questions[i].done = false;
    while (begun < n && !first) {
        virHandlerQuestion *question = &questions[begun];
        hookCall *ask = &asks[begun];

        *ask = (hookCall){.handlers = handlers,
                          .call = call,
                          .hook = hook,
                          .pending = {.call = call},
                          .what = {hook->number, hook->name, hook->args, question->args,
                                   question->fds, question->nfds, seconds, 0}};
        if (beginAsking(ask, question, &first))
            begun++;
        else
            hookCallClear(ask);
    }
    for (size_t i = 0; i < begun; i++) {
        GError *why = NULL;

        if (answered_us > asks[i].began_us)
            setDeadline(&asks[i], answered_us);
        if (finishAsking(&asks[i], &questions[i], asks[i].sent ? &why : NULL))
            answered_us = g_get_monotonic_time();
        else
            keepFirst(&first, why);
        hookCallClear(&asks[i]);
    }
    if (!first)
        return true;
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

bool
virHandlersAsk(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
               void *args, const int *fds, size_t nfds, void *ret, virHandlerReply *reply,
               GError **error)
{
    virHandlerQuestion question = {args, fds, nfds, ret, reply, false};

    return virHandlersAskAll(handlers, call, hook, &question, 1, error);
}

void
virHandlersTellUndo(virHandlerPeer *peer, const virDelegateCall *call, uint64_t request)
{
    g_autoptr(GArray) requests = g_array_new(FALSE, FALSE, sizeof(request));

    g_array_append_val(requests, request);
    virHandlersTellTeardown(peer, call->uuid, call->domain, requests);
}

void
virHandlersRevoke(virHandlers *handlers, const virDelegateCall *call, const char *hook)
{
    g_autoptr(virHandlerPeer) peer = NULL;
    const virHandlerServer *server;
    virHandlerGuest *guest;
    virHandlerGrant *grant;
    uint64_t request = 0;

    g_mutex_lock(&handlers->lock);
    guest = g_hash_table_lookup(handlers->guests, call->uuid);
    grant = guest && guest->last ? virHandlerGuestGrant(guest, guest->last) : NULL;
    if (grant && g_str_equal(grant->hook->name, hook)) {
        server = virHandlersFind(handlers, grant->hook, call->uuid, call->domain);
        peer = server && server->peer ? virHandlerPeerRef(server->peer) : NULL;
        request = grant->request;
        if (peer)
            virHandlersNoteUndone(handlers, request);
        else
            grant->state = VIR_HANDLER_GRANT_ASKED; /* it is undone when it comes back */
    }
    g_mutex_unlock(&handlers->lock);
    if (peer)
        virHandlersTellUndo(peer, call, request);
}

/* --- resync --- */

bool
virHandlersAskResync(virHandlers *handlers, virHandlerPeer *peer, const handler_resync_args *args,
                     const int *fds, size_t nfds, handler_resync_ret *ret, virHandlerReply *reply,
                     GError **error)
{
    virHandlerPending pending = {.reply = &reply->packet};
    callMessage what = {.procedure = HANDLER_PROC_RESYNC,
                        .name = "resync",
                        .type = &handler_resync_args_xdr,
                        .args = args,
                        .fds = fds,
                        .nfds = nfds,
                        .seconds = handlers->deadline_s ? handlers->deadline_s : RESYNC_S};
    bool sent, answered;

    virArenaInit(&reply->arena);
    what.deadline_us = g_get_monotonic_time() + (gint64)what.seconds * G_USEC_PER_SEC;
    g_mutex_lock(&handlers->lock);
    pending.lost = peer->gone;
    beginCall(handlers, peer, &pending);
    g_mutex_unlock(&handlers->lock);
    sent = sendCall(peer, &what, pending.serial, error);
    g_mutex_lock(&handlers->lock);
    answered = sent && awaitAnswer(handlers, &pending, &what, error);
    endCall(handlers, &pending, /* request: */ 0);
    g_mutex_unlock(&handlers->lock);
    return answered &&
           readAnswer(reply, &what, &handler_resync_ret_xdr, &reply->arena, ret, error) &&
           (ret->verdicts_len == args->grants_len ||
            virErrorSet(error, VIR_ERR_RPC, _("%u verdicts for %u grants"), ret->verdicts_len,
                        args->grants_len));
}
