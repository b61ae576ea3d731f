/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdev.c: network interfaces by netlink. One socket a call: cheap beside what is done with it,
 * and nothing is shared between threads. See virnetdev.h. */
#include "util/netdev/virnetdev.h"

#include <linux/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"

typedef struct nl_sock virNetDevSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevSocket, nl_socket_free)
typedef struct rtnl_link virNetDevLink;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevLink, rtnl_link_put)

/* libnl's own numbers, as negative answers. */
static bool
virNetDevError(GError **error, int answer, const char *what)
{
    return virErrorSet(error, VIR_ERR_SYSTEM_ERROR, "%s: %s", what, nl_geterror(answer));
}

static virNetDevSocket *
virNetDevConnect(GError **error)
{
    g_autoptr(virNetDevSocket) sock = nl_socket_alloc();
    int answer = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

    if (answer < 0) {
        virNetDevError(error, answer, _("cannot open a netlink socket"));
        return NULL;
    }
    return g_steal_pointer(&sock);
}

/* The link of this name, or index if name is NULL. NULL without an error if there is none. */
static virNetDevLink *
virNetDevFetch(virNetDevSocket *sock, const char *name, unsigned ifindex, GError **error)
{
    virNetDevLink *link = NULL;
    int answer = rtnl_link_get_kernel(sock, (int)ifindex, name, &link);

    if (answer < 0 && answer != -NLE_OBJ_NOTFOUND && answer != -NLE_NODEV)
        virNetDevError(error, answer, _("cannot look up a network interface"));
    return answer < 0 ? NULL : link;
}

/* The same; none is an error. */
static virNetDevLink *
virNetDevFetchNamed(virNetDevSocket *sock, const char *name, GError **error)
{
    GError *cause = NULL;
    virNetDevLink *link = virNetDevFetch(sock, name, 0, &cause);

    if (!link && !cause)
        virErrorSet(&cause, VIR_ERR_INTERNAL_ERROR, _("Interface '%s' not found"), name);
    if (cause)
        g_propagate_error(error, cause);
    return link;
}

bool
virNetDevLookup(const char *name, bool *retExists, virNetDevInfo *retInfo, GError **error)
{
    g_autoptr(virNetDevSocket) sock = virNetDevConnect(error);
    g_autoptr(virNetDevLink) link = NULL;
    GError *cause = NULL;
    const struct nl_addr *mac;
    const char *kind;

    if (!sock)
        return false;
    link = virNetDevFetch(sock, name, 0, &cause);
    if (cause) {
        g_propagate_error(error, cause);
        return false;
    }
    *retExists = link != NULL;
    if (!link || !retInfo)
        return true;
    *retInfo = (virNetDevInfo){
        .ifindex = (unsigned)rtnl_link_get_ifindex(link),
        .mtu = rtnl_link_get_mtu(link),
        .up = rtnl_link_get_flags(link) & IFF_UP,
        .masterIndex = (unsigned)MAX(rtnl_link_get_master(link), 0),
        .linkIndex = (unsigned)MAX(rtnl_link_get_link(link), 0),
    };
    kind = rtnl_link_get_type(link);
    g_strlcpy(retInfo->kind, kind ? kind : "", sizeof(retInfo->kind));
    mac = rtnl_link_get_addr(link);
    if (mac && nl_addr_get_len(mac) == sizeof(retInfo->mac))
        memcpy(retInfo->mac, nl_addr_get_binary_addr(mac), sizeof(retInfo->mac));
    return true;
}

char *
virNetDevNameOf(unsigned ifindex, GError **error)
{
    g_autoptr(virNetDevSocket) sock = virNetDevConnect(error);
    g_autoptr(virNetDevLink) link = NULL;
    GError *cause = NULL;

    if (!sock)
        return NULL;
    link = virNetDevFetch(sock, NULL, ifindex, &cause);
    if (!link && !cause)
        virErrorSet(&cause, VIR_ERR_INTERNAL_ERROR, _("there is no interface %u"), ifindex);
    if (cause)
        g_propagate_error(error, cause);
    return link ? g_strdup(rtnl_link_get_name(link)) : NULL;
}

static int64_t
virNetDevStat(virNetDevLink *link, rtnl_link_stat_id_t id)
{
    return (int64_t)rtnl_link_get_stat(link, id);
}

bool
virNetDevGetStats(const char *name, bool swapped, virNetDevStats *retStats, GError **error)
{
    g_autoptr(virNetDevSocket) sock = virNetDevConnect(error);
    g_autoptr(virNetDevLink) link = sock ? virNetDevFetchNamed(sock, name, error) : NULL;
    virNetDevStats host;

    if (!link)
        return false;
    host = (virNetDevStats){
        .rxBytes = virNetDevStat(link, RTNL_LINK_RX_BYTES),
        .rxPackets = virNetDevStat(link, RTNL_LINK_RX_PACKETS),
        .rxErrors = virNetDevStat(link, RTNL_LINK_RX_ERRORS),
        .rxDrops = virNetDevStat(link, RTNL_LINK_RX_DROPPED),
        .txBytes = virNetDevStat(link, RTNL_LINK_TX_BYTES),
        .txPackets = virNetDevStat(link, RTNL_LINK_TX_PACKETS),
        .txErrors = virNetDevStat(link, RTNL_LINK_TX_ERRORS),
        .txDrops = virNetDevStat(link, RTNL_LINK_TX_DROPPED),
    };
    *retStats = !swapped ? host
                         : (virNetDevStats){
                               .rxBytes = host.txBytes,
                               .rxPackets = host.txPackets,
                               .rxErrors = host.txErrors,
                               .rxDrops = host.txDrops,
                               .txBytes = host.rxBytes,
                               .txPackets = host.rxPackets,
                               .txErrors = host.rxErrors,
                               .txDrops = host.rxDrops,
                           };
    return true;
}

/* --- setting --- */

/* Fills the change that is wanted of a link. */
typedef void (*virNetDevChangeFunc)(virNetDevLink *change, const void *value);

static bool
virNetDevChange(const char *name, virNetDevChangeFunc fill, const void *value, const char *what,
                GError **error)
{
    g_autoptr(virNetDevSocket) sock = virNetDevConnect(error);
    g_autoptr(virNetDevLink) link = sock ? virNetDevFetchNamed(sock, name, error) : NULL;
    g_autoptr(virNetDevLink) change = link ? rtnl_link_alloc() : NULL;
    int answer;

    if (!change)
        return false;
    fill(change, value);
    answer = rtnl_link_change(sock, link, change, 0);
    if (answer < 0) {
        virNetDevError(error, answer, what);
        g_prefix_error(error, _("interface '%s': "), name);
        return false;
    }
    return true;
}

static void
virNetDevFillUp(virNetDevLink *change, const void *value)
{
    if (*(const bool *)value)
        rtnl_link_set_flags(change, IFF_UP);
    else
        rtnl_link_unset_flags(change, IFF_UP);
}

bool
virNetDevSetUp(const char *name, bool up, GError **error)
{
    return virNetDevChange(name, virNetDevFillUp, &up,
                           up ? _("cannot set it up") : _("cannot set it down"), error);
}

static void
virNetDevFillMac(virNetDevLink *change, const void *value)
{
    struct nl_addr *mac = nl_addr_build(AF_LLC, value, 6);

    rtnl_link_set_addr(change, mac); /* takes a reference */
    nl_addr_put(mac);
}

bool
virNetDevSetMac(const char *name, const uint8_t mac[6], GError **error)
{
    return virNetDevChange(name, virNetDevFillMac, mac, _("cannot set its MAC address"), error);
}

static void
virNetDevFillMtu(virNetDevLink *change, const void *value)
{
    rtnl_link_set_mtu(change, *(const unsigned *)value);
}

bool
virNetDevSetMtu(const char *name, unsigned mtu, GError **error)
{
    return virNetDevChange(name, virNetDevFillMtu, &mtu, _("cannot set its MTU"), error);
}

static void
virNetDevFillMaster(virNetDevLink *change, const void *value)
{
    rtnl_link_set_master(change, *(const int *)value);
}

bool
virNetDevSetBridge(const char *name, const char *bridge, GError **error)
{
    virNetDevInfo info = {0};
    bool exists = true;
    int master = 0;

    if (bridge && !virNetDevLookup(bridge, &exists, &info, error))
        return false;
    if (!exists)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("bridge '%s' not found"), bridge);
    if (bridge)
        master = (int)info.ifindex;
    return virNetDevChange(name, virNetDevFillMaster, &master,
                           bridge ? _("cannot make it a port of the bridge")
                                  : _("cannot take it off its bridge"),
                           error);
}

bool
virNetDevDelete(const char *name, const char *kind, GError **error)
{
    g_autoptr(virNetDevSocket) sock = virNetDevConnect(error);
    g_autoptr(virNetDevLink) link = NULL;
    GError *cause = NULL;
    const char *type;
    int answer;

    if (!sock)
        return false;
    link = virNetDevFetch(sock, name, 0, &cause);
    if (cause) {
        g_propagate_error(error, cause);
        return false;
    }
    if (!link)
        return true;
    type = rtnl_link_get_type(link);
    if (!type || !g_str_equal(type, kind))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("interface '%s' is not of kind '%s'"), name, kind);
    answer = rtnl_link_delete(sock, link);
    return answer >= 0 || answer == -NLE_NODEV || answer == -NLE_OBJ_NOTFOUND ||
           virNetDevError(error, answer, _("cannot remove a network interface"));
}
