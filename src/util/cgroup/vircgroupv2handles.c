/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2handles.c: handles of a gate that another process made: are they what they are said to
 * be, and is it them that the group's program asks?
 *
 * Both without any privilege. What is attached to a group only CAP_NET_ADMIN may list; but the
 * program marks a rule that it has used, so a process in the group that uses a node shows whether
 * these maps are the ones. See vircgroupv2devices.h. */
#include <string.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/cgroup/virgateprobe.h"
#include "util/virerror.h"
#include "util/virutil.h"
#include "util/viruuid.h"

/* --- what they are --- */

/* What is no BPF object at all answers EINVAL; anything else is the kernel's refusal to say. */
static bool
virGateObjectIsUnknown(const char *name, GError **error)
{
    if (errno == EINVAL || errno == EBADF)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("its '%s' is no BPF object"), name);
    return virErrorErrno(error, _("cannot look at '%s' of the device gate"), name);
}

static bool
virGateObjectCheckMap(virCgroupV2Devices *devices, const virGateMapKind *kind, uint32_t *retId,
                      GError **error)
{
    struct bpf_map_info info;

    if (!virBPFGetMapInfo(G_STRUCT_MEMBER(int, devices, kind->offset), &info))
        return virGateObjectIsUnknown(kind->pin, error);
    if (!virGateMapIsKind(kind, &info))
        return virErrorSet(
            error, VIR_ERR_INTERNAL_ERROR,
            _("its '%s' is of type %u with keys of %u and values of %u bytes, not of "
              "type %u with %u and %u"),
            kind->pin, info.type, info.key_size, info.value_size, kind->type, kind->keySize,
            kind->valueSize);
    if (kind->type == BPF_MAP_TYPE_LPM_TRIE)
        devices->capacity = info.max_entries;
    *retId = info.id;
    return true;
}

static bool
virGateObjectCheckHeader(virCgroupV2Devices *devices, const uint8_t uuid[16], GError **error)
{
    static const uint8_t none[16];
    char text[VIR_UUID_TEXT_SIZE];

    if (!virCgroupV2DevicesMapHeader(devices) || !virCgroupV2DevicesMapNodes(devices))
        return errno == EINVAL ? virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                                             _("its 'nodes' is no table of a size that there is"))
                               : virErrorErrno(error, _("cannot map the device gate into memory"));
    if (!virCgroupV2DevicesIsKnown(devices))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("its 'hdr' has ABI %u, not %u"),
                           devices->header->abi, VIR_GATE_ABI);
    if (memcmp(devices->header->uuid, uuid, 16) != 0 &&
        memcmp(devices->header->uuid, none, 16) != 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("its 'hdr' is that of guest %s"),
                           virUUIDFormat(devices->header->uuid, text));
    return true;
}

static bool
virGateObjectCheckProgram(const virCgroupV2Devices *devices, const uint32_t ids[VIR_GATE_MAP_KINDS],
                          GError **error)
{
    uint32_t used[8] = {0};
    struct bpf_prog_info info;

    if (!virBPFGetProgInfo(devices->progFd, &info, used, G_N_ELEMENTS(used)))
        return virGateObjectIsUnknown("prog", error);
    if (info.type != BPF_PROG_TYPE_CGROUP_DEVICE || strcmp(info.name, VIR_GATE_PROG_NAME) != 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("its 'prog' is no device program with the name %s"),
                           VIR_GATE_PROG_NAME);
    for (size_t i = 0; i < VIR_GATE_MAP_KINDS; i++) {
        bool found = false;

        for (size_t k = 0; k < MIN(info.nr_map_ids, G_N_ELEMENTS(used)); k++)
            found |= used[k] == ids[i];
        if (!found && G_STRUCT_MEMBER(int, devices, virGateMapKinds[i].offset) >= 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("its 'prog' does not use the '%s' that came with it"),
                               virGateMapKinds[i].pin);
    }
    return true;
}

bool
virCgroupV2DevicesCheck(virCgroupV2Devices *devices, const uint8_t uuid[16], GError **error)
{
    uint32_t ids[VIR_GATE_MAP_KINDS] = {0};

    for (size_t i = 0; i < VIR_GATE_MAP_KINDS; i++) {
        /* Without a table it is a gate of the first ABI. */
        if (!(virGateMapKinds[i].offset == offsetof(virCgroupV2Devices, nodesFd) &&
              devices->nodesFd < 0) &&
            !virGateObjectCheckMap(devices, &virGateMapKinds[i], &ids[i], error))
            return false;
    }
    return virGateObjectCheckHeader(devices, uuid, error) &&
           virGateObjectCheckProgram(devices, ids, error);
}

/* --- whether they are asked --- */

bool
virCgroupV2DevicesAsk(const virCgroupV2Devices *devices, int groupFd, const GArray *rules,
                      virGateMode mode, const virGateMover *mover, bool *retAsked, GError **error)
{
    virDeviceRule rule;
    unsigned access = 0;
    bool before = false;
    bool after = false;

    virGateProbeRule(rules, &rule);
    if (rule.access && virCgroupV2DevicesGetRule(devices, &rule, &access, &before))
        virCgroupV2DevicesForgetUse(devices, &rule);
    if (!virGateProbe(groupFd, rules, mode, mover, &rule, error))
        return false;
    *retAsked = true;
    if (!rule.access)
        return true;
    *retAsked = virCgroupV2DevicesGetRule(devices, &rule, &access, &after) && after;
    if (*retAsked && !before)
        virCgroupV2DevicesForgetUse(devices, &rule); /* ours was no use by the guest */
    return true;
}
