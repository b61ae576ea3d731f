/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetserver.h: listening sockets, the clients behind them, and the programs they may call.
 *
 * All of it happens on the event thread; only the getters are for any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "rpc/procedures.h"
#include "rpc/virnetserverclient.h"

typedef enum {
    VIR_NET_AUTH_NONE = 0,
    VIR_NET_AUTH_SASL = 1,
    VIR_NET_AUTH_POLKIT = 2,
} virNetAuth;

typedef struct {
    unsigned maxClients;        /* further ones wait in the listen queue */
    unsigned maxClientRequests; /* jobs of one client at a time; the rest wait in order */
    int keepaliveInterval_s;    /* -1 or 0: the server never pings */
    unsigned keepaliveCount;
} virNetServerLimits;

/* opaque: what handlers get from virNetServerOpaque. limits NULL: the defaults. */
virNetServer *virNetServerNew(const char *name, const virNetServerLimits *limits, void *opaque);
/* Closes all sockets and clients. On the event thread or after its end. */
void virNetServerFree(virNetServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetServer, virNetServerFree)

/* What holds when nothing is configured. */
const virNetServerLimits *virNetServerDefaultLimits(void);
const char *virNetServerName(virNetServer *server);
void *virNetServerOpaque(virNetServer *server);
const virNetServerLimits *virNetServerGetLimits(virNetServer *server);

/* Programs are constant data; the first one added also answers authentication. */
void virNetServerAddProgram(virNetServer *server, const virNetProgram *program);
/* The program of that number and version, or NULL. */
const virNetProgram *virNetServerFindProgram(virNetServer *server, uint32_t number,
                                             uint32_t version);

/* Takes calls of the run kind "forward", undecoded; answers some time later with
 * virNetServerClientSend. False: not configured, the call is "not supported". */
typedef bool (*virNetForwardFunc)(virNetServerClient *client, const virNetHeader *header,
                                  const uint8_t *payload, size_t len, void *opaque);
void virNetServerSetForward(virNetServer *server, virNetForwardFunc forward, void *opaque);

typedef struct {
    bool readonly; /* every client of it */
    virNetAuth auth;
} virNetListenOptions;

/* Makes a UNIX socket at path, in place of a stale one, with that mode and group (-1: as it is). */
bool virNetServerListenUNIX(virNetServer *server, const char *path, mode_t mode, gid_t group,
                            const virNetListenOptions *options, GError **error);
/* Takes over a socket that already listens (socket activation). */
bool virNetServerListenFd(virNetServer *server, int fd, const virNetListenOptions *options,
                          GError **error);
/* Accepts from now on. */
void virNetServerStart(virNetServer *server);
/* No new clients; those there are go on. Removes the sockets it made. */
void virNetServerStop(virNetServer *server);

/* The client of that id, a new reference; NULL if there is none. Any thread. */
virNetServerClient *virNetServerFindClient(virNetServer *server, uint64_t id);
/* Any thread. */
unsigned virNetServerCountClients(virNetServer *server);
/* Event thread. Those over a lower limit stay. */
void virNetServerSetMaxClients(virNetServer *server, unsigned maxClients);

/* Calls func for each client, on the event thread. func may close it. */
void virNetServerForEachClient(virNetServer *server,
                               void (*func)(virNetServerClient *client, void *opaque),
                               void *opaque);
