/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_gate.c: the front of the hooks for the device gate: what must hold before and after.
 * In a job, without the core lock. */
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "delegate/virhandlers.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

static bool
virDelegateCheckPrepared(const virDelegate *door, GError **error)
{
    return door->store ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, _("no device gate is available here"));
}

/* Whether a handler is what does the hook for this guest, or would if it were there. */
static bool
virDelegateIsHanded(virDelegate *door, const virDelegateCall *call, const char *hook)
{
    virHandlerChoice choice = VIR_HANDLER_SELF;

    return door->handlers &&
           (!virHandlersChoose(door->handlers, call, virXdrHookByName(hook), &choice, NULL) ||
            choice == VIR_HANDLER_ASK);
}

bool
virDelegateHasGates(virDelegate *door, const virDelegateCall *call)
{
    return virCgroupInstanceHasGates(door->instance, NULL) ||
           (virCgroupInstanceUsable(door->instance, NULL) &&
            virDelegateIsHanded(door, call, "gate.create"));
}

/* The kernel holds exactly the union of the gate's rules. */
static bool
virDelegateHoldsRules(const virDelegateTrace *trace, virGate *gate, GError **error)
{
    g_autoptr(virDeviceRules) rules = virGateRules(gate);
    g_autoptr(GArray) wanted = virDeviceRulesUnion(rules);
    g_autoptr(GArray) held = virGateReadBack(gate, error);
    g_autoptr(GArray) changes = held ? virDeviceRulesChanges(wanted, held) : NULL;

    if (!held)
        return false;
    return changes->len == 0 || virDelegateNotTrue(trace, error, _("the kernel holds other rules"));
}

static bool
virDelegateMakeGate(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    virDelegateTrace trace;

    if (!virDelegateBegin(door, call, "gate.create", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->gateCreate(door, call, gate, error)) ||
        !virDelegateHoldsRules(&trace, gate, error))
        return false;
    virGateSettle(gate, true);
    return true;
}

/* Off the group again; the error in hand says more than one here could. */
static void
virDelegateTakeOff(virDelegate *door, const virDelegateCall *call, virGate *gate)
{
    virDelegateTrace trace;

    if (virDelegateBegin(door, call, "gate.remove", &trace, NULL))
        (void)virDelegateEnd(&trace, trace.ops->gateRemove(door, call, gate, NULL)); /* see above */
}

bool
virDelegateGateCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                      const virDeviceRules *rules, const virGateSettings *settings,
                      virGate **retGate, GError **error)
{
    g_autoptr(virGate) gate = NULL;
    bool populated = false;

    if (!virDelegateCheckPrepared(door, error) || !virCgroupIsPopulated(group, &populated, error))
        return false;
    if (populated)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("control group %s has processes in it before its device gate"),
                           virCgroupPath(group));
    gate = virGateNew(group, door->store, call->uuid, rules, settings);
    if (!virDelegateMakeGate(door, call, gate, error)) {
        virDelegateTakeOff(door, call, gate);
        return false;
    }
    *retGate = g_steal_pointer(&gate);
    return true;
}

static bool
virDelegateRepair(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    virDelegateTrace trace;
    bool reattached = false;

    if (!virDelegateBegin(door, call, "gate.replace", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->gateRepair(door, call, gate, &reattached, error)))
        return false;
    if (reattached)
        VIR_WARN("guest '%s': somebody had taken its device gate off the control group; it is "
                 "attached again",
                 call->domain);
    return true;
}

/* Puts back what is missing. What can't be is said and no error: the guest runs on, behind what is
 * left of its gate. */
static void
virDelegatePutBack(virDelegate *door, const virDelegateCall *call, virGate *gate)
{
    g_autoptr(GError) error = NULL;

    if (!virDelegateRepair(door, call, gate, &error))
        VIR_WARN("guest '%s': what is missing of its device gate can't be put back: %s",
                 call->domain, error->message);
}

/* Room for wanted (NULL: the gate's own rules) before it is written: changing rules takes maps
 * alone, more room takes another program. */
static bool
virDelegateMakeRoom(virDelegate *door, const virDelegateCall *call, virGate *gate,
                    const virDeviceRules *wanted, GError **error)
{
    virDelegateTrace trace;
    uint32_t capacity = 0;

    if (!virGateRoomFor(gate, wanted, &capacity, error))
        return false;
    if (!capacity)
        return true;
    if (!virDelegateBegin(door, call, "gate.replace", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->gateGrow(door, call, gate, capacity, error)))
        return false;
    return virGateCapacity(gate) >= capacity ||
           virDelegateNotTrue(&trace, error, _("there is no more room in it than before"));
}

/* A gate that was found: attached again before anything else, then brought to its rules. */
static bool
virDelegateBringBack(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    virDelegateTrace update;

    /* A handler knows whether this is still the gate; without its word nothing is written to it. */
    if (!virDelegateIsHanded(door, call, "gate.replace"))
        virDelegatePutBack(door, call, gate);
    else if (!virDelegateRepair(door, call, gate, error))
        return false;
    if (!virDelegateMakeRoom(door, call, gate, NULL, error))
        return false;
    if (!virDelegateBegin(door, call, "gate.update", &update, error))
        return update.nobody;
    if (!virDelegateEnd(&update, update.ops->gateUpdate(door, call, gate, NULL, error)) ||
        !virDelegateHoldsRules(&update, gate, error))
        return false;
    virGateSettle(gate, true);
    return true;
}

/* What could not be done when the daemon came back, since the handler wasn't there yet. */
static bool
virDelegateSettle(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    return virGateIsSettled(gate) ||
           (!virGateIsManageable(gate) && !virDelegateIsHanded(door, call, "gate.replace")) ||
           virDelegateBringBack(door, call, gate, error);
}

/* The guest runs on behind its gate, as it is, until its handler comes; then a watch or the next
 * change brings it to its rules. */
static bool
virDelegateBringBackLater(virDelegate *door, const virDelegateCall *call, virGate *gate,
                          GError **error)
{
    g_autoptr(GError) why = NULL;

    if (virDelegateBringBack(door, call, gate, &why))
        return true;
    if (!virDelegateIsHanded(door, call, "gate.replace") &&
        !virDelegateIsHanded(door, call, "gate.update")) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    VIR_WARN("guest '%s': its device gate stays as it is until its handler is there: %s",
             call->domain, why->message);
    return true;
}

static bool
virDelegateTakeUp(virDelegate *door, const virDelegateCall *call, virGate *gate, virGateFound found,
                  GError **error)
{
    const bool handed = virDelegateIsHanded(door, call, "gate.replace");

    switch (found) {
    case VIR_GATE_FOUND_PINS:
    case VIR_GATE_FOUND_IDS:
        return virDelegateBringBackLater(door, call, gate, error);
    case VIR_GATE_FOUND_LIBVIRT:
        VIR_INFO("guest '%s': taking over the device gate that libvirt made", call->domain);
        return handed ? virDelegateBringBackLater(door, call, gate, error)
                      : virDelegateMakeGate(door, call, gate, error);
    case VIR_GATE_FOUND_NONE:
        VIR_WARN("guest '%s' runs without its device gate; making one now", call->domain);
        return handed ? virDelegateBringBackLater(door, call, gate, error)
                      : virDelegateMakeGate(door, call, gate, error);
    case VIR_GATE_FOUND_FOREIGN:
        if (handed)
            return virDelegateBringBackLater(door, call, gate, error);
        VIR_WARN("guest '%s': its device gate is enforced but not manageable from here",
                 call->domain);
        return true;
    }
    return true;
}

bool
virDelegateGateReopen(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                      const virDeviceRules *rules, const virGateSettings *settings,
                      virGate **retGate, virGateFound *retFound, GError **error)
{
    g_autoptr(virGate) gate = NULL;
    virGateFound found = VIR_GATE_FOUND_NONE;

    if (!virDelegateCheckPrepared(door, error))
        return false;
    gate = virGateNew(group, door->store, call->uuid, rules, settings);
    if (!virGateDetect(gate, &found, error) || !virDelegateTakeUp(door, call, gate, found, error) ||
        (virGateIsSettled(gate) &&
         !virDelegateGateSetMode(door, call, gate, settings->mode, error)))
        return false;
    *retGate = g_steal_pointer(&gate);
    *retFound = found;
    return true;
}

/* --- watching --- */

/* Says who else has a say, when that has changed. */
static void
virDelegateTellForeign(const virDelegateCall *call, const virGateState *before,
                       const virGateState *now)
{
    for (unsigned i = 0; i < MIN(now->nforeign, VIR_GATE_FOREIGN_MAX); i++) {
        const virGateForeign *foreign = &now->foreign[i];
        bool known = false;

        for (unsigned k = 0; k < MIN(before->nforeign, VIR_GATE_FOREIGN_MAX); k++)
            known |= before->foreign[k].id == foreign->id;
        if (!known)
            VIR_WARN("guest '%s': device program %u%s%s%s on %s can deny what its gate allows",
                     call->domain, foreign->id, *foreign->name ? " (" : "", foreign->name,
                     *foreign->name ? ")" : "",
                     foreign->above ? "a group above its own" : "its own control group");
    }
}

/* At the 1st, 2nd, 4th … 64th look and so on, so that a handler which refuses isn't asked every
 * second. */
static void
virDelegateSettleSometimes(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           virGateState *state)
{
    g_autoptr(GError) error = NULL;

    state->waited = virGateIsSettled(gate) ? 0 : state->waited % 64 + 1;
    if ((state->waited & (state->waited - 1)) == 0 && !virDelegateSettle(door, call, gate, &error))
        VIR_DEBUG("guest '%s': its device gate stays as it is: %s", call->domain, error->message);
}

bool
virDelegateGateWatch(virDelegate *door, const virDelegateCall *call, virGate *gate,
                     virGateState *state, GError **error)
{
    g_autoptr(virGateChangeLock) change = virGateChangeTry(gate);
    virGateState now;

    if (!change)
        return true; /* it is being changed: the next look will do */
    virDelegateSettleSometimes(door, call, gate, state);
    if (!virGateInspect(gate, &now, error))
        return false;
    virDelegateTellForeign(call, state, &now);
    if (virGateIsDamaged(gate, &now)) {
        /* Once for each damage: what can't be put back isn't tried and told every second. */
        if (!virGateIsDamaged(gate, state) || now.revision != state->revision) {
            if (!now.known || now.attached)
                VIR_WARN("guest '%s': a part of its device gate is gone (%s)", call->domain,
                         now.linked ? "its pins" : "its link");
            virDelegatePutBack(door, call, gate);
        }
        if (!virGateInspect(gate, &now, error))
            return false;
    }
    now.waited = state->waited;
    *state = now;
    return true;
}

/* --- changing rules --- */

/* Each node of rules has the access that wanted's union gives it. */
static bool
virDelegateHoldsNodes(const virDelegateTrace *trace, virGate *gate, const GArray *changes,
                      GError **error)
{
    for (guint i = 0; i < changes->len; i++) {
        const virDeviceRule *wanted = &g_array_index(changes, virDeviceRule, i);
        unsigned access = 0;

        if (!virGateGetAccess(gate, wanted, &access, error))
            return false;
        if (access != wanted->access)
            return virDelegateNotTrue(trace, error, _("the kernel holds another rule"));
    }
    return true;
}

static bool
virDelegateUpdateGate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                      const virDeviceRules *wanted, GError **error)
{
    g_autoptr(virGateChangeLock) change G_GNUC_UNUSED = virGateChangeBegin(gate);
    virDelegateTrace trace;
    g_autoptr(virDeviceRules) before = virGateRules(gate);
    g_autoptr(GArray) from = virDeviceRulesUnion(before);
    g_autoptr(GArray) to = virDeviceRulesUnion(wanted);
    g_autoptr(GArray) changes = virDeviceRulesChanges(from, to);

    if (!virDelegateSettle(door, call, gate, error) ||
        !virDelegateMakeRoom(door, call, gate, wanted, error))
        return false;
    if (!virDelegateBegin(door, call, "gate.update", &trace, error))
        return trace.nobody;
    return virDelegateEnd(&trace, trace.ops->gateUpdate(door, call, gate, wanted, error)) &&
           virDelegateHoldsNodes(&trace, gate, changes, error);
}

bool
virDelegateGateAllow(virDelegate *door, const virDelegateCall *call, virGate *gate,
                     const char *owner, const virDeviceRule *rules, size_t nrules, GError **error)
{
    g_autoptr(virDeviceRules) wanted = virGateRules(gate);

    for (size_t i = 0; i < nrules; i++)
        virDeviceRulesAllow(wanted, owner, &rules[i]);
    return virDelegateUpdateGate(door, call, gate, wanted, error);
}

bool
virDelegateGateDeny(virDelegate *door, const virDelegateCall *call, virGate *gate,
                    const char *owner, const virDeviceRule *rules, size_t nrules, GError **error)
{
    g_autoptr(virDeviceRules) wanted = virGateRules(gate);

    for (size_t i = 0; i < nrules; i++)
        virDeviceRulesDeny(wanted, owner, &rules[i]);
    return virDelegateUpdateGate(door, call, gate, wanted, error);
}

bool
virDelegateGateDropOwner(virDelegate *door, const virDelegateCall *call, virGate *gate,
                         const char *owner, GError **error)
{
    g_autoptr(virDeviceRules) wanted = virGateRules(gate);

    virDeviceRulesDropOwner(wanted, owner);
    return virDelegateUpdateGate(door, call, gate, wanted, error);
}

bool
virDelegateGateSetMode(virDelegate *door, const virDelegateCall *call, virGate *gate,
                       virGateMode mode, GError **error)
{
    g_autoptr(virGateChangeLock) change G_GNUC_UNUSED = virGateChangeBegin(gate);
    virDelegateTrace trace;

    if (virGateGetMode(gate) == mode)
        return true;
    if (!virDelegateBegin(door, call, "gate.update", &trace, error))
        return trace.nobody;
    if (!virDelegateEnd(&trace, trace.ops->gateSetMode(door, call, gate, mode, error)))
        return false;
    return virGateGetMode(gate) == mode ||
           virDelegateNotTrue(&trace, error, _("the mode is another"));
}

/* --- the end --- */

bool
virDelegateGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    g_autoptr(virGateChangeLock) change G_GNUC_UNUSED = virGateChangeBegin(gate);
    virDelegateTrace trace;
    const char *path = virCgroupPath(virGateGroup(gate));
    bool populated = false;

    if (!virDelegateBegin(door, call, "gate.remove", &trace, error))
        return trace.nobody;
    if (access(path, F_OK) == 0 && !virCgroupIsPopulated(virGateGroup(gate), &populated, error))
        return false;
    if (populated)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("the device gate of %s stays while there are processes in it"), path);
    if (!virDelegateEnd(&trace, trace.ops->gateRemove(door, call, gate, error)))
        return false;
    return !virGateIsPinned(gate) || virDelegateNotTrue(&trace, error, _("it is still pinned"));
}

bool
virDelegateGateSweep(virDelegate *door, const uint8_t (*uuids)[16], size_t n, unsigned *retRemoved,
                     GError **error)
{
    unsigned removed = 0;

    if (door->store && !door->ops->gateSweep(door, uuids, n, &removed, error))
        return false;
    if (retRemoved)
        *retRemoved = removed;
    return true;
}
