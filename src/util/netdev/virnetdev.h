/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdev.h: network interfaces by netlink: looking up, setting, bridge ports, counters.
 *
 * The reading functions need no rights and may be called from any job; the setting ones are called
 * by src/delegate/local* alone (CAP_NET_ADMIN). Each call opens a socket of its own in the calling
 * thread's network namespace: no shared state. Facts: rtnetlink(7). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned ifindex;
    unsigned mtu;
    bool up;
    uint8_t mac[6];
    unsigned masterIndex; /* bridge it is a port of; 0: none */
    unsigned linkIndex;   /* interface it stands on (a macvtap's parent); 0: none */
    char kind[16]; /* "tun", "macvtap", "bridge", ...; "" for what the kernel calls nothing */
} virNetDevInfo;

/* Bytes, packets, errors and drops as the host's end counts them. */
typedef struct {
    int64_t rxBytes, rxPackets, rxErrors, rxDrops;
    int64_t txBytes, txPackets, txErrors, txDrops;
} virNetDevStats;

/* False without an error if there is no such interface; *retExists says which. */
bool virNetDevLookup(const char *name, bool *retExists, virNetDevInfo *retInfo, GError **error);
/* A name for an index. Caller frees. */
char *virNetDevNameOf(unsigned ifindex, GError **error);

/* The counters of name. swapped: as seen from the guest, where the host's tx is the guest's rx (a
 * TAP or veth end of ours, as `virsh domifstat` shows them). */
bool virNetDevGetStats(const char *name, bool swapped, virNetDevStats *retStats, GError **error);

bool virNetDevSetUp(const char *name, bool up, GError **error);
bool virNetDevSetMac(const char *name, const uint8_t mac[6], GError **error);
bool virNetDevSetMtu(const char *name, unsigned mtu, GError **error);
/* Makes name a port of the bridge, or with bridge NULL of none. Already so is success. */
bool virNetDevSetBridge(const char *name, const char *bridge, GError **error);
/* Removes an interface of this kind ("tun", "bridge"); gone already is success, another kind an
 * error. */
bool virNetDevDelete(const char *name, const char *kind, GError **error);
