/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevbandwidth.h: how much may pass through an interface: what it sends is shaped (a queue),
 * what it receives is policed (dropped beyond the limit).
 *
 * As libvirt sets it up: an htb queue 1: with the one class 1:1 and sfq below it, and a policer on
 * the ingress queue; what an administrator added by hand is replaced. One netlink socket a call.
 * In a job, without the core lock. Setting needs CAP_NET_ADMIN and is called through
 * delegate/local* alone. Facts: tc(8), tc-htb(8), the kernel's linux/pkt_sched.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Kilobytes (1000 bytes) a second; burst in KiB, 0: what average is. average 0: no limit. */
typedef struct {
    uint64_t average, peak, burst;
} virNetDevRate;

typedef struct {
    virNetDevRate sent, received; /* as the host's end sees it */
} virNetDevBandwidth;

/* Sets both ways to what is wanted; no limit at all takes the queues away. */
bool virNetDevSetBandwidth(const char *name, const virNetDevBandwidth *wanted, GError **error);
/* What the kernel has: average and peak of what is sent (peak 0: as average), average of what is
 * received. */
bool virNetDevGetBandwidth(const char *name, virNetDevBandwidth *retBandwidth, GError **error);
/* What the kernel was found to have is what is wanted, as far as it can be read. Pure. */
bool virNetDevBandwidthHolds(const virNetDevBandwidth *now, const virNetDevBandwidth *wanted);
