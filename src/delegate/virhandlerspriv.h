/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerspriv.h: what virhandlers.c (who serves what), virhandlerlisten.c (who may connect),
 * virhandlerpeer.c (connections) and virhandlercall.c (one call) share. All state is under
 * virHandlers.lock, which is held for memory only; a peer's sendLock is held while packets go out.
 * sendLock is never taken under lock. */
#pragma once

#include <sys/socket.h>

#include "delegate/virhandlergrants.h"
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
    GMutex queueLock;       /* the last of all locks */
    GQueue queue;           /* virNetMessage that wait to be sent */
    int wakeFd;             /* eventfd: who reads returns */
    GMutex readLock;        /* tried only, never waited for; taken before lock */
    virPacketReader reader; /* under readLock */
    /* under lock; watch is set by the event thread alone, which may look without: */
    virEventWatch *watch;
    GQueue inbox;     /* virPacket that a job read and the event thread takes */
    unsigned waiting; /* calls that wait for their answers, and read them */
    bool wantsRoom;   /* there is a queue, and no room in the socket */
    bool over;        /* nothing more is to be read */
    bool gone;
} virHandlerPeer;

enum { HANDLER_RECENT = 64 }; /* calls whose median is told */

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
    gint64 gone_us;       /* when it did */
    uint64_t calls;
    uint64_t failures;
    uint64_t late;
    uint64_t last_us;
    uint64_t total_us;
    uint32_t recent_us[HANDLER_RECENT]; /* of the latest calls, in a ring */
} virHandlerServer;

/* A call that waits for its answer; lies on the stack of who waits. */
typedef struct {
    uint32_t serial;
    virHandlerPeer *peer;
    virPacket *reply;
    const virDelegateCall *call; /* what it is for; NULL: it is never interrupted */
    bool answered;
    bool lost; /* the connection ended */
} virHandlerPending;

/* What is known of a guest. */
struct virHandlerGuest {
    char *domain;
    GPtrArray *grants;  /* virHandlerGrant, owned, as they were asked for */
    uint64_t leaseNext; /* ids that a start may still use; of one that was cut off: may have used */
    uint64_t leaseEnd;
    bool leased;
    bool adopted;     /* of an earlier daemon */
    bool redoing;     /* what is granted now is in the place of what was lost */
    bool resyncing;   /* a job is posted */
    uint64_t changes; /* counts them */
    uint64_t leaseChange;
    uint64_t saved; /* changes up to this one are in the status file */
    uint64_t last;  /* request granted last since the door's call began, 0: none */
};

/* Grants of a guest that is gone, whose handlers were not there to be told. */
typedef struct {
    uint8_t uuid[HANDLER_UUID_BUFLEN];
    char *domain;
    GArray *requests;           /* uint64_t, the latest first */
    uint64_t hooks;             /* bit by number: still to be told who serves it */
    const virHandlerPeer *told; /* compared only */
} virHandlerOwed;

enum { HANDLERS_RUN_BITS = 32 }; /* of a request id: those below count, those above are the run */

struct virHandlers {
    char *instance;
    GMutex lock;
    GCond answered;
    GArray *users;     /* uid_t */
    GPtrArray *groups; /* names of control groups; none: any */
    unsigned deadline_s;
    gint64 look_us; /* how long an answer is looked for before its call sleeps */
    virHandlerPolicy policies[HANDLER_PROC_LAST];
    int listenFd;
    char *path; /* of the socket */
    virEventWatch *listenWatch;
    GPtrArray *peers;        /* virHandlerPeer, referenced */
    GPtrArray *servers;      /* virHandlerServer, as they registered */
    GHashTable *pending;     /* serial to virHandlerPending */
    GHashTable *expired;     /* serial to request (uint64_t *) of calls given up */
    GHashTable *interrupted; /* uuid (16 bytes) to how many want it so */
    bool ending;             /* all are */
    GHashTable *guests;      /* uuid (16 bytes) to virHandlerGuest */
    GPtrArray *owed;         /* virHandlerOwed */
    virHandlerJournal journal;
    gint64 began_us;
    uint32_t serial;
    uint64_t request; /* the last id given away */
    uint32_t serverId;
};

virHandlerPeer *virHandlerPeerRef(virHandlerPeer *peer);
void virHandlerPeerUnref(virHandlerPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHandlerPeer, virHandlerPeerUnref)
/* One message out, whole, before deadline_us; waits. */
bool virHandlerPeerSend(virHandlerPeer *peer, const virNetMessage *message, const int *fds,
                        size_t nfds, gint64 deadline_us, GError **error);
/* The same without waiting, taken over: goes out now, or when there is room. A peer that lets too
 * many pile up is cut off. */
void virHandlerPeerPost(virHandlerPeer *peer, virNetMessage *message);
/* Posts what nobody waits for: a new serial, hook or event, value. */
void virHandlerPeerTell(virHandlerPeer *peer, uint32_t procedure, uint32_t type,
                        const virXdrType *xdr, const void *value);
/* While calls wait for answers they read them themselves, which saves two changes of thread for
 * each; the event thread gets what else comes. Under lock. */
void virHandlerPeerBeginWait(virHandlerPeer *peer);
void virHandlerPeerEndWait(virHandlerPeer *peer);
/* Waits for one packet, not beyond deadline_us, and hands it out. Under lock, which is given up.
 * False, at once: somebody else is reading, or nothing more will come; handlers->answered is told
 * when that changes. */
bool virHandlerPeerRead(virHandlerPeer *peer, gint64 deadline_us);
/* Who reads returns from virHandlerPeerRead, or will at once. */
void virHandlerPeerWake(virHandlerPeer *peer);
/* A new connection, taken over; and its end. Event thread. */
bool virHandlerPeerAdd(virHandlers *handlers, int fd, const struct ucred *who, GError **error);
void virHandlerPeerEnd(virHandlerPeer *peer);
/* Ends all connections; event thread or after it. */
void virHandlerPeersEnd(virHandlers *handlers);

/* VIR_ERR_OPERATION_ABORTED if the call was interrupted (virHandlersInterrupt, virHandlersEnd).
 * Under lock. */
bool virHandlersCheckWanted(const virHandlers *handlers, const virDelegateCall *call,
                            const char *hook, GError **error);

/* Request ids that no earlier daemon gave away: the folder says how far those came. */
bool virHandlersSeed(virHandlers *handlers, const char *folder, GError **error);
/* The next serial; under lock. */
uint32_t virHandlersNextSerial(virHandlers *handlers);
/* Who serves the hook for the guest, with a live connection or not; NULL: nobody. Under lock. */
virHandlerServer *virHandlersFind(virHandlers *handlers, const virXdrHook *hook,
                                  const uint8_t uuid[16], const char *domain);
/* The same; in the phase of teardown, after waiting for a handler that has just gone. Under lock,
 * which is given up. */
virHandlerServer *virHandlersAwait(virHandlers *handlers, const virDelegateCall *call,
                                   const virXdrHook *hook);
/* register and unregister, as they came from peer. Take the lock. */
bool virHandlersRegister(virHandlers *handlers, virHandlerPeer *peer,
                         const handler_register_args *args, uint32_t *retId, GError **error);
bool virHandlersUnregister(virHandlers *handlers, const virHandlerPeer *peer, uint32_t id,
                           GError **error);
/* The peer has registered for something. Under lock. */
bool virHandlersServes(const virHandlers *handlers, const virHandlerPeer *peer);
/* The connection is gone: its servers are without one, its calls have failed. Takes the lock. */
void virHandlersForget(virHandlers *handlers, virHandlerPeer *peer);
/* A handler has registered: what it missed it is told, and what it granted before is to be asked
 * about. Takes the lock. */
void virHandlersReturned(virHandlers *handlers, virHandlerPeer *peer, const virXdrHook *hook);
/* teardown of these requests (the latest first) to a peer, without waiting. Not under lock. */
void virHandlersTellTeardown(virHandlerPeer *peer, const uint8_t uuid[16], const char *domain,
                             const GArray *requests);

/* The same for one request. */
void virHandlersTellUndo(virHandlerPeer *peer, const virDelegateCall *call, uint64_t request);
/* Asks a peer about grants; waits. One verdict for each. reply as with virHandlersAsk. */
bool virHandlersAskResync(virHandlers *handlers, virHandlerPeer *peer,
                          const handler_resync_args *args, const int *fds, size_t nfds,
                          handler_resync_ret *ret, virHandlerReply *reply, GError **error);

/* --- grants (virhandlergrants.c); all under lock but where said --- */

void virHandlerGrantFree(void *grant);
/* What is to be asked; args has its call's head first, which is cleared. Not under lock. */
virHandlerGrant *virHandlerGrantNew(const virXdrHook *hook, handler_call *args, const int *fds,
                                    size_t nfds);
/* The grant of that request; NULL. */
virHandlerGrant *virHandlerGuestGrant(const virHandlerGuest *guest, uint64_t request);
/* The id of a request that is going to be sent. Takes *grant over if its effect lasts (else it
 * stays the caller's). *retSave: the status file is to be written first. */
uint64_t virHandlersNoteAsked(virHandlers *handlers, const virDelegateCall *call,
                              virHandlerGrant **grant, bool *retSave);
/* It was answered: done (ret may be NULL), or refused and not done. */
void virHandlersNoteAnswered(virHandlers *handlers, const virDelegateCall *call, uint64_t request,
                             bool done, const void *ret);
/* Nobody waits for the answer any more. */
void virHandlersNoteUnanswered(virHandlers *handlers, const virDelegateCall *call,
                               uint64_t request);
/* The handler has been told to undo it. */
void virHandlersNoteUndone(virHandlers *handlers, uint64_t request);
/* What the hook took away, with all that was granted for it. */
void virHandlersNoteEnded(virHandlers *handlers, const virDelegateCall *call,
                          const virXdrHook *hook, const char *target);
/* The threads among a hook's arguments (NULL is allowed); NULL: it has none. Any thread. */
const handler_threads *virHandlerHookThreads(const virXdrHook *hook, const void *args);
