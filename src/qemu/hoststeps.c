/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hoststeps.c: the steps of a plan that the daemon does itself: opening, making, listening.
 *
 * In a job, without the core lock. Whatever outlives a descriptor is put on the guest's list of
 * resources before it is made (start.c and hotplug.c save the list). */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu/guest.h"
#include "qemu/hostfiles.h"
#include "qemu/hostpci.h"
#include "qemu/hosttap.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virpci.h"

typedef struct {
    unsigned host, n;
    int fd;
} qemuHostFd;

struct qemuHostFds {
    GArray *fds; /* qemuHostFd */
};

static void
qemuHostFdClear(void *opaque)
{
    virCloseFd(&((qemuHostFd *)opaque)->fd);
}

qemuHostFds *
qemuHostFdsNew(void)
{
    qemuHostFds *fds = g_new0(qemuHostFds, 1);

    fds->fds = g_array_new(FALSE, FALSE, sizeof(qemuHostFd));
    g_array_set_clear_func(fds->fds, qemuHostFdClear);
    return fds;
}

void
qemuHostFdsFree(qemuHostFds *fds)
{
    if (!fds)
        return;
    g_array_unref(fds->fds);
    g_free(fds);
}

int
qemuHostFdsGet(const qemuHostFds *fds, unsigned host, unsigned n)
{
    for (guint i = 0; i < fds->fds->len; i++) {
        const qemuHostFd *at = &g_array_index(fds->fds, qemuHostFd, i);

        if (at->host == host && at->n == n)
            return at->fd;
    }
    return -1;
}

unsigned
qemuHostFdsCount(const qemuHostFds *fds)
{
    return fds->fds->len;
}

int
qemuHostFdsAt(const qemuHostFds *fds, unsigned index)
{
    return g_array_index(fds->fds, qemuHostFd, index).fd;
}

unsigned
qemuHostFdsIndex(const qemuHostFds *fds, unsigned host, unsigned n)
{
    for (guint i = 0; i < fds->fds->len; i++) {
        const qemuHostFd *at = &g_array_index(fds->fds, qemuHostFd, i);

        if (at->host == host && at->n == n)
            return i;
    }
    g_assert_not_reached();
}

void
qemuHostFdsAdd(qemuHostFds *fds, unsigned host, unsigned n, int fd)
{
    qemuHostFd entry = {host, n, fd};

    g_array_append_val(fds->fds, entry);
}

/* The path, or the other one where it isn't there. */
static const char *
qemuHostNode(const qmpHostStep *step)
{
    return step->elsePath && access(step->path, F_OK) < 0 ? step->elsePath : step->path;
}

static bool
qemuHostOpen(qemuGuest *guest, const virDelegateCall *call, virDelegateDevice device,
             const char *path, int flags, unsigned count, unsigned host, qemuHostFds *fds,
             GError **error)
{
    for (unsigned n = 0; n < count; n++) {
        int fd;

        if (!virDelegateDeviceOpen(guest->driver->door, call, device, path, flags, &fd, error))
            return false;
        qemuHostFdsAdd(fds, host, n, fd);
    }
    return true;
}

/* A descriptor that has claimed the context id: the claim lives as long as it. */
static bool
qemuHostVsock(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step, unsigned host,
              qemuHostFds *fds, GError **error)
{
    uint64_t cid = step->cid;
    VIR_AUTOCLOSE fd = -1;

    if (!virDelegateDeviceOpen(guest->driver->door, call, VIR_DELEGATE_DEVICE_VHOST_VSOCK, NULL,
                               O_RDWR, &fd, error) ||
        !qemuVsockClaim(fd, &cid, error))
        return false;
    qemuHostFdsAdd(fds, host, 0, g_steal_fd(&fd));
    return true;
}

static bool
qemuHostListen(qemuGuest *guest, const virDelegateCall *call, const char *path, unsigned host,
               qemuHostFds *fds, GError **error)
{
    VIR_AUTOCLOSE fd = qemuListenUnix(path, error);
    VIR_AUTOCLOSE node = -1;
    virDelegateOwner owner = {guest->driver->uid, guest->driver->gid, VIR_DELEGATE_KEEP_MODE};

    if (fd < 0)
        return false;
    /* clients of the guest's user may connect, as if QEMU had made the socket */
    node = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (node < 0)
        return virErrorErrno(error, _("cannot open %s"), path);
    if (guest->driver->uid != VIR_SPAWN_KEEP_ID &&
        !virDelegateOwnSet(guest->driver->door, call, node, &owner, NULL, error))
        return false;
    qemuHostFdsAdd(fds, host, 0, g_steal_fd(&fd));
    return true;
}

bool
qemuHostStepCheck(const qmpHostStep *step, GError **error)
{
    switch (step->type) {
    case QMP_HOST_VHOST_USER_GPU:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<driver name='vhostuser'> of <video>: starting its process is not "
                             "supported yet"));
    case QMP_HOST_LEASE:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<lease>: no lock manager is there to take leases"));
    case QMP_HOST_VFIO:
        return virPCIIsAddress(step->path) ||
               virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<hostdev type='mdev'>: mediated devices are not supported yet"));
    default:
        return true;
    }
}

bool
qemuHostStepRun(qemuGuest *guest, const virDelegateCall *call, unsigned host,
                const qmpHostStep *step, qemuHostFds *fds, GError **error)
{
    switch (step->type) {
    case QMP_HOST_OPEN:
        return qemuHostOpen(guest, call, VIR_DELEGATE_DEVICE_NODE, qemuHostNode(step), step->flags,
                            MAX(step->fds, 1), host, fds, error);
    case QMP_HOST_VHOST_NET:
        return qemuHostOpen(guest, call, VIR_DELEGATE_DEVICE_VHOST_NET, NULL, O_RDWR, step->fds,
                            host, fds, error);
    case QMP_HOST_VSOCK:
        return qemuHostVsock(guest, call, step, host, fds, error);
    case QMP_HOST_TAP:
        return qemuHostTap(guest, call, step, host, fds, error);
    case QMP_HOST_BRIDGE:
        if (if_nametoindex(step->bridge) == 0)
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("bridge %s doesn't exist"),
                               step->bridge);
        return virDelegateNetAttach(guest->driver->door, call, step->ifname, step->bridge, error);
    case QMP_HOST_LISTEN:
        return qemuHostListen(guest, call, step->path, host, fds, error);
    case QMP_HOST_FILE:
        return qemuWriteOwnedFile(guest, call, step->path, step->text, error);
    case QMP_HOST_VHOST_USER_GPU:
    case QMP_HOST_LEASE:
        return qemuHostStepCheck(step, error);
    case QMP_HOST_VFIO:
        return qemuHostStepCheck(step, error) &&
               (step->fds ? qemuHostPCIGroupIsUnused(step->path, error) &&
                                qemuHostOpen(guest, call, VIR_DELEGATE_DEVICE_VFIO_CDEV, step->path,
                                             O_RDWR, 1, host, fds, error)
                          : qemuHostPCICheckGroup(guest, call, step->path, error));
    case QMP_HOST_IOMMUFD:
        return qemuHostOpen(guest, call, VIR_DELEGATE_DEVICE_IOMMUFD, NULL, O_RDWR, 1, host, fds,
                            error);
    case QMP_HOST_LOG: {
        int fd = open(step->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | step->flags, 0600);

        if (fd < 0)
            return virErrorErrno(error, _("cannot open log file %s"), step->path);
        qemuHostFdsAdd(fds, host, 0, fd);
        return true;
    }
    }
    return true;
}
