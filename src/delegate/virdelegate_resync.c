/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_resync.c: a guest's grants after its handler, or the daemon, was away: the handler is
 * asked about each, with the arguments and descriptors of then, and its verdicts are acted on. In a
 * job of the guest, without the core lock. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "delegate/handler.h"
#include "delegate/virdelegate_restore.h"
#include "delegate/virhandlerspriv.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

/* What one handler is asked about. */
typedef struct {
    virHandlerPeer *peer; /* referenced */
    GPtrArray *grants;    /* virHandlerGrant, copies: all of the guest's */
    GPtrArray *asked;     /* those of them that it is asked about; borrowed */
    GArray *undo;         /* uint64_t: requests it is to undo, the latest first */
} resyncBatch;

static void
resyncBatchClear(resyncBatch *batch)
{
    virHandlerPeerUnref(batch->peer);
    g_clear_pointer(&batch->asked, g_ptr_array_unref);
    g_clear_pointer(&batch->grants, g_ptr_array_unref);
    g_clear_pointer(&batch->undo, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(resyncBatch, resyncBatchClear)

/* --- whom to ask about what --- */

static virHandlerPeer *
peerOf(virHandlers *handlers, const virHandlerGuest *guest, const uint8_t uuid[16],
       const virXdrHook *hook)
{
    const virHandlerServer *server = virHandlersFind(handlers, hook, uuid, guest->domain);

    return server ? server->peer : NULL;
}

/* The first handler that is here and has stale grants. Under lock. */
static virHandlerPeer *
nextPeer(virHandlers *handlers, const virHandlerGuest *guest, const uint8_t uuid[16])
{
    for (guint i = 0; i < guest->grants->len; i++) {
        const virHandlerGrant *grant = g_ptr_array_index(guest->grants, i);
        virHandlerPeer *peer =
            grant->stale && !grant->waiting ? peerOf(handlers, guest, uuid, grant->hook) : NULL;

        if (peer)
            return peer;
    }
    return NULL;
}

/* What was done to the same thing before may be in force again, or may have to be. */
static void
markBefore(const virHandlerGuest *guest, const virHandlerGrant *undone)
{
    for (guint i = 0; i < guest->grants->len; i++) {
        virHandlerGrant *grant = g_ptr_array_index(guest->grants, i);

        if (grant != undone && grant->hook == undone->hook &&
            grant->state != VIR_HANDLER_GRANT_PAST && grant->state != VIR_HANDLER_GRANT_ASKED &&
            g_str_equal(grant->target, undone->target))
            grant->stale = true;
    }
}

/* What this handler was asked for and never answered. Under lock. */
static void
takeUnanswered(virHandlers *handlers, virHandlerGuest *guest, const uint8_t uuid[16],
               resyncBatch *batch)
{
    for (guint i = guest->grants->len; i > 0; i--) {
        const virHandlerGrant *grant = g_ptr_array_index(guest->grants, i - 1);

        if (grant->state != VIR_HANDLER_GRANT_ASKED || grant->waiting || !grant->stale ||
            peerOf(handlers, guest, uuid, grant->hook) != batch->peer)
            continue;
        g_array_append_val(batch->undo, grant->request);
        markBefore(guest, grant);
        guest->changes++;
        g_ptr_array_remove_index(guest->grants, i - 1);
    }
}

/* False: there is nothing more to do. */
static bool
takeBatch(virHandlers *handlers, const virDelegateCall *call, resyncBatch *batch)
{
    virHandlerGuest *guest;

    batch->undo = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    batch->asked = g_ptr_array_new();
    g_mutex_lock(&handlers->lock);
    guest = g_hash_table_lookup(handlers->guests, call->uuid);
    batch->peer = guest ? nextPeer(handlers, guest, call->uuid) : NULL;
    if (batch->peer) {
        virHandlerPeerRef(batch->peer);
        takeUnanswered(handlers, guest, call->uuid, batch);
    } else if (guest)
        guest->resyncing = false;
    g_mutex_unlock(&handlers->lock);
    batch->grants = virHandlersGrants(handlers, call->uuid);
    g_mutex_lock(&handlers->lock);
    guest = g_hash_table_lookup(handlers->guests, call->uuid);
    for (guint i = 0; guest && batch->peer && i < batch->grants->len; i++) {
        virHandlerGrant *grant = g_ptr_array_index(batch->grants, i);

        if (grant->stale && !grant->waiting &&
            peerOf(handlers, guest, call->uuid, grant->hook) == batch->peer)
            g_ptr_array_add(batch->asked, grant);
    }
    g_mutex_unlock(&handlers->lock);
    return batch->peer != NULL;
}

/* --- asking --- */

static void
closeItem(void *fd)
{
    (void)close(*(int *)fd); /* given up either way */
}

static bool
addFd(GArray *fds, int fd)
{
    if (fd >= 0)
        g_array_append_val(fds, fd);
    return fd >= 0;
}

static bool
addThreads(const virHandlerGrant *grant, const void *args, const resyncBatch *batch,
           const virDelegateSubject *subject, GArray *fds)
{
    g_autoptr(GArray) tids = virDelegateGrantThreads(grant, args, batch->grants, subject->pidfd);
    g_auto(virDelegateTargets) targets = {0};
    const handler_threads *then = tids ? virHandlerHookThreads(grant->hook, args) : NULL;

    if (!then || tids->len != then->tids_len ||
        !virDelegateTargetsFind(&targets, NULL, 0, subject->pidfd,
                                (const pid_t *)(void *)tids->data, tids->len, NULL) ||
        targets.threads.form != then->form)
        return false;
    for (guint i = 0; i < targets.fds->len; i++) {
        if (!addFd(fds, fcntl(g_array_index(targets.fds, int, i), F_DUPFD_CLOEXEC, 3)))
            return false;
    }
    return true;
}

/* The descriptors that the hook takes, as far as they can be opened again. */
static bool
addTarget(const char *kind, const virHandlerGrant *grant, const void *args,
          const resyncBatch *batch, const virDelegateSubject *subject, GArray *fds)
{
    if (g_str_equal(kind, "process"))
        return addFd(fds, fcntl(subject->pidfd, F_DUPFD_CLOEXEC, 3));
    if (g_str_equal(kind, "thread..."))
        return addThreads(grant, args, batch, subject, fds);
    if (g_str_equal(kind, "network namespace"))
        return addFd(fds, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    if (g_str_equal(kind, "file"))
        return addFd(fds, open(grant->target, O_PATH | O_CLOEXEC | O_NOFOLLOW));
    return false;
}

/* All of a grant's descriptors, or none: the handler can only look at what it is given. */
static uint32_t
addTargets(const virHandlerGrant *grant, const resyncBatch *batch,
           const virDelegateSubject *subject, GArray *fds)
{
    g_auto(virArena) arena = {0};
    guint before = fds->len;
    const void *args;

    virArenaInit(&arena);
    args = virDelegateGrantArgs(grant, &arena);
    for (const char *const *kind = grant->hook->takes; *kind; kind++) {
        if (args && addTarget(*kind, grant, args, batch, subject, fds))
            continue;
        g_array_set_size(fds, before);
        break;
    }
    return fds->len - before;
}

static handler_grant
describeGrant(const virHandlerGrant *grant, const virDelegateCall *call)
{
    handler_grant row = {.request = grant->request,
                         .hook = grant->hook->number,
                         .domain = (char *)call->domain,
                         .target = grant->target};
    size_t len = 0;

    memcpy(row.uuid, call->uuid, sizeof(row.uuid));
    if (grant->args) {
        row.args_val = (uint8_t *)g_bytes_get_data(grant->args, &len);
        row.args_len = (uint32_t)len;
    }
    return row;
}

/* One verdict for each that was asked about; all unknown where the handler says nothing that makes
 * sense. The caller's. */
static int32_t *
askBatch(virDelegate *door, const virDelegateCall *call, const virDelegateSubject *subject,
         const resyncBatch *batch)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(handler_grant));
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_auto(virHandlerReply) reply = {0};
    g_autoptr(GError) error = NULL;
    handler_resync_args args = {0};
    handler_resync_ret ret = {0};
    int32_t *verdicts = g_new(int32_t, batch->asked->len + 1);

    g_array_set_clear_func(fds, closeItem);
    for (guint i = 0; i < batch->asked->len; i++) {
        const virHandlerGrant *grant = g_ptr_array_index(batch->asked, i);
        handler_grant row = describeGrant(grant, call);

        row.fds = addTargets(grant, batch, subject, fds);
        g_array_append_val(rows, row);
        verdicts[i] = HANDLER_VERDICT_UNKNOWN;
    }
    args.grants_len = rows->len;
    args.grants_val = (handler_grant *)(void *)rows->data;
    if (virHandlersAskResync(door->handlers, batch->peer, &args, (const int *)(void *)fds->data,
                             fds->len, &ret, &reply, &error))
        memcpy(verdicts, ret.verdicts_val, sizeof(*verdicts) * ret.verdicts_len);
    else
        VIR_WARN("domain '%s': handler process %d at resync: %s", call->domain,
                 (int)batch->peer->pid, error->message);
    return verdicts;
}

/* --- acting on it --- */

/* Until it is taken back, what is granted is in the place of what was lost. */
static void
setRedoing(virHandlers *handlers, const uint8_t uuid[16], bool redoing)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, uuid);

    if (guest)
        guest->redoing = redoing;
}

/* What the grant is from now on; what was done again is past. Returns that. */
static virHandlerGrantState
settle(virHandlers *handlers, const uint8_t uuid[16], const virHandlerGrant *grant,
       virHandlerGrantState state)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, uuid);
    virHandlerGrant *here = virHandlerGuestGrant(guest, grant->request);

    if (!here || here->state == VIR_HANDLER_GRANT_PAST)
        return VIR_HANDLER_GRANT_REDONE;
    here->state = state;
    here->stale = false;
    guest->changes++;
    return state;
}

static virHandlerGrantState
restore(virDelegate *door, const virDelegateCall *call, const virDelegateSubject *subject,
        const resyncBatch *batch, const virHandlerGrant *grant)
{
    g_autoptr(GError) error = NULL;
    virDelegateHold hold;

    setRedoing(door->handlers, call->uuid, true);
    hold = virDelegateRestore(door, call, subject, grant, batch->grants, &error);
    setRedoing(door->handlers, call->uuid, false);
    if (hold == VIR_DELEGATE_HOLD_FALSE)
        VIR_WARN("domain '%s': %s of %s does not hold any more: %s", call->domain,
                 grant->hook->name, grant->target, error ? error->message : "");
    return settle(door->handlers, call->uuid, grant,
                  hold == VIR_DELEGATE_HOLD_TRUE    ? VIR_HANDLER_GRANT_SEEN
                  : hold == VIR_DELEGATE_HOLD_FALSE ? VIR_HANDLER_GRANT_LOST
                                                    : VIR_HANDLER_GRANT_GRANTED);
}

static void
actOnBatch(virDelegate *door, const virDelegateCall *call, const virDelegateSubject *subject,
           const resyncBatch *batch, const int32_t *verdicts)
{
    unsigned counts[VIR_HANDLER_GRANT_LAST] = {0};

    for (guint i = 0; i < batch->asked->len; i++) {
        const virHandlerGrant *grant = g_ptr_array_index(batch->asked, i);

        counts[verdicts[i] == HANDLER_VERDICT_KEPT
                   ? settle(door->handlers, call->uuid, grant, VIR_HANDLER_GRANT_KEPT)
                   : restore(door, call, subject, batch, grant)]++;
    }
    VIR_INFO("domain '%s': handler process %d is back: %u grants kept, %u seen to hold, %u redone, "
             "%u lost, %u not to be seen, %u unanswered ones undone",
             call->domain, (int)batch->peer->pid, counts[VIR_HANDLER_GRANT_KEPT],
             counts[VIR_HANDLER_GRANT_SEEN], counts[VIR_HANDLER_GRANT_REDONE],
             counts[VIR_HANDLER_GRANT_LOST], counts[VIR_HANDLER_GRANT_GRANTED], batch->undo->len);
}

void
virDelegateResync(virDelegate *door, const virDelegateCall *call, const virDelegateSubject *subject)
{
    for (;;) {
        g_auto(resyncBatch) batch = {0};
        g_autofree int32_t *verdicts = NULL;

        if (!takeBatch(door->handlers, call, &batch))
            return;
        if (batch.undo->len > 0)
            virHandlersTellTeardown(batch.peer, call->uuid, call->domain, batch.undo);
        if (batch.asked->len > 0)
            verdicts = askBatch(door, call, subject, &batch);
        actOnBatch(door, call, subject, &batch, verdicts);
    }
}
