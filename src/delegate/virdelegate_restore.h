/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_restore.h: what virdelegate_resync.c needs of one grant. For src/delegate alone. In a
 * job of the guest, without the core lock. */
#pragma once

#include "delegate/virdelegateops.h"
#include "delegate/virhandlergrants.h"

typedef enum {
    VIR_DELEGATE_HOLD_TRUE,   /* it holds, now at least */
    VIR_DELEGATE_HOLD_FALSE,  /* it doesn't; error says why it could not be done again */
    VIR_DELEGATE_HOLD_UNSEEN, /* the daemon cannot see whether it holds */
} virDelegateHold;

/* Looks, and has it done again by the hook's handler where it does not hold. grants: all of the
 * guest's, in the order of asking; what a later one changed is left as that made it. */
virDelegateHold virDelegateRestore(virDelegate *door, const virDelegateCall *call,
                                   const virDelegateSubject *subject, const virHandlerGrant *grant,
                                   const GPtrArray *grants, GError **error);

/* The arguments of its hook, in the arena; NULL: they were not kept. */
void *virDelegateGrantArgs(const virHandlerGrant *grant, virArena *arena);
/* Those of its threads (pid_t) that live and that no later grant of the hook has; NULL: it is not
 * for threads. */
GArray *virDelegateGrantThreads(const virHandlerGrant *grant, const void *args,
                                const GPtrArray *grants, int pidfd);
