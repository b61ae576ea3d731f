/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2inspect.c: how the gate is held on its group at this moment, and who else has a say.
 *
 * The kernel tells nobody when a program is taken off a group, so this is asked again and again; it
 * is two queries, and names only for programs that aren't ours. Only reads. */
#include <string.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/cgroup/virgatepins.h"
#include "util/virerror.h"
#include "util/virutil.h"

static bool
virBPFProgsHave(const virBPFProgs *progs, uint32_t id)
{
    for (uint32_t i = 0; i < progs->count; i++) {
        if (progs->ids[i] == id)
            return true;
    }
    return false;
}

static uint32_t
virBPFProgId(int progFd)
{
    struct bpf_prog_info info;

    return progFd >= 0 && virBPFGetProgInfo(progFd, &info, NULL, 0) ? info.id : 0;
}

bool
virCgroupV2DevicesLinkIsAlive(int linkFd, int groupFd)
{
    struct bpf_link_info info;
    uint64_t group = 0;

    return linkFd >= 0 && virBPFGetLinkInfo(linkFd, &info) && info.type == BPF_LINK_TYPE_CGROUP &&
           virCgroupV2DevicesGroupId(groupFd, &group, NULL) && info.cgroup.cgroup_id == group;
}

static uint32_t
virCgroupV2LinkedProg(int linkFd)
{
    struct bpf_link_info info;

    return linkFd >= 0 && virBPFGetLinkInfo(linkFd, &info) ? info.prog_id : 0;
}

static void
virGateStateAddForeign(virGateState *state, uint32_t id, bool above)
{
    VIR_AUTOCLOSE fd = virBPFOpenProgById(id);
    struct bpf_prog_info info;
    virGateForeign *foreign;

    if (state->nforeign++ >= VIR_GATE_FOREIGN_MAX)
        return;
    foreign = &state->foreign[state->nforeign - 1];
    *foreign = (virGateForeign){.id = id, .above = above};
    if (fd >= 0 && virBPFGetProgInfo(fd, &info, NULL, 0))
        g_strlcpy(foreign->name, info.name, sizeof(foreign->name));
}

bool
virCgroupV2DevicesInspect(const virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                          virGateState *retState, GError **error)
{
    const uint32_t own = virBPFProgId(devices->progFd);
    const uint32_t lock = virCgroupV2LinkedProg(devices->linkFd);
    virGateState state = {
        .linked = virCgroupV2DevicesLinkIsAlive(devices->linkFd, place->groupFd),
        .pinned = place->pinsFd >= 0 && virGatePinsExist(place->pinsFd, place->uuid),
    };
    virBPFProgs here;
    virBPFProgs all;

    if (!virBPFQueryDeviceProgs(place->groupFd, /* effective: */ false, &here) ||
        !virBPFQueryDeviceProgs(place->groupFd, /* effective: */ true, &all)) {
        if (errno != EPERM && errno != EACCES)
            return virErrorErrno(error, _("cannot list the device programs of the control group"));
        *retState = state;
        return true;
    }
    state.known = true;
    state.attached = own && virBPFProgsHave(&here, own);
    state.revision = here.revision;
    for (uint32_t i = 0; i < all.count; i++) {
        if (all.ids[i] != own && all.ids[i] != lock)
            virGateStateAddForeign(&state, all.ids[i], !virBPFProgsHave(&here, all.ids[i]));
    }
    *retState = state;
    return true;
}
