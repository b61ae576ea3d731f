/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler_targets.c: threads as descriptors, and the call that answers with success alone. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "delegate/handler.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

#ifndef PIDFD_THREAD /* kernel 6.9, include/uapi/linux/pidfd.h */
#define PIDFD_THREAD O_EXCL
#endif

bool
virDelegateHandlerAsk(virDelegate *door, const virDelegateCall *call, uint32_t hook, void *args,
                      const int *fds, size_t nfds, GError **error)
{
    g_auto(virHandlerReply) reply = {0};

    return virHandlersAsk(door->handlers, call, virXdrHookByNumber(hook), args, fds, nfds, NULL,
                          &reply, error);
}

/* Those that are ours are given up. */
static void
dropOwned(virDelegateTargets *targets)
{
    for (guint i = targets->borrowed; i < targets->fds->len; i++)
        (void)close(g_array_index(targets->fds, int, i)); /* given up either way */
    g_array_set_size(targets->fds, targets->borrowed);
}

void
virDelegateTargetsClear(virDelegateTargets *targets)
{
    if (targets->fds)
        dropOwned(targets);
    g_clear_pointer(&targets->fds, g_array_unref);
}

/* A descriptor for each thread; false if this kernel has none (before 6.9). */
static bool
addThreadPidfds(virDelegateTargets *targets, const pid_t *tids, size_t ntids)
{
    for (size_t i = 0; i < ntids; i++) {
        int fd = (int)syscall(SYS_pidfd_open, tids[i], PIDFD_THREAD);

        if (fd < 0)
            return false;
        g_array_append_val(targets->fds, fd);
    }
    return true;
}

bool
virDelegateTargetsFind(virDelegateTargets *targets, const int *first, size_t nfirst, int pidfd,
                       const pid_t *tids, size_t ntids, GError **error)
{
    pid_t pid = virPidfdGetPid(pidfd, error);
    g_autofree char *folder = g_strdup_printf("/proc/%d/task", pid);
    int fd;

    targets->fds = g_array_new(FALSE, FALSE, sizeof(int));
    targets->borrowed = (guint)nfirst;
    g_array_append_vals(targets->fds, first, (guint)nfirst);
    targets->threads.tids_len = (uint32_t)ntids;
    targets->threads.tids_val = (uint32_t *)(void *)tids; /* pid_t has 32 bits and none is < 0 */
    if (pid == 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the process has ended"));
    if (pid < 0)
        return false;
    targets->threads.form = HANDLER_THREAD_FORM_PIDFDS;
    if (addThreadPidfds(targets, tids, ntids))
        return true;
    dropOwned(targets);
    fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return virErrorErrno(error, _("cannot open '%s'"), folder);
    g_array_append_val(targets->fds, fd);
    targets->threads.form = HANDLER_THREAD_FORM_TASK_FOLDER;
    return true;
}
