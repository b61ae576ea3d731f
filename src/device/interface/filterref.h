/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * filterref.h: <filterref> of an interface: a packet filter by name, with its parameters. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "util/virxml.h"

typedef struct {
    char *filter;          /* NULL: none */
    GPtrArray *parameters; /* of char *[2], by name; values of one name in the order given */
} virFilterRef;

void virFilterRefParse(virFilterRef *ref, const xmlNode *node);
void virFilterRefFormat(const virFilterRef *ref, virXMLWriter *w);
void virFilterRefClear(virFilterRef *ref);
bool virFilterRefEqual(const virFilterRef *a, const virFilterRef *b);
