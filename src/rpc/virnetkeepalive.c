/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetkeepalive.c: one timer per pinged client, which looks at the clock when it fires: a message
 * that comes in between costs nothing but noting the time. */
#include "rpc/virnetkeepalive.h"

#include "rpc/virnetpriv.h"
#include "util/virlog.h"

static void
sendKeepalive(virNetServerClient *client, int32_t procedure)
{
    virNetHeader header = {.program = KEEPALIVE_PROGRAM,
                           .version = KEEPALIVE_VERSION,
                           .procedure = procedure,
                           .type = RPC_MESSAGE_TYPE_MESSAGE,
                           .status = RPC_MESSAGE_STATUS_OK};

    virNetOutputQueue(client, virNetMessageNew(&header));
}

/* An interval has passed, or the rest of one. */
static void
keepaliveTick(void *opaque)
{
    virNetServerClient *client = opaque;
    virNetKeepalive *keepalive = &client->keepalive;
    const virNetServerLimits *limits = virNetServerGetLimits(client->server);
    unsigned interval_ms = (unsigned)limits->keepaliveInterval_s * 1000;
    gint64 silent_ms = (g_get_monotonic_time() - keepalive->lastReceived_us) / 1000;

    if (keepalive->unanswered == 0 && silent_ms < interval_ms) {
        virEventTimerRestart(keepalive->timer, interval_ms - (unsigned)silent_ms, 0);
        return;
    }
    if (keepalive->unanswered >= limits->keepaliveCount) {
        virNetServerClientClose(client, "it does not answer keepalive messages");
        return;
    }
    keepalive->unanswered++;
    sendKeepalive(client, KEEPALIVE_PROC_PING);
    virEventTimerRestart(keepalive->timer, interval_ms, 0);
}

static void
releaseClient(void *opaque)
{
    virNetServerClientUnref(opaque);
}

void
virNetKeepaliveStart(virNetServerClient *client)
{
    int interval_s = virNetServerGetLimits(client->server)->keepaliveInterval_s;

    if (client->keepalive.timer || interval_s <= 0 || virNetServerClientIsClosed(client))
        return;
    client->keepalive.lastReceived_us = g_get_monotonic_time();
    client->keepalive.timer = virEventTimerAdd((unsigned)interval_s * 1000, 0, keepaliveTick,
                                               virNetServerClientRef(client), releaseClient);
}

void
virNetKeepaliveStop(virNetServerClient *client)
{
    virEventTimerRemove(client->keepalive.timer);
    client->keepalive.timer = NULL;
}

void
virNetKeepaliveSeen(virNetServerClient *client)
{
    if (!client->keepalive.timer)
        return;
    client->keepalive.lastReceived_us = g_get_monotonic_time();
    client->keepalive.unanswered = 0;
}

void
virNetKeepaliveMessage(virNetServerClient *client, const virNetHeader *header)
{
    if (header->version == KEEPALIVE_VERSION && header->procedure == KEEPALIVE_PROC_PING)
        sendKeepalive(client, KEEPALIVE_PROC_PONG);
    /* A pong has done its work by having come; anything else is dropped in silence. */
}
