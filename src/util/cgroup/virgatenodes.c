/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatenodes.c: see virgatenodes.h. The program (virgateprogram.c) reads the slots at any moment
 * and sets VIR_GATE_NODE_USED with a store of that byte alone. So the mark may be lost when a rule
 * is changed at that moment, or stay in a slot that was just emptied: it never tells what is
 * granted. */
#include "util/cgroup/virgatenodes.h"

unsigned
virGateNodesBuckets(size_t rules)
{
    unsigned buckets = VIR_GATE_BUCKETS_MIN;

    while (buckets < VIR_GATE_BUCKETS_MAX && buckets < rules)
        buckets *= 2;
    return buckets;
}

bool
virGateNodesIsSize(unsigned buckets)
{
    return buckets >= VIR_GATE_BUCKETS_MIN && buckets <= VIR_GATE_BUCKETS_MAX &&
           (buckets & (buckets - 1)) == 0;
}

unsigned
virGateNodesShift(unsigned buckets)
{
    return 64 - (unsigned)__builtin_ctz(buckets);
}

/* The node as a slot has it; 0 if the rule names more than one, or a number no kernel has. */
static uint64_t
virGateNode(const virDeviceRule *rule)
{
    if (rule->major < 0 || rule->major >> VIR_GATE_NODE_MAJOR_BITS || rule->minor < 0 ||
        rule->minor >> VIR_GATE_NODE_MINOR_BITS)
        return 0;
    return ((uint64_t)rule->type << VIR_GATE_NODE_MAJOR_BITS | (uint64_t)rule->major)
               << VIR_GATE_NODE_MINOR_BITS |
           (uint64_t)rule->minor;
}

static uint64_t *
virGateNodesBucket(const virGateNodes *nodes, uint64_t node)
{
    uint64_t hash = node * VIR_GATE_NODE_FACTOR;

    hash = (hash ^ hash >> 32) * VIR_GATE_NODE_FACTOR;
    return nodes->slots + (hash >> virGateNodesShift(nodes->buckets)) * VIR_GATE_BUCKET_SLOTS;
}

static uint64_t
virGateSlotRead(const uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

/* The slot with this node, of 0 the first that is free. NULL: none. */
static uint64_t *
virGateBucketFind(uint64_t *bucket, uint64_t node)
{
    for (int i = 0; i < VIR_GATE_BUCKET_SLOTS; i++) {
        if (virGateSlotRead(&bucket[i]) >> VIR_GATE_NODE_SHIFT == node)
            return &bucket[i];
    }
    return NULL;
}

bool
virGateNodesGet(const virGateNodes *nodes, const virDeviceRule *rule, uint64_t *retSlot)
{
    uint64_t node = virGateNode(rule);
    const uint64_t *slot =
        node && nodes->slots ? virGateBucketFind(virGateNodesBucket(nodes, node), node) : NULL;

    if (!slot)
        return false;
    *retSlot = virGateSlotRead(slot);
    return true;
}

bool
virGateNodesSet(const virGateNodes *nodes, const virDeviceRule *rule, uint64_t used)
{
    uint64_t node = virGateNode(rule);
    uint64_t *bucket;
    uint64_t *slot;

    if (!node || !nodes->slots)
        return false;
    bucket = virGateNodesBucket(nodes, node);
    slot = virGateBucketFind(bucket, node);
    if (!slot && rule->access)
        slot = virGateBucketFind(bucket, 0);
    if (!slot)
        return false;
    __atomic_store_n(slot, rule->access ? node << VIR_GATE_NODE_SHIFT | used | rule->access : 0,
                     __ATOMIC_RELEASE);
    return true;
}

bool
virGateNodesAt(const virGateNodes *nodes, size_t i, virDeviceRule *retRule, bool *retUsed)
{
    uint64_t slot = virGateSlotRead(&nodes->slots[i]);
    uint64_t node = slot >> VIR_GATE_NODE_SHIFT;

    if (!node)
        return false;
    *retRule = (virDeviceRule){
        .type = (virDeviceType)(node >> (VIR_GATE_NODE_MAJOR_BITS + VIR_GATE_NODE_MINOR_BITS)),
        .access = slot & VIR_DEVICE_RWM,
        .major = (int)(node >> VIR_GATE_NODE_MINOR_BITS & ((1u << VIR_GATE_NODE_MAJOR_BITS) - 1)),
        .minor = (int)(node & ((1u << VIR_GATE_NODE_MINOR_BITS) - 1)),
    };
    *retUsed = slot & VIR_GATE_NODE_USED;
    return true;
}
