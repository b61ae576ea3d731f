/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatehistory.h: the denials of one guest, put together over its life, and how they are told: a
 * line for the log, JSON for an event or a file, and the XML that would allow the access.
 *
 * Adding is memory only; the telling functions read sysfs for the node's name, so they belong in a
 * job. One thread at a time. No rights. */
#pragma once

#include "util/cgroup/virgatedenials.h"
#include "util/virjson.h"

/* Kinds of denial that a guest's history holds; what comes after is counted, not kept. */
#define VIR_GATE_HISTORY_MAX 256

typedef struct virGateHistory virGateHistory;
virGateHistory *virGateHistoryNew(void);
void virGateHistoryFree(virGateHistory *history);
virGateHistory *virGateHistoryCopy(const virGateHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virGateHistory, virGateHistoryFree)

/* Takes the denial in; true if this kind (node, access, thread) is new: worth a line in the log. */
bool virGateHistoryAdd(virGateHistory *history, const virGateDenial *denial);
/* {"denials": [...], "unlisted": n}, newest last, "unlisted" the accesses beyond the limit. */
virJSON *virGateHistoryToJSON(const virGateHistory *history);

/* {"type": "char", "major": 10, "minor": 200, "node": "/dev/net/tun", "access": "rw", "process":
 * 123, "thread": "CPU 0/KVM", "first": 1.5, "last": 2.5, "count": 3, "permissive": false, "allow":
 * "<...>"}; first and last in seconds of the monotonic clock; node and allow only if known. */
virJSON *virGateDenialToJSON(const virGateDenial *denial);
/* "denied: rw of c 10:200 (/dev/net/tun) by thread 'CPU 0/KVM' of process 123, 3 times". */
char *virGateDenialToText(const virGateDenial *denial);

/* A device element that touches the node, so that the guest would be allowed it; NULL: only the
 * list of the configuration file can. Caller frees. */
char *virGateDenialAllowXML(const virGateDenial *denial, const char *node);
