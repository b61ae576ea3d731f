/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostfiles.c: see hostfiles.h. */
#include "qemu/hostfiles.h"
#include "qemu/owed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vhost.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"

static bool
qemuGiveToGuest(qemuGuest *guest, const virDelegateCall *call, int fd, GError **error)
{
    virDelegateOwner owner = {guest->driver->uid, guest->driver->gid, VIR_DELEGATE_KEEP_MODE};

    return guest->driver->uid == VIR_SPAWN_KEEP_ID ||
           virDelegateOwnSet(guest->driver->door, call, fd, &owner, NULL, error);
}

bool
qemuFileNeedsOwner(const qemuDriver *driver, const virHostResource *file, const struct stat *st)
{
    bool readable =
        (st->st_mode & S_IROTH) || (st->st_gid == driver->gid && (st->st_mode & S_IRGRP));

    return driver->uid != VIR_SPAWN_KEEP_ID && driver->config.dynamicOwnership &&
           st->st_uid != driver->uid && ((file->mode & VIR_HOST_WRITE) || !readable);
}

qemuResource *
qemuFileResource(qemuDriver *driver, const virHostResource *file, const char *alias,
                 const struct stat *st)
{
    uid_t uid = st->st_uid;
    gid_t gid = st->st_gid;
    qemuResource *resource;

    if (!qemuOwedClaim(driver, file->path, st, &uid, &gid) && !qemuFileNeedsOwner(driver, file, st))
        return NULL;
    resource = qemuResourceNew(QEMU_RESOURCE_OWNER, file->path, alias);
    resource->uid = uid;
    resource->gid = gid;
    return resource;
}

bool
qemuMakeOwnedFolder(qemuGuest *guest, const virDelegateCall *call, const char *path, GError **error)
{
    VIR_AUTOCLOSE fd = -1;

    if (!virFileMakePath(path, 0750, error))
        return false;
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return virErrorErrno(error, _("cannot open folder %s"), path);
    return qemuGiveToGuest(guest, call, fd, error);
}

bool
qemuWriteOwnedBytes(qemuGuest *guest, const virDelegateCall *call, const char *path,
                    const void *bytes, size_t len, GError **error)
{
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return virErrorErrno(error, _("cannot create %s"), path);
    if (!virFileWriteAll(fd, bytes, len))
        return virErrorErrno(error, _("cannot write %s"), path);
    return qemuGiveToGuest(guest, call, fd, error);
}

bool
qemuWriteOwnedFile(qemuGuest *guest, const virDelegateCall *call, const char *path,
                   const char *text, GError **error)
{
    return qemuWriteOwnedBytes(guest, call, path, text, strlen(text), error);
}

static bool
qemuUnixAddress(const char *path, struct sockaddr_un *address, GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("UNIX socket path '%s' is longer than %zu bytes"), path,
                           sizeof(address->sun_path) - 1);
    g_strlcpy(address->sun_path, path, sizeof(address->sun_path));
    return true;
}

int
qemuListenUnix(const char *path, GError **error)
{
    struct sockaddr_un address;
    VIR_AUTOCLOSE fd = -1;

    if (!qemuUnixAddress(path, &address, error))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        virErrorErrno(error, "%s", _("cannot create a UNIX socket"));
        return -1;
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        virErrorErrno(error, _("cannot remove %s"), path);
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0) {
        virErrorErrno(error, _("cannot listen on %s"), path);
        return -1;
    }
    return g_steal_fd(&fd);
}

int
qemuConnectUnix(const char *path, GError **error)
{
    struct sockaddr_un address;
    VIR_AUTOCLOSE fd = -1;

    if (!qemuUnixAddress(path, &address, error))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        virErrorErrno(error, _("cannot connect to %s"), path);
        return -1;
    }
    return g_steal_fd(&fd);
}

bool
qemuVsockClaim(int fd, uint64_t *cid, GError **error)
{
    uint64_t try = *cid ? *cid : 3; /* 0 to 2 are reserved: vsock(7) */

    while (ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &try) < 0) {
        if (errno != EADDRINUSE || *cid || try == UINT32_MAX)
            return virErrorErrno(error, _("cannot claim vsock context id %" PRIu64), try);
        try++;
    }
    *cid = try;
    return true;
}

uint64_t
qemuProcessStartTime(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = virFileRead(path, 4096, NULL, NULL);
    const char *at = text ? strrchr(text, ')') : NULL; /* the name may hold anything */

    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}
