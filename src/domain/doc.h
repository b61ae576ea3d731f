/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * doc.h: a published definition: immutable, shared by reference, its text formatted once.
 *
 * Who has a reference may read the definition on any thread without a lock. A change is a new
 * document (virDomainDefCopy, edit, virDomainDocNew) that takes the old one's place. */
#pragma once

#include "domain/def.h"

typedef struct virDomainDoc virDomainDoc;

/* Takes over def, which nobody may change from now on. */
virDomainDoc *virDomainDocNew(virDomainDef *def);
virDomainDoc *virDomainDocRef(virDomainDoc *doc);
void virDomainDocUnref(virDomainDoc *doc); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainDoc, virDomainDocUnref)

const virDomainDef *virDomainDocDef(const virDomainDoc *doc);
/* The text under these virFormatFlags, as a copy that the caller frees. Kept, but for
 * VIR_FORMAT_SECURE: a text with secrets in is made anew each time (wipe it with
 * virSecureFreeString). Any thread. */
char *virDomainDocXML(virDomainDoc *doc, unsigned formatFlags);
/* True if virDomainDocXML is quick enough for the event thread. */
bool virDomainDocIsSmall(const virDomainDoc *doc);
