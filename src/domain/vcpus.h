/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vcpus.h: <vcpu> <vcpus>: how many, which are on, and where they may run. Scheduling and pinning
 * of one vCPU (<cputune>) stand with it. */
#pragma once

#include <glib.h>

#include "device/field.h"
#include "util/virbitmap.h"

/* The largest number of vCPUs a document may ask for; the machine's own limit is smaller. */
#define VIR_DOMAIN_VCPUS_MAX 16384
/* The largest host CPU a cpuset may name. */
#define VIR_DOMAIN_CPUMASK_LEN 16384

typedef enum {
    VIR_DOMAIN_CPU_PLACEMENT_STATIC = 0,
    VIR_DOMAIN_CPU_PLACEMENT_AUTO,
    VIR_DOMAIN_CPU_PLACEMENT_LAST
} virDomainCPUPlacement;
VIR_ENUM_DECL(virDomainCPUPlacement);

typedef enum {
    VIR_SCHED_POLICY_NONE = 0,
    VIR_SCHED_POLICY_BATCH,
    VIR_SCHED_POLICY_IDLE,
    VIR_SCHED_POLICY_FIFO,
    VIR_SCHED_POLICY_RR,
    VIR_SCHED_POLICY_LAST
} virSchedPolicy;
VIR_ENUM_DECL(virSchedPolicy);

typedef struct {
    virSchedPolicy policy;
    int priority; /* FIFO and RR only */
} virDomainSched;

typedef struct {
    bool online;
    virTristate hotpluggable;
    unsigned order; /* 0: none given */
    virBitmap *pin; /* NULL: as all */
    virDomainSched sched;
} virDomainVcpu;

typedef struct {
    GArray *list; /* of virDomainVcpu, as many as the guest can have */
    int placement;
    virBitmap *cpuset; /* NULL: all */
    bool individual;   /* <vcpus> is written */
} virDomainVcpus;

static inline virDomainVcpu *
virDomainVcpuAt(const virDomainVcpus *vcpus, guint i)
{
    return &g_array_index(vcpus->list, virDomainVcpu, i);
}
/* On from the start, and never taken away. What a document leaves open is not written either, so
 * that it may be open again in a copy. */
static inline bool
virDomainVcpuIsFixed(const virDomainVcpu *vcpu)
{
    return vcpu->online && vcpu->hotpluggable != VIR_TRISTATE_YES;
}
static inline unsigned
virDomainVcpusMax(const virDomainVcpus *vcpus)
{
    return vcpus->list ? vcpus->list->len : 0;
}
/* On only once the guest has started: it can be taken away again. */
static inline bool
virDomainVcpuIsPlugged(const virDomainVcpu *vcpu)
{
    return vcpu->online && vcpu->hotpluggable == VIR_TRISTATE_YES;
}
/* Some go on or off together in a running guest: they are the last in order, or in none; <vcpus> is
 * written, with what is left open said and those that are on numbered in the order they came. */
void virDomainVcpusSwitch(virDomainVcpus *vcpus, guint first, guint count, bool online);
/* The same numbers for those that are on when a guest starts; who has the same order keeps it
 * together. */
void virDomainVcpusNumber(virDomainVcpus *vcpus);
/* Of a stored document: this many are on, new ones being such that can be taken away or not; and
 * those of the set are on or off. */
void virDomainVcpusStoreCount(virDomainVcpus *vcpus, unsigned count, bool hotpluggable);
void virDomainVcpusStoreSwitch(virDomainVcpus *vcpus, const virBitmap *set, bool online);
/* Those that are on. */
unsigned virDomainVcpusOnline(const virDomainVcpus *vcpus);
