/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * netdev_qemu.c: see netdev_qemu.h. */
#include "device/interface/netdev_qemu.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "device/common/chrsource_qemu.h"
#include "util/virerror.h"

static unsigned
qemuNetdevQueues(const virInterface *iface)
{
    return iface->driver.queues.set ? (unsigned)iface->driver.queues.value : 1;
}

/* --- TAP --- */

/* "fd" names one descriptor, "fds" several. */
static void
qemuNetdevAddFds(qmpPlan *plan, unsigned host, unsigned count, const char *one, const char *several,
                 virJSON *props)
{
    g_autofree char *tokens = qmpPlanFdTokens(plan, host);

    virJSONAddString(props, count == 1 ? one : several, tokens);
}

static bool
qemuNetdevUsesVhost(const virInterface *iface, const qemuBuildContext *ctx, bool *ret,
                    GError **error)
{
    bool asked = iface->driver.name == VIR_INTERFACE_DRIVER_VHOST;

    *ret = false;
    if (!virInterfaceIsVirtio(iface) || iface->driver.name == VIR_INTERFACE_DRIVER_QEMU)
        return true;
    *ret = ctx->config->vhostNet;
    if (asked && !*ret)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vhost-net was requested for an interface, but is unavailable"));
    return true;
}

static qmpHostRate
qemuNetdevRate(const virBandwidthRate *rate)
{
    return (qmpHostRate){rate->average, rate->peak, rate->burst};
}

static unsigned
qemuNetdevPlanTap(const virInterface *iface, qmpPlan *plan)
{
    char mac[VIR_MAC_TEXT_SIZE];
    bool bridged = iface->type == VIR_INTERFACE_BRIDGE;
    bool direct = iface->type == VIR_INTERFACE_DIRECT;
    bool unmanaged = iface->tapManaged == VIR_TRISTATE_NO;
    const virBandwidth *limits = &iface->bandwidth;
    bool shared = virInterfaceSharesHostView(iface); /* else it sends what the guest receives */
    qmpHostStep tap = {
        .type = QMP_HOST_TAP,
        .path = iface->tapPath,
        .ifname = iface->ifname,
        .bridge = bridged ? iface->source.bridge : NULL,
        .parent = direct ? iface->source.dev : NULL,
        .mode = iface->source.mode,
        .mac = virInterfaceMAC(iface, mac),
        .queues = qemuNetdevQueues(iface),
        .vnetHdr = virInterfaceIsVirtio(iface),
        .allowExisting = unmanaged,
        .unmanaged = unmanaged,
        .mtu = (unsigned)iface->mtu.value,
        .sent = qemuNetdevRate(shared ? &limits->outbound : &limits->inbound),
        .received = qemuNetdevRate(shared ? &limits->inbound : &limits->outbound),
        .fds = qemuNetdevQueues(iface),
        .alias = iface->base.info.alias,
        .script = iface->script,
        .downscript = iface->downscript,
    };

    return qmpPlanHost(plan, &tap);
}

/* What would have to be done to the host's end and nobody does here: better no guest than one whose
 * traffic is neither filtered nor shaped as the document says. */
static bool
qemuNetdevTapCheck(const virInterface *iface, GError **error)
{
    const char *what = NULL;

    if (iface->bandwidth.inbound.floor)
        what = "bandwidth/inbound/floor";
    else if (iface->filter.filter)
        what = "filterref";
    else if (iface->rxFrames.set)
        what = "coalesce";
    else if (!virIPInfoIsEmpty(&iface->source.ip))
        what = "source/ip";
    else if (iface->isolated == VIR_TRISTATE_YES)
        what = "port";
    else if (iface->type == VIR_INTERFACE_DIRECT && iface->trustGuestRxFilters == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("trustGuestRxFilters of interface '%s' is not supported: nothing here "
                             "follows the guest's filters"),
                           iface->base.info.alias);
    else if (iface->virtualPort.type != VIR_VIRTUALPORT_NONE)
        what = "virtualport";
    if (what)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("<%s> of interface '%s' is not supported: nothing here applies it to "
                             "the host's end"),
                           what, iface->base.info.alias);
    return true;
}

static bool
qemuNetdevBuildTap(const virInterface *iface, const qemuBuildContext *ctx, qmpPlan *plan,
                   virJSON *props, GError **error)
{
    unsigned queues = qemuNetdevQueues(iface);
    bool vhost;

    if (!qemuNetdevTapCheck(iface, error) || !qemuNetdevUsesVhost(iface, ctx, &vhost, error))
        return false;
    virJSONAddString(props, "type", "tap");
    qemuNetdevAddFds(plan, qemuNetdevPlanTap(iface, plan), queues, "fd", "fds", props);
    virJSONAddStringF(props, "id", "host%s", iface->base.info.alias);
    if (vhost) {
        qmpHostStep net = {.type = QMP_HOST_VHOST_NET,
                           .path = iface->vhostPath,
                           .alias = iface->base.info.alias,
                           .fds = queues};

        virJSONAddBool(props, "vhost", true);
        qemuNetdevAddFds(plan, qmpPlanHost(plan, &net), queues, "vhostfd", "vhostfds", props);
    }
    if (iface->sndbuf.set)
        virJSONAddUInt(props, "sndbuf", iface->sndbuf.value);
    return true;
}

/* --- the others --- */

static void
qemuNetdevAddUserAddresses(const virInterface *iface, virJSON *props)
{
    const GPtrArray *addresses = iface->ip.addresses;

    for (guint i = 0; addresses && i < addresses->len; i++) {
        const virIPAddress *ip = g_ptr_array_index(addresses, i);

        if (ip->family == AF_INET6) {
            virJSONAddString(props, "ipv6-prefix", ip->address);
            virJSONAddPositive(props, "ipv6-prefixlen", ip->prefix);
        } else if (ip->prefix) {
            virJSONAddStringF(props, "net", "%s/%u", ip->address, ip->prefix);
        } else {
            virJSONAddString(props, "net", ip->address);
        }
    }
}

static void
qemuNetdevAddSocket(const virInterface *iface, virJSON *props)
{
    static const char *const members[] = {
        [VIR_INTERFACE_SERVER] = "listen",
        [VIR_INTERFACE_CLIENT] = "connect",
        [VIR_INTERFACE_MCAST] = "mcast",
        [VIR_INTERFACE_UDP] = "udp",
    };
    const virInterfaceSource *source = &iface->source;

    virJSONAddString(props, "type", "socket");
    virJSONAddStringF(props, members[iface->type], "%s:%u", source->address ? source->address : "",
                      source->port);
    if (iface->type == VIR_INTERFACE_UDP)
        virJSONAddStringF(props, "localaddr", "%s:%u", source->localAddress, source->localPort);
}

static bool
qemuNetdevBuildVhostUser(const virInterface *iface, const qemuBuildContext *ctx, qmpPlan *plan,
                         virJSON *props, GError **error)
{
    g_autofree char *chardev = qemuChrId(&iface->base);

    if (!qemuChrSourceBuild(iface->source.server, &iface->base, chardev, NULL, QEMU_CHR_WAIT, ctx,
                            plan, error))
        return false;
    virJSONAddString(props, "type", "vhost-user");
    virJSONAddString(props, "chardev", chardev);
    if (iface->driver.queues.set)
        virJSONAddUInt(props, "queues", iface->driver.queues.value);
    return true;
}

static void
qemuNetdevAddVdpa(const virInterface *iface, qmpPlan *plan, virJSON *props)
{
    qmpHostStep open = {.type = QMP_HOST_OPEN,
                        .path = iface->source.dev,
                        .flags = O_RDWR,
                        .alias = iface->base.info.alias,
                        .fds = 1,
                        .pass = true,
                        .tellPath = true};
    g_autofree char *set = qmpPlanFdToken(plan, qmpPlanHost(plan, &open), 0);

    virJSONAddString(props, "type", "vhost-vdpa");
    virJSONAddString(props, "vhostdev", set);
}

static bool
qemuNetdevRefuse(const virInterface *iface, GError **error)
{
    switch ((virInterfaceType)iface->type) {
    case VIR_INTERFACE_NETWORK:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("network driver not available for network '%s': use type='bridge'"),
                           iface->source.network);
    default:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("network device type '%s' is not supported by this hypervisor"),
                           virInterfaceTypeToString(iface->type));
    }
}

bool
qemuNetdevBuild(const virInterface *iface, const qemuBuildContext *ctx, qmpPlan *plan,
                GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();

    switch ((virInterfaceType)iface->type) {
    case VIR_INTERFACE_BRIDGE:
    case VIR_INTERFACE_ETHERNET:
    case VIR_INTERFACE_DIRECT:
        if (!qemuNetdevBuildTap(iface, ctx, plan, props, error))
            return false;
        break;
    case VIR_INTERFACE_USER:
        virJSONAddString(props, "type", "user");
        qemuNetdevAddUserAddresses(iface, props);
        break;
    case VIR_INTERFACE_SERVER:
    case VIR_INTERFACE_CLIENT:
    case VIR_INTERFACE_MCAST:
    case VIR_INTERFACE_UDP:
        qemuNetdevAddSocket(iface, props);
        break;
    case VIR_INTERFACE_VHOSTUSER:
        if (!qemuNetdevBuildVhostUser(iface, ctx, plan, props, error))
            return false;
        break;
    case VIR_INTERFACE_VDPA:
        qemuNetdevAddVdpa(iface, plan, props);
        break;
    default:
        return qemuNetdevRefuse(iface, error);
    }
    if (!virJSONGet(props, "id"))
        virJSONAddStringF(props, "id", "host%s", iface->base.info.alias);
    qmpPlanNetdev(plan, g_steal_pointer(&props));
    return true;
}
