/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handlers_fuzz.c: what a handler may do to the daemon's side of its channel.
 *
 * The input is a list of actions: raw packets, messages with chosen header, payload and
 * descriptors, registrations that are nearly right, answers to a call that the daemon has under way
 * meanwhile in a thread as of a job, reading. Nothing is checked but that it neither crashes nor
 * leaks, and that the call ends. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delegate/virhandlergrants.h"
#include "delegate/virhandlers.h"
#include "fuzzsend.h"
#include "util/virevent.h"
#include "util/virutil.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ACTION_RAW,
    ACTION_MESSAGE,
    ACTION_REGISTER,
    ACTION_ANSWER,
    ACTION_READ,
    ACTION_COUNT,
};

static int nullFd;

/* What one input works on. */
typedef struct {
    virHandlers *handlers;
    int fd; /* the handler's end */
    virPacketReader reader;
    uint32_t serial;
    const virXdrHook *hook; /* that the daemon asks for */
    uint32_t asked;         /* serial of its call, once it was read; 0: it was not */
    GThread *job;
    gint ended; /* atomic: the job has */
} fuzzChannel;

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
    nullFd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return 0;
}

static void
settle(void)
{
    while (g_main_context_iteration(virEventContext(), FALSE)) {
        /* all that is ready */
    }
}

/* --- the daemon's call --- */

/* Empty texts where the wire needs some. */
static void
fillTexts(const virXdrType *type, void *value)
{
    for (uint32_t i = 0; type && i < type->fieldCount; i++) {
        const virXdrField *field = &type->fields[i];
        void *at = (char *)value + field->offset;

        if (field->shape == VIR_XDR_PLAIN && field->kind == VIR_XDR_STRING)
            *(const char **)at = "";
        else if (field->shape == VIR_XDR_PLAIN && field->kind == VIR_XDR_STRUCT)
            fillTexts(field->type, at);
    }
}

static void *
askHook(void *opaque)
{
    fuzzChannel *channel = opaque;
    const virDelegateCall call = {"web1", {7}, VIR_DELEGATE_PHASE_START};
    g_autofree void *args = g_malloc0(channel->hook->args->size);
    g_autofree void *ret = g_malloc0(channel->hook->ret ? channel->hook->ret->size : 1);
    g_auto(virHandlerReply) reply = {0};

    fillTexts(channel->hook->args, args);
    if (virHandlersAsk(channel->handlers, &call, channel->hook, args, &nullFd, 1, ret, &reply,
                       NULL))
        virHandlersRevoke(channel->handlers, &call, channel->hook->name);
    virHandlersTeardown(channel->handlers, &call);
    g_atomic_int_set(&channel->ended, 1);
    g_main_context_wakeup(virEventContext());
    return NULL;
}

/* --- the handler's side --- */

static void
sendWith(fuzzChannel *channel, const void *bytes, size_t len, unsigned nfds)
{
    fuzzSend(channel->fd, bytes, len, nullFd, nfds); /* it may have been cut off */
}

static void
sendMessage(fuzzChannel *channel, const virNetHeader *header, const uint8_t *payload, size_t len,
            unsigned nfds)
{
    g_autoptr(virNetMessage) message = virNetMessageNew(header);

    if (virNetMessageAppend(message, payload, len, NULL))
        sendWith(channel, message->bytes.data, message->bytes.len, nfds);
}

static virNetHeader
headerOf(uint32_t procedure, uint32_t type, uint32_t serial, uint32_t status)
{
    return (virNetHeader){.program = HANDLER_PROGRAM,
                          .version = HANDLER_VERSION,
                          .procedure = (int32_t)procedure,
                          .type = type,
                          .serial = serial,
                          .status = status};
}

/* For a hook; a byte of the input may spoil what makes it right. */
static void
registerFor(fuzzChannel *channel, const virXdrHook *hook, unsigned spoil, unsigned flags)
{
    const virNetHeader header =
        headerOf(HANDLER_PROC_REGISTER, RPC_MESSAGE_TYPE_CALL, ++channel->serial, 0);
    handler_register_args args = {.protocol = HANDLER_PROTOCOL + (spoil == 1),
                                  .hook = hook->number + (spoil == 2) * 1000,
                                  .abi = hook->abi + (spoil == 3),
                                  .size = hook->args->minWire + (spoil == 4),
                                  .uuid_len = spoil == 5 ? 3 : 0,
                                  .uuid_val = (uint8_t *)"123",
                                  .pattern = spoil == 6 ? "[" : "*",
                                  .flags = flags};
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);

    memcpy(args.digest, hook->digest, sizeof(args.digest));
    if (virNetMessageEncode(message, &handler_register_args_xdr, &args, NULL))
        sendWith(channel, message->bytes.data, message->bytes.len, 0);
}

/* Reads what there is; remembers the daemon's call. */
static void
readAll(fuzzChannel *channel)
{
    for (;;) {
        g_auto(virPacket) packet = {0};

        virPacketInit(&packet);
        if (virPacketReceive(&channel->reader, channel->fd, &packet, NULL) != VIR_PACKET_WHOLE)
            return;
        if (packet.header.type == RPC_MESSAGE_TYPE_CALL &&
            packet.header.procedure == (int32_t)channel->hook->number)
            channel->asked = packet.header.serial;
    }
}

/* One action; returns how much of the input it took. */
static size_t
act(fuzzChannel *channel, const uint8_t *data, size_t size)
{
    size_t len = size > 1 ? MIN(data[1], size - 2) : 0;
    const uint8_t *at = data + 2;
    virNetHeader header;

    if (size < 2)
        return size;
    switch (data[0] % ACTION_COUNT) {
    case ACTION_RAW:
        sendWith(channel, at, len, data[0] >> 6);
        break;
    case ACTION_MESSAGE:
        if (len < 4)
            break;
        header = headerOf(at[0] % (HANDLER_PROC_LAST + 2), at[1] % 7, at[2], at[3] & 3);
        sendMessage(channel, &header, at + 4, len - 4, data[0] >> 5);
        break;
    case ACTION_REGISTER:
        if (len < 3)
            break;
        registerFor(channel, &virXdrHooks[at[0] % virXdrHooksCount], at[1] % 16, at[2] & 3);
        len = 3;
        break;
    case ACTION_ANSWER:
        readAll(channel);
        if (len < 1 || !channel->asked)
            break;
        header = headerOf(channel->hook->number, RPC_MESSAGE_TYPE_REPLY, channel->asked, at[0] & 3);
        sendMessage(channel, &header, at + 1, len - 1, data[0] >> 5);
        break;
    case ACTION_READ:
        readAll(channel);
        len = 0;
        break;
    }
    if (data[0] & 8)
        settle();
    return 2 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzzChannel channel = {.hook = &virXdrHooks[size ? data[0] % virXdrHooksCount : 0]};
    int pair[2];

    g_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    channel.handlers = virHandlersNew("fuzz");
    channel.fd = pair[1];
    virPacketReaderInit(&channel.reader);
    g_assert(virHandlersAdd(channel.handlers, pair[0], NULL));
    registerFor(&channel, channel.hook, 0, 0);
    settle();
    readAll(&channel);
    channel.job = g_thread_new("job", askHook, &channel);
    while (size > 0) {
        size_t used = act(&channel, data, size);

        data += used;
        size -= used;
    }
    settle();
    virPacketReaderClear(&channel.reader);
    close(channel.fd);                        /* a call that nobody answered fails now */
    while (!g_atomic_int_get(&channel.ended)) /* the event thread's part of that is ours */
        (void)g_main_context_iteration(virEventContext(), TRUE);
    g_thread_join(channel.job);
    settle();
    virHandlersFree(channel.handlers);
    settle();
    return 0;
}
