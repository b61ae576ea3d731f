/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetserver.c: accepting clients on UNIX sockets. */
#include "rpc/virnetserver.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rpc/virnetpriv.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { LISTEN_BACKLOG = 128, ACCEPTS_PER_TURN = 16, ACCEPT_RETRY_MS = 100 };

static const virNetServerLimits defaultLimits = {
    .maxClients = 5000,
    .maxClientRequests = 32,
    .keepaliveInterval_s = 5,
    .keepaliveCount = 5,
};

typedef struct {
    virNetServer *server;
    int fd;
    char *path; /* made by us; NULL: it was handed over */
    virNetListenOptions options;
    virEventWatch *watch;
    bool watched; /* for clients that wait */
} virNetListener;

struct virNetServer {
    char *name;
    void *opaque;
    virNetServerLimits limits;
    GPtrArray *programs;  /* of const virNetProgram */
    GPtrArray *listeners; /* of virNetListener */
    GMutex mutex;         /* guards clients: the event thread changes it, any thread may look */
    GHashTable *clients;  /* uint64_t id -> virNetServerClient, each with a reference */
    uint64_t nextId;
    bool accepting;
    virEventTimer *retry; /* after accept failed for want of descriptors */
    virNetForwardFunc forward;
    void *forwardOpaque;
};

static void
listenerFree(void *opaque)
{
    virNetListener *listener = opaque;

    virEventWatchRemove(listener->watch);
    virCloseFd(&listener->fd);
    if (listener->path)
        (void)unlink(listener->path); /* the next start would replace it anyway */
    g_free(listener->path);
    g_free(listener);
}

static void
clientUnref(void *client)
{
    virNetServerClientUnref(client);
}

virNetServer *
virNetServerNew(const char *name, const virNetServerLimits *limits, void *opaque)
{
    virNetServer *server = g_new0(virNetServer, 1);

    server->name = g_strdup(name);
    server->opaque = opaque;
    server->limits = limits ? *limits : defaultLimits;
    server->programs = g_ptr_array_new();
    server->listeners = g_ptr_array_new_with_free_func(listenerFree);
    g_mutex_init(&server->mutex);
    server->clients = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, clientUnref);
    server->nextId = 1;
    return server;
}

void
virNetServerFree(virNetServer *server)
{
    if (!server)
        return;
    virEventTimerRemove(server->retry);
    g_ptr_array_unref(server->listeners);
    g_hash_table_unref(server->clients);
    g_mutex_clear(&server->mutex);
    g_ptr_array_unref(server->programs);
    g_free(server->name);
    g_free(server);
}

const virNetServerLimits *
virNetServerDefaultLimits(void)
{
    return &defaultLimits;
}

const char *
virNetServerName(virNetServer *server)
{
    return server->name;
}

void *
virNetServerOpaque(virNetServer *server)
{
    return server->opaque;
}

const virNetServerLimits *
virNetServerGetLimits(virNetServer *server)
{
    return &server->limits;
}

void
virNetServerAddProgram(virNetServer *server, const virNetProgram *program)
{
    g_ptr_array_add(server->programs, (void *)program);
}

const virNetProgram *
virNetServerFindProgram(virNetServer *server, uint32_t number, uint32_t version)
{
    for (guint i = 0; i < server->programs->len; i++) {
        const virNetProgram *program = g_ptr_array_index(server->programs, i);

        if (program->number == number && program->version == version)
            return program;
    }
    return NULL;
}

void
virNetServerSetForward(virNetServer *server, virNetForwardFunc forward, void *opaque)
{
    server->forward = forward;
    server->forwardOpaque = opaque;
}

bool
virNetServerForward(virNetServer *server, virNetServerClient *client, const virNetHeader *header,
                    const uint8_t *payload, size_t len)
{
    return server->forward && server->forward(client, header, payload, len, server->forwardOpaque);
}

/* Watches the listening sockets while there is room for one client more. */
static void
updateListeners(virNetServer *server)
{
    bool room = server->accepting && !server->retry &&
                g_hash_table_size(server->clients) < server->limits.maxClients;

    for (guint i = 0; i < server->listeners->len; i++) {
        virNetListener *listener = g_ptr_array_index(server->listeners, i);

        if (listener->watched != room)
            virEventWatchUpdate(listener->watch, room ? EPOLLIN : 0);
        listener->watched = room;
    }
}

static void
acceptAgain(void *opaque)
{
    virNetServer *server = opaque;

    virEventTimerRemove(server->retry);
    server->retry = NULL;
    updateListeners(server);
}

/* Without descriptors the socket stays readable: look again a little later, not at once. */
static void
acceptFailed(virNetServer *server)
{
    VIR_WARN("%s: cannot accept a client: %s", server->name, g_strerror(errno));
    if (!server->retry)
        server->retry = virEventTimerAdd(ACCEPT_RETRY_MS, 0, acceptAgain, server, NULL);
}

static void
addClient(virNetServer *server, virNetServerClient *client)
{
    uint64_t id = virNetServerClientId(client);
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->mutex);

    g_hash_table_insert(server->clients, g_memdup2(&id, sizeof(id)), client);
}

/* False if there is nobody more. */
static bool
acceptOne(virNetListener *listener)
{
    virNetServer *server = listener->server;
    g_autoptr(GError) error = NULL;
    virNetServerClient *client;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            acceptFailed(server);
        return errno == EINTR || errno == ECONNABORTED;
    }
    client = virNetServerClientNew(server, fd, server->nextId++, &listener->options, &error);
    if (client)
        addClient(server, client);
    else
        VIR_WARN("%s: %s", server->name, error->message);
    return true;
}

static void
listenerReady(int fd G_GNUC_UNUSED, unsigned events G_GNUC_UNUSED, void *opaque)
{
    virNetListener *listener = opaque;
    virNetServer *server = listener->server;

    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (g_hash_table_size(server->clients) >= server->limits.maxClients || !acceptOne(listener))
            break;
    }
    updateListeners(server);
}

void
virNetServerForget(virNetServer *server, virNetServerClient *client)
{
    uint64_t id = virNetServerClientId(client);

    g_mutex_lock(&server->mutex);
    g_hash_table_remove(server->clients, &id);
    g_mutex_unlock(&server->mutex);
    updateListeners(server);
}

virNetServerClient *
virNetServerFindClient(virNetServer *server, uint64_t id)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->mutex);
    virNetServerClient *client = g_hash_table_lookup(server->clients, &id);

    return client ? virNetServerClientRef(client) : NULL;
}

unsigned
virNetServerCountClients(virNetServer *server)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->mutex);

    return g_hash_table_size(server->clients);
}

void
virNetServerSetMaxClients(virNetServer *server, unsigned maxClients)
{
    server->limits.maxClients = maxClients;
    updateListeners(server);
}

/* fd is taken over, also on failure. */
static bool
addListener(virNetServer *server, int fd, const char *path, const virNetListenOptions *options,
            GError **error)
{
    virNetListener *listener = g_new0(virNetListener, 1);

    listener->server = server;
    listener->fd = fd;
    listener->path = g_strdup(path);
    listener->options = *options;
    listener->watch = virEventWatchAdd(fd, 0, listenerReady, listener, NULL, error);
    if (!listener->watch) {
        listenerFree(listener);
        return false;
    }
    g_ptr_array_add(server->listeners, listener);
    updateListeners(server);
    return true;
}

static bool
bindUNIX(int fd, const char *path, mode_t mode, gid_t group, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("socket path '%s' is longer than %zu bytes"), path,
                           sizeof(address.sun_path) - 1);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (unlink(path) < 0 && errno != ENOENT)
        return virErrorErrno(error, _("cannot remove the stale socket '%s'"), path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return virErrorErrno(error, _("Failed to bind socket to '%s'"), path);
    /* Nobody can connect before listen(2): no moment with other rights than these. */
    if (group != (gid_t)-1 && chown(path, (uid_t)-1, group) < 0)
        return virErrorErrno(error, _("cannot give '%s' to group %u"), path, (unsigned)group);
    if (chmod(path, mode) < 0)
        return virErrorErrno(error, _("cannot set the mode of '%s'"), path);
    return true;
}

bool
virNetServerListenUNIX(virNetServer *server, const char *path, mode_t mode, gid_t group,
                       const virNetListenOptions *options, GError **error)
{
    VIR_AUTOCLOSE fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return virErrorErrno(error, "%s", _("Failed to create socket"));
    if (!bindUNIX(fd, path, mode, group, error))
        return false;
    if (listen(fd, LISTEN_BACKLOG) < 0)
        return virErrorErrno(error, _("cannot listen on '%s'"), path);
    return addListener(server, g_steal_fd(&fd), path, options, error);
}

bool
virNetServerListenFd(virNetServer *server, int fd, const virNetListenOptions *options,
                     GError **error)
{
    return addListener(server, fd, NULL, options, error);
}

void
virNetServerStart(virNetServer *server)
{
    server->accepting = true;
    updateListeners(server);
}

void
virNetServerStop(virNetServer *server)
{
    server->accepting = false;
    g_ptr_array_set_size(server->listeners, 0);
}

void
virNetServerForEachClient(virNetServer *server,
                          void (*func)(virNetServerClient *client, void *opaque), void *opaque)
{
    GHashTableIter iter;
    void *client;

    /* Closing is a post: the table stays as it is meanwhile. */
    g_hash_table_iter_init(&iter, server->clients);
    while (g_hash_table_iter_next(&iter, NULL, &client))
        func(client, opaque);
}
