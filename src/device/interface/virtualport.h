/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtualport.h: <virtualport> of an interface: what a switch is told about it. A value. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "device/field.h"
#include "util/viruuid.h"
#include "util/virxml.h"

typedef enum {
    VIR_VIRTUALPORT_NONE = 0,
    VIR_VIRTUALPORT_8021QBG,
    VIR_VIRTUALPORT_8021QBH,
    VIR_VIRTUALPORT_OPENVSWITCH,
    VIR_VIRTUALPORT_MIDONET,
    VIR_VIRTUALPORT_LAST
} virVirtualPortType;
VIR_ENUM_DECL(virVirtualPortType);

typedef struct {
    bool given;
    int type; /* virVirtualPortType */
    virOptUInt managerId, typeId, typeIdVersion;
    char *instanceId, *interfaceId; /* uuids */
    char *profileId;
} virVirtualPort;

/* The child <virtualport> of node. whole: the type and all that it needs must be there; what can be
 * made up is. VIR_ERR_XML_ERROR. */
bool virVirtualPortParse(virVirtualPort *port, const xmlNode *node, bool whole, GError **error);
void virVirtualPortFormat(const virVirtualPort *port, virXMLWriter *w);
void virVirtualPortClear(virVirtualPort *port);
