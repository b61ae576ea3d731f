/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_event.h: what happens to domains, to the clients that registered for it. */
#pragma once

#include "domain/event.h"
#include "rpc/procedures.h"

/* For qemuDriver's emit: copies the event and has it delivered on the event thread, soon and in
 * order. Any thread, also under the core lock. */
void virApiDomainEventEmit(const virDomainEvent *event, void *opaque);

/* --- between domain_event.c and domain_event_msg.c --- */

/* How an event becomes a message. */
typedef struct {
    /* Fills the message of the callback style, zeroed, all but its callbackID. */
    void (*fill)(const virDomainEvent *event, void *message);
    size_t legacyOffset; /* in it, of the message of the older styles; 0: there is none */
} virApiDomainEventRow;

/* NULL for a type that has no message of its own. */
const virApiDomainEventRow *virApiDomainEventRowOf(int type);
