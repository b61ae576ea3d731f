/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api.h: what a handler has: its call. Handlers see no socket and no wire.
 *
 *     bool virApiDomainGetState(virApiCall *call, const remote_domain_get_state_args *args,
 *                               remote_domain_get_state_ret *ret, GError **error)
 *
 * args and ret are left out where the procedure has none. *ret is zeroed; what it points to must
 * live as long as the call: constants, or memory from virApiAlloc and its kin, which is wiped and
 * given back when the answer is out. Strings in args are never NULL unless optional.
 *
 * A handler whose row says "inline" runs on the event thread and never waits; one that says "job"
 * runs on a job thread and may. Both start without the core lock: VIR_CORE_GUARD where domain state
 * is touched. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/types.gen.h"
#include "rpc/virnetcall.h"
#include "rpc/virnetserver.h"
#include "rpc/virnetserverclient.h"
#include "rpc/virnetstream.h"

typedef virNetCall virApiCall;

/* Zeroed memory that lives as long as the call: virApiNew(call, remote_nonnull_domain, n). */
#define virApiAlloc(call, size) virNetCallAlloc(call, size)
#define virApiNew(call, type, n) ((type *)virNetCallAllocMany(call, n, sizeof(type)))
/* A copy that lives as long as the call; NULL gives NULL. */
#define virApiStrdup(call, text) virNetCallStrdup(call, text)

/* Who calls; events go to it, and may for as long as a reference is held. */
#define virApiClient(call) virNetCallClient(call)
/* What the daemon gave its server: the driver behind all handlers. */
void *virApiDriver(virApiCall *call);

/* False, with the error that libvirt's QEMU driver gives, if flags has other bits than allowed. */
#define virApiOnlyFlags(flags, allowed, error) virApiOnlyFlagsIn(__func__, flags, allowed, error)
bool virApiOnlyFlagsIn(const char *handler, uint32_t flags, uint32_t allowed, GError **error);

/* What the handlers keep of a connection from connect_open on: its URI, and later its event
 * registrations (connect.c). On the event thread. */
typedef struct {
    char *uri;
    GHashTable *identity; /* string to string: who the client acts for; NULL: for itself */
    GPtrArray *onClose;   /* connect.c's own */
} virApiConnection;

/* NULL before connect_open. */
virApiConnection *virApiConnectionOf(virNetServerClient *client);
/* Has func called on the event thread when the connection ends. After connect_open. */
void virApiConnectionOnClose(virNetServerClient *client, void (*func)(void *opaque), void *opaque);
