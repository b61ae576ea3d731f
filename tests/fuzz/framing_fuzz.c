/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * framing_fuzz.c: any bytes, in any pieces, to a server's connection.
 *
 * The input is a list of actions: raw bytes, a well-framed message with chosen header and payload,
 * a descriptor with its byte, an answer read. The server has a small program of all kinds of
 * procedures. Nothing is checked but that it neither crashes nor leaks nor grows without bound. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/virnetpriv.h"
#include "rpc/virnetstream.h"
#include "util/virevent.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROC_ECHO = 1, PROC_FDS, PROC_STREAM, PROC_EVENT, PROC_COUNT };
enum { ACTION_RAW, ACTION_MESSAGE, ACTION_FD, ACTION_READ, ACTION_COUNT };

static virNetServer *server;

static bool
handleEcho(virNetCall *call, const void *args, void *ret, GError **error G_GNUC_UNUSED)
{
    const remote_domain_create_xml_args *in = args;
    remote_connect_get_uri_ret *out = ret;

    out->uri = virNetCallStrdup(call, in->xml_desc);
    return true;
}

static bool
handleFds(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
    for (size_t i = virNetCallFdCount(call); i-- > 0;)
        virNetCallAddFd(call, virNetCallStealFd(call, i));
    return true;
}

/* Takes a part, sends it back, and has the rest offered again. */
static ssize_t
streamReceived(virNetStream *stream, const uint8_t *bytes, size_t len, void *opaque G_GNUC_UNUSED,
               GError **error G_GNUC_UNUSED)
{
    size_t part = MIN(len, 100);

    virNetStreamSend(stream, bytes, part);
    if (part < len)
        virNetStreamContinue(stream);
    return (ssize_t)part;
}

static bool
streamHole(virNetStream *stream, int64_t length, void *opaque G_GNUC_UNUSED,
           GError **error G_GNUC_UNUSED)
{
    return virNetStreamSendHole(stream, length);
}

static const virNetStreamOps streamOps = {.received = streamReceived, .hole = streamHole};

static bool
handleStream(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
             GError **error G_GNUC_UNUSED)
{
    g_autoptr(virNetStream) stream = virNetStreamNew(call, &streamOps, NULL, NULL);

    virNetStreamAllowHoles(stream);
    return true;
}

static const virNetProcedure procedures[PROC_COUNT] = {
    [PROC_ECHO] = {.name = "echo",
                   .kind = VIR_NET_CALL,
                   .run = VIR_NET_RUN_INLINE,
                   .args = &remote_domain_create_xml_args_xdr,
                   .ret = &remote_connect_get_uri_ret_xdr,
                   .handler = handleEcho,
                   .unopened = true},
    [PROC_FDS] = {.name = "fds",
                  .kind = VIR_NET_CALL,
                  .run = VIR_NET_RUN_INLINE,
                  .fdsIn = true,
                  .fdsOut = true,
                  .handler = handleFds,
                  .unopened = true},
    [PROC_STREAM] = {.name = "stream",
                     .kind = VIR_NET_STREAM,
                     .run = VIR_NET_RUN_INLINE,
                     .handler = handleStream,
                     .unopened = true},
    [PROC_EVENT] = {.name = "event", .kind = VIR_NET_EVENT},
};
static const virNetProgram program = {"fuzz", 1, 1, PROC_COUNT, procedures};

static void
quiet(const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED,
      const char *text G_GNUC_UNUSED, void *opaque G_GNUC_UNUSED)
{
}

int
LLVMFuzzerInitialize(int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
    g_assert(virEventInit(NULL));
    g_log_set_handler("virtward", G_LOG_LEVEL_MASK, quiet, NULL);
    server = virNetServerNew("fuzz", NULL, NULL);
    virNetServerAddProgram(server, &program);
    return 0;
}

static void
settle(void)
{
    while (g_main_context_iteration(virEventContext(), FALSE)) {
        /* all that is ready */
    }
}

static void
sendFd(int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &fd, sizeof(int));
    (void)sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT); /* the other side may have gone */
}

/* A frame with a small program's header: type, procedure, serial and status from four bytes. */
static void
sendMessage(int fd, const uint8_t *choice, const uint8_t *payload, size_t len)
{
    virNetHeader header = {.program = choice[0] & 0x80 ? KEEPALIVE_PROGRAM : 1,
                           .version = 1,
                           .procedure = choice[1] % (PROC_COUNT + 1),
                           .type = choice[0] & 7,
                           .serial = choice[2] & 3,
                           .status = choice[3] & 3};
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);

    g_assert(virNetMessageAppend(message, payload, len, NULL));
    (void)send(fd, message->bytes.data, message->bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
readSome(int fd)
{
    char bytes[4096];

    (void)!recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

/* One action; returns how much of the input it took. */
static size_t
act(int fd, const uint8_t *data, size_t size)
{
    size_t len = size > 1 ? MIN(data[1], size - 2) : 0;

    if (size < 2)
        return size;
    switch (data[0] % ACTION_COUNT) {
    case ACTION_RAW:
        (void)send(fd, data + 2, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        break;
    case ACTION_MESSAGE:
        if (len >= 4)
            sendMessage(fd, data + 2, data + 6, len - 4);
        break;
    case ACTION_FD:
        sendFd(fd);
        len = 0;
        break;
    case ACTION_READ:
        readSome(fd);
        len = 0;
        break;
    }
    if (data[0] & 0x80)
        settle();
    return 2 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const virNetListenOptions options = {.auth = VIR_NET_AUTH_NONE};
    virNetServerClient *client;
    int pair[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    client = virNetServerClientNew(server, pair[0], 1, &options, NULL);
    g_assert(client);
    while (size > 0) {
        size_t used = act(pair[1], data, size);

        data += used;
        size -= used;
    }
    settle();
    virNetServerClientClose(client, NULL);
    settle();
    virNetServerClientUnref(client);
    settle();
    close(pair[1]);
    return 0;
}
