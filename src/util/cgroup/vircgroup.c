/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroup.c: groups, whatever the hierarchy: names, folders, parts, what is inside. What
 * versions do differently is behind virCgroupBackend. See vircgroup.h and vircgroupbackend.h. */
#include "util/cgroup/vircgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virutil.h"

#define FILE_MAX (1u << 20)
#define NAME_LIMIT 200

/* A folder's name for any guest's name: what can't be one is written as \xNN, as systemd does; what
 * is too long ends in a checksum of the whole. */
static char *
virCgroupFolderName(const char *name)
{
    GString *folder = g_string_new(NULL);

    for (const char *at = name; *at; at++) {
        if (g_ascii_isalnum(*at) || strchr("-_+:@,=~", *at) || (*at == '.' && at != name) ||
            (unsigned char)*at >= 0x80)
            g_string_append_c(folder, *at);
        else
            g_string_append_printf(folder, "\\x%02x", (unsigned char)*at);
    }
    if (folder->len > NAME_LIMIT) {
        g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);

        g_string_truncate(folder, NAME_LIMIT - 17);
        g_string_append_printf(folder, "-%.16s", sum);
    }
    return g_string_free(folder, FALSE);
}

char *
virCgroupNameIn(const char *partition, const char *name)
{
    g_auto(GStrv) words = g_strsplit(partition ? partition : "", "/", -1);
    GString *full = g_string_new(NULL);

    for (char **word = words; *word; word++) {
        if (**word)
            g_string_append_printf(full, "/%s", *word);
    }
    if (full->len == 0 || g_str_equal(full->str, "/machine"))
        g_string_truncate(full, 0);
    else
        g_string_append_c(full, '/');
    g_string_append(full, name);
    return g_string_free(full, FALSE);
}

/* What a guest's group is below an instance's folder: of "/a/b/1-x" that is
 * "a.partition/b.partition/1-x". */
static char *
virCgroupFolderBelow(const char *name)
{
    g_auto(GStrv) words = g_strsplit(*name == '/' ? name + 1 : "", "/", -1);
    const char *last = *name == '/' ? strrchr(name, '/') + 1 : name;
    g_autofree char *folder = virCgroupFolderName(last);
    GString *below = g_string_new(NULL);

    for (char **word = words; *word && word[1]; word++) {
        g_autofree char *partition = virCgroupFolderName(*word);

        g_string_append_printf(below, "%s" VIR_CGROUP_PARTITION "/", partition);
    }
    g_string_append(below, folder);
    return g_string_free(below, FALSE);
}

/* Of the group in the gate's hierarchy. */
static char *
virCgroupPathIn(const virCgroup *group)
{
    const virCgroupInstance *instance = group->instance;

    if (group->scope && instance->hierarchies->len)
        return g_build_filename(virCgroupHierarchyAt(instance, 0)->mount, group->below, NULL);
    return g_build_filename(instance->path ? instance->path : "", group->below, NULL);
}

virCgroup *
virCgroupNew(virCgroupInstance *instance, const char *name)
{
    virCgroup *group = g_new0(virCgroup, 1);

    g_atomic_ref_count_init(&group->refs);
    g_mutex_init(&group->mutex);
    group->instance = virCgroupInstanceRef(instance);
    group->name = g_strdup(name);
    group->scope = g_strdup(virCgroupScopeOf(name));
    group->below = group->scope ? g_strdup_printf("%s/virtward-%s", group->scope, instance->name)
                                : virCgroupFolderBelow(name);
    group->path = virCgroupPathIn(group);
    group->leafPath = g_build_filename(group->path, VIR_CGROUP_LEAF, NULL);
    group->leafFd = -1;
    group->cloneFd = -1;
    return group;
}

virCgroup *
virCgroupRef(virCgroup *group)
{
    g_atomic_ref_count_inc(&group->refs);
    return group;
}

void
virCgroupUnref(virCgroup *group)
{
    if (!group || !g_atomic_ref_count_dec(&group->refs))
        return;
    virCloseFd(&group->leafFd);
    virCloseFd(&group->cloneFd);
    g_mutex_clear(&group->mutex);
    g_free(group->name);
    g_free(group->scope);
    g_free(group->below);
    g_free(group->path);
    g_free(group->leafPath);
    virCgroupInstanceUnref(group->instance);
    g_free(group);
}

static bool
virCgroupCheckUsable(const virCgroup *group, GError **error)
{
    return group->instance->backend ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("no control groups are available here: %s"),
                       group->instance->reason ? group->instance->reason : "");
}

int
virCgroupOpenLeaf(virCgroup *group, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&group->mutex);

    if (!virCgroupCheckUsable(group, error))
        return -1;
    if (group->leafFd < 0)
        group->leafFd = open(group->leafPath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (group->leafFd < 0)
        virErrorErrno(error, _("cannot open control group %s"), group->leafPath);
    return group->leafFd;
}

virCgroup *
virCgroupOpen(virCgroupInstance *instance, const char *name, GError **error)
{
    g_autoptr(virCgroup) group = virCgroupNew(instance, name);

    if (!virCgroupCheckUsable(group, error))
        return NULL;
    if (access(group->leafPath, F_OK) < 0 && errno == ENOENT) {
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("there is no control group %s"),
                    group->leafPath);
        return NULL;
    }
    if (virCgroupOpenLeaf(group, error) < 0)
        return NULL;
    return g_steal_pointer(&group);
}

virCgroupInstance *
virCgroupInstanceOf(const virCgroup *group)
{
    return group->instance;
}

const char *
virCgroupName(const virCgroup *group)
{
    return group->name;
}

const char *
virCgroupPath(const virCgroup *group)
{
    return group->leafPath;
}

/* May write where processes enter the folder. */
static bool
virCgroupMayEnter(const char *folder)
{
    g_autofree char *procs = g_build_filename(folder, "cgroup.procs", NULL);

    return access(procs, W_OK) == 0;
}

/* The nearest group above this process's own and path, both below mount. */
static char *
virCgroupCommonAbove(const char *mount, const char *place, const char *path)
{
    g_autofree char *own = g_build_filename(mount, place, NULL);
    size_t len = 0;

    for (size_t i = 0; own[i] && own[i] == path[i]; i++) {
        const bool ends =
            (own[i + 1] == '/' || !own[i + 1]) && (path[i + 1] == '/' || !path[i + 1]);

        len = ends ? i + 1 : len;
    }
    return g_strndup(path, len);
}

bool
virCgroupMayReach(const virCgroup *group)
{
    g_autofree char *text = NULL;
    g_autofree char *above = NULL;
    g_auto(virCgroupMounts) own = {0};

    if (!group->instance->handed)
        return true;
    /* looked at anew: others may have moved this process */
    text = virFileRead("/proc/self/cgroup", FILE_MAX, NULL, NULL);
    own.v2 = g_strdup(group->instance->mounts.v2);
    virCgroupMountsPlace(&own, text ? text : "");
    if (!own.v2Place || group->instance->backend != &virCgroupV2Backend ||
        group->instance->hierarchies->len != 1)
        return false;
    above = virCgroupCommonAbove(own.v2, own.v2Place, group->leafPath);
    return virCgroupMayEnter(above);
}

bool
virCgroupMayJoin(const virCgroup *group)
{
    return !group->instance->handed ||
           (virCgroupMayReach(group) && virCgroupMayEnter(group->leafPath));
}

int
virCgroupCloneFd(const virCgroup *group)
{
    if (!group->instance->backend || !group->instance->backend->canClone || group->scope)
        return -1;
    return group->cloneFd >= 0 ? group->cloneFd : group->leafFd;
}

/* --- folders of a group in each hierarchy --- */

char *
virCgroupPartPath(const virCgroup *group, virCgroupController controller, const virCgroupPart *part)
{
    const virCgroupHierarchy *hierarchy = virCgroupHierarchyOf(group->instance, controller);
    const bool whole = !part || part->type == VIR_CGROUP_PART_GUEST;

    if (!hierarchy || (!whole && !(VIR_CGROUP_THREAD_CONTROLLERS & (1u << controller))))
        return NULL;
    return virCgroupPartFolderIn(group, hierarchy, part);
}

bool
virCgroupHasController(const virCgroup *group, virCgroupController controller)
{
    const virCgroupHierarchy *hierarchy = virCgroupHierarchyOf(group->instance, controller);
    g_autofree char *path = hierarchy ? virCgroupFolderIn(group, hierarchy) : NULL;

    return path && hierarchy->backend->hasController(path, controller);
}

static void
virCgroupCloseElement(void *opaque)
{
    virCloseFd(opaque);
}

GArray *
virCgroupOpenJoins(virCgroup *group, GError **error)
{
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));

    g_array_set_clear_func(fds, virCgroupCloseElement);
    for (guint i = 0; i < group->instance->hierarchies->len; i++) {
        const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, i);
        g_autofree char *entry = NULL;
        g_autofree char *path = NULL;
        int fd;

        if (i == 0 && at->backend->canClone && !group->scope)
            continue;
        entry = virCgroupEntryIn(group, at);
        /* A thread that writes "0" to v1's list of threads moves itself alone, for which the kernel
         * needs no lock over all processes (cgroup_procs_write_start in kernel/cgroup/cgroup.c);
         * taking that one waits for RCU, often 10 ms. Who joins has one thread. */
        path = g_build_filename(
            entry, at->backend == &virCgroupV1Backend ? at->backend->threads : "cgroup.procs",
            NULL);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            virErrorErrno(error, _("cannot open %s"), path);
            return NULL;
        }
        g_array_append_val(fds, fd);
    }
    return g_steal_pointer(&fds);
}

/* --- what is inside --- */

static char *
virCgroupReadFile(const char *folder, const char *file, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    char *text;

    if (access(path, F_OK) < 0 && errno == ENOENT) {
        virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                    _("the kernel has no '%s' in control group %s"), file, folder);
        return NULL;
    }
    text = virFileRead(path, FILE_MAX, NULL, error);
    return text ? g_strchomp(text) : NULL;
}

static void
virCgroupAddNumbers(const char *text, GArray *pids)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        pid_t pid = (pid_t)g_ascii_strtoll(*line, NULL, 10);

        if (pid > 0)
            g_array_append_val(pids, pid);
    }
}

/* On v1 the parts' processes are not the leaf's; on v2 they are, and a part's file can't be read.
 */
static bool
virCgroupListParts(const virCgroup *group, GArray *pids, GError **error)
{
    g_autoptr(GDir) folder = g_dir_open(group->leafPath, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(group->leafPath, name, NULL);
        g_autofree char *text = NULL;

        if (!g_file_test(path, G_FILE_TEST_IS_DIR))
            continue;
        if (!(text = virCgroupReadFile(path, "cgroup.procs", error)))
            return false;
        virCgroupAddNumbers(text, pids);
    }
    return true;
}

GArray *
virCgroupListProcs(virCgroup *group, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GArray) pids = NULL;

    if (!virCgroupCheckUsable(group, error))
        return NULL;
    text = virCgroupReadFile(group->leafPath, "cgroup.procs", error);
    if (!text)
        return NULL;
    pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    virCgroupAddNumbers(text, pids);
    if (!group->instance->backend->canClone && !virCgroupListParts(group, pids, error))
        return NULL;
    return g_steal_pointer(&pids);
}

bool
virCgroupIsPopulated(virCgroup *group, bool *retPopulated, GError **error)
{
    return virCgroupCheckUsable(group, error) &&
           group->instance->backend->isPopulated(group, retPopulated, error);
}

char *
virCgroupGet(const virCgroup *group, virCgroupController controller, const virCgroupPart *part,
             const char *file, GError **error)
{
    g_autofree char *folder = virCgroupPartPath(group, controller, part);

    if (folder)
        return virCgroupReadFile(folder, file, error);
    virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                _("there is no control group controller '%s' for '%s'"),
                virCgroupControllerToString(controller), group->name);
    return NULL;
}

bool
virCgroupHasThread(const virCgroup *group, const virCgroupPart *part, pid_t tid, bool *retInside,
                   GError **error)
{
    g_autofree char *task = g_strdup_printf("/proc/%d", tid);

    *retInside = true;
    for (guint i = 0; i < group->instance->hierarchies->len && *retInside; i++) {
        const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, i);
        g_autofree char *folder = virCgroupPartFolderIn(group, at, part);
        g_autoptr(GArray) tids = g_array_new(FALSE, FALSE, sizeof(pid_t));
        g_autofree char *text = NULL;

        if (!(at->controllers & VIR_CGROUP_THREAD_CONTROLLERS))
            continue;
        if (!(text = virCgroupReadFile(folder, at->backend->threads, error)))
            return false;
        virCgroupAddNumbers(text, tids);
        *retInside = false;
        for (guint j = 0; j < tids->len; j++)
            *retInside |= g_array_index(tids, pid_t, j) == tid;
    }
    *retInside |= access(task, F_OK) < 0; /* a thread's number is a folder of /proc, too */
    return true;
}

/* A part's processes are its own on v1; on v2 they are the leaf's, and a part's file can't be read.
 */
static bool
virCgroupListEntered(const virCgroup *group, const virCgroupHierarchy *at, GArray *pids,
                     GError **error)
{
    g_autofree char *folder = at->backend == &virCgroupV2Backend ? virCgroupProcsFolderIn(group, at)
                                                                 : virCgroupEntryIn(group, at);
    g_autofree char *text = virCgroupReadFile(folder, "cgroup.procs", error);

    if (text)
        virCgroupAddNumbers(text, pids);
    return text != NULL;
}

bool
virCgroupHasProcess(const virCgroup *group, pid_t pid, bool *retInside, GError **error)
{
    if (!virCgroupCheckUsable(group, error))
        return false;
    *retInside = true;
    for (guint i = 0; i < group->instance->hierarchies->len && *retInside; i++) {
        g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

        if (!virCgroupListEntered(group, virCgroupHierarchyAt(group->instance, i), pids, error))
            return false;
        *retInside = false;
        for (guint j = 0; j < pids->len; j++)
            *retInside |= g_array_index(pids, pid_t, j) == pid;
    }
    return true;
}

/* One number of a text of "key number" lines; false if it isn't there. */
static bool
virCgroupFindNumber(const char *text, const char *key, uint64_t *retValue)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t length = strlen(key);

    for (char **line = lines; *line; line++) {
        if (strncmp(*line, key, length) == 0 && (*line)[length] == ' ') {
            *retValue = g_ascii_strtoull(*line + length + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

bool
virCgroupGetCpuUsage(const virCgroup *group, uint64_t *retTotal, uint64_t *retUser,
                     uint64_t *retSystem, GError **error)
{
    const virCgroupHierarchy *hierarchy =
        virCgroupHierarchyOf(group->instance, VIR_CGROUP_CONTROLLER_CPUACCT);
    const bool isV1 = hierarchy && hierarchy->backend == &virCgroupV1Backend;
    const uint64_t unit_ns = isV1 ? 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK) : 1000;
    g_autofree char *text = virCgroupGet(group, VIR_CGROUP_CONTROLLER_CPUACCT, NULL,
                                         isV1 ? "cpuacct.stat" : "cpu.stat", error);
    g_autofree char *usage = NULL;
    uint64_t total = 0, user = 0, system = 0;

    if (!text || (isV1 && !(usage = virCgroupGet(group, VIR_CGROUP_CONTROLLER_CPUACCT, NULL,
                                                 "cpuacct.usage", error))))
        return false;
    if (!virCgroupFindNumber(text, isV1 ? "user" : "user_usec", &user) ||
        !virCgroupFindNumber(text, isV1 ? "system" : "system_usec", &system) ||
        (!isV1 && !virCgroupFindNumber(text, "usage_usec", &total)))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("unable to get cpu account"));
    if (retTotal)
        *retTotal = isV1 ? g_ascii_strtoull(usage, NULL, 10) : total * unit_ns;
    if (retUser)
        *retUser = user * unit_ns;
    if (retSystem)
        *retSystem = system * unit_ns;
    return true;
}

/* --- what changes it --- */

/* A folder above ours that is systemd's, which makes none in a v1 hierarchy that it doesn't keep.
 */
static bool
virCgroupMakeSlice(const virCgroupFolder *folder, GError **error)
{
    if (access(folder->path, F_OK) == 0)
        return true;
    if (folder->at->backend == &virCgroupV2Backend)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("systemd made no control group %s"),
                           folder->path);
    return folder->at->backend->makeFolder(folder->parent, folder->path, folder->controllers,
                                           error);
}

static bool
virCgroupMakeFolder(const virCgroupFolder *folder, GError **error)
{
    const virCgroupBackend *backend = folder->at->backend;

    switch (folder->kind) {
    case VIR_CGROUP_FOLDER_SLICE:
        return virCgroupMakeSlice(folder, error);
    case VIR_CGROUP_FOLDER_SHARED:
        break;
    case VIR_CGROUP_FOLDER_GUEST:
        return backend->makeFolder(folder->parent, folder->path, folder->controllers, error) &&
               VIR_FAULT_STEP("cgroup:made", error);
    case VIR_CGROUP_FOLDER_LEAF:
        return backend->makeFolder(folder->parent, folder->path, folder->controllers, error) &&
               VIR_FAULT_STEP("cgroup:leaf-made", error);
    case VIR_CGROUP_FOLDER_PART:
        return backend->makePart(folder->parent, folder->path, folder->controllers, error) &&
               VIR_FAULT_STEP("cgroup:part-made", error);
    }
    return backend->makeFolder(folder->parent, folder->path, folder->controllers, error);
}

static bool
virCgroupMakeFolders(const virCgroup *group, const virCgroupPart *part, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (guint i = 0; i < folders->len; i++) {
        if (!virCgroupMakeFolder(g_ptr_array_index(folders, i), error))
            return false;
    }
    return true;
}

bool
virCgroupMake(virCgroup *group, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&group->instance->mutex);

    return virCgroupCheckUsable(group, error) && virCgroupMakeFolders(group, NULL, error) &&
           virCgroupOpenLeaf(group, error) >= 0;
}

/* What guests share goes with the last one in it. The unified hierarchy's slices are systemd's. */
static void
virCgroupRemoveShared(const virCgroup *group, const virCgroupHierarchy *at)
{
    g_autofree char *below = g_strdup(group->below);
    char *slash;

    if (group->scope && at->backend == &virCgroupV2Backend)
        return;
    while ((slash = strrchr(below, '/'))) {
        g_autofree char *path = NULL;

        *slash = '\0';
        path = g_build_filename(group->scope ? at->mount : at->path, below, NULL);
        if (rmdir(path) < 0)
            return; /* others are in it */
    }
    if (!group->scope && at != virCgroupHierarchyAt(group->instance, 0))
        (void)rmdir(at->path); /* the same */
}

/* The folder with all groups below it, which are empty; gone already is success. */
static bool
virCgroupRemoveTree(const char *path, GError **error)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool done = true;

    if (!folder)
        return errno == ENOENT || virErrorErrno(error, _("cannot list control group %s"), path);
    while (done && (entry = readdir(folder))) {
        g_autofree char *below = NULL;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        below = g_build_filename(path, entry->d_name, NULL);
        done = virCgroupRemoveTree(below, error);
    }
    (void)closedir(folder); /* read only */
    if (done && rmdir(path) < 0 && errno != ENOENT)
        done = virErrorErrno(error, _("cannot remove control group %s"), path);
    return done;
}

void
virCgroupClose(virCgroup *group)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&group->mutex);

    virCloseFd(&group->leafFd);
    virCloseFd(&group->cloneFd);
}

bool
virCgroupAwaitEmpty(virCgroup *group, gint64 deadline_us, GError **error)
{
    return virCgroupCheckUsable(group, error) &&
           (access(group->leafPath, F_OK) < 0 ||
            group->instance->backend->awaitEmpty(group, deadline_us, error));
}

/* What the guest has in one hierarchy, with what it shared as the last one. */
static bool
virCgroupRemoveIn(virCgroup *group, const virCgroupHierarchy *at, GError **error)
{
    g_autofree char *path = virCgroupFolderIn(group, at);

    if (!virCgroupRemoveTree(path, error))
        return false;
    g_mutex_lock(&group->instance->mutex);
    virCgroupRemoveShared(group, at);
    g_mutex_unlock(&group->instance->mutex);
    return true;
}

bool
virCgroupRemove(virCgroup *group, unsigned timeout_ms, GError **error)
{
    gint64 deadline_us =
        g_get_monotonic_time() + (gint64)(timeout_ms ? timeout_ms : VIR_CGROUP_REMOVE_MS) * 1000;
    const virCgroupInstance *instance = group->instance;

    if (!instance->backend)
        return true;
    if (access(group->leafPath, F_OK) == 0 &&
        !instance->backend->killAll(group, deadline_us, error))
        return false;
    if (!VIR_FAULT_STEP("cgroup:emptied", error))
        return false;
    virCgroupClose(group);
    for (guint i = 0; i < instance->unused->len; i++) {
        if (!virCgroupRemoveIn(group, &g_array_index(instance->unused, virCgroupHierarchy, i),
                               error))
            return false;
    }
    /* the gate's hierarchy last: as long as it is there, the rest is known to be ours */
    for (guint i = instance->hierarchies->len; i-- > 0;) {
        if (!virCgroupRemoveIn(group, virCgroupHierarchyAt(instance, i), error))
            return false;
    }
    return !group->scope || virCgroupEndScope(group, error);
}

bool
virCgroupOpenPart(virCgroup *group, const virCgroupPart *part, GError **error)
{
    const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, 0);
    g_autofree char *path = NULL;

    if (!at->backend->canClone || part->type != VIR_CGROUP_PART_EMULATOR ||
        !(at->controllers & VIR_CGROUP_THREAD_CONTROLLERS))
        return true;
    path = virCgroupPartFolderIn(group, at, part);
    virCloseFd(&group->cloneFd);
    group->cloneFd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return group->cloneFd >= 0 || virErrorErrno(error, _("cannot open control group %s"), path);
}

bool
virCgroupMakePart(virCgroup *group, const virCgroupPart *part, GError **error)
{
    return virCgroupMakeFolders(group, part, error) && virCgroupOpenPart(group, part, error);
}

bool
virCgroupRemovePart(virCgroup *group, const virCgroupPart *part, GError **error)
{
    for (guint i = 0; i < group->instance->hierarchies->len; i++) {
        const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, i);
        g_autofree char *path = virCgroupPartFolderIn(group, at, part);

        if ((at->controllers & VIR_CGROUP_THREAD_CONTROLLERS) && rmdir(path) < 0 && errno != ENOENT)
            return virErrorErrno(error, _("cannot remove control group %s"), path);
    }
    return true;
}

/* 0 or errno. */
static int
virCgroupWriteTo(const char *path, const char *value)
{
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
}

static bool
virCgroupWriteFile(const char *folder, const char *file, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    int failure = virCgroupWriteTo(path, value);

    errno = failure;
    switch (failure) {
    case 0:
        return true;
    case ENOENT:
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("the kernel has no '%s' in control group %s"), file, folder);
    case EINVAL:
        return virErrorErrno(error, _("Invalid value '%s' for '%s'"), value, file);
    default:
        return virErrorErrno(error, _("Unable to write to '%s'"), path);
    }
}

bool
virCgroupAddThread(virCgroup *group, const virCgroupPart *part, pid_t tid, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", tid);

    for (guint i = 0; i < group->instance->hierarchies->len; i++) {
        const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, i);
        g_autofree char *folder = virCgroupPartFolderIn(group, at, part);
        g_autofree char *path = g_build_filename(folder, at->backend->threads, NULL);
        int failure =
            at->controllers & VIR_CGROUP_THREAD_CONTROLLERS ? virCgroupWriteTo(path, text) : 0;

        errno = failure;
        if (failure && failure != ESRCH)
            return virErrorErrno(error, _("Unable to write to '%s'"), path);
    }
    return true;
}

bool
virCgroupAddProcess(virCgroup *group, pid_t pid, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", pid);

    if (!virCgroupCheckUsable(group, error))
        return false;
    for (guint i = 0; i < group->instance->hierarchies->len; i++) {
        const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, i);
        g_autofree char *entry = virCgroupEntryIn(group, at);

        if (!virCgroupWriteFile(entry, "cgroup.procs", text, error))
            return false;
    }
    return true;
}

bool
virCgroupWrite(virCgroup *group, const virCgroupSetting *setting, GError **error)
{
    g_autofree char *folder = virCgroupPartPath(group, setting->controller, &setting->part);

    if (!folder)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("there is no control group controller '%s' for '%s'"),
                           virCgroupControllerToString(setting->controller), group->name);
    if (!setting->text)
        return true;
    return virCgroupWriteFile(folder, setting->file, setting->text, error) &&
           (!group->scope || virCgroupSetScope(group, setting, error));
}
