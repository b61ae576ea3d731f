/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_net.c: the front of the hooks for interfaces: what must hold before and after. In a
 * job, without the core lock. */
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevmacvtap.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* Every descriptor is a queue of that interface; number: of a macvtap's device, else 0. */
static bool
virDelegateAreQueues(const int *fds, size_t count, const char *name, dev_t number)
{
    for (size_t i = 0; i < count; i++) {
        struct ifreq ifr = {0};
        struct stat st;

        if (ioctl(fds[i], TUNGETIFF, &ifr) < 0 || !g_str_equal(ifr.ifr_name, name) ||
            (number && (fstat(fds[i], &st) < 0 || st.st_rdev != number)))
            return false;
    }
    return true;
}

/* The kernel has what was asked for under the name that was told. */
static bool
virDelegateIsMacvtap(const virNetDevTapRequest *request, const virNetDevTapInfo *told)
{
    virNetDevMacvtapInfo info;
    bool is = false;

    return virNetDevMacvtapLookup(told->name, &is, &info, NULL) && is &&
           info.ifindex == told->ifindex && info.parentIndex == if_nametoindex(request->parent) &&
           info.mode == request->mode &&
           (!request->mac || memcmp(info.mac, request->mac, sizeof(info.mac)) == 0);
}

/* What was wrong with the answer; NULL: nothing. */
static const char *
virDelegateTapFault(const virNetDevTapRequest *request, const int *fds,
                    const virNetDevTapInfo *info)
{
    dev_t number = 0;

    if (request->parent &&
        (!virDelegateIsMacvtap(request, info) || !virNetDevTapNodeFind(info->name, &number, NULL)))
        return _("the interface is not what was asked for");
    return virDelegateAreQueues(fds, request->queues, info->name, number)
               ? NULL
               : _("what it gave are not its queues");
}

bool
virDelegateTapCreate(virDelegate *door, const virDelegateCall *call,
                     const virNetDevTapRequest *request, int *retFds, virNetDevTapInfo *retInfo,
                     GError **error)
{
    virDelegateTrace trace;
    g_autofree int *fds = g_new(int, request->queues);
    virNetDevTapInfo info;
    const char *fault;

    if (!virDelegateBegin(door, call, "tap.create", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->tapCreate(door, call, request, fds, &info, error)))
        return false;
    if ((fault = virDelegateTapFault(request, fds, &info))) {
        for (size_t i = 0; i < request->queues; i++)
            virCloseFd(&fds[i]);
        return virDelegateNotTrue(&trace, error, fault);
    }
    for (size_t i = 0; i < request->queues; i++)
        retFds[i] = fds[i];
    *retInfo = info;
    return true;
}

bool
virDelegateTapRemove(virDelegate *door, const virDelegateCall *call, const char *name,
                     unsigned ifindex, GError **error)
{
    virDelegateTrace trace;
    virNetDevInfo info = {0};
    bool exists = false;

    if (!virDelegateBegin(door, call, "tap.remove", &trace, error))
        return trace.nobody;
    if (!virNetDevLookup(name, &exists, &info, error))
        return false;
    if (!exists || (ifindex && info.ifindex != ifindex))
        return true;
    ifindex = info.ifindex;
    if (!virDelegateEnd(&trace, trace.ops->tapRemove(door, call, name, ifindex, error)) ||
        !virNetDevLookup(name, &exists, &info, error))
        return false;
    return !exists || info.ifindex != ifindex ||
           virDelegateNotTrue(&trace, error, _("the interface is still there"));
}

/* The index of bridge, 0 for NULL. */
static bool
virDelegateBridgeIndex(const char *bridge, unsigned *retIndex, GError **error)
{
    virNetDevInfo info = {0};
    bool exists = true;

    if (bridge && !virNetDevLookup(bridge, &exists, &info, error))
        return false;
    if (!exists)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("bridge '%s' not found"), bridge);
    *retIndex = info.ifindex;
    return true;
}

static bool
virDelegateSetBridge(virDelegate *door, const virDelegateCall *call, const char *hook,
                     const char *name, const char *bridge, GError **error)
{
    virDelegateTrace trace;
    virNetDevInfo info = {0};
    unsigned wanted = 0;
    bool exists = false;

    if (!virDelegateBegin(door, call, hook, &trace, error))
        return trace.nobody;
    if (!virDelegateBridgeIndex(bridge, &wanted, error) ||
        !virNetDevLookup(name, &exists, &info, error))
        return false;
    if (exists ? info.masterIndex == wanted : !bridge)
        return true;
    if (!virDelegateEnd(&trace, trace.ops->netSetBridge(door, call, name, bridge, error)) ||
        !virNetDevLookup(name, &exists, &info, error))
        return false;
    return info.masterIndex == wanted ||
           virDelegateNotTrue(&trace, error,
                              _("the interface is a port of another bridge or none"));
}

bool
virDelegateNetAttach(virDelegate *door, const virDelegateCall *call, const char *name,
                     const char *bridge, GError **error)
{
    return virDelegateSetBridge(door, call, "net.attach", name, bridge, error);
}

bool
virDelegateNetDetach(virDelegate *door, const virDelegateCall *call, const char *name,
                     GError **error)
{
    return virDelegateSetBridge(door, call, "net.detach", name, NULL, error);
}

bool
virDelegateNetSetUp(virDelegate *door, const virDelegateCall *call, const char *name, bool up,
                    GError **error)
{
    virDelegateTrace trace;
    virNetDevInfo info = {0};
    bool exists = false;

    if (!virDelegateBegin(door, call, "net.set", &trace, error))
        return trace.nobody;
    if (!virNetDevLookup(name, &exists, &info, error))
        return false;
    if (exists && info.up == up)
        return true;
    if (!virDelegateEnd(&trace, trace.ops->netSetUp(door, call, name, up, error)) ||
        !virNetDevLookup(name, &exists, &info, error))
        return false;
    return info.up == up ||
           virDelegateNotTrue(&trace, error, _("the interface's state is another"));
}

bool
virDelegateNetLimitsOutside(virDelegate *door, const virDelegateCall *call)
{
    return virDelegateIsAsked(door, call, "net.bandwidth");
}

bool
virDelegateNetSetBandwidth(virDelegate *door, const virDelegateCall *call, const char *name,
                           const virNetDevBandwidth *wanted, GError **error)
{
    virDelegateTrace trace;
    const virNetDevBandwidth none = {0};
    virNetDevBandwidth now;

    if (!virDelegateBegin(door, call, "net.bandwidth", &trace, error))
        return trace.nobody;
    if (!virNetDevGetBandwidth(name, &now, error))
        return false;
    /* bursts can't be read: one that is to change is set anew */
    if (virNetDevBandwidthHolds(&none, wanted) && virNetDevBandwidthHolds(&now, wanted))
        return true;
    if (!virDelegateEnd(&trace, trace.ops->netSetBandwidth(door, call, name, wanted, error)) ||
        !virNetDevGetBandwidth(name, &now, error))
        return false;
    return virNetDevBandwidthHolds(&now, wanted) ||
           virDelegateNotTrue(&trace, error, _("the interface's queues are others"));
}
