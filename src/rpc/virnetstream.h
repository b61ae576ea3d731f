/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetstream.h: a stream of bytes that a call opened, either way (protocol/README.md section 6).
 *
 *     st = virNetStreamNew(call, &ops, opaque, release, error);     in the handler
 *     start()      the reply is out: virNetStreamSend may be called from now on, by any thread
 *     drained()    what was queued is mostly sent: go on sending
 *     received()   the client's bytes
 *     finish() or abort()    the client is done; the stream answers by itself
 *     virNetStreamEnd(st) or virNetStreamFail(st, error)    we are done
 *
 * Callbacks come on the event thread, one at a time, and never wait. The last one is always closed:
 * finished, failed, aborted, or the client gone; after it, sending does nothing. A handler that
 * fails after making a stream just returns false: then nothing but closed is called. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rpc/procedures.h"

typedef struct virNetStream virNetStream;

typedef struct {
    /* NULL: nothing to do. */
    void (*start)(virNetStream *stream, void *opaque);
    /* Takes up to len of the client's bytes and returns how many; less: the rest is kept, and the
     * client not read for long, until virNetStreamContinue. -1 with the error set ends the stream.
     * NULL: a client that sends gets an error. */
    ssize_t (*received)(virNetStream *stream, const uint8_t *bytes, size_t len, void *opaque,
                        GError **error);
    /* The client skips length bytes. NULL: an error. */
    bool (*hole)(virNetStream *stream, int64_t length, void *opaque, GError **error);
    /* There is room to send again. NULL: nothing to do. */
    void (*drained)(virNetStream *stream, void *opaque);
    /* The client has sent all and wants to know whether it arrived. NULL: yes. */
    bool (*finish)(virNetStream *stream, void *opaque, GError **error);
    /* The client gives up. NULL: nothing to do. */
    void (*abort)(virNetStream *stream, void *opaque);
    /* The end, however it came. */
    void (*closed)(virNetStream *stream, void *opaque);
} virNetStreamOps;

/* In the handler of a procedure of kind stream, once. The reference returned is the caller's; the
 * client holds one of its own. Never NULL. release is called with the last reference. */
virNetStream *virNetStreamNew(virNetCall *call, const virNetStreamOps *ops, void *opaque,
                              GDestroyNotify release);
virNetStream *virNetStreamRef(virNetStream *stream);
/* NULL is allowed. */
void virNetStreamUnref(virNetStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetStream, virNetStreamUnref)

/* Allows holes, as the caller's sparse flag asked. Before the handler returns. */
void virNetStreamAllowHoles(virNetStream *stream);

/* Queues bytes for the client. False if the stream is over. */
bool virNetStreamSend(virNetStream *stream, const void *bytes, size_t len);
bool virNetStreamSendHole(virNetStream *stream, int64_t length);
/* True if so much is queued that the sender should wait for drained(). */
bool virNetStreamIsFull(virNetStream *stream);
/* All data sent; the client will finish. */
void virNetStreamEnd(virNetStream *stream);
/* Ends the stream with an error for the client. */
void virNetStreamFail(virNetStream *stream, const GError *error);
/* received() can take more. */
void virNetStreamContinue(virNetStream *stream);
