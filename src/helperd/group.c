/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * group.c: see group.h. Upwards by "..", which RESOLVE_NO_XDEV keeps from crossing a mount: at a
 * mount's own root the folder beyond it says nothing about the group. A mount that shows a part of
 * the hierarchy only, as in a container, ends the way there; then its root is looked for below
 * those that are allowed. */
#include "helperd/group.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "helperd/file.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { MOUNTS_MAX = 8 << 20, DEPTH_MAX = 32 };

static bool
isGroup(int fd, struct stat *retStat)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fstat(fd, retStat) == 0 && S_ISDIR(retStat->st_mode) &&
           (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC);
}

/* --- the groups that are allowed --- */

static void
closeTop(void *opaque)
{
    virCloseFd(opaque);
}

/* The part of group below root, both absolute; NULL if it is elsewhere. */
static const char *
belowRoot(const char *group, const char *root)
{
    size_t len = g_str_equal(root, "/") ? 0 : strlen(root);

    if (strncmp(group, root, len) != 0 || (group[len] != '/' && group[len] != '\0'))
        return NULL;
    return group + len;
}

static void
addTop(GArray *tops, const char *mount, const char *below, dev_t device)
{
    g_autofree char *path = g_build_filename(mount, below, NULL);
    VIR_AUTOCLOSE fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || !isGroup(fd, &st) || st.st_dev != device)
        return;
    g_array_append_val(tops, fd);
    fd = -1; /* the array's */
}

/* A line of mountinfo: "36 35 0:38 /root /mount options ...", blanks in names written "\040". */
static void
addTopsOfMount(GArray *tops, const char *line, const char *const *groups, dev_t device)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 6);
    unsigned high = 0, low = 0;

    if (g_strv_length(words) < 6 || sscanf(words[2], "%u:%u", &high, &low) != 2 ||
        makedev(high, low) != device)
        return;
    for (const char *const *group = groups; group && *group; group++) {
        g_autofree char *root = g_strcompress(words[3]);
        g_autofree char *mount = g_strcompress(words[4]);
        const char *below = belowRoot(*group, root);

        if (below)
            addTop(tops, mount, below, device);
    }
}

/* Descriptors of those groups in the hierarchy of device. NULL with an error. */
static GArray *
openTops(const char *const *groups, dev_t device, GError **error)
{
    g_autofree char *text = virFileRead("/proc/self/mountinfo", MOUNTS_MAX, NULL, error);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    GArray *tops = text ? g_array_new(FALSE, FALSE, sizeof(int)) : NULL;

    if (tops)
        g_array_set_clear_func(tops, closeTop);
    for (char **line = lines; line && *line; line++)
        addTopsOfMount(tops, *line, groups, device);
    return tops;
}

static bool
isTop(const GArray *tops, ino_t inode)
{
    for (guint i = 0; i < tops->len; i++) {
        struct stat st;

        if (fstat(g_array_index(tops, int, i), &st) == 0 && st.st_ino == inode)
            return true;
    }
    return false;
}

/* --- what was found before --- */

enum { KNOWN_MAX = 64 };

/* One of the groups that are allowed, or, with the name of one, the group right above that. The
 * policy does not change, and a group's number is not used twice: what is below it by its number is
 * below it. */
typedef struct {
    dev_t device;
    ino_t inode;
    const char *name; /* interned; NULL: it is one of them itself */
} knownGroup;

static GMutex knownLock;
static knownGroup known[KNOWN_MAX];
static unsigned knownNext;

static bool
isKnown(const struct stat *st, const char *name)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&knownLock);

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (known[i].inode == st->st_ino && known[i].device == st->st_dev && st->st_ino &&
            known[i].name == name)
            return true;
    }
    return false;
}

static void
remember(const struct stat *st, const char *name)
{
    if (isKnown(st, name))
        return;
    g_mutex_lock(&knownLock);
    known[knownNext++ % KNOWN_MAX] = (knownGroup){st->st_dev, st->st_ino, name};
    g_mutex_unlock(&knownLock);
}

void
helperGroupForget(void)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&knownLock);

    memset(known, 0, sizeof(known));
}

void
helperGroupMade(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0)
        remember(&st, NULL);
}

/* --- upwards --- */

/* -1 with EXDEV at the root of a mount. */
static int
openAbove(int fd)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV};

    return (int)syscall(SYS_openat2, fd, "..", &how, sizeof(how));
}

/* By how many steps the way up comes to a group that was found before; -1: it doesn't. */
int
helperGroupDepth(int fd)
{
    VIR_AUTOCLOSE at = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    struct stat st;

    for (int depth = 0; at >= 0 && fstat(at, &st) == 0; depth++) {
        int above;

        if (isKnown(&st, NULL))
            return depth;
        above = openAbove(at);
        virCloseFd(&at);
        at = above;
    }
    return -1;
}

/* Until a top, or as far as it goes: *retEnd is the last one's inode. */
static bool
climb(int fd, const GArray *tops, ino_t *retEnd, bool *retBelow, GError **error)
{
    VIR_AUTOCLOSE at = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    struct stat st;

    while (at >= 0 && fstat(at, &st) == 0) {
        int above;

        *retEnd = st.st_ino;
        *retBelow = isTop(tops, st.st_ino);
        if (*retBelow)
            return true;
        above = openAbove(at);
        if (above < 0 && errno == EXDEV)
            return true;
        virCloseFd(&at);
        at = above;
    }
    return virErrorErrno(error, _("cannot find out where a control group lies"));
}

/* --- downwards --- */

/* True if a group below folder has this inode: in a hierarchy, an id that is not used twice. */
static bool
hasBelow(int folder, ino_t inode, unsigned depth)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool found = false;

    if (!dir)
        virCloseFd(&fd);
    while (dir && !found && (entry = readdir(dir))) {
        VIR_AUTOCLOSE child = -1;

        if (entry->d_type != DT_DIR || g_str_equal(entry->d_name, ".") ||
            g_str_equal(entry->d_name, ".."))
            continue;
        found = entry->d_ino == inode;
        if (found || depth == 0)
            continue;
        child = openat(fd, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        found = child >= 0 && hasBelow(child, inode, depth - 1);
    }
    if (dir)
        (void)closedir(dir); /* read only */
    return found;
}

bool
helperGroupIsBelow(int fd, const char *const *groups, bool *retBelow, GError **error)
{
    g_autoptr(GArray) tops = NULL;
    struct stat st;
    ino_t end = 0;

    if (!isGroup(fd, &st))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("a descriptor is no control group"));
    *retBelow = helperGroupDepth(fd) >= 0;
    if (*retBelow)
        return true;
    if (!(tops = openTops(groups, st.st_dev, error)) || !climb(fd, tops, &end, retBelow, error))
        return false;
    for (guint i = 0; i < tops->len && !*retBelow; i++)
        *retBelow = hasBelow(g_array_index(tops, int, i), end, DEPTH_MAX);
    for (guint i = 0; i < tops->len; i++)
        helperGroupMade(g_array_index(tops, int, i));
    return true;
}

bool
helperGroupIsAbove(int fd, const char *name, const char *const *groups, bool *retAbove,
                   GError **error)
{
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) tops = NULL;
    struct stat st;

    if (!isGroup(fd, &st))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("a descriptor is no control group"));
    for (; groups && *groups; groups++) {
        g_autofree char *last = g_path_get_basename(*groups);

        if (g_str_equal(last, name))
            g_ptr_array_add(folders, g_path_get_dirname(*groups));
    }
    *retAbove = folders->len > 0 && isKnown(&st, g_intern_string(name));
    if (folders->len == 0 || *retAbove)
        return true; /* the usual case: nothing needs to be looked for */
    g_ptr_array_add(folders, NULL);
    tops = openTops((const char *const *)folders->pdata, st.st_dev, error);
    *retAbove = tops && isTop(tops, st.st_ino);
    if (*retAbove)
        remember(&st, g_intern_string(name));
    return tops != NULL;
}

/* --- another way there --- */

int
helperGroupReopen(int fd, GError **error)
{
    g_autofree char *text = virFileRead("/proc/self/mountinfo", MOUNTS_MAX, NULL, error);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    struct stat st;

    if (fstat(fd, &st) < 0) {
        virErrorErrno(error, _("cannot look at a control group"));
        return -1;
    }
    for (char **line = lines; line && *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 7);
        unsigned high = 0, low = 0;
        g_autofree char *mount = NULL;
        int found;

        if (g_strv_length(words) < 7 || sscanf(words[2], "%u:%u", &high, &low) != 2 ||
            makedev(high, low) != st.st_dev || !g_str_has_prefix(words[5], "rw"))
            continue;
        mount = g_strcompress(words[4]);
        found = helperFileFind(fd, mount);
        if (found >= 0)
            return found;
    }
    if (text)
        virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                    _("a control group can be reached by no mount here that can be written to"));
    return -1;
}
