/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgate.h: the device gate of a guest: the rules with their owners, and the handle on what
 * enforces them in the kernel.
 *
 * A gate is made before QEMU is spawned and goes after its last process. On v2 it is a program over
 * a rule map, see vircgroupv2devices.h; on v1 the group's devices.allow and devices.deny. What
 * changes it is called by src/delegate/local* alone; the driver says what it wants to the door:
 *
 *     virDelegateGateCreate(door, call, group, rules, &gate, error)       at start
 *     virDelegateGateAllow(door, call, gate, "hostdev0", &rule, error)    at hot-plug
 *     virDelegateGateDropOwner(door, call, gate, "hostdev0", error)       at unplug
 *     virDelegateGateReopen(door, call, group, uuid, rules, &gate, ...)   after a restart
 *     virDelegateGateRemove(door, call, gate, error)                      at the end
 *
 * Blocks (a swap may wait for RCU): in a job, without the core lock. A gate has its own mutex; the
 * reading functions may be called from any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/cgroup/vircgroup.h"
#include "util/cgroup/virdevicerule.h"

typedef struct virGate virGate;

typedef enum {
    VIR_GATE_ENFORCE = 0,    /* what no rule allows is denied and reported */
    VIR_GATE_PERMISSIVE = 1, /* it is allowed and reported: to find out what a guest needs */
    VIR_GATE_MODE_LAST
} virGateMode;

/* "enforce", "permissive"; NULL and -1 for others. */
const char *virGateModeToString(int mode);
int virGateModeFromString(const char *name);

/* How the gate is held on its group. */
typedef enum {
    VIR_GATE_LOCK_DIRECT = 0, /* attached to the group: lives as long as the group, fails closed */
    VIR_GATE_LOCK_BOTH = 1,   /* and by a pinned link, which no other manager can replace */
    VIR_GATE_LOCK_LAST
} virGateLock;
const char *virGateLockToString(int lock);
int virGateLockFromString(const char *name);

typedef struct {
    virGateMode mode;
    virGateLock lock;
    uint32_t capacity;    /* rules that fit before the map is doubled; 0: the default, 65,536 */
    uint32_t capacityMax; /* it is not doubled beyond this; 0: the default, 4,194,304 */
} virGateSettings;

/* Where a gate that is looked for after a restart was found. */
typedef enum {
    VIR_GATE_FOUND_PINS,    /* by its pins; no privilege was needed */
    VIR_GATE_FOUND_IDS,     /* by asking the kernel for the group's programs */
    VIR_GATE_FOUND_LIBVIRT, /* one that libvirt made; not taken over yet */
    VIR_GATE_FOUND_FOREIGN, /* enforced, but nobody here may manage it: hot-plug is refused */
    VIR_GATE_FOUND_NONE,    /* no gate on the group */
} virGateFound;

typedef struct {
    uint64_t denied;  /* accesses without a rule, also in permissive mode */
    uint64_t dropped; /* of these, not reported because the ring was full */
} virGateCounters;

virGate *virGateRef(virGate *gate);
void virGateUnref(virGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virGate, virGateUnref)

/* A device program that is not the gate's, but has a say in what the guest may open. */
typedef struct {
    uint32_t id;
    bool above;    /* on a group above the guest's; else beside the gate */
    char name[16]; /* "" if we may not ask */
} virGateForeign;
#define VIR_GATE_FOREIGN_MAX 8

/* How the gate is held at this moment. */
typedef struct {
    bool known;    /* false: we may not ask (CAP_NET_ADMIN), attached and foreign say nothing */
    bool attached; /* on its group, directly */
    bool linked;   /* and by a link that lives */
    bool pinned;
    unsigned waited;   /* looks at it since it was last brought to its rules; 0: it is */
    uint64_t revision; /* of what is attached to the group; 0 on a kernel that doesn't count */
    unsigned nforeign; /* may be more than fit below */
    virGateForeign foreign[VIR_GATE_FOREIGN_MAX];
} virGateState;

/* Nothing is missing, nobody else is there. */
#define VIR_GATE_STATE_WHOLE                                                                       \
    {                                                                                              \
        .known = true, .attached = true, .linked = true, .pinned = true                            \
    }

/* Finds a running guest's gate to look at it; only reads. pinsPath is the folder of the instance's
 * pins; one that isn't there is no error. *retFound as after a restart. */
virGate *virGateOpen(virCgroup *group, const char *pinsPath, const uint8_t uuid[16],
                     virGateFound *retFound, GError **error);

virCgroup *virGateGroup(const virGate *gate); /* borrowed */
void virGateUuid(const virGate *gate, uint8_t retUuid[16]);
virGateMode virGateGetMode(virGate *gate);
/* False if it is enforced but can't be changed from here ("gate not manageable"). */
bool virGateIsManageable(virGate *gate);

/* A copy of the rules with their owners. Caller frees. */
virDeviceRules *virGateRules(virGate *gate);
/* What the kernel holds now, sorted as virDeviceRulesUnion; caller frees with g_array_unref. */
GArray *virGateReadBack(virGate *gate, GError **error);
/* What the kernel grants by the rule for exactly this node (access doesn't count); 0: no such rule.
 */
bool virGateGetAccess(virGate *gate, const virDeviceRule *node, unsigned *retAccess,
                      GError **error);
/* True if anything of the gate is pinned. */
bool virGateIsPinned(virGate *gate);
/* True if the rule's node was used since it was allowed (v2 only; else false). */
bool virGateRuleWasUsed(virGate *gate, const virDeviceRule *rule);
bool virGateGetCounters(virGate *gate, virGateCounters *retCounters, GError **error);
/* Looks at the group; some microseconds. */
bool virGateInspect(virGate *gate, virGateState *retState, GError **error);
/* True if the state lacks something that the gate's settings want. */
bool virGateIsDamaged(virGate *gate, const virGateState *state);
