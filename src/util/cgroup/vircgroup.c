/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroup.c: instances and groups, whatever the hierarchy: names, folders, what is inside. What
 * versions do differently is behind virCgroupBackend. See vircgroup.h and vircgroupbackend.h. */
#include "util/cgroup/vircgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virutil.h"

#define FILE_MAX (1u << 20)
#define DEFAULT_REMOVE_MS 10000
#define NAME_LIMIT 200

/* --- instances --- */

/* "system", a user's "session-1000", or twelve digits that follow from the folder's real path. */
static char *
virCgroupInstanceNameFor(const char *root)
{
    g_autofree char *real = NULL;
    char *raw;
    char *name;

    if (!root)
        return geteuid() == 0 ? g_strdup("system")
                              : g_strdup_printf("session-%u", (unsigned)geteuid());
    raw = realpath(root, NULL);
    real = g_strdup(raw ? raw : root);
    free(raw);
    name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, real, -1);
    name[12] = '\0';
    return name;
}

virCgroupInstance *
virCgroupInstanceNewAt(const char *name, const virCgroupBackend *backend, const char *path)
{
    virCgroupInstance *instance = g_new0(virCgroupInstance, 1);

    g_atomic_ref_count_init(&instance->refs);
    instance->name = g_strdup(name);
    instance->backend = backend;
    if (path)
        instance->path = g_strdup_printf("%s/virtward-%s", path, name);
    return instance;
}

/* Takes the backend if groups can be made in it, or if some of this instance are there already:
 * those can be found again by a daemon that may make none. */
static bool
virCgroupInstanceTry(virCgroupInstance *instance, const virCgroupBackend *backend)
{
    const char *reason = NULL;
    g_autofree char *folder = backend->available(&instance->mounts, &reason);
    g_autofree char *path =
        folder ? g_strdup_printf("%s/virtward-%s", folder, instance->name) : NULL;

    if (!path || (reason && access(path, F_OK) < 0)) {
        if (!instance->reason)
            instance->reason = reason;
        return false;
    }
    instance->backend = backend;
    instance->path = g_steal_pointer(&path);
    instance->reason = reason;
    return true;
}

virCgroupInstance *
virCgroupInstanceNew(const char *root, GError **error)
{
    g_autofree char *mountinfo = virFileRead("/proc/self/mountinfo", 8 * FILE_MAX, NULL, error);
    g_autofree char *name = virCgroupInstanceNameFor(root);
    virCgroupInstance *instance;

    if (!mountinfo)
        return NULL;
    instance = virCgroupInstanceNewAt(name, NULL, NULL);
    virCgroupMountsParse(&instance->mounts, mountinfo);
    if (!virCgroupInstanceTry(instance, &virCgroupV2Backend))
        (void)virCgroupInstanceTry(instance, &virCgroupV1Backend); /* reason says what is missing */
    return instance;
}

virCgroupInstance *
virCgroupInstanceRef(virCgroupInstance *instance)
{
    g_atomic_ref_count_inc(&instance->refs);
    return instance;
}

void
virCgroupInstanceUnref(virCgroupInstance *instance)
{
    if (!instance || !g_atomic_ref_count_dec(&instance->refs))
        return;
    virCgroupMountsClear(&instance->mounts);
    g_free(instance->name);
    g_free(instance->path);
    g_free(instance);
}

const char *
virCgroupInstanceName(const virCgroupInstance *instance)
{
    return instance->name;
}

const char *
virCgroupInstanceBackendName(const virCgroupInstance *instance)
{
    return instance->backend ? instance->backend->name : "none";
}

bool
virCgroupInstanceUsable(const virCgroupInstance *instance, const char **retReason)
{
    bool usable = instance->backend && !instance->reason;

    if (!usable && retReason)
        *retReason = instance->reason ? instance->reason : N_("no hierarchy is mounted");
    return usable;
}

bool
virCgroupInstanceMake(virCgroupInstance *instance, GError **error)
{
    if (mkdir(instance->path, 0755) < 0 && errno != EEXIST)
        return virErrorErrno(error, _("cannot make control group %s"), instance->path);
    return true;
}

bool
virCgroupInstanceRemove(virCgroupInstance *instance, GError **error)
{
    if (rmdir(instance->path) < 0 && errno != ENOENT)
        return virErrorErrno(error, _("cannot remove control group %s"), instance->path);
    return true;
}

GPtrArray *
virCgroupInstanceList(virCgroupInstance *instance, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    DIR *folder = instance->backend ? opendir(instance->path) : NULL;
    const struct dirent *entry;

    if (!folder) {
        if (instance->backend && errno != ENOENT) {
            virErrorErrno(error, _("cannot list control group %s"), instance->path);
            return NULL;
        }
        return g_steal_pointer(&names);
    }
    while ((entry = readdir(folder))) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    (void)closedir(folder); /* read only */
    return g_steal_pointer(&names);
}

/* --- groups --- */

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

virCgroup *
virCgroupNew(virCgroupInstance *instance, const char *name)
{
    virCgroup *group = g_new0(virCgroup, 1);
    g_autofree char *folder = virCgroupFolderName(name);

    g_atomic_ref_count_init(&group->refs);
    g_mutex_init(&group->mutex);
    group->instance = virCgroupInstanceRef(instance);
    group->name = g_strdup(name);
    group->path = g_build_filename(instance->path ? instance->path : "", folder, NULL);
    group->leafPath = g_build_filename(group->path, VIR_CGROUP_LEAF, NULL);
    group->leafFd = -1;
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
    g_mutex_clear(&group->mutex);
    g_free(group->name);
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

int
virCgroupCloneFd(const virCgroup *group)
{
    return group->instance->backend && !group->instance->backend->openJoin ? group->leafFd : -1;
}

int
virCgroupJoinFd(virCgroup *group, GError **error)
{
    const virCgroupBackend *backend = group->instance->backend;

    return backend && backend->openJoin ? backend->openJoin(group, error) : -1;
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

GArray *
virCgroupListProcs(virCgroup *group, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GArray *pids;

    if (!virCgroupCheckUsable(group, error))
        return NULL;
    text = virCgroupReadFile(group->leafPath, "cgroup.procs", error);
    if (!text)
        return NULL;
    lines = g_strsplit(text, "\n", -1);
    pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    for (char **line = lines; *line; line++) {
        pid_t pid = (pid_t)g_ascii_strtoll(*line, NULL, 10);

        if (pid > 0)
            g_array_append_val(pids, pid);
    }
    return pids;
}

bool
virCgroupIsPopulated(virCgroup *group, bool *retPopulated, GError **error)
{
    return virCgroupCheckUsable(group, error) &&
           group->instance->backend->isPopulated(group, retPopulated, error);
}

char *
virCgroupGet(virCgroup *group, const char *file, GError **error)
{
    return virCgroupCheckUsable(group, error) ? virCgroupReadFile(group->path, file, error) : NULL;
}

bool
virCgroupGetStat(virCgroup *group, const char *file, const char *key, uint64_t *retValue,
                 GError **error)
{
    g_autofree char *text = virCgroupGet(group, file, error);
    g_auto(GStrv) lines = NULL;
    size_t length = strlen(key);

    if (!text)
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (strncmp(*line, key, length) == 0 && (*line)[length] == ' ') {
            *retValue = g_ascii_strtoull(*line + length + 1, NULL, 10);
            return true;
        }
    }
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, _("'%s' has no value '%s'"), file,
                       key);
}

/* --- what changes it --- */

bool
virCgroupMake(virCgroup *group, GError **error)
{
    return virCgroupCheckUsable(group, error) &&
           group->instance->backend->makeGroup(group, error) &&
           virCgroupOpenLeaf(group, error) >= 0;
}

bool
virCgroupRemove(virCgroup *group, unsigned timeout_ms, GError **error)
{
    gint64 deadline_us =
        g_get_monotonic_time() + (gint64)(timeout_ms ? timeout_ms : DEFAULT_REMOVE_MS) * 1000;
    const virCgroupBackend *backend = group->instance->backend;

    if (!backend || access(group->path, F_OK) < 0)
        return true;
    if (access(group->leafPath, F_OK) == 0 && !backend->killAll(group, deadline_us, error))
        return false;
    if (!VIR_FAULT_STEP("cgroup:emptied", error))
        return false;
    g_mutex_lock(&group->mutex);
    virCloseFd(&group->leafFd);
    g_mutex_unlock(&group->mutex);
    return backend->removeGroup(group, error);
}

static bool
virCgroupWriteFile(const char *folder, const char *file, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("the kernel has no '%s' in control group %s"), file, folder);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return virErrorErrno(error, _("cannot write '%s' to %s"), value, path);
    return true;
}

bool
virCgroupAddProcess(virCgroup *group, pid_t pid, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", pid);

    return virCgroupCheckUsable(group, error) &&
           virCgroupWriteFile(group->leafPath, "cgroup.procs", text, error);
}

bool
virCgroupWrite(virCgroup *group, const char *file, const char *value, GError **error)
{
    return virCgroupCheckUsable(group, error) &&
           virCgroupWriteFile(group->path, file, value, error);
}
