/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * replies.h: a recorded QMP talk in the place of a QEMU. A recording holds one or two monitor
 * sessions: ids start again where the second begins. */
#pragma once

#include "qmp/qmptransport.h"

typedef struct conformanceReplies conformanceReplies;

conformanceReplies *conformanceRepliesRead(const char *path, GError **error);
void conformanceRepliesFree(conformanceReplies *replies);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(conformanceReplies, conformanceRepliesFree)

/* Borrowed; number 0 is the first session. NULL if there is none of that number. */
qmpTransport *conformanceRepliesSession(conformanceReplies *replies, unsigned number);

/* True if all that was recorded has been asked. */
bool conformanceRepliesOver(const conformanceReplies *replies);
/* How many questions were not the next one of the recording; libvirt's prober has none. */
unsigned conformanceRepliesOutOfOrder(const conformanceReplies *replies);
