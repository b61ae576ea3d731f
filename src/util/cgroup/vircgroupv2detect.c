/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2detect.c: find the gate of a group again, after the daemon was restarted.
 *
 * Pins come first: they need no privilege. What is on the group decides between an old and a new
 * set of pins, when a swap was cut short. Without pins the kernel is asked for the group's
 * programs, and ours is known by name, layout and the guest's uuid. Only reads. */
#include <string.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* --- what is on the group --- */

typedef struct {
    bool known; /* false: we may not ask */
    virBPFProgs progs;
} virCgroupV2Attached;

static bool
virCgroupV2AttachedAsk(virCgroupV2Attached *attached, int groupFd, GError **error)
{
    attached->known = virBPFQueryDeviceProgs(groupFd, /* effective: */ false, &attached->progs);
    return attached->known || errno == EPERM || errno == EACCES ||
           virErrorErrno(error, _("cannot list the device programs of the control group"));
}

static bool
virCgroupV2AttachedHas(const virCgroupV2Attached *attached, int progFd)
{
    struct bpf_prog_info info;

    if (progFd < 0 || !virBPFGetProgInfo(progFd, &info, NULL, 0))
        return false;
    for (uint32_t i = 0; i < attached->progs.count; i++) {
        if (attached->progs.ids[i] == info.id)
            return true;
    }
    return false;
}

/* --- by pins --- */

/* Chooses between the two sets of pins; *retFound false if neither is of use. */
static bool
virCgroupV2DetectByPins(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                        const virCgroupV2Attached *attached, virGateFound *retFound, GError **error)
{
    virCgroupV2Devices newer = VIR_CGROUP_V2_DEVICES_INIT;
    bool hasCurrent = false;
    bool hasNewer = false;

    *retFound = VIR_GATE_FOUND_NONE;
    if (!virGatePinsOpen(place, VIR_GATE_PINS_CURRENT, devices, &hasCurrent, error) ||
        !virGatePinsOpen(place, VIR_GATE_PINS_NEW, &newer, &hasNewer, error)) {
        virCgroupV2DevicesClear(devices);
        virCgroupV2DevicesClear(&newer);
        return false;
    }
    devices->pinned = hasCurrent && !hasNewer;
    if (hasNewer &&
        (!hasCurrent || (attached->known && virCgroupV2AttachedHas(attached, newer.progFd)))) {
        /* A swap got as far as the group: the newer one is the gate; its pins want publishing. */
        virCgroupV2DevicesClear(devices);
        *devices = newer;
        hasCurrent = true;
    } else {
        virCgroupV2DevicesClear(&newer);
        if (hasNewer && !attached->known)
            *retFound = VIR_GATE_FOUND_FOREIGN; /* which of the two it is can't be told from here */
    }
    if (!hasCurrent) {
        virCgroupV2DevicesClear(devices);
        return true;
    }
    if (!virCgroupV2DevicesLinkIsAlive(devices->linkFd, place->groupFd))
        virCloseFd(&devices->linkFd);
    if (*retFound == VIR_GATE_FOUND_NONE)
        *retFound = VIR_GATE_FOUND_PINS;
    return true;
}

/* --- by ids --- */

const virGateMapKind virGateMapKinds[VIR_GATE_MAP_KINDS] = {
    {VIR_GATE_RULES_NAME, "rules", BPF_MAP_TYPE_LPM_TRIE, sizeof(virGateKey), sizeof(virGateValue),
     offsetof(virCgroupV2Devices, rulesFd)},
    {VIR_GATE_NODES_NAME, "nodes", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), 0,
     offsetof(virCgroupV2Devices, nodesFd)},
    {VIR_GATE_HEADER_NAME, "hdr", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(virGateHeader),
     offsetof(virCgroupV2Devices, headerFd)},
    {VIR_GATE_EVENTS_NAME, "events", BPF_MAP_TYPE_RINGBUF, 0, 0,
     offsetof(virCgroupV2Devices, eventsFd)},
};

bool
virGateMapIsKind(const virGateMapKind *kind, const struct bpf_map_info *info)
{
    return info->type == kind->type && info->key_size == kind->keySize &&
           (!kind->valueSize || info->value_size == kind->valueSize);
}

/* Takes the map into its place if it is one of ours. */
static void
virCgroupV2DetectTakeMap(virCgroupV2Devices *devices, uint32_t id)
{
    VIR_AUTOCLOSE fd = virBPFOpenMapById(id);
    struct bpf_map_info info;

    if (fd < 0 || !virBPFGetMapInfo(fd, &info))
        return;
    for (size_t i = 0; i < VIR_GATE_MAP_KINDS; i++) {
        const virGateMapKind *kind = &virGateMapKinds[i];
        int *place = &G_STRUCT_MEMBER(int, devices, kind->offset);

        if (*place >= 0 || !virGateMapIsKind(kind, &info) || strcmp(info.name, kind->name) != 0)
            continue;
        if (info.type == BPF_MAP_TYPE_LPM_TRIE)
            devices->capacity = info.max_entries;
        *place = g_steal_fd(&fd);
        return;
    }
}

/* One without a uuid was attached here and not verified any more: a daemon was killed. */
static bool
virCgroupV2DetectIsOf(const virGateHeader *header, const uint8_t uuid[16])
{
    static const uint8_t none[16];

    return memcmp(header->uuid, uuid, 16) == 0 || memcmp(header->uuid, none, 16) == 0;
}

/* True if the program of this id is this guest's reporting one. */
static bool
virCgroupV2DetectTakeProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                          uint32_t id)
{
    VIR_AUTOCLOSE fd = virBPFOpenProgById(id);
    uint32_t maps[8];
    struct bpf_prog_info info;

    if (fd < 0 || !virBPFGetProgInfo(fd, &info, maps, G_N_ELEMENTS(maps)) ||
        strcmp(info.name, VIR_GATE_PROG_NAME) != 0)
        return false;
    for (uint32_t i = 0; i < MIN(info.nr_map_ids, G_N_ELEMENTS(maps)); i++)
        virCgroupV2DetectTakeMap(devices, maps[i]);
    if (devices->rulesFd < 0 || devices->headerFd < 0 || devices->eventsFd < 0 ||
        !virCgroupV2DevicesMapHeader(devices) || !virCgroupV2DevicesMapNodes(devices) ||
        !virCgroupV2DevicesIsKnown(devices) ||
        !virCgroupV2DetectIsOf(devices->header, place->uuid)) {
        virCgroupV2DevicesClear(devices);
        return false;
    }
    devices->progFd = g_steal_fd(&fd);
    return true;
}

/* True if libvirt's exclusive program is all there is. */
static bool
virCgroupV2DetectLibvirt(const virCgroupV2Attached *attached)
{
    VIR_AUTOCLOSE progFd = -1;
    VIR_AUTOCLOSE mapFd = -1;

    return attached->progs.count == 1 && attached->progs.flags == 0 &&
           virCgroupV2DevicesIsLibvirt(attached->progs.ids[0], &progFd, &mapFd);
}

static virGateFound
virCgroupV2DetectByIds(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                       const virCgroupV2Attached *attached)
{
    if (!attached->known)
        return VIR_GATE_FOUND_FOREIGN;
    for (uint32_t i = 0; i < attached->progs.count; i++) {
        if (virCgroupV2DetectTakeProg(devices, place, attached->progs.ids[i]))
            return VIR_GATE_FOUND_IDS;
        if (errno == EPERM)
            return VIR_GATE_FOUND_FOREIGN; /* something is there, and we may not look at it */
    }
    return virCgroupV2DetectLibvirt(attached) ? VIR_GATE_FOUND_LIBVIRT : VIR_GATE_FOUND_NONE;
}

bool
virCgroupV2DevicesDetectProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                             virGateFound *retFound, GError **error)
{
    virCgroupV2Attached attached = {false};

    if (!virCgroupV2AttachedAsk(&attached, place->groupFd, error))
        return false;
    *retFound = VIR_GATE_FOUND_NONE;
    if (place->pinsFd >= 0 && !virCgroupV2DetectByPins(devices, place, &attached, retFound, error))
        return false;
    if (*retFound == VIR_GATE_FOUND_NONE) {
        errno = 0;
        *retFound = virCgroupV2DetectByIds(devices, place, &attached);
    }
    return true;
}
