/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatenodes.h: the table of nodes: where a gate's rules for exactly one node lie, so that a
 * check of one costs the same whatever the number of rules. Pure: memory, and nothing of the
 * kernel.
 *
 * The memory is a map that the gate's program reads, an array of one element, mapped: buckets. A
 * bucket is half a line of the processor's cache: four slots, each a word that holds node and
 * access together:
 *
 *     bits 63..24   type (8) | major (12) | minor (20), the last two as in the kernel's dev_t
 *     bits 15..8    VIR_GATE_NODE_USED, set by the program
 *     bits  7..0    access bits
 *
 * So a rule is set, changed and taken away by one store (of 64 bits: hosts have such processors),
 * which a check sees or doesn't; none can see one node with the access of another, as a place that
 * is used again would show it in a hash of the kernel's. A node has one bucket. One that finds it
 * full isn't taken: its rule lies in the trie, where the program looks next. Nothing is ever moved:
 * who wants more room makes a larger table and copies.
 *
 * One thread changes a table; any may read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cgroup/virdevicerule.h"

enum {
    VIR_GATE_BUCKET_SLOTS = 4,
    VIR_GATE_BUCKET_SIZE = VIR_GATE_BUCKET_SLOTS * sizeof(uint64_t),
    VIR_GATE_NODE_SHIFT = 24, /* of the node in a slot */
    VIR_GATE_NODE_MINOR_BITS = 20,
    VIR_GATE_NODE_MAJOR_BITS = 12,
};

#define VIR_GATE_NODE_USED UINT64_C(0x100)
/* The byte of a slot that holds this flag alone. */
#define VIR_GATE_NODE_USED_BYTE (G_BYTE_ORDER == G_LITTLE_ENDIAN ? 1 : 6)

/* A node's bucket: times this (2^64 divided by the golden ratio), the upper half added to the lower
 * by exclusive or, times this again, the upper bits. Once would do for numbers that follow each
 * other; majors and minors together form patterns that it doesn't break up. */
#define VIR_GATE_NODE_FACTOR UINT64_C(0x9e3779b97f4a7c15)

/* The fewest buckets: 16 kB, and of 1,000 nodes that are plugged one by one all but 40 have room.
 */
#define VIR_GATE_BUCKETS_MIN 512u
#define VIR_GATE_BUCKETS_MAX (1u << 23) /* the verifier adds no more than 2^29 to a pointer */

typedef struct {
    uint64_t *slots;  /* NULL: no table; borrowed */
    unsigned buckets; /* a power of two, VIR_GATE_BUCKETS_MIN at least */
} virGateNodes;

/* Buckets of a table for so many rules: one each, so that one rule in 200 finds its bucket full. */
unsigned virGateNodesBuckets(size_t rules);
/* True if a table can have so many. */
bool virGateNodesIsSize(unsigned buckets);
/* What the last product is shifted right by. */
unsigned virGateNodesShift(unsigned buckets);

/* The slot that holds the rule for exactly this node (its access doesn't count). False: none. */
bool virGateNodesGet(const virGateNodes *nodes, const virDeviceRule *rule, uint64_t *retSlot);
/* Sets the rule to exactly its access, VIR_GATE_NODE_USED with it or not; no access: it is gone.
 * False if there is no place for it here: it names more than one node, has no rule here and its
 * bucket is full, or has none that could go. */
bool virGateNodesSet(const virGateNodes *nodes, const virDeviceRule *rule, uint64_t used);

/* The rule in slot i of VIR_GATE_BUCKET_SLOTS * buckets; false if that one is free. */
bool virGateNodesAt(const virGateNodes *nodes, size_t i, virDeviceRule *retRule, bool *retUsed);
