/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_mount.c: the hook for mounts in a guest's namespace, done here by a child that enters it:
 * move_mount(2) mounts in the caller's own namespace only, and a process with threads may not
 * change its own (setns(2)). Between clone and its end the child calls setns, move_mount and _exit.
 * Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT in the user namespace that owns the mount namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/local.h"
#include "util/virclone.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virspawn.h"
#include "util/virutil.h"

/* The child's exit status is the errno of what failed. */
G_NORETURN static void
virDelegateLocalMountChild(int process, int tree, int dirFd, const char *name)
{
    if (setns(process, CLONE_NEWNS) < 0 ||
        syscall(SYS_move_mount, tree, "", dirFd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        _exit(errno);
    _exit(0);
}

static bool
virDelegateLocalMountTree(int process, int tree, int dirFd, const char *name, GError **error)
{
    VIR_AUTOCLOSE pidfd = -1;
    pid_t pid = virClonePlain(&pidfd);
    int status = 0;

    if (pid == 0)
        virDelegateLocalMountChild(process, tree, dirFd, name);
    if (pid < 0)
        return virErrorErrno(error, _("cannot create a process to mount '%s'"), name);
    if (!virSpawnReap(pidfd, &status, error))
        return false;
    if (!WIFEXITED(status))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("the process to mount '%s' was killed"),
                           name);
    return WEXITSTATUS(status) == 0 ||
           virErrorErrnoValue(error, WEXITSTATUS(status),
                              _("cannot mount '%s' in the guest's mount namespace"), name);
}

bool
virDelegateLocalMountBind(virDelegate *door, const virDelegateCall *call, int pidfd, int sourceFd,
                          int dirFd, const char *name, GError **error)
{
    VIR_AUTOCLOSE tree = (int)syscall(SYS_open_tree, sourceFd, "",
                                      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    VIR_AUTOCLOSE file = -1;

    if (tree < 0)
        return virErrorErrno(error, _("cannot copy the mount of '%s'"), name);
    file = openat(dirFd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        return virErrorErrno(error, _("cannot make a place to mount '%s'"), name);
    if (!virDelegateLocalMountTree(pidfd, tree, dirFd, name, error)) {
        (void)unlinkat(dirFd, name, 0); /* the error in hand says more */
        return false;
    }
    return VIR_FAULT_STEP("mount:bound", error);
}
