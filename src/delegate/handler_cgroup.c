/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler_cgroup.c: the hooks for groups done by a handler: one call for each folder of a group
 * that is not as it should be yet, in each hierarchy. What is looked at here takes no right: groups
 * may be read by everybody. Folders that guests share are made and removed without a lock over it,
 * which would be held across calls: one that goes while another guest comes is simply made again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delegate/handler.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

enum { ATTEMPTS = 5 }; /* of making folders that others remove meanwhile */

static int
openFolder(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        virErrorErrno(error, _("cannot open control group %s"), path);
    return fd;
}

/* The last name of a path that has several. */
static const char *
nameOf(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* --- making --- */

/* The controllers that the folder lacks and its parent could give it, as the kernel calls them; on
 * v1 there is nothing to give. Caller frees. */
static char *
missingControllers(const virCgroupFolder *folder)
{
    const virCgroupBackend *backend = folder->at->backend;
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; backend == &virCgroupV2Backend && i < VIR_CGROUP_CONTROLLER_LAST; i++) {
        const virCgroupController controller = (virCgroupController)i;
        const char *name = virCgroupV2NameOf(controller);

        /* cpu and cpuacct have one name */
        if (name && (folder->controllers & (1u << i)) && !strstr(text->str, name) &&
            backend->hasController(folder->parent, controller) &&
            !backend->hasController(folder->path, controller))
            g_string_append_printf(text, "%s%s", text->len ? " " : "", name);
    }
    return g_string_free(text, FALSE);
}

/* The descriptor that came with the answer is the folder that was asked for. */
static bool
isFolder(int fd, int parent, const char *name)
{
    struct stat given, there;

    return fd >= 0 && fstat(fd, &given) == 0 &&
           fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode) &&
           given.st_dev == there.st_dev && given.st_ino == there.st_ino;
}

/* *retGone: the parent is not there any more. */
static bool
askFolder(virDelegate *door, const virDelegateCall *call, const virCgroupFolder *folder,
          bool *retGone, GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    g_autofree char *controllers = missingControllers(folder);
    VIR_AUTOCLOSE parent = open(folder->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool own = virDelegateCgroupWantsOwner(door, call);
    handler_cgroup_create_args args = {.name = nameOf(folder->path),
                                       .threaded = folder->kind == VIR_CGROUP_FOLDER_PART,
                                       .controllers = controllers,
                                       .uid = own ? door->owner.uid : VIR_DELEGATE_KEEP_ID,
                                       .gid = own ? door->owner.gid : VIR_DELEGATE_KEEP_ID};

    if (access(folder->path, F_OK) == 0 && !*controllers)
        return true;
    *retGone = access(folder->parent, F_OK) < 0;
    if (parent < 0)
        return virErrorErrno(error, _("cannot open control group %s"), folder->parent);
    if (!virHandlersAsk(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_CGROUP_CREATE), &args,
                        &parent, 1, NULL, &reply, error)) {
        *retGone = access(folder->parent, F_OK) < 0;
        return false;
    }
    return isFolder(virPacketGetFd(&reply.packet, 0), parent, args.name) ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                       _("the handler of cgroup.create gave no descriptor of '%s', or another's"),
                       folder->path);
}

/* From the outermost on; once more if one that is shared goes with another guest meanwhile. */
static bool
askFolders(virDelegate *door, const virDelegateCall *call, const virCgroup *group,
           const virCgroupPart *part, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);
    unsigned attempt = 1;
    guint i = 0;

    while (i < folders->len) {
        g_autoptr(GError) why = NULL;
        bool gone = false;

        if (askFolder(door, call, g_ptr_array_index(folders, i), &gone, &why)) {
            i++;
            continue;
        }
        if (!gone || attempt++ == ATTEMPTS) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        i = 0;
    }
    return true;
}

bool
virDelegateHandlerCgroupCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                               pid_t leader, GError **error)
{
    if (virCgroupIsScope(group))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cgroup.create cannot be handed to a handler where systemd makes the "
                             "groups (cgroup_manager)"));
    return askFolders(door, call, group, NULL, error) && virCgroupOpenLeaf(group, error) >= 0;
}

bool
virDelegateHandlerCgroupMakePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                 const virCgroupPart *part, GError **error)
{
    return askFolders(door, call, group, part, error) && virCgroupOpenPart(group, part, error);
}

/* --- moving --- */

bool
virDelegateHandlerCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             int pidfd, GError **error)
{
    const virCgroupInstance *instance = virCgroupInstanceOf(group);

    for (guint i = 0; i < instance->hierarchies->len; i++) {
        g_autofree char *entry = virCgroupEntryIn(group, virCgroupHierarchyAt(instance, i));
        VIR_AUTOCLOSE fd = openFolder(entry, error);
        const int fds[] = {fd, pidfd};
        handler_cgroup_move_args args = {.threads = {.form = HANDLER_THREAD_FORM_PIDFDS}};

        if (fd < 0 || !virDelegateHandlerAsk(door, call, HANDLER_PROC_CGROUP_MOVE, &args, fds,
                                             G_N_ELEMENTS(fds), error))
            return false;
    }
    return true;
}

/* All of them in one call. */
static bool
moveThreadsIn(virDelegate *door, const virDelegateCall *call, const char *folder, int pidfd,
              const pid_t *tids, size_t ntids, GError **error)
{
    g_auto(virDelegateTargets) targets = {0};
    VIR_AUTOCLOSE fd = openFolder(folder, error);
    const int first[] = {fd, pidfd};
    handler_cgroup_move_args args = {0};

    if (fd < 0 ||
        !virDelegateTargetsFind(&targets, first, G_N_ELEMENTS(first), pidfd, tids, ntids, error))
        return false;
    args.threads = targets.threads;
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_CGROUP_MOVE, &args,
                                 (const int *)(void *)targets.fds->data, targets.fds->len, error);
}

bool
virDelegateHandlerCgroupMoveThreads(virDelegate *door, const virDelegateCall *call,
                                    virCgroup *group, const virCgroupPart *part, int pidfd,
                                    const pid_t *tids, size_t ntids, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (guint i = 0; ntids > 0 && i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (!moveThreadsIn(door, call, folder->path, pidfd, tids, ntids, error))
            return false;
    }
    return true;
}

/* --- limits --- */

bool
virDelegateHandlerCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                            const virCgroupSetting *setting, GError **error)
{
    g_autofree char *folder = virCgroupPartPath(group, setting->controller, &setting->part);
    VIR_AUTOCLOSE fd = folder ? openFolder(folder, error) : -1;
    handler_cgroup_set_args args = {.file = setting->file, .value = setting->text};

    if (!folder)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("there is no control group controller '%s' for '%s'"),
                           virCgroupControllerToString(setting->controller), virCgroupName(group));
    return fd >= 0 &&
           virDelegateHandlerAsk(door, call, HANDLER_PROC_CGROUP_SET, &args, &fd, 1, error);
}

/* --- removing --- */

/* One folder of parent; gone already is success. */
static bool
askRemove(virDelegate *door, const virDelegateCall *call, const virCgroupFolder *folder,
          unsigned flags, GError **error)
{
    VIR_AUTOCLOSE parent = open(folder->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    handler_cgroup_remove_args args = {.name = nameOf(folder->path), .flags = flags};

    if (access(folder->path, F_OK) < 0)
        return errno == ENOENT ||
               virErrorErrno(error, _("cannot look at control group %s"), folder->path);
    if (parent < 0)
        return virErrorErrno(error, _("cannot open control group %s"), folder->parent);
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_CGROUP_REMOVE, &args, &parent, 1, error);
}

bool
virDelegateHandlerCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                   const virCgroupPart *part, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (guint i = 0; i < folders->len; i++) {
        if (!askRemove(door, call, g_ptr_array_index(folders, i), 0, error))
            return false;
    }
    return true;
}

/* The handler kills and does not wait, so that others are served; the daemon does. */
static bool
emptyGroup(virDelegate *door, const virDelegateCall *call, virCgroup *group,
           const virCgroupFolder *guest, gint64 deadline_us, GError **error)
{
    /* one look, without waiting */
    return virCgroupAwaitEmpty(group, 0, NULL) ||
           (askRemove(door, call, guest,
                      HANDLER_CGROUP_REMOVE_FLAGS_KILL | HANDLER_CGROUP_REMOVE_FLAGS_KEEP, error) &&
            virCgroupAwaitEmpty(group, deadline_us, error));
}

/* No group is in it. */
static bool
isEmptyFolder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_nlink == 2;
}

/* Those that no guest is in any more, from the inside out. What another guest needs again meanwhile
 * is refused, which is no error. */
static void
removeShared(virDelegate *door, const virDelegateCall *call, const GPtrArray *folders)
{
    for (guint i = folders->len; i-- > 0;) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (folder->kind == VIR_CGROUP_FOLDER_SHARED && isEmptyFolder(folder->path))
            (void)askRemove(door, call, folder, HANDLER_CGROUP_REMOVE_FLAGS_ONLY_EMPTY,
                            NULL); /* see above */
    }
}

/* The guest's groups, from the inside out, then what was shared. */
static bool
removeFolders(virDelegate *door, const virDelegateCall *call, const GPtrArray *folders,
              GError **error)
{
    for (guint i = folders->len; i-- > 0;) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (folder->kind == VIR_CGROUP_FOLDER_GUEST && !askRemove(door, call, folder, 0, error))
            return false;
    }
    removeShared(door, call, folders);
    return true;
}

bool
virDelegateHandlerCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                               unsigned timeout_ms, GError **error)
{
    const gint64 deadline_us =
        g_get_monotonic_time() + (gint64)(timeout_ms ? timeout_ms : VIR_CGROUP_REMOVE_MS) * 1000;
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, NULL);
    g_autoptr(GPtrArray) unused = virCgroupFoldersUnused(group);
    const virCgroupFolder *guest = NULL;

    for (guint i = 0; i < folders->len && !guest; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (folder->kind == VIR_CGROUP_FOLDER_GUEST)
            guest = folder;
    }
    if (!guest)
        return true; /* no hierarchy */
    if (!emptyGroup(door, call, group, guest, deadline_us, error))
        return false;
    virCgroupClose(group);
    /* the gate's hierarchy last: as long as it is there, the rest is known to be ours */
    return removeFolders(door, call, unused, error) && removeFolders(door, call, folders, error);
}
