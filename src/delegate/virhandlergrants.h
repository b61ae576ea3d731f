/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlergrants.h: what handlers did for each guest, and how that outlives either side.
 *
 * A request whose effect lasts is a grant. It is in the guest's status file before it is sent, as
 * "asked", and as "granted" once it is answered, so a daemon that is killed in between knows of
 * both. A start writes no file for that: the file that names its resources also names a range of
 * request ids that the start may use (a lease); a start that was cut off is taken back whole, and
 * its handlers are told to undo the whole range.
 *
 * A handler that registers again, or a daemon that comes back, asks about the grants (resync) in a
 * job of the guest: what was asked and never answered is undone; what the handler calls lost or
 * does not know is looked at by the daemon, and done again through the same hook if it does not
 * hold.
 *
 * handlers may be NULL everywhere: nobody grants anything. Any thread, without the core lock but
 * where said; no rights needed. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

#include "delegate/virhandlers.h"
#include "util/virxml.h"

typedef enum {
    VIR_HANDLER_GRANT_ASKED,   /* sent; not known whether it was done */
    VIR_HANDLER_GRANT_GRANTED, /* answered */
    VIR_HANDLER_GRANT_KEPT,    /* the handler said so when it came back */
    VIR_HANDLER_GRANT_SEEN,    /* it did not know, but the daemon saw that it holds */
    VIR_HANDLER_GRANT_REDONE,  /* granted, in the place of one that was lost */
    VIR_HANDLER_GRANT_LOST,    /* holds no more, and cannot be done again or was refused */
    VIR_HANDLER_GRANT_PAST,    /* something later was done to the same thing */
    VIR_HANDLER_GRANT_LAST
} virHandlerGrantState;

const char *virHandlerGrantStateToString(int state);

typedef struct {
    uint64_t request;
    const virXdrHook *hook;
    virHandlerGrantState state;
    char *target; /* what it was done to; with the hook, what a later one takes the place of */
    GBytes *args; /* in XDR, to do it again; NULL: too long to keep */
    bool stale;   /* its handler or the daemon came back: to be asked about */
    bool waiting; /* its call is under way */
} virHandlerGrant;

/* A guest's grants as read from <grants> of its status file; NULL without one. What makes no sense
 * is left out, with a line in the log. */
virHandlerGuest *virHandlerGuestParse(const char *domain, const xmlNode *node);
void virHandlerGuestFree(virHandlerGuest *guest);
/* After a restart: these are the guest's; taken over, NULL is allowed. Before handlers connect. */
void virHandlersAdopt(virHandlers *handlers, const uint8_t uuid[16], virHandlerGuest *guest);

/* Where grants are kept. */
typedef struct {
    /* Writes the guest's status file, with virHandlersFormatGrants in it. In the guest's job,
     * without the core lock. */
    bool (*save)(const virDelegateCall *call, void *opaque, GError **error);
    /* The guest has stale grants: has virDelegateResync called in a job of the guest. Returns at
     * once. */
    void (*resync)(const uint8_t uuid[16], void *opaque);
    /* Who does the hook is another from now on: a handler has come (back), or has taken its leave.
     * What could not be taken back of guests that ended may be tried again. Event thread; returns
     * at once. NULL: nobody waits for it. */
    void (*served)(const virXdrHook *hook, void *opaque);
    void *opaque;
} virHandlerJournal;

void virHandlersSetJournal(virHandlers *handlers, const virHandlerJournal *journal);

/* A start begins: its requests take their ids from a lease. It ends with Settle, or with
 * virHandlersTeardown. */
void virHandlersAnnounce(virHandlers *handlers, const virDelegateCall *call);
void virHandlersSettle(virHandlers *handlers, const uint8_t uuid[16]);
/* <grants>, if there is any; core lock held or not. Returns a number for virHandlersGrantsSaved,
 * when the file is on disk. */
uint64_t virHandlersFormatGrants(virHandlers *handlers, const uint8_t uuid[16], virXMLWriter *w);
void virHandlersGrantsSaved(virHandlers *handlers, const uint8_t uuid[16], uint64_t number);

/* A copy of the guest's grants (virHandlerGrant *), in the order of asking; the caller's. */
GPtrArray *virHandlersGrants(virHandlers *handlers, const uint8_t uuid[16]);
