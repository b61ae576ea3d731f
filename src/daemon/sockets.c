/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sockets.c: the three client sockets, under our names and libvirt's. */
#include "daemon/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { FIRST_PASSED_FD = 3 };

typedef enum {
    SOCKET_RW,
    SOCKET_RO,
    SOCKET_ADMIN,
    SOCKET_LAST,
} socketKind;

static const char *const ownNames[] = {"virtward-sock", "virtward-sock-ro", "virtward-admin-sock"};
static const char *const libvirtNames[] = {"libvirt-sock", "libvirt-sock-ro", "libvirt-admin-sock"};
G_STATIC_ASSERT(G_N_ELEMENTS(ownNames) == SOCKET_LAST);
G_STATIC_ASSERT(G_N_ELEMENTS(libvirtNames) == SOCKET_LAST);

static virNetServer *
serverOf(const virDaemonServers *servers, socketKind kind)
{
    return kind == SOCKET_ADMIN ? servers->admin : servers->clients;
}

static virNetListenOptions
optionsOf(socketKind kind)
{
    return (virNetListenOptions){.readonly = kind == SOCKET_RO, .auth = VIR_NET_AUTH_NONE};
}

/* How many descriptors the service manager passed to this very process. */
static int
passedCount(void)
{
    const char *pid = g_getenv("LISTEN_PID");
    const char *count = g_getenv("LISTEN_FDS");
    int n = 0;

    if (pid && count && strtol(pid, NULL, 10) == getpid())
        n = (int)CLAMP(strtol(count, NULL, 10), 0, 16);
    /* Not for our children. */
    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
    return n;
}

/* Which socket it is, by the name it is bound to. */
static bool
passedKind(int fd, socketKind *retKind, GError **error)
{
    struct sockaddr_un address;
    socklen_t len = sizeof(address);
    g_autofree char *path = NULL;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return virErrorErrno(error, _("descriptor %d was passed but is no socket"), fd);
    if (address.sun_family != AF_UNIX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("descriptor %d was passed but is no UNIX socket"), fd);
    path = g_strndup(address.sun_path, len - offsetof(struct sockaddr_un, sun_path));
    if (g_str_has_suffix(path, "-admin-sock"))
        *retKind = SOCKET_ADMIN;
    else
        *retKind = g_str_has_suffix(path, "-sock-ro") ? SOCKET_RO : SOCKET_RW;
    return true;
}

/* One that is connected already, and speaks packets. */
static bool
isHandlersChannel(int fd)
{
    int type = 0, listens = 1;
    socklen_t len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && !listens;
}

/* *retListening: how many of them clients come to. */
static bool
listenPassed(const virDaemonServers *servers, int count, int *retListening, GError **error)
{
    for (int fd = FIRST_PASSED_FD; fd < FIRST_PASSED_FD + count; fd++) {
        virNetListenOptions options;
        socketKind kind = SOCKET_RW;

        if (!passedKind(fd, &kind, error))
            return false;
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
            return virErrorErrno(error, _("cannot set up the passed descriptor %d"), fd);
        if (isHandlersChannel(fd)) {
            if (!virHandlersAdd(servers->handlers, fd, error))
                return false;
            continue;
        }
        ++*retListening;
        options = optionsOf(kind);
        if (!virNetServerListenFd(serverOf(servers, kind), fd, &options, error))
            return false;
    }
    return true;
}

/* -1 where none is configured. */
static bool
groupId(const char *name, gid_t *retGroup, GError **error)
{
    struct group *group;

    *retGroup = (gid_t)-1;
    if (!name)
        return true;
    errno = 0;
    group = getgrnam(name);
    if (!group)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("there is no group '%s' for the sockets"), name);
    *retGroup = group->gr_gid;
    return true;
}

static bool
listenBelow(const virDaemonServers *servers, const char *folder, const char *const *names,
            const virDaemonConfig *config, GError **error)
{
    const unsigned modes[] = {config->unix_sock_rw_perms, config->unix_sock_ro_perms,
                              config->unix_sock_admin_perms};
    gid_t group;

    if (!groupId(config->unix_sock_group, &group, error))
        return false;
    for (int kind = 0; kind < SOCKET_LAST; kind++) {
        g_autofree char *path = g_build_filename(folder, names[kind], NULL);
        virNetListenOptions options = optionsOf((socketKind)kind);

        if (!virNetServerListenUNIX(serverOf(servers, (socketKind)kind), path, modes[kind],
                                    kind == SOCKET_ADMIN ? (gid_t)-1 : group, &options, error))
            return false;
    }
    return true;
}

bool
virDaemonListen(const virDaemonServers *servers, const virDaemonLayout *layout,
                const virDaemonConfig *config, GError **error)
{
    int listening = 0;

    if (!listenPassed(servers, passedCount(), &listening, error))
        return false;
    if (listening > 0)
        return true;
    if (!listenBelow(servers, layout->run, ownNames, config, error))
        return false;
    if (!config->libvirt_sockets)
        return true;
    return virFileMakePath(layout->libvirtRun, 0755, error) &&
           listenBelow(servers, layout->libvirtRun, libvirtNames, config, error);
}
