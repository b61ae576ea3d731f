/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * section.h: the contract between a section of <domain> and the whole.
 *
 * A section is a file: its struct, its rows, and what rows can't say. The order of the list in
 * sections.c is the order of the document; a section whose parts stand apart in the document has a
 * row table for each part, so it is in the list more than once. Any thread; no rights needed. */
#pragma once

#include "device/device.h"
#include "util/virxml.h"

struct virDomainDef;

typedef struct {
    const char *name; /* in messages and for the schema: "os" */
    size_t offset;    /* of its struct in virDomainDef */
    /* rows, relative to <domain> ("os/loader@secure"); the struct is the object */
    const virField *fields;
    /* After all rows of all sections and all devices; sees the whole. NULL: rows are enough. */
    bool (*complete)(struct virDomainDef *def, unsigned parseFlags, GError **error);
    bool (*check)(const struct virDomainDef *def, GError **error);
    /* Beyond the ABI rows. */
    bool (*sameABI)(const struct virDomainDef *a, const struct virDomainDef *b, GError **error);
} virDomainSection;

/* In document order; <devices> stands between the two. NULL-terminated. */
extern const virDomainSection *const virDomainSectionsBefore[];
extern const virDomainSection *const virDomainSectionsAfter[];
