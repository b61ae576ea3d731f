/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatehanded.c: a gate that another process makes, exchanges and takes off, while this one has
 * the maps, changes the rules, and pins. See vircgroupbackend.h; no rights are needed. */
#include <fcntl.h>
#include <string.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/virgatepins.h"
#include "util/cgroup/virgateprobe.h"
#include "util/virerror.h"
#include "util/virutil.h"

static bool
virGateHandedPlace(virGate *gate, virCgroupV2DevicesPlace *place, GError **error)
{
    if (gate->group->instance->backend != &virCgroupV2Backend)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("only a device gate on cgroup v2 can be made by a handler"));
    *place = (virCgroupV2DevicesPlace){.groupFd = virCgroupOpenLeaf(gate->group, error),
                                       .pinsFd = gate->store->pinsFd,
                                       .eventsFd = -1,
                                       .pinOwner = gate->store->owner,
                                       .pinGroup = gate->store->group};
    memcpy(place->uuid, gate->uuid, sizeof(place->uuid));
    return place->groupFd >= 0;
}

/* --- one change at a time --- */

virGateChangeLock *
virGateChangeBegin(virGate *gate)
{
    g_mutex_lock(&gate->changing);
    return gate;
}

virGateChangeLock *
virGateChangeTry(virGate *gate)
{
    return g_mutex_trylock(&gate->changing) ? gate : NULL;
}

void
virGateChangeEnd(virGateChangeLock *change)
{
    g_mutex_unlock(&change->changing);
}

/* --- what came --- */

static bool
virGateHandedHolds(const virCgroupV2Devices *handles, const GArray *rules, GError **error)
{
    g_autoptr(GArray) held = virCgroupV2DevicesReadRules(handles, error);
    g_autoptr(GArray) changes = held ? virDeviceRulesChanges(rules, held) : NULL;

    if (!held)
        return false;
    return changes->len == 0 ||
           virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%u of its rules are others than wanted"),
                       changes->len);
}

/* True if it is this gate that decides in the group. */
static bool
virGateHandedDecides(const virCgroupV2Devices *handles, const virCgroupV2DevicesPlace *place,
                     const GArray *rules, virGateMode mode, const virGateMover *mover,
                     GError **error)
{
    int attached = virCgroupV2DevicesIsAttached(handles, place->groupFd);
    bool asked = false;

    if (attached == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("its 'prog' is not attached to the control group"));
    if (!virCgroupV2DevicesAsk(handles, place->groupFd, rules, mode, mover, &asked, error))
        return false;
    return asked || virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                                _("nothing in the control group asks its 'rules' and 'nodes'"));
}

/* Of a new gate; the denial that the look caused is nobody's. */
static bool
virGateHandedTry(virCgroupV2Devices *handles, const virCgroupV2DevicesPlace *place,
                 const GArray *rules, const virGateMover *mover, GError **error)
{
    bool done;

    memset(handles->header->uuid, 0, 16);
    done = virGateHandedHolds(handles, rules, error) &&
           virGateHandedDecides(handles, place, rules, (virGateMode)(handles->header->mode & 1),
                                mover, error);
    handles->header->denied = 0;
    handles->header->dropped = 0;
    memcpy(handles->header->uuid, place->uuid, 16);
    return done;
}

/* Of a guest that runs: only what is allowed is used, a denial would be told as the guest's. */
static bool
virGateHandedTryLive(virCgroupV2Devices *handles, const virCgroupV2DevicesPlace *place,
                     const GArray *rules, const virGateMover *mover, GError **error)
{
    g_autoptr(GArray) held = virCgroupV2DevicesReadRules(handles, error);

    memcpy(handles->header->uuid, place->uuid, 16);
    return held && (!rules || virGateHandedHolds(handles, rules, error)) &&
           virGateHandedDecides(handles, place, held, VIR_GATE_PERMISSIVE, mover, error);
}

static bool
virGateHandedCheck(virGate *gate, virCgroupV2Devices *handles, const virCgroupV2DevicesPlace *place,
                   const GArray *rules, bool fresh, const virGateMover *mover, GError **error)
{
    if (!virCgroupV2DevicesCheck(handles, gate->uuid, error))
        return false;
    if ((handles->header->mode & 1) != gate->settings.mode)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("its mode is %s, not %s"),
                           virGateModeToString((int)(handles->header->mode & 1)),
                           virGateModeToString((int)gate->settings.mode));
    if (handles->linkFd >= 0 && !virCgroupV2DevicesLinkIsAlive(handles->linkFd, place->groupFd))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("its 'link' does not hold a program on the control group"));
    return fresh ? virGateHandedTry(handles, place, rules, mover, error)
                 : virGateHandedTryLive(handles, place, rules, mover, error);
}

/* The first ring that came is that of all gates from now on. */
static bool
virGateHandedShareEvents(virGateStore *store, int eventsFd, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&store->mutex);

    if (store->eventsFd >= 0)
        return true;
    if (store->pinsFd >= 0 && faccessat(store->pinsFd, "events", F_OK, 0) < 0 &&
        !virGatePinsPinEvents(store->pinsFd, eventsFd, store->owner, store->group, error))
        return false;
    store->eventsFd = fcntl(eventsFd, F_DUPFD_CLOEXEC, 3);
    return store->eventsFd >= 0 || virErrorErrno(error, _("cannot use the ring of denials"));
}

bool
virGateTake(virGate *gate, virCgroupV2Devices *handles, const GArray *rules, bool fresh,
            const virGateMover *mover, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    static const virCgroupV2Devices closed = VIR_CGROUP_V2_DEVICES_INIT;
    virCgroupV2DevicesPlace place;

    if (!virGateHandedPlace(gate, &place, error) ||
        !virGateHandedCheck(gate, handles, &place, rules, fresh, mover, error)) {
        virCgroupV2DevicesClear(handles);
        return false;
    }
    virCgroupV2DevicesClear(&gate->v2);
    gate->v2 = *handles;
    *handles = closed;
    gate->manageable = true;
    return virGateHandedShareEvents(gate->store, gate->v2.eventsFd, error) &&
           virCgroupV2DevicesPin(&gate->v2, &place, error);
}

/* --- what goes along --- */

int
virGateStoreEvents(virGateStore *store)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&store->mutex);

    if (store->eventsFd < 0 && store->pinsFd >= 0)
        store->eventsFd = virGatePinsOpenEvents(store->pinsFd, NULL); /* then a new one comes */
    return store->eventsFd;
}

bool
virGateWantsLink(virGate *gate)
{
    return gate->settings.lock == VIR_GATE_LOCK_BOTH && gate->store->pinsFd >= 0;
}

void
virGateLend(virGate *gate, int retFds[VIR_GATE_HANDLES])
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    const virCgroupV2Devices *v2 = &gate->v2;
    const int fds[] = {v2->rulesFd,  v2->nodesFd, v2->headerFd,
                       v2->eventsFd, v2->progFd,  v2->linkFd};

    G_STATIC_ASSERT(G_N_ELEMENTS(fds) == VIR_GATE_HANDLES);
    memcpy(retFds, fds, sizeof(fds));
}

/* --- what somebody else has written --- */

void
virGateNoteRules(virGate *gate, const virDeviceRules *wanted)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    virDeviceRules *copy = wanted ? virDeviceRulesCopy(wanted) : NULL;

    gate->v2.count = -1; /* to be counted again */
    if (!copy)
        return;
    virDeviceRulesFree(gate->rules);
    gate->rules = copy;
}

void
virGateNoteMode(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    if (gate->v2.header)
        gate->settings.mode = (virGateMode)(gate->v2.header->mode & 1);
}

bool
virGateIsSettled(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return gate->settled;
}

void
virGateSettle(virGate *gate, bool settled)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    gate->settled = settled;
}

/* --- room --- */

/* How many rules there are while the change is under way: what is granted comes first. */
static size_t
virGateCountBoth(const GArray *from, const GArray *to)
{
    size_t count = from->len;

    for (guint i = 0; i < to->len; i++) {
        guint index;

        count += !g_array_binary_search((GArray *)from, &g_array_index(to, virDeviceRule, i),
                                        (GCompareFunc)virDeviceRuleCompare, &index);
    }
    return count;
}

bool
virGateRoomFor(virGate *gate, const virDeviceRules *wanted, uint32_t *retCapacity, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    g_autoptr(GArray) to = virDeviceRulesUnion(wanted ? wanted : gate->rules);
    g_autoptr(GArray) from = NULL;
    size_t count;

    *retCapacity = 0;
    if (gate->v2.rulesFd < 0)
        return true;
    from =
        wanted ? virDeviceRulesUnion(gate->rules) : virCgroupV2DevicesReadRules(&gate->v2, error);
    if (!from)
        return false;
    count = virGateCountBoth(from, to);
    if (count > gate->v2.capacity)
        *retCapacity =
            virCgroupV2DevicesCapacityFor(&gate->settings, gate->v2.capacity, count, error);
    return count <= gate->v2.capacity || *retCapacity;
}

uint32_t
virGateCapacity(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return gate->v2.rulesFd >= 0 ? gate->v2.capacity : UINT32_MAX;
}

/* --- the end --- */

bool
virGateUnpin(virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    gate->v2.pinned = false;
    return virGateStoreForget(gate->store, gate->uuid, error);
}

bool
virGatePinAgain(virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    virCgroupV2DevicesPlace place;

    return virGateHandedPlace(gate, &place, error) &&
           virCgroupV2DevicesPin(&gate->v2, &place, error);
}

bool
virGateStillDecides(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    g_autoptr(GArray) held = NULL;
    virCgroupV2DevicesPlace place;
    virDeviceRule rule;

    virCloseFd(&gate->v2.linkFd);
    if (gate->v2.rulesFd < 0 || !virGateHandedPlace(gate, &place, NULL) ||
        !(held = virCgroupV2DevicesReadRules(&gate->v2, NULL)))
        return false;
    virGateProbeRule(held, &rule);
    return rule.access &&
           virGateHandedDecides(&gate->v2, &place, held, VIR_GATE_PERMISSIVE, NULL, NULL);
}

void
virGateClose(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    gate->manageable = false;
    virCgroupV2DevicesClear(&gate->v2);
}
