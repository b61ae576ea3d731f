/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local.c: the table of the hooks done in this process. */
#include "delegate/local.h"

const virDelegateOps virDelegateLocalOps = {
    .name = "local",
    .prepare = virDelegateLocalPrepare,
    .retire = virDelegateLocalRetire,
    .cgroupCreate = virDelegateLocalCgroupCreate,
    .cgroupMove = virDelegateLocalCgroupMove,
    .cgroupSet = virDelegateLocalCgroupSet,
    .cgroupMakePart = virDelegateLocalCgroupMakePart,
    .cgroupRemovePart = virDelegateLocalCgroupRemovePart,
    .cgroupMoveThreads = virDelegateLocalCgroupMoveThreads,
    .cgroupRemove = virDelegateLocalCgroupRemove,
    .gateCreate = virDelegateLocalGateCreate,
    .gateRepair = virDelegateLocalGateRepair,
    .gateUpdate = virDelegateLocalGateUpdate,
    .gateGrow = virDelegateLocalGateGrow,
    .gateSetMode = virDelegateLocalGateSetMode,
    .gateRemove = virDelegateLocalGateRemove,
    .gateForget = virDelegateLocalGateForget,
    .gateSweep = virDelegateLocalGateSweep,
    .deviceOpen = virDelegateLocalDeviceOpen,
    .nodeCreate = virDelegateLocalNodeCreate,
    .mountBind = virDelegateLocalMountBind,
    .tapCreate = virDelegateLocalTapCreate,
    .tapRemove = virDelegateLocalTapRemove,
    .netSetBridge = virDelegateLocalNetSetBridge,
    .netSetUp = virDelegateLocalNetSetUp,
    .netSetBandwidth = virDelegateLocalNetSetBandwidth,
    .ownSet = virDelegateLocalOwnSet,
    .memlockSet = virDelegateLocalMemlockSet,
    .schedSet = virDelegateLocalSchedSet,
    .affinitySet = virDelegateLocalAffinitySet,
    .procTune = virDelegateLocalProcTune,
    .barrier = virDelegateLocalBarrier,
};
