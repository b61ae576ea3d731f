/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_gate.c: the hooks for the device gate, done here. Needs CAP_BPF and CAP_NET_ADMIN to make
 * and swap, nothing to change rules. */
#include "delegate/local.h"
#include "util/virfault.h"

bool
virDelegateLocalGateCreate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           GError **error)
{
    return virGateMake(gate, error);
}

bool
virDelegateLocalGateRepair(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           bool *retReattached, GError **error)
{
    return virGateRepair(gate, retReattached, error);
}

bool
virDelegateLocalGateUpdate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           const virDeviceRules *wanted, GError **error)
{
    return wanted ? virGateApply(gate, wanted, error) : virGateReconcile(gate, error);
}

bool
virDelegateLocalGateGrow(virDelegate *door, const virDelegateCall *call, virGate *gate,
                         uint32_t capacity, GError **error)
{
    return virGateGrow(gate, capacity, error);
}

bool
virDelegateLocalGateSetMode(virDelegate *door, const virDelegateCall *call, virGate *gate,
                            virGateMode mode, GError **error)
{
    return virGateSetMode(gate, mode, error);
}

bool
virDelegateLocalGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           GError **error)
{
    return virGateDestroy(gate, error) && VIR_FAULT_STEP("stop:gate-removed", error);
}

bool
virDelegateLocalGateSweep(virDelegate *door, const uint8_t (*uuids)[16], size_t n,
                          unsigned *retRemoved, GError **error)
{
    return virGateStoreSweep(door->store, uuids, n, retRemoved, error);
}

bool
virDelegateLocalGateForget(virDelegate *door, const virDelegateCall *call, GError **error)
{
    return !door->store || virGateStoreForget(door->store, call->uuid, error);
}
