/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerinterrupt.c: calls that nobody wants answered any more: their guest is being destroyed,
 * or the daemon ends. Who waits is woken, who comes later is turned away; what takes things back
 * goes on as ever. */
#include "delegate/virhandlerspriv.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* Under lock. */
static bool
isInterrupted(const virHandlers *handlers, const virDelegateCall *call)
{
    return call->phase != VIR_DELEGATE_PHASE_TEARDOWN &&
           (handlers->ending || g_hash_table_contains(handlers->interrupted, call->uuid));
}

bool
virHandlersCheckWanted(const virHandlers *handlers, const virDelegateCall *call, const char *hook,
                       GError **error)
{
    if (!isInterrupted(handlers, call))
        return true;
    return handlers->ending
               ? virErrorSet(error, VIR_ERR_OPERATION_ABORTED,
                             _("the daemon ends while the handler of %s is waited for"), hook)
               : virErrorSet(error, VIR_ERR_OPERATION_ABORTED,
                             _("domain '%s' was destroyed while the handler of %s was waited for"),
                             call->domain, hook);
}

/* Those that wait look again: the one that reads, and by it the others. Under lock. */
static void
wakeWaiting(virHandlers *handlers)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, handlers->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const virHandlerPending *pending = value;

        if (pending->call && isInterrupted(handlers, pending->call))
            virHandlerPeerWake(pending->peer);
    }
    g_cond_broadcast(&handlers->answered);
}

void
virHandlersInterrupt(virHandlers *handlers, const uint8_t uuid[16])
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    gsize times = GPOINTER_TO_SIZE(g_hash_table_lookup(handlers->interrupted, uuid));

    g_hash_table_replace(handlers->interrupted, g_memdup2(uuid, HANDLER_UUID_BUFLEN),
                         GSIZE_TO_POINTER(times + 1));
    wakeWaiting(handlers);
}

void
virHandlersResume(virHandlers *handlers, const uint8_t uuid[16])
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    gsize times = GPOINTER_TO_SIZE(g_hash_table_lookup(handlers->interrupted, uuid));

    if (times > 1)
        g_hash_table_replace(handlers->interrupted, g_memdup2(uuid, HANDLER_UUID_BUFLEN),
                             GSIZE_TO_POINTER(times - 1));
    else
        g_hash_table_remove(handlers->interrupted, uuid);
}

void
virHandlersEnd(virHandlers *handlers)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);

    handlers->ending = true;
    wakeWaiting(handlers);
}
