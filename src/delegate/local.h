/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local.h: the hooks done in this process: the one place that changes the host. Each function is
 * the entry of virDelegateOps with its name; what it needs and promises stands there. */
#pragma once

#include "delegate/virdelegateops.h"

/* local_store.c: the instance's folders and its bpffs */
bool virDelegateLocalPrepare(virDelegate *door, GError **error);
bool virDelegateLocalRetire(virDelegate *door, GError **error);

/* local_cgroup.c */
bool virDelegateLocalCgroupCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                  pid_t leader, GError **error);
bool virDelegateLocalCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                int pidfd, GError **error);
bool virDelegateLocalCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                               const virCgroupSetting *setting, GError **error);
bool virDelegateLocalCgroupMakePart(virDelegate *door, const virDelegateCall *call,
                                    virCgroup *group, const virCgroupPart *part, GError **error);
bool virDelegateLocalCgroupRemovePart(virDelegate *door, const virDelegateCall *call,
                                      virCgroup *group, const virCgroupPart *part, GError **error);
bool virDelegateLocalCgroupMoveThreads(virDelegate *door, const virDelegateCall *call,
                                       virCgroup *group, const virCgroupPart *part, int pidfd,
                                       const pid_t *tids, size_t ntids, GError **error);
bool virDelegateLocalCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                  unsigned timeout_ms, GError **error);

/* local_gate.c */
bool virDelegateLocalGateCreate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                GError **error);
bool virDelegateLocalGateRepair(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                bool *retReattached, GError **error);
bool virDelegateLocalGateUpdate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                const virDeviceRules *wanted, GError **error);
bool virDelegateLocalGateGrow(virDelegate *door, const virDelegateCall *call, virGate *gate,
                              uint32_t capacity, GError **error);
bool virDelegateLocalGateSetMode(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                 virGateMode mode, GError **error);
bool virDelegateLocalGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                GError **error);
bool virDelegateLocalGateForget(virDelegate *door, const virDelegateCall *call, GError **error);
bool virDelegateLocalGateSweep(virDelegate *door, const uint8_t (*uuids)[16], size_t n,
                               unsigned *retRemoved, GError **error);

/* local_net.c */
bool virDelegateLocalTapCreate(virDelegate *door, const virDelegateCall *call,
                               const virNetDevTapRequest *request, int *retFds,
                               virNetDevTapInfo *retInfo, GError **error);
bool virDelegateLocalTapRemove(virDelegate *door, const virDelegateCall *call, const char *name,
                               unsigned ifindex, GError **error);
bool virDelegateLocalNetSetBridge(virDelegate *door, const virDelegateCall *call, const char *name,
                                  const char *bridge, GError **error);
bool virDelegateLocalNetSetUp(virDelegate *door, const virDelegateCall *call, const char *name,
                              bool up, GError **error);

bool virDelegateLocalNetSetBandwidth(virDelegate *door, const virDelegateCall *call,
                                     const char *name, const virNetDevBandwidth *wanted,
                                     GError **error);

/* local_file.c */
bool virDelegateLocalDeviceOpen(virDelegate *door, const virDelegateCall *call,
                                virDelegateDevice device, const char *identity, int flags,
                                int *retFd, GError **error);
bool virDelegateLocalNodeCreate(virDelegate *door, const virDelegateCall *call, int dirFd,
                                const char *name, mode_t mode, dev_t device, uid_t uid, gid_t gid,
                                GError **error);
bool virDelegateLocalMountBind(virDelegate *door, const virDelegateCall *call, int pidfd,
                               int sourceFd, int dirFd, const char *name, GError **error);
bool virDelegateLocalOwnSet(virDelegate *door, const virDelegateCall *call, int fd,
                            const virDelegateOwner *wanted, GError **error);

/* local_pci.c */
bool virDelegateLocalPCIBind(virDelegate *door, const virDelegateCall *call, const char *address,
                             const char *driver, GError **error);
bool virDelegateLocalPCIRelease(virDelegate *door, const virDelegateCall *call, const char *address,
                                GError **error);

/* local_process.c */
bool virDelegateLocalMemlockSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                                const virDelegateMemlock *wanted, GError **error);
bool virDelegateLocalSchedSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                              const pid_t *tids, size_t ntids, int policy, int priority,
                              GError **error);
bool virDelegateLocalAffinitySet(virDelegate *door, const virDelegateCall *call, int pidfd,
                                 const pid_t *tids, size_t ntids, const cpu_set_t *cpus,
                                 size_t cpusSize, GError **error);
bool virDelegateLocalProcTune(virDelegate *door, const virDelegateCall *call, int pidfd,
                              int oomScoreAdj, GError **error);
bool virDelegateLocalBarrier(virDelegate *door, const virDelegateCall *call,
                             virDelegateBarrierStage stage, int pidfd,
                             const virDelegateThread *threads, size_t nthreads, GError **error);
