/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session.c: a channel to a daemon: found by a connection's URI, registrations out, calls in. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "internal/priv.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum {
    ANSWER_TIMEOUT_US = 30 * 1000 * 1000,
    LOOK_US = 200,    /* a few times what passes between two calls of a start */
    BURST_US = 10000, /* the caller's loop has others to serve */
};

typedef struct {
    virInternalHandler func;
    void *opaque;
    virFreeCallback destroy;
    uint32_t id; /* the daemon's; 0: local */
} sessionHandler;

struct _virInternalSession {
    int fd;
    gint over; /* atomic: virInternalSessionShutdown was called, so often */
    virPacketReader reader;
    uint32_t serial;
    sessionHandler handlers[HANDLER_PROC_LAST];
    struct {
        virInternalResyncHandler func; /* NULL: nothing is known of earlier calls */
        void *opaque;
        virFreeCallback destroy;
    } resync;
};

/* --- where the daemon is --- */

/* The folder of the client socket that this URI leads to. */
static char *
socketFolder(const char *uri, GError **error)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NON_DNS, error);
    const char *query = parsed ? g_uri_get_query(parsed) : NULL;
    g_autoptr(GHashTable) params = NULL;
    const char *path;

    if (!parsed)
        return NULL;
    if (strchr(g_uri_get_scheme(parsed), '+') ||
        (g_uri_get_host(parsed) && *g_uri_get_host(parsed))) {
        if (!g_str_has_suffix(g_uri_get_scheme(parsed), "+unix")) {
            virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        _("a handler and its daemon share a host: '%s' is no UNIX transport"), uri);
            return NULL;
        }
    }
    params = query ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, error) : NULL;
    if (query && !params)
        return NULL;
    path = params ? g_hash_table_lookup(params, "socket") : NULL;
    if (path)
        return g_path_get_dirname(path);
    if (g_str_equal(g_uri_get_path(parsed), "/session"))
        return g_build_filename(g_get_user_runtime_dir(), "virtward", NULL);
    return g_strdup("/run/virtward");
}

static int
connectTo(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    VIR_AUTOCLOSE fd = -1;

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path)) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("the path of a socket is too long: '%s'"), path);
        return -1;
    }
    /* A daemon that lets nobody in any more must not keep us: EAGAIN then. */
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        virErrorErrno(error, _("cannot connect to the handler socket '%s'"), path);
        return -1;
    }
    return g_steal_fd(&fd);
}

static bool
checkLibraryAbi(unsigned abi, GError **error)
{
    return abi == VIR_INTERNAL_ABI ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("the caller was built for ABI %u of libvirt-internal, the library has "
                         "ABI %u"),
                       abi, VIR_INTERNAL_ABI);
}

static virInternalSession *
newSession(int fd)
{
    virInternalSession *session = g_new0(virInternalSession, 1);

    session->fd = fd;
    virPacketReaderInit(&session->reader);
    return session;
}

VIR_INTERNAL_EXPORT virInternalSession *
virInternalSessionOpenPath(const char *path, unsigned abi)
{
    GError *error = NULL;
    int fd = checkLibraryAbi(abi, &error) ? connectTo(path, &error) : -1;

    if (fd >= 0)
        return newSession(fd);
    virInternalTakeError(error);
    return NULL;
}

VIR_INTERNAL_EXPORT virInternalSession *
virInternalSessionOpenFd(int fd, unsigned abi)
{
    GError *error = NULL;

    if (checkLibraryAbi(abi, &error))
        return newSession(fd);
    virCloseFd(&fd);
    virInternalTakeError(error);
    return NULL;
}

VIR_INTERNAL_EXPORT virInternalSession *
virInternalSessionOpen(virConnectPtr conn, unsigned abi)
{
    g_autofree char *folder = NULL;
    g_autofree char *path = NULL;
    char *uri = conn ? virConnectGetURI(conn) : NULL;
    GError *error = NULL;

    if (uri)
        folder = socketFolder(uri, &error);
    else
        virErrorSet(&error, VIR_ERR_INVALID_CONN, _("no connection to a daemon"));
    free(uri);
    if (!folder) {
        virInternalTakeError(error);
        return NULL;
    }
    path = g_build_filename(folder, "handler", "sock", NULL);
    return virInternalSessionOpenPath(path, abi);
}

static void
dropHandler(sessionHandler *handler)
{
    if (handler->destroy)
        handler->destroy(handler->opaque);
    *handler = (sessionHandler){0};
}

VIR_INTERNAL_EXPORT int
virInternalSessionGetFd(const virInternalSession *session)
{
    return session->fd;
}

/* --- serving --- */

static bool
sendMessage(virInternalSession *session, const virNetMessage *message, const GArray *fds,
            GError **error)
{
    return virPacketSend(session->fd, message, fds ? (const int *)(const void *)fds->data : NULL,
                         fds ? fds->len : 0, g_get_monotonic_time() + ANSWER_TIMEOUT_US, error);
}

static bool
answerFailure(virInternalSession *session, const virPacket *packet, virErrorCode code,
              const char *text, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(virNetMessage) reply = NULL;

    virErrorSet(&failure, code, "%s", text);
    reply = virNetMessageNewError(&packet->header, RPC_MESSAGE_TYPE_REPLY, failure);
    return sendMessage(session, reply, NULL, error);
}

static bool
answerSuccess(virInternalSession *session, const virInternalRequest *request, GError **error)
{
    virNetHeader header = request->packet->header;
    g_autoptr(virNetMessage) reply = NULL;

    header.type = RPC_MESSAGE_TYPE_REPLY;
    header.status = RPC_MESSAGE_STATUS_OK;
    reply = virNetMessageNew(&header);
    return virNetMessageEncode(reply, request->hook->ret, request->ret, error) &&
           sendMessage(session, reply, request->fds, error);
}

/* --- resync --- */

/* The descriptors of one grant come from the front of the packet's; next counts them. */
static int32_t
judgeGrant(const virInternalSession *session, virPacket *packet, const handler_grant *grant,
           size_t *next)
{
    g_auto(virInternalRequest) request = {0};
    g_auto(virPacket) part = {0};
    virInternalVerdict verdict = VIR_INTERNAL_UNKNOWN;

    virPacketInit(&part);
    for (uint32_t i = 0; i < grant->fds && *next < virPacketFdCount(packet); i++) {
        int fd = virPacketTakeFd(packet, (*next)++);

        g_array_append_val(part.fds, fd);
    }
    if (session->resync.func && virInternalRequestInitGrant(&request, grant, &part, NULL))
        verdict = session->resync.func(&request.call, request.hook->name, &request,
                                       session->resync.opaque);
    return (int32_t)verdict;
}

static bool
answerResync(virInternalSession *session, virPacket *packet, GError **error)
{
    g_auto(virArena) arena = {0};
    handler_resync_args args;
    handler_resync_ret ret = {0};
    virNetHeader header = packet->header;
    g_autoptr(virNetMessage) reply = NULL;
    size_t next = 0;

    virArenaInit(&arena);
    if (!virPacketDecode(packet, &handler_resync_args_xdr, &arena, &args, error))
        return false;
    ret.verdicts_len = args.grants_len;
    ret.verdicts_val = virArenaNew(&arena, int32_t, MAX(args.grants_len, 1));
    for (uint32_t i = 0; i < args.grants_len; i++)
        ret.verdicts_val[i] = judgeGrant(session, packet, &args.grants_val[i], &next);
    header.type = RPC_MESSAGE_TYPE_REPLY;
    reply = virNetMessageNew(&header);
    return virNetMessageEncode(reply, &handler_resync_ret_xdr, &ret, error) &&
           sendMessage(session, reply, NULL, error);
}

static void
dropResync(virInternalSession *session)
{
    if (session->resync.destroy)
        session->resync.destroy(session->resync.opaque);
}

VIR_INTERNAL_EXPORT void
virInternalSessionSetResync(virInternalSession *session, virInternalResyncHandler handler,
                            void *opaque, virFreeCallback destroy)
{
    dropResync(session);
    session->resync.func = handler;
    session->resync.opaque = opaque;
    session->resync.destroy = destroy;
}

/* For reading first: what is being served can still be answered. */
VIR_INTERNAL_EXPORT void
virInternalSessionShutdown(virInternalSession *session)
{
    bool first = g_atomic_int_add(&session->over, 1) == 0;

    (void)shutdown(session->fd, first ? SHUT_RD : SHUT_RDWR); /* it may be off already */
}

static bool
checkOpen(const virInternalSession *session, GError **error)
{
    return g_atomic_int_get(&session->over) == 0 ||
           virErrorSet(error, VIR_ERR_OPERATION_INVALID, _("the session was shut down"));
}

VIR_INTERNAL_EXPORT void
virInternalSessionFree(virInternalSession *session)
{
    if (!session)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(session->handlers); i++)
        dropHandler(&session->handlers[i]);
    dropResync(session);
    virPacketReaderClear(&session->reader);
    virCloseFd(&session->fd);
    g_free(session);
}

/* --- calls --- */

static bool
serveCall(virInternalSession *session, virPacket *packet, GError **error)
{
    const virXdrHook *hook = virXdrHookByNumber((uint32_t)packet->header.procedure);
    const sessionHandler *handler = hook ? &session->handlers[hook->number] : NULL;
    g_auto(virInternalRequest) request = {0};
    g_autofree char *failure = NULL;

    if (packet->header.procedure == HANDLER_PROC_RESYNC)
        return answerResync(session, packet, error);
    if (hook && !virInternalRequestInit(&request, hook, packet, error))
        return false;
    if (hook && hook->number == HANDLER_PROC_TEARDOWN && !handler->func)
        return answerSuccess(session, &request, error); /* nothing is remembered here */
    if (!handler || !handler->func)
        return answerFailure(session, packet, VIR_ERR_NO_SUPPORT, _("nobody here does that"),
                             error);
    if (handler->func(&request.call, &request, handler->opaque) == 0)
        return answerSuccess(session, &request, error);
    failure = virInternalTakeFailure();
    return answerFailure(session, packet, VIR_ERR_OPERATION_FAILED, failure, error);
}

/* Serves one message, or hands a reply to who waits for it. False: the session is over. */
static bool
takeMessage(virInternalSession *session, virPacket *packet, virPacket *retReply, GError **error)
{
    switch (packet->header.type) {
    case RPC_MESSAGE_TYPE_CALL:
        return serveCall(session, packet, error);
    case RPC_MESSAGE_TYPE_MESSAGE:
        return true; /* cancel: calls are served one after the other, so this one is over */
    case RPC_MESSAGE_TYPE_REPLY:
        if (retReply) {
            virPacketClear(retReply);
            *retReply = *packet;
            virPacketInit(packet);
        }
        return true; /* else nobody waits for it any more */
    default:
        return virErrorSet(error, VIR_ERR_RPC, _("the daemon sent a message of type %u"),
                           packet->header.type);
    }
}

/* Until when the next call is looked for, one having been served since began_us. A guest's start
 * asks for one thing after another, and the next comes sooner than a sleeping thread is awake
 * again: where another processor can be at work on it, it is worth a look. */
static gint64
lookUntil(gint64 began_us)
{
    return g_get_num_processors() > 1 ? MIN(g_get_monotonic_time() + LOOK_US, began_us + BURST_US)
                                      : 0;
}

/* Serves what is there, and what comes right behind it; stops behind a reply if retReply is wanted.
 */
static bool
serveAll(virInternalSession *session, virPacket *retReply, bool *retGot, GError **error)
{
    const gint64 began_us = g_get_monotonic_time();
    gint64 until_us = 0;

    for (;;) {
        g_auto(virPacket) packet = {0};
        virPacketResult result;
        bool reply;

        virPacketInit(&packet);
        if (!checkOpen(session, error))
            return false;
        result = virPacketReceive(&session->reader, session->fd, &packet, error);
        if (result == VIR_PACKET_NONE && g_get_monotonic_time() < until_us)
            continue;
        if (result == VIR_PACKET_NONE)
            return true;
        if (result == VIR_PACKET_CLOSED && !checkOpen(session, error))
            return false;
        if (result == VIR_PACKET_CLOSED && (!error || !*error))
            return virErrorSet(error, VIR_ERR_RPC, _("the daemon has closed the channel"));
        if (result != VIR_PACKET_WHOLE)
            return false;
        reply = packet.header.type == RPC_MESSAGE_TYPE_REPLY &&
                packet.header.serial == session->serial; /* not one that came too late */
        if (!takeMessage(session, &packet, reply ? retReply : NULL, error))
            return false;
        if (reply && retReply) {
            *retGot = true;
            return true;
        }
        until_us = lookUntil(began_us);
    }
}

VIR_INTERNAL_EXPORT int
virInternalSessionDispatch(virInternalSession *session)
{
    GError *error = NULL;

    return serveAll(session, NULL, NULL, &error) ? 0 : virInternalTakeError(error);
}

/* --- asking the daemon --- */

static bool
awaitReply(virInternalSession *session, virPacket *reply, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + ANSWER_TIMEOUT_US;
    bool got = false;

    while (!got) {
        struct pollfd ready = {.fd = session->fd, .events = POLLIN};
        gint64 left_us = deadline_us - g_get_monotonic_time();

        if (left_us <= 0)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                               _("the daemon has not answered within %d s"),
                               ANSWER_TIMEOUT_US / 1000000);
        if (poll(&ready, 1, (int)(left_us / 1000 + 1)) < 0 && errno != EINTR)
            return virErrorErrno(error, _("cannot wait for the daemon"));
        if (!serveAll(session, reply, &got, error))
            return false;
    }
    return true;
}

static bool
ask(virInternalSession *session, uint32_t procedure, const virXdrType *type, const void *args,
    const virXdrType *retType, void *ret, GError **error)
{
    const virNetHeader header = {.program = HANDLER_PROGRAM,
                                 .version = HANDLER_VERSION,
                                 .procedure = (int32_t)procedure,
                                 .type = RPC_MESSAGE_TYPE_CALL,
                                 .serial = ++session->serial};
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);
    g_auto(virPacket) reply = {0};
    g_auto(virArena) arena = {0};

    virPacketInit(&reply);
    virArenaInit(&arena);
    if (!virNetMessageEncode(message, type, args, error) ||
        !sendMessage(session, message, NULL, error) || !awaitReply(session, &reply, error))
        return false;
    if (reply.header.status == RPC_MESSAGE_STATUS_ERROR) {
        virPacketGetError(&reply, error);
        return false;
    }
    return virPacketDecode(&reply, retType, &arena, ret, error);
}

static const virXdrHook *
findHook(const char *name, GError **error)
{
    const virXdrHook *hook = virXdrHookByName(name);

    if (!hook)
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("there is no operation '%s'"), name);
    return hook;
}

static bool
registerHook(virInternalSession *session, const virXdrHook *hook, const unsigned char *uuid,
             const char *pattern, unsigned flags, uint32_t *retId, GError **error)
{
    handler_register_args args = {
        .protocol = HANDLER_PROTOCOL,
        .hook = hook->number,
        .abi = hook->abi,
        .size = hook->args->minWire,
        .uuid_len = uuid ? VIR_UUID_BUFLEN : 0,
        .uuid_val = (uint8_t *)uuid,
        .pattern = pattern ? pattern
                   : uuid  ? ""
                           : "*",
        .flags = flags & VIR_INTERNAL_TAKE_OVER ? HANDLER_REGISTER_FLAGS_TAKE_OVER : 0};
    handler_register_ret ret = {0};

    memcpy(args.digest, hook->digest, sizeof(args.digest));
    if (!ask(session, HANDLER_PROC_REGISTER, &handler_register_args_xdr, &args,
             &handler_register_ret_xdr, &ret, error))
        return false;
    *retId = ret.id;
    return true;
}

VIR_INTERNAL_EXPORT int
virInternalSessionRegister(virInternalSession *session, const char *name, const unsigned char *uuid,
                           const char *pattern, unsigned flags, virInternalHandler func,
                           void *opaque, virFreeCallback destroy)
{
    GError *error = NULL;
    const virXdrHook *hook = findHook(name, &error);
    sessionHandler handler = {func, opaque, destroy, 0};
    sessionHandler before;

    if (!hook) {
        dropHandler(&handler);
        return virInternalTakeError(error);
    }
    before = session->handlers[hook->number];
    session->handlers[hook->number] = handler; /* a call may come before the answer */
    if (hook->number != HANDLER_PROC_TEARDOWN &&
        !registerHook(session, hook, uuid, pattern, flags, &handler.id, &error)) {
        session->handlers[hook->number] = before;
        dropHandler(&handler);
        return virInternalTakeError(error);
    }
    dropHandler(&before);
    session->handlers[hook->number].id = handler.id;
    return 0;
}

VIR_INTERNAL_EXPORT int
virInternalSessionUnregister(virInternalSession *session, const char *name)
{
    GError *error = NULL;
    const virXdrHook *hook = findHook(name, &error);
    handler_unregister_args args = {0};

    if (!hook)
        return virInternalTakeError(error);
    args.id = session->handlers[hook->number].id;
    if (args.id && !ask(session, HANDLER_PROC_UNREGISTER, &handler_unregister_args_xdr, &args, NULL,
                        NULL, &error))
        return virInternalTakeError(error);
    dropHandler(&session->handlers[hook->number]);
    return 0;
}
