/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerlisten.c: the socket that handlers connect to, and who may. Event thread. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "delegate/virhandlerspriv.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virutil.h"

#ifndef SO_PEERPIDFD /* Linux 6.5, include/uapi/asm-generic/socket.h */
#define SO_PEERPIDFD 77
#endif

enum { PEERS_MAX = 64 };

static bool
userMay(const virHandlers *handlers, uid_t uid)
{
    for (guint i = 0; i < handlers->users->len; i++) {
        if (g_array_index(handlers->users, uid_t, i) == uid)
            return true;
    }
    return false;
}

/* The process's group on cgroup v2, as the kernel names it; NULL if it has ended. Caller frees. */
static char *
groupOf(pid_t pid, int pidfd)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = virFileRead(path, 65536, NULL, NULL);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    const char *group = NULL;

    for (char **line = lines; line && *line && !group; line++)
        group = g_str_has_prefix(*line, "0::") ? *line + 3 : NULL;
    /* Still there: so the number was this process's all the time. */
    return group && poll(&ended, 1, 0) == 0 ? g_strdup(group) : NULL;
}

/* Whoever connected is in a group that is allowed. */
static bool
groupMay(const virHandlers *handlers, int fd, pid_t pid)
{
    g_autofree char *group = NULL;
    VIR_AUTOCLOSE pidfd = -1;
    socklen_t len = sizeof(pidfd);

    if (handlers->groups->len == 0)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) < 0)
        pidfd = pidfd_open(pid, 0); /* before Linux 6.5 */
    if (pidfd < 0 || !(group = groupOf(pid, pidfd)))
        return false;
    for (guint i = 0; i < handlers->groups->len; i++) {
        const char *allowed = g_ptr_array_index(handlers->groups, i);
        size_t size = strlen(allowed);

        if (g_str_has_prefix(group, allowed) && (group[size] == '/' || group[size] == '\0'))
            return true;
    }
    return false;
}

bool
virHandlersAdd(virHandlers *handlers, int fd, GError **error)
{
    struct ucred who = {.pid = 0, .uid = geteuid()};
    socklen_t len = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0) {
        virErrorErrno(error, _("descriptor %d is no handler's socket"), fd);
        virCloseFd(&fd);
        return false;
    }
    return virHandlerPeerAdd(handlers, fd, &who, error);
}

/* Where there are as many connections as may be, one that serves nothing gives way. */
static void
endIdlePeer(virHandlers *handlers)
{
    for (guint i = 0; i < handlers->peers->len; i++) {
        virHandlerPeer *peer = g_ptr_array_index(handlers->peers, i);
        bool serves;

        g_mutex_lock(&handlers->lock);
        serves = virHandlersServes(handlers, peer);
        g_mutex_unlock(&handlers->lock);
        if (!serves) {
            virHandlerPeerEnd(peer);
            return;
        }
    }
}

static void
listenReady(int fd, unsigned events, void *opaque)
{
    virHandlers *handlers = opaque;
    VIR_AUTOCLOSE client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    g_autoptr(GError) error = NULL;
    struct ucred who;
    socklen_t len = sizeof(who);

    (void)events;
    if (client < 0 || getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return; /* gone again */
    if (handlers->peers->len >= PEERS_MAX)
        endIdlePeer(handlers);
    if (!userMay(handlers, who.uid) || !groupMay(handlers, client, who.pid) ||
        handlers->peers->len >= PEERS_MAX) {
        VIR_WARN("process %d of user %u may not be a handler here", (int)who.pid,
                 (unsigned)who.uid);
        return;
    }
    if (!virHandlerPeerAdd(handlers, g_steal_fd(&client), &who, &error))
        VIR_WARN("%s", error->message);
}

bool
virHandlersListen(virHandlers *handlers, const char *folder, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    handlers->path = g_build_filename(folder, "sock", NULL);
    if (strlen(handlers->path) >= sizeof(address.sun_path))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("socket path '%s' is longer than %zu bytes"), handlers->path,
                           sizeof(address.sun_path) - 1);
    if (!virFileMakePath(folder, 0700, error))
        return false;
    if (chmod(folder, 0700) < 0)
        return virErrorErrno(error, _("cannot close '%s' to others"), folder);
    if (!virHandlersSeed(handlers, folder, error))
        return false;
    strcpy(address.sun_path, handlers->path); /* fits: looked above */
    (void)unlink(handlers->path);             /* of a daemon that was killed */
    handlers->listenFd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (handlers->listenFd < 0 ||
        bind(handlers->listenFd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(handlers->listenFd, SOMAXCONN) < 0)
        return virErrorErrno(error, _("cannot listen on '%s'"), handlers->path);
    handlers->listenWatch =
        virEventWatchAdd(handlers->listenFd, EPOLLIN, listenReady, handlers, NULL, error);
    return handlers->listenWatch != NULL;
}
