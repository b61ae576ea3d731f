/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetinput.c: from a client's bytes to messages.
 *
 * All clients share one receive buffer, so an idle one costs none; only what lies behind the last
 * whole message is kept, per client, and it grows with what has come, not with what a length word
 * announces. Descriptors: the kernel never joins bytes that carry one with bytes behind them, so
 * each is known by the offset of the byte it came with; one that no message claims is closed. What
 * was read is wiped when it has been handled. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "rpc/virnetpriv.h"
#include "rpc/virnetstreampriv.h"
#include "util/virheap.h"
#include "util/virlog.h"
#include "util/virsecure.h"
#include "util/virutil.h"

enum {
    SCRATCH_SIZE = 64 * 1024,
    READS_PER_TURN = 8,
    LARGE_MESSAGE = 1024 * 1024,
    FDS_PER_READ = 253, /* SCM_MAX_FD of the kernel: none is ever cut off */
};

static uint8_t scratch[SCRATCH_SIZE];

/* What became of the bytes at hand. */
typedef enum {
    INPUT_MORE,  /* the next message is not whole yet */
    INPUT_LATER, /* it is, but others have their turn now, or the client must wait */
    INPUT_FAULT, /* the client is being closed */
} inputResult;

void
virNetInputInit(virNetServerClient *client)
{
    virNetBufferInit(&client->in, VIR_NET_LENGTH_MAX + SCRATCH_SIZE + VIR_NET_FDS_MAX);
    client->receivedFds = g_array_new(FALSE, FALSE, sizeof(virNetReceivedFd));
    g_queue_init(&client->parked);
    g_queue_init(&client->streams);
}

/* Closes descriptors that came with bytes before offset: nobody asked for them. */
static void
dropFdsBefore(virNetServerClient *client, uint64_t offset)
{
    guint n = 0;

    for (; n < client->receivedFds->len; n++) {
        virNetReceivedFd *received = &g_array_index(client->receivedFds, virNetReceivedFd, n);

        if (received->offset >= offset)
            break;
        virCloseFd(&received->fd);
    }
    if (n > 0)
        g_array_remove_range(client->receivedFds, 0, n);
}

void
virNetInputClear(virNetServerClient *client)
{
    if (client->receivedFds)
        dropFdsBefore(client, UINT64_MAX);
    g_clear_pointer(&client->receivedFds, g_array_unref);
    virNetBufferClear(&client->in);
}

/* The descriptor of the byte at offset, or -1. */
static int
claimFd(virNetServerClient *client, uint64_t offset)
{
    virNetReceivedFd *received;
    int fd;

    dropFdsBefore(client, offset);
    if (client->receivedFds->len == 0)
        return -1;
    received = &g_array_index(client->receivedFds, virNetReceivedFd, 0);
    if (received->offset != offset)
        return -1;
    fd = received->fd;
    g_array_remove_index(client->receivedFds, 0);
    return fd;
}

static void
noteFds(virNetServerClient *client, struct msghdr *header, uint64_t offset)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            virNetReceivedFd received = {.offset = offset};

            memcpy(&received.fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            g_array_append_val(client->receivedFds, received);
        }
    }
}

/* Bytes read into the scratch buffer; 0 when there are none now; -1 when the client has gone. */
static ssize_t
inputRead(virNetServerClient *client)
{
    union {
        char bytes[CMSG_SPACE(FDS_PER_READ * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {scratch, sizeof(scratch)};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    do {
        n = recvmsg(client->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
    client->received += (uint64_t)n;
    if (header.msg_controllen > 0)
        noteFds(client, &header, client->received - 1);
    return n;
}

/* How many descriptor bytes follow the message; false if it cannot say. */
static bool
messageFdCount(const virNetHeader *header, const uint8_t *message, size_t *retCount)
{
    *retCount = 0;
    if (header->type != RPC_MESSAGE_TYPE_CALL_WITH_FDS &&
        header->type != RPC_MESSAGE_TYPE_REPLY_WITH_FDS)
        return true;
    if (header->length < VIR_NET_HEADER_LEN + 4)
        return false;
    *retCount = virXdrGetWord(message + VIR_NET_HEADER_LEN);
    return *retCount <= VIR_NET_FDS_MAX;
}

/* The descriptors behind the message; NULL if one is missing. */
static int *
claimFds(virNetServerClient *client, uint64_t offset, size_t count)
{
    g_autofree int *fds = g_new(int, count);

    for (size_t i = 0; i < count; i++) {
        fds[i] = claimFd(client, offset + i);
        if (fds[i] >= 0)
            continue;
        while (i-- > 0)
            virCloseFd(&fds[i]);
        return NULL;
    }
    return g_steal_pointer(&fds);
}

static void
handleMessage(virNetServerClient *client, const virNetHeader *header, const uint8_t *message,
              int *fds, size_t fdCount)
{
    const uint8_t *payload = message + VIR_NET_HEADER_LEN;
    size_t len = header->length - VIR_NET_HEADER_LEN;

    if (header->type == RPC_MESSAGE_TYPE_CALL_WITH_FDS) {
        payload += 4;
        len -= 4;
    }
    if (header->program == KEEPALIVE_PROGRAM && header->type == RPC_MESSAGE_TYPE_MESSAGE)
        virNetKeepaliveMessage(client, header);
    else if (header->type == RPC_MESSAGE_TYPE_STREAM ||
             header->type == RPC_MESSAGE_TYPE_STREAM_HOLE)
        virNetStreamPacket(client, header, payload, len);
    else if (header->type == RPC_MESSAGE_TYPE_CALL ||
             header->type == RPC_MESSAGE_TYPE_CALL_WITH_FDS)
        virNetDispatch(client, header, payload, len, g_steal_pointer(&fds), fdCount);
    /* Anything else is dropped in silence, as clients are used to. */
    if (fds) {
        for (size_t i = 0; i < fdCount; i++)
            virCloseFd(&fds[i]);
        g_free(fds);
    }
}

/* The first message of data, if it is whole; *retUsed is then more than 0. */
static inputResult
takeMessage(virNetServerClient *client, const uint8_t *data, size_t len, uint64_t offset,
            size_t *retUsed)
{
    virNetHeader header;
    size_t fdCount;
    int *fds = NULL;

    *retUsed = 0;
    if (len < 4)
        return INPUT_MORE;
    header.length = virXdrGetWord(data);
    if (header.length < VIR_NET_HEADER_LEN || header.length > VIR_NET_LENGTH_MAX) {
        virNetServerClientFault(client, "a message of %u bytes", header.length);
        return INPUT_FAULT;
    }
    if (len < header.length)
        return INPUT_MORE;
    virNetHeaderDecode(data, &header);
    if (!messageFdCount(&header, data, &fdCount)) {
        virNetServerClientFault(client, "a message with too many descriptors");
        return INPUT_FAULT;
    }
    if (len - header.length < fdCount)
        return INPUT_MORE;
    if (fdCount > 0 && !(fds = claimFds(client, offset + header.length, fdCount))) {
        virNetServerClientFault(client, "a descriptor byte without a descriptor");
        return INPUT_FAULT;
    }
    handleMessage(client, &header, data, fds, fdCount);
    if (header.length > LARGE_MESSAGE)
        virHeapTrimLater(); /* a document of megabytes takes many times its size to read */
    *retUsed = header.length + fdCount;
    return INPUT_MORE;
}

/* True if the client must wait: its backlog is full or its answers pile up. It is woken then. */
static bool
inputMustWait(virNetServerClient *client)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&client->mutex);

    client->paused = client->backlog > VIR_NET_BACKLOG_MAX || client->outBytes > VIR_NET_OUTPUT_MAX;
    if (client->paused)
        client->starved = true;
    virNetOutputWatch(client);
    return client->paused;
}

/* Handles whole messages of data from its beginning. *budget: messages still to be handled. */
static inputResult
takeMessages(virNetServerClient *client, const uint8_t *data, size_t len, unsigned *budget,
             size_t *retUsed)
{
    size_t used = 0;
    inputResult result;

    *retUsed = 0;
    do {
        if (*budget == 0)
            return INPUT_LATER;
        result = takeMessage(client, data + *retUsed, len - *retUsed, client->inOffset, &used);
        *retUsed += used;
        client->inOffset += used;
        *budget -= used > 0;
        if (virNetServerClientIsClosed(client))
            return INPUT_FAULT;
        if ((client->backlog > VIR_NET_BACKLOG_MAX || client->outBytes > VIR_NET_OUTPUT_MAX) &&
            inputMustWait(client))
            return INPUT_LATER;
    } while (used > 0);
    return result;
}

/* Handles len new bytes of the scratch buffer behind those kept, and keeps what is left. */
static inputResult
inputTake(virNetServerClient *client, size_t len, unsigned *budget)
{
    inputResult result;
    size_t used;
    uint8_t *tail;

    if (client->in.len == 0) {
        result = takeMessages(client, scratch, len, budget, &used);
        if (result != INPUT_FAULT && used < len) {
            tail = virNetBufferExtend(&client->in, len - used);
            memcpy(tail, scratch + used, len - used);
        }
    } else {
        tail = virNetBufferExtend(&client->in, len);
        memcpy(tail, scratch, len);
        result = takeMessages(client, client->in.data, client->in.len, budget, &used);
        virNetBufferConsume(&client->in, used);
    }
    virSecureErase(scratch, len);
    if (client->in.len == 0)
        virNetBufferClear(&client->in);
    dropFdsBefore(client, client->inOffset);
    return result;
}

void
virNetInputReady(virNetServerClient *client)
{
    unsigned budget = VIR_NET_MESSAGES_PER_TURN;
    inputResult result = INPUT_MORE;

    if (g_atomic_int_get(&client->turnPosted))
        return; /* first what is here already */
    virNetOutputCork(client);
    for (int i = 0; i < READS_PER_TURN && result == INPUT_MORE; i++) {
        ssize_t n = inputRead(client);

        if (n < 0)
            virNetServerClientClose(client, NULL);
        if (n <= 0)
            break;
        virNetKeepaliveSeen(client);
        result = inputTake(client, (size_t)n, &budget);
        if (n < SCRATCH_SIZE)
            break; /* that was all; descriptors behind it wake us again */
    }
    virNetOutputUncork(client);
    if (result == INPUT_LATER)
        virNetServerClientWake(client);
}

void
virNetInputContinue(virNetServerClient *client)
{
    unsigned budget = VIR_NET_MESSAGES_PER_TURN;
    inputResult result;
    size_t used;

    virNetOutputCork(client);
    virNetDispatchParked(client);
    virNetStreamResume(client);
    if (!inputMustWait(client) && client->in.len > 0) {
        result = takeMessages(client, client->in.data, client->in.len, &budget, &used);
        if (result != INPUT_FAULT)
            virNetBufferConsume(&client->in, used);
        if (result == INPUT_LATER)
            virNetServerClientWake(client);
    }
    virNetOutputUncork(client);
}
