/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2adopt.c: take over the gate that libvirt made on a running guest's group.
 *
 * libvirt attaches one program exclusively (no flags) over a hash of rules:
 *
 *     key      major << 32 | minor, 0xffffffff for any
 *     value    access << 16 | type
 *
 * Nothing can be attached beside an exclusive program, so ours can't come before theirs goes. For
 * that moment a cover stands in: our program, with the same rules, on the group above, where the
 * kernel runs it after the group's own. It lets every other group alone. So the order is
 *
 *     cover on the group above    theirs and the cover decide
 *     theirs off                  the cover
 *     ours on                     ours and the cover
 *     cover off                   ours
 *
 * and each of the steps is one system call. Ours is a union: where libvirt's first hit hid a wider
 * rule, that is granted from now on, until the rules are brought to what the definition implies.
 * Killed in between, the next start finds the cover by its name and goes on from there. Needs
 * CAP_SYS_ADMIN: programs are found by their ids. In a job, called by delegate/local* only. */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virlog.h"
#include "util/virutil.h"

#define LIBVIRT_ANY UINT32_MAX

/* --- what libvirt made --- */

static bool
virCgroupV2LibvirtMap(uint32_t mapId, int *retMapFd)
{
    VIR_AUTOCLOSE fd = virBPFOpenMapById(mapId);
    struct bpf_map_info info;

    if (fd < 0 || !virBPFGetMapInfo(fd, &info) || info.type != BPF_MAP_TYPE_HASH ||
        info.key_size != sizeof(uint64_t) || info.value_size != sizeof(uint32_t))
        return false;
    *retMapFd = g_steal_fd(&fd);
    return true;
}

bool
virCgroupV2DevicesIsLibvirt(uint32_t progId, int *retProgFd, int *retMapFd)
{
    VIR_AUTOCLOSE fd = virBPFOpenProgById(progId);
    struct bpf_prog_info info;
    uint32_t map = 0;

    if (fd < 0 || !virBPFGetProgInfo(fd, &info, &map, 1) ||
        info.type != BPF_PROG_TYPE_CGROUP_DEVICE || info.nr_map_ids != 1 ||
        !virCgroupV2LibvirtMap(map, retMapFd))
        return false;
    *retProgFd = g_steal_fd(&fd);
    return true;
}

/* False if nothing is granted: a part of a rule that libvirt has denied leaves such elements. */
static bool
virCgroupV2LibvirtRule(uint64_t key, uint32_t value, virDeviceRule *retRule)
{
    uint32_t major = (uint32_t)(key >> 32);
    uint32_t minor = (uint32_t)key;

    *retRule = (virDeviceRule){
        .type = (virDeviceType)(value & VIR_DEVICE_ALL),
        .access = (value >> 16) & VIR_DEVICE_RWM,
        .major = major == LIBVIRT_ANY ? VIR_DEVICE_ANY : (int)major,
        .minor = minor == LIBVIRT_ANY ? VIR_DEVICE_ANY : (int)minor,
    };
    return retRule->type && retRule->access;
}

static GArray *
virCgroupV2LibvirtRules(int mapFd, GError **error)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    uint64_t key;
    const uint64_t *last = NULL;
    uint64_t next;

    for (; virBPFNextKey(mapFd, last, &next); last = &key) {
        virDeviceRule rule;
        uint32_t value;

        if (virBPFLookupElem(mapFd, &next, &value) && virCgroupV2LibvirtRule(next, value, &rule))
            virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &rule);
        key = next;
    }
    if (errno != ENOENT) {
        virErrorErrno(error, _("cannot read the rules of the device gate"));
        return NULL;
    }
    return virDeviceRulesUnion(rules);
}

/* --- the cover --- */

/* The group above, -1 with an error: there is none that we can see. */
static int
virCgroupV2OpenParent(int groupFd, GError **error)
{
    VIR_AUTOCLOSE fd = openat(groupFd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statfs st;

    if (fd < 0 || fstatfs(fd, &st) < 0)
        virErrorErrno(error, _("cannot open the group above"));
    else if (st.f_type != CGROUP2_SUPER_MAGIC)
        virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                    _("the device gate can't be taken over in the uppermost group"));
    else
        return g_steal_fd(&fd);
    return -1;
}

static void
virCgroupV2UncoverOne(int parentFd, uint32_t id, const char *name)
{
    VIR_AUTOCLOSE fd = virBPFOpenProgById(id);
    struct bpf_prog_info info;

    if (fd >= 0 && virBPFGetProgInfo(fd, &info, NULL, 0) && strcmp(info.name, name) == 0 &&
        !virBPFDetachDeviceProg(parentFd, fd))
        VIR_WARN("cannot take '%s' off a control group: %s", name, g_strerror(errno));
}

void
virCgroupV2DevicesUncover(const virCgroupV2DevicesPlace *place)
{
    VIR_AUTOCLOSE parentFd = virCgroupV2OpenParent(place->groupFd, NULL);
    char name[BPF_OBJ_NAME_LEN];
    virBPFProgs progs;
    uint64_t id = 0;

    /* Who may not list programs has not made a cover. */
    if (parentFd < 0 || !virBPFQueryDeviceProgs(parentFd, /* effective: */ false, &progs) ||
        !virCgroupV2DevicesGroupId(place->groupFd, &id, NULL))
        return;
    virGateCoverName(id, name);
    for (uint32_t i = 0; i < progs.count; i++)
        virCgroupV2UncoverOne(parentFd, progs.ids[i], name);
}

static bool
virCgroupV2Cover(const virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                 GError **error)
{
    VIR_AUTOCLOSE parentFd = virCgroupV2OpenParent(place->groupFd, error);
    const virGateMaps maps = {devices->rulesFd, devices->nodesFd, devices->nodes.buckets,
                              devices->headerFd, /* eventsFd: */ -1};
    VIR_AUTOCLOSE progFd = -1;
    char name[BPF_OBJ_NAME_LEN];
    virGateProgram program;
    uint64_t id = 0;

    if (parentFd < 0 || !virCgroupV2DevicesGroupId(place->groupFd, &id, error))
        return false;
    virGateCoverName(id, name);
    virGateProgramBuildCover(&program, &maps, id);
    progFd = virBPFLoadDeviceProg(program.insns, program.count, name, NULL, 0);
    if (progFd < 0)
        return virErrorErrno(error, _("cannot load the program of the device gate"));
    return virBPFAttachDeviceProg(parentFd, progFd, /* replaceFd: */ -1, /* revision: */ 0) ||
           virErrorErrno(error, _("cannot cover the device gate while it is taken over"));
}

/* --- taking over --- */

/* The one program on the group if it is libvirt's; false with an error if that has changed. */
static bool
virCgroupV2OpenLibvirt(int groupFd, int *retProgFd, int *retMapFd, GError **error)
{
    virBPFProgs progs;

    if (!virBPFQueryDeviceProgs(groupFd, /* effective: */ false, &progs))
        return virErrorErrno(error, _("cannot list the device programs of the control group"));
    return (progs.count == 1 && virCgroupV2DevicesIsLibvirt(progs.ids[0], retProgFd, retMapFd)) ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                       _("the control group has no device gate of libvirt"));
}

static bool
virCgroupV2TakeOff(const virCgroupV2DevicesPlace *place, int theirsFd, GError **error)
{
    if (VIR_FAULT_STEP("gate:covered", error) && virBPFDetachDeviceProg(place->groupFd, theirsFd))
        return true;
    if (!error || !*error)
        virErrorErrno(error, _("cannot take libvirt's device gate off the control group"));
    virCgroupV2DevicesUncover(place); /* theirs goes on alone */
    return false;
}

/* When theirs is off there is no way but forward: the cover stays until ours is on. */
static bool
virCgroupV2Exchange(const virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                    int theirsFd, GError **error)
{
    return virCgroupV2Cover(devices, place, error) && virCgroupV2TakeOff(place, theirsFd, error) &&
           VIR_FAULT_STEP("gate:theirs-detached", error) &&
           virCgroupV2DevicesAttachProg(devices, place, NULL, error) &&
           VIR_FAULT_STEP("gate:adopted", error);
}

bool
virCgroupV2DevicesAdoptProg(virCgroupV2Devices *devices, const virCgroupV2DevicesPlace *place,
                            const virGateSettings *settings, GError **error)
{
    VIR_AUTOCLOSE theirsFd = -1;
    VIR_AUTOCLOSE mapFd = -1;
    g_autoptr(GArray) rules = NULL;

    if (virCgroupV2OpenLibvirt(place->groupFd, &theirsFd, &mapFd, error) &&
        (rules = virCgroupV2LibvirtRules(mapFd, error)) &&
        virCgroupV2DevicesMake(devices, place, settings, rules, error) &&
        virCgroupV2Exchange(devices, place, theirsFd, error)) {
        virCgroupV2DevicesUncover(place);
        /* Ours is the gate: what fails from here on is put right by the next repair. */
        return virCgroupV2DevicesSecure(devices, place, settings, rules, error);
    }
    virCgroupV2DevicesClear(devices);
    return false;
}
