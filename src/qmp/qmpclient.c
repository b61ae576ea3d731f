/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpclient.c: sending, matching answers to requests, and the end of a connection.
 *
 * The event thread reads and parses without the lock, then takes it for each message. The watch
 * owns a reference to the client, so a client lives as long as its descriptor is watched. */
#include "qmp/qmpclient.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmp/qmpinput.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virsecure.h"
#include "util/virutil.h"

/* What clients send as a whole is numbered in words that they know, since they see the answer. */
#define WHOLE_ID "libvirt-"

enum {
    QMP_READ_SIZE = 32 * 1024,
    QMP_READ_TURN = 256 * 1024, /* then the other descriptors get their turn */
    QMP_UNANSWERED_MAX = 1024,  /* a QEMU that is that far behind hangs */
};

/* What a connection is waiting for. Commands go out in each state but the last; QEMU takes them in
 * order, so they need not wait for the negotiation.
 *
 *   state    left by
 *   GREETING QEMU's greeting -> COMMAND (its version is known from then on); anything else -> LOST
 *   COMMAND  the answer to qmp_capabilities -> READY; its refusal -> LOST
 *   READY    stays
 *   LOST     the end; no watch, no requests */
typedef enum {
    QMP_CLIENT_GREETING,
    QMP_CLIENT_COMMAND,
    QMP_CLIENT_READY,
    QMP_CLIENT_LOST,
} qmpClientState;

/* A text on its way out. */
typedef struct {
    char *text;
    size_t len;
    size_t sent;
    int fd; /* goes with the first byte; -1: none, or gone */
} qmpOutgoing;

struct qmpRequest {
    int refs; /* the client's table and the caller */
    unsigned id;
    char *command;
    gint64 begin; /* when it was sent */
    bool done;
    virJSON *reply; /* the whole of it */
    GError *error;
    qmpErrorClass class;
    GCond changed; /* done */
};

struct qmpClient {
    int refs; /* atomic */
    int fd;
    virEventWatch *watch;
    const qmpClientCallbacks *callbacks;
    void *opaque;

    qmpInput input; /* of the event thread, without the lock */

    qmpClientState state;
    unsigned version;
    GQueue outgoing; /* of qmpOutgoing */
    bool wantsOut;   /* EPOLLOUT is watched */
    GQueue requests; /* of qmpRequest, unanswered, in the order they were sent */
    unsigned lastId;
    qmpRequest *negotiation; /* qmp_capabilities, while it is unanswered */
    GError *reason;          /* why it was lost */
    GCond changed;           /* state */
};

static qmpRequest *
qmpRequestRef(qmpRequest *request)
{
    request->refs++;
    return request;
}

void
qmpRequestFree(qmpRequest *request)
{
    if (!request || --request->refs > 0)
        return;
    virJSONUnref(request->reply);
    g_clear_error(&request->error);
    g_free(request->command);
    g_cond_clear(&request->changed);
    g_free(request);
}

static void
qmpOutgoingFree(qmpOutgoing *out)
{
    virSecureErase(out->text, out->len);
    g_free(out->text);
    virCloseFd(&out->fd);
    g_free(out);
}

qmpClient *
qmpClientRef(qmpClient *client)
{
    g_atomic_int_inc(&client->refs);
    return client;
}

void
qmpClientUnref(qmpClient *client)
{
    if (!client || !g_atomic_int_dec_and_test(&client->refs))
        return;
    g_queue_clear_full(&client->outgoing, (GDestroyNotify)qmpOutgoingFree);
    g_queue_clear_full(&client->requests, (GDestroyNotify)qmpRequestFree);
    qmpInputClear(&client->input);
    g_clear_error(&client->reason);
    g_cond_clear(&client->changed);
    virCloseFd(&client->fd);
    g_free(client);
}

static void
qmpRequestFinish(qmpRequest *request)
{
    request->done = true;
    g_cond_broadcast(&request->changed);
    qmpRequestFree(request);
}

static void
qmpRequestFail(qmpRequest *request, const GError *reason)
{
    request->error = g_error_copy(reason);
    qmpRequestFinish(request);
}

/* To LOST; reason is why. The watch's reference goes on the event thread. */
static void
qmpClientEnd(qmpClient *client, const GError *reason)
{
    qmpRequest *request;

    if (client->state == QMP_CLIENT_LOST)
        return;
    client->state = QMP_CLIENT_LOST;
    client->reason = g_error_copy(reason);
    client->negotiation = NULL;
    g_queue_clear_full(&client->outgoing, (GDestroyNotify)qmpOutgoingFree);
    while ((request = g_queue_pop_head(&client->requests)))
        qmpRequestFail(request, reason);
    virEventWatchRemove(g_steal_pointer(&client->watch));
    g_cond_broadcast(&client->changed);
}

/* The same when it is not our wish: takes over error. */
static void
qmpClientLose(qmpClient *client, GError *error)
{
    bool wasOpen = client->state != QMP_CLIENT_LOST;

    qmpClientEnd(client, error);
    if (wasOpen && client->callbacks && client->callbacks->closed)
        client->callbacks->closed(client, error, client->opaque);
    g_error_free(error);
}

void
qmpClientClose(qmpClient *client)
{
    g_autoptr(GError) reason = NULL;

    virErrorSet(&reason, VIR_ERR_OPERATION_INVALID, _("the QEMU monitor is closed"));
    qmpClientEnd(client, reason);
}

bool
qmpClientIsOpen(const qmpClient *client)
{
    return client->state != QMP_CLIENT_LOST;
}

unsigned
qmpClientVersion(const qmpClient *client)
{
    return client->version;
}

/* Sending */

/* Sends what the socket takes of one text. False with errno set. */
static bool
qmpOutgoingSend(qmpOutgoing *out, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {out->text + out->sent, out->len - out->sent};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    if (out->fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control.space);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &out->fd, sizeof(int));
    }
    do {
        sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return false;
    virCloseFd(&out->fd);
    out->sent += (size_t)sent;
    return true;
}

static void
qmpClientWatchOut(qmpClient *client, bool wanted)
{
    if (client->wantsOut == wanted)
        return;
    client->wantsOut = wanted;
    virEventWatchUpdate(client->watch, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* A socket that fails is left to the reader, who finds the end of the file. */
static void
qmpClientFlush(qmpClient *client)
{
    qmpOutgoing *out;

    while ((out = g_queue_peek_head(&client->outgoing))) {
        if (!qmpOutgoingSend(out, client->fd)) {
            qmpClientWatchOut(client, errno == EAGAIN || errno == EWOULDBLOCK);
            return;
        }
        if (out->sent == out->len) {
            g_queue_pop_head(&client->outgoing);
            qmpOutgoingFree(out);
        }
    }
    qmpClientWatchOut(client, false);
}

/* The text of a message, with the end that QEMU waits for. Wiped by who frees it. */
static char *
qmpClientLine(virJSON *message)
{
    char *text = virJSONPrint(message);
    char *line = g_strconcat(text, "\n", NULL);

    virSecureFreeString(text);
    return line;
}

/* The command in one line. Every byte counts, since QEMU reads one per turn of its loop; id 0:
 * none. */
static qmpOutgoing *
qmpOutgoingNew(const char *command, virJSON *arguments, unsigned id, int fd)
{
    qmpOutgoing *out = g_new0(qmpOutgoing, 1);
    char *text = arguments ? virJSONPrint(arguments) : NULL;
    char number[24] = "";

    if (id)
        g_snprintf(number, sizeof(number), ",\"id\":%u", id);
    /* not with printf: it gathers long texts in a buffer that it moves and does not wipe */
    out->text = g_strconcat("{\"execute\":\"", command, text ? "\",\"arguments\":" : "\"",
                            text ? text : "", number, "}\n", NULL);
    out->len = strlen(out->text);
    out->fd = fd;
    virSecureFreeString(text);
    return out;
}

static qmpRequest *
qmpRequestNew(const char *command, unsigned id)
{
    qmpRequest *request = g_new0(qmpRequest, 1);

    request->refs = 1;
    request->id = id;
    request->command = g_strdup(command);
    request->begin = g_get_monotonic_time();
    g_cond_init(&request->changed);
    return request;
}

/* Sets the error if nothing can be sent. */
static bool
qmpClientMaySend(const qmpClient *client, GError **error)
{
    if (client->state == QMP_CLIENT_LOST) {
        g_propagate_error(error, g_error_copy(client->reason));
        return false;
    }
    if (client->requests.length >= QMP_UNANSWERED_MAX)
        return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                           _("QEMU has left %u commands unanswered"), client->requests.length);
    return true;
}

/* Queues out as what asks for request, or fails that at once. Takes over out. */
static qmpRequest *
qmpClientQueue(qmpClient *client, qmpRequest *request, qmpOutgoing *out)
{
    if (qmpClientMaySend(client, &request->error)) {
        g_queue_push_tail(&client->requests, qmpRequestRef(request));
        g_queue_push_tail(&client->outgoing, out);
        if (!client->wantsOut)
            qmpClientFlush(client);
    } else {
        request->done = true;
        qmpOutgoingFree(out);
    }
    return request;
}

qmpRequest *
qmpClientSendFull(qmpClient *client, const char *command, virJSON *arguments, int fd,
                  unsigned flags)
{
    /* QEMU answers in order: an answer without an id is the oldest's, which this one is then */
    const bool alone = g_queue_is_empty(&client->requests);
    qmpRequest *request;

    g_assert(virCoreIsHeld());
    request = qmpRequestNew(command, ++client->lastId);
    qmpClientQueue(client, request,
                   qmpOutgoingNew(command, arguments, alone ? 0 : request->id, fd));
    if (flags & QMP_SEND_SECRET)
        virJSONEraseAndUnref(arguments);
    else
        virJSONUnref(arguments);
    return request;
}

qmpRequest *
qmpClientSendWhole(qmpClient *client, virJSON *question)
{
    qmpOutgoing *out = g_new0(qmpOutgoing, 1);
    const char *command = virJSONGetString(question, "execute");
    qmpRequest *request;

    g_assert(virCoreIsHeld());
    request = qmpRequestNew(command ? command : "", ++client->lastId);
    json_object_object_del(question, "id");
    virJSONAddStringF(question, "id", WHOLE_ID "%u", request->id);
    out->text = qmpClientLine(question);
    out->len = strlen(out->text);
    out->fd = -1;
    virJSONEraseAndUnref(question); /* it may hold a secret */
    return qmpClientQueue(client, request, out);
}

qmpRequest *
qmpClientSend(qmpClient *client, const char *command, virJSON *arguments)
{
    return qmpClientSendFull(client, command, arguments, -1, 0);
}

/* Waiting */

/* Loops over one condition until *done; false when the time is over. */
static bool
qmpWait(GCond *cond, const bool *done, unsigned timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

    while (!*done) {
        if (!virCoreWait(cond, deadline))
            return *done;
    }
    return true;
}

bool
qmpRequestWait(qmpRequest *request, unsigned timeout_ms, virJSON **retValue, GError **error)
{
    if (!qmpWait(&request->changed, &request->done, timeout_ms))
        return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                           _("QEMU did not answer the command '%s' within %.1f seconds"),
                           request->command,
                           (double)(g_get_monotonic_time() - request->begin) / G_USEC_PER_SEC);
    if (request->error) {
        g_propagate_error(error, g_error_copy(request->error));
        return false;
    }
    if (retValue)
        *retValue = json_object_get(virJSONGet(request->reply, "return"));
    return true;
}

qmpErrorClass
qmpRequestErrorClass(const qmpRequest *request)
{
    return request->class;
}

virJSON *
qmpRequestReply(const qmpRequest *request)
{
    return request->reply;
}

bool
qmpRequestIsDone(const qmpRequest *request)
{
    return request->done;
}

bool
qmpClientCall(qmpClient *client, const char *command, virJSON *arguments, unsigned timeout_ms,
              virJSON **retValue, GError **error)
{
    g_autoptr(qmpRequest) request = qmpClientSend(client, command, arguments);

    return qmpRequestWait(request, timeout_ms, retValue, error);
}

bool
qmpClientWaitReady(qmpClient *client, unsigned timeout_ms, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    g_autoptr(qmpClient) keep G_GNUC_UNUSED = qmpClientRef(client);

    while (client->state != QMP_CLIENT_READY && client->state != QMP_CLIENT_LOST) {
        if (!virCoreWait(&client->changed, deadline) && client->state < QMP_CLIENT_READY)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                               _("QEMU did not greet on its monitor within %.1f seconds"),
                               timeout_ms / 1000.0);
    }
    if (client->state == QMP_CLIENT_READY)
        return true;
    g_propagate_error(error, g_error_copy(client->reason));
    return false;
}

/* Receiving, on the event thread */

static void
qmpClientLoseWith(qmpClient *client, const char *why)
{
    GError *error = NULL;

    virErrorSet(&error, VIR_ERR_INTERNAL_ERROR, "%s", why);
    qmpClientLose(client, error);
}

static void
qmpClientGreeted(qmpClient *client, virJSON *message)
{
    virJSON *greeting = virJSONGetObject(message, "QMP");
    virJSON *version = greeting ? virJSONGetObject(greeting, "version") : NULL;
    virJSON *qemu = version ? virJSONGetObject(version, "qemu") : NULL;
    int64_t major = 0, minor = 0, micro = 0;

    if (!greeting) {
        qmpClientLoseWith(client, _("what answers on the monitor socket is no QEMU"));
        return;
    }
    if (qemu && virJSONGetInt(qemu, "major", &major) && virJSONGetInt(qemu, "minor", &minor) &&
        virJSONGetInt(qemu, "micro", &micro))
        client->version = (unsigned)(CLAMP(major, 0, 999) * 1000000 + CLAMP(minor, 0, 999) * 1000 +
                                     CLAMP(micro, 0, 999));
    client->state = QMP_CLIENT_COMMAND;
}

static void
qmpClientEvent(qmpClient *client, const char *name, virJSON *message)
{
    virJSON *timestamp = virJSONGetObject(message, "timestamp");
    int64_t seconds = 0, micros = 0;

    if (timestamp) {
        (void)virJSONGetInt(timestamp, "seconds", &seconds); /* 0 if QEMU does not know */
        (void)virJSONGetInt(timestamp, "microseconds", &micros);
    }
    if (client->callbacks && client->callbacks->event)
        client->callbacks->event(client, name, virJSONGetObject(message, "data"), seconds, micros,
                                 client->opaque);
}

/* The number in an answer's id, in either form. */
static bool
qmpAnswerNumber(virJSON *message, uint64_t *retNumber)
{
    const char *text = virJSONGetString(message, "id");

    if (!text)
        return virJSONGetUInt(message, "id", retNumber);
    return g_str_has_prefix(text, WHOLE_ID) &&
           g_ascii_string_to_unsigned(text + strlen(WHOLE_ID), 10, 1, G_MAXUINT32, retNumber, NULL);
}

/* Out of the unanswered ones; an answer without an id (a command that went alone, or one that QEMU
 * could not read) belongs to the oldest. The caller owns the reference. */
static qmpRequest *
qmpClientTakeRequest(qmpClient *client, virJSON *message)
{
    uint64_t number = 0;

    if (!virJSONGet(message, "id"))
        return g_queue_pop_head(&client->requests);
    if (!qmpAnswerNumber(message, &number))
        return NULL;
    for (GList *link = client->requests.head; link; link = link->next) {
        qmpRequest *request = link->data;

        if (request->id == number) {
            g_queue_delete_link(&client->requests, link);
            return request;
        }
    }
    return NULL;
}

static void
qmpRequestRefused(qmpRequest *request, virJSON *refusal)
{
    const char *class = virJSONGetString(refusal, "class");
    const char *text = virJSONGetString(refusal, "desc");

    request->class = qmpErrorClassFromString(class);
    virErrorSet(&request->error, VIR_ERR_INTERNAL_ERROR,
                _("unable to execute QEMU command '%s': %s"), request->command,
                text    ? text
                : class ? class
                        : _("unexpected error"));
}

static void
qmpClientAnswer(qmpClient *client, virJSON *message)
{
    virJSON *refusal = virJSONGetObject(message, "error");
    qmpRequest *request = qmpClientTakeRequest(client, message);
    bool negotiated = request && request == client->negotiation;

    if (!request) /* to a command that was never sent: not worth a guest's life */
        return;
    request->reply = json_object_get(message);
    if (refusal)
        qmpRequestRefused(request, refusal);
    if (negotiated) {
        client->negotiation = NULL;
        client->state = QMP_CLIENT_READY;
        g_cond_broadcast(&client->changed);
    }
    qmpRequestFinish(request);
    if (negotiated && refusal)
        qmpClientLoseWith(client, _("QEMU refuses qmp_capabilities"));
}

static void
qmpClientMessage(qmpClient *client, virJSON *message)
{
    const char *event = virJSONGetString(message, "event");

    if (client->state == QMP_CLIENT_LOST)
        return;
    if (client->state == QMP_CLIENT_GREETING)
        qmpClientGreeted(client, message);
    else if (event)
        qmpClientEvent(client, event, message);
    else if (virJSONGet(message, "error") || json_object_object_get_ex(message, "return", NULL))
        qmpClientAnswer(client, message);
    else
        qmpClientLoseWith(client, _("QEMU monitor reply is neither an event nor an answer"));
}

/* False if the connection is over: error is set. */
static bool
qmpClientParse(qmpClient *client, GError **error)
{
    for (;;) {
        GError *local = NULL;
        virJSON *message = qmpInputNext(&client->input, &local);

        if (!message) {
            if (!local)
                return true;
            g_propagate_error(error, local);
            return false;
        }
        {
            VIR_CORE_GUARD;
            qmpClientMessage(client, message);
        }
        virJSONUnref(message);
    }
}

/* Reads what is there, at most a turn's worth. */
static bool
qmpClientRead(qmpClient *client, GError **error)
{
    for (size_t total = 0; total < QMP_READ_TURN;) {
        char *to = qmpInputReserve(&client->input, QMP_READ_SIZE);
        ssize_t got = recv(client->fd, to, QMP_READ_SIZE, MSG_DONTWAIT);

        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return virErrorErrno(error, _("Unable to read from monitor"));
        if (got == 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("End of file from qemu monitor"));
        client->input.len += (size_t)got;
        total += (size_t)got;
        if (!qmpClientParse(client, error))
            return false;
        /* No more is there. What an event set off goes out before the answer behind it is read. */
        if (got < QMP_READ_SIZE)
            return true;
    }
    return true;
}

static void
qmpClientReady(int fd G_GNUC_UNUSED, unsigned events, void *opaque)
{
    g_autoptr(qmpClient) client = qmpClientRef(opaque);
    GError *error = NULL;

    if (events & EPOLLOUT) {
        VIR_CORE_GUARD;
        qmpClientFlush(client);
    }
    if ((events & ~(unsigned)EPOLLOUT) && !qmpClientRead(client, &error)) {
        VIR_CORE_GUARD;
        qmpClientLose(client, error);
    }
}

qmpClient *
qmpClientNew(int fd, const qmpClientCallbacks *callbacks, void *opaque, GError **error)
{
    g_autoptr(qmpClient) client = g_new0(qmpClient, 1);

    client->refs = 1;
    client->fd = fd;
    client->callbacks = callbacks;
    client->opaque = opaque;
    g_cond_init(&client->changed);
    client->watch = virEventWatchAdd(fd, EPOLLIN, qmpClientReady, qmpClientRef(client),
                                     (GDestroyNotify)qmpClientUnref, error);
    if (!client->watch) {
        qmpClientUnref(client); /* the reference that the watch was to have */
        return NULL;
    }
    client->negotiation = qmpClientSend(client, "qmp_capabilities", NULL);
    qmpRequestFree(client->negotiation); /* the table keeps it while it is unanswered */
    return g_steal_pointer(&client);
}
