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

enum { DEV_BYTES = 4 << 20 };

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

/* --- made from outside --- */

/* Nodes that are made for this guest alone can be its user's, whoever has the host's. */
static void
qemuPrivateDevGive(const qemuDriver *driver, GArray *nodes)
{
    for (guint i = 0; i < nodes->len; i++) {
        virSpawnNode *node = &g_array_index(nodes, virSpawnNode, i);

        node->uid = driver->uid == VIR_SPAWN_KEEP_ID ? geteuid() : driver->uid;
        node->gid = driver->gid == VIR_SPAWN_KEEP_ID ? getegid() : driver->gid;
        node->mode |= S_IRUSR | S_IWUSR;
    }
}

static virDelegateMount
qemuPrivateDevNodeMount(const virSpawnNode *node)
{
    return (virDelegateMount){.kind = VIR_DELEGATE_MOUNT_NODE,
                              .name = node->name,
                              .mode = node->mode,
                              .device = node->device,
                              .uid = node->uid,
                              .gid = node->gid};
}

/* What is mounted below the daemon's /dev and kept; the descriptors are sources'. */
static void
qemuPrivateDevAddKept(GArray *mounts, GArray *sources)
{
    static const char *const names[] = {"pts", "shm", "mqueue", "hugepages"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strconcat(DEV, names[i], NULL);
        virDelegateMount mount = {.kind = VIR_DELEGATE_MOUNT_BIND, .name = names[i]};

        mount.sourceFd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (mount.sourceFd < 0)
            continue; /* this host has none */
        g_array_append_val(sources, mount.sourceFd);
        g_array_append_val(mounts, mount);
    }
}

static void
qemuPrivateDevAddLinks(GArray *mounts)
{
    static const struct {
        const char *name, *to;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"},
                 {"ptmx", "pts/ptmx"}};

    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        virDelegateMount mount = {
            .kind = VIR_DELEGATE_MOUNT_LINK, .name = links[i].name, .text = links[i].to};

        g_array_append_val(mounts, mount);
    }
}

static void
qemuPrivateDevCloseSource(void *opaque)
{
    virCloseFd(opaque);
}

bool
qemuPrivateDevMakeOutside(const qemuGuest *guest, const virDelegateCall *call, int pidfd,
                          GArray *nodes, GError **error)
{
    const virDelegateMount whole = {.kind = VIR_DELEGATE_MOUNT_TMPFS,
                                    .name = "",
                                    .size = DEV_BYTES,
                                    .mode = 0755,
                                    .uid = geteuid(),
                                    .gid = getegid()};
    g_autoptr(GArray) mounts = g_array_new(FALSE, FALSE, sizeof(virDelegateMount));
    g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(int));

    g_array_set_clear_func(sources, qemuPrivateDevCloseSource);
    qemuPrivateDevGive(guest->driver, nodes);
    g_array_append_val(mounts, whole);
    for (guint i = 0; i < nodes->len; i++) {
        const virDelegateMount mount =
            qemuPrivateDevNodeMount(&g_array_index(nodes, virSpawnNode, i));

        g_array_append_val(mounts, mount);
    }
    qemuPrivateDevAddLinks(mounts);
    qemuPrivateDevAddKept(mounts, sources);
    return virDelegateMountApply(guest->driver->door, call, pidfd, "/dev",
                                 (const virDelegateMount *)(void *)mounts->data, mounts->len,
                                 error);
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
    g_autofree char *path = g_strconcat(DEV, node->name, NULL);
    g_autofree char *last = g_path_get_basename(node->name);
    g_autofree char *above = g_path_get_dirname(node->name);
    VIR_AUTOCLOSE folder = openat(devFd, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    VIR_AUTOCLOSE source = open(path, O_PATH | O_CLOEXEC);
    struct stat st;

    if (folder < 0)
        return virErrorErrno(error, _("cannot open folder '%s' in the guest's /dev"), above);
    if (source < 0 || fstat(source, &st) < 0)
        return virErrorErrno(error, _("Cannot access '%s'"), path);
    if (st.st_rdev != node->device)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("'%s' has become another device meanwhile"), path);
    return virDelegateMountBind(guest->driver->door, call, guest->pidfd, source, folder, last,
                                error);
}

/* Made, or where that can't be or would be of no use the host's own. */
static bool
qemuPrivateDevProvideNode(const qemuGuest *guest, const virDelegateCall *call, int devFd,
                          const virSpawnNode *node, GError **error)
{
    g_autoptr(GError) unmade = NULL;

    if (virDelegateMountsOutside(guest->driver->door, call)) {
        const virDelegateMount mount = qemuPrivateDevNodeMount(node);

        return virDelegateMountApply(guest->driver->door, call, guest->pidfd, "/dev", &mount, 1,
                                     error);
    }
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
    if (virDelegateMountsOutside(guest->driver->door, call))
        qemuPrivateDevGive(guest->driver, nodes);
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
