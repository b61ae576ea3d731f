/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevtap.h: TAP interfaces: made, found, removed.
 *
 * The first queue is opened with IFF_TUN_EXCL, so there is no moment between looking for a name and
 * taking it. Called by src/delegate/local* alone (CAP_NET_ADMIN in the network namespace); in a
 * job, without the core lock. Facts: Linux Documentation/networking/tuntap.rst. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of virNetDevTapCreate. */
enum {
    VIR_NETDEV_TAP_CREATE_IFUP = 1 << 0,           /* set it up at the end */
    VIR_NETDEV_TAP_CREATE_VNET_HDR = 1 << 1,       /* frames carry a virtio header */
    VIR_NETDEV_TAP_CREATE_PERSIST = 1 << 2,        /* stays when all descriptors are closed */
    VIR_NETDEV_TAP_CREATE_ALLOW_EXISTING = 1 << 3, /* take one that is there already, as for
                                                      <target managed='no'/> */
};

typedef struct {
    const char *name;    /* "tap3", or a template with one %d ("vnet%d"): the next free number */
    const char *tunPath; /* NULL: /dev/net/tun */
    const uint8_t *mac;  /* six bytes of the host's end, NULL: the kernel's choice */
    unsigned mtu;        /* 0: as it is */
    size_t queues;       /* 1..256 */
    uid_t owner;         /* who may open it later without rights; (uid_t)-1: nobody */
    unsigned flags;      /* VIR_NETDEV_TAP_CREATE_... */
    const char *parent;  /* a macvtap on that interface (virnetdevmacvtap.h); NULL: a TAP */
    unsigned mode;       /* of a macvtap: virNetDevMacvtapMode */
} virNetDevTapRequest;

/* The longest name, with its NUL. */
#define VIR_NETDEV_NAME_MAX 16

typedef struct {
    char name[VIR_NETDEV_NAME_MAX]; /* as it is now called */
    unsigned ifindex;
    bool created; /* false: it was there (ALLOW_EXISTING), don't remove it at the end */
} virNetDevTapInfo;

/* Makes or takes the interface and opens request->queues descriptors of it into retFds (O_CLOEXEC;
 * the caller's). A name that is taken is VIR_ERR_OPERATION_INVALID "The NAME
 * interface already exists". On error nothing that it made is left. */
bool virNetDevTapCreate(const virNetDevTapRequest *request, int *retFds, virNetDevTapInfo *retInfo,
                        GError **error);

/* Removes the TAP or macvtap; one that isn't there is success. ifindex 0: not compared; else what
 * has the name but another index is left alone. */
bool virNetDevTapDelete(const char *name, unsigned ifindex, GError **error);

/* The next number behind prefix, perhaps one that is taken; caller frees. */
char *virNetDevTapNextName(const char *prefix);

/* A number that a running guest of ours uses, found again at the daemon's start ("vnet7"):
 * templates don't hand it out before the others are used up. Names that don't fit a template are
 * ignored. */
void virNetDevTapReserve(const char *name);
