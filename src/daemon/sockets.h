/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sockets.h: what the daemon listens on. At start, on the thread that will run the loop. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/layout.h"
#include "delegate/virhandlers.h"
#include "rpc/virnetserver.h"

typedef struct {
    virNetServer *clients; /* read-write and read-only sockets */
    virNetServer *admin;
    virHandlers *handlers;
} virDaemonServers;

/* Listens on the sockets that were handed over (LISTEN_FDS), or else makes its own. A connected
 * SEQPACKET socket among them is a handler's channel: whoever has its other end was given it. */
bool virDaemonListen(const virDaemonServers *servers, const virDaemonLayout *layout,
                     const virDaemonConfig *config, GError **error);
