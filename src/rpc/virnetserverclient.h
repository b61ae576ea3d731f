/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetserverclient.h: one client's connection, as the layers above see it.
 *
 * Counted references; the connection itself ends on the event thread, whoever asked for it. After
 * that the object only refuses: sending does nothing. Functions may be called from any thread
 * unless they say otherwise. No rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rpc/procedures.h"
#include "rpc/virnetmessage.h"

typedef struct virNetServer virNetServer;
typedef struct virNetServerClient virNetServerClient;

/* Who is at the other end, as the kernel says. */
typedef struct {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    int pidfd; /* owned by the client object; -1 if the kernel gives none */
} virNetIdentity;

virNetServerClient *virNetServerClientRef(virNetServerClient *client);
void virNetServerClientUnref(virNetServerClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetServerClient, virNetServerClientUnref)

/* Never NULL, valid as long as the client. */
virNetServer *virNetServerClientServer(virNetServerClient *client);
const virNetIdentity *virNetServerClientIdentity(virNetServerClient *client);
/* Counts up from 1 over the server's life. */
uint64_t virNetServerClientId(virNetServerClient *client);
/* When it connected, in seconds since 1970. */
int64_t virNetServerClientTimestamp(virNetServerClient *client);

/* What has been agreed on this connection. */
typedef enum {
    VIR_NET_CLIENT_OPEN = 1 << 0,          /* connect_open succeeded */
    VIR_NET_CLIENT_READONLY = 1 << 1,      /* by its socket or by its own wish */
    VIR_NET_CLIENT_AUTHENTICATED = 1 << 2, /* or not asked to be */
    VIR_NET_CLIENT_KEEPALIVE = 1 << 3,     /* asked for feature 10: is pinged */
    VIR_NET_CLIENT_CALLBACKS = 1 << 4,     /* got 1 for feature 14: events carry callback ids */
    VIR_NET_CLIENT_CLOSE_CALLBACK = 1 << 5,
} virNetClientFlags;

bool virNetServerClientHas(virNetServerClient *client, virNetClientFlags flag);
void virNetServerClientSet(virNetServerClient *client, virNetClientFlags flag, bool on);
/* Sets KEEPALIVE and starts the pings, if the server is to send any. */
void virNetServerClientStartKeepalive(virNetServerClient *client);

/* What the layer above keeps per connection; to be set once, on the event thread. closed is called
 * once, there too, when the
 * connection has ended (also if it has already); release with the last reference. */
void virNetServerClientSetPrivate(virNetServerClient *client, void *data,
                                  void (*closed)(void *data), GDestroyNotify release);
void *virNetServerClientPrivate(virNetServerClient *client);

/* Encodes an event and queues it. A client that does not read its events is cut off rather than
 * waited for. False only if the event cannot be encoded. */
bool virNetServerClientSendEvent(virNetServerClient *client, const virNetProgram *program,
                                 int32_t procedure, const void *value, GError **error);
/* The same for a message encoded once for many; no reference is taken over. */
void virNetServerClientSend(virNetServerClient *client, virNetMessage *message);

/* Ends the connection, soon. reason goes to the log; NULL: an ordinary end, nothing is logged. */
void virNetServerClientClose(virNetServerClient *client, const char *reason);
bool virNetServerClientIsClosed(virNetServerClient *client);
