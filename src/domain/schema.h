/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * schema.h: the schema of <domain>, made of the rows that read and write it: a RELAX NG grammar.
 * What rows leave to code is described by the row's `holds`; where that is missing too, any
 * content passes. Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The grammar as text, the same at each call; caller frees. */
char *virDomainSchemaFormat(void);
/* Holds a document against it. VIR_ERR_XML_INVALID_SCHEMA with one line for each finding;
 * VIR_ERR_XML_ERROR if it is no document. The grammar is compiled at the first call. */
bool virDomainSchemaCheck(const char *xml, GError **error);
