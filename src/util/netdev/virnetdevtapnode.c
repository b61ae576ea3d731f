/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevtapnode.c: see virnetdevtapnode.h. A file system that is only ever a descriptor (sysfs
 * of this network namespace, a tmpfs for one node) leaves nothing behind, however this process
 * ends. */
#include "util/netdev/virnetdevtapnode.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/netdev/virnetdev.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { NUMBER_MAX = 64 }; /* bytes of a file of sysfs */

static bool
isKindWithNode(const char *kind)
{
    return g_str_equal(kind, "macvtap") || g_str_equal(kind, "ipvtap");
}

bool
virNetDevTapNodeIsThere(const char *name, bool *retHas, GError **error)
{
    virNetDevInfo info = {0};
    bool exists = false;

    if (!virNetDevLookup(name, &exists, &info, error))
        return false;
    *retHas = exists && isKindWithNode(info.kind);
    return true;
}

/* --- a file system without a place --- */

/* O_PATH; -1 with errno: it may not be made, or isn't known. */
static int
mountNowhere(const char *kind)
{
    VIR_AUTOCLOSE fs = (int)syscall(SYS_fsopen, kind, FSOPEN_CLOEXEC);

    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

/* --- the device's number --- */

static char *
readAt(int sysfs, const char *name, const char *file)
{
    g_autofree char *path = g_strdup_printf("class/net/%s/%s", name, file);

    return virFileReadAt(sysfs, path, NUMBER_MAX, NULL, NULL);
}

/* False: this sysfs is another network namespace's, or doesn't show the device. */
static bool
readDevice(int sysfs, const char *name, unsigned ifindex, dev_t *retDevice)
{
    g_autofree char *file = g_strdup_printf("tap%u/dev", ifindex);
    g_autofree char *index = readAt(sysfs, name, "ifindex");
    g_autofree char *number = readAt(sysfs, name, file);
    unsigned high, low;

    if (!index || g_ascii_strtoull(index, NULL, 10) != ifindex || !number ||
        sscanf(number, "%u:%u", &high, &low) != 2)
        return false;
    *retDevice = makedev(high, low);
    return true;
}

static bool
findDevice(const char *name, dev_t *retDevice, unsigned *retIndex, GError **error)
{
    VIR_AUTOCLOSE sysfs = mountNowhere("sysfs"); /* which is this namespace's for certain */
    virNetDevInfo info = {0};
    bool exists = false;

    if (!virNetDevLookup(name, &exists, &info, error))
        return false;
    if (!exists || !isKindWithNode(info.kind))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("interface '%s' is neither a macvtap nor an ipvtap"), name);
    *retIndex = info.ifindex;
    if (readDevice(sysfs, name, info.ifindex, retDevice))
        return true;
    virCloseFd(&sysfs);
    sysfs = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return readDevice(sysfs, name, info.ifindex, retDevice) ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                       _("cannot find the character device of interface '%s': /sys shows another "
                         "network namespace"),
                       name);
}

bool
virNetDevTapNodeFind(const char *name, dev_t *retDevice, GError **error)
{
    unsigned ifindex;

    return findDevice(name, retDevice, &ifindex, error);
}

/* --- opening --- */

/* -1 with errno: it isn't there, it is another device, or may not be opened. */
static int
openDevice(int folder, const char *path, int flags, dev_t device)
{
    VIR_AUTOCLOSE fd = openat(folder, path, flags | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISCHR(st.st_mode) || st.st_rdev != device) {
        errno = ENODEV;
        return -1;
    }
    return g_steal_fd(&fd);
}

static int
openOwnNode(int flags, dev_t device)
{
    VIR_AUTOCLOSE folder = mountNowhere("tmpfs");

    if (folder < 0 || mknodat(folder, "tap", S_IFCHR | 0600, device) < 0)
        return -1;
    return openDevice(folder, "tap", flags, device);
}

bool
virNetDevTapNodeOpen(const char *name, int flags, int *retFd, GError **error)
{
    g_autofree char *path = NULL;
    unsigned ifindex = 0;
    dev_t device = 0;
    int fd, why;

    if (!findDevice(name, &device, &ifindex, error))
        return false;
    path = g_strdup_printf("/dev/tap%u", ifindex);
    fd = openDevice(AT_FDCWD, path, flags, device);
    why = errno;
    if (fd < 0)
        fd = openOwnNode(flags, device);
    if (fd < 0) {
        errno = why; /* what is missing to most */
        return virErrorErrno(error, _("cannot open macvtap tap device %s"), path);
    }
    *retFd = fd;
    return true;
}

/* --- queues --- */

static bool
setupQueue(int fd, bool several, bool vnetHdr, GError **error)
{
    struct ifreq ifr = {0};
    unsigned features = 0;
    short flags;

    if (ioctl(fd, TUNGETIFF, &ifr) < 0)
        return virErrorErrno(error, _("cannot get interface flags on macvtap tap"));
    if (ioctl(fd, TUNGETFEATURES, &features) < 0)
        return virErrorErrno(error, _("cannot get feature flags on macvtap tap"));
    flags = (short)(ifr.ifr_flags & ~(IFF_VNET_HDR | IFF_MULTI_QUEUE));
    if (vnetHdr && features & IFF_VNET_HDR)
        flags |= IFF_VNET_HDR;
    if (several)
        flags |= IFF_MULTI_QUEUE;
    if (flags == ifr.ifr_flags)
        return true;
    ifr.ifr_flags = flags;
    return ioctl(fd, TUNSETIFF, &ifr) == 0 ||
           virErrorErrno(error, _("unable to set vnet or multi-queue flags on macvtap"));
}

bool
virNetDevTapNodeSetup(const int *fds, size_t count, bool vnetHdr, GError **error)
{
    for (size_t i = 0; i < count; i++) {
        if (!setupQueue(fds[i], count > 1, vnetHdr, error))
            return false;
    }
    return true;
}
