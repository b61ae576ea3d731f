/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_network.c: which addresses a guest has, as leases, its agent or the host's neighbours
 * tell.
 */
#include <string.h>

#include "api/domain.h"
#include "api/guestagent.h"
#include "api/handlers.gen.h"
#include "device/interface/interface.h"
#include "host/neighbours.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_*, VIR_IP_ADDR_TYPE_* */
enum { SOURCE_LEASE = 0, SOURCE_AGENT, SOURCE_ARP };
enum { ADDRESS_IPV4 = 0, ADDRESS_IPV6 };

/* --- of the agent --- */

static void
virApiAddressesOfAgentOne(virApiCall *call, virJSON *told, remote_domain_interface *ret)
{
    virJSON *addresses = virJSONGetArray(told, "ip-addresses");
    const char *name = virJSONGetString(told, "name");

    ret->name = virApiStrdup(call, name ? name : "");
    ret->hwaddr = virApiStrdup(call, virJSONGetString(told, "hardware-address"));
    ret->addrs_val = virApiNew(call, remote_domain_ip_addr, virJSONLength(addresses));
    for (size_t i = 0; i < virJSONLength(addresses) && ret->addrs_len < REMOTE_DOMAIN_IP_ADDR_MAX;
         i++) {
        virJSON *address = virJSONAt(addresses, i);
        remote_domain_ip_addr *one = &ret->addrs_val[ret->addrs_len];
        const char *type = virJSONGetString(address, "ip-address-type");
        uint64_t prefix;

        if (!virJSONGetString(address, "ip-address") || !virJSONGetUInt(address, "prefix", &prefix))
            continue;
        one->addr = virApiStrdup(call, virJSONGetString(address, "ip-address"));
        one->type = g_strcmp0(type, "ipv6") == 0 ? ADDRESS_IPV6 : ADDRESS_IPV4;
        one->prefix = (uint32_t)prefix;
        ret->addrs_len++;
    }
}

static bool
virApiAddressesOfAgent(virApiCall *call, const remote_nonnull_domain *dom,
                       remote_domain_interface_addresses_ret *ret, GError **error)
{
    g_autoptr(virJSON) list = NULL;

    if (!virApiAgentAsk(call, dom, "guest-network-get-interfaces", NULL, &list, error))
        return false;
    ret->ifaces_len = (uint32_t)MIN(virJSONLength(list), REMOTE_DOMAIN_INTERFACE_MAX);
    ret->ifaces_val = virApiNew(call, remote_domain_interface, ret->ifaces_len);
    for (uint32_t i = 0; i < ret->ifaces_len; i++)
        virApiAddressesOfAgentOne(call, virJSONAt(list, i), &ret->ifaces_val[i]);
    return true;
}

/* --- of the host's neighbours --- */

/* An interface that has neighbours' entries; nothing is added for one that has none. */
static void
virApiAddressesOfNeighbours(virApiCall *call, const GArray *neighbours, const virInterface *iface,
                            remote_domain_interface_addresses_ret *ret)
{
    remote_domain_interface *one = &ret->ifaces_val[ret->ifaces_len];
    const uint8_t *mac = iface->mac;
    g_autofree char *text = NULL;

    one->addrs_val = virApiNew(call, remote_domain_ip_addr, neighbours->len);
    for (guint i = 0; i < neighbours->len && one->addrs_len < REMOTE_DOMAIN_IP_ADDR_MAX; i++) {
        const virHostNeighbour *neighbour = &g_array_index(neighbours, virHostNeighbour, i);

        if (memcmp(neighbour->mac, iface->mac, sizeof(neighbour->mac)) == 0)
            one->addrs_val[one->addrs_len++] =
                (remote_domain_ip_addr){ADDRESS_IPV4, virApiStrdup(call, neighbour->address), 0};
    }
    if (one->addrs_len == 0)
        return;
    one->name = virApiStrdup(call, iface->ifname ? iface->ifname : "");
    text = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                           mac[5]);
    one->hwaddr = virApiStrdup(call, text);
    ret->ifaces_len++;
}

/* --- all --- */

bool
virApiDomainInterfaceAddresses(virApiCall *call, const remote_domain_interface_addresses_args *args,
                               remote_domain_interface_addresses_ret *ret, GError **error)
{
    g_autoptr(virDomainDoc) doc = NULL;
    g_autoptr(GArray) neighbours = NULL;
    const GPtrArray *devices;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
            return false;
        doc = virDomainDocRef(virDomainObjDoc(obj));
    }
    switch (args->source) {
    case SOURCE_LEASE:
        return true; /* networks and their leases are another daemon's */
    case SOURCE_AGENT:
        return virApiAddressesOfAgent(call, &args->dom, ret, error);
    case SOURCE_ARP:
        break;
    default:
        return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                           _("Unknown IP address data source %u"), args->source);
    }
    if (!(neighbours = virHostNeighboursRead(NULL, error)))
        return false;
    devices = virDomainDocDef(doc)->devices;
    ret->ifaces_val = virApiNew(call, remote_domain_interface, devices->len);
    for (guint i = 0; i < devices->len && ret->ifaces_len < REMOTE_DOMAIN_INTERFACE_MAX; i++) {
        const virDevice *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &virInterfaceKind)
            virApiAddressesOfNeighbours(call, neighbours, VIR_INTERFACE(dev), ret);
    }
    return true;
}
