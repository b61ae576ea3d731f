/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetstreampriv.h: streams as the server's other files see them. For src/rpc only. */
#pragma once

#include "rpc/virnetpriv.h"
#include "rpc/virnetstream.h"

/* The opening call has worked: awaits the client's packets, sends the reply, calls start. Takes
 * over both references. Any thread. */
void virNetStreamOpen(virNetStream *stream, virNetMessage *reply);
/* The opening call failed: only closed is called. Takes over a reference. Any thread. */
void virNetStreamDiscard(virNetStream *stream);
/* len bytes of a message of the stream are sent or dropped. Any thread. */
void virNetStreamSent(virNetStream *stream, size_t len);

/* On the event thread: a packet from the client; one for no stream of its is dropped. */
void virNetStreamPacket(virNetServerClient *client, const virNetHeader *header,
                        const uint8_t *payload, size_t len);
/* Offers data that was left over once more. */
void virNetStreamResume(virNetServerClient *client);
/* The client has gone. */
void virNetStreamCloseAll(virNetServerClient *client);
