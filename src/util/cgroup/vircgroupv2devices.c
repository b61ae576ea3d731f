/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2devices.c: turn device rules into a BPF program and keep it on a group.
 * Three stages, each usable alone: build (virgateprogram.c, pure), load, attach. A guest is never
 * without rules, not even while they are exchanged. In a job, without the core lock (it may wait
 * for RCU); called by delegate/local only. See vircgroupv2devices.h. */
#include "util/cgroup/vircgroupv2devices.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/virgatepins.h"
#include "util/cgroup/virgateprobe.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virlog.h"
#include "util/virutil.h"

/* How often an attach is tried again when somebody else attaches at the same moment. */
#define ATTACH_TRIES 5

/* --- handles --- */

static size_t
virCgroupV2DevicesHeaderSize(void)
{
    return (size_t)sysconf(_SC_PAGESIZE); /* a map is mapped in whole pages */
}

void
virCgroupV2DevicesClear(virCgroupV2Devices *devices)
{
    if (devices->header)
        (void)munmap(devices->header, virCgroupV2DevicesHeaderSize());
    devices->header = NULL;
    if (devices->nodes.slots)
        (void)munmap(devices->nodes.slots, (size_t)devices->nodes.buckets * VIR_GATE_BUCKET_SIZE);
    devices->nodes = (virGateNodes){NULL, 0};
    virCloseFd(&devices->rulesFd);
    virCloseFd(&devices->nodesFd);
    virCloseFd(&devices->headerFd);
    virCloseFd(&devices->eventsFd);
    virCloseFd(&devices->progFd);
    virCloseFd(&devices->linkFd);
    devices->pinned = false;
    devices->capacity = 0;
    devices->count = -1;
}

bool
virCgroupV2DevicesMapHeader(virCgroupV2Devices *devices)
{
    void *memory = mmap(NULL, virCgroupV2DevicesHeaderSize(), PROT_READ | PROT_WRITE, MAP_SHARED,
                        devices->headerFd, 0);

    if (memory == MAP_FAILED)
        return false;
    devices->header = memory;
    return true;
}

bool
virCgroupV2DevicesMapNodes(virCgroupV2Devices *devices)
{
    struct bpf_map_info info;
    void *memory;

    if (devices->nodesFd < 0)
        return true;
    if (!virBPFGetMapInfo(devices->nodesFd, &info))
        return false;
    if (info.max_entries != 1 || info.value_size % VIR_GATE_BUCKET_SIZE ||
        !virGateNodesIsSize(info.value_size / VIR_GATE_BUCKET_SIZE)) {
        errno = EINVAL;
        return false;
    }
    memory = mmap(NULL, info.value_size, PROT_READ | PROT_WRITE, MAP_SHARED, devices->nodesFd, 0);
    if (memory == MAP_FAILED)
        return false;
    devices->nodes = (virGateNodes){memory, info.value_size / VIR_GATE_BUCKET_SIZE};
    return true;
}

/* An exchange that was cut short leaves the first ABI's number beside a table. */
bool
virCgroupV2DevicesIsKnown(const virCgroupV2Devices *devices)
{
    return devices->header->abi == VIR_GATE_ABI_TRIE ||
           (devices->header->abi == VIR_GATE_ABI && devices->nodes.slots);
}

bool
virCgroupV2DevicesGroupId(int groupFd, uint64_t *retId, GError **error)
{
    struct stat st;

    if (fstat(groupFd, &st) < 0)
        return virErrorErrno(error, _("cannot look at the control group"));
    *retId = st.st_ino;
    return true;
}

uint32_t
virCgroupV2DevicesGetPerms(unsigned access, virDeviceType type)
{
    return access << 16 | (uint32_t)type;
}

virCgroupV2DevicesAnswer
virCgroupV2DevicesAvailable(int groupFd)
{
    virBPFProgs progs;

    if (virBPFQueryDeviceProgs(groupFd, /* effective: */ false, &progs))
        return VIR_CGROUP_V2_DEVICES_YES;
    return errno == EPERM || errno == EACCES ? VIR_CGROUP_V2_DEVICES_DENIED
                                             : VIR_CGROUP_V2_DEVICES_NO;
}

int
virCgroupV2DevicesCreateEvents(GError **error)
{
    int fd =
        virBPFCreateMap(BPF_MAP_TYPE_RINGBUF, VIR_GATE_EVENTS_NAME, 0, 0, VIR_GATE_EVENTS_SIZE, 0);

    if (fd < 0)
        virErrorErrno(error, _("cannot create the ring of denials"));
    return fd;
}

/* --- build and load --- */

/* Both places for rules, empty: bound to capacity, with a table for so many nodes. */
static bool
virCgroupV2DevicesCreateRules(virCgroupV2Devices *devices, uint32_t capacity, size_t rules,
                              GError **error)
{
    devices->capacity = capacity;
    devices->rulesFd =
        virBPFCreateMap(BPF_MAP_TYPE_LPM_TRIE, VIR_GATE_RULES_NAME, sizeof(virGateKey),
                        sizeof(virGateValue), capacity, BPF_F_NO_PREALLOC);
    devices->nodesFd =
        virBPFCreateMap(BPF_MAP_TYPE_ARRAY, VIR_GATE_NODES_NAME, sizeof(uint32_t),
                        virGateNodesBuckets(rules) * VIR_GATE_BUCKET_SIZE, 1, BPF_F_MMAPABLE);
    return (devices->rulesFd >= 0 && devices->nodesFd >= 0 &&
            virCgroupV2DevicesMapNodes(devices)) ||
           virErrorErrno(error, _("cannot create the rule maps of the device gate"));
}

static bool
virCgroupV2DevicesCreateHeader(virCgroupV2Devices *devices, virGateMode mode, GError **error)
{
    devices->headerFd = virBPFCreateMap(BPF_MAP_TYPE_ARRAY, VIR_GATE_HEADER_NAME, sizeof(uint32_t),
                                        sizeof(virGateHeader), 1, BPF_F_MMAPABLE);
    if (devices->headerFd < 0 || !virCgroupV2DevicesMapHeader(devices))
        return virErrorErrno(error, _("cannot create the header of the device gate"));
    devices->header->abi = VIR_GATE_ABI;
    devices->header->program = VIR_GATE_PROGRAM_VERSION;
    devices->header->mode = mode;
    return true;
}

/* A new program over the maps; eventsFd -1: the silent form, for the link. */
static int
virCgroupV2DevicesLoad(const virCgroupV2Devices *devices, int eventsFd, GError **error)
{
    const virGateMaps maps = {devices->rulesFd, devices->nodesFd, devices->nodes.buckets,
                              devices->headerFd, eventsFd};
    virGateProgram program;
    char log[4096] = "";
    int fd;

    virGateProgramBuild(&program, &maps);
    fd = virBPFLoadDeviceProg(program.insns, program.count,
                              eventsFd >= 0 ? VIR_GATE_PROG_NAME : VIR_GATE_LOCK_PROG_NAME, log,
                              sizeof(log));
    if (fd < 0) {
        int errnum = errno;

        if (*log)
            VIR_DEBUG("verifier: %s", log);
        virErrorErrnoValue(error, errnum, _("cannot load the program of the device gate"));
    }
    return fd;
}

/* --- attach --- */

/* The pinned link beside the direct attachment: a program of its own that reports nothing. */
static bool
virCgroupV2DevicesLink(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                       GError **error)
{
    VIR_AUTOCLOSE lockFd = virCgroupV2DevicesLoad(devices, /* eventsFd: */ -1, error);

    if (lockFd < 0)
        return false;
    if (devices->linkFd >= 0)
        return virBPFUpdateLink(devices->linkFd, lockFd) ||
               virErrorErrno(error, _("cannot exchange the program of the device gate's link"));
    devices->linkFd = virBPFCreateDeviceLink(place->groupFd, lockFd);
    return devices->linkFd >= 0 || virErrorErrno(error, _("cannot link the device gate"));
}

static bool
virCgroupV2DevicesTryAttach(const virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                            const virCgroupV2Devices *replaced)
{
    virBPFProgs progs;
    int replaceFd = replaced ? replaced->progFd : -1;

    if (!virBPFQueryDeviceProgs(place->groupFd, /* effective: */ false, &progs))
        return false;
    if (virBPFAttachDeviceProg(place->groupFd, devices->progFd, replaceFd, progs.revision))
        return true;
    /* Somebody took the old one off: then ours is added, at once. */
    return errno == ENOENT && replaceFd >= 0 &&
           virBPFAttachDeviceProg(place->groupFd, devices->progFd, /* replaceFd: */ -1, 0);
}

bool
virCgroupV2DevicesAttachProg(const virCgroupV2Devices *devices,
                             const virCgroupV2DevicesPlace *place,
                             const virCgroupV2Devices *replaced, GError **error)
{
    for (int i = 0; i < ATTACH_TRIES; i++) {
        if (virCgroupV2DevicesTryAttach(devices, place, replaced))
            return true;
        if (errno != ESTALE)
            break;
    }
    return virErrorErrno(error, _("cannot attach the device gate to its control group"));
}

/* --- verify --- */

int
virCgroupV2DevicesIsAttached(const virCgroupV2Devices *devices, int groupFd)
{
    struct bpf_prog_info info;
    virBPFProgs progs;

    if (!virBPFQueryDeviceProgs(groupFd, /* effective: */ false, &progs))
        return -1;
    if (devices->progFd < 0 || !virBPFGetProgInfo(devices->progFd, &info, NULL, 0))
        return 0;
    for (uint32_t i = 0; i < progs.count; i++) {
        if (progs.ids[i] == info.id)
            return 1;
    }
    return 0;
}

static bool
virCgroupV2DevicesVerify(const virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                         const GArray *rules, GError **error)
{
    g_autoptr(GArray) held = virCgroupV2DevicesReadRules(devices, error);
    g_autoptr(GArray) changes = NULL;
    virDeviceRule probed;

    if (!held)
        return false;
    changes = virDeviceRulesChanges(rules, held);
    if (changes->len > 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the kernel holds other rules than the device gate was given"));
    if (virCgroupV2DevicesIsAttached(devices, place->groupFd) == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the device gate was attached but is not on its control group"));
    if (place->handed)
        return true;
    if (!virGateProbe(place->groupFd, rules, (virGateMode)devices->header->mode,
                      /* mover: */ NULL, &probed, error))
        return false;
    virCgroupV2DevicesForgetUse(devices, &probed); /* ours was no use by the guest */
    return true;
}

/* --- the steps together --- */

static uint32_t
virCgroupV2DevicesBound(const virGateSettings *settings)
{
    return settings->capacityMax ? settings->capacityMax : VIR_CGROUP_V2_DEVICES_CAPACITY_MAX;
}

uint32_t
virCgroupV2DevicesCapacityFor(const virGateSettings *settings, uint32_t capacity, size_t rules,
                              GError **error)
{
    const uint32_t bound = virCgroupV2DevicesBound(settings);

    while (capacity < rules && capacity < bound)
        capacity = capacity > bound / 2 ? bound : capacity * 2;
    if (capacity >= rules)
        return capacity;
    virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                _("the device gate would need %zu rules, and gate_rules_max allows %u"), rules,
                bound);
    return 0;
}

bool
virCgroupV2DevicesMake(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                       const virGateSettings *settings, const GArray *rules, GError **error)
{
    uint32_t wanted = settings->capacity ? settings->capacity : VIR_CGROUP_V2_DEVICES_CAPACITY;
    uint32_t capacity = virCgroupV2DevicesCapacityFor(settings, wanted, rules->len, error);

    if (!capacity || !virCgroupV2DevicesCreateRules(devices, capacity, rules->len, error) ||
        !virCgroupV2DevicesCreateHeader(devices, settings->mode, error) ||
        !virCgroupV2DevicesFillRules(devices, rules, error) ||
        !VIR_FAULT_STEP("gate:map-filled", error))
        return false;
    devices->eventsFd = fcntl(place->eventsFd, F_DUPFD_CLOEXEC, 3);
    if (devices->eventsFd < 0)
        return virErrorErrno(error, _("cannot use the ring of denials"));
    devices->progFd = virCgroupV2DevicesLoad(devices, devices->eventsFd, error);
    return devices->progFd >= 0 && VIR_FAULT_STEP("gate:loaded", error);
}

bool
virCgroupV2DevicesPin(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                      GError **error)
{
    if (place->pinsFd < 0)
        return true;
    if (!virGatePinsMake(place, devices, error) || !VIR_FAULT_STEP("gate:pinned", error) ||
        !virGatePinsPublish(place, error))
        return false;
    devices->pinned = true;
    return VIR_FAULT_STEP("gate:published", error);
}

/* The link is pinned, or it would end with the daemon. */
bool
virCgroupV2DevicesIsLinked(const virCgroupV2DevicesPlace *place, const virGateSettings *settings)
{
    return settings->lock == VIR_GATE_LOCK_BOTH && (place->pinsFd >= 0 || place->handed);
}

bool
virCgroupV2DevicesSecure(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                         const virGateSettings *settings, const GArray *rules, GError **error)
{
    if ((virCgroupV2DevicesIsLinked(place, settings) &&
         !virCgroupV2DevicesLink(devices, place, error)) ||
        !VIR_FAULT_STEP("gate:linked", error) ||
        !virCgroupV2DevicesVerify(devices, place, rules, error) ||
        !VIR_FAULT_STEP("gate:verified", error))
        return false;
    /* From here on its denials are the guest's; those of the probe had no uuid. */
    devices->header->denied = 0;
    devices->header->dropped = 0;
    memcpy(devices->header->uuid, place->uuid, 16);
    return virCgroupV2DevicesPin(devices, place, error);
}

bool
virCgroupV2DevicesCreateProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                             const virGateSettings *settings, const GArray *rules, GError **error)
{
    if (virCgroupV2DevicesMake(devices, place, settings, rules, error) &&
        virCgroupV2DevicesAttachProg(devices, place, NULL, error) &&
        VIR_FAULT_STEP("gate:attached", error) &&
        virCgroupV2DevicesSecure(devices, place, settings, rules, error))
        return true;
    (void)virCgroupV2DevicesRemoveProg(devices, place, NULL); /* the error in hand says more */
    return false;
}

/* The maps of rules for what comes after devices: the same, or new ones with the same rules if
 * there is to be another room or there is no table yet. */
static bool
virCgroupV2DevicesTakeRules(virCgroupV2Devices *next, const virCgroupV2Devices *devices,
                            uint32_t capacity, GError **error)
{
    g_autoptr(GArray) rules = NULL;

    if (capacity == devices->capacity && devices->nodes.slots) {
        next->capacity = capacity;
        next->count = devices->count;
        next->rulesFd = fcntl(devices->rulesFd, F_DUPFD_CLOEXEC, 3);
        next->nodesFd = fcntl(devices->nodesFd, F_DUPFD_CLOEXEC, 3);
        return (next->rulesFd >= 0 && next->nodesFd >= 0 && virCgroupV2DevicesMapNodes(next)) ||
               virErrorErrno(error, _("cannot use the rules of the device gate"));
    }
    rules = virCgroupV2DevicesReadRules(devices, error);
    return rules && virCgroupV2DevicesCreateRules(next, capacity, rules->len, error) &&
           virCgroupV2DevicesCopyRules(devices, next, error);
}

/* The handles of what comes after devices, up to the loaded program. */
static bool
virCgroupV2DevicesMakeNext(virCgroupV2Devices *next, const virCgroupV2Devices *devices,
                           uint32_t capacity, GError **error)
{
    next->headerFd = fcntl(devices->headerFd, F_DUPFD_CLOEXEC, 3);
    next->eventsFd = fcntl(devices->eventsFd, F_DUPFD_CLOEXEC, 3);
    if (devices->linkFd >= 0)
        next->linkFd = fcntl(devices->linkFd, F_DUPFD_CLOEXEC, 3);
    if (next->headerFd < 0 || next->eventsFd < 0 || !virCgroupV2DevicesMapHeader(next))
        return virErrorErrno(error, _("cannot use the header of the device gate"));
    if (!virCgroupV2DevicesTakeRules(next, devices, capacity, error))
        return false;
    next->progFd = virCgroupV2DevicesLoad(next, next->eventsFd, error);
    return next->progFd >= 0;
}

bool
virCgroupV2DevicesRenewProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                            uint32_t capacity, GError **error)
{
    virCgroupV2Devices next = VIR_CGROUP_V2_DEVICES_INIT;

    if (virCgroupV2DevicesMakeNext(&next, devices, capacity, error) &&
        (place->pinsFd < 0 || virGatePinsMake(place, &next, error)) &&
        VIR_FAULT_STEP("gate:grown-pinned", error) &&
        virCgroupV2DevicesAttachProg(&next, place, devices, error)) {
        /* The new program is the gate now: what follows must not undo it. */
        virCgroupV2DevicesClear(devices);
        *devices = next;
        if (!VIR_FAULT_STEP("gate:swapped", error) ||
            (devices->linkFd >= 0 && !virCgroupV2DevicesLink(devices, place, error)) ||
            (place->pinsFd >= 0 && !virGatePinsPublish(place, error)))
            return false;
        devices->pinned = place->pinsFd >= 0;
        devices->header->abi = VIR_GATE_ABI;
        devices->header->program = VIR_GATE_PROGRAM_VERSION;
        return true;
    }
    if (place->pinsFd >= 0)
        (void)virGatePinsRemove(place->pinsFd, place->uuid, VIR_GATE_PINS_NEW, NULL);
    virCgroupV2DevicesClear(&next);
    return false;
}

/* What is on the group becomes a gate of ours, or is one. */
static bool
virCgroupV2DevicesObtain(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                         const virGateSettings *settings, const GArray *rules,
                         virGateFound *retFound, GError **error)
{
    if (!virCgroupV2DevicesDetectProg(devices, place, retFound, error))
        return false;
    if ((*retFound == VIR_GATE_FOUND_LIBVIRT &&
         !virCgroupV2DevicesAdoptProg(devices, place, settings, error)) ||
        (*retFound == VIR_GATE_FOUND_NONE &&
         !virCgroupV2DevicesCreateProg(devices, place, settings, rules, error)))
        return false;
    if (*retFound != VIR_GATE_FOUND_FOREIGN)
        virCgroupV2DevicesUncover(place);
    return true;
}

bool
virCgroupV2DevicesPrepareProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                              const virGateSettings *settings, const GArray *rules, size_t extra,
                              virGateFound *retFound, GError **error)
{
    g_autoptr(GArray) held = NULL;
    uint32_t capacity;

    if (devices->rulesFd < 0 &&
        !virCgroupV2DevicesObtain(devices, place, settings, rules, retFound, error))
        return false;
    if (extra == 0 || devices->rulesFd < 0)
        return true;
    held = virCgroupV2DevicesReadRules(devices, error);
    if (!held)
        return false;
    capacity = virCgroupV2DevicesCapacityFor(settings, devices->capacity, held->len + extra, error);
    return capacity && (capacity == devices->capacity ||
                        virCgroupV2DevicesRenewProg(devices, place, capacity, error));
}

bool
virCgroupV2DevicesRepairProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                             const virGateSettings *settings, bool *retReattached, GError **error)
{
    bool linked = virCgroupV2DevicesIsLinked(place, settings);
    bool whole;

    *retReattached = false;
    memcpy(devices->header->uuid, place->uuid, 16);
    if (devices->linkFd >= 0 && !virCgroupV2DevicesLinkIsAlive(devices->linkFd, place->groupFd))
        virCloseFd(&devices->linkFd);
    if (place->pinsFd >= 0 && !virGatePinsExist(place->pinsFd, place->uuid))
        devices->pinned = false;
    whole = devices->pinned && (!linked || devices->linkFd >= 0);
    if (devices->progFd < 0)
        devices->progFd = virCgroupV2DevicesLoad(devices, devices->eventsFd, error);
    if (devices->progFd < 0)
        return false;
    if (virCgroupV2DevicesIsAttached(devices, place->groupFd) == 0) {
        if (!virCgroupV2DevicesAttachProg(devices, place, NULL, error))
            return false;
        *retReattached = true;
        whole = false;
    }
    if (devices->header->program != VIR_GATE_PROGRAM_VERSION &&
        !virCgroupV2DevicesRenewProg(devices, place, devices->capacity, error))
        return false;
    if (whole || (place->pinsFd < 0 && !place->handed))
        return true;
    return (!linked || devices->linkFd >= 0 || virCgroupV2DevicesLink(devices, place, error)) &&
           virCgroupV2DevicesPin(devices, place, error);
}

bool
virCgroupV2DevicesRemoveProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                             GError **error)
{
    bool done = true;

    if (place->pinsFd >= 0)
        done = virGatePinsRemove(place->pinsFd, place->uuid, VIR_GATE_PINS_CURRENT, error) &&
               VIR_FAULT_STEP("gate:unpinned", error) &&
               virGatePinsRemove(place->pinsFd, place->uuid, VIR_GATE_PINS_NEW, error);
    /* The attachment goes with the group; detaching lets an emptied group live on without it. */
    if (place->groupFd >= 0 && devices->progFd >= 0 &&
        !virBPFDetachDeviceProg(place->groupFd, devices->progFd) && errno != ENOENT && done)
        done = virErrorErrno(error, _("cannot detach the device gate from its control group"));
    virCgroupV2DevicesClear(devices);
    return done;
}
