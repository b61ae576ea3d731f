/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations_cgroup.c: control groups of guests: made, entered, limited and removed.
 *
 * The group of a call lies below those of the policy, or is the one above where one of those is to
 * be made. A name is one component of what is below a descriptor, and what it leads to is on the
 * same mount. Files are those that hold limits and no others: none by which groups are given away
 * or programs run. Nobody is waited for: the daemon does that, which takes no right. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "helperd/group.h"
#include "helperd/operations.h"
#include "util/cgroup/vircgrouplimit.h"
#include "util/cgroup/vircgroupsettle.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { LEVELS_MAX = 8, DEPTH_MAX = 16, TREE_MAX = 512, FILE_MAX = 1 << 20 };

/* --- what is below a descriptor --- */

static int
openBelow(int folder, const char *name, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                      RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};

    return (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
}

static bool
writeBelow(int folder, const char *file, const char *text)
{
    VIR_AUTOCLOSE fd = openBelow(folder, file, O_WRONLY);

    return fd >= 0 && write(fd, text, strlen(text)) >= 0;
}

/* Without blanks at the end; NULL if it can't be read. Caller frees. */
static char *
readBelow(int folder, const char *file)
{
    char *text = virFileReadAt(folder, file, FILE_MAX, NULL, NULL);

    return text ? g_strchomp(text) : NULL;
}

static bool
isV2(int folder)
{
    struct statfs fs;

    return fstatfs(folder, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The request's first descriptor, or the same group by a mount of ours where that one's is
 * read-only, as in a container; *retOwn is to be closed. -1 with an error. */
static int
groupOf(const virInternalRequest *request, int *retOwn, GError **error)
{
    int given = virInternalRequestGetFd(request, 0);
    struct statvfs fs;

    if (fstatvfs(given, &fs) < 0) {
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("a descriptor is missing"));
        return -1;
    }
    if (!(fs.f_flag & ST_RDONLY))
        return given;
    *retOwn = helperGroupReopen(given, error);
    return *retOwn;
}

/* The request's first descriptor, and one name for something in it. *retTopmost: it is the name of
 * one of the policy's groups, there. */
static bool
checkPlace(const helperPolicy *policy, const char *hook, const virInternalRequest *request,
           const char **retName, bool *retTopmost, GError **error)
{
    const char *name = virInternalRequestGetString(request, "name");

    if (name[0] == '\0' || name[0] == '.' || strpbrk(name, "/\n"))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is no name of a group"), name);
    *retName = name;
    return helperPolicyParent(policy, hook, virInternalRequestGetFd(request, 0), name, retTopmost,
                              error);
}

/* --- making --- */

/* What of the controllers the policy gives away and the parent has; the daemon misses the others
 * when a limit asks for one. One that can't be given (a real-time thread exists, processes are in
 * the parent) is missing in the same way. */
static void
giveControllers(const helperPolicy *policy, int parent, const char *controllers)
{
    g_auto(GStrv) words = g_strsplit(controllers, " ", -1);

    for (char **word = words; *word; word++) {
        g_autofree char *text = g_strconcat("+", *word, NULL);

        if (helperPolicyWord(policy, "cgroup.create", "controllers", *word, NULL))
            (void)writeBelow(parent, "cgroup.subtree_control", text); /* see above */
    }
}

/* A new cpuset of v1 is empty, and nobody may enter it before it has what its parent has. (One of
 * v2 follows its parent as long as it is empty.) */
static bool
inherit(int parent, int folder, GError **error)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *now = readBelow(folder, files[i]);
        g_autofree char *above = now && !*now ? readBelow(parent, files[i]) : NULL;

        if (!now)
            return true; /* it is no cpuset */
        if (above && !writeBelow(folder, files[i], above))
            return virErrorErrno(error, _("cannot write '%s' of the control group"), files[i]);
    }
    return true;
}

static bool
makeThreaded(int folder, GError **error)
{
    g_autofree char *type = readBelow(folder, "cgroup.type");

    return g_strcmp0(type, "threaded") == 0 || writeBelow(folder, "cgroup.type", "threaded") ||
           virErrorErrno(error, _("cannot make the control group one of threads"));
}

static bool
giveAway(const helperPolicy *policy, int folder, uid_t uid, gid_t gid, GError **error)
{
    static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};

    if (uid == (uid_t)-1)
        return true;
    if (!helperPolicyMember(policy, "cgroup.create", "uids", (int64_t)uid, error) ||
        !helperPolicyMember(policy, "cgroup.create", "gids", (int64_t)gid, error))
        return false;
    if (!isV2(folder))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("a group of cgroup v1 is not given away"));
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        VIR_AUTOCLOSE file = openBelow(folder, files[i], O_PATH);

        if (file < 0 || fchownat(file, "", uid, gid, AT_EMPTY_PATH) < 0)
            return virErrorErrno(error, _("cannot give '%s' away"), files[i]);
    }
    return fchownat(folder, "", uid, gid, AT_EMPTY_PATH) == 0 ||
           virErrorErrno(error, _("cannot give the control group away"));
}

static bool
equip(const helperPolicy *policy, const virInternalRequest *request, int parent, int folder,
      GError **error)
{
    const bool v2 = isV2(folder);

    if (v2 && helperNumber(request, "threaded") && !makeThreaded(folder, error))
        return false;
    if (v2)
        giveControllers(policy, parent, virInternalRequestGetString(request, "controllers"));
    return (v2 || inherit(parent, folder, error)) &&
           giveAway(policy, folder, (uid_t)helperNumber(request, "uid"),
                    (gid_t)helperNumber(request, "gid"), error);
}

/* How many groups may be in one of the policy's, and in one another. */
static bool
checkRoom(const helperPolicy *policy, int parent, const char *name, GError **error)
{
    struct stat st;

    if (helperGroupDepth(parent) >= LEVELS_MAX)
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("too many groups in one another"));

    if (faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (fstat(parent, &st) < 0)
        return virErrorErrno(error, _("cannot look at a control group"));
    /* a group's folder has as many links as groups, and two */
    return helperPolicyNumber(policy, "cgroup.create", "a number of groups in one",
                              (int64_t)st.st_nlink - 1, error);
}

bool
helperCreateGroup(const helperPolicy *policy, const virInternalCall *call,
                  virInternalRequest *request, GError **error)
{
    VIR_AUTOCLOSE own = -1;
    int parent = groupOf(request, &own, error);
    const char *name = NULL;
    VIR_AUTOCLOSE folder = -1;
    bool topmost = false;
    bool made;

    if (parent < 0 || !checkPlace(policy, "cgroup.create", request, &name, &topmost, error) ||
        (!topmost && !checkRoom(policy, parent, name, error))) /* beside it are others' */
        return false;
    made = mkdirat(parent, name, 0755) == 0;
    if (!made && errno != EEXIST)
        return virErrorErrno(error, _("cannot make control group '%s'"), name);
    folder = openBelow(parent, name, O_RDONLY | O_DIRECTORY);
    if (folder < 0)
        return virErrorErrno(error, _("cannot open control group '%s'"), name);
    if (!equip(policy, request, parent, folder, error)) {
        if (made)
            (void)unlinkat(parent, name, AT_REMOVEDIR); /* the error in hand says more */
        return false;
    }
    if (topmost)
        helperGroupMade(folder);
    virInternalRequestAddFd(request, folder);
    folder = -1; /* the library's */
    return true;
}

/* --- moving --- */

/* The kernel takes a number here; whose it was is looked at afterwards (vircgroupsettle.h). */
static bool
moveOne(int group, const char *file, pid_t pid, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", (int)pid);

    return writeBelow(group, file, text) ||
           virErrorErrno(error, _("cannot move %d into the control group"), (int)pid);
}

static bool
moveProcess(const helperPolicy *policy, const virInternalRequest *request, int group,
            GError **error)
{
    int pidfd = virInternalRequestGetFd(request, 1);
    pid_t pid = 0;

    if (!helperPolicyNewcomer(policy, "cgroup.move", pidfd, group, &pid, error) ||
        !moveOne(group, "cgroup.procs", pid, error))
        return false;
    return virCgroupSettleMove(group, "cgroup.procs", pidfd, pid) ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the process ended while it was moved"));
}

bool
helperMoveIntoGroup(const helperPolicy *policy, const virInternalCall *call,
                    virInternalRequest *request, GError **error)
{
    VIR_AUTOCLOSE own = -1;
    int group = groupOf(request, &own, error);
    g_autoptr(GArray) tids = NULL;
    virInternalThreads threads;

    if (group < 0 || !helperPolicyGroup(policy, "cgroup.move", group, error))
        return false;
    if (virInternalRequestGetThreads(request, &threads) == 0 && threads.n == 0)
        return moveProcess(policy, request, group, error);
    tids = helperCheckedThreads(policy, request, error);
    for (guint i = 0; tids && i < tids->len; i++) {
        const pid_t tid = g_array_index(tids, pid_t, i);

        if (!moveOne(group, isV2(group) ? "cgroup.threads" : "tasks", tid, error))
            return false;
        if (!isV2(group)) /* which refuses threads of other processes */
            (void)virCgroupSettleThread(group, "tasks", threads.pidfd, tid); /* ended: so be it */
    }
    return tids != NULL;
}

/* --- limits --- */

bool
helperSetGroup(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
               GError **error)
{
    VIR_AUTOCLOSE own = -1;
    int group = groupOf(request, &own, error);
    const char *file = virInternalRequestGetString(request, "file");
    const char *value = virInternalRequestGetString(request, "value");

    if (group < 0 || !helperPolicyGroup(policy, "cgroup.set", group, error))
        return false;
    if (!virCgroupLimitIsFile(file))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                           _("'%s' is no limit of a guest's control group"), file);
    if (!helperPolicySetting(policy, "cgroup.set", file, value, error))
        return false;
    return writeBelow(group, file, value) ||
           virErrorErrno(error, _("cannot write '%s' to '%s'"), value, file);
}

/* --- removing --- */

static void
closeElement(void *opaque)
{
    virCloseFd(opaque);
}

/* The groups right in folder; NULL with an error. */
static GPtrArray *
namesBelow(int folder, GError **error)
{
    GPtrArray *names;
    int fd = openBelow(folder, ".", O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        virErrorErrno(error, _("cannot list a control group"));
        virCloseFd(&fd);
        return NULL;
    }
    names = g_ptr_array_new_with_free_func(g_free);
    while ((entry = readdir(dir))) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    (void)closedir(dir); /* read only */
    return names;
}

/* Every group from folder on; of v2 that one alone, which speaks for those below. */
static bool
addTree(GArray *tree, int folder, unsigned depth, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;
    int own = fcntl(folder, F_DUPFD_CLOEXEC, 3);

    if (own < 0)
        return virErrorErrno(error, _("cannot open a control group"));
    g_array_append_val(tree, own);
    if (tree->len > TREE_MAX) /* descriptors are of all daemons together */
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("too many groups in one another"));
    if (isV2(folder))
        return true;
    names = namesBelow(folder, error);
    for (guint i = 0; names && i < names->len; i++) {
        VIR_AUTOCLOSE child = openBelow(folder, names->pdata[i], O_RDONLY | O_DIRECTORY);

        if (depth == 0)
            return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("too many groups in one another"));
        if (child >= 0 && !addTree(tree, child, depth - 1, error))
            return false;
    }
    return names != NULL;
}

/* Pids of all processes in it and below it (pid_t). */
static GArray *
processesIn(const GArray *tree)
{
    GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    for (guint i = 0; i < tree->len; i++) {
        g_autofree char *text = readBelow(g_array_index(tree, int, i), "cgroup.procs");
        g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

        for (char **line = lines; *line; line++) {
            pid_t pid = (pid_t)g_ascii_strtoll(*line, NULL, 10);

            if (pid > 0)
                g_array_append_val(pids, pid);
        }
    }
    return pids;
}

static bool
contains(const GArray *pids, pid_t pid)
{
    for (guint i = 0; i < pids->len; i++) {
        if (g_array_index(pids, pid_t, i) == pid)
            return true;
    }
    return false;
}

/* The number may be another's by the time the descriptor is open: so it is looked for once more. */
static void
killProcesses(const GArray *tree)
{
    g_autoptr(GArray) pids = processesIn(tree);

    for (guint i = 0; i < pids->len; i++) {
        pid_t pid = g_array_index(pids, pid_t, i);
        VIR_AUTOCLOSE pidfd = pidfd_open(pid, 0);
        g_autoptr(GArray) again = pidfd < 0 ? NULL : processesIn(tree);

        if (again && contains(again, pid))
            (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0); /* gone already is what we want */
    }
}

static bool
killAll(int folder, const GArray *tree, GError **error)
{
    if (!isV2(folder)) {
        killProcesses(tree);
        return true;
    }
    return writeBelow(folder, "cgroup.kill", "1") ||
           virErrorErrno(error, _("cannot kill the processes of a control group"));
}

static bool
isPopulated(int folder, const GArray *tree)
{
    g_autofree char *events = isV2(folder) ? readBelow(folder, "cgroup.events") : NULL;
    g_autoptr(GArray) pids = events ? NULL : processesIn(tree);

    return events ? strstr(events, "populated 1") != NULL : pids->len > 0;
}

/* From the inside out. */
static bool
removeBelow(int folder, unsigned depth, GError **error)
{
    g_autoptr(GPtrArray) names = namesBelow(folder, error);

    for (guint i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        VIR_AUTOCLOSE child = openBelow(folder, name, O_RDONLY | O_DIRECTORY);

        if (depth > 0 && child >= 0 && !removeBelow(child, depth - 1, error))
            return false;
        if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
            return virErrorErrno(error, _("cannot remove control group '%s'"), name);
    }
    return names != NULL;
}

bool
helperRemoveGroup(const helperPolicy *policy, const virInternalCall *call,
                  virInternalRequest *request, GError **error)
{
    VIR_AUTOCLOSE own = -1;
    int parent = groupOf(request, &own, error);
    const unsigned flags = (unsigned)helperNumber(request, "flags");
    g_autoptr(GArray) tree = g_array_new(FALSE, FALSE, sizeof(int));
    bool topmost = false;
    const char *name = NULL;
    VIR_AUTOCLOSE folder = -1;

    g_array_set_clear_func(tree, closeElement);
    if (parent < 0 || !checkPlace(policy, "cgroup.remove", request, &name, &topmost, error))
        return false;
    folder = openBelow(parent, name, O_RDONLY | O_DIRECTORY);
    if (folder < 0)
        return errno == ENOENT || virErrorErrno(error, _("cannot open control group '%s'"), name);
    if (!addTree(tree, folder, DEPTH_MAX, error) ||
        ((flags & VIR_INTERNAL_REMOVE_KILL) && !killAll(folder, tree, error)))
        return false;
    if (flags & VIR_INTERNAL_REMOVE_KEEP)
        return true;
    if (isPopulated(folder, tree))
        return virErrorSet(error, VIR_ERR_RESOURCE_BUSY, _("processes are in control group '%s'"),
                           name);
    if (!(flags & VIR_INTERNAL_REMOVE_ONLY_EMPTY) && !removeBelow(folder, DEPTH_MAX, error))
        return false;
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
           virErrorErrno(error, _("cannot remove control group '%s'"), name);
}
