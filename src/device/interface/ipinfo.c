/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ipinfo.c: see ipinfo.h. */
#include "device/interface/ipinfo.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "util/virerror.h"
#include "util/virscale.h"
#include "util/virutil.h"

/* The address as everybody writes it, or NULL. */
static char *
virIPNormal(const char *text, int family)
{
    unsigned char binary[sizeof(struct in6_addr)];
    char plain[INET6_ADDRSTRLEN];

    if (!text || inet_pton(family, text, binary) != 1 ||
        !inet_ntop(family, binary, plain, sizeof(plain)))
        return NULL;
    return g_strdup(plain);
}

/* AF_UNSPEC: what the text looks like. */
static int
virIPFamily(const char *family, const char *text)
{
    if (g_strcmp0(family, "ipv4") == 0)
        return AF_INET;
    if (g_strcmp0(family, "ipv6") == 0)
        return AF_INET6;
    return text && strchr(text, ':') ? AF_INET6 : AF_INET;
}

static bool
virIPParsePrefix(const xmlNode *node, const char *where, unsigned *ret, bool *retSet,
                 GError **error)
{
    g_autofree char *text = virXMLAttr(node, "prefix");
    uint64_t value = 0;

    *retSet = text != NULL;
    if (text && !virStringToUInt(text, 128, &value))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid prefix value '%s' in %s"), text,
                           where);
    *ret = (unsigned)value;
    return true;
}

static void
virIPAddressFree(void *opaque)
{
    virIPAddress *ip = opaque;

    g_free(ip->address);
    g_free(ip->peer);
    g_free(ip);
}

static bool
virIPAddressParse(virIPAddress *ip, const xmlNode *node, GError **error)
{
    g_autofree char *address = virXMLAttr(node, "address");
    g_autofree char *family = virXMLAttr(node, "family");
    g_autofree char *peer = virXMLAttr(node, "peer");
    bool set;

    if (!address)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Missing required address in <ip>"));
    ip->family = virIPFamily(family, address);
    ip->address = virIPNormal(address, ip->family);
    if (!ip->address)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid address '%s' in <ip>"), address);
    if (peer && !(ip->peer = virIPNormal(peer, ip->family)))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid peer '%s' in <ip>"), peer);
    return virIPParsePrefix(node, "<ip>", &ip->prefix, &set, error);
}

static void
virIPRouteFree(void *opaque)
{
    virIPRoute *route = opaque;

    g_free(route->family);
    g_free(route->address);
    g_free(route->netmask);
    g_free(route->gateway);
    g_free(route);
}

static bool
virIPRouteParsePart(char **ret, const xmlNode *node, const char *name, int family,
                    const char *where, GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);

    if (text && !(*ret = virIPNormal(text, family)))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("%s: Bad network %s '%s' in route definition"), where, name, text);
    return true;
}

static bool
virIPRouteParse(virIPRoute *route, const xmlNode *node, const char *where, GError **error)
{
    g_autofree char *address = virXMLAttr(node, "address");
    g_autofree char *metric = virXMLAttr(node, "metric");
    g_autofree char *place = g_strdup_printf("%s route", where);
    uint64_t value = 0;
    int family;

    if (!address)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("%s: Missing required address attribute in route definition"), where);
    route->family = virXMLAttr(node, "family");
    family = virIPFamily(route->family, address);
    if (!virIPRouteParsePart(&route->address, node, "address", family, where, error) ||
        !virIPRouteParsePart(&route->netmask, node, "netmask", family, where, error) ||
        !virIPRouteParsePart(&route->gateway, node, "gateway", family, where, error) ||
        !virIPParsePrefix(node, place, &route->prefix, &route->hasPrefix, error))
        return false;
    if (!route->gateway)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("%s: Missing required gateway attribute in route definition"), where);
    if (metric && (!virStringToUInt(metric, UINT32_MAX, &value) || value == 0))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("%s: Invalid metric value '%s' specified in route definition"), where,
                           metric);
    route->metric = (unsigned)value;
    return true;
}

bool
virIPInfoParse(virIPInfo *info, const xmlNode *node, const char *where, GError **error)
{
    virXMLForEachChildNamed (node, child, "ip") {
        virIPAddress *ip = g_new0(virIPAddress, 1);

        if (!info->addresses)
            info->addresses = g_ptr_array_new_with_free_func(virIPAddressFree);
        g_ptr_array_add(info->addresses, ip);
        if (!virIPAddressParse(ip, child, error))
            return false;
    }
    virXMLForEachChildNamed (node, child, "route") {
        virIPRoute *route = g_new0(virIPRoute, 1);

        if (!info->routes)
            info->routes = g_ptr_array_new_with_free_func(virIPRouteFree);
        g_ptr_array_add(info->routes, route);
        if (!virIPRouteParse(route, child, where, error))
            return false;
    }
    return true;
}

static void
virIPAddressFormat(const virIPAddress *ip, virXMLWriter *w)
{
    virXMLWriterOpen(w, "ip");
    virXMLWriterAttr(w, "address", ip->address);
    virXMLWriterAttr(w, "family", ip->family == AF_INET6 ? "ipv6" : "ipv4");
    if (ip->prefix)
        virXMLWriterAttrF(w, "prefix", "%u", ip->prefix);
    virXMLWriterAttr(w, "peer", ip->peer);
    virXMLWriterClose(w);
}

static void
virIPRouteFormat(const virIPRoute *route, virXMLWriter *w)
{
    virXMLWriterOpen(w, "route");
    virXMLWriterAttr(w, "family", route->family);
    virXMLWriterAttr(w, "address", route->address);
    virXMLWriterAttr(w, "netmask", route->netmask);
    if (route->hasPrefix)
        virXMLWriterAttrF(w, "prefix", "%u", route->prefix);
    virXMLWriterAttr(w, "gateway", route->gateway);
    if (route->metric)
        virXMLWriterAttrF(w, "metric", "%u", route->metric);
    virXMLWriterClose(w);
}

void
virIPInfoFormat(const virIPInfo *info, virXMLWriter *w)
{
    for (guint i = 0; info->addresses && i < info->addresses->len; i++)
        virIPAddressFormat(g_ptr_array_index(info->addresses, i), w);
    for (guint i = 0; info->routes && i < info->routes->len; i++)
        virIPRouteFormat(g_ptr_array_index(info->routes, i), w);
}

void
virIPInfoClear(virIPInfo *info)
{
    g_clear_pointer(&info->addresses, g_ptr_array_unref);
    g_clear_pointer(&info->routes, g_ptr_array_unref);
}

bool
virIPInfoIsEmpty(const virIPInfo *info)
{
    return (!info->addresses || info->addresses->len == 0) &&
           (!info->routes || info->routes->len == 0);
}
