/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bandwidth.h: <bandwidth> of an interface: how much may pass. A value; any thread. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virxml.h"

/* Kilobytes a second; burst in kilobytes. 0: not given. */
typedef struct {
    uint64_t average, peak, floor, burst;
} virBandwidthRate;

typedef struct {
    virBandwidthRate inbound, outbound; /* as the guest sees it */
} virBandwidth;

/* The child <bandwidth> of node. mayFloor: the network it is part of can promise a minimum. */
bool virBandwidthParse(virBandwidth *bandwidth, const xmlNode *node, bool mayFloor, GError **error);
void virBandwidthFormat(const virBandwidth *bandwidth, virXMLWriter *w);
bool virBandwidthIsSet(const virBandwidth *bandwidth);
