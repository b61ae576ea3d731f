/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations_mount.c: what a guest sees in a mount namespace of its own: a tmpfs on its /dev, nodes
 * and links in it, and mounts that the daemon has.
 *
 * The process must be in a group of the policy, and its mount namespace neither the helper's nor
 * the daemon's. A tmpfs is filled before anybody can see it; it belongs to the helper's user
 * namespace, so that nodes in it can be opened by who the guest is in its own. Numbers of users are
 * the guest's and are read through its own map. Nothing is made in a folder that is not on such a
 * /dev, and mounts come onto what is there. A process with threads may not change its mount
 * namespace: a child does, and calls nothing but the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helperd/operations.h"
#include "util/virclone.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virspawn.h"
#include "util/virutil.h"

#ifndef MQUEUE_MAGIC /* ipc/mqueue.c has it, no header does */
#define MQUEUE_MAGIC 0x19800202
#endif
#define HOOK "mount.apply"

enum { PROCESS_FD, SPACE_FD, FOLDER_FD, FIRST_SOURCE_FD };

/* A mount to be put onto what is at the target. */
typedef struct {
    int source; /* borrowed; -1: tree is there already */
    int tree;   /* owned */
    const char *target;
} mountBind;

/* One call. */
typedef struct {
    const helperPolicy *policy;
    const virInternalRequest *request;
    const virInternalMount *rows;
    size_t n;
    pid_t pid;
    int folder; /* borrowed */
    int tmpfs;  /* owned; -1: there is none */
    GArray *binds;
} mountJob;

static void
mountJobClear(mountJob *job)
{
    for (guint i = 0; job->binds && i < job->binds->len; i++)
        virCloseFd(&g_array_index(job->binds, mountBind, i).tree);
    g_clear_pointer(&job->binds, g_array_unref);
    virCloseFd(&job->tmpfs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(mountJob, mountJobClear)

/* --- whose, and where --- */

static bool
sameNamespace(int fd, const char *path)
{
    struct stat given, there;

    return fstat(fd, &given) == 0 && stat(path, &there) == 0 && given.st_dev == there.st_dev &&
           given.st_ino == there.st_ino;
}

static bool
checkNamespaces(const mountJob *job, GError **error)
{
    int space = virInternalRequestGetFd(job->request, SPACE_FD);
    int process = virInternalRequestGetFd(job->request, PROCESS_FD);
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/mnt", (int)job->pid);
    struct pollfd ended = {.fd = process, .events = POLLIN};
    VIR_AUTOCLOSE theirs = open(path, O_RDONLY | O_CLOEXEC);

    if (theirs < 0 || poll(&ended, 1, 0) != 0)
        return virErrorErrno(error, _("cannot look at the mount namespace of process %d"),
                             (int)job->pid);
    if (ioctl(space, NS_GET_NSTYPE) != CLONE_NEWNS)
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("a descriptor is no mount namespace"));
    if (sameNamespace(theirs, "/proc/self/ns/mnt") || sameNamespace(space, path))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("process %d has no mount namespace of its own"), (int)job->pid);
    return true;
}

/* A tmpfs whose files are the guest's goes onto the process's /dev and nowhere else: over /etc of a
 * namespace with programs that are set-uid it would make the guest's user anybody there. */
static bool
checkPlace(const mountJob *job, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/root/dev", (int)job->pid);
    struct stat given, there;

    if (fstat(job->folder, &given) < 0 || stat(path, &there) < 0)
        return virErrorErrno(error, _("cannot look at the guest's /dev"));
    return (S_ISDIR(given.st_mode) && given.st_dev == there.st_dev &&
            given.st_ino == there.st_ino) ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("the folder is not the guest's /dev"));
}

/* The folder is on the tmpfs that the process has on /dev, and that isn't the helper's. */
static bool
checkFolder(const mountJob *job, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/root/dev", (int)job->pid);
    struct stat given, there, own;
    struct statfs fs;

    if (fstat(job->folder, &given) < 0 || stat(path, &there) < 0 || stat("/dev", &own) < 0 ||
        fstatfs(job->folder, &fs) < 0)
        return virErrorErrno(error, _("cannot look at the guest's /dev"));
    return (S_ISDIR(given.st_mode) && fs.f_type == TMPFS_MAGIC && given.st_dev == there.st_dev &&
            given.st_dev != own.st_dev) ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("the folder is not on a /dev of the guest's own"));
}

/* The number that the process's user namespace gives to id of the helper's: lines of "inside
 * outside count". */
static bool
mapId(const mountJob *job, const char *map, uint32_t id, uint32_t *retId, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)job->pid, map);
    g_autofree char *text = virFileRead(path, 65536, NULL, error);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

    for (char **line = lines; line && *line; line++) {
        unsigned inside, outside, count;

        if (sscanf(*line, "%u %u %u", &inside, &outside, &count) != 3 || id < inside ||
            id - inside >= count)
            continue;
        *retId = outside + (id - inside);
        return true;
    }
    return text && virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                               _("%u is nobody in the guest's user namespace"), id);
}

static bool
mapOwner(const mountJob *job, const virInternalMount *row, uid_t *retUid, gid_t *retGid,
         GError **error)
{
    return mapId(job, "uid_map", row->uid, retUid, error) &&
           mapId(job, "gid_map", row->gid, retGid, error) &&
           helperPolicyMember(job->policy, HOOK, "uids", (int64_t)*retUid, error) &&
           helperPolicyMember(job->policy, HOOK, "gids", (int64_t)*retGid, error);
}

/* --- what --- */

/* Names below a folder, none of which leads upwards. */
static bool
checkTarget(const char *target, GError **error)
{
    g_auto(GStrv) words = g_strsplit(target, "/", -1);
    bool plain = *target != '\0' && strlen(target) < PATH_MAX;

    for (char **word = words; *word; word++)
        plain = plain && **word && !g_str_equal(*word, ".") && !g_str_equal(*word, "..");
    return plain ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is no name below a folder"), target);
}

static bool
checkDevice(const mountJob *job, mode_t mode, unsigned high, unsigned low, GError **error)
{
    g_autofree char *device = g_strdup_printf("%c %u:%u", S_ISBLK(mode) ? 'b' : 'c', high, low);

    return helperPolicyWord(job->policy, HOOK, "devices", device, error);
}

/* A node of the list, or a folder of a file system of the list. */
static bool
checkSource(const mountJob *job, int source, GError **error)
{
    static const struct {
        long magic;
        const char *name;
    } kinds[] = {{DEVPTS_SUPER_MAGIC, "devpts"},
                 {TMPFS_MAGIC, "tmpfs"},
                 {MQUEUE_MAGIC, "mqueue"},
                 {HUGETLBFS_MAGIC, "hugetlbfs"}};
    struct stat st;
    struct statfs fs;

    if (fstat(source, &st) < 0 || fstatfs(source, &fs) < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("a descriptor is missing"));
    if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))
        return checkDevice(job, st.st_mode, major(st.st_rdev), minor(st.st_rdev), error);
    for (size_t i = 0; S_ISDIR(st.st_mode) && i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].magic == (long)fs.f_type)
            return helperPolicyWord(job->policy, HOOK, "sources", kinds[i].name, error);
    }
    return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("what is to be mounted is neither a node nor a folder that guests have"));
}

static bool
checkLink(const virInternalMount *row, GError **error)
{
    static const char *const usual[] = {"/proc/self/fd",   "/proc/self/fd/0", "/proc/self/fd/1",
                                        "/proc/self/fd/2", "pts/ptmx",        NULL};

    return g_strv_contains(usual, row->text) ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("no link in /dev leads to '%s'"), row->text);
}

static bool
checkTmpfs(const mountJob *job, const virInternalMount *row, GError **error)
{
    if (row != job->rows || *row->target || (row->mode & ~0777u))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("a tmpfs comes first, on the folder itself"));
    return helperPolicyNumber(job->policy, HOOK, "the size of a tmpfs", (int64_t)row->size, error);
}

static bool
checkRow(const mountJob *job, const virInternalMount *row, int source, GError **error)
{
    static const char *const kinds[] = {"tmpfs", "bind", "devpts", "node", "link"};

    if (row->kind < 0 || (size_t)row->kind >= G_N_ELEMENTS(kinds))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("there is no mount of kind %d"),
                           row->kind);
    if (!helperPolicyWord(job->policy, HOOK, "kinds", kinds[row->kind], error))
        return false;
    if (row->kind == VIR_INTERNAL_MOUNT_TMPFS)
        return checkTmpfs(job, row, error);
    if (!checkTarget(row->target, error))
        return false;
    switch ((virInternalMountKind)row->kind) {
    case VIR_INTERNAL_MOUNT_BIND:
        return checkSource(job, source, error);
    case VIR_INTERNAL_MOUNT_NODE:
        return (S_ISCHR(row->mode) || S_ISBLK(row->mode))
                   ? checkDevice(job, row->mode, row->major, row->minor, error)
                   : virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is to be no node"),
                                 row->target);
    case VIR_INTERNAL_MOUNT_LINK:
        return checkLink(row, error);
    case VIR_INTERNAL_MOUNT_TMPFS:
    case VIR_INTERNAL_MOUNT_DEVPTS:
        break;
    }
    return true;
}

/* --- making --- */

static int
openBelow(int folder, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
                           .mode = flags & O_CREAT ? 0600 : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                      RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};

    return (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
}

/* The folder that the target's last name is to be in, made where it isn't there. */
static int
openAbove(int base, const char *target, GError **error)
{
    g_autofree char *above = g_path_get_dirname(target);
    g_auto(GStrv) words = g_strsplit(above, "/", -1);
    VIR_AUTOCLOSE at = openBelow(base, ".", O_PATH | O_DIRECTORY);

    for (char **word = words; at >= 0 && *word && !g_str_equal(*word, "."); word++) {
        int next = mkdirat(at, *word, 0755) < 0 && errno != EEXIST
                       ? -1
                       : openBelow(at, *word, O_PATH | O_DIRECTORY);

        virCloseFd(&at);
        at = next;
    }
    if (at < 0)
        virErrorErrno(error, _("cannot make the folder of '%s'"), target);
    return g_steal_fd(&at);
}

/* A mount that nobody sees yet; options end with NULL. -1 with errno. */
static int
makeMount(const char *kind, const char *const (*options)[2], unsigned attributes)
{
    VIR_AUTOCLOSE fs = (int)syscall(SYS_fsopen, kind, FSOPEN_CLOEXEC);

    for (; fs >= 0 && (*options)[0]; options++) {
        if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, (*options)[0], (*options)[1], 0) < 0)
            return -1;
    }
    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static bool
makeTmpfs(mountJob *job, const virInternalMount *row, GError **error)
{
    uid_t uid = 0;
    gid_t gid = 0;
    char size[32], mode[16], owner[16], group[16];
    const char *const options[][2] = {
        {"size", size}, {"mode", mode}, {"uid", owner}, {"gid", group}, {NULL, NULL}};

    if (!mapOwner(job, row, &uid, &gid, error))
        return false;
    (void)snprintf(size, sizeof(size), "%llu", row->size); /* all of them have room */
    (void)snprintf(mode, sizeof(mode), "%o", row->mode);
    (void)snprintf(owner, sizeof(owner), "%u", (unsigned)uid);
    (void)snprintf(group, sizeof(group), "%u", (unsigned)gid);
    job->tmpfs = makeMount("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    return job->tmpfs >= 0 || virErrorErrno(error, _("cannot make a tmpfs"));
}

static bool
makeNode(const mountJob *job, int base, const virInternalMount *row, GError **error)
{
    g_autofree char *name = g_path_get_basename(row->target);
    VIR_AUTOCLOSE above = -1;
    uid_t uid = 0;
    gid_t gid = 0;

    if (!mapOwner(job, row, &uid, &gid, error) || (above = openAbove(base, row->target, error)) < 0)
        return false;
    if (mknodat(above, name, (row->mode & S_IFMT) | 0600, makedev(row->major, row->minor)) < 0)
        return virErrorErrno(error, _("cannot make the node '%s'"), row->target);
    return helperGiveNode(above, name, row->mode, makedev(row->major, row->minor), uid, gid, error);
}

static bool
makeLink(int base, const virInternalMount *row, GError **error)
{
    g_autofree char *name = g_path_get_basename(row->target);
    VIR_AUTOCLOSE above = openAbove(base, row->target, error);

    if (above < 0)
        return false;
    return symlinkat(row->text, above, name) == 0 || errno == EEXIST ||
           virErrorErrno(error, _("cannot make the link '%s'"), row->target);
}

/* What a mount comes onto is made on a new tmpfs alone; elsewhere it is there. */
static bool
makePlace(const mountJob *job, const virInternalMount *row, bool folder, GError **error)
{
    g_autofree char *name = g_path_get_basename(row->target);
    VIR_AUTOCLOSE above = -1;
    VIR_AUTOCLOSE file = -1;

    if (job->tmpfs < 0)
        return true;
    above = openAbove(job->tmpfs, row->target, error);
    if (above < 0)
        return false;
    if (folder && mkdirat(above, name, 0755) < 0)
        return virErrorErrno(error, _("cannot make the folder '%s'"), row->target);
    if (!folder && (file = openBelow(above, name, O_CREAT | O_EXCL | O_WRONLY)) < 0)
        return virErrorErrno(error, _("cannot make a place to mount '%s'"), row->target);
    return true;
}

static bool
addBind(mountJob *job, const virInternalMount *row, int source, GError **error)
{
    mountBind bind = {.source = source, .tree = -1, .target = row->target};
    struct stat st = {0};

    (void)fstat(source, &st); /* it was looked at before */
    g_array_append_val(job->binds, bind);
    return makePlace(job, row, S_ISDIR(st.st_mode), error);
}

static bool
addDevpts(mountJob *job, const virInternalMount *row, GError **error)
{
    const char *const options[][2] = {{"ptmxmode", "0666"}, {"mode", "0620"}, {NULL, NULL}};
    mountBind bind = {.source = -1,
                      .tree = makeMount("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
                      .target = row->target};

    if (bind.tree < 0)
        return virErrorErrno(error, _("cannot make a devpts"));
    g_array_append_val(job->binds, bind);
    return makePlace(job, row, true, error);
}

static bool
makeRow(mountJob *job, const virInternalMount *row, int source, GError **error)
{
    const int base = job->tmpfs >= 0 ? job->tmpfs : job->folder;

    switch ((virInternalMountKind)row->kind) {
    case VIR_INTERNAL_MOUNT_TMPFS:
        return makeTmpfs(job, row, error);
    case VIR_INTERNAL_MOUNT_BIND:
        return addBind(job, row, source, error);
    case VIR_INTERNAL_MOUNT_DEVPTS:
        return addDevpts(job, row, error);
    case VIR_INTERNAL_MOUNT_NODE:
        return makeNode(job, base, row, error);
    case VIR_INTERNAL_MOUNT_LINK:
        return makeLink(base, row, error);
    }
    return true;
}

/* --- mounting --- */

static int
moveMount(int tree, int place)
{
    return (int)syscall(SYS_move_mount, tree, "", place, "",
                        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* In the child, whose end tells the errno of what failed. A mount is copied in its own namespace.
 */
G_NORETURN static void
mountChild(mountJob *job, int process, int space)
{
    const int base = job->tmpfs >= 0 ? job->tmpfs : job->folder;

    if (setns(space, CLONE_NEWNS) < 0)
        _exit(errno);
    for (guint i = 0; i < job->binds->len; i++) {
        mountBind *bind = &g_array_index(job->binds, mountBind, i);

        if (bind->tree < 0)
            bind->tree =
                (int)syscall(SYS_open_tree, bind->source, "",
                             OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
        if (bind->tree < 0)
            _exit(errno);
    }
    if (setns(process, CLONE_NEWNS) < 0 ||
        (job->tmpfs >= 0 && moveMount(job->tmpfs, job->folder) < 0))
        _exit(errno);
    for (guint i = 0; i < job->binds->len; i++) {
        const mountBind *bind = &g_array_index(job->binds, mountBind, i);
        int place = openBelow(base, bind->target, O_PATH);

        if (place < 0 || moveMount(bind->tree, place) < 0)
            _exit(errno);
    }
    _exit(0);
}

static bool
mountAll(mountJob *job, GError **error)
{
    int process = virInternalRequestGetFd(job->request, PROCESS_FD);
    int space = virInternalRequestGetFd(job->request, SPACE_FD);
    VIR_AUTOCLOSE child = -1;
    int status = 0;
    pid_t pid;

    if (job->tmpfs < 0 && job->binds->len == 0)
        return true;
    pid = virClonePlain(&child);
    if (pid == 0)
        mountChild(job, process, space);
    if (pid < 0)
        return virErrorErrno(error, _("cannot create a process to mount with"));
    if (!virSpawnReap(child, &status, error))
        return false;
    if (!WIFEXITED(status))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("the process that mounts was killed"));
    return WEXITSTATUS(status) == 0 ||
           virErrorErrnoValue(error, WEXITSTATUS(status),
                              _("cannot mount in the guest's mount namespace"));
}

/* Each row with its source. */
static bool
forEachRow(mountJob *job, bool make, GError **error)
{
    size_t source = FIRST_SOURCE_FD;

    for (size_t i = 0; i < job->n; i++) {
        const virInternalMount *row = &job->rows[i];
        int fd = row->kind == VIR_INTERNAL_MOUNT_BIND
                     ? virInternalRequestGetFd(job->request, source++)
                     : -1;

        if (make ? !makeRow(job, row, fd, error) : !checkRow(job, row, fd, error))
            return false;
    }
    return true;
}

bool
helperApplyMounts(const helperPolicy *policy, const virInternalCall *call,
                  virInternalRequest *request, GError **error)
{
    g_auto(mountJob) job = {.policy = policy,
                            .request = request,
                            .folder = virInternalRequestGetFd(request, FOLDER_FD),
                            .tmpfs = -1,
                            .binds = g_array_new(FALSE, FALSE, sizeof(mountBind))};

    job.rows = virInternalRequestGetMounts(request, &job.n);
    if (job.n == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("no mount is asked for"));
    if (!helperPolicyProcess(policy, virInternalRequestGetFd(request, PROCESS_FD), &job.pid,
                             error) ||
        !checkNamespaces(&job, error) || !forEachRow(&job, /* make: */ false, error))
        return false;
    return (job.rows[0].kind == VIR_INTERNAL_MOUNT_TMPFS ? checkPlace(&job, error)
                                                         : checkFolder(&job, error)) &&
           forEachRow(&job, /* make: */ true, error) && mountAll(&job, error);
}
