/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerpeer.c: connections of handlers: what they ask, what they answer.
 * Who waits for an answer reads, and hands out what is not its own: answers by their serials, the
 * rest to the event thread, which reads while nobody waits. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delegate/virhandlerspriv.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum {
    MESSAGES_PER_TURN = 32,          /* then others have theirs */
    MESSAGE_BYTES_MAX = 1024 * 1024, /* no answer and no question is longer */
    MESSAGE_FDS_MAX = 512,           /* 256 queues of an interface, and vhost for each */
    STATUS_GRANTS_MAX = 8192,
    QUEUE_MAX = 64,  /* messages that a peer may leave unread behind a full socket */
    INBOX_MAX = 256, /* messages of a peer that the event thread has not come to yet */
};

/* --- a peer's life --- */

virHandlerPeer *
virHandlerPeerRef(virHandlerPeer *peer)
{
    g_atomic_int_inc(&peer->refs);
    return peer;
}

static void
packetFree(void *opaque)
{
    virPacketClear(opaque);
    g_free(opaque);
}

void
virHandlerPeerUnref(virHandlerPeer *peer)
{
    if (!peer || !g_atomic_int_dec_and_test(&peer->refs))
        return;
    virPacketReaderClear(&peer->reader);
    g_queue_clear_full(&peer->inbox, packetFree);
    g_mutex_clear(&peer->readLock);
    g_queue_clear_full(&peer->queue, (GDestroyNotify)virNetMessageUnref);
    g_mutex_clear(&peer->queueLock);
    g_mutex_clear(&peer->sendLock);
    virCloseFd(&peer->fd);
    virCloseFd(&peer->wakeFd);
    g_free(peer);
}

/* What the event thread is to wake up for. Under lock. */
static void
updateWatch(virHandlerPeer *peer)
{
    if (peer->watch)
        virEventWatchUpdate(peer->watch,
                            (peer->waiting ? 0 : EPOLLIN) | (peer->wantsRoom ? EPOLLOUT : 0));
}

void
virHandlerPeerEnd(virHandlerPeer *peer)
{
    g_autoptr(virHandlerPeer) keep G_GNUC_UNUSED = virHandlerPeerRef(peer);
    virHandlers *handlers = peer->handlers;
    virEventWatch *watch = peer->watch;

    g_mutex_lock(&handlers->lock);
    peer->watch = NULL;
    peer->over = true;
    g_mutex_unlock(&handlers->lock);
    virEventWatchRemove(watch);
    (void)shutdown(peer->fd, SHUT_RDWR); /* whoever is sending notices */
    virHandlersForget(handlers, peer);
    g_ptr_array_remove_fast(handlers->peers, peer);
}

void
virHandlerPeersEnd(virHandlers *handlers)
{
    virEventWatchRemove(handlers->listenWatch);
    handlers->listenWatch = NULL;
    if (handlers->listenFd >= 0)
        (void)unlink(handlers->path); /* a later daemon replaces it anyway */
    virCloseFd(&handlers->listenFd);
    while (handlers->peers->len > 0)
        virHandlerPeerEnd(g_ptr_array_index(handlers->peers, 0));
}

/* --- sending --- */

/* The next message of the queue, taken out. */
static virNetMessage *
queueTake(virHandlerPeer *peer)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&peer->queueLock);

    return g_queue_pop_head(&peer->queue);
}

/* True if it is in the queue, at its end or (again) at its head. */
static bool
queuePut(virHandlerPeer *peer, virNetMessage *message, bool head)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&peer->queueLock);

    if (peer->queue.length >= QUEUE_MAX)
        return false;
    if (head)
        g_queue_push_head(&peer->queue, message);
    else
        g_queue_push_tail(&peer->queue, message);
    return true;
}

static void
cutOff(virHandlerPeer *peer)
{
    (void)shutdown(peer->fd, SHUT_RDWR); /* the reader sees the end */
}

/* On the event thread: the queue goes on when there is room again. */
static void
awaitRoom(void *opaque)
{
    g_autoptr(virHandlerPeer) peer = opaque;

    g_mutex_lock(&peer->handlers->lock);
    peer->wantsRoom = true;
    updateWatch(peer);
    g_mutex_unlock(&peer->handlers->lock);
}

/* There was no room for it. One packet goes whole or not at all; of more a part may have gone. */
static void
keepForLater(virHandlerPeer *peer, virNetMessage *message)
{
    g_autoptr(virNetMessage) mine = message;

    if (mine->bytes.len <= HANDLER_PACKET_BYTES_MAX && queuePut(peer, mine, /* head: */ true)) {
        mine = NULL;
        virEventPost(awaitRoom, virHandlerPeerRef(peer));
    } else
        cutOff(peer);
}

/* What is queued goes out, as far as there is room. Under sendLock. False: not all of it did. */
static bool
sendQueue(virHandlerPeer *peer)
{
    virNetMessage *message;

    while ((message = queueTake(peer))) {
        g_autoptr(virNetMessage) mine = message;
        g_autoptr(GError) error = NULL;

        if (virPacketSend(peer->fd, mine, NULL, 0, /* deadline_us: */ 0, &error))
            continue;
        if (virErrorIs(error, VIR_ERR_OPERATION_TIMEOUT))
            keepForLater(peer, g_steal_pointer(&mine));
        else
            cutOff(peer);
        return false;
    }
    return true;
}

/* Whoever sends has the queue sent too; so what is put there while somebody sends is not left. */
static void
drainQueue(virHandlerPeer *peer)
{
    bool more = true;

    while (more && g_mutex_trylock(&peer->sendLock)) {
        more = sendQueue(peer);
        g_mutex_unlock(&peer->sendLock);
        if (more) {
            g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&peer->queueLock);

            more = peer->queue.length > 0;
        }
    }
}

bool
virHandlerPeerSend(virHandlerPeer *peer, const virNetMessage *message, const int *fds, size_t nfds,
                   gint64 deadline_us, GError **error)
{
    bool sent;

    g_mutex_lock(&peer->sendLock);
    sent = virPacketSend(peer->fd, message, fds, nfds, deadline_us, error);
    g_mutex_unlock(&peer->sendLock);
    if (!sent)
        cutOff(peer); /* half a message may be out */
    drainQueue(peer);
    return sent;
}

void
virHandlerPeerPost(virHandlerPeer *peer, virNetMessage *message)
{
    g_autoptr(virNetMessage) mine = message;

    if (queuePut(peer, mine, /* head: */ false)) {
        mine = NULL;
        drainQueue(peer);
        return;
    }
    VIR_WARN("handler process %d does not read: it is cut off", (int)peer->pid);
    cutOff(peer);
}

void
virHandlerPeerTell(virHandlerPeer *peer, uint32_t procedure, uint32_t type, const virXdrType *xdr,
                   const void *value)
{
    virNetHeader header = {.program = HANDLER_PROGRAM,
                           .version = HANDLER_VERSION,
                           .procedure = (int32_t)procedure,
                           .type = type,
                           .status = RPC_MESSAGE_STATUS_OK};
    g_autoptr(virNetMessage) message = NULL;
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&peer->handlers->lock);
    header.serial = virHandlersNextSerial(peer->handlers);
    g_mutex_unlock(&peer->handlers->lock);
    message = virNetMessageNew(&header);
    if (!virNetMessageEncode(message, xdr, value, &error))
        VIR_WARN("handler process %d was not told: %s", (int)peer->pid, error->message);
    else
        virHandlerPeerPost(peer, g_steal_pointer(&message));
}

/* --- what handlers ask --- */

static bool
answer(virHandlerPeer *peer, const virPacket *call, const virXdrType *type, const void *ret,
       const GError *failure)
{
    g_autoptr(virNetMessage) message = NULL;
    g_autoptr(GError) error = NULL;

    message = failure ? virNetMessageNewError(&call->header, RPC_MESSAGE_TYPE_REPLY, failure)
                      : virNetMessageNewReply(&call->header, type, ret, NULL, 0, &error);
    if (!message)
        return false;
    virHandlerPeerPost(peer, g_steal_pointer(&message));
    return true;
}

static bool
answerRegister(virHandlerPeer *peer, const virPacket *call, virArena *arena)
{
    handler_register_args args;
    handler_register_ret ret = {0};
    g_autoptr(GError) error = NULL;
    bool done = virPacketDecode(call, &handler_register_args_xdr, arena, &args, &error) &&
                virHandlersRegister(peer->handlers, peer, &args, &ret.id, &error);

    if (!done)
        VIR_WARN("process %d could not register: %s", (int)peer->pid, error->message);
    if (!answer(peer, call, &handler_register_ret_xdr, &ret, error))
        return false;
    if (done)
        virHandlersReturned(peer->handlers, peer, virXdrHookByNumber(args.hook));
    return true;
}

static bool
answerUnregister(virHandlerPeer *peer, const virPacket *call, virArena *arena)
{
    handler_unregister_args args;
    g_autoptr(GError) error = NULL;

    if (virPacketDecode(call, &handler_unregister_args_xdr, arena, &args, &error))
        (void)virHandlersUnregister(peer->handlers, peer, args.id, &error); /* answered below */
    return answer(peer, call, NULL, NULL, error);
}

static bool
answerFeatures(virHandlerPeer *peer, const virPacket *call, virArena *arena)
{
    handler_features_ret ret = {.protocol = HANDLER_PROTOCOL,
                                .instance = peer->handlers->instance,
                                .hooks_len = (uint32_t)virXdrHooksCount};

    ret.hooks_val = virArenaNew(arena, handler_hook, virXdrHooksCount);
    for (size_t i = 0; i < virXdrHooksCount; i++) {
        const virXdrHook *hook = &virXdrHooks[i];

        ret.hooks_val[i] = (handler_hook){
            .hook = hook->number,
            .abi = hook->abi,
            .size = hook->args->minWire,
            .policy = virHandlerPolicyToString((int)peer->handlers->policies[hook->number])};
        memcpy(ret.hooks_val[i].digest, hook->digest, sizeof(hook->digest));
    }
    return answer(peer, call, &handler_features_ret_xdr, &ret, NULL);
}

static int
compareTimes(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;

    return (first > second) - (first < second);
}

/* Of the latest calls. */
static uint64_t
medianTime(const virHandlerServer *server)
{
    uint32_t times[HANDLER_RECENT];
    size_t n = (size_t)MIN(server->calls, HANDLER_RECENT);

    memcpy(times, server->recent_us, sizeof(times));
    qsort(times, n, sizeof(times[0]), compareTimes);
    return n ? times[n / 2] : 0;
}

/* A row of status; texts in the arena, since the server may change when the lock is given up. */
static handler_server
describeServer(const virHandlerServer *server, const virHandlers *handlers, virArena *arena)
{
    g_autoptr(GString) filter = g_string_new(server->pattern);

    for (size_t i = 0; server->byUuid && i < sizeof(server->uuid); i++)
        g_string_append_printf(filter, "%02x", server->uuid[i]);
    return (handler_server){
        .hook = server->hook->number,
        .policy = virHandlerPolicyToString((int)handlers->policies[server->hook->number]),
        .pid = (uint32_t)server->pid,
        .uid = server->uid,
        .filter = virArenaStrdup(arena, filter->str),
        .connected = server->peer != NULL,
        .calls = server->calls,
        .failures = server->failures,
        .late = server->late,
        .last_us = server->last_us,
        .mean_us = server->calls ? server->total_us / server->calls : 0,
        .median_us = medianTime(server)};
}

/* Under lock. */
static void
describeGrants(virHandlers *handlers, virArena *arena, handler_status_ret *ret)
{
    GHashTableIter iter;
    void *uuid, *value;

    ret->grants_val = virArenaNew(arena, handler_status_grant, STATUS_GRANTS_MAX);
    g_hash_table_iter_init(&iter, handlers->guests);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        const virHandlerGuest *guest = value;

        for (guint i = 0; i < guest->grants->len && ret->grants_len < STATUS_GRANTS_MAX; i++) {
            const virHandlerGrant *grant = g_ptr_array_index(guest->grants, i);
            handler_status_grant *row = &ret->grants_val[ret->grants_len++];

            *row = (handler_status_grant){
                .domain = virArenaStrdup(arena, guest->domain),
                .hook = grant->hook->number,
                .request = grant->request,
                .state = (char *)virHandlerGrantStateToString((int)grant->state),
                .target = virArenaStrdup(arena, grant->target)};
            memcpy(row->uuid, uuid, sizeof(row->uuid));
        }
    }
}

static bool
answerStatus(virHandlerPeer *peer, const virPacket *call, virArena *arena)
{
    virHandlers *handlers = peer->handlers;
    handler_status_ret ret = {.instance = handlers->instance};

    g_mutex_lock(&handlers->lock);
    ret.servers_len = handlers->servers->len;
    ret.servers_val = virArenaNew(arena, handler_server, MAX(ret.servers_len, 1));
    for (guint i = 0; i < handlers->servers->len; i++)
        ret.servers_val[i] =
            describeServer(g_ptr_array_index(handlers->servers, i), handlers, arena);
    describeGrants(handlers, arena, &ret);
    g_mutex_unlock(&handlers->lock);
    return answer(peer, call, &handler_status_ret_xdr, &ret, NULL);
}

static bool
answerCall(virHandlerPeer *peer, const virPacket *call)
{
    g_auto(virArena) arena = {0};
    g_autoptr(GError) error = NULL;

    virArenaInit(&arena);
    switch (call->header.procedure) {
    case HANDLER_PROC_REGISTER:
        return answerRegister(peer, call, &arena);
    case HANDLER_PROC_UNREGISTER:
        return answerUnregister(peer, call, &arena);
    case HANDLER_PROC_FEATURES:
        return answerFeatures(peer, call, &arena);
    case HANDLER_PROC_STATUS:
        return answerStatus(peer, call, &arena);
    default:
        virErrorSet(&error, VIR_ERR_NO_SUPPORT, _("a handler cannot ask procedure %d"),
                    call->header.procedure);
        return answer(peer, call, NULL, NULL, error);
    }
}

/* --- what handlers answer --- */

/* An answer that nobody waits for any more: what it did is undone. */
static void
takeLate(virHandlerPeer *peer, const virPacket *reply, uint64_t request)
{
    static const uint8_t nobody[HANDLER_UUID_BUFLEN];
    const virXdrHook *hook = virXdrHookByNumber((uint32_t)reply->header.procedure);
    g_autoptr(GArray) requests = g_array_new(FALSE, FALSE, sizeof(request));

    VIR_WARN("handler process %d answered %s when nobody waited any more: dropped", (int)peer->pid,
             hook ? hook->name : "a call");
    g_mutex_lock(&peer->handlers->lock);
    virHandlersNoteUndone(peer->handlers, request);
    g_mutex_unlock(&peer->handlers->lock);
    g_array_append_val(requests, request);
    if (request && reply->header.status == RPC_MESSAGE_STATUS_OK)
        virHandlersTellTeardown(peer, nobody, "", requests);
}

static void
takeReply(virHandlerPeer *peer, virPacket *reply)
{
    virHandlers *handlers = peer->handlers;
    void *serial = GUINT_TO_POINTER(reply->header.serial);
    virHandlerPending *pending;
    g_autofree uint64_t *request = NULL;

    g_mutex_lock(&handlers->lock);
    pending = g_hash_table_lookup(handlers->pending, serial);
    if (pending && pending->peer == peer && !pending->answered) {
        *pending->reply = *reply; /* with what it owns */
        virPacketInit(reply);
        pending->answered = true;
        g_cond_broadcast(&handlers->answered);
    } else if (!pending)
        (void)g_hash_table_steal_extended(handlers->expired, serial, NULL, (void **)&request);
    g_mutex_unlock(&handlers->lock);
    if (request)
        takeLate(peer, reply, *request);
}

/* False: it does not keep to the protocol. */
static bool
takeMessage(virHandlerPeer *peer, virPacket *packet)
{
    switch (packet->header.type) {
    case RPC_MESSAGE_TYPE_CALL:
        return answerCall(peer, packet);
    case RPC_MESSAGE_TYPE_REPLY:
        takeReply(peer, packet);
        return true;
    default:
        VIR_WARN("handler process %d sent a message of type %u", (int)peer->pid,
                 packet->header.type);
        return false;
    }
}

/* --- reading --- */

/* What jobs have read for the event thread. False: the peer has ended. */
static bool
takeInbox(virHandlerPeer *peer)
{
    virPacket *packet;

    do {
        g_mutex_lock(&peer->handlers->lock);
        packet = g_queue_pop_head(&peer->inbox);
        g_mutex_unlock(&peer->handlers->lock);
        if (packet && peer->watch && !takeMessage(peer, packet))
            virHandlerPeerEnd(peer);
        if (packet)
            packetFree(packet);
    } while (packet);
    return peer->watch != NULL;
}

static void
inboxReady(void *opaque)
{
    g_autoptr(virHandlerPeer) peer = opaque;

    (void)takeInbox(peer); /* an ended one has been dealt with */
}

static void
endReady(void *opaque)
{
    g_autoptr(virHandlerPeer) peer = opaque;

    if (takeInbox(peer))
        virHandlerPeerEnd(peer);
}

static void
tellCutOff(const virHandlerPeer *peer, const GError *error)
{
    if (error)
        VIR_WARN("handler process %d is cut off: %s", (int)peer->pid, error->message);
}

/* Under readLock. False: the connection is to end. */
static bool
readTurn(virHandlerPeer *peer)
{
    for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
        g_auto(virPacket) packet = {0};
        g_autoptr(GError) error = NULL;
        virPacketResult result;

        virPacketInit(&packet);
        result = virPacketReceive(&peer->reader, peer->fd, &packet, &error);
        if (result == VIR_PACKET_NONE)
            return true;
        if (result != VIR_PACKET_WHOLE || !takeMessage(peer, &packet)) {
            tellCutOff(peer, error);
            return false;
        }
    }
    return true;
}

static void
peerReady(int fd, unsigned events, void *opaque)
{
    virHandlerPeer *peer = opaque;
    g_autoptr(virHandlerPeer) keep G_GNUC_UNUSED = virHandlerPeerRef(peer);
    bool more;

    (void)fd;
    if (events & EPOLLOUT) {
        g_mutex_lock(&peer->handlers->lock);
        peer->wantsRoom = false;
        updateWatch(peer);
        g_mutex_unlock(&peer->handlers->lock);
        drainQueue(peer);
    }
    if (!takeInbox(peer) || !g_mutex_trylock(&peer->readLock))
        return;
    more = readTurn(peer);
    g_mutex_unlock(&peer->readLock);
    if (!more)
        virHandlerPeerEnd(peer);
    g_mutex_lock(&peer->handlers->lock);
    if (peer->waiting)
        g_cond_broadcast(&peer->handlers->answered); /* it is theirs to read again */
    g_mutex_unlock(&peer->handlers->lock);
}

void
virHandlerPeerBeginWait(virHandlerPeer *peer)
{
    if (peer->waiting++ == 0)
        updateWatch(peer);
}

void
virHandlerPeerEndWait(virHandlerPeer *peer)
{
    if (--peer->waiting == 0)
        updateWatch(peer);
}

/* The answer to a call that is waited for. */
static bool
isAwaited(const virHandlerPeer *peer, const virPacket *packet)
{
    virHandlers *handlers = peer->handlers;
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);

    return packet->header.type == RPC_MESSAGE_TYPE_REPLY &&
           g_hash_table_contains(handlers->pending, GUINT_TO_POINTER(packet->header.serial));
}

/* False: the peer sends more than is taken. */
static bool
leaveForEvents(virHandlerPeer *peer, virPacket *packet, GError **error)
{
    bool room;

    g_mutex_lock(&peer->handlers->lock);
    room = peer->inbox.length < INBOX_MAX;
    if (room)
        g_queue_push_tail(&peer->inbox, g_memdup2(packet, sizeof(*packet)));
    g_mutex_unlock(&peer->handlers->lock);
    if (!room)
        return virErrorSet(error, VIR_ERR_RPC, _("it sends faster than it is answered"));
    virPacketInit(packet);
    virEventPost(inboxReady, virHandlerPeerRef(peer));
    return true;
}

static bool
handOut(virHandlerPeer *peer, virPacket *packet, GError **error)
{
    if (!isAwaited(peer, packet))
        return leaveForEvents(peer, packet, error);
    takeReply(peer, packet);
    return true;
}

/* Most answers come sooner than a sleeping thread is awake again: where another processor can be at
 * work on one it is looked for a little before that. */
static virPacketResult
receiveSoon(virHandlerPeer *peer, virPacket *packet, GError **error)
{
    gint64 until_us = g_get_monotonic_time() + peer->handlers->look_us;
    virPacketResult result;

    do
        result = virPacketReceive(&peer->reader, peer->fd, packet, error);
    while (result == VIR_PACKET_NONE && g_get_monotonic_time() < until_us);
    return result;
}

void
virHandlerPeerWake(virHandlerPeer *peer)
{
    /* a full counter wakes as well */
    (void)eventfd_write(peer->wakeFd, 1);
}

/* Waits for a packet, or to be woken. Under readLock. True: there is one. */
static bool
awaitPacket(virHandlerPeer *peer, gint64 left_us)
{
    struct pollfd ready[] = {{.fd = peer->fd, .events = POLLIN},
                             {.fd = peer->wakeFd, .events = POLLIN}};
    eventfd_t count;

    if (poll(ready, G_N_ELEMENTS(ready), (int)(left_us / 1000) + 1) <= 0)
        return false;
    if (ready[1].revents)
        (void)eventfd_read(peer->wakeFd, &count); /* nobody else reads it meanwhile */
    return ready[0].revents;
}

/* Under readLock. */
static void
readOne(virHandlerPeer *peer, gint64 deadline_us)
{
    gint64 left_us = deadline_us - g_get_monotonic_time();
    g_auto(virPacket) packet = {0};
    g_autoptr(GError) error = NULL;
    virPacketResult result;

    virPacketInit(&packet);
    if (left_us <= 0)
        return;
    result = receiveSoon(peer, &packet, &error);
    if (result == VIR_PACKET_NONE && awaitPacket(peer, left_us))
        result = virPacketReceive(&peer->reader, peer->fd, &packet, &error);
    if (result == VIR_PACKET_NONE || (result == VIR_PACKET_WHOLE && handOut(peer, &packet, &error)))
        return;
    tellCutOff(peer, error);
    g_mutex_lock(&peer->handlers->lock);
    peer->over = true;
    g_mutex_unlock(&peer->handlers->lock);
    cutOff(peer);
    virEventPost(endReady, virHandlerPeerRef(peer));
}

bool
virHandlerPeerRead(virHandlerPeer *peer, gint64 deadline_us)
{
    virHandlers *handlers = peer->handlers;

    if (peer->over || !g_mutex_trylock(&peer->readLock))
        return false;
    g_mutex_unlock(&handlers->lock);
    readOne(peer, deadline_us);
    g_mutex_unlock(&peer->readLock);
    g_mutex_lock(&handlers->lock);
    if (peer->waiting > 1)
        g_cond_broadcast(&handlers->answered); /* another one reads on */
    return true;
}

bool
virHandlerPeerAdd(virHandlers *handlers, int fd, const struct ucred *who, GError **error)
{
    virHandlerPeer *peer = g_new0(virHandlerPeer, 1);

    peer->refs = 1;
    peer->wakeFd = -1;
    peer->handlers = handlers;
    peer->fd = fd;
    peer->pid = who->pid;
    peer->uid = who->uid;
    g_mutex_init(&peer->sendLock);
    g_mutex_init(&peer->queueLock);
    g_mutex_init(&peer->readLock);
    virPacketReaderInit(&peer->reader);
    virPacketReaderLimit(&peer->reader, MESSAGE_BYTES_MAX, MESSAGE_FDS_MAX);
    peer->wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (peer->wakeFd < 0)
        virErrorErrno(error, _("cannot make an event descriptor"));
    else
        peer->watch = virEventWatchAdd(fd, EPOLLIN, peerReady, peer, NULL, error);
    if (!peer->watch) {
        virHandlerPeerUnref(peer);
        return false;
    }
    g_ptr_array_add(handlers->peers, peer);
    return true;
}
