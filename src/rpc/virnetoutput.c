/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetoutput.c: a client's queue of messages to be sent.
 *
 * Whoever has a message writes it to the socket itself, under the client's mutex, so that an answer
 * takes no second thread; what the socket does not take waits for EPOLLOUT on the event thread. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "rpc/virnetpriv.h"
#include "rpc/virnetstreampriv.h"
#include "util/virlog.h"

enum { IOV_COUNT = 32 };

typedef enum {
    OUTPUT_DONE,   /* this part is out */
    OUTPUT_FULL,   /* the socket takes no more now */
    OUTPUT_BROKEN, /* nor ever */
} outputResult;

void
virNetOutputWatch(virNetServerClient *client)
{
    unsigned events = (client->paused ? 0 : EPOLLIN) | (client->waitOutput ? EPOLLOUT : 0);

    if (client->closed || events == client->watched)
        return;
    client->watched = events;
    virEventWatchUpdate(client->watch, events);
}

static outputResult
resultOfErrno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? OUTPUT_FULL : OUTPUT_BROKEN;
}

static ssize_t
sendRetry(int fd, const struct msghdr *header)
{
    ssize_t n;

    do {
        n = sendmsg(fd, header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* The first message is out with all its descriptors. */
static void
popFirst(virNetServerClient *client)
{
    virNetMessage *message = g_queue_pop_head(&client->out);

    client->outBytes -= message->bytes.len;
    if (message->event)
        client->eventBytes -= message->bytes.len;
    client->outSent = client->outFds = 0;
    if (message->stream)
        virNetStreamSent(message->stream, message->bytes.len);
    virNetMessageUnref(message);
}

static bool
firstIsOut(const virNetServerClient *client, const virNetMessage *message)
{
    return client->outSent == message->bytes.len && client->outFds == message->fdCount;
}

/* sent bytes of the queue's beginning are out. */
static void
advance(virNetServerClient *client, size_t sent)
{
    while (sent > 0) {
        virNetMessage *first = g_queue_peek_head(&client->out);
        size_t part = MIN(sent, first->bytes.len - client->outSent);

        client->outSent += part;
        sent -= part;
        if (!firstIsOut(client, first))
            return;
        popFirst(client);
    }
}

/* One write of as many messages as go without descriptors between them. */
static outputResult
sendBytes(virNetServerClient *client)
{
    struct iovec iov[IOV_COUNT];
    struct msghdr header = {.msg_iov = iov};
    size_t skip = client->outSent;
    ssize_t sent;

    for (GList *link = client->out.head; link && header.msg_iovlen < IOV_COUNT; link = link->next) {
        virNetMessage *message = link->data;

        iov[header.msg_iovlen].iov_base = message->bytes.data + skip;
        iov[header.msg_iovlen++].iov_len = message->bytes.len - skip;
        skip = 0;
        if (message->fdCount > 0)
            break;
    }
    sent = sendRetry(client->fd, &header);
    if (sent < 0)
        return resultOfErrno();
    advance(client, (size_t)sent);
    return OUTPUT_DONE;
}

/* The next descriptor of the first message, with its byte. */
static outputResult
sendFd(virNetServerClient *client, virNetMessage *message)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &message->fds[client->outFds], sizeof(int));
    if (sendRetry(client->fd, &header) < 0)
        return resultOfErrno();
    client->outFds++;
    if (firstIsOut(client, message))
        popFirst(client);
    return OUTPUT_DONE;
}

/* Sends what the socket takes. With the mutex held. */
static void
outputFlush(virNetServerClient *client)
{
    outputResult result = OUTPUT_DONE;
    virNetMessage *first;

    while (result == OUTPUT_DONE && (first = g_queue_peek_head(&client->out))) {
        if (client->outSent < first->bytes.len)
            result = sendBytes(client);
        else
            result = sendFd(client, first);
    }
    client->waitOutput = result == OUTPUT_FULL;
    if (result == OUTPUT_BROKEN || (client->closeAfterOutput && result == OUTPUT_DONE))
        virNetServerClientClose(client, NULL);
    if (client->starved && client->outBytes < VIR_NET_OUTPUT_MAX / 2) {
        client->starved = false;
        virNetServerClientWake(client);
    }
    virNetOutputWatch(client);
}

void
virNetOutputQueue(virNetServerClient *client, virNetMessage *message)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&client->mutex);

    if (client->closed || virNetServerClientIsClosed(client)) {
        virNetMessageUnref(message);
        return;
    }
    client->outBytes += message->bytes.len;
    if (message->event)
        client->eventBytes += message->bytes.len;
    g_queue_push_tail(&client->out, message);
    if (!client->corked && !client->waitOutput)
        outputFlush(client);
    if (client->eventBytes > VIR_NET_EVENTS_MAX)
        virNetServerClientClose(client, "it does not read its events");
}

void
virNetOutputCork(virNetServerClient *client)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&client->mutex);

    client->corked = true;
}

void
virNetOutputUncork(virNetServerClient *client)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&client->mutex);

    client->corked = false;
    if (!client->closed && !client->waitOutput && !g_queue_is_empty(&client->out))
        outputFlush(client);
}

void
virNetOutputReady(virNetServerClient *client)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&client->mutex);

    if (!client->closed)
        outputFlush(client);
}

void
virNetOutputClear(virNetServerClient *client)
{
    while (!g_queue_is_empty(&client->out))
        popFirst(client);
}
