/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetmessage.h: one framed message: the header as it comes in, and messages as they go out.
 *
 * An outgoing message is built by one thread and never changed once it was handed over; it is
 * shared by reference, so that one event goes to many clients. Its bytes are wiped at the end.
 * Layout: protocol/README.md sections 3 to 7. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/types.gen.h"
#include "rpc/virnetbuffer.h"

enum {
    VIR_NET_HEADER_LEN = 28,                                    /* the least legal length */
    VIR_NET_LENGTH_MAX = RPC_MESSAGE_MAX + RPC_MESSAGE_LEN_MAX, /* the largest */
    VIR_NET_STREAM_DATA_MAX = RPC_MESSAGE_LEGACY_PAYLOAD_MAX,   /* in one packet of ours */
    VIR_NET_FDS_MAX = RPC_MESSAGE_NUM_FDS_MAX,
};

typedef struct {
    uint32_t length; /* of the whole message, this word included */
    uint32_t program;
    uint32_t version;
    int32_t procedure;
    uint32_t type;
    uint32_t serial;
    uint32_t status;
} virNetHeader;

/* From VIR_NET_HEADER_LEN bytes. */
void virNetHeaderDecode(const uint8_t *bytes, virNetHeader *retHeader);

typedef struct virNetStream virNetStream;

typedef struct {
    int refs;           /* atomic */
    virNetBuffer bytes; /* complete, with header */
    int *fds;           /* go behind the message, one byte each; owned */
    size_t fdCount;
    bool event;           /* a slow reader may not let these pile up */
    virNetStream *stream; /* owned reference, told when the message is gone; NULL: none */
} virNetMessage;

/* A message with a header like this (its length is ignored) and no payload yet. */
virNetMessage *virNetMessageNew(const virNetHeader *header);
virNetMessage *virNetMessageRef(virNetMessage *message);
/* NULL is allowed. */
void virNetMessageUnref(virNetMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetMessage, virNetMessageUnref)

/* Appends value (NULL type: nothing) to the payload. */
bool virNetMessageEncode(virNetMessage *message, const virXdrType *type, const void *value,
                         GError **error);
/* Appends raw bytes; no more than VIR_NET_LENGTH_MAX in all. */
bool virNetMessageAppend(virNetMessage *message, const void *bytes, size_t len, GError **error);
/* Takes over the descriptors. Before the payload, once; the type must be one "with fds". */
bool virNetMessageTakeFds(virNetMessage *message, const int *fds, size_t count, GError **error);

/* The answer to a call: ret (NULL type: none), or an error. fds are taken over if count > 0, also
 * on failure. */
virNetMessage *virNetMessageNewReply(const virNetHeader *call, const virXdrType *type,
                                     const void *ret, const int *fds, size_t fdCount,
                                     GError **error);
/* message_type: RPC_MESSAGE_TYPE_REPLY or _STREAM. error: NULL if the one who failed did not say
 * why. */
virNetMessage *virNetMessageNewError(const virNetHeader *call, uint32_t message_type,
                                     const GError *error);
/* An event; each carries serial 1, as clients know it. */
virNetMessage *virNetMessageNewEvent(uint32_t program, uint32_t version, int32_t procedure,
                                     const virXdrType *type, const void *value, GError **error);
