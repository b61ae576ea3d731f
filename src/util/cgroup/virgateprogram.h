/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgateprogram.h: the text of the gate's program, and the layout of the maps that it and we
 * share. Pure: nothing here calls the kernel.
 *
 * The program is the same for every guest and every rule; only the maps are put in. So changing a
 * rule never loads anything. There are two forms: one that reports what it denies, which is
 * attached to the group, and a silent one for the link beside it, so that a denial is reported once
 * and not twice; that one also leaves the marks of used rules alone, and is loaded the faster. A
 * third, the cover, stands in for a gate that is taken over.
 *
 * A rule lies in one of two places. That of one node, in the table of nodes (virgatenodes.h), the
 * one element of an array: one line of memory for a check. All others, and those whose bucket there
 * is full, in a trie of longest prefixes (BPF_MAP_TYPE_LPM_TRIE), which stays small:
 *
 *     key      prefix length in bits | type (8) | major (24) | minor (32), big-endian
 *              64: one node    32: c 10:*    8: c *:*
 *              c *:200 is type | 0x80, major 0, 64 bits: a wildcard in front is no prefix
 *     value    access bits | flags (1: used since it was set) | the key's prefix | generation
 *
 * One element's update swaps a node under RCU: a reader sees the old or the new value. */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cgroup/virdevicerule.h"
#include "util/cgroup/virgatenodes.h"

/* Changes when an older program or daemon couldn't work with the maps of a newer one. */
#define VIR_GATE_ABI 2
/* A gate of the first one has no table: all its rules lie in the trie. It is read and changed as it
 * is, and gets a table together with this one's program. */
#define VIR_GATE_ABI_TRIE 1

/* Of the program's text. A gate found with another number gets this one's program over its own
 * maps, in one step. */
#define VIR_GATE_PROGRAM_VERSION 3

/* Names as bpftool shows them; by them and the layout ours are told from others'. */
#define VIR_GATE_PROG_NAME "vw_gate"
#define VIR_GATE_LOCK_PROG_NAME "vw_lock"
#define VIR_GATE_RULES_NAME "vw_rules"
#define VIR_GATE_NODES_NAME "vw_nodes"
#define VIR_GATE_HEADER_NAME "vw_header"
#define VIR_GATE_EVENTS_NAME "vw_events"

typedef struct {
    uint32_t prefix;
    uint32_t typeMajor; /* big-endian */
    uint32_t minor;     /* big-endian */
} virGateKey;

#define VIR_GATE_VALUE_USED 1

typedef struct {
    uint16_t access;
    uint8_t flags;
    uint8_t prefix; /* the key's: tells a rule's own value from that of a wider one */
    uint32_t generation;
} virGateValue;

/* The one element of the header map; also mapped into our memory. */
typedef struct {
    uint32_t abi;
    uint32_t mode; /* virGateMode: the program returns it, 0 denies */
    uint8_t uuid[16];
    uint64_t denied;
    uint64_t dropped;
    uint32_t program; /* VIR_GATE_PROGRAM_VERSION of what is attached */
    uint32_t padding;
} virGateHeader;

/* One denial in the ring. */
typedef struct {
    uint8_t uuid[16];
    uint64_t time_ns;
    uint32_t pid;
    uint32_t mode;
    uint32_t major;
    uint32_t minor;
    uint32_t accessType; /* access << 16 | type, as the kernel gives it */
    uint32_t padding;
    char thread[16];
} virGateEvent;

G_STATIC_ASSERT(sizeof(virGateKey) == 12);
G_STATIC_ASSERT(sizeof(virGateValue) == 8);
G_STATIC_ASSERT(sizeof(virGateHeader) == 48);
G_STATIC_ASSERT(sizeof(virGateEvent) == 64);

/* The element of a rule (its type being BLOCK or CHAR), and a rule from a key. */
virGateKey virGateKeyFromRule(const virDeviceRule *rule);
virGateValue virGateValueFromRule(const virDeviceRule *rule);
virDeviceRule virGateKeyToRule(const virGateKey *key, const virGateValue *value);

/* What a program is written over. */
typedef struct {
    int rulesFd;
    int nodesFd;      /* -1: no table, as in VIR_GATE_ABI_TRIE */
    unsigned buckets; /* of the table */
    int headerFd;
    int eventsFd; /* -1: the silent form */
} virGateMaps;

#define VIR_GATE_PROGRAM_MAX 240
typedef struct {
    struct bpf_insn insns[VIR_GATE_PROGRAM_MAX];
    size_t count;
} virGateProgram;

void virGateProgramBuild(virGateProgram *program, const virGateMaps *maps);

/* The silent form for a group further up, while the gate of the group with this id is exchanged:
 * whoever is not below that group is allowed everything. */
void virGateProgramBuildCover(virGateProgram *program, const virGateMaps *maps, uint64_t groupId);
/* Its name, by which it is found again: "vc" and the end of the id. */
void virGateCoverName(uint64_t groupId, char retName[BPF_OBJ_NAME_LEN]);
