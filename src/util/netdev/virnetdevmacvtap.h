/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevmacvtap.h: macvtap interfaces: made on an interface of the host, found, told from
 * others.
 *
 * Such an interface stays until it is removed, whoever made it is gone or not: its maker writes its
 * name down before, and knows it again by what it is. Making is called by src/delegate/local* and
 * the helper alone (CAP_NET_ADMIN in the network namespace); in a job, without the core lock.
 * Facts: Linux drivers/net/macvlan.c. */
#pragma once

#include "util/netdev/virnetdevtap.h"

/* Numbers as in protocol/handler.json. */
typedef enum {
    VIR_NETDEV_MACVTAP_VEPA,        /* frames for a neighbour go out and come back by a switch */
    VIR_NETDEV_MACVTAP_PRIVATE,     /* none for neighbours at all */
    VIR_NETDEV_MACVTAP_BRIDGE,      /* at once */
    VIR_NETDEV_MACVTAP_PASSTHROUGH, /* no neighbours: the parent has its address */
    VIR_NETDEV_MACVTAP_LAST
} virNetDevMacvtapMode;

/* Makes request->name on request->parent and opens its queues; VNET_HDR and IFUP are the flags that
 * count. A name that is taken is VIR_ERR_SYSTEM_ERROR "error creating macvtap interface NAME@PARENT
 * (MAC): File exists". On error nothing that it made is left. Used by virNetDevTapCreate. */
bool virNetDevMacvtapCreate(const virNetDevTapRequest *request, int *retFds,
                            virNetDevTapInfo *retInfo, GError **error);

/* The next number that no interface of this network namespace has, "macvtap3"; caller frees. No
 * rights needed. */
char *virNetDevMacvtapNextName(GError **error);

/* What the interface called so is now. No rights needed. */
typedef struct {
    unsigned ifindex, parentIndex;
    virNetDevMacvtapMode mode;
    uint8_t mac[6];
} virNetDevMacvtapInfo;
/* *retIs: there is a macvtap of that name. */
bool virNetDevMacvtapLookup(const char *name, bool *retIs, virNetDevMacvtapInfo *retInfo,
                            GError **error);
/* It is one that was made, or was about to be, on parent with that address: in passthrough mode
 * there is one on a parent, which has that parent's address at first. */
bool virNetDevMacvtapIs(const virNetDevMacvtapInfo *info, const char *parent, const uint8_t mac[6]);
