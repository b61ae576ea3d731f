/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler_barrier.c: barrier, asked of whoever registered: the guest's threads as a table of roles
 * and, in the same order, as descriptors. In a job, without the core lock. */
#include "delegate/handler.h"

/* The table as the message has it: the same numbers. */
static handler_guest_thread *
makeTable(const virDelegateThread *threads, size_t nthreads)
{
    handler_guest_thread *table = g_new0(handler_guest_thread, nthreads);

    for (size_t i = 0; i < nthreads; i++)
        table[i] = (handler_guest_thread){
            .role = (int32_t)threads[i].role, .id = threads[i].id, .tid = (uint32_t)threads[i].tid};
    return table;
}

bool
virDelegateHandlerBarrier(virDelegate *door, const virDelegateCall *call,
                          virDelegateBarrierStage stage, int pidfd,
                          const virDelegateThread *threads, size_t nthreads, GError **error)
{
    g_auto(virDelegateTargets) targets = {0};
    g_autofree pid_t *tids = g_new(pid_t, nthreads);
    g_autofree handler_guest_thread *table = makeTable(threads, nthreads);
    handler_barrier_args args = {
        .stage = (int32_t)stage, .threads_len = (uint32_t)nthreads, .threads_val = table};

    for (size_t i = 0; i < nthreads; i++)
        tids[i] = threads[i].tid;
    if (!virDelegateTargetsFind(&targets, &pidfd, 1, pidfd, tids, nthreads, error))
        return false;
    args.form = targets.threads.form;
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_BARRIER, &args,
                                 (int *)(void *)targets.fds->data, targets.fds->len, error);
}
