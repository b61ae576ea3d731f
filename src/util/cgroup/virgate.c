/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgate.c: a guest's gate whatever enforces it: rules with owners here, the kernel's union there,
 * and only the difference between two unions is ever written. See virgate.h and
 * vircgroupbackend.h. */
#include "util/cgroup/virgate.h"

#include <fcntl.h>
#include <string.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/virgatepins.h"
#include "util/virenum.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

VIR_ENUM_DECL(virGateMode);
VIR_ENUM_IMPL(virGateMode, VIR_GATE_MODE_LAST, "enforce", "permissive");
VIR_ENUM_DECL(virGateLock);
VIR_ENUM_IMPL(virGateLock, VIR_GATE_LOCK_LAST, "direct", "both");

/* --- the store --- */

virGateStore *
virGateStoreNew(int pinsFd, uid_t owner, gid_t group)
{
    virGateStore *store = g_new0(virGateStore, 1);

    g_atomic_ref_count_init(&store->refs);
    g_mutex_init(&store->mutex);
    store->pinsFd = pinsFd;
    store->eventsFd = -1;
    store->owner = owner;
    store->group = group;
    return store;
}

virGateStore *
virGateStoreRef(virGateStore *store)
{
    g_atomic_ref_count_inc(&store->refs);
    return store;
}

void
virGateStoreUnref(virGateStore *store)
{
    if (!store || !g_atomic_ref_count_dec(&store->refs))
        return;
    virCloseFd(&store->pinsFd);
    virCloseFd(&store->eventsFd);
    g_mutex_clear(&store->mutex);
    g_free(store);
}

static bool
virGateStoreKnows(const uint8_t (*uuids)[16], size_t n, const uint8_t uuid[16])
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(uuids[i], uuid, 16) == 0)
            return true;
    }
    return false;
}

bool
virGateStoreForget(virGateStore *store, const uint8_t uuid[16], GError **error)
{
    return store->pinsFd < 0 ||
           (virGatePinsRemove(store->pinsFd, uuid, VIR_GATE_PINS_NEW, error) &&
            virGatePinsRemove(store->pinsFd, uuid, VIR_GATE_PINS_CURRENT, error));
}

bool
virGateStoreSweep(virGateStore *store, const uint8_t (*uuids)[16], size_t n, unsigned *retRemoved,
                  GError **error)
{
    g_autoptr(GArray) pinned = NULL;
    unsigned removed = 0;

    if (store->pinsFd >= 0 && !(pinned = virGatePinsList(store->pinsFd, error)))
        return false;
    for (guint i = 0; pinned && i < pinned->len; i++) {
        const uint8_t *uuid = (const uint8_t *)pinned->data + (size_t)i * 16;

        if (virGateStoreKnows(uuids, n, uuid))
            continue;
        if (!virGateStoreForget(store, uuid, error))
            return false;
        removed++;
    }
    if (retRemoved)
        *retRemoved = removed;
    return true;
}

/* --- handles --- */

virGate *
virGateNew(virCgroup *group, virGateStore *store, const uint8_t uuid[16],
           const virDeviceRules *rules, const virGateSettings *settings)
{
    static const virCgroupV2Devices closed = VIR_CGROUP_V2_DEVICES_INIT;
    virGate *gate = g_new0(virGate, 1);

    g_atomic_ref_count_init(&gate->refs);
    g_mutex_init(&gate->changing);
    g_mutex_init(&gate->mutex);
    gate->group = virCgroupRef(group);
    gate->store = virGateStoreRef(store);
    memcpy(gate->uuid, uuid, sizeof(gate->uuid));
    gate->settings = *settings;
    gate->rules = virDeviceRulesCopy(rules);
    gate->v2 = closed;
    return gate;
}

virGate *
virGateOpen(virCgroup *group, const char *pinsPath, const uint8_t uuid[16], virGateFound *retFound,
            GError **error)
{
    static const virGateSettings settings; /* what was set is read from the gate */
    g_autoptr(virDeviceRules) none = virDeviceRulesNew();
    g_autoptr(virGateStore) store =
        virGateStoreNew(open(pinsPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC), geteuid(), getegid());
    g_autoptr(virGate) gate = virGateNew(group, store, uuid, none, &settings);

    return virGateDetect(gate, retFound, error) ? g_steal_pointer(&gate) : NULL;
}

virGate *
virGateRef(virGate *gate)
{
    g_atomic_ref_count_inc(&gate->refs);
    return gate;
}

static const virCgroupBackend *
virGateBackend(const virGate *gate)
{
    return gate->group->instance->backend;
}

void
virGateUnref(virGate *gate)
{
    if (!gate || !g_atomic_ref_count_dec(&gate->refs))
        return;
    virGateBackend(gate)->closeGate(gate);
    virDeviceRulesFree(gate->rules);
    virGateStoreUnref(gate->store);
    virCgroupUnref(gate->group);
    g_mutex_clear(&gate->mutex);
    g_mutex_clear(&gate->changing);
    g_free(gate);
}

virCgroup *
virGateGroup(const virGate *gate)
{
    return gate->group;
}

void
virGateUuid(const virGate *gate, uint8_t retUuid[16])
{
    memcpy(retUuid, gate->uuid, sizeof(gate->uuid));
}

/* --- reading --- */

virGateMode
virGateGetMode(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return gate->settings.mode;
}

bool
virGateIsManageable(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return gate->manageable;
}

virDeviceRules *
virGateRules(virGate *gate)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return virDeviceRulesCopy(gate->rules);
}

static bool
virGateCheckManageable(const virGate *gate, GError **error)
{
    return gate->manageable ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("the device gate of %s is enforced but can't be changed from here: its "
                         "pins are lost, and finding it again needs CAP_SYS_ADMIN"),
                       gate->group->leafPath);
}

GArray *
virGateReadBack(virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return virGateCheckManageable(gate, error) ? virGateBackend(gate)->listDevices(gate, error)
                                               : NULL;
}

bool
virGateRuleWasUsed(virGate *gate, const virDeviceRule *rule)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    unsigned access;
    bool used = false;

    return gate->v2.rulesFd >= 0 && virCgroupV2DevicesGetRule(&gate->v2, rule, &access, &used) &&
           used;
}

static unsigned
virGateAccessIn(const GArray *rules, const virDeviceRule *node)
{
    guint index = 0;

    return g_array_binary_search((GArray *)rules, node, (GCompareFunc)virDeviceRuleCompare, &index)
               ? g_array_index(rules, virDeviceRule, index).access
               : 0;
}

bool
virGateGetAccess(virGate *gate, const virDeviceRule *node, unsigned *retAccess, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    g_autoptr(GArray) all = NULL;
    bool used;

    if (!virGateCheckManageable(gate, error))
        return false;
    if (gate->v2.rulesFd >= 0) {
        if (!virCgroupV2DevicesGetRule(&gate->v2, node, retAccess, &used))
            *retAccess = 0;
        return true;
    }
    all = virGateBackend(gate)->listDevices(gate, error);
    if (!all)
        return false;
    *retAccess = virGateAccessIn(all, node);
    return true;
}

bool
virGateIsPinned(virGate *gate)
{
    return gate->store->pinsFd >= 0 && virGatePinsExist(gate->store->pinsFd, gate->uuid);
}

bool
virGateGetCounters(virGate *gate, virGateCounters *retCounters, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    if (!virGateCheckManageable(gate, error))
        return false;
    *retCounters = (virGateCounters){0};
    if (gate->v2.header) {
        retCounters->denied = __atomic_load_n(&gate->v2.header->denied, __ATOMIC_RELAXED);
        retCounters->dropped = __atomic_load_n(&gate->v2.header->dropped, __ATOMIC_RELAXED);
    }
    return true;
}

bool
virGateInspect(virGate *gate, virGateState *retState, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    if (virGateBackend(gate)->inspectGate)
        return virGateBackend(gate)->inspectGate(gate, retState, error);
    *retState = (virGateState){.known = true, .attached = true};
    return true;
}

bool
virGateIsDamaged(virGate *gate, const virGateState *state)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    bool pins = gate->v2.rulesFd >= 0 && gate->store->pinsFd >= 0;

    return gate->manageable &&
           ((state->known && !state->attached) || (pins && !state->pinned) ||
            (pins && gate->settings.lock == VIR_GATE_LOCK_BOTH && !state->linked));
}

/* --- changing --- */

/* Makes room for extra more rules: asked for when the kernel says that it is full. */
static bool
virGateMakeRoom(virGate *gate, const GArray *rules, size_t extra, GError **error)
{
    virGateFound found;

    return virGateBackend(gate)->prepareGate(gate, rules, extra, &found, error);
}

bool
virGateGrow(virGate *gate, uint32_t capacity, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    g_autoptr(GArray) held = virGateBackend(gate)->listDevices(gate, error);

    return held &&
           (capacity <= held->len || virGateMakeRoom(gate, held, capacity - held->len, error));
}

/* Writes changes[0 .. count), from what stands in from; *retDone says how far it got. */
static bool
virGateWriteChanges(virGate *gate, const GArray *from, const GArray *changes, guint *retDone,
                    GError **error)
{
    const virCgroupBackend *backend = virGateBackend(gate);

    for (*retDone = 0; *retDone < changes->len; (*retDone)++) {
        const virDeviceRule *rule = &g_array_index(changes, virDeviceRule, *retDone);
        unsigned before = virGateAccessIn(from, rule);
        g_autofree char *text = NULL;

        if (!VIR_FAULT_STEP("gate:rule-changing", error))
            return false;
        if (backend->setDevice(gate, rule, before))
            continue;
        if ((errno == ENOSPC || errno == E2BIG) && rule->access) {
            if (!virGateMakeRoom(gate, from, changes->len - *retDone, error))
                return false;
            if (backend->setDevice(gate, rule, before))
                continue;
        }
        text = virDeviceRuleFormat(rule);
        return virErrorErrno(error, _("cannot set device rule '%s'"), text);
    }
    return true;
}

/* Back from the first done changes to what stood in from. */
static void
virGateUndoChanges(virGate *gate, const GArray *from, const GArray *changes, guint done)
{
    while (done-- > 0) {
        virDeviceRule rule = g_array_index(changes, virDeviceRule, done);
        unsigned now = rule.access;

        rule.access = virGateAccessIn(from, &rule);
        /* The error in hand says why; a rule too many is found again at the next reconcile. */
        (void)virGateBackend(gate)->setDevice(gate, &rule, now);
    }
}

/* Those that grant come first: no moment has less than both states. */
static void
virGateSortChanges(GArray *changes, const GArray *from)
{
    g_autoptr(GArray) takes = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));
    guint kept = 0;

    for (guint i = 0; i < changes->len; i++) {
        virDeviceRule rule = g_array_index(changes, virDeviceRule, i);

        if (rule.access & ~virGateAccessIn(from, &rule))
            g_array_index(changes, virDeviceRule, kept++) = rule;
        else
            g_array_append_val(takes, rule);
    }
    for (guint i = 0; i < takes->len; i++)
        g_array_index(changes, virDeviceRule, kept++) = g_array_index(takes, virDeviceRule, i);
}

static bool
virGateChange(virGate *gate, const GArray *from, const virDeviceRules *wanted, GError **error)
{
    g_autoptr(GArray) to = virDeviceRulesUnion(wanted);
    g_autoptr(GArray) changes = virDeviceRulesChanges(from, to);
    virDeviceRules *copy;
    guint done = 0;

    virGateSortChanges(changes, from);
    if (!virGateWriteChanges(gate, from, changes, &done, error)) {
        virGateUndoChanges(gate, from, changes, done);
        return false;
    }
    copy = virDeviceRulesCopy(wanted);
    virDeviceRulesFree(gate->rules);
    gate->rules = copy;
    return true;
}

bool
virGateApply(virGate *gate, const virDeviceRules *wanted, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    g_autoptr(GArray) from = NULL;

    if (!virGateCheckManageable(gate, error))
        return false;
    from = virDeviceRulesUnion(gate->rules);
    return virGateChange(gate, from, wanted, error);
}

static bool
virGateReconcileLocked(virGate *gate, GError **error)
{
    g_autoptr(virDeviceRules) wanted = virDeviceRulesCopy(gate->rules);
    g_autoptr(GArray) from = NULL;

    if (!virGateCheckManageable(gate, error) ||
        !(from = virGateBackend(gate)->listDevices(gate, error)))
        return false;
    return virGateChange(gate, from, wanted, error);
}

bool
virGateReconcile(virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return virGateReconcileLocked(gate, error);
}

bool
virGateMake(virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    g_autoptr(GArray) rules = virDeviceRulesUnion(gate->rules);
    virGateFound found = VIR_GATE_FOUND_NONE;

    if (!virGateBackend(gate)->prepareGate(gate, rules, 0, &found, error))
        return false;
    gate->manageable = found != VIR_GATE_FOUND_FOREIGN;
    return found == VIR_GATE_FOUND_NONE || virGateReconcileLocked(gate, error);
}

bool
virGateDetect(virGate *gate, virGateFound *retFound, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    if (!virGateBackend(gate)->detectGate(gate, retFound, error))
        return false;
    gate->manageable = *retFound == VIR_GATE_FOUND_PINS || *retFound == VIR_GATE_FOUND_IDS;
    if (gate->manageable && gate->v2.header)
        gate->settings.mode = (virGateMode)(gate->v2.header->mode & 1);
    return true;
}

bool
virGateRepair(virGate *gate, bool *retReattached, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    return virGateCheckManageable(gate, error) &&
           virGateBackend(gate)->repairGate(gate, retReattached, error);
}

bool
virGateSetMode(virGate *gate, virGateMode mode, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    if (!virGateCheckManageable(gate, error))
        return false;
    if (!gate->v2.header)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("a device gate on cgroup v1 can't be permissive"));
    __atomic_store_n(&gate->v2.header->mode, mode, __ATOMIC_RELAXED);
    gate->settings.mode = mode;
    return true;
}

bool
virGateDestroy(virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);

    gate->manageable = false;
    return virGateBackend(gate)->removeGate(gate, error);
}
