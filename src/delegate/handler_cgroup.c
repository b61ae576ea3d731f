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

/* What is asked about one folder. */
typedef struct {
    const virCgroupFolder *folder;
    int parent; /* -1: cannot be opened, for errnum */
    int errnum;
    char *controllers;
    handler_cgroup_create_args args;
    virHandlerReply reply;
} folderQuestion;

static void
folderQuestionFree(void *opaque)
{
    folderQuestion *one = opaque;

    virCloseFd(&one->parent);
    g_free(one->controllers);
    virHandlerReplyClear(&one->reply);
    g_free(one);
}

static folderQuestion *
folderQuestionNew(virDelegate *door, const virDelegateCall *call, const virCgroup *group,
                  const virCgroupFolder *folder)
{
    const bool own = virDelegateCgroupWantsOwner(door, call, group);
    folderQuestion *one = g_new0(folderQuestion, 1);

    one->folder = folder;
    one->parent = open(folder->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    one->errnum = errno;
    one->controllers = missingControllers(folder);
    one->args = (handler_cgroup_create_args){
        .name = nameOf(folder->path),
        .threaded = folder->kind == VIR_CGROUP_FOLDER_PART,
        .controllers = one->controllers,
        .uid = own ? door->owner.uid : VIR_DELEGATE_KEEP_ID,
        .gid = own ? door->owner.gid : VIR_DELEGATE_KEEP_ID,
    };
    return one;
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

/* Every folder of todo whose parent is not in it itself; they leave it. */
static GPtrArray *
takeWave(virDelegate *door, const virDelegateCall *call, const virCgroup *group, GPtrArray *todo)
{
    GPtrArray *wave = g_ptr_array_new_with_free_func(folderQuestionFree);

    for (guint i = todo->len; i-- > 0 && wave->len < WAVE_MAX;) {
        const virCgroupFolder *folder = g_ptr_array_index(todo, i);

        if (!isToBeMade(todo, folder->parent))
            g_ptr_array_add(wave, folderQuestionNew(door, call, group, folder));
    }
    for (guint i = 0; i < wave->len; i++) {
        const folderQuestion *one = g_ptr_array_index(wave, i);

        g_ptr_array_remove(todo, (void *)one->folder);
    }
    return wave;
}

static bool
askWave(virDelegate *door, const virDelegateCall *call, const GPtrArray *wave, GError **error)
{
    g_autofree virHandlerQuestion *questions = g_new0(virHandlerQuestion, wave->len);

    for (guint i = 0; i < wave->len; i++) {
        folderQuestion *one = g_ptr_array_index(wave, i);

        if (one->parent < 0) {
            errno = one->errnum;
            return virErrorErrno(error, _("cannot open control group %s"), one->folder->parent);
        }
        questions[i] = (virHandlerQuestion){&one->args, &one->parent, 1, NULL, &one->reply, false};
    }
    if (!virHandlersAskAll(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_CGROUP_CREATE),
                           questions, wave->len, error))
        return false;
    for (guint i = 0; i < wave->len; i++) {
        folderQuestion *one = g_ptr_array_index(wave, i);

        if (!isFolder(virPacketGetFd(&one->reply.packet, 0), one->parent, one->args.name))
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
        const folderQuestion *one = g_ptr_array_index(wave, i);

        if (access(one->folder->parent, F_OK) < 0)
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
        g_autoptr(GPtrArray) wave = takeWave(door, call, group, todo);

        if (!askWave(door, call, wave, error)) {
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

/* What is asked about one folder; threads borrows tids. */
typedef struct {
    virDelegateTargets targets;
    handler_cgroup_move_args args;
    virHandlerReply reply;
    int folder;
} moveQuestion;

static void
moveQuestionFree(void *opaque)
{
    moveQuestion *one = opaque;

    virDelegateTargetsClear(&one->targets);
    virHandlerReplyClear(&one->reply);
    virCloseFd(&one->folder);
    g_free(one);
}

static bool
addMove(GPtrArray *moves, const char *path, int pidfd, const pid_t *tids, size_t ntids,
        GError **error)
{
    moveQuestion *one = g_new0(moveQuestion, 1);
    int first[2];

    g_ptr_array_add(moves, one);
    one->folder = openFolder(path, error);
    first[0] = one->folder;
    first[1] = pidfd;
    if (one->folder < 0 || !virDelegateTargetsFind(&one->targets, first, G_N_ELEMENTS(first), pidfd,
                                                   tids, ntids, error))
        return false;
    one->args.threads = one->targets.threads;
    return true;
}

/* All of them at once. */
static bool
askMoves(virDelegate *door, const virDelegateCall *call, const GPtrArray *moves, GError **error)
{
    g_autofree virHandlerQuestion *questions = g_new0(virHandlerQuestion, moves->len);

    for (guint i = 0; i < moves->len; i++) {
        moveQuestion *one = g_ptr_array_index(moves, i);
        const int *fds = (const int *)(void *)one->targets.fds->data;

        questions[i] =
            (virHandlerQuestion){&one->args, fds, one->targets.fds->len, NULL, &one->reply, false};
    }
    return virHandlersAskAll(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_CGROUP_MOVE),
                             questions, moves->len, error);
}

bool
virDelegateHandlerCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             int pidfd, GError **error)
{
    const virCgroupInstance *instance = virCgroupInstanceOf(group);
    g_autoptr(GPtrArray) moves = g_ptr_array_new_with_free_func(moveQuestionFree);

    for (guint i = 0; i < instance->hierarchies->len; i++) {
        g_autofree char *entry = virCgroupEntryIn(group, virCgroupHierarchyAt(instance, i));

        if (!addMove(moves, entry, pidfd, NULL, 0, error))
            return false;
    }
    return askMoves(door, call, moves, error);
}

bool
virDelegateHandlerCgroupMoveThreads(virDelegate *door, const virDelegateCall *call,
                                    virCgroup *group, const virCgroupPart *part, int pidfd,
                                    const pid_t *tids, size_t ntids, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);
    g_autoptr(GPtrArray) moves = g_ptr_array_new_with_free_func(moveQuestionFree);

    for (guint i = 0; ntids > 0 && i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (!addMove(moves, folder->path, pidfd, tids, ntids, error))
            return false;
    }
    return askMoves(door, call, moves, error);
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

/* What is asked about one folder. */
typedef struct {
    int parent;
    handler_cgroup_remove_args args;
    virHandlerReply reply;
} removeQuestion;

static void
removeQuestionFree(void *opaque)
{
    removeQuestion *one = opaque;

    virCloseFd(&one->parent);
    virHandlerReplyClear(&one->reply);
    g_free(one);
}

/* One folder of its parent; gone already is success. */
static bool
addRemoval(GPtrArray *removals, const virCgroupFolder *folder, unsigned flags, GError **error)
{
    removeQuestion *one;

    if (access(folder->path, F_OK) < 0)
        return errno == ENOENT ||
               virErrorErrno(error, _("cannot look at control group %s"), folder->path);
    one = g_new0(removeQuestion, 1);
    g_ptr_array_add(removals, one);
    one->parent = open(folder->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    one->args = (handler_cgroup_remove_args){.name = nameOf(folder->path), .flags = flags};
    return one->parent >= 0 ||
           virErrorErrno(error, _("cannot open control group %s"), folder->parent);
}

/* All of them at once. */
static bool
askRemovals(virDelegate *door, const virDelegateCall *call, const GPtrArray *removals,
            GError **error)
{
    g_autofree virHandlerQuestion *questions = g_new0(virHandlerQuestion, removals->len);

    for (guint i = 0; i < removals->len; i++) {
        removeQuestion *one = g_ptr_array_index(removals, i);

        questions[i] = (virHandlerQuestion){&one->args, &one->parent, 1, NULL, &one->reply, false};
    }
    return virHandlersAskAll(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_CGROUP_REMOVE),
                             questions, removals->len, error);
}

static bool
askRemove(virDelegate *door, const virDelegateCall *call, const virCgroupFolder *folder,
          unsigned flags, GError **error)
{
    g_autoptr(GPtrArray) removals = g_ptr_array_new_with_free_func(removeQuestionFree);

    return addRemoval(removals, folder, flags, error) && askRemovals(door, call, removals, error);
}

bool
virDelegateHandlerCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                   const virCgroupPart *part, GError **error)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);
    g_autoptr(GPtrArray) removals = g_ptr_array_new_with_free_func(removeQuestionFree);

    for (guint i = 0; i < folders->len; i++) {
        if (!addRemoval(removals, g_ptr_array_index(folders, i), 0, error))
            return false;
    }
    return askRemovals(door, call, removals, error);
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
    bool found = true;

    while (found) {
        g_autoptr(GPtrArray) removals = g_ptr_array_new_with_free_func(removeQuestionFree);

        for (guint i = folders->len; i-- > 0;) {
            const virCgroupFolder *folder = g_ptr_array_index(folders, i);

            if (folder->kind == VIR_CGROUP_FOLDER_SHARED && isEmptyFolder(folder->path))
                (void)addRemoval(removals, folder, HANDLER_CGROUP_REMOVE_FLAGS_ONLY_EMPTY,
                                 NULL); /* see above */
        }
        found = removals->len > 0 && askRemovals(door, call, removals, NULL);
    }
}

/* gates comes last if it is not NULL: as long as the gate's hierarchy has the group, the rest is
 * known to be ours. */
static bool
removeGuest(virDelegate *door, const virDelegateCall *call, const GPtrArray *folders,
            const virCgroupFolder *gates, GError **error)
{
    g_autoptr(GPtrArray) removals = g_ptr_array_new_with_free_func(removeQuestionFree);

    for (guint i = 0; i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        if (folder->kind == VIR_CGROUP_FOLDER_GUEST && folder != gates &&
            !addRemoval(removals, folder, 0, error))
            return false;
    }
    return askRemovals(door, call, removals, error) &&
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
