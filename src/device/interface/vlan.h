/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vlan.h: <vlan> of an interface: which tags its frames carry. A value; any thread. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "util/virxml.h"

typedef enum {
    VIR_VLAN_NATIVE_DEFAULT = 0,
    VIR_VLAN_NATIVE_TAGGED,
    VIR_VLAN_NATIVE_UNTAGGED,
    VIR_VLAN_NATIVE_LAST
} virVlanNative;

typedef struct {
    bool trunk;
    GArray *tags; /* of unsigned, or NULL */
    int nativeMode;
    unsigned nativeTag;
} virVlan;

/* The child <vlan> of node; none is no error. VIR_ERR_XML_ERROR. */
bool virVlanParse(virVlan *vlan, const xmlNode *node, GError **error);
void virVlanFormat(const virVlan *vlan, virXMLWriter *w);
void virVlanClear(virVlan *vlan);
