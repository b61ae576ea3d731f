/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_store.c: what an instance needs once: its group, and a folder on a bpffs for the gates'
 * pins.
 *
 * The bpffs is one of our own, mounted on DIR/run/bpf and left there over restarts. Where we may
 * not mount, a folder named after the instance below the machine's /sys/fs/bpf; where that isn't
 * possible either there are no pins, and a restart finds the gates by asking the kernel. Needs
 * CAP_SYS_ADMIN for the mount. */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "delegate/local.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virutil.h"

#define SYSTEM_BPFFS "/sys/fs/bpf"

static bool
localIsBpffs(int fd)
{
    struct statfs st;

    return fd >= 0 && fstatfs(fd, &st) == 0 && st.f_type == BPF_FS_MAGIC;
}

/* The folder if it is on a bpffs, else -1. */
static int
localOpenBpffs(const char *path)
{
    VIR_AUTOCLOSE fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return localIsBpffs(fd) ? g_steal_fd(&fd) : -1;
}

/* Mount options for the owner are known from Linux 6.8 on; before, the folder is given away. */
static bool
localMountBpffs(const char *path, const virDelegateOwner *owner, GError **error)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    g_autofree char *options =
        g_strdup_printf("uid=%u,gid=%u,mode=0700", (unsigned)owner->uid, (unsigned)owner->gid);

    if (!virFileMakePath(path, 0700, error))
        return false;
    if (mount("bpf", path, "bpf", flags, options) == 0)
        return true;
    if (errno != EINVAL || mount("bpf", path, "bpf", flags, "mode=0700") < 0)
        return virErrorErrno(error, _("cannot mount a bpffs on %s"), path);
    if (chown(path, owner->uid, owner->gid) < 0)
        return virErrorErrno(error, _("cannot give the bpffs on %s to user %u"), path,
                             (unsigned)owner->uid);
    return true;
}

static char *
localSharedPath(const virDelegate *door)
{
    return g_strdup_printf(SYSTEM_BPFFS "/virtward-%s", virCgroupInstanceName(door->instance));
}

static int
localMakeShared(const virDelegate *door, const char *path)
{
    VIR_AUTOCLOSE machine = localOpenBpffs(SYSTEM_BPFFS);

    if (machine < 0 || (mkdir(path, 0700) < 0 && errno != EEXIST) ||
        chown(path, door->owner.uid, door->owner.gid) < 0)
        return -1;
    return localOpenBpffs(path);
}

/* Where an earlier daemon of this instance has put its pins comes first. */
static int
localOpenPins(const virDelegate *door)
{
    g_autofree char *shared = localSharedPath(door);
    g_autoptr(GError) error = NULL;
    int fd = localOpenBpffs(door->pinPath);

    if (fd < 0)
        fd = localOpenBpffs(shared);
    if (fd < 0 && localMountBpffs(door->pinPath, &door->owner, &error))
        fd = localOpenBpffs(door->pinPath);
    if (fd < 0)
        fd = localMakeShared(door, shared);
    if (fd < 0)
        VIR_INFO("device gates are not pinned: %s", error ? error->message : "no bpffs");
    return fd;
}

bool
virDelegateLocalPrepare(virDelegate *door, GError **error)
{
    int pinsFd = -1;

    if (virCgroupInstanceUsable(door->instance, NULL) &&
        (!virCgroupInstanceMake(door->instance, error) ||
         !VIR_FAULT_STEP("daemon:instance-group-made", error)))
        return false;
    if (g_str_equal(virCgroupInstanceBackendName(door->instance), "none"))
        return true;
    if (g_str_equal(virCgroupInstanceBackendName(door->instance), "v2"))
        pinsFd = localOpenPins(door);
    door->store = virGateStoreNew(pinsFd, door->owner.uid, door->owner.gid);
    return VIR_FAULT_STEP("daemon:store-prepared", error);
}

/* --- the end of an instance --- */

/* True if no guest is pinned any more. */
static bool
localEmptyPins(int pinsFd)
{
    g_autoptr(GArray) uuids = virGatePinsList(pinsFd, NULL);

    return uuids && uuids->len == 0 && virGatePinsUnpinEvents(pinsFd, NULL);
}

bool
virDelegateLocalRetire(virDelegate *door, GError **error)
{
    g_autofree char *shared = localSharedPath(door);
    VIR_AUTOCLOSE own = localOpenBpffs(door->pinPath);
    VIR_AUTOCLOSE other = localOpenBpffs(shared);
    g_autoptr(GPtrArray) guests = virCgroupInstanceList(door->instance, error);

    if (!guests)
        return false;
    if (own >= 0 && localEmptyPins(own)) {
        virCloseFd(&own);
        if (umount2(door->pinPath, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
            return virErrorErrno(error, _("cannot unmount the bpffs on %s"), door->pinPath);
    }
    if (other >= 0 && localEmptyPins(other) && rmdir(shared) < 0)
        return virErrorErrno(error, _("cannot remove %s"), shared);
    return guests->len > 0 || !virCgroupInstanceUsable(door->instance, NULL) ||
           virCgroupInstanceRemove(door->instance, error);
}
