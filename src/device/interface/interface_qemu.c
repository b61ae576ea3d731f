/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * interface_qemu.c: <interface> for QEMU: the network card; its back end is netdev_qemu.c. */
#include "device/interface/interface_qemu.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "device/common/virtio_qemu.h"
#include "device/interface/ifupdate_qemu.h"
#include "device/interface/interface.h"
#include "device/interface/netdev_qemu.h"
#include "util/virerror.h"

/* --- defaults --- */

/* The card that most guests know, of those that this QEMU has. */
static const char *
qemuInterfaceDefaultModel(const qmpCaps *caps)
{
    if (qmpCapsHas(caps, QMP_CAPS_RTL8139))
        return "rtl8139";
    if (qmpCapsHas(caps, QMP_CAPS_E1000))
        return "e1000";
    if (qmpCapsHas(caps, QMP_CAPS_VIRTIO_NET))
        return "virtio";
    return "rtl8139";
}

static bool
qemuInterfaceComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                      unsigned parseFlags, GError **error)
{
    virInterface *iface = VIR_INTERFACE(dev);

    if (iface->model || iface->type == VIR_INTERFACE_HOSTDEV)
        return true;
    if (iface->type == VIR_INTERFACE_VDPA)
        iface->model = g_strdup("virtio");
    else if (caps)
        iface->model = g_strdup(qemuInterfaceDefaultModel(caps));
    return true;
}

/* --- checking --- */

static bool
qemuInterfaceRefuse(const char *text, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

static bool
qemuInterfaceUserIPCheck(const virInterface *iface, GError **error)
{
    const GPtrArray *addresses = iface->ip.addresses;
    bool v4 = false;
    bool v6 = false;

    if (iface->ip.routes && iface->ip.routes->len > 0)
        return qemuInterfaceRefuse(_("Invalid attempt to set network interface guest-side IP "
                                     "route, not supported by QEMU"),
                                   error);
    for (guint i = 0; addresses && i < addresses->len; i++) {
        const virIPAddress *ip = g_ptr_array_index(addresses, i);

        if (ip->peer)
            return qemuInterfaceRefuse(_("Invalid attempt to set peer IP for guest"), error);
        if (ip->family == AF_INET) {
            if (v4)
                return qemuInterfaceRefuse(_("Only one IPv4 address per interface is allowed"),
                                           error);
            v4 = true;
            if (ip->prefix > 0 && (ip->prefix < 4 || ip->prefix > 27))
                return qemuInterfaceRefuse(_("invalid prefix, must be in range of 4-27"), error);
        } else {
            if (v6)
                return qemuInterfaceRefuse(_("Only one IPv6 address per interface is allowed"),
                                           error);
            v6 = true;
            if (ip->prefix > 120)
                return qemuInterfaceRefuse(_("prefix too long"), error);
        }
    }
    return true;
}

static bool
qemuInterfaceIPCheck(const virInterface *iface, GError **error)
{
    if (iface->type == VIR_INTERFACE_USER)
        return qemuInterfaceUserIPCheck(iface, error);
    if (!virIPInfoIsEmpty(&iface->ip))
        return qemuInterfaceRefuse(_("Invalid attempt to set network interface guest-side IP route "
                                     "and/or address info, not supported by QEMU"),
                                   error);
    return true;
}

static bool
qemuInterfaceVirtioCheck(const virInterface *iface, const qmpCaps *caps, GError **error)
{
    const virInterfaceDriver *driver = &iface->driver;
    uint64_t rx = driver->rxQueueSize.value;
    uint64_t tx = driver->txQueueSize.value;

    if (!virInterfaceIsVirtio(iface))
        return true;
    if (rx && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_NET_RX_QUEUE_SIZE))
        return qemuInterfaceRefuse(
            _("virtio rx_queue_size option is not supported with this QEMU binary"), error);
    if (rx & (rx - 1))
        return qemuInterfaceRefuse(_("rx_queue_size has to be a power of two"), error);
    if (tx && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_NET_TX_QUEUE_SIZE))
        return qemuInterfaceRefuse(
            _("virtio tx_queue_size option is not supported with this QEMU binary"), error);
    if (tx & (tx - 1))
        return qemuInterfaceRefuse(_("tx_queue_size has to be a power of two"), error);
    if (iface->mtu.set && !qmpCapsHas(caps, QMP_CAPS_VIRTIO_NET_HOST_MTU))
        return qemuInterfaceRefuse(_("setting MTU is not supported with this QEMU binary"), error);
    return qemuVirtioCheck(&driver->virtio, caps, error);
}

/* Whether the host's end is a network device whose MTU, interrupts … can be set. */
static bool
qemuInterfaceHasHostEnd(const virInterface *iface)
{
    switch ((virInterfaceType)iface->type) {
    case VIR_INTERFACE_NETWORK:
    case VIR_INTERFACE_BRIDGE:
    case VIR_INTERFACE_ETHERNET:
    case VIR_INTERFACE_DIRECT:
        return true;
    default:
        return false;
    }
}

static bool
qemuInterfaceTeamingCheck(const virInterface *iface, const qmpCaps *caps, GError **error)
{
    if (iface->teaming == VIR_INTERFACE_TEAMING_NONE)
        return true;
    if (!qmpCapsHas(caps, QMP_CAPS_VIRTIO_NET_FAILOVER))
        return qemuInterfaceRefuse(
            _("virtio-net failover (teaming) is not supported with this QEMU binary"), error);
    if (iface->teaming == VIR_INTERFACE_TEAMING_PERSISTENT && !virInterfaceIsVirtio(iface))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("virtio-net teaming persistent interface must be <model "
                             "type='virtio'/>, not '%s'"),
                           iface->model ? iface->model : "");
    /* a network may turn out to be a pool of host devices */
    if (iface->teaming == VIR_INTERFACE_TEAMING_TRANSIENT && iface->type != VIR_INTERFACE_HOSTDEV &&
        iface->type != VIR_INTERFACE_NETWORK)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("virtio-net teaming transient interface must be type='hostdev', not '%s'"),
            virInterfaceTypeToString(iface->type));
    return true;
}

static bool
qemuInterfaceCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                   GError **error)
{
    const virInterface *iface = VIR_INTERFACE(dev);

    if (!qemuInterfaceIPCheck(iface, error))
        return false;
    if (iface->type == VIR_INTERFACE_VDPA && !qmpCapsHas(caps, QMP_CAPS_NETDEV_VHOST_VDPA))
        return qemuInterfaceRefuse(_("vDPA devices are not supported with this QEMU binary"),
                                   error);
    if (iface->type == VIR_INTERFACE_VDPA && !virInterfaceIsVirtio(iface))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("invalid model for interface of type '%s': '%s'"),
                           virInterfaceTypeToString(iface->type), iface->model);
    if (!qemuInterfaceVirtioCheck(iface, caps, error))
        return false;
    if (iface->mtu.set && !qemuInterfaceHasHostEnd(iface))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("setting MTU on interface type %s is not supported yet"),
                           virInterfaceTypeToString(iface->type));
    if (iface->rxFrames.set && !qemuInterfaceHasHostEnd(iface))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("coalesce settings on interface type %s are not supported"),
                           virInterfaceTypeToString(iface->type));
    return qemuInterfaceTeamingCheck(iface, caps, error);
}

/* What only the type that it turned out to be at start decides. */
static bool
qemuInterfaceStartCheck(const virInterface *iface, GError **error)
{
    virInterfaceType type = virInterfaceActualType(iface);
    const char *name = virInterfaceTypeToString((int)type);
    bool tap = type == VIR_INTERFACE_NETWORK || type == VIR_INTERFACE_BRIDGE ||
               type == VIR_INTERFACE_ETHERNET;
    char mac[VIR_MAC_TEXT_SIZE];

    (void)virInterfaceMAC(iface, mac);
    if (iface->tapPath && !tap)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("interface %s - custom tap device path is not supported for network "
                             "interfaces of type %s"),
                           mac, name);
    if (iface->filter.filter && !tap)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("interface %s - filterref is not supported for network interfaces of type %s"), mac,
            name);
    if (iface->driver.queues.set && !tap && type != VIR_INTERFACE_DIRECT &&
        type != VIR_INTERFACE_VHOSTUSER)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("interface %s - multiqueue is not supported for network interfaces of type %s"), mac,
            name);
    if (iface->script && type != VIR_INTERFACE_ETHERNET)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("scripts are not supported on interfaces of type %s"), name);
    if (iface->vlan.tags && type != VIR_INTERFACE_HOSTDEV &&
        iface->virtualPort.type != VIR_VIRTUALPORT_OPENVSWITCH)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("interface %s - vlan tag not supported for this connection type"),
                           mac);
    if (virBandwidthIsSet(&iface->bandwidth) && type == VIR_INTERFACE_HOSTDEV)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("interface %s - bandwidth settings are not supported for hostdev interfaces"), mac);
    return true;
}

static void
qemuInterfaceTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virInterface *iface = VIR_INTERFACE(dev);

    /* TAPs, vhost-net and vDPA nodes come as open descriptors, which need no rule */
    if (iface->type == VIR_INTERFACE_VHOSTUSER) {
        virHostResource *socket =
            virHostAccessAdd(out, dev, iface->source.server->path, VIR_HOST_READ | VIR_HOST_WRITE);

        socket->own = true;
        socket->optional = true;
    }
}

/* --- the card --- */

static void
qemuInterfaceAddOffloads(const virInterfaceDriver *driver, virJSON *props)
{
    virJSONAddTristate(props, "csum", driver->host.csum);
    virJSONAddTristate(props, "gso", driver->host.gso);
    virJSONAddTristate(props, "host_tso4", driver->host.tso4);
    virJSONAddTristate(props, "host_tso6", driver->host.tso6);
    virJSONAddTristate(props, "host_ecn", driver->host.ecn);
    virJSONAddTristate(props, "host_ufo", driver->host.ufo);
    virJSONAddTristate(props, "mrg_rxbuf", driver->host.mrgRxbuf);
    virJSONAddTristate(props, "guest_csum", driver->guest.csum);
    virJSONAddTristate(props, "guest_tso4", driver->guest.tso4);
    virJSONAddTristate(props, "guest_tso6", driver->guest.tso6);
    virJSONAddTristate(props, "guest_ecn", driver->guest.ecn);
    virJSONAddTristate(props, "guest_ufo", driver->guest.ufo);
}

static void
qemuInterfaceAddVirtio(const virInterface *iface, virJSON *props)
{
    const virInterfaceDriver *driver = &iface->driver;

    if (driver->txMode)
        virJSONAddString(props, "tx", driver->txMode == VIR_INTERFACE_TX_IOTHREAD ? "bh" : "timer");
    virJSONAddTristate(props, "ioeventfd", driver->ioeventfd);
    virJSONAddTristate(props, "event_idx", driver->eventIdx);
    qemuInterfaceAddOffloads(driver, props);
    if (driver->queues.set) {
        virJSONAddBool(props, "mq", true);
        /* one for each direction of each queue, one for control, one for configuration */
        virJSONAddUInt(props, "vectors", 2 * driver->queues.value + 2);
    }
    virJSONAddPositive(props, "rx_queue_size", driver->rxQueueSize.value);
    virJSONAddPositive(props, "tx_queue_size", driver->txQueueSize.value);
    virJSONAddTristate(props, "rss", driver->rss);
    virJSONAddTristate(props, "hash", driver->rssHashReport);
    virJSONAddPositive(props, "host_mtu", iface->mtu.value);
    virJSONAddTrue(props, "failover", iface->teaming == VIR_INTERFACE_TEAMING_PERSISTENT);
}

static virJSON *
qemuInterfaceProps(const virInterface *iface, const qemuBuildContext *ctx, GError **error)
{
    const virDevice *dev = &iface->base;
    char mac[VIR_MAC_TEXT_SIZE];
    g_autoptr(virJSON) props = NULL;

    if (virInterfaceIsVirtio(iface)) {
        props = qemuVirtioProps(dev, "virtio-net", virInterfaceVariant(iface),
                                &iface->driver.virtio, ctx, error);
        if (!props)
            return NULL;
        qemuInterfaceAddVirtio(iface, props);
    } else {
        props = virJSONObject();
        virJSONAddString(props, "driver", iface->model);
    }
    virJSONAddStringF(props, "netdev", "host%s", dev->info.alias);
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddString(props, "mac", virInterfaceMAC(iface, mac));
    qemuBootIndexProps(dev, ctx, props);
    if (!qemuAddressProps(dev, ctx, props, error))
        return NULL;
    qemuRomProps(dev, props);
    return g_steal_pointer(&props);
}

/* --- a host device --- */

static bool
qemuInterfaceBuildHostdev(const virInterface *iface, const qemuBuildContext *ctx, qmpPlan *plan,
                          GError **error)
{
    const virDevice *dev = &iface->base;
    g_autofree char *host = virPCIAddressToString(&iface->source.pci);
    g_autoptr(virJSON) props = virJSONObject();

    if (!qmpCapsHas(ctx->caps, QMP_CAPS_VFIO_PCI))
        return qemuInterfaceRefuse(
            _("VFIO PCI device assignment is not supported by this version of qemu"), error);
    virJSONAddString(props, "driver", "vfio-pci");
    virJSONAddString(props, "host", host);
    virJSONAddString(props, "id", dev->info.alias);
    qemuBootIndexProps(dev, ctx, props);
    virJSONAddString(props, "failover_pair_id", iface->persistent);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qemuRomProps(dev, props);
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

/* A card comes up with its cable in: it is pulled before the guest runs, or at once if it does. */
static void
qemuInterfacePlanLink(const virInterface *iface, qmpPlan *plan)
{
    virJSON *arguments;

    if (iface->link != VIR_INTERFACE_LINK_DOWN || iface->type == VIR_INTERFACE_HOSTDEV)
        return;
    arguments = virJSONObject();
    virJSONAddString(arguments, "name", iface->base.info.alias);
    virJSONAddBool(arguments, "up", false);
    qmpPlanCommand(plan, "set_link", arguments, NULL, NULL);
}

static bool
qemuInterfaceBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virInterface *iface = VIR_INTERFACE(dev);
    g_autoptr(virJSON) props = NULL;

    if (!qemuInterfaceStartCheck(iface, error))
        return false;
    if (iface->type == VIR_INTERFACE_HOSTDEV)
        return qemuInterfaceBuildHostdev(iface, ctx, plan, error);
    props = qemuInterfaceProps(iface, ctx, error);
    if (!props || !qemuNetdevBuild(iface, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    if (ctx->hotplug)
        qemuInterfacePlanLink(iface, plan);
    return true;
}

static void
qemuInterfaceHostDone(virDevice *dev, const qmpHostStep *step, const char *name)
{
    virInterface *iface = VIR_INTERFACE(dev);

    if (step->type != QMP_HOST_TAP)
        return;
    g_free(iface->ifname);
    iface->ifname = g_strdup(name);
}

static bool
qemuInterfaceAfterStart(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                        GError **error)
{
    qemuInterfacePlanLink(VIR_INTERFACE(dev), plan);
    return true;
}

static qemuLocks
qemuInterfaceLocks(const virDevice *dev)
{
    return VIR_INTERFACE(dev)->type == VIR_INTERFACE_VDPA ? QEMU_LOCKS_OWN : QEMU_LOCKS_NOTHING;
}

const virDeviceQemu virInterfaceQemu = {
    .kind = &virInterfaceKind,
    .complete = qemuInterfaceComplete,
    .check = qemuInterfaceCheck,
    .touches = qemuInterfaceTouches,
    .locks = qemuInterfaceLocks,
    .build = qemuInterfaceBuild,
    .hostDone = qemuInterfaceHostDone,
    .afterStart = qemuInterfaceAfterStart,
    .inherit = qemuInterfaceInherit,
    .update = qemuInterfaceUpdate,
};
