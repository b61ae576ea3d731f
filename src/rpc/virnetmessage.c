/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetmessage.c: building messages. The length word is kept right after each step. */
#include "rpc/virnetmessage.h"

#include <string.h>
#include <unistd.h>

#include "rpc/virnetstream.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum { EVENT_SERIAL = 1 };

void
virNetHeaderDecode(const uint8_t *bytes, virNetHeader *retHeader)
{
    retHeader->length = virXdrGetWord(bytes);
    retHeader->program = virXdrGetWord(bytes + 4);
    retHeader->version = virXdrGetWord(bytes + 8);
    retHeader->procedure = (int32_t)virXdrGetWord(bytes + 12);
    retHeader->type = virXdrGetWord(bytes + 16);
    retHeader->serial = virXdrGetWord(bytes + 20);
    retHeader->status = virXdrGetWord(bytes + 24);
}

static void
messageSetLength(virNetMessage *message)
{
    virXdrPutWord(message->bytes.data, (uint32_t)message->bytes.len);
}

virNetMessage *
virNetMessageNew(const virNetHeader *header)
{
    virNetMessage *message = g_new0(virNetMessage, 1);
    uint8_t *at;

    message->refs = 1;
    virNetBufferInit(&message->bytes, VIR_NET_LENGTH_MAX);
    at = virNetBufferExtend(&message->bytes, VIR_NET_HEADER_LEN);
    virXdrPutWord(at + 4, header->program);
    virXdrPutWord(at + 8, header->version);
    virXdrPutWord(at + 12, (uint32_t)header->procedure);
    virXdrPutWord(at + 16, header->type);
    virXdrPutWord(at + 20, header->serial);
    virXdrPutWord(at + 24, header->status);
    messageSetLength(message);
    return message;
}

virNetMessage *
virNetMessageRef(virNetMessage *message)
{
    g_atomic_int_inc(&message->refs);
    return message;
}

static void
closeAll(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]); /* given up either way */
}

void
virNetMessageUnref(virNetMessage *message)
{
    if (!message || !g_atomic_int_dec_and_test(&message->refs))
        return;
    closeAll(message->fds, message->fdCount);
    g_free(message->fds);
    virNetBufferClear(&message->bytes);
    virNetStreamUnref(message->stream);
    g_free(message);
}

bool
virNetMessageEncode(virNetMessage *message, const virXdrType *type, const void *value,
                    GError **error)
{
    if (type && !virXdrEncode(type, value, &message->bytes, error))
        return false;
    messageSetLength(message);
    return true;
}

bool
virNetMessageAppend(virNetMessage *message, const void *bytes, size_t len, GError **error)
{
    uint8_t *at = virNetBufferExtend(&message->bytes, len);

    if (!at)
        return virErrorSet(error, VIR_ERR_RPC, _("Stream data too long to send (%zu bytes)"), len);
    if (len > 0)
        memcpy(at, bytes, len);
    messageSetLength(message);
    return true;
}

bool
virNetMessageTakeFds(virNetMessage *message, const int *fds, size_t count, GError **error)
{
    uint8_t word[4];

    g_assert(!message->fds && message->bytes.len == VIR_NET_HEADER_LEN);
    if (count > VIR_NET_FDS_MAX) {
        closeAll(fds, count);
        return virErrorSet(error, VIR_ERR_RPC, _("Too many FDs to send %zu, expected %d maximum"),
                           count, VIR_NET_FDS_MAX);
    }
    message->fds = g_memdup2(fds, count * sizeof(*fds));
    message->fdCount = count;
    virXdrPutWord(word, (uint32_t)count);
    return virNetMessageAppend(message, word, sizeof(word), error);
}

virNetMessage *
virNetMessageNewReply(const virNetHeader *call, const virXdrType *type, const void *ret,
                      const int *fds, size_t fdCount, GError **error)
{
    virNetHeader header = *call;
    g_autoptr(virNetMessage) reply = NULL;

    header.type = fdCount > 0 ? RPC_MESSAGE_TYPE_REPLY_WITH_FDS : RPC_MESSAGE_TYPE_REPLY;
    header.status = RPC_MESSAGE_STATUS_OK;
    reply = virNetMessageNew(&header);
    if (fdCount > 0 && !virNetMessageTakeFds(reply, fds, fdCount, error))
        return NULL;
    if (!virNetMessageEncode(reply, type, ret, error))
        return NULL;
    return g_steal_pointer(&reply);
}

virNetMessage *
virNetMessageNewError(const virNetHeader *call, uint32_t message_type, const GError *error)
{
    g_autoptr(GError) unsaid = NULL;
    g_autofree char *text = NULL;
    virNetHeader header = *call;
    virNetMessage *reply;
    rpc_error wire = {.level = RPC_ERROR_LEVEL_ERROR, .int1 = -1, .int2 = -1};

    if (!error) {
        virErrorSet(&unsaid, VIR_ERR_INTERNAL_ERROR, "%s",
                    _("Library function returned error but did not set virError"));
        error = unsaid;
    }
    header.type = message_type;
    header.status = RPC_MESSAGE_STATUS_ERROR;
    reply = virNetMessageNew(&header);
    text = virErrorWireMessage(error);
    wire.code = virErrorGetCode(error);
    wire.domain = virErrorGetFrom(error);
    wire.message = text;
    wire.str1 = virErrorClass((virErrorCode)wire.code);
    wire.str2 = error->message;
    if (!virNetMessageEncode(reply, &rpc_error_xdr, &wire, NULL)) {
        /* A text beyond the limit of a string: the class says enough. */
        wire.message = wire.str1;
        wire.str2 = NULL;
        (void)virNetMessageEncode(reply, &rpc_error_xdr, &wire, NULL); /* constants: fits */
    }
    return reply;
}

virNetMessage *
virNetMessageNewEvent(uint32_t program, uint32_t version, int32_t procedure, const virXdrType *type,
                      const void *value, GError **error)
{
    virNetHeader header = {.program = program,
                           .version = version,
                           .procedure = procedure,
                           .type = RPC_MESSAGE_TYPE_MESSAGE,
                           .serial = EVENT_SERIAL,
                           .status = RPC_MESSAGE_STATUS_OK};
    g_autoptr(virNetMessage) event = virNetMessageNew(&header);

    event->event = true;
    if (!virNetMessageEncode(event, type, value, error))
        return NULL;
    return g_steal_pointer(&event);
}
