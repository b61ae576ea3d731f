/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virpacket.c: cutting messages into packets, and putting them together again. */
#include "rpc/virpacket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virsecure.h"
#include "util/virutil.h"

enum {
    PACKET_BYTES = HANDLER_PACKET_BYTES_MAX,
    PACKET_FDS = HANDLER_PACKET_FDS_MAX,
    MESSAGE_FDS = HANDLER_THREADS_MAX + PACKET_FDS, /* every thread of a guest, and some */
};

/* --- hooks --- */

const virXdrHook *
virXdrHookByName(const char *name)
{
    for (size_t i = 0; i < virXdrHooksCount; i++) {
        if (g_str_equal(virXdrHooks[i].name, name))
            return &virXdrHooks[i];
    }
    return NULL;
}

const virXdrHook *
virXdrHookByNumber(uint32_t number)
{
    for (size_t i = 0; i < virXdrHooksCount; i++) {
        if (virXdrHooks[i].number == number)
            return &virXdrHooks[i];
    }
    return NULL;
}

/* --- a message that came in --- */

void
virPacketInit(virPacket *packet)
{
    *packet = (virPacket){0};
    virNetBufferInit(&packet->body, VIR_NET_LENGTH_MAX);
    packet->fds = g_array_new(FALSE, FALSE, sizeof(int));
}

void
virPacketClear(virPacket *packet)
{
    for (size_t i = 0; i < virPacketFdCount(packet); i++) {
        int fd = virPacketTakeFd(packet, i);

        if (fd >= 0)
            (void)close(fd); /* given up either way */
    }
    g_clear_pointer(&packet->fds, g_array_unref);
    virNetBufferClear(&packet->body);
}

size_t
virPacketFdCount(const virPacket *packet)
{
    return packet->fds ? packet->fds->len : 0;
}

int
virPacketGetFd(const virPacket *packet, size_t i)
{
    return i < virPacketFdCount(packet) ? g_array_index(packet->fds, int, i) : -1;
}

int
virPacketTakeFd(virPacket *packet, size_t i)
{
    int fd = virPacketGetFd(packet, i);

    if (fd >= 0)
        g_array_index(packet->fds, int, i) = -1;
    return fd;
}

bool
virPacketDecode(const virPacket *packet, const virXdrType *type, virArena *arena, void *value,
                GError **error)
{
    size_t used = 0;

    if (type &&
        !virXdrDecode(type, packet->body.data, packet->body.len, arena, value, &used, error))
        return false;
    return used == packet->body.len ||
           virErrorSet(error, VIR_ERR_RPC, _("%zu bytes behind the end of a message"),
                       packet->body.len - used);
}

void
virPacketGetError(const virPacket *packet, GError **error)
{
    g_auto(virArena) arena = {0};
    rpc_error wire = {0};

    virArenaInit(&arena);
    if (!virPacketDecode(packet, &rpc_error_xdr, &arena, &wire, error)) {
        g_prefix_error(error, _("an error that cannot be read: "));
        return;
    }
    virErrorSet(error, wire.code > 0 ? (virErrorCode)wire.code : VIR_ERR_INTERNAL_ERROR, "%s",
                wire.str2      ? wire.str2
                : wire.message ? wire.message
                               : _("it failed without a word"));
}

/* --- receiving --- */

void
virPacketReaderInit(virPacketReader *reader)
{
    *reader = (virPacketReader){
        .room = g_malloc(PACKET_BYTES), .bytesMax = VIR_NET_LENGTH_MAX, .fdsMax = MESSAGE_FDS};
    virPacketInit(&reader->partial);
}

void
virPacketReaderLimit(virPacketReader *reader, size_t bytesMax, size_t fdsMax)
{
    reader->bytesMax = bytesMax;
    reader->fdsMax = fdsMax;
}

void
virPacketReaderClear(virPacketReader *reader)
{
    virPacketClear(&reader->partial);
    g_clear_pointer(&reader->room, g_free);
}

/* The descriptors of one packet go to the message. False if the kernel had to leave some out. */
static bool
takeDescriptors(virPacket *packet, struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        g_array_append_vals(packet->fds, CMSG_DATA(part),
                            (guint)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int)));
    }
    return !(message->msg_flags & MSG_CTRUNC);
}

/* One packet's bytes to the message. */
static bool
takeBytes(virPacketReader *reader, size_t len, virNetHeader *retHeader, GError **error)
{
    const virNetHeader *first = &reader->partial.header;
    uint8_t *at;

    if (len < VIR_NET_HEADER_LEN)
        return virErrorSet(error, VIR_ERR_RPC, _("a packet of %zu bytes has no header"), len);
    virNetHeaderDecode(reader->room, retHeader);
    if (retHeader->length != len)
        return virErrorSet(error, VIR_ERR_RPC, _("a packet of %zu bytes calls itself %u"), len,
                           retHeader->length);
    if (retHeader->program != HANDLER_PROGRAM || retHeader->version != HANDLER_VERSION)
        return virErrorSet(
            error, VIR_ERR_RPC, _("program %#x version %u is not spoken here, %#x version %u is"),
            retHeader->program, retHeader->version, HANDLER_PROGRAM, HANDLER_VERSION);
    if (reader->open &&
        (retHeader->serial != first->serial || retHeader->procedure != first->procedure ||
         retHeader->type != first->type))
        return virErrorSet(error, VIR_ERR_RPC, _("a message began before the last had ended"));
    if (virPacketFdCount(&reader->partial) > reader->fdsMax)
        return virErrorSet(error, VIR_ERR_RPC, _("a message has too many descriptors"));
    len -= VIR_NET_HEADER_LEN;
    if (len == 0)
        return true;
    at = reader->partial.body.len + len <= reader->bytesMax
             ? virNetBufferExtend(&reader->partial.body, len)
             : NULL;
    if (!at)
        return virErrorSet(error, VIR_ERR_RPC, _("a message is too long"));
    memcpy(at, reader->room + VIR_NET_HEADER_LEN, len);
    return true;
}

static virPacketResult
receiveOne(virPacketReader *reader, int fd, virNetHeader *retHeader, GError **error)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * PACKET_FDS)];
        struct cmsghdr align;
    } control;
    struct iovec bytes = {reader->room, PACKET_BYTES};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t len;
    bool good;

    do
        len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (len < 0 && errno == EINTR);
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return VIR_PACKET_NONE;
    if (len < 0 && errno != ECONNRESET)
        virErrorErrno(error, _("cannot receive a packet"));
    if (len <= 0)
        return VIR_PACKET_CLOSED;
    good = takeDescriptors(&reader->partial, &message);
    if (!good || (message.msg_flags & MSG_TRUNC)) {
        virErrorSet(error, VIR_ERR_RPC,
                    good ? _("a packet of more than %d bytes")
                         : _("descriptors were lost on the way (limit of open files?)"),
                    PACKET_BYTES);
        return VIR_PACKET_BROKEN;
    }
    good = takeBytes(reader, (size_t)len, retHeader, error);
    virSecureErase(reader->room, (size_t)len);
    return good ? VIR_PACKET_WHOLE : VIR_PACKET_BROKEN;
}

virPacketResult
virPacketReceive(virPacketReader *reader, int fd, virPacket *retPacket, GError **error)
{
    for (;;) {
        virNetHeader header = {0};
        virPacketResult result = receiveOne(reader, fd, &header, error);

        if (result != VIR_PACKET_WHOLE)
            return result;
        reader->partial.header = header;
        reader->open = header.status == RPC_MESSAGE_STATUS_CONTINUE;
        if (reader->open)
            continue;
        virPacketClear(retPacket);
        *retPacket = reader->partial;
        virPacketInit(&reader->partial);
        return VIR_PACKET_WHOLE;
    }
}

/* --- sending --- */

/* Waits for room in the socket. */
static bool
waitForRoom(int fd, gint64 deadline_us, GError **error)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    gint64 left_us = deadline_us - g_get_monotonic_time();
    int ready = left_us > 0 ? poll(&poll_fd, 1, (int)MIN(left_us / 1000 + 1, G_MAXINT)) : 0;

    if (ready < 0 && errno != EINTR)
        return virErrorErrno(error, _("cannot wait for a socket"));
    return ready != 0 || virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                                     _("the other side of the channel does not read"));
}

static bool
sendOne(int fd, const struct msghdr *message, gint64 deadline_us, GError **error)
{
    for (;;) {
        if (sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return true;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return virErrorErrno(error, _("cannot send a packet"));
        if (!waitForRoom(fd, deadline_us, error))
            return false;
    }
}

/* Descriptors beside the packet. */
static void
putDescriptors(struct msghdr *message, char *room, const int *fds, size_t nfds)
{
    struct cmsghdr *part;

    if (nfds == 0)
        return;
    message->msg_control = room;
    message->msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
    part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
    memcpy(CMSG_DATA(part), fds, sizeof(int) * nfds);
}

bool
virPacketSend(int fd, const virNetMessage *message, const int *fds, size_t nfds, gint64 deadline_us,
              GError **error)
{
    const uint8_t *body = message->bytes.data + VIR_NET_HEADER_LEN;
    size_t left = message->bytes.len - VIR_NET_HEADER_LEN;
    uint32_t status = virXdrGetWord(message->bytes.data + VIR_NET_HEADER_LEN - 4);

    if (nfds > MESSAGE_FDS)
        return virErrorSet(error, VIR_ERR_RPC, _("%zu descriptors are too many for a message"),
                           nfds);
    for (bool last = false; !last;) {
        union {
            char bytes[CMSG_SPACE(sizeof(int) * PACKET_FDS)];
            struct cmsghdr align;
        } control = {{0}};
        uint8_t header[VIR_NET_HEADER_LEN];
        size_t len = MIN(left, PACKET_BYTES - VIR_NET_HEADER_LEN);
        size_t count = MIN(nfds, PACKET_FDS);
        struct iovec parts[] = {{header, sizeof(header)}, {(void *)body, len}};
        struct msghdr packet = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};

        last = len == left && count == nfds;
        memcpy(header, message->bytes.data, sizeof(header));
        virXdrPutWord(header, (uint32_t)(sizeof(header) + len));
        virXdrPutWord(header + VIR_NET_HEADER_LEN - 4, last ? status : RPC_MESSAGE_STATUS_CONTINUE);
        putDescriptors(&packet, control.bytes, fds, count);
        if (!sendOne(fd, &packet, deadline_us, error))
            return false;
        body += len;
        left -= len;
        fds = fds ? fds + count : NULL;
        nfds -= count;
    }
    return true;
}
