/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetkeepalive.h: pings of a silent connection and answers to the other side's
 * (protocol/README.md section 8). Event thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rpc/virnetmessage.h"
#include "util/virevent.h"

typedef struct virNetServerClient virNetServerClient;

typedef struct {
    virEventTimer *timer;   /* NULL: we do not ping */
    gint64 lastReceived_us; /* anything at all */
    unsigned unanswered;    /* pings */
} virNetKeepalive;

/* Starts pinging; interval and count are the server's. */
void virNetKeepaliveStart(virNetServerClient *client);
void virNetKeepaliveStop(virNetServerClient *client);
/* Something came from the client. */
void virNetKeepaliveSeen(virNetServerClient *client);
/* A message of the keepalive program. */
void virNetKeepaliveMessage(virNetServerClient *client, const virNetHeader *header);
