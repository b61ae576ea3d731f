/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * priv.h: what the library's files share; nothing of it is exported. */
#pragma once

#define VIR_INTERNAL_UNSTABLE_API_OPT_IN 1
#include "internal/libvirt-internal.h"

#include <glib.h>
#include <stdbool.h>

#include "rpc/virpacket.h"

/* What libvirt-internal.syms names. */
#define VIR_INTERNAL_EXPORT __attribute__((visibility("default")))

/* One call of the daemon. */
struct _virInternalRequest {
    virInternalCall call;
    const virXdrHook *hook;
    virPacket *packet; /* arguments' descriptors */
    virArena arena;    /* what args and ret point to */
    void *args;        /* of hook->args */
    void *ret;         /* of hook->ret, NULL: none */
    GArray *fds;       /* int: the answer's, owned */
    GArray *ids;       /* unsigned long long */
    GArray *threadFds; /* int, borrowed */
    GArray *table;     /* virInternalGuestThread */
};

/* Fills request from packet (borrowed). */
bool virInternalRequestInit(virInternalRequest *request, const virXdrHook *hook, virPacket *packet,
                            GError **error);
/* The same of what was asked earlier, from its arguments; packet has descriptors alone. */
bool virInternalRequestInitGrant(virInternalRequest *request, const handler_grant *grant,
                                 virPacket *packet, GError **error);
void virInternalRequestClear(virInternalRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virInternalRequest, virInternalRequestClear)

/* Notes error as this thread's last one and frees it; -1. */
int virInternalTakeError(GError *error);
/* What the handler that has just returned -1 said about it; caller frees. */
char *virInternalTakeFailure(void);
