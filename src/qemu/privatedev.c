/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * privatedev.c: see privatedev.h. */
#include "qemu/privatedev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "qemu/gaterules.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virprocstat.h"
#include "util/virspawn.h"
#include "util/virutil.h"

#define DEV "/dev/"

/* Below /dev, but there already: mounts that are kept. */
static const char *const present[] = {"pts/", "shm/", "mqueue/", "hugepages/"};

static void
qemuPrivateNodeClear(void *opaque)
{
    g_free((char *)((virSpawnNode *)opaque)->name);
}

/* The path below /dev, or NULL if none is to be made for it. Caller frees. */
static char *
qemuPrivateDevName(const char *path)
{
    g_autofree char *plain = g_canonicalize_filename(path, "/");

    if (!g_str_has_prefix(plain, DEV))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(present); i++) {
        if (g_str_has_prefix(plain + strlen(DEV), present[i]))
            return NULL;
    }
    return g_strdup(plain + strlen(DEV));
}

static bool
qemuPrivateDevHas(const GArray *nodes, const char *name)
{
    for (guint i = 0; i < nodes->len; i++) {
        if (g_str_equal(g_array_index(nodes, virSpawnNode, i).name, name))
            return true;
    }
    return false;
}

/* What isn't there, or is no device node, is left out: whoever needs it says so elsewhere. */
static bool
qemuPrivateDevList(GArray *nodes, const char *path, GError **error)
{
    g_autofree char *name = qemuPrivateDevName(path);
    struct stat st;
    virSpawnNode node;

    if (!name || qemuPrivateDevHas(nodes, name))
        return true;
    if (stat(path, &st) < 0)
        return errno == ENOENT || virErrorErrno(error, _("Cannot access '%s'"), path);
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return true;
    node = (virSpawnNode){g_steal_pointer(&name), st.st_mode, st.st_rdev, st.st_uid, st.st_gid};
    g_array_append_val(nodes, node);
    return true;
}

static GArray *
qemuPrivateDevNewList(void)
{
    GArray *nodes = g_array_new(FALSE, FALSE, sizeof(virSpawnNode));

    g_array_set_clear_func(nodes, qemuPrivateNodeClear);
    return nodes;
}

static bool
qemuPrivateDevListTouched(GArray *nodes, const virHostAccess *access, GError **error)
{
    for (guint i = 0; i < access->resources->len; i++) {
        const virHostResource *resource = g_ptr_array_index(access->resources, i);

        if (resource->node && !qemuPrivateDevList(nodes, resource->path, error))
            return false;
    }
    return true;
}

GArray *
qemuPrivateDevNodes(const qemuDriver *driver, const virHostAccess *access, GError **error)
{
    g_autoptr(GArray) nodes = qemuPrivateDevNewList();

    for (const char *const *path = qemuGatePolicyNodes(driver); *path; path++) {
        if (!qemuPrivateDevList(nodes, *path, error))
            return NULL;
    }
    return qemuPrivateDevListTouched(nodes, access, error) ? g_steal_pointer(&nodes) : NULL;
}

bool
qemuPrivateDevRefresh(GArray *nodes, GError **error)
{
    for (guint i = 0; i < nodes->len; i++) {
        virSpawnNode *node = &g_array_index(nodes, virSpawnNode, i);
        g_autofree char *path = g_strconcat(DEV, node->name, NULL);
        struct stat st;

        if (stat(path, &st) < 0)
            return virErrorErrno(error, _("Cannot access '%s'"), path);
        if (st.st_rdev != node->device)
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                               _("'%s' has become another device meanwhile"), path);
        node->mode = st.st_mode;
        node->uid = st.st_uid;
        node->gid = st.st_gid;
    }
    return true;
}

void
qemuPrivateDevAllowMaking(virDeviceRules *rules, const GArray *nodes)
{
    for (guint i = 0; i < nodes->len; i++) {
        const virSpawnNode *node = &g_array_index(nodes, virSpawnNode, i);
        virDeviceRule rule = {S_ISBLK(node->mode) ? VIR_DEVICE_BLOCK : VIR_DEVICE_CHAR,
                              VIR_DEVICE_MKNOD, (int)major(node->device), (int)minor(node->device)};

        virDeviceRulesAllow(rules, QEMU_PRIVATE_DEV_OWNER, &rule);
    }
}

/* --- hot-plug --- */

/* The guest's /dev; -1 without an error if it is the host's. */
static int
qemuPrivateDevOpen(const qemuGuest *guest, GError **error)
{
    g_autofree char *space = g_strdup_printf("/proc/%d/ns/mnt", (int)guest->pid);
    g_autofree char *path = g_strdup_printf("/proc/%d/root/dev", (int)guest->pid);
    struct stat ours;
    struct stat theirs;
    int fd;

    if (stat("/proc/self/ns/mnt", &ours) < 0 || stat(space, &theirs) < 0) {
        /* A daemon without rights may not look; then what the configuration says of guests holds.
         */
        if (errno == EACCES && !guest->driver->config.privateDev)
            return -1;
        virErrorErrno(error, _("cannot look at the guest's mount namespace"));
        return -1;
    }
    if (ours.st_ino == theirs.st_ino)
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        virErrorErrno(error, _("cannot open the guest's /dev"));
    return fd;
}

static bool
qemuPrivateDevMakeFolders(int devFd, const char *name, GError **error)
{
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *folder = g_strndup(name, (gsize)(slash - name));

        if (mkdirat(devFd, folder, 0755) < 0 && errno != EEXIST)
            return virErrorErrno(error, _("cannot create folder '%s' in the guest's /dev"), folder);
    }
    return true;
}

/* The host's own node, mounted there. */
static bool
qemuPrivateDevMountNode(const qemuGuest *guest, const virDelegateCall *call, int devFd,
                        const virSpawnNode *node, GError **error)
{
    g_autofree char *spacePath = g_strdup_printf("/proc/%d/ns/mnt", (int)guest->pid);
    g_autofree char *path = g_strconcat(DEV, node->name, NULL);
    VIR_AUTOCLOSE space = open(spacePath, O_RDONLY | O_CLOEXEC);
    VIR_AUTOCLOSE source = open(path, O_PATH | O_CLOEXEC);
    struct stat st;

    if (space < 0)
        return virErrorErrno(error, _("cannot look at the guest's mount namespace"));
    if (source < 0 || fstat(source, &st) < 0)
        return virErrorErrno(error, _("Cannot access '%s'"), path);
    if (st.st_rdev != node->device)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("'%s' has become another device meanwhile"), path);
    return virDelegateMountBind(guest->driver->door, call, space, source, devFd, node->name, error);
}

/* Made, or where that can't be or would be of no use the host's own. */
static bool
qemuPrivateDevProvideNode(const qemuGuest *guest, const virDelegateCall *call, int devFd,
                          const virSpawnNode *node, GError **error)
{
    g_autoptr(GError) unmade = NULL;

    if (!virProcInInitialUserns())
        return qemuPrivateDevMountNode(guest, call, devFd, node, error);
    if (virDelegateNodeCreate(guest->driver->door, call, devFd, node->name, node->mode,
                              node->device, node->uid, node->gid, &unmade))
        return true;
    if (!qemuPrivateDevMountNode(guest, call, devFd, node, error)) {
        g_prefix_error(error, "%s; ", unmade->message);
        return false;
    }
    VIR_INFO("domain '%s': the host's %s%s is mounted: %s", guest->obj->name, DEV, node->name,
             unmade->message);
    return true;
}

/* One of an earlier device of this name gives way. */
static bool
qemuPrivateDevMakeNode(const qemuGuest *guest, const virDelegateCall *call, int devFd,
                       const virSpawnNode *node, GError **error)
{
    struct stat st;

    if (fstatat(devFd, node->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (st.st_rdev == node->device && st.st_mode == node->mode && st.st_uid == node->uid &&
            st.st_gid == node->gid)
            return true;
        if (unlinkat(devFd, node->name, 0) < 0)
            return virErrorErrno(error, _("cannot exchange '%s' in the guest's /dev"), node->name);
    }
    return qemuPrivateDevMakeFolders(devFd, node->name, error) &&
           qemuPrivateDevProvideNode(guest, call, devFd, node, error);
}

bool
qemuPrivateDevAdd(const qemuGuest *guest, const virDelegateCall *call, const virHostAccess *access,
                  GError **error)
{
    g_autoptr(GArray) nodes = qemuPrivateDevNewList();
    g_autoptr(GError) cause = NULL;
    VIR_AUTOCLOSE devFd = -1;

    if (!qemuPrivateDevListTouched(nodes, access, error))
        return false;
    if (nodes->len == 0)
        return true;
    devFd = qemuPrivateDevOpen(guest, &cause);
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    for (guint i = 0; devFd >= 0 && i < nodes->len; i++) {
        if (!qemuPrivateDevMakeNode(guest, call, devFd, &g_array_index(nodes, virSpawnNode, i),
                                    error))
            return false;
    }
    return true;
}
