/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2devices.h: device rules of a v2 group: a BPF program over maps of rules, kept on the
 * group.
 *
 * A group is never without its rules while they are exchanged: a rule lies in one place, the table
 * of nodes or the trie, and is changed by one store or one element there; the program is only ever
 * exchanged by replacing it in one step. In the group's folder of pins lie, under the
 * guest's uuid, the objects by which a restarted daemon finds all this again without any privilege:
 *
 *     <pins>/<uuid>/rules nodes hdr events prog link
 *     <pins>/<uuid>-new/                            while they are being made or exchanged
 *
 * In a job, without the core lock (a swap may wait for RCU). The changing functions are called
 * through delegate/local* alone; rights: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON to make and swap,
 * the first two to attach, none for rules, CAP_SYS_ADMIN to find by ids. One thread a group. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/cgroup/virgate.h"
#include "util/cgroup/virgateprobe.h"
#include "util/cgroup/virgateprogram.h"

/* Where settings say nothing: rules in a new map, and the most that a map is grown to. */
#define VIR_CGROUP_V2_DEVICES_CAPACITY 65536
#define VIR_CGROUP_V2_DEVICES_CAPACITY_MAX (1u << 22)

/* Where the group is and where the pins go; all borrowed. */
typedef struct {
    int groupFd;
    int pinsFd;     /* folder on a bpffs, -1: no pins, and so no link */
    int eventsFd;   /* ring that all guests share */
    uid_t pinOwner; /* who may open the pins after a restart */
    gid_t pinGroup;
    uint8_t uuid[16]; /* of the guest */
    /* The handles go to another process, which pins them, looks from inside the group, and so may
     * have a link without pins here. */
    bool handed;
} virCgroupV2DevicesPlace;

/* The handles on one group's gate. */
typedef struct {
    int rulesFd;
    int nodesFd; /* -1: a gate of VIR_GATE_ABI_TRIE, whose rules all lie in the trie */
    int headerFd;
    int eventsFd;
    int progFd;
    int linkFd; /* -1: attached directly only */
    uint32_t capacity;
    int64_t count;         /* rules in both places; -1: not counted yet */
    bool pinned;           /* all of it, under the guest's uuid */
    virGateHeader *header; /* the header map, in our memory */
    virGateNodes nodes;    /* the table, in our memory */
} virCgroupV2Devices;

#define VIR_CGROUP_V2_DEVICES_INIT                                                                 \
    {                                                                                              \
        -1, -1, -1, -1, -1, -1, 0, -1, false, NULL,                                                \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }

/* What each of a gate's maps must be. */
typedef struct {
    const char *name; /* the map's own */
    const char *pin;  /* as in docs/device-gate.md */
    uint32_t type;
    uint32_t keySize;
    uint32_t valueSize; /* 0: of any size, which is looked at when it is mapped */
    size_t offset;      /* of its descriptor in virCgroupV2Devices */
} virGateMapKind;
#define VIR_GATE_MAP_KINDS 4
extern const virGateMapKind virGateMapKinds[VIR_GATE_MAP_KINDS];
/* True if type and sizes fit; the name does not count. */
bool virGateMapIsKind(const virGateMapKind *kind, const struct bpf_map_info *info);

/* Closes the handles; what is attached or pinned stays. Zeroed or cleared ones are fine. */
void virCgroupV2DevicesClear(virCgroupV2Devices *devices);

typedef enum {
    VIR_CGROUP_V2_DEVICES_YES,
    VIR_CGROUP_V2_DEVICES_NO,     /* this kernel has no device programs for groups */
    VIR_CGROUP_V2_DEVICES_DENIED, /* it has, but we may not ask (CAP_NET_ADMIN) */
} virCgroupV2DevicesAnswer;

/* Asks the kernel, by listing the device programs of the group. */
virCgroupV2DevicesAnswer virCgroupV2DevicesAvailable(int groupFd);

/* A new ring for denials, VIR_GATE_EVENTS_SIZE bytes. */
#define VIR_GATE_EVENTS_SIZE (256u << 10)
int virCgroupV2DevicesCreateEvents(GError **error);

/* A new map and program on the group: map filled with rules (a union), program loaded, attached,
 * pinned, and what the kernel then says compared with what was wanted, by reading back and by a
 * process in the group that looks at a node with a rule and at one without. Denies all else. On
 * error nothing is left. */
bool virCgroupV2DevicesCreateProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                                  const virGateSettings *settings, const GArray *rules,
                                  GError **error);

/* Puts the program on the group, or, with replaced, takes the place of that one in one atomic
 * step. */
bool virCgroupV2DevicesAttachProg(const virCgroupV2Devices *devices,
                                  const virCgroupV2DevicesPlace *place,
                                  const virCgroupV2Devices *replaced, GError **error);

/* After a restart: pins first (no privilege), else ids; ours by name, layout and uuid, never "the
 * first". *retFound may be any; devices is filled for _PINS and _IDS. A gate that is pinned but not
 * on the group any more is _NONE. */
bool virCgroupV2DevicesDetectProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                                  virGateFound *retFound, GError **error);

/* A new program of this version takes the place of the one that is there, over the same rules: in
 * the same map, or, with another capacity, in a new one. The gate is whole at every moment. */
bool virCgroupV2DevicesRenewProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                                 uint32_t capacity, GError **error);

/* Takes over the gate that libvirt made on the group (one exclusive program over a hash of rules):
 * its rules, read and converted, in a gate of ours, in which they are allowed whatever they
 * overlap. Meanwhile a cover on the group above denies what ours will deny. CAP_SYS_ADMIN. */
bool virCgroupV2DevicesAdoptProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                                 const virGateSettings *settings, GError **error);
/* Takes a cover off that an interrupted adoption has left; none is success. */
void virCgroupV2DevicesUncover(const virCgroupV2DevicesPlace *place);
/* True if the program of this id has libvirt's layout; *retMapFd its rules, the caller's. */
bool virCgroupV2DevicesIsLibvirt(uint32_t progId, int *retProgFd, int *retMapFd);

/* The steps of CreateProg, for AdoptProg: maps filled and program loaded; link, verification and
 * pins for a program that is attached. */
bool virCgroupV2DevicesMake(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                            const virGateSettings *settings, const GArray *rules, GError **error);
bool virCgroupV2DevicesSecure(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                              const virGateSettings *settings, const GArray *rules, GError **error);

/* How it is held now. */
bool virCgroupV2DevicesInspect(const virCgroupV2Devices *devices,
                               const virCgroupV2DevicesPlace *place, virGateState *retState,
                               GError **error);
/* True if the link holds a program on this group. A link outlives its group as a dead object. */
bool virCgroupV2DevicesLinkIsAlive(int linkFd, int groupFd);

/* Unless devices is open already: detects, takes over what libvirt made, else creates. Then sees to
 * it that extra more rules fit, doubling the map if need be, up to the settings' bound: beyond it
 * VIR_ERR_OPERATION_UNSUPPORTED. */
bool virCgroupV2DevicesPrepareProg(virCgroupV2Devices *devices,
                                   const virCgroupV2DevicesPlace *place,
                                   const virGateSettings *settings, const GArray *rules,
                                   size_t extra, virGateFound *retFound, GError **error);

/* Has what is missing (direct attachment, link, pins) put back, and an older program exchanged.
 * Idempotent. *retReattached: the program had been taken off the group. */
bool virCgroupV2DevicesRepairProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                                  const virGateSettings *settings, bool *retReattached,
                                  GError **error);

/* Detaches, unpins and closes, so that the kernel frees program and map. A half-made one too. */
bool virCgroupV2DevicesRemoveProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                                  GError **error);

/* The mask that the kernel gives the program for this access to this type. */
uint32_t virCgroupV2DevicesGetPerms(unsigned access, virDeviceType type);

/* One rule to exactly its access (0: gone). False with errno, ENOSPC or E2BIG if the gate is full.
 */
bool virCgroupV2DevicesSetRule(virCgroupV2Devices *devices, const virDeviceRule *rule);
/* The rule for exactly what this one names; its access doesn't count. False: none. */
bool virCgroupV2DevicesGetRule(const virCgroupV2Devices *devices, const virDeviceRule *rule,
                               unsigned *retAccess, bool *retUsed);
/* Takes back that the rule was used. */
void virCgroupV2DevicesForgetUse(const virCgroupV2Devices *devices, const virDeviceRule *rule);
/* The kernel's rules, sorted. Caller frees. */
GArray *virCgroupV2DevicesReadRules(const virCgroupV2Devices *devices, GError **error);
/* Fills empty maps. */
bool virCgroupV2DevicesFillRules(virCgroupV2Devices *devices, const GArray *rules, GError **error);
/* Fills empty maps with what others have; what was used is used there, too. */
bool virCgroupV2DevicesCopyRules(const virCgroupV2Devices *from, virCgroupV2Devices *to,
                                 GError **error);

/* The rules that a gate has to be made for if so many are to fit: doubled from capacity on; 0 with
 * an error beyond the settings' bound. */
uint32_t virCgroupV2DevicesCapacityFor(const virGateSettings *settings, uint32_t capacity,
                                       size_t rules, GError **error);
/* Pins all handles, in place of what was pinned before; without a bpffs nothing, with success. */
bool virCgroupV2DevicesPin(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                           GError **error);
/* True if the settings want a link there. */
bool virCgroupV2DevicesIsLinked(const virCgroupV2DevicesPlace *place,
                                const virGateSettings *settings);
/* 1: the program is on the group; 0: it is not; -1: we may not ask. */
int virCgroupV2DevicesIsAttached(const virCgroupV2Devices *devices, int groupFd);

/* Handles that another process gave: maps and program of the layout that we know, of this guest (or
 * of none yet), that belong together. Maps header and table into memory. VIR_ERR_INTERNAL_ERROR
 * naming the object, what was expected and what is there. No rights (Linux 5.19). */
bool virCgroupV2DevicesCheck(virCgroupV2Devices *devices, const uint8_t uuid[16], GError **error);
/* A process in the group uses a node that rules allow, and, unless mode is permissive, one that
 * they don't. *retAsked: the rule in these very maps was looked up for it; true as well if none of
 * the rules is for a node that can be used here. False if a verdict is wrong, or, with
 * VIR_ERR_SYSTEM_ERROR, if no process can be made there. */
bool virCgroupV2DevicesAsk(const virCgroupV2Devices *devices, int groupFd, const GArray *rules,
                           virGateMode mode, const virGateMover *mover, bool *retAsked,
                           GError **error);

/* Map the header into devices->header and the table into devices->nodes (no table is success);
 * false with errno. */
bool virCgroupV2DevicesMapHeader(virCgroupV2Devices *devices);
bool virCgroupV2DevicesMapNodes(virCgroupV2Devices *devices);
/* True if the maps, which are open and mapped, are those of an ABI that we know. */
bool virCgroupV2DevicesIsKnown(const virCgroupV2Devices *devices);
/* The id of the group's hierarchy node, as the kernel's links name it. */
bool virCgroupV2DevicesGroupId(int groupFd, uint64_t *retId, GError **error);
