/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxmlschema.h: documents held against a RELAX NG grammar. Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

typedef struct virXMLSchema virXMLSchema;

/* Compiles a grammar; name stands for it in messages and is copied. NULL with
 * VIR_ERR_INTERNAL_ERROR if it is none. */
virXMLSchema *virXMLSchemaNew(const char *grammar, const char *name, GError **error);
void virXMLSchemaFree(virXMLSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virXMLSchema, virXMLSchemaFree)
/* One check at a time for each schema; others wait. VIR_ERR_XML_INVALID_SCHEMA with the parser's
 * findings, a line each. */
bool virXMLSchemaCheck(virXMLSchema *schema, xmlDoc *doc, GError **error);
