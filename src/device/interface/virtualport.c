/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtualport.c: see virtualport.h. */
#include "device/interface/virtualport.h"

#include <inttypes.h>
#include <string.h>

#include "util/virerror.h"

VIR_ENUM_IMPL(virVirtualPortType, VIR_VIRTUALPORT_LAST, "none", "802.1Qbg", "802.1Qbh",
              "openvswitch", "midonet");

enum {
    VIR_VIRTUALPORT_MANAGER_MAX = 0xff,
    VIR_VIRTUALPORT_TYPE_MAX = 0xffffff,
    VIR_VIRTUALPORT_VERSION_MAX = 0xff,
    VIR_VIRTUALPORT_PROFILE_MAX = 39, /* what fits the kernel's PORT_PROFILE_MAX */
};

/* Which parameters a type knows. */
typedef struct {
    bool manager, instance, interface, profile, needsProfile;
} virVirtualPortNeeds;

static const virVirtualPortNeeds needs[] = {
    [VIR_VIRTUALPORT_NONE] = {0},
    [VIR_VIRTUALPORT_8021QBG] = {.manager = true, .instance = true},
    [VIR_VIRTUALPORT_8021QBH] = {.profile = true, .needsProfile = true},
    [VIR_VIRTUALPORT_OPENVSWITCH] = {.interface = true, .profile = true},
    [VIR_VIRTUALPORT_MIDONET] = {.interface = true},
};
G_STATIC_ASSERT(G_N_ELEMENTS(needs) == VIR_VIRTUALPORT_LAST);

static bool
virVirtualPortParseUUID(char **ret, const xmlNode *node, const char *name, GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);
    unsigned char uuid[VIR_UUID_SIZE];
    char plain[VIR_UUID_TEXT_SIZE];

    if (!text)
        return true;
    if (!virUUIDParse(text, uuid))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("cannot parse %s parameter as a uuid"),
                           name);
    *ret = g_strdup(virUUIDFormat(uuid, plain));
    return true;
}

static bool
virVirtualPortParseNumber(virOptUInt *ret, const xmlNode *node, const char *name, uint64_t max,
                          GError **error)
{
    return virFieldAttrOptUInt(node, name, 0, max, ret, error);
}

static bool
virVirtualPortParseParameters(virVirtualPort *port, const xmlNode *node, GError **error)
{
    port->profileId = virXMLAttr(node, "profileid");
    if (port->profileId && strlen(port->profileId) > VIR_VIRTUALPORT_PROFILE_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("profileid parameter too long"));
    return virVirtualPortParseNumber(&port->managerId, node, "managerid",
                                     VIR_VIRTUALPORT_MANAGER_MAX, error) &&
           virVirtualPortParseNumber(&port->typeId, node, "typeid", VIR_VIRTUALPORT_TYPE_MAX,
                                     error) &&
           virVirtualPortParseNumber(&port->typeIdVersion, node, "typeidversion",
                                     VIR_VIRTUALPORT_VERSION_MAX, error) &&
           virVirtualPortParseUUID(&port->instanceId, node, "instanceid", error) &&
           virVirtualPortParseUUID(&port->interfaceId, node, "interfaceid", error);
}

static char *
virVirtualPortMakeUUID(void)
{
    unsigned char uuid[VIR_UUID_SIZE];
    char text[VIR_UUID_TEXT_SIZE];

    virUUIDGenerate(uuid);
    return g_strdup(virUUIDFormat(uuid, text));
}

static const char *
virVirtualPortMissing(const virVirtualPort *port)
{
    const virVirtualPortNeeds *need = &needs[port->type];

    if (need->manager && !port->managerId.set)
        return "managerid";
    if (need->manager && !port->typeId.set)
        return "typeid";
    if (need->manager && !port->typeIdVersion.set)
        return "typeidversion";
    if (need->needsProfile && !port->profileId)
        return "profileid";
    if (port->type == VIR_VIRTUALPORT_MIDONET && !port->interfaceId)
        return "interfaceid";
    return NULL;
}

static const char *
virVirtualPortExtra(const virVirtualPort *port)
{
    const virVirtualPortNeeds *need = &needs[port->type];

    if (!need->manager && port->managerId.set)
        return "managerid";
    if (!need->manager && port->typeId.set)
        return "typeid";
    if (!need->manager && port->typeIdVersion.set)
        return "typeidversion";
    if (!need->instance && port->instanceId)
        return "instanceid";
    if (!need->interface && port->interfaceId)
        return "interfaceid";
    if (!need->profile && port->profileId)
        return "profileid";
    return NULL;
}

static bool
virVirtualPortMakeWhole(virVirtualPort *port, GError **error)
{
    const char *missing = virVirtualPortMissing(port);

    if (missing)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("missing %s in <virtualport type='%s'>"),
                           missing, virVirtualPortTypeToString(port->type));
    if (needs[port->type].instance && !port->instanceId)
        port->instanceId = virVirtualPortMakeUUID();
    if (port->type == VIR_VIRTUALPORT_OPENVSWITCH && !port->interfaceId)
        port->interfaceId = virVirtualPortMakeUUID();
    return true;
}

bool
virVirtualPortParse(virVirtualPort *port, const xmlNode *node, bool whole, GError **error)
{
    xmlNode *element = virXMLFirstChild(node, "virtualport");
    g_autofree char *type = virXMLAttr(element, "type");
    const char *extra;

    if (!element)
        return true;
    port->given = true;
    if (!type && whole)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing required virtualport type"));
    if (type && (port->type = virVirtualPortTypeFromString(type)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown virtualport type %s"), type);
    if (!virVirtualPortParseParameters(port, virXMLFirstChild(element, "parameters"), error))
        return false;
    extra = port->type ? virVirtualPortExtra(port) : NULL;
    if (extra)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("extra %s unsupported in <virtualport type='%s'>"), extra,
                           virVirtualPortTypeToString(port->type));
    return !whole || virVirtualPortMakeWhole(port, error);
}

static void
virVirtualPortFormatNumber(virXMLWriter *w, const char *name, const virOptUInt *number)
{
    if (number->set)
        virXMLWriterAttrF(w, name, "%" PRIu64, number->value);
}

void
virVirtualPortFormat(const virVirtualPort *port, virXMLWriter *w)
{
    if (!port->given)
        return;
    virXMLWriterOpen(w, "virtualport");
    if (port->type)
        virXMLWriterAttr(w, "type", virVirtualPortTypeToString(port->type));
    virXMLWriterOpen(w, "parameters");
    virVirtualPortFormatNumber(w, "managerid", &port->managerId);
    virVirtualPortFormatNumber(w, "typeid", &port->typeId);
    virVirtualPortFormatNumber(w, "typeidversion", &port->typeIdVersion);
    virXMLWriterAttr(w, "instanceid", port->instanceId);
    virXMLWriterAttr(w, "interfaceid", port->interfaceId);
    virXMLWriterAttr(w, "profileid", port->profileId);
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterCloseUnlessEmpty(w);
}

void
virVirtualPortClear(virVirtualPort *port)
{
    g_clear_pointer(&port->instanceId, g_free);
    g_clear_pointer(&port->interfaceId, g_free);
    g_clear_pointer(&port->profileId, g_free);
}
