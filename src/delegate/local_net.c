/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_net.c: the hooks for interfaces, done here, in the daemon's network namespace. Needs
 * CAP_NET_ADMIN. */
#include "delegate/local.h"
#include "util/netdev/virnetdev.h"
#include "util/virfault.h"

bool
virDelegateLocalTapCreate(virDelegate *door, const virDelegateCall *call,
                          const virNetDevTapRequest *request, int *retFds,
                          virNetDevTapInfo *retInfo, GError **error)
{
    return virNetDevTapCreate(request, retFds, retInfo, error);
}

bool
virDelegateLocalTapRemove(virDelegate *door, const virDelegateCall *call, const char *name,
                          unsigned ifindex, GError **error)
{
    return virNetDevTapDelete(name, ifindex, error) && VIR_FAULT_STEP("stop:tap-removed", error);
}

bool
virDelegateLocalNetSetBridge(virDelegate *door, const virDelegateCall *call, const char *name,
                             const char *bridge, GError **error)
{
    return virNetDevSetBridge(name, bridge, error) && VIR_FAULT_STEP("net:bridge-set", error);
}

bool
virDelegateLocalNetSetUp(virDelegate *door, const virDelegateCall *call, const char *name, bool up,
                         GError **error)
{
    return virNetDevSetUp(name, up, error);
}

bool
virDelegateLocalNetSetBandwidth(virDelegate *door, const virDelegateCall *call, const char *name,
                                const virNetDevBandwidth *wanted, GError **error)
{
    return virNetDevSetBandwidth(name, wanted, error);
}
