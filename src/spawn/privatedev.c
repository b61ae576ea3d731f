/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * privatedev.c: see privatedev.h. The new /dev is a tmpfs of our own (fsopen, fsmount) with clones
 * of what the old one had mounted below (open_tree). Needs CAP_SYS_ADMIN in the user namespace, and
 * for nodes CAP_MKNOD in the initial one. */
#include "spawn/privatedev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawn/reply.h"

/* Mounts below /dev that a program may need; those that aren't there are left out. */
static const char *const kept[] = {"pts", "shm", "mqueue", "hugepages"};
#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))

/* Finds its terminals in the folder pts beside it: as a node of this /dev, but not as one that is
 * mounted here. The link that it is otherwise leads to a node that hosts often let nobody open. */
#define PTMX "ptmx"

static const struct {
    const char *name;
    const char *to;
} links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {PTMX, "pts/ptmx"},
};

typedef struct {
    int old; /* the host's /dev, also after it is covered */
    int new;
} devFolders;

static int
mountOpenTree(int folder, const char *path)
{
    return (int)syscall(SYS_open_tree, folder, path,
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

static int
mountMove(int from, int toFolder, const char *to)
{
    return (int)syscall(SYS_move_mount, from, "", toFolder, to, MOVE_MOUNT_F_EMPTY_PATH);
}

/* Keeps what is mounted here from showing in the daemon's namespace. */
static int
mountMakeSlave(void)
{
    struct mount_attr attr = {.propagation = 1UL << 19 /* MS_SLAVE */};

    return (int)syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr));
}

static int
devOpenTmpfs(void)
{
    int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    int mount = -1;

    if (fs < 0)
        return -1;
    if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "755", 0) == 0 &&
        syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "4m", 0) == 0 &&
        syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        mount =
            (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    (void)close(fs);
    return mount;
}

/* The folders above name, below dev. */
static bool
devMakeFolders(int dev, const char *name)
{
    char path[256];

    if (strlen(name) >= sizeof(path) || name[0] == '/' || strstr(name, "..")) {
        errno = EINVAL;
        return false;
    }
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(path, name, (size_t)(slash - name));
        path[slash - name] = '\0';
        if (mkdirat(dev, path, 0755) < 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* The host's own node in place of one we may not make: only if it is the same device. That of
 * terminals becomes the link. */
static bool
devBindNode(devFolders dev, const char *name, const virSpawnWireNode *node)
{
    struct stat st;
    int file;
    int tree;
    bool done;

    if (strcmp(name, PTMX) == 0)
        return true;
    if (fstatat(dev.old, name, &st, 0) < 0)
        return false;
    if (st.st_rdev != node->device || ((st.st_mode ^ node->mode) & S_IFMT)) {
        errno = ENODEV;
        return false;
    }
    file = openat(dev.new, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    tree = file < 0 ? -1 : mountOpenTree(dev.old, name);
    done = tree >= 0 && mountMove(tree, dev.new, name) == 0;
    if (file >= 0)
        (void)close(file);
    if (tree >= 0)
        (void)close(tree);
    return done;
}

static bool
devMakeNode(devFolders dev, const char *name, const virSpawnWireNode *node, bool mountNodes)
{
    if (!devMakeFolders(dev.new, name))
        return false;
    if (mountNodes)
        return devBindNode(dev, name, node);
    if (mknodat(dev.new, name, (mode_t)node->mode, (dev_t)node->device) < 0)
        return errno == EPERM && devBindNode(dev, name, node);
    /* mknod obeys the umask */
    return fchmodat(dev.new, name, (mode_t)node->mode & 07777, 0) == 0 &&
           fchownat(dev.new, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
devMakeLinks(int dev)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (symlinkat(links[i].to, dev, links[i].name) < 0 && errno != EEXIST)
            spawnFail(VIR_SPAWN_STEP_DEV, errno, 0);
    }
}

/* Clones of the mounts to keep, each with its place made in the new /dev. */
static void
devCloneKept(devFolders dev, int trees[KEPT_COUNT])
{
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        trees[i] = mountOpenTree(dev.old, kept[i]);
        if (trees[i] >= 0 && mkdirat(dev.new, kept[i], 0755) < 0)
            spawnFail(VIR_SPAWN_STEP_DEV, errno, 0);
    }
}

static void
devWriteOwn(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        spawnFail(VIR_SPAWN_STEP_NAMESPACE, errno, 0);
    (void)close(fd);
}

/* user_namespaces(7): one's own number may be mapped without a right, if groups stay as they are.
 */
static void
devMapOwn(const char *file, unsigned id)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "%u %u 1\n", id, id); /* it has room for three numbers */
    devWriteOwn(file, line);
}

bool
spawnMakeMountNamespace(void)
{
    const unsigned uid = geteuid();
    const unsigned gid = getegid();
    bool alone = false;

    if (unshare(CLONE_NEWNS) < 0) {
        alone = errno == EPERM;
        if (!alone || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            spawnFail(VIR_SPAWN_STEP_NAMESPACE, errno, 0);
        devWriteOwn("/proc/self/setgroups", "deny");
        devMapOwn("/proc/self/uid_map", uid);
        devMapOwn("/proc/self/gid_map", gid);
    }
    if (mountMakeSlave() < 0)
        spawnFail(VIR_SPAWN_STEP_NAMESPACE, errno, 0);
    return alone;
}

void
spawnMakePrivateDev(const virSpawnWireNode *nodes, const char *const *names, uint32_t count,
                    bool mountNodes)
{
    int trees[KEPT_COUNT];
    devFolders dev;

    if (unshare(CLONE_NEWNS) < 0 || mountMakeSlave() < 0)
        spawnFail(VIR_SPAWN_STEP_NAMESPACE, errno, 0);
    dev.old = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
    dev.new = devOpenTmpfs();
    if (dev.old < 0 || dev.new < 0)
        spawnFail(VIR_SPAWN_STEP_DEV, errno, 0);
    devCloneKept(dev, trees);
    /* Covered first, then filled: a bind mount needs its place in the tree. */
    if (mountMove(dev.new, AT_FDCWD, "/dev") < 0)
        spawnFail(VIR_SPAWN_STEP_DEV, errno, 0);
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        if (trees[i] >= 0 && mountMove(trees[i], dev.new, kept[i]) < 0)
            spawnFail(VIR_SPAWN_STEP_DEV, errno, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!devMakeNode(dev, names[i], &nodes[i], mountNodes))
            spawnFail(VIR_SPAWN_STEP_NODE, errno, i);
    }
    devMakeLinks(dev.new);
    (void)close(dev.old);
    (void)close(dev.new);
}
