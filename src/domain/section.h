/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * section.h: the contract between a section of <domain> and the whole. */
#pragma once

#include "device/device.h"
#include "util/virxml.h"

struct virDomainDef;

typedef struct {
    const char *name; /* in messages and for the schema: "os" */
    size_t offset;    /* of its struct in virDomainDef */
    const virField
        *fields; /* rows, relative to <domain> ("os/loader@secure"); the struct is the object */
    /* After all rows of all sections; sees the whole. NULL: rows are enough. */
    bool (*complete)(struct virDomainDef *def, unsigned parseFlags, GError **error);
    bool (*check)(const struct virDomainDef *def, GError **error);
    bool (*sameABI)(const struct virDomainDef *a, const struct virDomainDef *b, GError **error);
} virDomainSection;

/* In document order; <devices> stands between pm and security (sections.c). NULL-terminated. */
extern const virDomainSection *const virDomainSectionsBefore[];
extern const virDomainSection *const virDomainSectionsAfter[];
