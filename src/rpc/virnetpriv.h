/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetpriv.h: what the files of the server share among themselves. For src/rpc only.
 *
 * virnetserver.c accepts, virnetinput.c frames, virnetdispatch.c runs, virnetoutput.c sends,
 * virnetserverclient.c holds the connection together. */
#pragma once

#include "rpc/virnetcall.h"
#include "rpc/virnetkeepalive.h"
#include "rpc/virnetserver.h"
#include "rpc/virnetserverclient.h"
#include "util/virevent.h"

enum {
    /* Of one client, bytes: calls parked and stream data not yet taken; then it is not read. */
    VIR_NET_BACKLOG_MAX = 4 * 1024 * 1024,
    /* Answers not yet sent, bytes: then it is not read either. */
    VIR_NET_OUTPUT_MAX = 16 * 1024 * 1024,
    /* Events not yet sent, bytes: then it is cut off. */
    VIR_NET_EVENTS_MAX = 8 * 1024 * 1024,
    /* Messages handled for one client before others get their turn. */
    VIR_NET_MESSAGES_PER_TURN = 64,
};

/* A descriptor as it came, and where in the client's bytes. */
typedef struct {
    int fd;
    uint64_t offset;
} virNetReceivedFd;

struct virNetServerClient {
    int refs; /* atomic */
    virNetServer *server;
    uint64_t id;
    int64_t timestamp;
    virNetIdentity identity;
    int flags;      /* atomic: virNetClientFlags */
    int closing;    /* atomic: the end is on its way or over */
    int turnPosted; /* atomic: another turn of input is on its way */
    virNetAuth auth;
    int fd;
    virEventWatch *watch;

    /* The event thread's own. */
    virNetBuffer in;     /* bytes behind the last whole message */
    uint64_t inOffset;   /* of its first byte in all that came */
    uint64_t received;   /* bytes in all */
    GArray *receivedFds; /* of virNetReceivedFd, not yet claimed by a message */
    GQueue parked;       /* of virNetCall: jobs over the limit */
    size_t backlog;      /* bytes; see VIR_NET_BACKLOG_MAX */
    GQueue streams;      /* of virNetStream, each with a reference */
    virNetKeepalive keepalive;
    void (*closedFunc)(void *data);
    bool closedCalled;

    void *data;
    GDestroyNotify release;

    GMutex mutex; /* guards what follows; held while writing to the socket */
    bool closed;  /* fd and watch are gone */
    bool closeAfterOutput;
    bool corked;       /* the event thread flushes at the end of its turn */
    bool waitOutput;   /* the socket is full */
    bool starved;      /* input waits for jobs to end or output to drain */
    bool paused;       /* not read */
    unsigned watched;  /* EPOLL bits asked for */
    unsigned jobs;     /* running */
    GQueue out;        /* of virNetMessage, each with a reference */
    size_t outSent;    /* bytes of the first one that are out */
    size_t outFds;     /* descriptors of the first one that are out */
    size_t outBytes;   /* in the queue */
    size_t eventBytes; /* of these, of events */
};

/* virnetserverclient.c */
/* A client on an accepted socket; taken over. Reference: the server's list. */
virNetServerClient *virNetServerClientNew(virNetServer *server, int fd, uint64_t id,
                                          const virNetListenOptions *options, GError **error);
void virNetServerClientFault(virNetServerClient *client, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Has virNetInputContinue called on the event thread, soon. Any thread. */
void virNetServerClientWake(virNetServerClient *client);

/* virnetserver.c */
/* The client has ended: drops the list's reference. Event thread. */
void virNetServerForget(virNetServer *server, virNetServerClient *client);
bool virNetServerForward(virNetServer *server, virNetServerClient *client,
                         const virNetHeader *header, const uint8_t *payload, size_t len);

/* virnetinput.c; event thread */
void virNetInputInit(virNetServerClient *client);
/* The socket can be read. */
void virNetInputReady(virNetServerClient *client);
/* Goes on with what was left: more messages in the buffer, parked calls. */
void virNetInputContinue(virNetServerClient *client);
void virNetInputClear(virNetServerClient *client);

/* virnetoutput.c; any thread */
/* Queues the message (a reference is taken over) and sends what the socket takes. */
void virNetOutputQueue(virNetServerClient *client, virNetMessage *message);
/* Between these, on the event thread, answers gather and go out in one write. */
void virNetOutputCork(virNetServerClient *client);
void virNetOutputUncork(virNetServerClient *client);
/* The socket can be written. */
void virNetOutputReady(virNetServerClient *client);
/* Drops everything queued. With the mutex held. */
void virNetOutputClear(virNetServerClient *client);
/* Sets the epoll bits that the state asks for. With the mutex held. */
void virNetOutputWatch(virNetServerClient *client);

/* virnetdispatch.c; event thread */
/* One message that is no stream packet and no keepalive; fds are taken over. */
void virNetDispatch(virNetServerClient *client, const virNetHeader *header, const uint8_t *payload,
                    size_t len, int *fds, size_t fdCount);
/* Runs parked calls as far as the limit allows. */
void virNetDispatchParked(virNetServerClient *client);
/* Drops them. */
void virNetDispatchClear(virNetServerClient *client);

/* virnetcall.c */
struct virNetCall {
    virNetServerClient *client; /* a reference */
    const virNetProgram *program;
    const virNetProcedure *procedure;
    virNetHeader header;
    void *args;
    void *ret;
    int *fds;
    size_t fdCount;
    GArray *replyFds; /* of int; NULL: none */
    virNetStream *stream;
    bool isJob;
    bool deferred; /* its handler wants to be called in a job */
    bool closeAfterwards;
    virArena arena;
};

virNetCall *virNetCallNew(virNetServerClient *client, const virNetProgram *program,
                          const virNetProcedure *procedure, const virNetHeader *header);
/* Wipes and frees. NULL is allowed. */
void virNetCallFree(virNetCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetCall, virNetCallFree)
/* Queues the answer: ret, or the error if ok is false. */
void virNetCallAnswer(virNetCall *call, bool ok, const GError *error);
