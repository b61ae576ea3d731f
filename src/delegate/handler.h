/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler.h: what the files of the handler's half share: a plain call, and threads as targets. For
 * handler*.c alone. In a job, without the core lock. */
#pragma once

#include "delegate/virdelegateops.h"
#include "delegate/virhandlers.h"

/* A call whose answer is success and no more; hook is HANDLER_PROC_..., args its struct. */
bool virDelegateHandlerAsk(virDelegate *door, const virDelegateCall *call, uint32_t hook,
                           void *args, const int *fds, size_t nfds, GError **error);

/* The targets of a call for threads: what it begins with, and what names the threads. */
typedef struct {
    GArray *fds; /* int; all but the first ones owned */
    guint borrowed;
    handler_threads threads;
} virDelegateTargets;

void virDelegateTargetsClear(virDelegateTargets *targets);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virDelegateTargets, virDelegateTargetsClear)

/* Targets: first (borrowed descriptors), then a descriptor for each thread of the process of pidfd,
 * or, before Linux 6.9, the folder they are listed in. targets is zeroed; threads borrows tids. */
bool virDelegateTargetsFind(virDelegateTargets *targets, const int *first, size_t nfirst, int pidfd,
                            const pid_t *tids, size_t ntids, GError **error);

/* --- the hooks, a file a subject --- */

/* handler_gate.c */
bool virDelegateHandlerGateCreate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                  GError **error);
bool virDelegateHandlerGateRepair(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                  bool *retReattached, GError **error);
bool virDelegateHandlerGateUpdate(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                  const virDeviceRules *wanted, GError **error);
bool virDelegateHandlerGateGrow(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                uint32_t capacity, GError **error);
bool virDelegateHandlerGateSetMode(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                   virGateMode mode, GError **error);
bool virDelegateHandlerGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate,
                                  GError **error);

bool virDelegateHandlerBarrier(virDelegate *door, const virDelegateCall *call,
                               virDelegateBarrierStage stage, int pidfd,
                               const virDelegateThread *threads, size_t nthreads, GError **error);

bool virDelegateHandlerMountBind(virDelegate *door, const virDelegateCall *call, int pidfd,
                                 int sourceFd, int dirFd, const char *name, GError **error);
bool virDelegateHandlerMountApply(virDelegate *door, const virDelegateCall *call, int pidfd,
                                  int dirFd, const virDelegateMount *mounts, size_t nmounts,
                                  GError **error);

bool virDelegateHandlerCgroupCreate(virDelegate *door, const virDelegateCall *call,
                                    virCgroup *group, pid_t leader, GError **error);
bool virDelegateHandlerCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                  int pidfd, GError **error);
bool virDelegateHandlerCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                 const virCgroupSetting *setting, GError **error);
bool virDelegateHandlerCgroupMakePart(virDelegate *door, const virDelegateCall *call,
                                      virCgroup *group, const virCgroupPart *part, GError **error);
bool virDelegateHandlerCgroupRemovePart(virDelegate *door, const virDelegateCall *call,
                                        virCgroup *group, const virCgroupPart *part,
                                        GError **error);
bool virDelegateHandlerCgroupMoveThreads(virDelegate *door, const virDelegateCall *call,
                                         virCgroup *group, const virCgroupPart *part, int pidfd,
                                         const pid_t *tids, size_t ntids, GError **error);
bool virDelegateHandlerCgroupRemove(virDelegate *door, const virDelegateCall *call,
                                    virCgroup *group, unsigned timeout_ms, GError **error);
