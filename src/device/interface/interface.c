/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * interface.c: <interface> as a document. */
#include "device/interface/interface.h"

#include <stdio.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"
#include "util/viruuid.h"

VIR_ENUM_IMPL(virInterfaceType, VIR_INTERFACE_LAST, "user", "ethernet", "vhostuser", "server",
              "client", "mcast", "network", "bridge", "internal", "direct", "hostdev", "udp",
              "vdpa", "null", "vds");
VIR_ENUM_IMPL(virInterfaceDriverName, VIR_INTERFACE_DRIVER_LAST, "default", "qemu", "vhost", "kvm",
              "vfio", "xen");
VIR_ENUM_IMPL(virInterfaceTeaming, VIR_INTERFACE_TEAMING_LAST, "none", "persistent", "transient");

static const char *const txModes[] = {"default", "iothread", "timer"};
G_STATIC_ASSERT(G_N_ELEMENTS(txModes) == VIR_INTERFACE_TX_LAST);
static const virEnum txModeNames = {txModes, VIR_INTERFACE_TX_LAST};
static const char *const links[] = {"default", "up", "down"};
G_STATIC_ASSERT(G_N_ELEMENTS(links) == VIR_INTERFACE_LINK_LAST);
static const virEnum linkNames = {links, VIR_INTERFACE_LINK_LAST};
static const char *const macTypes[] = {"default", "generated", "static"};
static const virEnum macTypeNames = {macTypes, G_N_ELEMENTS(macTypes)};

/* The models that have a name of their own; others are taken as they are written. */
static const char *const models[] = {
    "netfront",
    "rtl8139",
    "virtio",
    "e1000",
    "e1000e",
    "virtio-transitional",
    "virtio-non-transitional",
    "usb-net",
    "spapr-vlan",
    "lan9118",
    "scm91c111",
    "vlance",
    "vmxnet",
    "vmxnet2",
    "vmxnet3",
    "Am79C970A",
    "Am79C973",
    "82540EM",
    "82545EM",
    "82543GC",
};

/* --- <mac> --- */

bool
virMACParse(const char *text, uint8_t mac[VIR_MAC_SIZE])
{
    for (int i = 0; i < VIR_MAC_SIZE; i++) {
        char *end;
        unsigned long byte = g_ascii_isxdigit(*text) ? strtoul(text, &end, 16) : 0x100;

        if (byte > 0xff || (i < VIR_MAC_SIZE - 1 ? *end != ':' && *end != '-' : *end != '\0'))
            return false;
        mac[i] = (uint8_t)byte;
        text = end + 1;
    }
    return true;
}

char *
virInterfaceMAC(const virInterface *iface, char text[VIR_MAC_TEXT_SIZE])
{
    const uint8_t *mac = iface->mac;

    (void)snprintf(text, VIR_MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                   mac[3], mac[4], mac[5]);
    return text;
}

/* 52:54:00 is the prefix that QEMU guests have everywhere. */
static void
virInterfaceGenerateMAC(virInterface *iface)
{
    iface->mac[0] = 0x52;
    iface->mac[1] = 0x54;
    iface->mac[2] = 0x00;
    for (int i = 3; i < VIR_MAC_SIZE; i++)
        virRandomBytes(&iface->mac[i], 1);
    iface->macGenerated = true;
}

static bool
virInterfaceParseMAC(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virInterface *iface = object;
    g_autofree char *text = virXMLAttr(virXMLFirstChild(node, "mac"), "address");

    if (!text) {
        virInterfaceGenerateMAC(iface);
        return true;
    }
    if (!virMACParse(text, iface->mac))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unable to parse mac address '%s'"), text);
    if (iface->mac[0] & 1)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("expected unicast mac address, found multicast '%s'"), text);
    return true;
}

static void
virInterfaceFormatMAC(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virInterface *iface = object;
    char text[VIR_MAC_TEXT_SIZE];

    virXMLWriterOpen(w, "mac");
    virXMLWriterAttr(w, "address", virInterfaceMAC(iface, text));
    if (iface->macType)
        virXMLWriterAttr(w, "type", virEnumToString(&macTypeNames, iface->macType));
    if (iface->macCheck != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "check", iface->macCheck == VIR_TRISTATE_YES ? "yes" : "no");
    virXMLWriterClose(w);
}

static bool
virInterfaceSameMAC(const void *a, const void *b, GError **error)
{
    const virInterface *was = a;
    const virInterface *is = b;
    char wasText[VIR_MAC_TEXT_SIZE];
    char isText[VIR_MAC_TEXT_SIZE];

    if (memcmp(was->mac, is->mac, VIR_MAC_SIZE) == 0)
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target network card mac %s does not match source %s"),
                       virInterfaceMAC(is, isText), virInterfaceMAC(was, wasText));
}

/* --- parts with a file of their own --- */

static bool
virInterfaceParseVlan(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    return virVlanParse(&((virInterface *)object)->vlan, node, error);
}

static void
virInterfaceFormatVlan(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virVlanFormat(&((const virInterface *)object)->vlan, w);
}

static void
virInterfaceClearVlan(void *object)
{
    virVlanClear(&((virInterface *)object)->vlan);
}

/* A network may add to its interfaces' ports, so there it may be a part only. */
static bool
virInterfaceParseVirtualPort(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virInterface *iface = object;

    if (!virXMLFirstChild(node, "virtualport"))
        return true;
    switch ((virInterfaceType)iface->type) {
    case VIR_INTERFACE_NETWORK:
    case VIR_INTERFACE_BRIDGE:
    case VIR_INTERFACE_DIRECT:
    case VIR_INTERFACE_HOSTDEV:
        return virVirtualPortParse(&iface->virtualPort, node,
                                   /* whole: */ iface->type != VIR_INTERFACE_NETWORK, error);
    default:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("<virtualport> element unsupported for <interface type='%s'>"),
                           virInterfaceTypeToString(iface->type));
    }
}

static void
virInterfaceFormatVirtualPort(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virVirtualPortFormat(&((const virInterface *)object)->virtualPort, w);
}

static void
virInterfaceClearVirtualPort(void *object)
{
    virVirtualPortClear(&((virInterface *)object)->virtualPort);
}

static bool
virInterfaceParseBandwidth(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virInterface *iface = object;

    return virBandwidthParse(&iface->bandwidth, node, iface->type == VIR_INTERFACE_NETWORK, error);
}

static void
virInterfaceFormatBandwidth(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virBandwidthFormat(&((const virInterface *)object)->bandwidth, w);
}

static bool
virInterfaceParseIP(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    return virIPInfoParse(&((virInterface *)object)->ip, node, "guest interface", error);
}

static void
virInterfaceFormatIP(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virIPInfoFormat(&((const virInterface *)object)->ip, w);
}

static void
virInterfaceClearIP(void *object)
{
    virIPInfoClear(&((virInterface *)object)->ip);
}

static bool
virInterfaceParseFilter(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virFilterRefParse(&((virInterface *)object)->filter, node);
    return true;
}

static void
virInterfaceFormatFilter(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virFilterRefFormat(&((const virInterface *)object)->filter, w);
}

static void
virInterfaceClearFilter(void *object)
{
    virFilterRefClear(&((virInterface *)object)->filter);
}

/* --- <target> --- */

bool
virInterfaceSharesHostView(const virInterface *iface)
{
    return virInterfaceActualType(iface) == VIR_INTERFACE_DIRECT;
}

bool
virInterfaceNameIsMade(const char *name)
{
    return g_str_has_prefix(name, "vnet") || g_str_has_prefix(name, "macvtap") ||
           g_str_has_prefix(name, "macvlan");
}

static bool
virInterfaceParseTarget(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virInterface *iface = object;
    xmlNode *target = virXMLFirstChild(node, "target");
    const char *managed = virXMLAttrPeek(target, "managed");

    iface->ifname = virXMLAttr(target, "dev");
    if (managed && !g_str_equal(managed, "yes") && !g_str_equal(managed, "no"))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "managed",
                           "target", managed);
    if (managed)
        iface->tapManaged = virTristateFromBool(g_str_equal(managed, "yes"));
    /* the next start chooses again */
    if (iface->ifname && (parseFlags & VIR_PARSE_INACTIVE) &&
        iface->tapManaged != VIR_TRISTATE_NO && virInterfaceNameIsMade(iface->ifname))
        g_clear_pointer(&iface->ifname, g_free);
    return true;
}

static void
virInterfaceFormatTarget(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virInterface *iface = object;

    virXMLWriterOpen(w, "target");
    if (iface->ifname &&
        (iface->tapManaged == VIR_TRISTATE_NO || !(formatFlags & VIR_FORMAT_INACTIVE) ||
         !virInterfaceNameIsMade(iface->ifname)))
        virXMLWriterAttr(w, "dev", iface->ifname);
    if (iface->tapManaged != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "managed", iface->tapManaged == VIR_TRISTATE_YES ? "yes" : "no");
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virInterfaceClearTarget(void *object)
{
    g_clear_pointer(&((virInterface *)object)->ifname, g_free);
}

/* --- <model> --- */

static bool
virInterfaceParseModel(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    virInterface *iface = object;
    g_autofree char *model = virXMLAttr(virXMLFirstChild(node, "model"), "type");

    if (!model)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        if (g_ascii_strcasecmp(models[i], model) == 0) {
            iface->model = g_strdup(models[i]);
            return true;
        }
    }
    if (model[strspn(model, allowed)])
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("Model name contains invalid characters"));
    iface->model = g_steal_pointer(&model);
    return true;
}

static void
virInterfaceFormatModel(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virInterface *iface = object;

    virXMLWriterOpen(w, "model");
    virXMLWriterAttr(w, "type", iface->model);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virInterfaceClearModel(void *object)
{
    g_clear_pointer(&((virInterface *)object)->model, g_free);
}

static bool
virInterfaceSameModel(const void *a, const void *b, GError **error)
{
    const virInterface *was = a;
    const virInterface *is = b;

    if (g_strcmp0(was->model, is->model) == 0)
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target network card model %s does not match source %s"),
                       is->model ? is->model : "<null>", was->model ? was->model : "<null>");
}

/* --- rows --- */

#define DRIVER_ONOFF(path, member) VIR_FIELD_ONOFF(path, virInterface, driver.member)

static const virField tagHolds[] = {
    VIR_HOLDS_UINT("@id"),
    VIR_HOLDS("@nativeMode"),
    VIR_FIELD_END,
};

static const virField vlanHolds[] = {
    VIR_HOLDS_YESNO("@trunk"),
    VIR_HOLDS_ELEMENTS("tag", tagHolds),
    VIR_FIELD_END,
};

static const virField portHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS("parameters@profileid"),
    VIR_HOLDS("parameters@interfaceid"),
    VIR_HOLDS("parameters@instanceid"),
    VIR_HOLDS_NUMBER("parameters@managerid"),
    VIR_HOLDS_NUMBER("parameters@typeid"),
    VIR_HOLDS_NUMBER("parameters@typeidversion"),
    VIR_FIELD_END,
};

static const virField rateHolds[] = {
    VIR_HOLDS_UINT("@average"), VIR_HOLDS_UINT("@peak"), VIR_HOLDS_UINT("@burst"),
    VIR_HOLDS_UINT("@floor"),   VIR_FIELD_END,
};

static const virField bandwidthHolds[] = {
    VIR_FIELD_CODE("inbound", NULL, NULL, .holds = rateHolds),
    VIR_FIELD_CODE("outbound", NULL, NULL, .holds = rateHolds),
    VIR_FIELD_END,
};

static const virField ipHolds[] = {
    VIR_HOLDS("@address"), VIR_HOLDS("@family"), VIR_HOLDS("@peer"),
    VIR_HOLDS("@prefix"),  VIR_FIELD_END,
};

static const virField routeHolds[] = {
    VIR_HOLDS("@address"), VIR_HOLDS("@family"),      VIR_HOLDS("@netmask"),
    VIR_HOLDS("@gateway"), VIR_HOLDS_UINT("@prefix"), VIR_HOLDS_UINT("@metric"),
    VIR_FIELD_END,
};

static const virField parameterHolds[] = {
    VIR_HOLDS("@name"),
    VIR_HOLDS("@value"),
    VIR_FIELD_END,
};

static const virField filterrefHolds[] = {
    VIR_HOLDS("@filter"),
    VIR_HOLDS_ELEMENTS("parameter", parameterHolds),
    VIR_FIELD_END,
};

/* of all types together */
static const virField sourceHolds[] = {
    VIR_HOLDS("@network"),
    VIR_HOLDS("@portgroup"),
    VIR_HOLDS("@portid"),
    VIR_HOLDS("@bridge"),
    VIR_HOLDS("@dev"),
    VIR_HOLDS("@mode"),
    VIR_HOLDS("@address"),
    VIR_HOLDS("@path"),
    VIR_HOLDS("@type"),
    VIR_HOLDS("@name"),
    VIR_HOLDS("@switchid"),
    VIR_HOLDS("local@address"),
    VIR_HOLDS_UINT("@port"),
    VIR_HOLDS_UINT("local@port"),
    VIR_HOLDS_YESNO("reconnect@enabled"),
    VIR_HOLDS_UINT("reconnect@timeout"),
    VIR_FIELD_CODE("address", NULL, NULL),
    VIR_HOLDS_ELEMENTS("ip", ipHolds),
    VIR_HOLDS_ELEMENTS("route", routeHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virInterface, type, virInterfaceTypeNames, .flags = VIR_FIELD_ZERO),
    VIR_FIELD_YESNO("@managed", virInterface, managed),
    VIR_FIELD_YESNO("@trustGuestRxFilters", virInterface, trustGuestRxFilters),
    VIR_FIELD_CODE("mac@address", virInterfaceParseMAC, virInterfaceFormatMAC,
                   .same = virInterfaceSameMAC),
    VIR_FIELD_ENUM("mac@type", virInterface, macType, macTypeNames, .flags = VIR_FIELD_SILENT),
    VIR_FIELD_YESNO("mac@check", virInterface, macCheck, .flags = VIR_FIELD_SILENT),
    VIR_FIELD_CODE("source", virInterfaceSourceParse, virInterfaceSourceFormat,
                   .clear = virInterfaceSourceClear, .holds = sourceHolds),
    VIR_FIELD_CODE("vlan", virInterfaceParseVlan, virInterfaceFormatVlan,
                   .clear = virInterfaceClearVlan, .holds = vlanHolds),
    VIR_FIELD_CODE("virtualport", virInterfaceParseVirtualPort, virInterfaceFormatVirtualPort,
                   .clear = virInterfaceClearVirtualPort, .holds = portHolds),
    VIR_FIELD_CODE("bandwidth", virInterfaceParseBandwidth, virInterfaceFormatBandwidth,
                   .holds = bandwidthHolds),
    VIR_FIELD_YESNO("port@isolated", virInterface, isolated),
    VIR_FIELD_CODE("ip", virInterfaceParseIP, virInterfaceFormatIP, .clear = virInterfaceClearIP,
                   .flags = VIR_FIELD_MANY, .holds = ipHolds),
    VIR_FIELD_CODE("route", NULL, NULL, .flags = VIR_FIELD_MANY, .holds = routeHolds),
    VIR_FIELD_STRING("script@path", virInterface, script),
    VIR_FIELD_STRING("downscript@path", virInterface, downscript),
    VIR_FIELD_STRING("backenddomain@name", virInterface, backendDomain),
    VIR_FIELD_CODE("target@dev", virInterfaceParseTarget, virInterfaceFormatTarget,
                   .clear = virInterfaceClearTarget),
    VIR_FIELD_CODE("target@managed", NULL, NULL),
    VIR_FIELD_STRING("guest@dev", virInterface, guestName),
    VIR_FIELD_STRING("guest@actual", virInterface, guestActual, .flags = VIR_FIELD_LIVE),
    VIR_FIELD_CODE("model@type", virInterfaceParseModel, virInterfaceFormatModel,
                   .clear = virInterfaceClearModel, .same = virInterfaceSameModel),
    VIR_FIELD_ENUM("driver@name", virInterface, driver.name, virInterfaceDriverNameNames),
    VIR_FIELD_ENUM("driver@txmode", virInterface, driver.txMode, txModeNames),
    DRIVER_ONOFF("driver@ioeventfd", ioeventfd),
    DRIVER_ONOFF("driver@event_idx", eventIdx),
    VIR_FIELD_UINT("driver@queues", virInterface, driver.queues, 0, UINT32_MAX),
    VIR_FIELD_UINT("driver@rx_queue_size", virInterface, driver.rxQueueSize, 0, UINT32_MAX),
    VIR_FIELD_UINT("driver@tx_queue_size", virInterface, driver.txQueueSize, 0, UINT32_MAX),
    DRIVER_ONOFF("driver@rss", rss),
    DRIVER_ONOFF("driver@rss_hash_report", rssHashReport),
    VIR_FIELD_MIXIN(virInterface, driver.virtio, virVirtioFields),
    DRIVER_ONOFF("driver/host@csum", host.csum),
    DRIVER_ONOFF("driver/host@gso", host.gso),
    DRIVER_ONOFF("driver/host@tso4", host.tso4),
    DRIVER_ONOFF("driver/host@tso6", host.tso6),
    DRIVER_ONOFF("driver/host@ecn", host.ecn),
    DRIVER_ONOFF("driver/host@ufo", host.ufo),
    DRIVER_ONOFF("driver/host@mrg_rxbuf", host.mrgRxbuf),
    DRIVER_ONOFF("driver/guest@csum", guest.csum),
    DRIVER_ONOFF("driver/guest@tso4", guest.tso4),
    DRIVER_ONOFF("driver/guest@tso6", guest.tso6),
    DRIVER_ONOFF("driver/guest@ecn", guest.ecn),
    DRIVER_ONOFF("driver/guest@ufo", guest.ufo),
    VIR_FIELD_STRING("backend@tap", virInterface, tapPath),
    VIR_FIELD_STRING("backend@vhost", virInterface, vhostPath),
    VIR_FIELD_CODE("filterref", virInterfaceParseFilter, virInterfaceFormatFilter,
                   .clear = virInterfaceClearFilter, .holds = filterrefHolds),
    VIR_FIELD_UINT("tune/sndbuf", virInterface, sndbuf, 0, UINT64_MAX),
    VIR_FIELD_ENUM("teaming@type", virInterface, teaming, virInterfaceTeamingNames),
    VIR_FIELD_STRING("teaming@persistent", virInterface, persistent),
    VIR_FIELD_ENUM("link@state", virInterface, link, linkNames),
    VIR_FIELD_UINT("mtu@size", virInterface, mtu, 0, UINT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("coalesce/rx/frames@max", virInterface, rxFrames, 0, UINT32_MAX),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

/* --- after the rows --- */

static void
virInterfaceDropZero(virOptUInt *number)
{
    if (number->value == 0)
        *number = (virOptUInt){0};
}

static bool
virInterfaceSettleDriver(virInterface *iface, GError **error)
{
    int name = iface->driver.name;

    if (iface->type == VIR_INTERFACE_HOSTDEV) {
        iface->source.hostDriver = name;
        iface->driver = (virInterfaceDriver){0};
        return true;
    }
    if (!virInterfaceIsVirtio(iface)) {
        iface->driver = (virInterfaceDriver){0};
        g_clear_pointer(&iface->vhostPath, g_free);
        return true;
    }
    if (name > VIR_INTERFACE_DRIVER_VHOST)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "name",
                           "driver", virInterfaceDriverNameToString(name));
    if (iface->driver.queues.value <= 1) /* there is always one */
        iface->driver.queues = (virOptUInt){0};
    virInterfaceDropZero(&iface->driver.rxQueueSize);
    virInterfaceDropZero(&iface->driver.txQueueSize);
    return true;
}

static bool
virInterfaceParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virInterface *iface = VIR_INTERFACE(dev);

    if (!virInterfaceSettleDriver(iface, error))
        return false;
    virInterfaceDropZero(&iface->mtu);
    virInterfaceDropZero(&iface->rxFrames);
    if (iface->type == VIR_INTERFACE_VHOSTUSER && !virInterfaceIsVirtio(iface))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("Wrong or no <model> 'type' attribute specified with <interface "
                             "type='vhostuser'/>. vhostuser requires the virtio-net* frontend"));
    return true;
}

/* --- checking --- */

static bool
virInterfaceTeamingCheck(const virInterface *iface, GError **error)
{
    if (iface->teaming == VIR_INTERFACE_TEAMING_TRANSIENT && !iface->persistent)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("teaming persistent attribute must be set if teaming type is 'transient'"));
    if (iface->teaming == VIR_INTERFACE_TEAMING_PERSISTENT && iface->persistent)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("teaming persistent attribute not allowed if teaming type is '%s'"),
                           virInterfaceTeamingToString(iface->teaming));
    return true;
}

static bool
virInterfaceIsolatedCheck(const virInterface *iface, GError **error)
{
    char mac[VIR_MAC_TEXT_SIZE];

    if (iface->isolated != VIR_TRISTATE_YES)
        return true;
    if (iface->type != VIR_INTERFACE_NETWORK && iface->type != VIR_INTERFACE_BRIDGE)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("interface %s - <port isolated='yes'/> is not supported for network interfaces with "
              "type='%s'"),
            virInterfaceMAC(iface, mac), virInterfaceTypeToString(iface->type));
    if (iface->virtualPort.type != VIR_VIRTUALPORT_NONE)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("interface %s - <port isolated='yes'/> is not supported for network interfaces with "
              "virtualport type='%s'"),
            virInterfaceMAC(iface, mac), virVirtualPortTypeToString(iface->virtualPort.type));
    return true;
}

static bool
virInterfaceCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virInterface *iface = VIR_INTERFACE(dev);

    if (iface->type != VIR_INTERFACE_ETHERNET && !virIPInfoIsEmpty(&iface->source.ip))
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("Invalid attempt to set network interface host-side IP route and/or address info on "
              "interface of type '%s'. This is only supported on interfaces of type 'ethernet'"),
            virInterfaceTypeToString(iface->type));
    if (iface->tapManaged == VIR_TRISTATE_NO && iface->type != VIR_INTERFACE_ETHERNET)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unmanaged target dev is not supported on interfaces of type '%s'"),
                           virInterfaceTypeToString(iface->type));
    return virInterfaceTeamingCheck(iface, error) && virInterfaceIsolatedCheck(iface, error);
}

/* By address of the card; where that leaves a choice, its place and its alias decide. */
static bool
virInterfaceMatches(const virDevice *dev, const virDevice *wanted)
{
    const virInterface *is = VIR_INTERFACE(dev);
    const virInterface *want = VIR_INTERFACE(wanted);
    const virDeviceInfo *where = &wanted->info;

    if (!want->macGenerated && memcmp(is->mac, want->mac, VIR_MAC_SIZE) != 0)
        return false;
    if (virAddressIsSetPCI(&where->address) &&
        !virAddressEqual(&where->address, &dev->info.address))
        return false;
    return !where->alias || !dev->info.alias || g_str_equal(where->alias, dev->info.alias);
}

/* Models of cards that were never made for PCI Express. What is not known goes where a machine has
 * room for it. */
static bool
virInterfaceIsConventional(const virInterface *iface)
{
    static const char *const models[] = {
        "rtl8139", "e1000",   "vmxnet3",   "netfront", "lan9118", "scm91c111", "vlance",
        "vmxnet",  "vmxnet2", "Am79C970A", "82540EM",  "82545EM", "82543GC",   NULL,
    };

    return iface->model && g_strv_contains(models, iface->model);
}

static unsigned
virInterfacePCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    const virInterface *iface = VIR_INTERFACE(dev);
    unsigned pci = VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;

    if (g_strcmp0(iface->model, "usb-net") == 0 && iface->type != VIR_INTERFACE_HOSTDEV)
        return 0;
    if (iface->type != VIR_INTERFACE_HOSTDEV && virInterfaceIsVirtio(iface))
        return virVirtioPCIConnect(facts, virInterfaceVariant(iface));
    if (facts->q35 && (iface->type == VIR_INTERFACE_HOSTDEV || !virInterfaceIsConventional(iface)))
        return VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
    return pci;
}

static bool
virInterfaceOnUSB(const virDevice *dev)
{
    return g_strcmp0(VIR_INTERFACE(dev)->model, "usb-net") == 0;
}

static virBootsAs
virInterfaceBootsAs(const virDevice *dev)
{
    return VIR_BOOTS_NETWORK;
}

/* One more than the highest number that any device has behind prefix. */
static unsigned
virInterfaceNextNumber(const GPtrArray *devices, const char *prefix)
{
    unsigned next = 0;

    for (guint i = 0; i < devices->len; i++) {
        const char *alias = ((virDevice *)g_ptr_array_index(devices, i))->info.alias;
        uint64_t number;

        if (alias && g_str_has_prefix(alias, prefix) &&
            virStringToUInt(alias + strlen(prefix), UINT32_MAX - 1, &number))
            next = MAX(next, (unsigned)number + 1);
    }
    return next;
}

/* A host device is one, whatever element it stands in. */
static char *
virInterfaceAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    const char *prefix = VIR_INTERFACE(dev)->type == VIR_INTERFACE_HOSTDEV ? "hostdev" : "net";

    return g_strdup_printf("%s%u", prefix, virInterfaceNextNumber(facts->devices, prefix));
}

static char *
virInterfaceLabel(const virDevice *dev)
{
    const virAddress *address = &dev->info.address;
    g_autofree char *pci =
        virAddressIsSetPCI(address) ? virPCIAddressToString(&address->pci) : NULL;
    char mac[VIR_MAC_TEXT_SIZE];

    return g_strdup_printf("address '%s' matching MAC address '%s' and alias '%s'",
                           pci ? pci : "(<null>)", virInterfaceMAC(VIR_INTERFACE(dev), mac),
                           dev->info.alias ? dev->info.alias : "(<null>)");
}

const virDeviceKind virInterfaceKind = {
    .element = "interface",
    .noun = "interface",
    .size = sizeof(virInterface),
    .fields = fields,
    .parse = virInterfaceParse,
    .check = virInterfaceCheck,
    .matches = virInterfaceMatches,
    .pciConnect = virInterfacePCIConnect,
    .onUSB = virInterfaceOnUSB,
    .bootsAs = virInterfaceBootsAs,
    .alias = virInterfaceAlias,
    .live = {VIR_DEVICE_COMES_AND_GOES | VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
             N_("no device found at %s")},
    .stored = {VIR_DEVICE_COMES_AND_GOES | VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
               N_("no device found at %s")},
    .label = virInterfaceLabel,
    .onlyOneMatches = true,
};

/* --- questions --- */

bool
virInterfaceIsVirtio(const virInterface *iface)
{
    return iface->model && (g_str_equal(iface->model, "virtio") ||
                            g_str_equal(iface->model, "virtio-transitional") ||
                            g_str_equal(iface->model, "virtio-non-transitional"));
}

virVirtioModel
virInterfaceVariant(const virInterface *iface)
{
    if (g_strcmp0(iface->model, "virtio-transitional") == 0)
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    if (g_strcmp0(iface->model, "virtio-non-transitional") == 0)
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    return VIR_VIRTIO_MODEL_DEFAULT;
}

virInterfaceType
virInterfaceActualType(const virInterface *iface)
{
    if (iface->type == VIR_INTERFACE_NETWORK && iface->source.actual)
        return (virInterfaceType)iface->source.actual->type;
    return (virInterfaceType)iface->type;
}
