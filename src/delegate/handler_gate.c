/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler_gate.c: the hooks for the device gate, asked of whoever registered. What needs a right
 * is making, exchanging and taking off a program; the maps come here, and everything that is said
 * about them is looked at before it is believed (virGateTake). In a job, without the core lock. */
#include <string.h>

#include "delegate/handler.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* --- objects --- */

#define OBJECT(name) (1u << HANDLER_GATE_OBJECT_##name)
#define OBJECTS_NEEDED                                                                             \
    (OBJECT(RULES) | OBJECT(NODES) | OBJECT(HEADER) | OBJECT(EVENTS) | OBJECT(PROGRAM))

/* By their number, as the pins are called. */
static const char *const objectNames[] = {"rules", "nodes", "hdr", "events", "prog", "link"};
G_STATIC_ASSERT(G_N_ELEMENTS(objectNames) == VIR_GATE_HANDLES);
G_STATIC_ASSERT(HANDLER_GATE_OBJECT_LINK == VIR_GATE_HANDLES - 1);

/* What goes out: the group, then the objects that there are. */
typedef struct {
    int fds[1 + VIR_GATE_HANDLES]; /* borrowed */
    size_t n;
    uint32_t objects;
} gateTargets;

/* Only objects of the mask. */
static bool
findTargets(gateTargets *targets, virGate *gate, uint32_t mask, GError **error)
{
    int fds[VIR_GATE_HANDLES];

    virGateLend(gate, fds);
    if (fds[HANDLER_GATE_OBJECT_EVENTS] < 0)
        fds[HANDLER_GATE_OBJECT_EVENTS] = virGateStoreEvents(gate->store);
    *targets = (gateTargets){.fds = {virCgroupOpenLeaf(virGateGroup(gate), error)}, .n = 1};
    for (size_t i = 0; i < VIR_GATE_HANDLES; i++) {
        if (fds[i] < 0 || !(mask & (1u << i)))
            continue;
        targets->fds[targets->n++] = fds[i];
        targets->objects |= 1u << i;
    }
    return targets->fds[0] >= 0;
}

/* What came: exactly the objects that are needed, and at most those of also. */
static bool
takeObjects(virPacket *packet, uint32_t objects, uint32_t needed, uint32_t also,
            virCgroupV2Devices *handles, GError **error)
{
    int *const places[] = {&handles->rulesFd,  &handles->nodesFd, &handles->headerFd,
                           &handles->eventsFd, &handles->progFd,  &handles->linkFd};
    size_t next = 0;

    if (virPacketFdCount(packet) != (size_t)__builtin_popcount(objects))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("it gave %zu descriptors for %d objects of the gate"),
                           virPacketFdCount(packet), __builtin_popcount(objects));
    if (objects >> VIR_GATE_HANDLES)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("it gave objects that no gate has (0x%x)"), objects);
    for (size_t i = 0; i < VIR_GATE_HANDLES; i++) {
        if ((needed & ~objects) & (1u << i))
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("it gave no '%s' of the gate"),
                               objectNames[i]);
        if ((objects & ~(needed | also)) & (1u << i))
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("it gave a '%s' of the gate that was not asked for"),
                               objectNames[i]);
    }
    for (size_t i = 0; i < VIR_GATE_HANDLES; i++) {
        if (objects & (1u << i))
            *places[i] = virPacketTakeFd(packet, next++);
    }
    return true;
}

/* A lie is told as one; that nobody could look is no lie. why is taken over. False. */
static bool
tellLie(const char *hook, GError *why, GError **error)
{
    if (!virErrorIs(why, VIR_ERR_INTERNAL_ERROR)) {
        g_propagate_error(error, why);
        return false;
    }
    virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("%s reported %s as done, but %s"),
                virDelegateHandlerOps.name, hook, why->message);
    g_error_free(why);
    return false;
}

/* Into a group that this process may have no children born in. */
typedef struct {
    virDelegate *door;
    const virDelegateCall *call;
    virCgroup *group;
} gateMove;

static bool
moveChild(int pidfd, void *opaque, GError **error)
{
    const gateMove *move = opaque;

    return virDelegateCgroupMove(move->door, move->call, move->group, pidfd, error);
}

/* What came becomes the gate's. rules and fresh as virGateTake has them. */
static bool
takeGate(virDelegate *door, const virDelegateCall *call, virGate *gate, const char *hook,
         virHandlerReply *reply, uint32_t objects, const gateTargets *sent, const GArray *rules,
         bool fresh, GError **error)
{
    virCgroupV2Devices handles = VIR_CGROUP_V2_DEVICES_INIT;
    uint32_t needed = OBJECTS_NEEDED | (virGateWantsLink(gate) ? OBJECT(LINK) : 0);
    gateMove move = {door, call, virGateGroup(gate)};
    const virGateMover mover = {moveChild, &move};
    GError *why = NULL;

    if (takeObjects(&reply->packet, objects, needed, sent->objects & OBJECT(LINK), &handles,
                    &why) &&
        virGateTake(gate, &handles, rules, fresh, &mover, &why))
        return true;
    return tellLie(hook, why, error);
}

/* --- rules --- */

/* As a message has them; caller frees. */
static handler_rule *
wireRules(const GArray *rules)
{
    handler_rule *wire = g_new0(handler_rule, rules->len + 1); /* never NULL */

    for (guint i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);

        wire[i] = (handler_rule){.type = (int32_t)rule->type,
                                 .major = rule->major,
                                 .minor = rule->minor,
                                 .access = rule->access};
    }
    return wire;
}

static GArray *
unionOf(virGate *gate)
{
    g_autoptr(virDeviceRules) rules = virGateRules(gate);

    return virDeviceRulesUnion(rules);
}

/* --- making --- */

static uint32_t
wantedCapacity(const virGate *gate)
{
    return gate->settings.capacity ? gate->settings.capacity : VIR_CGROUP_V2_DEVICES_CAPACITY;
}

bool
virDelegateHandlerGateCreate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                             GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    g_autoptr(GArray) rules = unionOf(gate);
    g_autofree handler_rule *wire = wireRules(rules);
    handler_gate_create_args args = {.mode = gate->settings.mode,
                                     .lock = virGateWantsLink(gate),
                                     .rules_len = rules->len,
                                     .rules_val = wire};
    handler_gate_create_ret ret = {0};
    gateTargets targets;

    args.capacity =
        virCgroupV2DevicesCapacityFor(&gate->settings, wantedCapacity(gate), rules->len, error);
    if (!args.capacity || !findTargets(&targets, gate, OBJECT(EVENTS), error))
        return false;
    args.objects = targets.objects;
    return virHandlersAsk(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_GATE_CREATE), &args,
                          targets.fds, targets.n, &ret, &reply, error) &&
           takeGate(door, call, gate, "gate.create", &reply, ret.objects, &targets, rules,
                    /* fresh: */ true, error);
}

/* One that is there, or should be: with this room at least. rules NULL: it may hold others. */
static bool
replaceGate(virDelegate *door, const virDelegateCall *call, virGate *gate, uint32_t capacity,
            const GArray *rules, bool *retReattached, GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    g_autoptr(GArray) all = unionOf(gate);
    g_autofree handler_rule *wire = wireRules(all);
    handler_gate_replace_args args = {.mode = gate->settings.mode,
                                      .lock = virGateWantsLink(gate),
                                      .capacity = capacity,
                                      .rules_len = all->len,
                                      .rules_val = wire};
    handler_gate_replace_ret ret = {0};
    gateTargets targets;

    if (!findTargets(&targets, gate, UINT32_MAX, error))
        return false;
    args.objects = targets.objects;
    if (!virHandlersAsk(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_GATE_REPLACE), &args,
                        targets.fds, targets.n, &ret, &reply, error) ||
        !takeGate(door, call, gate, "gate.replace", &reply, ret.objects, &targets, rules,
                  /* fresh: */ false, error))
        return false;
    *retReattached = ret.reattached != 0;
    return true;
}

bool
virDelegateHandlerGateRepair(virDelegate *door, const virDelegateCall *call, virGate *gate,
                             bool *retReattached, GError **error)
{
    uint32_t capacity = virGateIsManageable(gate) ? virGateCapacity(gate) : wantedCapacity(gate);

    return replaceGate(door, call, gate, capacity, /* rules: */ NULL, retReattached, error);
}

/* The pins go first: should this process end while the handler exchanges the gate, those of the
 * old one would be taken for it. The gate itself is on the group all the time. */
bool
virDelegateHandlerGateGrow(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           uint32_t capacity, GError **error)
{
    g_autoptr(GArray) rules = unionOf(gate);
    bool reattached = false;

    if (!virGateUnpin(gate, error))
        return false;
    if (replaceGate(door, call, gate, capacity, virGateIsSettled(gate) ? rules : NULL, &reattached,
                    error))
        return true;
    (void)virGatePinAgain(gate, NULL); /* the error in hand says more; a watch tries again */
    virGateSettle(gate, false);        /* it may yet be exchanged, by a handler that was late */
    return false;
}

/* --- changing --- */

static bool
updateGate(virDelegate *door, const virDelegateCall *call, virGate *gate, virGateMode mode,
           const GArray *changes, GError **error)
{
    g_autofree handler_rule *wire = wireRules(changes);
    handler_gate_update_args args = {
        .mode = mode, .changes_len = changes->len, .changes_val = wire};
    gateTargets targets;

    if (!findTargets(&targets, gate, UINT32_MAX, error))
        return false;
    args.objects = targets.objects;
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_GATE_UPDATE, &args, targets.fds,
                                 targets.n, error);
}

/* Each change is what the kernel holds. */
static bool
holdsChanges(virGate *gate, const GArray *changes, GError **error)
{
    for (guint i = 0; i < changes->len; i++) {
        const virDeviceRule *wanted = &g_array_index(changes, virDeviceRule, i);
        unsigned access = 0;

        if (!virGateGetAccess(gate, wanted, &access, error))
            return false;
        if (access != wanted->access) {
            g_autofree char *text = virDeviceRuleFormat(wanted);

            return virErrorSet(
                error, VIR_ERR_OPERATION_FAILED,
                _("%s reported gate.update as done, but the kernel holds '%s' for '%s'"),
                virDelegateHandlerOps.name, virDeviceAccessToString(access), text);
        }
    }
    return true;
}

bool
virDelegateHandlerGateUpdate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                             const virDeviceRules *wanted, GError **error)
{
    g_autoptr(GArray) from = wanted ? unionOf(gate) : virGateReadBack(gate, error);
    g_autoptr(GArray) to = wanted ? virDeviceRulesUnion(wanted) : unionOf(gate);
    g_autoptr(GArray) changes = from ? virDeviceRulesChanges(from, to) : NULL;

    if (!changes)
        return false;
    if (changes->len > 0 && (!updateGate(door, call, gate, virGateGetMode(gate), changes, error) ||
                             !holdsChanges(gate, changes, error))) {
        virGateSettle(gate, false); /* it may yet be changed, by a handler that was late */
        return false;
    }
    virGateNoteRules(gate, wanted);
    return true;
}

bool
virDelegateHandlerGateSetMode(virDelegate *door, const virDelegateCall *call, virGate *gate,
                              virGateMode mode, GError **error)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));

    if (!updateGate(door, call, gate, mode, none, error))
        return false;
    virGateNoteMode(gate); /* the front compares */
    return true;
}

/* --- the end --- */

/* Of a group that is gone nothing is left to take off. */
bool
virDelegateHandlerGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate,
                             GError **error)
{
    handler_gate_remove_args args = {0};
    gateTargets targets;

    if (!virGateUnpin(gate, error))
        return false;
    if (access(virCgroupPath(virGateGroup(gate)), F_OK) == 0) {
        if (!findTargets(&targets, gate, OBJECTS_NEEDED, error))
            return false;
        args.objects = targets.objects;
        if (!virDelegateHandlerAsk(door, call, HANDLER_PROC_GATE_REMOVE, &args, targets.fds,
                                   targets.n, error))
            return false;
        if (virGateStillDecides(gate))
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                               _("%s reported gate.remove as done, but the gate still decides in "
                                 "its control group"),
                               virDelegateHandlerOps.name);
    }
    virGateClose(gate);
    return true;
}
