/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ifupdate_qemu.c: see ifupdate_qemu.h. */
#include "device/interface/ifupdate_qemu.h"

#include <string.h>

#include "device/interface/interface.h"
#include "util/virerror.h"

static void
qemuInterfaceInheritInfo(virDeviceInfo *wanted, const virDeviceInfo *is)
{
    if (!wanted->bootIndex.set)
        wanted->bootIndex = is->bootIndex;
    if (!wanted->acpiIndex.set)
        wanted->acpiIndex = is->acpiIndex;
    if (wanted->romBar == VIR_TRISTATE_ABSENT)
        wanted->romBar = is->romBar;
    if (wanted->romEnabled == VIR_TRISTATE_ABSENT)
        wanted->romEnabled = is->romEnabled;
    if (!wanted->romFile)
        wanted->romFile = g_strdup(is->romFile);
}

void
qemuInterfaceInherit(virDevice *wanted, const virDevice *dev)
{
    virInterface *want = VIR_INTERFACE(wanted);
    const virInterface *is = VIR_INTERFACE(dev);

    qemuInterfaceInheritInfo(&wanted->info, &dev->info);
    if (!want->ifname)
        want->ifname = g_strdup(is->ifname);
    if (!want->model)
        want->model = g_strdup(is->model);
    if (!want->mtu.set)
        want->mtu = is->mtu;
}

static bool
qemuInterfaceCannot(const char *text, GError **error)
{
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s", text);
}

/* --- the card: as it was, or not said --- */

static bool
qemuInterfaceDriverSame(const virInterfaceDriver *was, const virInterfaceDriver *is)
{
    return was->name == is->name && was->txMode == is->txMode && was->ioeventfd == is->ioeventfd &&
           was->eventIdx == is->eventIdx && was->rss == is->rss &&
           was->rssHashReport == is->rssHashReport && was->queues.value == is->queues.value &&
           was->rxQueueSize.value == is->rxQueueSize.value &&
           was->txQueueSize.value == is->txQueueSize.value &&
           memcmp(&was->host, &is->host, sizeof(was->host)) == 0 &&
           memcmp(&was->guest, &is->guest, sizeof(was->guest)) == 0;
}

static bool
qemuInterfaceCardSame(const virInterface *was, const virInterface *is, GError **error)
{
    char wasMAC[VIR_MAC_TEXT_SIZE];
    char isMAC[VIR_MAC_TEXT_SIZE];

    if (memcmp(was->mac, is->mac, VIR_MAC_SIZE) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change network interface mac address from %s to %s"),
                           virInterfaceMAC(was, wasMAC), virInterfaceMAC(is, isMAC));
    if (g_strcmp0(was->model, is->model) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot modify network device model from %s to %s"),
                           was->model ? was->model : "(default)",
                           is->model ? is->model : "(default)");
    if (!qemuInterfaceDriverSame(&was->driver, &is->driver))
        return qemuInterfaceCannot(_("cannot modify virtio network device driver attributes"),
                                   error);
    if (memcmp(&was->driver.virtio, &is->driver.virtio, sizeof(was->driver.virtio)) != 0)
        return qemuInterfaceCannot(_("cannot modify virtio network device driver options"), error);
    if (g_strcmp0(was->script, is->script) != 0)
        return qemuInterfaceCannot(_("cannot modify network device script attribute"), error);
    if (is->ifname && g_strcmp0(was->ifname, is->ifname) != 0)
        return qemuInterfaceCannot(_("cannot modify network device tap name"), error);
    if (is->mtu.set && was->mtu.value != is->mtu.value)
        return qemuInterfaceCannot(_("cannot modify MTU"), error);
    return true;
}

static bool
qemuInterfacePlaceSame(const virDeviceInfo *was, const virDeviceInfo *is, GError **error)
{
    if (is->address.type != VIR_ADDRESS_NONE && was->address.type != is->address.type)
        return qemuInterfaceCannot(_("cannot modify network device address type"), error);
    if (virAddressIsSetPCI(&is->address) && !virAddressEqual(&was->address, &is->address))
        return qemuInterfaceCannot(_("cannot modify network device guest PCI address"), error);
    if (is->romBar != VIR_TRISTATE_ABSENT && was->romBar != is->romBar)
        return qemuInterfaceCannot(_("cannot modify network device rom bar setting"), error);
    if (is->romFile && g_strcmp0(was->romFile, is->romFile) != 0)
        return qemuInterfaceCannot(_("cannot modify network rom file"), error);
    if (is->bootIndex.set && was->bootIndex.value != is->bootIndex.value)
        return qemuInterfaceCannot(_("cannot modify network device boot index setting"), error);
    if (is->romEnabled != VIR_TRISTATE_ABSENT && was->romEnabled != is->romEnabled)
        return qemuInterfaceCannot(_("cannot modify network device rom enabled setting"), error);
    return true;
}

/* --- what is behind it --- */

static bool
qemuInterfaceIsBridged(const virInterface *iface)
{
    virInterfaceType type = virInterfaceActualType(iface);

    return type == VIR_INTERFACE_BRIDGE || type == VIR_INTERFACE_NETWORK;
}

static const char *
qemuInterfaceBridge(const virInterface *iface)
{
    const virInterfaceActual *actual = iface->source.actual;

    if (iface->type == VIR_INTERFACE_NETWORK)
        return actual ? actual->bridge : NULL;
    return iface->source.bridge;
}

static bool
qemuInterfaceSourceSame(const virInterface *was, const virInterface *is)
{
    const virInterfaceSource *a = &was->source;
    const virInterfaceSource *b = &is->source;

    return was->type == is->type && g_strcmp0(a->network, b->network) == 0 &&
           g_strcmp0(a->dev, b->dev) == 0 && a->mode == b->mode &&
           g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->address, b->address) == 0 &&
           g_strcmp0(a->localAddress, b->localAddress) == 0 && a->port == b->port &&
           a->localPort == b->localPort && (!a->server || virChrSourceEqual(a->server, b->server));
}

static bool
qemuInterfaceUnable(const virInterface *is, GError **error)
{
    return virErrorSet(error, VIR_ERR_NO_SUPPORT, _("unable to change config on '%s' network type"),
                       virInterfaceTypeToString(is->type));
}

static bool
qemuInterfaceSourceUpdate(const virInterface *was, const virInterface *is, qmpPlan *plan,
                          GError **error)
{
    qmpHostStep move = {.type = QMP_HOST_BRIDGE,
                        .ifname = was->ifname,
                        .bridge = is->source.bridge,
                        .undoBridge = (char *)qemuInterfaceBridge(was),
                        .alias = was->base.info.alias};

    if (is->type == VIR_INTERFACE_HOSTDEV)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change network interface type to '%s'"),
                           virInterfaceTypeToString(is->type));
    if (qemuInterfaceIsBridged(was) && is->type == VIR_INTERFACE_BRIDGE) {
        if (g_strcmp0(qemuInterfaceBridge(was), is->source.bridge) != 0)
            qmpPlanHost(plan, &move);
        return true;
    }
    return qemuInterfaceSourceSame(was, is) || qemuInterfaceUnable(is, error);
}

static bool
qemuInterfaceRateSame(const virBandwidth *a, const virBandwidth *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- link state --- */

static virJSON *
qemuInterfaceLinkArguments(const char *name, int link)
{
    virJSON *arguments = virJSONObject();

    virJSONAddString(arguments, "name", name);
    virJSONAddBool(arguments, "up", link != VIR_INTERFACE_LINK_DOWN);
    return arguments;
}

static void
qemuInterfaceLinkUpdate(const virInterface *was, const virInterface *is, qmpPlan *plan)
{
    const char *name = was->base.info.alias;

    if (was->link == is->link)
        return;
    qmpPlanCommand(plan, "set_link", qemuInterfaceLinkArguments(name, is->link), "set_link",
                   qemuInterfaceLinkArguments(name, was->link));
}

bool
qemuInterfaceUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                    qmpPlan *plan, GError **error)
{
    const virInterface *was = VIR_INTERFACE(dev);
    const virInterface *is = VIR_INTERFACE(wanted);

    if (virInterfaceActualType(was) == VIR_INTERFACE_HOSTDEV)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change config of '%s' network interface type"),
                           virInterfaceTypeToString(was->type));
    if (!qemuInterfaceCardSame(was, is, error) ||
        !qemuInterfacePlaceSame(&dev->info, &wanted->info, error))
        return false;
    if (!virFilterRefEqual(&was->filter, &is->filter) ||
        !qemuInterfaceRateSame(&was->bandwidth, &is->bandwidth) ||
        was->rxFrames.value != is->rxFrames.value || was->isolated != is->isolated)
        return qemuInterfaceUnable(is, error);
    if (!qemuInterfaceSourceUpdate(was, is, plan, error))
        return false;
    qemuInterfaceLinkUpdate(was, is, plan);
    return true;
}
