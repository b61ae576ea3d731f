/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevmacvtap.c: see virnetdevmacvtap.h. */
#include "util/netdev/virnetdevmacvtap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvtap.h>
#include <string.h>

#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

#define NAMES_MAX 10000

typedef struct nl_sock virNetDevSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevSocket, nl_socket_free)
typedef struct rtnl_link virNetDevLink;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevLink, rtnl_link_put)

static const uint32_t kernelModes[] = {MACVLAN_MODE_VEPA, MACVLAN_MODE_PRIVATE, MACVLAN_MODE_BRIDGE,
                                       MACVLAN_MODE_PASSTHRU};
G_STATIC_ASSERT(G_N_ELEMENTS(kernelModes) == VIR_NETDEV_MACVTAP_LAST);

static virNetDevSocket *
connectRoute(GError **error)
{
    g_autoptr(virNetDevSocket) sock = nl_socket_alloc();
    int answer = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

    if (answer >= 0)
        return g_steal_pointer(&sock);
    virErrorSet(error, VIR_ERR_SYSTEM_ERROR, _("cannot open a netlink socket: %s"),
                nl_geterror(answer));
    return NULL;
}

/* --- making --- */

static bool
explain(const virNetDevTapRequest *request, int answer, GError **error)
{
    static const uint8_t none[6];
    const uint8_t *mac = request->mac ? request->mac : none;
    const char *why = answer == -NLE_EXIST   ? g_strerror(EEXIST)
                      : answer == -NLE_BUSY  ? g_strerror(EBUSY)
                      : answer == -NLE_INVAL ? g_strerror(EINVAL) /* one in passthrough mode */
                                             : nl_geterror(answer);

    return virErrorSet(error, VIR_ERR_SYSTEM_ERROR,
                       _("error creating macvtap interface %s@%s "
                         "(%02x:%02x:%02x:%02x:%02x:%02x): %s"),
                       request->name, request->parent, mac[0], mac[1], mac[2], mac[3], mac[4],
                       mac[5], why);
}

static virNetDevLink *
describeLink(const virNetDevTapRequest *request, unsigned parent)
{
    virNetDevLink *link = rtnl_link_macvtap_alloc();
    struct nl_addr *mac = request->mac ? nl_addr_build(AF_LLC, request->mac, 6) : NULL;

    if (!link)
        return NULL;
    rtnl_link_set_name(link, request->name);
    rtnl_link_set_link(link, (int)parent);
    if (mac) {
        rtnl_link_set_addr(link, mac); /* takes a reference */
        nl_addr_put(mac);
    }
    if (request->mtu)
        rtnl_link_set_mtu(link, request->mtu);
    if (rtnl_link_macvtap_set_mode(link, kernelModes[request->mode]) >= 0)
        return link;
    rtnl_link_put(link);
    return NULL;
}

static bool
addLink(const virNetDevTapRequest *request, GError **error)
{
    g_autoptr(virNetDevSocket) sock = connectRoute(error);
    g_autoptr(virNetDevLink) link = NULL;
    unsigned parent = if_nametoindex(request->parent);
    int answer;

    if (!sock)
        return false;
    if (parent == 0)
        return virErrorErrno(error, _("Unable to get index for interface %s"), request->parent);
    link = describeLink(request, parent);
    answer = link ? rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL) : -NLE_NOMEM;
    return answer >= 0 || explain(request, answer, error);
}

/* Where it is alone on its parent it has the parent's address, and what it gets the parent gets;
 * the kernel gives the parent its own back when it is removed. */
static bool
configure(const virNetDevTapRequest *request, GError **error)
{
    return (request->mode != VIR_NETDEV_MACVTAP_PASSTHROUGH || !request->mac ||
            virNetDevSetMac(request->name, request->mac, error)) &&
           (!(request->flags & VIR_NETDEV_TAP_CREATE_IFUP) ||
            virNetDevSetUp(request->name, true, error));
}

static bool
openQueues(const virNetDevTapRequest *request, int *fds, GError **error)
{
    for (size_t i = 0; i < request->queues; i++) {
        if (!virNetDevTapNodeOpen(request->name, O_RDWR, &fds[i], error))
            return false;
    }
    return virNetDevTapNodeSetup(fds, request->queues,
                                 request->flags & VIR_NETDEV_TAP_CREATE_VNET_HDR, error);
}

bool
virNetDevMacvtapCreate(const virNetDevTapRequest *request, int *retFds, virNetDevTapInfo *retInfo,
                       GError **error)
{
    g_autofree int *fds = g_new(int, request->queues);
    virNetDevTapInfo info = {.created = true};

    if (request->mode >= VIR_NETDEV_MACVTAP_LAST)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("a macvtap has no mode %u"),
                           (unsigned)request->mode);
    memset(fds, -1, request->queues * sizeof(*fds));
    if (!addLink(request, error))
        return false;
    if (!VIR_FAULT_STEP("macvtap:made", error) || !configure(request, error) ||
        !openQueues(request, fds, error) || !VIR_FAULT_STEP("macvtap:configured", error)) {
        for (size_t i = 0; i < request->queues; i++)
            virCloseFd(&fds[i]);
        (void)virNetDevDelete(request->name, "macvtap", NULL); /* the error in hand says more */
        return false;
    }
    g_strlcpy(info.name, request->name, sizeof(info.name));
    info.ifindex = if_nametoindex(info.name);
    memcpy(retFds, fds, request->queues * sizeof(*fds));
    *retInfo = info;
    return true;
}

/* --- names --- */

char *
virNetDevMacvtapNextName(GError **error)
{
    for (int i = 0; i < NAMES_MAX; i++) {
        g_autofree char *name = virNetDevTapNextName("macvtap");
        bool exists = false;

        if (!virNetDevLookup(name, &exists, NULL, error))
            return NULL;
        if (!exists)
            return g_steal_pointer(&name);
    }
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("no unused interface names for template '%s'"),
                "macvtap%d");
    return NULL;
}

/* --- looking --- */

static virNetDevMacvtapMode
modeOf(virNetDevLink *link)
{
    const uint32_t mode = rtnl_link_macvtap_get_mode(link);

    for (unsigned i = 0; i < VIR_NETDEV_MACVTAP_LAST; i++) {
        if (kernelModes[i] == mode)
            return (virNetDevMacvtapMode)i;
    }
    return VIR_NETDEV_MACVTAP_LAST; /* "source": nobody makes it here */
}

bool
virNetDevMacvtapLookup(const char *name, bool *retIs, virNetDevMacvtapInfo *retInfo, GError **error)
{
    g_autoptr(virNetDevSocket) sock = connectRoute(error);
    virNetDevLink *raw = NULL;
    g_autoptr(virNetDevLink) link = NULL;
    const struct nl_addr *mac;
    int answer;

    if (!sock)
        return false;
    answer = rtnl_link_get_kernel(sock, 0, name, &raw);
    link = raw;
    if (answer < 0 && answer != -NLE_OBJ_NOTFOUND && answer != -NLE_NODEV)
        return virErrorSet(error, VIR_ERR_SYSTEM_ERROR, _("cannot look up a network interface: %s"),
                           nl_geterror(answer));
    *retIs = answer >= 0 && rtnl_link_is_macvtap(link);
    if (!*retIs)
        return true;
    *retInfo = (virNetDevMacvtapInfo){.ifindex = (unsigned)rtnl_link_get_ifindex(link),
                                      .parentIndex = (unsigned)rtnl_link_get_link(link),
                                      .mode = modeOf(link)};
    mac = rtnl_link_get_addr(link);
    if (mac && nl_addr_get_len(mac) == sizeof(retInfo->mac))
        memcpy(retInfo->mac, nl_addr_get_binary_addr(mac), sizeof(retInfo->mac));
    return true;
}

bool
virNetDevMacvtapIs(const virNetDevMacvtapInfo *info, const char *parent, const uint8_t mac[6])
{
    return info->parentIndex != 0 && info->parentIndex == if_nametoindex(parent) &&
           (info->mode == VIR_NETDEV_MACVTAP_PASSTHROUGH ||
            memcmp(info->mac, mac, sizeof(info->mac)) == 0);
}
