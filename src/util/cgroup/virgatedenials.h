/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatedenials.h: what the gates denied, read from the ring buffer that all guests share.
 *
 * The kernel writes a record for each access without a rule; equal ones are put together here, so
 * that a guest that probes in a loop is one line with a count. Nothing is lost in silence: what
 * didn't fit in the ring is counted by the gate (virGateCounters.dropped).
 *
 *     virEventWatchAdd(virGateDenialsFd(denials), EPOLLIN, onReadable, ...)
 *     onReadable: virGateDenialsRead(denials)
 *     now and then: virGateDenialsTake(denials, func, opaque)
 *
 * Memory only, never waits: Read on the event thread. One thread at a time. No rights. */
#pragma once

#include "util/cgroup/virgate.h"

typedef struct virGateDenials virGateDenials;

typedef struct {
    uint8_t uuid[16];   /* of the guest */
    virDeviceRule rule; /* what was asked for: type, numbers, access (0: existence, access(2)) */
    bool permissive;    /* reported, but allowed */
    uint32_t pid;       /* process, in the initial pid namespace */
    char thread[17];    /* name of the thread that asked */
    uint64_t first_ns;  /* CLOCK_MONOTONIC of the first and the last one that count stands for */
    uint64_t last_ns;
    uint64_t count;
} virGateDenial;

/* Kinds of denial that are kept until they are taken. */
#define VIR_GATE_DENIALS_MAX 1024

typedef void (*virGateDenialFunc)(const virGateDenial *denial, void *opaque);

virGateDenials *virGateDenialsNew(GError **error);
void virGateDenialsFree(virGateDenials *denials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virGateDenials, virGateDenialsFree)
/* Has the gate's ring read too; a ring that is read already is not added twice. A gate without
 * reports (v1, a kernel before 5.8) adds nothing. */
bool virGateDenialsAdd(virGateDenials *denials, virGate *gate, GError **error);
/* Becomes readable when there is something to read. Borrowed. */
int virGateDenialsFd(const virGateDenials *denials);
/* Reads at most as many records as a ring holds, and puts them to those that wait to be taken.
 * False if that is as much as is kept: the rest stays in the ring until some were taken. */
bool virGateDenialsRead(virGateDenials *denials);
/* Calls func once for each kind of denial that was read, in the order of the first ones, and
 * forgets them; false if there was none. */
bool virGateDenialsTake(virGateDenials *denials, virGateDenialFunc func, void *opaque);
