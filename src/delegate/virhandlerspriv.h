/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerspriv.h: what virhandlers.c (who serves what), virhandlerpeer.c (connections) and
 * virhandlercall.c (one call) share. All state is under virHandlers.lock, which is held for memory
 * only; a peer's sendLock is held while packets go out. sendLock is never taken under lock. */
#pragma once

#include "delegate/virhandlers.h"
#include "util/virevent.h"

/* A connection to a handler. */
typedef struct {
    int refs; /* atomic */
    virHandlers *handlers;
    int fd; /* open until the last reference goes */
    pid_t pid;
    uid_t uid;
    GMutex sendLock;
    /* event thread: */
    virEventWatch *watch;
    virPacketReader reader;
    /* under lock: */
    bool gone;
} virHandlerPeer;

/* Who serves a hook for which guests. */
typedef struct {
    uint32_t id;
    const virXdrHook *hook;
    bool byUuid;
    uint8_t uuid[16];
    char *pattern; /* shell-like, of names; NULL with byUuid */
    uid_t uid;
    pid_t pid;
    virHandlerPeer *peer; /* reference; NULL: it went away and may come back */
    uint64_t calls;
    uint64_t failures;
    uint64_t late;
    uint64_t last_us;
    uint64_t total_us;
} virHandlerServer;

/* A call that waits for its answer; lies on the stack of who waits. */
typedef struct {
    uint32_t serial;
    const virHandlerPeer *peer;
    virPacket *reply;
    bool answered;
    bool lost; /* the connection ended */
} virHandlerPending;

/* What is known of a guest. */
typedef struct {
    char *domain;
    GArray *grants; /* virHandlerGrant */
} virHandlerGuest;

struct virHandlers {
    char *instance;
    GMutex lock;
    GCond answered;
    GArray *users; /* uid_t */
    unsigned deadline_s;
    virHandlerPolicy policies[HANDLER_PROC_LAST];
    int listenFd;
    char *path; /* of the socket */
    virEventWatch *listenWatch;
    GPtrArray *peers;    /* virHandlerPeer, referenced */
    GPtrArray *servers;  /* virHandlerServer, as they registered */
    GHashTable *pending; /* serial to virHandlerPending */
    GHashTable *expired; /* serial to request (uint64_t *) of calls given up */
    GHashTable *guests;  /* uuid (16 bytes) to virHandlerGuest */
    uint32_t serial;
    uint64_t request;
    uint32_t serverId;
};

virHandlerPeer *virHandlerPeerRef(virHandlerPeer *peer);
void virHandlerPeerUnref(virHandlerPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHandlerPeer, virHandlerPeerUnref)
/* One message out, whole, before deadline_us. */
bool virHandlerPeerSend(virHandlerPeer *peer, const virNetMessage *message, const int *fds,
                        size_t nfds, gint64 deadline_us, GError **error);
/* A message to a handler that nobody waits for: a new serial, hook or event, value. */
void virHandlerPeerTell(virHandlerPeer *peer, uint32_t procedure, uint32_t type,
                        const virXdrType *xdr, const void *value);
/* Ends all connections; event thread or after it. */
void virHandlerPeersEnd(virHandlers *handlers);

/* The next serial; under lock. */
uint32_t virHandlersNextSerial(virHandlers *handlers);
/* Who serves the hook for the guest, with a live connection or not; NULL: nobody. Under lock. */
virHandlerServer *virHandlersFind(virHandlers *handlers, const virXdrHook *hook,
                                  const uint8_t uuid[16], const char *domain);
/* register and unregister, as they came from peer. Take the lock. */
bool virHandlersRegister(virHandlers *handlers, virHandlerPeer *peer,
                         const handler_register_args *args, uint32_t *retId, GError **error);
bool virHandlersUnregister(virHandlers *handlers, const virHandlerPeer *peer, uint32_t id,
                           GError **error);
/* The connection is gone: its servers are without one, its calls have failed. Takes the lock. */
void virHandlersForget(virHandlers *handlers, virHandlerPeer *peer);
/* Tells a handler that has just registered what was granted before. */
void virHandlersResync(virHandlers *handlers, virHandlerPeer *peer, const virXdrHook *hook);
/* A lasting effect is noted down. Takes the lock. */
void virHandlersNote(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                     uint64_t request);
