/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * source.c: <source> of an interface, another one for each type. */
#include <inttypes.h>

#include "device/interface/interface.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virInterfaceDirectMode, VIR_INTERFACE_DIRECT_LAST, "vepa", "private", "bridge",
              "passthrough");

/* --- reading --- */

static bool
virInterfaceNeed(char **ret, const xmlNode *source, const char *name, GError **error)
{
    *ret = virXMLAttr(source, name);
    if (*ret)
        return true;
    return virErrorSet(error, VIR_ERR_XML_ERROR,
                       _("Missing required attribute '%s' in element '%s'"), name,
                       (const char *)source->name);
}

static bool
virInterfaceInvalid(const xmlNode *node, const char *name, const char *value, GError **error)
{
    return virErrorSet(error, VIR_ERR_XML_ERROR,
                       _("Invalid value for attribute '%s' in element '%s': '%s'."), name,
                       (const char *)node->name, value);
}

static bool
virInterfaceParseNetwork(virInterfaceSource *source, const xmlNode *node, unsigned parseFlags,
                         GError **error)
{
    source->portgroup = virXMLAttr(node, "portgroup");
    if (!(parseFlags & VIR_PARSE_INACTIVE))
        source->portId = virXMLAttr(node, "portid");
    return virInterfaceNeed(&source->network, node, "network", error);
}

static bool
virInterfaceParseDirect(virInterfaceSource *source, const xmlNode *node, GError **error)
{
    g_autofree char *mode = virXMLAttr(node, "mode");

    if (mode && (source->mode = virInterfaceDirectModeFromString(mode)) < 0)
        return virInterfaceInvalid(node, "mode", mode, error);
    return virInterfaceNeed(&source->dev, node, "dev", error);
}

static bool
virInterfaceParsePort(const xmlNode *node, unsigned *ret, GError **error)
{
    uint64_t value = 0;
    bool set;

    if (!virFieldAttrUInt(node, "port", 10, INT32_MAX, &set, &value, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "port",
                           (const char *)node->name);
    *ret = (unsigned)value;
    return true;
}

static bool
virInterfaceParseSocket(virInterface *iface, const xmlNode *node, GError **error)
{
    virInterfaceSource *source = &iface->source;
    xmlNode *local = virXMLFirstChild(node, "local");

    if (!virInterfaceParsePort(node, &source->port, error))
        return false;
    source->address = virXMLAttr(node, "address");
    /* a server may listen everywhere */
    if (iface->type != VIR_INTERFACE_SERVER && !source->address)
        return virInterfaceNeed(&source->address, node, "address", error);
    if (iface->type != VIR_INTERFACE_UDP)
        return true;
    if (!local)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("'<local>' element missing for 'udp' socket interface"));
    return virInterfaceParsePort(local, &source->localPort, error) &&
           virInterfaceNeed(&source->localAddress, local, "address", error);
}

static bool
virInterfaceParseVhostUser(virInterfaceSource *source, xmlNode *node, GError **error)
{
    g_autofree char *type = virXMLAttr(node, "type");
    g_autofree char *mode = NULL;

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "type", "source");
    if (!g_str_equal(type, "unix"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Type='%s' unsupported for <interface type='vhostuser'>"), type);
    if (!source->server)
        source->server = g_new0(virChrSource, 1);
    source->server->type = VIR_CHR_UNIX;
    if (!virInterfaceNeed(&source->server->path, node, "path", error) ||
        !virInterfaceNeed(&mode, node, "mode", error))
        return false;
    if (!g_str_equal(mode, "server") && !g_str_equal(mode, "client"))
        return virInterfaceInvalid(node, "mode", mode, error);
    source->server->listen = g_str_equal(mode, "server");
    if (source->server->listen && virXMLFirstChild(node, "reconnect"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("'reconnect' attribute unsupported 'server' mode for <interface "
                             "type='vhostuser'>"));
    return virChrReconnectParse(&source->server->reconnect, node, error);
}

static bool
virInterfaceParseHostdev(virInterfaceSource *source, const xmlNode *node, GError **error)
{
    xmlNode *address = virXMLFirstChild(node, "address");
    g_autofree char *type = virXMLAttr(address, "type");

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing source address type"));
    if (!g_str_equal(type, "pci"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("address type='%s' not supported in hostdev interfaces"), type);
    return virPCIAddressParse(&source->pci, address, error);
}

static bool
virInterfaceParseSwitch(virInterfaceSource *source, const xmlNode *node, GError **error)
{
    g_autofree char *port = NULL;
    g_autofree char *connection = NULL;

    if (!virInterfaceNeed(&source->switchId, node, "switchid", error) ||
        !virInterfaceNeed(&port, node, "portid", error) ||
        !virInterfaceNeed(&source->portgroupId, node, "portgroupid", error) ||
        !virInterfaceNeed(&connection, node, "connectionid", error))
        return false;
    source->switchPort = g_ascii_strtoll(port, NULL, 10);
    source->connection = g_ascii_strtoll(connection, NULL, 10);
    return true;
}

static bool
virInterfaceNeedsSource(int type)
{
    return type != VIR_INTERFACE_USER && type != VIR_INTERFACE_ETHERNET &&
           type != VIR_INTERFACE_NULL && type != VIR_INTERFACE_HOSTDEV;
}

bool
virInterfaceSourceParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virInterface *iface = object;
    virInterfaceSource *source = &iface->source;
    xmlNode *element = virXMLFirstChild(node, "source");

    if (!element && virInterfaceNeedsSource(iface->type))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("interface type='%s' requires a 'source' element"),
                           virInterfaceTypeToString(iface->type));
    if (element && !virIPInfoParse(&source->ip, element, "interface host IP", error))
        return false;
    switch ((virInterfaceType)iface->type) {
    case VIR_INTERFACE_NETWORK:
        return virInterfaceParseNetwork(source, element, parseFlags, error) &&
               (!(parseFlags & VIR_PARSE_STATUS) ||
                virInterfaceActualParse(&source->actual, virXMLFirstChild(node, "actual"), error));
    case VIR_INTERFACE_BRIDGE:
        return virInterfaceNeed(&source->bridge, element, "bridge", error);
    case VIR_INTERFACE_DIRECT:
        return virInterfaceParseDirect(source, element, error);
    case VIR_INTERFACE_VDPA:
        return virInterfaceNeed(&source->dev, element, "dev", error);
    case VIR_INTERFACE_INTERNAL:
        return virInterfaceNeed(&source->name, element, "name", error);
    case VIR_INTERFACE_SERVER:
    case VIR_INTERFACE_CLIENT:
    case VIR_INTERFACE_MCAST:
    case VIR_INTERFACE_UDP:
        return virInterfaceParseSocket(iface, element, error);
    case VIR_INTERFACE_VHOSTUSER:
        return virInterfaceParseVhostUser(source, element, error);
    case VIR_INTERFACE_HOSTDEV:
        return virInterfaceParseHostdev(source, element, error);
    case VIR_INTERFACE_VDS:
        return virInterfaceParseSwitch(source, element, error);
    default:
        return true;
    }
}

/* --- writing --- */

/* A network that has turned out to be something is shown as both, but in a stored definition. */
static void
virInterfaceFormatNetwork(const virInterface *iface, virXMLWriter *w, unsigned formatFlags)
{
    const virInterfaceSource *source = &iface->source;
    bool status = formatFlags & VIR_FORMAT_STATUS;
    bool shown = source->actual && !status && !(formatFlags & VIR_FORMAT_INACTIVE);

    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "network", source->network);
    virXMLWriterAttr(w, "portgroup", source->portgroup);
    if (shown || status)
        virXMLWriterAttr(w, "portid", source->portId);
    if (shown)
        virXMLWriterAttr(w, "bridge", source->actual->bridge);
    virXMLWriterClose(w);
    if (status)
        virInterfaceActualFormat(source->actual, w);
}

static void
virInterfaceFormatAttr(virXMLWriter *w, const char *name, const char *value)
{
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, name, value);
    virXMLWriterClose(w);
}

static void
virInterfaceFormatSocket(const virInterface *iface, virXMLWriter *w)
{
    const virInterfaceSource *source = &iface->source;

    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "address", source->address);
    virXMLWriterAttrF(w, "port", "%u", source->port);
    if (iface->type == VIR_INTERFACE_UDP) {
        virXMLWriterOpen(w, "local");
        virXMLWriterAttr(w, "address", source->localAddress);
        virXMLWriterAttrF(w, "port", "%u", source->localPort);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virInterfaceFormatVhostUser(const virInterfaceSource *source, virXMLWriter *w)
{
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "type", "unix");
    virXMLWriterAttr(w, "path", source->server->path);
    virXMLWriterAttr(w, "mode", source->server->listen ? "server" : "client");
    virChrReconnectFormat(&source->server->reconnect, w);
    virXMLWriterClose(w);
}

static void
virInterfaceFormatHostdev(const virInterfaceSource *source, virXMLWriter *w)
{
    if (source->hostDriver) {
        virXMLWriterOpen(w, "driver");
        virXMLWriterAttr(w, "name", virInterfaceDriverNameToString(source->hostDriver));
        virXMLWriterClose(w);
    }
    virXMLWriterOpen(w, "source");
    virXMLWriterOpen(w, "address");
    virXMLWriterAttr(w, "type", "pci");
    virPCIAddressFormatAttrs(&source->pci, w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

static void
virInterfaceFormatSwitch(const virInterfaceSource *source, virXMLWriter *w)
{
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "switchid", source->switchId);
    virXMLWriterAttrF(w, "portid", "%" PRId64, source->switchPort);
    virXMLWriterAttr(w, "portgroupid", source->portgroupId);
    virXMLWriterAttrF(w, "connectionid", "%" PRId64, source->connection);
    virXMLWriterClose(w);
}

static void
virInterfaceFormatHostIP(const virInterfaceSource *source, virXMLWriter *w)
{
    virXMLWriterOpen(w, "source");
    virIPInfoFormat(&source->ip, w);
    virXMLWriterCloseUnlessEmpty(w);
}

void
virInterfaceSourceFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virInterface *iface = object;
    const virInterfaceSource *source = &iface->source;

    switch ((virInterfaceType)iface->type) {
    case VIR_INTERFACE_NETWORK:
        virInterfaceFormatNetwork(iface, w, formatFlags);
        break;
    case VIR_INTERFACE_BRIDGE:
        virInterfaceFormatAttr(w, "bridge", source->bridge);
        break;
    case VIR_INTERFACE_DIRECT:
        virXMLWriterOpen(w, "source");
        virXMLWriterAttr(w, "dev", source->dev);
        virXMLWriterAttr(w, "mode", virInterfaceDirectModeToString(source->mode));
        virXMLWriterClose(w);
        break;
    case VIR_INTERFACE_VDPA:
        virInterfaceFormatAttr(w, "dev", source->dev);
        break;
    case VIR_INTERFACE_INTERNAL:
        virInterfaceFormatAttr(w, "name", source->name);
        break;
    case VIR_INTERFACE_SERVER:
    case VIR_INTERFACE_CLIENT:
    case VIR_INTERFACE_MCAST:
    case VIR_INTERFACE_UDP:
        virInterfaceFormatSocket(iface, w);
        break;
    case VIR_INTERFACE_VHOSTUSER:
        virInterfaceFormatVhostUser(source, w);
        break;
    case VIR_INTERFACE_HOSTDEV:
        virInterfaceFormatHostdev(source, w);
        break;
    case VIR_INTERFACE_VDS:
        virInterfaceFormatSwitch(source, w);
        break;
    case VIR_INTERFACE_ETHERNET:
        virInterfaceFormatHostIP(source, w);
        break;
    default:
        break;
    }
}

void
virInterfaceSourceClear(void *object)
{
    virInterfaceSource *source = &((virInterface *)object)->source;
    char **const strings[] = {&source->network,    &source->portgroup,    &source->portId,
                              &source->bridge,     &source->dev,          &source->name,
                              &source->address,    &source->localAddress, &source->switchId,
                              &source->portgroupId};

    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_clear_pointer(strings[i], g_free);
    if (source->server)
        virChrSourceClear(source->server);
    g_clear_pointer(&source->server, g_free);
    virIPInfoClear(&source->ip);
    g_clear_pointer(&source->actual, virInterfaceActualFree);
}
