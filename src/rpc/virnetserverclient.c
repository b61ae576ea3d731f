/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetserverclient.c: a connection's beginning, its flags, and its end. */
#include "rpc/virnetserverclient.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rpc/virnetpriv.h"
#include "rpc/virnetstreampriv.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

#ifndef SO_PEERPIDFD /* Linux 6.5 */
#define SO_PEERPIDFD 77
#endif

static bool
identityFill(virNetIdentity *identity, int fd, GError **error)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return virErrorErrno(error, "%s", _("Failed to get client socket identity"));
    identity->uid = peer.uid;
    identity->gid = peer.gid;
    identity->pid = peer.pid;
    len = sizeof(identity->pidfd);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &identity->pidfd, &len) == 0)
        return true;
    /* An older kernel. The process may have ended and its number be another's by now; the
     * credentials are those of connect(2) either way. */
    identity->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    return true;
}

static void
clientReady(int fd G_GNUC_UNUSED, unsigned events, void *opaque)
{
    virNetServerClient *client = opaque;

    if (virNetServerClientIsClosed(client))
        return;
    if (events & EPOLLOUT)
        virNetOutputReady(client);
    if (events & EPOLLIN)
        virNetInputReady(client);
    else if (events & (EPOLLHUP | EPOLLERR))
        virNetServerClientClose(client, NULL);
}

static void
clientUnref(void *opaque)
{
    virNetServerClientUnref(opaque);
}

virNetServerClient *
virNetServerClientNew(virNetServer *server, int fd, uint64_t id, const virNetListenOptions *options,
                      GError **error)
{
    g_autoptr(virNetServerClient) client = g_new0(virNetServerClient, 1);

    client->refs = 1;
    client->server = server;
    client->fd = fd;
    client->id = id;
    client->timestamp = g_get_real_time() / G_USEC_PER_SEC;
    client->auth = options->auth;
    client->identity.pidfd = -1;
    g_mutex_init(&client->mutex);
    g_queue_init(&client->out);
    virNetInputInit(client);
    virNetServerClientSet(client, VIR_NET_CLIENT_READONLY, options->readonly);
    virNetServerClientSet(client, VIR_NET_CLIENT_AUTHENTICATED, options->auth == VIR_NET_AUTH_NONE);
    if (!identityFill(&client->identity, fd, error))
        return NULL;
    client->watched = EPOLLIN;
    client->watch = virEventWatchAdd(fd, EPOLLIN, clientReady, virNetServerClientRef(client),
                                     clientUnref, error);
    if (!client->watch) {
        virNetServerClientUnref(client); /* the watch's */
        return NULL;
    }
    return g_steal_pointer(&client);
}

virNetServerClient *
virNetServerClientRef(virNetServerClient *client)
{
    g_atomic_int_inc(&client->refs);
    return client;
}

void
virNetServerClientUnref(virNetServerClient *client)
{
    if (!client || !g_atomic_int_dec_and_test(&client->refs))
        return;
    if (client->release)
        client->release(client->data);
    virNetInputClear(client);
    virCloseFd(&client->identity.pidfd);
    virCloseFd(&client->fd);
    g_mutex_clear(&client->mutex);
    g_free(client);
}

static void
clientTurn(void *opaque)
{
    g_autoptr(virNetServerClient) client = opaque;

    g_atomic_int_set(&client->turnPosted, 0);
    if (!virNetServerClientIsClosed(client))
        virNetInputContinue(client);
}

void
virNetServerClientWake(virNetServerClient *client)
{
    if (g_atomic_int_compare_and_exchange(&client->turnPosted, 0, 1))
        virEventPost(clientTurn, virNetServerClientRef(client));
}

/* The end. What is queued is dropped, jobs under way find nobody to answer. */
static void
clientEnd(void *opaque)
{
    g_autoptr(virNetServerClient) client = opaque;

    virNetKeepaliveStop(client);
    virNetStreamCloseAll(client);
    virNetDispatchClear(client);
    g_mutex_lock(&client->mutex);
    client->closed = true;
    virNetOutputClear(client);
    g_mutex_unlock(&client->mutex);
    virEventWatchRemove(client->watch);
    client->watch = NULL;
    virCloseFd(&client->fd);
    virNetInputClear(client);
    client->closedCalled = true;
    if (client->closedFunc)
        client->closedFunc(client->data);
    virNetServerForget(client->server, client);
}

void
virNetServerClientClose(virNetServerClient *client, const char *reason)
{
    if (!g_atomic_int_compare_and_exchange(&client->closing, 0, 1))
        return;
    if (reason)
        VIR_WARN("client %" PRIu64 " (process %d of user %u) is cut off: %s", client->id,
                 (int)client->identity.pid, client->identity.uid, reason);
    virEventPost(clientEnd, virNetServerClientRef(client));
}

void
virNetServerClientFault(virNetServerClient *client, const char *fmt, ...)
{
    g_autofree char *reason = NULL;
    va_list ap;

    va_start(ap, fmt);
    reason = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    virNetServerClientClose(client, reason);
}

bool
virNetServerClientIsClosed(virNetServerClient *client)
{
    return g_atomic_int_get(&client->closing);
}

virNetServer *
virNetServerClientServer(virNetServerClient *client)
{
    return client->server;
}

const virNetIdentity *
virNetServerClientIdentity(virNetServerClient *client)
{
    return &client->identity;
}

uint64_t
virNetServerClientId(virNetServerClient *client)
{
    return client->id;
}

int64_t
virNetServerClientTimestamp(virNetServerClient *client)
{
    return client->timestamp;
}

bool
virNetServerClientHas(virNetServerClient *client, virNetClientFlags flag)
{
    return g_atomic_int_get(&client->flags) & (int)flag;
}

void
virNetServerClientSet(virNetServerClient *client, virNetClientFlags flag, bool on)
{
    if (on)
        g_atomic_int_or((unsigned *)&client->flags, flag);
    else
        g_atomic_int_and((unsigned *)&client->flags, ~(unsigned)flag);
}

void
virNetServerClientStartKeepalive(virNetServerClient *client)
{
    virNetServerClientSet(client, VIR_NET_CLIENT_KEEPALIVE, true);
    virNetKeepaliveStart(client);
}

void
virNetServerClientSetPrivate(virNetServerClient *client, void *data, void (*closed)(void *data),
                             GDestroyNotify release)
{
    g_assert(virEventIsLoopThread() && !client->data);
    client->data = data;
    client->release = release;
    client->closedFunc = closed;
    if (client->closedCalled && closed)
        closed(data);
}

void *
virNetServerClientPrivate(virNetServerClient *client)
{
    return client->data;
}

void
virNetServerClientSend(virNetServerClient *client, virNetMessage *message)
{
    virNetOutputQueue(client, virNetMessageRef(message));
}

bool
virNetServerClientSendEvent(virNetServerClient *client, const virNetProgram *program,
                            int32_t procedure, const void *value, GError **error)
{
    const virNetProcedure *row = virNetProgramProcedure(program, procedure);
    virNetMessage *message;

    g_assert(row && row->kind == VIR_NET_EVENT);
    message = virNetMessageNewEvent(program->number, program->version, procedure, row->args, value,
                                    error);
    if (!message)
        return false;
    virNetOutputQueue(client, message);
    return true;
}
