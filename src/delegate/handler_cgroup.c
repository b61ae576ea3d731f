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

enum {
    ATTEMPTS = 5,  /* of making folders that others remove meanwhile */
    WAVE_MAX = 32, /* calls at once */
};

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

/* --- calls that are sent together --- */

/* One of them, for one folder. */
typedef struct {
    virHandlerQuestion question; /* its members point to what follows */
    virHandlerReply reply;
    const virCgroupFolder *folder; /* borrowed */
    int fd;                        /* of the group, or of the folder's parent */
    char *controllers;
    virDelegateTargets targets;
    union {
        handler_cgroup_create_args create;
        handler_cgroup_move_args move;
        handler_cgroup_remove_args remove;
    } args;
} groupCall;

static void
groupCallFree(void *opaque)
{
    groupCall *one = opaque;

    virDelegateTargetsClear(&one->targets);
    virHandlerReplyClear(&one->reply);
    virCloseFd(&one->fd);
    g_free(one->controllers);
    g_free(one);
}

static GPtrArray *
groupCallsNew(void)
{
    return g_ptr_array_new_with_free_func(groupCallFree);
}

/* Another one, for the group at path. Its target is that alone as long as nothing else is said.
 * NULL with an error. */
static groupCall *
groupCallsAdd(GPtrArray *calls, const char *path, const virCgroupFolder *folder, GError **error)
{
    groupCall *one;
    int fd = openFolder(path, error);

    if (fd < 0)
        return NULL;
    one = g_new0(groupCall, 1);
    one->fd = fd;
    one->folder = folder;
    one->question = (virHandlerQuestion){&one->args, &one->fd, 1, NULL, &one->reply, false};
    g_ptr_array_add(calls, one);
    return one;
}

/* hook is HANDLER_PROC_...; none is success. */
static bool
groupCallsAsk(virDelegate *door, const virDelegateCall *call, uint32_t hook, const GPtrArray *calls,
              GError **error)
{
    g_autofree virHandlerQuestion *questions = g_new0(virHandlerQuestion, calls->len);

    for (guint i = 0; i < calls->len; i++)
        questions[i] = ((const groupCall *)g_ptr_array_index(calls, i))->question;
    return virHandlersAskAll(door->handlers, call, virXdrHookByNumber(hook), questions, calls->len,
                             error);
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

static bool
addCreation(GPtrArray *calls, virDelegate *door, const virDelegateCall *call,
            const virCgroup *group, const virCgroupFolder *folder, GError **error)
{
    const bool own = virDelegateCgroupWantsOwner(door, call, group);
    groupCall *one = groupCallsAdd(calls, folder->parent, folder, error);

    if (!one)
        return false;
    one->controllers = missingControllers(folder);
    one->args.create = (handler_cgroup_create_args){
        .name = nameOf(folder->path),
        .threaded = folder->kind == VIR_CGROUP_FOLDER_PART,
        .controllers = one->controllers,
        .uid = own ? door->owner.uid : VIR_DELEGATE_KEEP_ID,
        .gid = own ? door->owner.gid : VIR_DELEGATE_KEEP_ID,
    };
    return true;
}

static bool
isToBeMade(const GPtrArray *todo, const char *path)
{
    for (guint i = 0; i < todo->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(todo, i);

        if (g_str_equal(folder->path, path))
            return true;
    }
    return false;
}

/* Those that are not there, or lack controllers; borrowed from folders. */
static GPtrArray *
foldersToMake(const GPtrArray *folders)
{
    GPtrArray *todo = g_ptr_array_new();

    for (guint i = 0; i < folders->len; i++) {
        virCgroupFolder *folder = g_ptr_array_index(folders, i);
        g_autofree char *controllers = missingControllers(folder);

        if (access(folder->path, F_OK) < 0 || *controllers)
            g_ptr_array_add(todo, folder);
    }
    return todo;
}

/* Every folder of todo whose parent is not in it itself: they leave it for retWave. */
static void
takeWave(GPtrArray *todo, GPtrArray *retWave)
{
    for (guint i = 0; i < todo->len && retWave->len < WAVE_MAX; i++) {
        virCgroupFolder *folder = g_ptr_array_index(todo, i);

        if (!isToBeMade(todo, folder->parent))
            g_ptr_array_add(retWave, folder);
    }
    for (guint i = 0; i < retWave->len; i++)
        g_ptr_array_remove(todo, g_ptr_array_index(retWave, i));
}

static bool
askWave(virDelegate *door, const virDelegateCall *call, const virCgroup *group,
        const GPtrArray *wave, GError **error)
{
    g_autoptr(GPtrArray) calls = groupCallsNew();

    for (guint i = 0; i < wave->len; i++) {
        if (!addCreation(calls, door, call, group, g_ptr_array_index(wave, i), error))
            return false;
    }
    if (!groupCallsAsk(door, call, HANDLER_PROC_CGROUP_CREATE, calls, error))
        return false;
    for (guint i = 0; i < calls->len; i++) {
        groupCall *one = g_ptr_array_index(calls, i);

        if (!isFolder(virPacketGetFd(&one->reply.packet, 0), one->fd, one->args.create.name))
            return virErrorSet(
                error, VIR_ERR_OPERATION_FAILED,
                _("the handler of cgroup.create gave no descriptor of '%s', or another's"),
                one->folder->path);
    }
    return true;
}

/* Somebody else's folder that one of the wave was to be made in is gone. */
static bool
lostParent(const GPtrArray *wave)
{
    for (guint i = 0; i < wave->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(wave, i);

        if (access(folder->parent, F_OK) < 0)
            return true;
    }
    return false;
}

/* From the outermost on, all hierarchies at once. *retLost: as above. */
static bool
askFolders(virDelegate *door, const virDelegateCall *call, const virCgroup *group,
           const GPtrArray *folders, bool *retLost, GError **error)
{
    g_autoptr(GPtrArray) todo = foldersToMake(folders);

    while (todo->len > 0) {
        g_autoptr(GPtrArray) wave = g_ptr_array_new();

        takeWave(todo, wave);
        if (!askWave(door, call, group, wave, error)) {
            *retLost = lostParent(wave);
            return false;
        }
    }
    return true;
}

/* Once more if one that is shared goes with another guest meanwhile. */
static bool
makeFolders(virDelegate *door, const virDelegateCall *call, const virCgroup *group,
            const virCgroupPart *part, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);

    for (unsigned attempt = 1;; attempt++) {
        g_autoptr(GError) why = NULL;
        bool lost = false;

        if (askFolders(door, call, group, folders, &lost, &why))
            return true;
        if (attempt == ATTEMPTS || !lost) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
}

bool
virDelegateHandlerCgroupCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                               pid_t leader, GError **error)
{
    if (virCgroupIsScope(group))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cgroup.create cannot be handed to a handler where systemd makes the "
                             "groups (cgroup_manager)"));
    return makeFolders(door, call, group, NULL, error) && virCgroupOpenLeaf(group, error) >= 0;
}

bool
virDelegateHandlerCgroupMakePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                 const virCgroupPart *part, GError **error)
{
    return makeFolders(door, call, group, part, error) && virCgroupOpenPart(group, part, error);
}

/* --- moving --- */

/* Into the group at path; tids are borrowed. */
static bool
addMove(GPtrArray *calls, const char *path, int pidfd, const pid_t *tids, size_t ntids,
        GError **error)
{
    groupCall *one = groupCallsAdd(calls, path, NULL, error);
    const int first[] = {one ? one->fd : -1, pidfd};

    if (!one || !virDelegateTargetsFind(&one->targets, first, G_N_ELEMENTS(first), pidfd, tids,
                                        ntids, error))
        return false;
    one->args.move.threads = one->targets.threads;
    one->question.fds = (const int *)(void *)one->targets.fds->data;
    one->question.nfds = one->targets.fds->len;
    return true;
}

bool
virDelegateHandlerCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             int pidfd, GError **error)
{
    const virCgroupInstance *instance = virCgroupInstanceOf(group);
    g_autoptr(GPtrArray) calls = groupCallsNew();

    for (guint i = 0; i < instance->hierarchies->len; i++) {
        g_autofree char *entry = virCgroupEntryIn(group, virCgroupHierarchyAt(instance, i));

        if (!addMove(calls, entry, pidfd, NULL, 0, error))
            return false;
    }
    return groupCallsAsk(door, call, HANDLER_PROC_CGROUP_MOVE, calls, error);
}

bool
virDelegateHandlerCgroupMoveThreads(virDelegate *door, const virDelegateCall *call,
                                    virCgroup *group, const virCgroupPart *part, int pidfd,
                                    const pid_t *tids, size_t ntids, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);
    g_autoptr(GPtrArray) calls = groupCallsNew();

    for (guint i = 0; ntids > 0 && i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (!addMove(calls, folder->path, pidfd, tids, ntids, error))
            return false;
    }
    return groupCallsAsk(door, call, HANDLER_PROC_CGROUP_MOVE, calls, error);
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

/* One folder of its parent; gone already is success. */
static bool
addRemoval(GPtrArray *calls, const virCgroupFolder *folder, unsigned flags, GError **error)
{
    groupCall *one;

    if (access(folder->path, F_OK) < 0)
        return errno == ENOENT ||
               virErrorErrno(error, _("cannot look at control group %s"), folder->path);
    if (!(one = groupCallsAdd(calls, folder->parent, folder, error)))
        return false;
    one->args.remove = (handler_cgroup_remove_args){.name = nameOf(folder->path), .flags = flags};
    return true;
}

static bool
askRemovals(virDelegate *door, const virDelegateCall *call, const GPtrArray *calls, GError **error)
{
    return groupCallsAsk(door, call, HANDLER_PROC_CGROUP_REMOVE, calls, error);
}

static bool
askRemove(virDelegate *door, const virDelegateCall *call, const virCgroupFolder *folder,
          unsigned flags, GError **error)
{
    g_autoptr(GPtrArray) calls = groupCallsNew();

    return addRemoval(calls, folder, flags, error) && askRemovals(door, call, calls, error);
}

bool
virDelegateHandlerCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                   const virCgroupPart *part, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);
    g_autoptr(GPtrArray) calls = groupCallsNew();

    for (guint i = 0; i < folders->len; i++) {
        if (!addRemoval(calls, g_ptr_array_index(folders, i), 0, error))
            return false;
    }
    return askRemovals(door, call, calls, error);
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

/* Those of shared that are empty: they leave it, and are asked for together. False: there is none.
 */
static bool
removeEmpty(virDelegate *door, const virDelegateCall *call, GPtrArray *shared)
{
    g_autoptr(GPtrArray) calls = groupCallsNew();

    for (guint i = shared->len; i-- > 0;) {
        const virCgroupFolder *folder = g_ptr_array_index(shared, i);

        if (!isEmptyFolder(folder->path))
            continue;
        (void)addRemoval(calls, folder, HANDLER_CGROUP_REMOVE_FLAGS_ONLY_EMPTY, NULL);
        g_ptr_array_remove_index(shared, i);
    }
    (void)askRemovals(door, call, calls, NULL); /* another guest may need it again */
    return calls->len > 0;
}

/* Those that no guest is in any more, from the inside out. Each is asked for once, whatever the
 * handler says of it. */
static void
removeShared(virDelegate *door, const virDelegateCall *call, const GPtrArray *folders)
{
    g_autoptr(GPtrArray) shared = g_ptr_array_new();

    for (guint i = 0; i < folders->len; i++) {
        virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (folder->kind == VIR_CGROUP_FOLDER_SHARED)
            g_ptr_array_add(shared, folder);
    }
    while (removeEmpty(door, call, shared)) {
    }
}

/* gates comes last if it is not NULL: as long as the gate's hierarchy has the group, the rest is
 * known to be ours. */
static bool
removeGuest(virDelegate *door, const virDelegateCall *call, const GPtrArray *folders,
            const virCgroupFolder *gates, GError **error)
{
    g_autoptr(GPtrArray) calls = groupCallsNew();

    for (guint i = 0; i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (folder->kind == VIR_CGROUP_FOLDER_GUEST && folder != gates &&
            !addRemoval(calls, folder, 0, error))
            return false;
    }
    return askRemovals(door, call, calls, error) &&
           (!gates || askRemove(door, call, gates, 0, error));
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
    if (!removeGuest(door, call, unused, NULL, error) ||
        !removeGuest(door, call, folders, guest, error))
        return false;
    removeShared(door, call, unused);
    removeShared(door, call, folders);
    return true;
}
