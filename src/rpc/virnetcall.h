/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetcall.h: one call of a client, from its decoded arguments to the answer.
 *
 * Lives from the moment the arguments are decoded until the answer is queued; all its memory is one
 * arena that is wiped then. Used by the handler's thread alone, which is the event thread or a job.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rpc/procedures.h"
#include "rpc/virnetmessage.h"
#include "rpc/virnetserverclient.h"

/* Zeroed memory that lives as long as the call; wiped with it. For what *ret points to. */
void *virNetCallAlloc(virNetCall *call, size_t size);
/* The same for n items of that size. */
void *virNetCallAllocMany(virNetCall *call, size_t n, size_t size);
char *virNetCallStrdup(virNetCall *call, const char *text /* NULL gives NULL */);
virArena *virNetCallArena(virNetCall *call);

/* Borrowed; valid as long as the call. */
virNetServerClient *virNetCallClient(virNetCall *call);
const virNetProcedure *virNetCallProcedure(virNetCall *call);
const virNetProgram *virNetCallProgram(virNetCall *call);
const virNetHeader *virNetCallHeader(virNetCall *call);

/* Descriptors that came with the call. Peek borrows (-1: no such one), Steal hands over. */
size_t virNetCallFdCount(virNetCall *call);
int virNetCallPeekFd(virNetCall *call, size_t index);
int virNetCallStealFd(virNetCall *call, size_t index);
/* A descriptor to go with the reply; taken over. Only for procedures whose row says so. */
void virNetCallAddFd(virNetCall *call, int fd);
/* For a handler whose row says "quick" and that finds more to do than the event thread has time
 * for: true if it is to return false at once, without an error, as it will be called anew in a job;
 * false if this is that job. */
bool virNetCallDefer(virNetCall *call);
/* The connection is closed when the answer is out. */
void virNetCallCloseAfterwards(virNetCall *call);
