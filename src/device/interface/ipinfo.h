/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ipinfo.h: <ip> and <route> of an interface, of the guest's end or the host's. A value. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "util/virxml.h"

typedef struct {
    int family; /* AF_INET, AF_INET6 */
    char *address, *peer;
    unsigned prefix; /* 0: not given */
} virIPAddress;

typedef struct {
    char *family; /* as written, or NULL */
    char *address, *netmask, *gateway;
    bool hasPrefix;
    unsigned prefix, metric;
} virIPRoute;

typedef struct {
    GPtrArray *addresses; /* of virIPAddress, or NULL */
    GPtrArray *routes;    /* of virIPRoute, or NULL */
} virIPInfo;

/* The children <ip> and <route> of node. where names the end, for messages. */
bool virIPInfoParse(virIPInfo *info, const xmlNode *node, const char *where, GError **error);
void virIPInfoFormat(const virIPInfo *info, virXMLWriter *w);
void virIPInfoClear(virIPInfo *info);
bool virIPInfoIsEmpty(const virIPInfo *info);
