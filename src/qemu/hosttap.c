/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hosttap.c: see hosttap.h. */
#include "qemu/hosttap.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>

#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

/* The host's end has the guest's address with another first byte, so that a bridge, which takes the
 * lowest address of its ports, never changes its own. */
static bool
qemuHostTapMAC(const char *text, uint8_t mac[6])
{
    unsigned byte[6];

    if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1], &byte[2], &byte[3],
                        &byte[4], &byte[5]) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)byte[i];
    mac[0] = 0xfe;
    return true;
}

static bool
qemuHostLimitTap(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                 const char *name, GError **error)
{
    const virNetDevBandwidth limits = {
        .sent = {step->sent.average, step->sent.peak, step->sent.burst},
        .received = {step->received.average, step->received.peak, step->received.burst},
    };

    return (!limits.sent.average && !limits.received.average) ||
           virDelegateNetSetBandwidth(guest->driver->door, call, name, &limits, error);
}

/* What was opened so far is closed. */
static void
qemuHostCloseQueues(int *queues, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        virCloseFd(&queues[n]);
}

/* --- one that is made, or a TAP that is there --- */

static bool
qemuHostTapCreate(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                  int *queues, virNetDevTapInfo *info, GError **error)
{
    uint8_t mac[6];
    virNetDevTapRequest request = {
        .name = step->ifname ? step->ifname : "vnet%d",
        .tunPath = step->path,
        .mac = qemuHostTapMAC(step->mac, mac) ? mac : NULL,
        .queues = MAX(step->queues, 1),
        .mtu = step->mtu,
        .owner = (uid_t)-1,
        .flags = (step->allowExisting ? VIR_NETDEV_TAP_CREATE_ALLOW_EXISTING : 0) |
                 (step->vnetHdr ? VIR_NETDEV_TAP_CREATE_VNET_HDR : 0) |
                 (step->unmanaged ? 0 : VIR_NETDEV_TAP_CREATE_IFUP)};

    if (!virDelegateTapCreate(guest->driver->door, call, &request, queues, info, error))
        return false;
    if (step->unmanaged && info->created) { /* it went a moment ago, and is gone again */
        qemuHostCloseQueues(queues, (unsigned)request.queues);
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("target managed='no' but specified dev doesn't exist"));
    }
    return true;
}

/* --- one that is there, of whatever kind --- */

static bool
qemuHostTapOpenNode(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                    int *queues, GError **error)
{
    const unsigned count = MAX(step->queues, 1);
    unsigned n = 0;

    while (n < count && virDelegateDeviceOpen(guest->driver->door, call, VIR_DELEGATE_DEVICE_TAP,
                                              step->ifname, O_RDWR, &queues[n], error))
        n++;
    if (n == count && virNetDevTapNodeSetup(queues, count, step->vnetHdr, error))
        return true;
    qemuHostCloseQueues(queues, n);
    return false;
}

static bool
qemuHostTapTake(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step, int *queues,
                virNetDevTapInfo *info, GError **error)
{
    bool exists = false;
    bool hasNode = false;

    if (!step->ifname)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("target dev must be supplied when managed='no'"));
    if (!virNetDevLookup(step->ifname, &exists, NULL, error) ||
        !virNetDevTapNodeIsThere(step->ifname, &hasNode, error))
        return false;
    if (!exists)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("target managed='no' but specified dev doesn't exist"));
    if (!hasNode)
        return qemuHostTapCreate(guest, call, step, queues, info, error);
    g_strlcpy(info->name, step->ifname, sizeof(info->name));
    return qemuHostTapOpenNode(guest, call, step, queues, error);
}

static void
qemuHostTapTell(qemuGuest *guest, const qmpHostStep *step, const char *name)
{
    virDevice *dev = guest->made ? virDomainDefDeviceByAlias(guest->made, step->alias) : NULL;
    const virDeviceQemu *qemu = dev ? virDeviceQemuOf(dev) : NULL;

    if (qemu && qemu->hostDone)
        qemu->hostDone(dev, step, name);
}

static bool
qemuHostTapCheck(const qmpHostStep *step, GError **error)
{
    if (step->script || step->downscript)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("<script> of interface '%s': scripts are not run by this daemon"),
                           step->alias);
    if (step->bridge && if_nametoindex(step->bridge) == 0)
        return virErrorErrno(error, _("Cannot get interface MTU on '%s'"), step->bridge);
    return true;
}

bool
qemuHostTap(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step, unsigned host,
            qemuHostFds *fds, GError **error)
{
    const unsigned count = MAX(step->queues, 1);
    g_autofree int *queues = g_new(int, count);
    virNetDevTapInfo info = {0};

    if (!qemuHostTapCheck(step, error) || !(step->unmanaged ? qemuHostTapTake : qemuHostTapCreate)(
                                              guest, call, step, queues, &info, error))
        return false;
    for (unsigned n = 0; n < count; n++)
        qemuHostFdsAdd(fds, host, n, queues[n]);
    if (info.created) {
        qemuResource *tap = qemuResourceNew(QEMU_RESOURCE_TAP, info.name, step->alias);

        tap->number = info.ifindex;
        g_ptr_array_add(guest->resources, tap);
    }
    if (!VIR_FAULT_STEP("start:tap-made", error))
        return false;
    if (step->bridge &&
        !virDelegateNetAttach(guest->driver->door, call, info.name, step->bridge, error))
        return false;
    if (!qemuHostLimitTap(guest, call, step, info.name, error))
        return false;
    qemuHostTapTell(guest, step, info.name);
    return true;
}
