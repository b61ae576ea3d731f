/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_file.c: the hooks for devices, nodes and ownership, done here. Needs the node's
 * permissions, CAP_MKNOD, CAP_CHOWN and CAP_FOWNER. */
#include <fcntl.h>
#include <sys/stat.h>

#include "delegate/local.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

/* The path of a device's node; caller frees. */
static char *
virDelegateLocalNode(const virDelegate *door, virDelegateDevice device, const char *identity,
                     GError **error)
{
    char *path = NULL;
    virVFIOKind kind;
    dev_t number;

    switch (device) {
    case VIR_DELEGATE_DEVICE_KVM:
        return g_strdup("/dev/kvm");
    case VIR_DELEGATE_DEVICE_VHOST_NET:
        return g_strdup("/dev/vhost-net");
    case VIR_DELEGATE_DEVICE_VHOST_VSOCK:
        return g_strdup("/dev/vhost-vsock");
    default:
        break;
    }
    if (!virDelegateDeviceIsVFIO(device, &kind))
        return g_strdup(identity);
    return virVFIONode(door->sysfs, kind, identity, &path, &number, error) ? path : NULL;
}

bool
virDelegateLocalDeviceOpen(virDelegate *door, const virDelegateCall *call, virDelegateDevice device,
                           const char *identity, int flags, int *retFd, GError **error)
{
    g_autofree char *node = NULL;
    int fd;

    if (device == VIR_DELEGATE_DEVICE_TAP)
        return virNetDevTapNodeOpen(identity, flags, retFd, error);
    node = virDelegateLocalNode(door, device, identity, error);
    if (!node)
        return false;
    fd = open(node, flags | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return virErrorErrno(error, _("cannot open %s"), node);
    *retFd = fd;
    return true;
}

bool
virDelegateLocalNodeCreate(virDelegate *door, const virDelegateCall *call, int dirFd,
                           const char *name, mode_t mode, dev_t device, uid_t uid, gid_t gid,
                           GError **error)
{
    if (!S_ISCHR(mode) && !S_ISBLK(mode))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("'%s' is to be no device node"), name);
    if (mknodat(dirFd, name, mode, device) < 0)
        return virErrorErrno(error, _("cannot make device node '%s'"), name);
    /* mknod obeys the umask */
    if (fchmodat(dirFd, name, mode & 07777, 0) < 0 ||
        fchownat(dirFd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) {
        virErrorErrno(error, _("cannot set owner and mode of device node '%s'"), name);
        (void)unlinkat(dirFd, name, 0); /* the error in hand says more */
        return false;
    }
    return VIR_FAULT_STEP("node:made", error);
}

bool
virDelegateLocalOwnSet(virDelegate *door, const virDelegateCall *call, int fd,
                       const virDelegateOwner *wanted, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd); /* fchmod refuses O_PATH */
    struct stat st;

    if (fstat(fd, &st) < 0)
        return virErrorErrno(error, _("cannot look at a file's owner"));
    if ((st.st_uid != wanted->uid || st.st_gid != wanted->gid) &&
        fchownat(fd, "", wanted->uid, wanted->gid, AT_EMPTY_PATH) < 0)
        return virErrorErrno(error, _("unable to set user and group to '%u:%u'"),
                             (unsigned)wanted->uid, (unsigned)wanted->gid);
    /* Looked at again: a change of owner clears some bits. */
    if (fstat(fd, &st) == 0 && (st.st_mode & 07777) == wanted->mode)
        return true;
    if (S_ISLNK(st.st_mode) || chmod(path, wanted->mode) < 0)
        return virErrorErrno(error, _("unable to set the mode to %04o"), (unsigned)wanted->mode);
    return true;
}
