/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_gate.c: the front of the hooks for the device gate: what must hold before and after.
 * In a job, without the core lock. */
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

static bool
virDelegateCheckPrepared(const virDelegate *door, GError **error)
{
    return door->store ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, _("no device gate is available here"));
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
    virDelegateTrace trace = virDelegateBegin(door, call, "gate.create");

    return virDelegateEnd(&trace, door->ops->gateCreate(door, call, gate, error)) &&
           virDelegateHoldsRules(&trace, gate, error);
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
        (void)door->ops->gateRemove(door, call, gate, NULL); /* the error in hand says more */
        return false;
    }
    *retGate = g_steal_pointer(&gate);
    return true;
}

/* A gate that was found: to its rules, and what is missing of it put back. */
static bool
virDelegateBringBack(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    virDelegateTrace update = virDelegateBegin(door, call, "gate.update");
    virDelegateTrace repair;
    bool reattached = false;

    if (!virDelegateEnd(&update, door->ops->gateUpdate(door, call, gate, NULL, error)) ||
        !virDelegateHoldsRules(&update, gate, error))
        return false;
    repair = virDelegateBegin(door, call, "gate.replace");
    if (!virDelegateEnd(&repair, door->ops->gateRepair(door, call, gate, &reattached, error)))
        return false;
    if (reattached)
        VIR_WARN("guest '%s': somebody had taken its device gate off the control group; it is "
                 "attached again",
                 call->domain);
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
    if (!virGateDetect(gate, &found, error))
        return false;
    switch (found) {
    case VIR_GATE_FOUND_PINS:
    case VIR_GATE_FOUND_IDS:
        if (!virDelegateBringBack(door, call, gate, error))
            return false;
        break;
    case VIR_GATE_FOUND_NONE:
        VIR_WARN("guest '%s' runs without its device gate; making one now", call->domain);
        if (!virDelegateMakeGate(door, call, gate, error))
            return false;
        break;
    case VIR_GATE_FOUND_FOREIGN:
        VIR_WARN("guest '%s': its device gate is enforced but not manageable from here",
                 call->domain);
        break;
    }
    *retGate = g_steal_pointer(&gate);
    *retFound = found;
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
    virDelegateTrace trace = virDelegateBegin(door, call, "gate.update");
    g_autoptr(virDeviceRules) before = virGateRules(gate);
    g_autoptr(GArray) from = virDeviceRulesUnion(before);
    g_autoptr(GArray) to = virDeviceRulesUnion(wanted);
    g_autoptr(GArray) changes = virDeviceRulesChanges(from, to);

    return virDelegateEnd(&trace, door->ops->gateUpdate(door, call, gate, wanted, error)) &&
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
    virDelegateTrace trace = virDelegateBegin(door, call, "gate.update");

    if (virGateGetMode(gate) == mode)
        return true;
    if (!virDelegateEnd(&trace, door->ops->gateSetMode(door, call, gate, mode, error)))
        return false;
    return virGateGetMode(gate) == mode ||
           virDelegateNotTrue(&trace, error, _("the mode is another"));
}

/* --- the end --- */

bool
virDelegateGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate, GError **error)
{
    virDelegateTrace trace = virDelegateBegin(door, call, "gate.remove");
    const char *path = virCgroupPath(virGateGroup(gate));
    bool populated = false;

    if (access(path, F_OK) == 0 && !virCgroupIsPopulated(virGateGroup(gate), &populated, error))
        return false;
    if (populated)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("the device gate of %s stays while there are processes in it"), path);
    if (!virDelegateEnd(&trace, door->ops->gateRemove(door, call, gate, error)))
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
