/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_file.c: the front of the hooks for devices, nodes and ownership: what must hold
 * before and after. In a job, without the core lock. */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/magic.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/virerror.h"
#include "util/virutil.h"

bool
virDelegateDeviceIsVFIO(virDelegateDevice device, virVFIOKind *retKind)
{
    switch (device) {
    case VIR_DELEGATE_DEVICE_VFIO_GROUP:
        *retKind = VIR_VFIO_GROUP;
        return true;
    case VIR_DELEGATE_DEVICE_VFIO_CDEV:
        *retKind = VIR_VFIO_CDEV;
        return true;
    case VIR_DELEGATE_DEVICE_IOMMUFD:
        *retKind = VIR_VFIO_IOMMU_NODE;
        return true;
    default:
        return false;
    }
}

/* A harmless question that only this kind of device answers. number: of one of VFIO's nodes. */
static bool
virDelegateIsDevice(int fd, virDelegateDevice device, dev_t number)
{
    struct stat st;
    uint64_t features;
    virVFIOKind kind;

    if (fstat(fd, &st) < 0 || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
        return false;
    if (virDelegateDeviceIsVFIO(device, &kind))
        return S_ISCHR(st.st_mode) && st.st_rdev == number && virVFIOIsKind(fd, kind);
    switch (device) {
    case VIR_DELEGATE_DEVICE_KVM:
        return ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION;
    case VIR_DELEGATE_DEVICE_VHOST_NET:
    case VIR_DELEGATE_DEVICE_VHOST_VSOCK:
        return ioctl(fd, VHOST_GET_FEATURES, &features) == 0;
    case VIR_DELEGATE_DEVICE_TAP:
    case VIR_DELEGATE_DEVICE_NODE:
        return true;
    default:
        break;
    }
    return false;
}

/* Which number one of VFIO's nodes, or a macvtap's, must have, as the daemon itself reads it. */
static bool
virDelegateDeviceNumber(const virDelegate *door, virDelegateDevice device, const char *identity,
                        dev_t *retNumber, GError **error)
{
    g_autofree char *path = NULL;
    virVFIOKind kind;

    if (device == VIR_DELEGATE_DEVICE_TAP)
        return virNetDevTapNodeFind(identity, retNumber, error);
    return !virDelegateDeviceIsVFIO(device, &kind) ||
           virVFIONode(door->sysfs, kind, identity, &path, retNumber, error);
}

/* A queue of that interface, and not of one with its name in another network namespace. */
static bool
virDelegateIsTapNode(int fd, const char *name, dev_t device)
{
    struct ifreq ifr = {0};
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == device &&
           ioctl(fd, TUNGETIFF, &ifr) == 0 && g_str_equal(ifr.ifr_name, name);
}

bool
virDelegateDeviceOpen(virDelegate *door, const virDelegateCall *call, virDelegateDevice device,
                      const char *identity, int flags, int *retFd, GError **error)
{
    virDelegateTrace trace;
    VIR_AUTOCLOSE fd = -1;
    dev_t number = 0;

    if (!virDelegateBegin(door, call, "device.open", &trace, error))
        return trace.nobody;
    if (!virDelegateDeviceNumber(door, device, identity, &number, error) ||
        !virDelegateEnd(&trace,
                        trace.ops->deviceOpen(door, call, device, identity, flags, &fd, error)))
        return false;
    if (!virDelegateIsDevice(fd, device, number))
        return virDelegateNotTrue(&trace, error, _("what it gave is another kind of file"));
    if (device == VIR_DELEGATE_DEVICE_TAP && !virDelegateIsTapNode(fd, identity, number))
        return virDelegateNotTrue(&trace, error, _("what it gave is no queue of the interface"));
    *retFd = g_steal_fd(&fd);
    return true;
}

static bool
virDelegateIsNode(int dirFd, const char *name, mode_t mode, dev_t device, uid_t uid, gid_t gid)
{
    struct stat st;

    return fstatat(dirFd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mode == mode &&
           st.st_rdev == device && st.st_uid == uid && st.st_gid == gid;
}

bool
virDelegateNodeCreate(virDelegate *door, const virDelegateCall *call, int dirFd, const char *name,
                      mode_t mode, dev_t device, uid_t uid, gid_t gid, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "node.create", &trace, error))
        return trace.nobody;
    if (virDelegateIsNode(dirFd, name, mode, device, uid, gid))
        return true;
    if (!virDelegateEnd(
            &trace, trace.ops->nodeCreate(door, call, dirFd, name, mode, device, uid, gid, error)))
        return false;
    return virDelegateIsNode(dirFd, name, mode, device, uid, gid) ||
           virDelegateNotTrue(&trace, error, _("the node is another"));
}

static bool
virDelegateIsFile(int dirFd, const char *name, int fd)
{
    struct stat there;
    struct stat wanted;

    return fstatat(dirFd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &wanted) == 0 &&
           there.st_dev == wanted.st_dev && there.st_ino == wanted.st_ino;
}

bool
virDelegateMountBind(virDelegate *door, const virDelegateCall *call, int pidfd, int sourceFd,
                     int dirFd, const char *name, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "mount.apply", &trace, error))
        return trace.nobody;
    if (virDelegateIsFile(dirFd, name, sourceFd))
        return true;
    if (!virDelegateEnd(&trace,
                        trace.ops->mountBind(door, call, pidfd, sourceFd, dirFd, name, error)))
        return false;
    return virDelegateIsFile(dirFd, name, sourceFd) ||
           virDelegateNotTrue(&trace, error, _("what is seen there is another file"));
}

bool
virDelegateMountsOutside(virDelegate *door, const virDelegateCall *call)
{
    return virDelegateIsAsked(door, call, "mount.apply");
}

/* One of them, as it is seen in the folder. */
static bool
virDelegateHasMount(int dirFd, const virDelegateMount *mount)
{
    struct stat st, source;
    struct statfs fs;

    if (fstatat(dirFd, *mount->name ? mount->name : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    switch (mount->kind) {
    case VIR_DELEGATE_MOUNT_TMPFS:
        return fstatfs(dirFd, &fs) == 0 && fs.f_type == TMPFS_MAGIC && st.st_uid == mount->uid &&
               st.st_gid == mount->gid && (st.st_mode & 07777) == mount->mode;
    case VIR_DELEGATE_MOUNT_BIND:
        return fstat(mount->sourceFd, &source) == 0 && st.st_dev == source.st_dev &&
               st.st_ino == source.st_ino;
    case VIR_DELEGATE_MOUNT_DEVPTS:
        return S_ISDIR(st.st_mode);
    case VIR_DELEGATE_MOUNT_NODE:
        return virDelegateIsNode(dirFd, mount->name, mount->mode, mount->device, mount->uid,
                                 mount->gid);
    case VIR_DELEGATE_MOUNT_LINK:
        break;
    }
    return true; /* it is there, whatever it is */
}

/* As the process sees it now. */
static int
virDelegateOpenThere(int pidfd, const char *folder, GError **error)
{
    pid_t pid = virDelegateLivePid(pidfd, error);
    g_autofree char *path = g_strdup_printf("/proc/%d/root%s", (int)pid, folder);
    int fd = pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

    if (pid > 0 && fd < 0)
        virErrorErrno(error, _("cannot open '%s'"), path);
    return fd;
}

bool
virDelegateMountApply(virDelegate *door, const virDelegateCall *call, int pidfd, const char *folder,
                      const virDelegateMount *mounts, size_t nmounts, GError **error)
{
    virDelegateTrace trace;
    VIR_AUTOCLOSE before = -1;
    VIR_AUTOCLOSE after = -1;

    if (!virDelegateBegin(door, call, "mount.apply", &trace, error))
        return trace.nobody;
    if (!trace.ops->mountApply)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("only a handler of mount.apply makes a /dev from outside"));
    if ((before = virDelegateOpenThere(pidfd, folder, error)) < 0 ||
        !virDelegateEnd(&trace,
                        trace.ops->mountApply(door, call, pidfd, before, mounts, nmounts, error)) ||
        (after = virDelegateOpenThere(pidfd, folder, error)) < 0)
        return false;
    for (size_t i = 0; i < nmounts; i++) {
        g_autofree char *what = NULL;

        if (virDelegateHasMount(after, &mounts[i]))
            continue;
        what = g_strdup_printf(_("'%s/%s' is not there, or is another"), folder, mounts[i].name);
        return virDelegateNotTrue(&trace, error, what);
    }
    return true;
}

/* --- ownership --- */

static bool
virDelegateGetOwner(int fd, virDelegateOwner *retOwner, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return virErrorErrno(error, _("cannot look at a file's owner"));
    *retOwner = (virDelegateOwner){st.st_uid, st.st_gid, st.st_mode & 07777};
    return true;
}

static bool
virDelegateSameOwner(const virDelegateOwner *a, const virDelegateOwner *b)
{
    return a->uid == b->uid && a->gid == b->gid && a->mode == b->mode;
}

bool
virDelegateOwnSet(virDelegate *door, const virDelegateCall *call, int fd,
                  const virDelegateOwner *wanted, virDelegateOwner *retBefore, GError **error)
{
    virDelegateTrace trace;
    virDelegateOwner whole = *wanted;
    virDelegateOwner before;
    virDelegateOwner after = {0};

    if (!virDelegateBegin(door, call, "own.set", &trace, error))
        return trace.nobody;
    if (!virDelegateGetOwner(fd, &before, error))
        return false;
    if (whole.uid == VIR_DELEGATE_KEEP_ID)
        whole.uid = before.uid;
    if (whole.gid == VIR_DELEGATE_KEEP_ID)
        whole.gid = before.gid;
    if (whole.mode == VIR_DELEGATE_KEEP_MODE)
        whole.mode = before.mode;
    if (!virDelegateSameOwner(&whole, &before)) {
        if (!virDelegateEnd(&trace, trace.ops->ownSet(door, call, fd, &whole, error)) ||
            !virDelegateGetOwner(fd, &after, error))
            return false;
        if (!virDelegateSameOwner(&whole, &after))
            return virDelegateNotTrue(&trace, error, _("owner or mode are others"));
    }
    if (retBefore)
        *retBefore = before;
    return true;
}
