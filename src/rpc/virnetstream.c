/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetstream.c: streams of a client.
 *
 * What comes from the client is handled on the event thread alone, in order: data, holes, then
 * finish. What is not taken at once waits in the stream's own buffer and counts as the client's
 * backlog. What goes to the client may be sent from any thread; each packet knows its stream, so
 * that the stream knows how much of it is still queued. */
#include "rpc/virnetstream.h"

#include <string.h>

#include "rpc/virnetstreampriv.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum {
    QUEUE_HIGH = 1024 * 1024, /* bytes to the client: the sender should wait */
    QUEUE_LOW = 256 * 1024,   /* it may go on */
};

struct virNetStream {
    int refs;                   /* atomic */
    virNetServerClient *client; /* a reference */
    virNetHeader header;        /* of the opening call */
    const virNetStreamOps *ops;
    void *opaque;
    GDestroyNotify release;
    bool holes;
    virNetMessage *reply; /* to the opening call, not yet queued */

    int over;   /* atomic: nothing may be sent any more */
    int queued; /* atomic: bytes on their way to the client */
    int full;   /* atomic: queued went over QUEUE_HIGH */
    int nudged; /* atomic: the client's turn is on its way, for this stream */

    /* The event thread's own. */
    bool listed;    /* in the client's list, with a reference */
    bool ended;     /* closed() has been called */
    bool finishing; /* the client has finished; data may still wait in kept */
    GQueue kept;    /* of streamPart, not yet taken */
};

/* What the client sent, in its order. */
typedef struct {
    bool isHole;
    int64_t hole;
    virNetBuffer data;
} streamPart;

virNetStream *
virNetStreamNew(virNetCall *call, const virNetStreamOps *ops, void *opaque, GDestroyNotify release)
{
    virNetStream *stream = g_new0(virNetStream, 1);

    g_assert(call->procedure->kind == VIR_NET_STREAM && !call->stream);
    stream->refs = 2; /* the caller's, the call's */
    stream->client = virNetServerClientRef(call->client);
    stream->header = call->header;
    stream->ops = ops;
    stream->opaque = opaque;
    stream->release = release;
    g_queue_init(&stream->kept);
    call->stream = stream;
    return stream;
}

virNetStream *
virNetStreamRef(virNetStream *stream)
{
    g_atomic_int_inc(&stream->refs);
    return stream;
}

/* Room that one takes in the client's backlog. */
static size_t
partSize(const streamPart *part)
{
    return sizeof(*part) + part->data.len;
}

/* Drops the first part of what was kept. */
static void
keptPop(virNetStream *stream)
{
    streamPart *part = g_queue_pop_head(&stream->kept);

    stream->client->backlog -= partSize(part);
    virNetBufferClear(&part->data);
    g_free(part);
}

static streamPart *
keptPush(virNetStream *stream, const uint8_t *bytes, size_t len)
{
    streamPart *part = g_new0(streamPart, 1);

    virNetBufferInit(&part->data, VIR_NET_LENGTH_MAX);
    if (len > 0)
        memcpy(virNetBufferExtend(&part->data, len), bytes, len);
    stream->client->backlog += partSize(part);
    g_queue_push_tail(&stream->kept, part);
    return part;
}

static void
streamFree(void *opaque)
{
    virNetStream *stream = opaque;

    if (stream->release)
        stream->release(stream->opaque);
    virNetServerClientUnref(stream->client);
    g_free(stream);
}

void
virNetStreamUnref(virNetStream *stream)
{
    /* By a post: the last reference may be a message's that goes under the client's mutex. */
    if (stream && g_atomic_int_dec_and_test(&stream->refs))
        virEventPost(streamFree, stream);
}

static void
streamUnref(void *opaque)
{
    virNetStreamUnref(opaque);
}

void
virNetStreamAllowHoles(virNetStream *stream)
{
    stream->holes = true;
}

/* Ends it for the handler's side. On the event thread. */
static void
streamClose(virNetStream *stream)
{
    g_autoptr(virNetStream) self G_GNUC_UNUSED = virNetStreamRef(stream);

    g_atomic_int_set(&stream->over, 1);
    if (stream->listed) {
        stream->listed = false;
        g_queue_remove(&stream->client->streams, stream);
        virNetStreamUnref(stream);
    }
    while (!g_queue_is_empty(&stream->kept))
        keptPop(stream);
    if (!stream->ended) {
        stream->ended = true;
        if (stream->ops->closed)
            stream->ops->closed(stream, stream->opaque);
    }
}

static void
closePosted(void *opaque)
{
    streamClose(opaque);
    streamUnref(opaque);
}

void
virNetStreamDiscard(virNetStream *stream)
{
    g_atomic_int_set(&stream->over, 1);
    virEventPost(closePosted, stream);
}

/* Sending */

static virNetMessage *
packetNew(virNetStream *stream, uint32_t type, uint32_t status)
{
    virNetHeader header = stream->header;

    header.type = type;
    header.status = status;
    return virNetMessageNew(&header);
}

static void
packetQueue(virNetStream *stream, virNetMessage *packet)
{
    packet->stream = virNetStreamRef(stream);
    if (g_atomic_int_add(&stream->queued, (int)packet->bytes.len) > QUEUE_HIGH)
        g_atomic_int_set(&stream->full, 1);
    virNetOutputQueue(stream->client, packet);
}

bool
virNetStreamSend(virNetStream *stream, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0 && !g_atomic_int_get(&stream->over)) {
        size_t part = MIN(len, VIR_NET_STREAM_DATA_MAX);
        virNetMessage *packet =
            packetNew(stream, RPC_MESSAGE_TYPE_STREAM, RPC_MESSAGE_STATUS_CONTINUE);

        (void)virNetMessageAppend(packet, at, part, NULL); /* far below the limit */
        packetQueue(stream, packet);
        at += part;
        len -= part;
    }
    return !g_atomic_int_get(&stream->over);
}

bool
virNetStreamSendHole(virNetStream *stream, int64_t length)
{
    rpc_stream_hole hole = {.length = length};
    virNetMessage *packet;

    g_assert(stream->holes);
    if (g_atomic_int_get(&stream->over))
        return false;
    packet = packetNew(stream, RPC_MESSAGE_TYPE_STREAM_HOLE, RPC_MESSAGE_STATUS_CONTINUE);
    (void)virNetMessageEncode(packet, &rpc_stream_hole_xdr, &hole, NULL); /* two numbers */
    packetQueue(stream, packet);
    return true;
}

bool
virNetStreamIsFull(virNetStream *stream)
{
    return g_atomic_int_get(&stream->full);
}

static void
drainedPosted(void *opaque)
{
    virNetStream *stream = opaque;

    if (!stream->ended && stream->ops->drained)
        stream->ops->drained(stream, stream->opaque);
    virNetStreamUnref(stream);
}

void
virNetStreamSent(virNetStream *stream, size_t len)
{
    int left = g_atomic_int_add(&stream->queued, -(int)len) - (int)len;

    if (left < QUEUE_LOW && g_atomic_int_compare_and_exchange(&stream->full, 1, 0))
        virEventPost(drainedPosted, virNetStreamRef(stream));
}

void
virNetStreamEnd(virNetStream *stream)
{
    if (!g_atomic_int_get(&stream->over))
        packetQueue(stream,
                    packetNew(stream, RPC_MESSAGE_TYPE_STREAM, RPC_MESSAGE_STATUS_CONTINUE));
}

void
virNetStreamFail(virNetStream *stream, const GError *error)
{
    if (!g_atomic_int_compare_and_exchange(&stream->over, 0, 1))
        return;
    virNetOutputQueue(stream->client,
                      virNetMessageNewError(&stream->header, RPC_MESSAGE_TYPE_STREAM, error));
    virEventPost(closePosted, virNetStreamRef(stream));
}

/* Receiving, on the event thread */

/* The client may send as soon as it has the reply, and we not before it: so listed first, then
 * replied, then started. */
static void
openPosted(void *opaque)
{
    virNetStream *stream = opaque;
    virNetMessage *reply = g_steal_pointer(&stream->reply);

    if (virNetServerClientIsClosed(stream->client)) {
        streamClose(stream);
        virNetMessageUnref(reply);
        virNetStreamUnref(stream);
        return;
    }
    stream->listed = true; /* the reference goes to the list */
    g_queue_push_tail(&stream->client->streams, stream);
    virNetOutputQueue(stream->client, reply);
    if (stream->ops->start)
        stream->ops->start(stream, stream->opaque);
}

void
virNetStreamOpen(virNetStream *stream, virNetMessage *reply)
{
    stream->reply = reply;
    virEventPost(openPosted, stream);
}

/* The client's finish or abort is answered in the same way: done. */
static void
answerDone(virNetStream *stream)
{
    virNetOutputQueue(stream->client,
                      packetNew(stream, RPC_MESSAGE_TYPE_STREAM, RPC_MESSAGE_STATUS_OK));
    streamClose(stream);
}

static void
streamFail(virNetStream *stream, const GError *error)
{
    virNetStreamFail(stream, error);
    streamClose(stream);
}

static void
streamFinish(virNetStream *stream)
{
    g_autoptr(GError) error = NULL;

    if (!stream->ops->finish || stream->ops->finish(stream, stream->opaque, &error))
        answerDone(stream);
    else
        streamFail(stream, error);
}

static void
streamAbort(virNetStream *stream)
{
    if (stream->ops->abort)
        stream->ops->abort(stream, stream->opaque);
    answerDone(stream);
}

/* Offers bytes to the handler; returns how many it took, -1 if the stream is over now. */
static ssize_t
offer(virNetStream *stream, const uint8_t *bytes, size_t len)
{
    g_autoptr(GError) error = NULL;
    ssize_t taken = -1;

    if (!stream->ops->received)
        virErrorSet(&error, VIR_ERR_OPERATION_INVALID, "%s",
                    _("this stream takes no data from the client"));
    else
        taken = stream->ops->received(stream, bytes, len, stream->opaque, &error);
    if (taken < 0)
        streamFail(stream, error);
    return taken;
}

static void
streamData(virNetStream *stream, const uint8_t *bytes, size_t len)
{
    ssize_t taken = 0;

    if (len == 0 || stream->finishing)
        return;
    if (g_queue_is_empty(&stream->kept))
        taken = offer(stream, bytes, len);
    if (taken >= 0 && (size_t)taken < len)
        keptPush(stream, bytes + taken, len - (size_t)taken);
}

/* False if the stream is over now. */
static bool
offerHole(virNetStream *stream, int64_t length)
{
    g_autoptr(GError) error = NULL;

    if (!stream->ops->hole)
        virErrorSet(&error, VIR_ERR_OPERATION_INVALID, "%s",
                    _("this stream takes no data from the client"));
    else if (stream->ops->hole(stream, length, stream->opaque, &error))
        return true;
    streamFail(stream, error);
    return false;
}

static void
streamHole(virNetStream *stream, const uint8_t *payload, size_t len)
{
    g_autoptr(GError) error = NULL;
    g_auto(virArena) arena = {0};
    rpc_stream_hole hole;

    if (!stream->holes) {
        virNetServerClientFault(stream->client, "a hole in a stream that has none");
        return;
    }
    virArenaInit(&arena);
    if (!virXdrDecode(&rpc_stream_hole_xdr, payload, len, &arena, &hole, NULL, &error)) {
        streamFail(stream, error);
    } else if (hole.length < 0 || hole.flags != 0) {
        virErrorSet(&error, VIR_ERR_INVALID_ARG, "%s", _("invalid hole in a stream"));
        virNetOutputQueue(stream->client,
                          virNetMessageNewError(&stream->header, RPC_MESSAGE_TYPE_REPLY, error));
    } else if (g_queue_is_empty(&stream->kept)) {
        offerHole(stream, hole.length);
    } else {
        streamPart *part = keptPush(stream, NULL, 0);

        part->isHole = true;
        part->hole = hole.length;
    }
}

static virNetStream *
findStream(virNetServerClient *client, const virNetHeader *header)
{
    for (GList *link = client->streams.head; link; link = link->next) {
        virNetStream *stream = link->data;

        if (stream->header.serial == header->serial &&
            stream->header.procedure == header->procedure &&
            stream->header.program == header->program)
            return stream;
    }
    return NULL;
}

void
virNetStreamPacket(virNetServerClient *client, const virNetHeader *header, const uint8_t *payload,
                   size_t len)
{
    virNetStream *stream = findStream(client, header);

    if (!stream || g_atomic_int_get(&stream->over))
        return;
    if (header->type == RPC_MESSAGE_TYPE_STREAM_HOLE) {
        streamHole(stream, payload, len);
    } else if (header->status == RPC_MESSAGE_STATUS_CONTINUE) {
        streamData(stream, payload, len);
    } else if (header->status == RPC_MESSAGE_STATUS_ERROR) {
        streamAbort(stream);
    } else if (header->status == RPC_MESSAGE_STATUS_OK && !stream->finishing) {
        stream->finishing = true;
        if (g_queue_is_empty(&stream->kept))
            streamFinish(stream);
    }
}

/* Offers the first part of what was kept. False if that is not taken whole, or the stream is over.
 */
static bool
offerKept(virNetStream *stream)
{
    streamPart *part = g_queue_peek_head(&stream->kept);
    ssize_t taken;

    if (part->isHole) {
        if (!offerHole(stream, part->hole))
            return false;
        keptPop(stream);
        return true;
    }
    taken = offer(stream, part->data.data, part->data.len);
    if (taken < 0)
        return false;
    if ((size_t)taken == part->data.len) {
        keptPop(stream);
        return true;
    }
    stream->client->backlog -= (size_t)taken;
    virNetBufferConsume(&part->data, (size_t)taken);
    return false;
}

static void
streamResume(virNetStream *stream)
{
    g_atomic_int_set(&stream->nudged, 0);
    if (g_queue_is_empty(&stream->kept))
        return;
    while (!g_queue_is_empty(&stream->kept)) {
        if (!offerKept(stream))
            return;
    }
    if (stream->finishing)
        streamFinish(stream);
}

void
virNetStreamResume(virNetServerClient *client)
{
    GList *next;

    for (GList *link = client->streams.head; link; link = next) {
        virNetStream *stream = link->data;

        next = link->next;
        if (g_atomic_int_get(&stream->nudged))
            streamResume(stream);
    }
}

void
virNetStreamContinue(virNetStream *stream)
{
    g_atomic_int_set(&stream->nudged, 1);
    virNetServerClientWake(stream->client);
}

void
virNetStreamCloseAll(virNetServerClient *client)
{
    virNetStream *stream;

    while ((stream = g_queue_peek_head(&client->streams)))
        streamClose(stream);
}
