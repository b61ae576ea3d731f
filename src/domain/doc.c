/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * doc.c: see doc.h. */
#include "domain/doc.h"

/* What is kept: the live text, the stored one. Other flags are rare and formatted when asked. */
enum { VIR_DOC_TEXTS = 2 };

/* A text of this many bytes is written in 0.2 ms. */
enum { VIR_DOC_SMALL_MAX = 32 * 1024 };

struct virDomainDoc {
    gatomicrefcount refs;
    virDomainDef *def;
    char *texts[VIR_DOC_TEXTS]; /* atomic: set once */
};

virDomainDoc *
virDomainDocNew(virDomainDef *def)
{
    virDomainDoc *doc = g_new0(virDomainDoc, 1);

    g_atomic_ref_count_init(&doc->refs);
    doc->def = def;
    return doc;
}

virDomainDoc *
virDomainDocRef(virDomainDoc *doc)
{
    g_atomic_ref_count_inc(&doc->refs);
    return doc;
}

void
virDomainDocUnref(virDomainDoc *doc)
{
    if (!doc || !g_atomic_ref_count_dec(&doc->refs))
        return;
    for (int i = 0; i < VIR_DOC_TEXTS; i++)
        g_free(doc->texts[i]);
    virDomainDefFree(doc->def);
    g_free(doc);
}

const virDomainDef *
virDomainDocDef(const virDomainDoc *doc)
{
    return doc->def;
}

static char **
virDomainDocSlot(virDomainDoc *doc, unsigned formatFlags)
{
    if (formatFlags == 0)
        return &doc->texts[0];
    return formatFlags == VIR_FORMAT_INACTIVE ? &doc->texts[1] : NULL;
}

char *
virDomainDocXML(virDomainDoc *doc, unsigned formatFlags)
{
    char **slot = virDomainDocSlot(doc, formatFlags);
    char *kept = slot ? g_atomic_pointer_get(slot) : NULL;
    char *text;

    if (kept)
        return g_strdup(kept);
    text = virDomainDefFormat(doc->def, formatFlags);
    if (slot) {
        char *keep = g_strdup(text);

        if (!g_atomic_pointer_compare_and_exchange(slot, NULL, keep))
            g_free(keep); /* another thread was first */
    }
    return text;
}

bool
virDomainDocIsSmall(const virDomainDoc *doc)
{
    return doc->def->size > 0 && doc->def->size <= VIR_DOC_SMALL_MAX;
}
