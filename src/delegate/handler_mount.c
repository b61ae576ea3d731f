/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler_mount.c: the hook for mounts done by a handler. Targets: the process whose namespace it
 * is, the daemon's own mount namespace (a mount can be copied from within its namespace alone), the
 * folder, and the sources in the order of the rows that have one. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "delegate/handler.h"
#include "util/virerror.h"
#include "util/virutil.h"

static const int kinds[] = {
    [VIR_DELEGATE_MOUNT_TMPFS] = HANDLER_MOUNT_KIND_TMPFS,
    [VIR_DELEGATE_MOUNT_BIND] = HANDLER_MOUNT_KIND_BIND,
    [VIR_DELEGATE_MOUNT_DEVPTS] = HANDLER_MOUNT_KIND_DEVPTS,
    [VIR_DELEGATE_MOUNT_NODE] = HANDLER_MOUNT_KIND_NODE,
    [VIR_DELEGATE_MOUNT_LINK] = HANDLER_MOUNT_KIND_LINK,
};

bool
virDelegateHandlerMountApply(virDelegate *door, const virDelegateCall *call, int pidfd, int dirFd,
                             const virDelegateMount *mounts, size_t nmounts, GError **error)
{
    VIR_AUTOCLOSE space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    g_autofree handler_mount *rows = g_new0(handler_mount, nmounts);
    g_autofree int *fds = g_new(int, nmounts + 3);
    handler_mount_apply_args args = {.mounts_len = (uint32_t)nmounts, .mounts_val = rows};
    size_t nfds = 0;

    if (space < 0)
        return virErrorErrno(error, _("cannot open the mount namespace"));
    fds[nfds++] = pidfd;
    fds[nfds++] = space;
    fds[nfds++] = dirFd;
    for (size_t i = 0; i < nmounts; i++) {
        const virDelegateMount *mount = &mounts[i];

        rows[i] = (handler_mount){.kind = kinds[mount->kind],
                                  .target = mount->name,
                                  .size = mount->size,
                                  .mode = mount->mode,
                                  .uid = mount->uid,
                                  .gid = mount->gid,
                                  .major = major(mount->device),
                                  .minor = minor(mount->device),
                                  .text = mount->text ? mount->text : ""};
        if (mount->kind == VIR_DELEGATE_MOUNT_BIND)
            fds[nfds++] = mount->sourceFd;
    }
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_MOUNT_APPLY, &args, fds, nfds, error);
}

bool
virDelegateHandlerMountBind(virDelegate *door, const virDelegateCall *call, int pidfd, int sourceFd,
                            int dirFd, const char *name, GError **error)
{
    const virDelegateMount bind = {
        .kind = VIR_DELEGATE_MOUNT_BIND, .name = name, .sourceFd = sourceFd};
    /* the place is the daemon's to make: the folder may be any to the handler */
    VIR_AUTOCLOSE place = openat(dirFd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    if (place < 0)
        return virErrorErrno(error, _("cannot make a place to mount '%s'"), name);
    if (virDelegateHandlerMountApply(door, call, pidfd, dirFd, &bind, 1, error))
        return true;
    (void)unlinkat(dirFd, name, 0); /* the error in hand says more */
    return false;
}
