/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metadata.h: title, description and applications' elements of a document, read and changed one by
 * one. Pure. */
#pragma once

#include "domain/def.h"

/* Numbers of the wire: VIR_DOMAIN_METADATA_*. */
typedef enum {
    VIR_METADATA_DESCRIPTION = 0,
    VIR_METADATA_TITLE = 1,
    VIR_METADATA_ELEMENT = 2, /* told from others by the URI of its namespace */
    VIR_METADATA_LAST
} virMetadataType;

/* VIR_ERR_NO_DOMAIN_METADATA if there is none. Caller frees. */
char *virDomainMetadataGet(const virDomainDef *def, virMetadataType type, const char *uri,
                           GError **error);
/* Puts text in its place, NULL or "" takes it away. An element, whatever its own namespace, becomes
 * one of uri with prefix key. VIR_ERR_XML_ERROR, VIR_ERR_INVALID_ARG. */
bool virDomainMetadataSet(virDomainDef *def, virMetadataType type, const char *text,
                          const char *key, const char *uri, GError **error);
