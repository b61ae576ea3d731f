/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegateops.h: what stands behind the door: one entry per hook.
 *
 * For src/delegate alone. An implementation does what it is told and need not look first or check
 * afterwards: the front (virdelegate*.c) does both, the same for all of them. Targets are
 * descriptors, or handles that hold them: virCgroup (folder descriptor of the leaf), virGate (map
 * descriptors, virGateStore's folder of pins). In a job, without the core lock; several guests at a
 * time, one call a guest. */
#pragma once

#include "delegate/virdelegate.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/virvfio.h"

typedef struct {
    const char *name; /* "local", "handler": as in messages */

    /* The instance's folders; opens door->store. Called once before everything else. */
    bool (*prepare)(virDelegate *door, GError **error);
    /* The reverse; what is not empty stays, which is no error. */
    bool (*retire)(virDelegate *door, GError **error);

    /* cgroup.create. After: the leaf is there and group has its descriptor; in a scope, leader is
     * below it. */
    bool (*cgroupCreate)(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                         pid_t leader, GError **error);
    /* cgroup.move. After: the process of pidfd is in the leaf and the other hierarchies' groups, or
     * has ended. */
    bool (*cgroupMove)(virDelegate *door, const virDelegateCall *call, virCgroup *group, int pidfd,
                       GError **error);
    /* cgroup.set. After: the file reads as the setting says. */
    bool (*cgroupSet)(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                      const virCgroupSetting *setting, GError **error);
    /* cgroup.create for a part. After: its groups are there. */
    bool (*cgroupMakePart)(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           const virCgroupPart *part, GError **error);
    /* cgroup.remove for a part. After: they are gone. */
    bool (*cgroupRemovePart)(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             const virCgroupPart *part, GError **error);
    /* cgroup.move for threads. After: each is in the part's groups, or has ended. */
    bool (*cgroupMoveThreads)(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                              const virCgroupPart *part, int pidfd, const pid_t *tids, size_t ntids,
                              GError **error);
    /* cgroup.remove. After: group and leaf are gone, and every process in them. */
    bool (*cgroupRemove)(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                         unsigned timeout_ms, GError **error);

    /* gate.create. Before: no process in the group, or a gate is missing on a live one. After: the
     * kernel holds the union of the gate's rules and denies all else. */
    bool (*gateCreate)(virDelegate *door, const virDelegateCall *call, virGate *gate,
                       GError **error);
    /* gate.replace for what a restart found incomplete. *retReattached: it had been taken off. */
    bool (*gateRepair)(virDelegate *door, const virDelegateCall *call, virGate *gate,
                       bool *retReattached, GError **error);
    /* gate.update; there is room for it. wanted NULL: to the gate's own rules,
     * from what the kernel holds. After: the kernel holds wanted's union; on error what it held
     * before. */
    bool (*gateUpdate)(virDelegate *door, const virDelegateCall *call, virGate *gate,
                       const virDeviceRules *wanted, GError **error);
    /* gate.replace for more room. After: capacity rules fit, and those that were held are. */
    bool (*gateGrow)(virDelegate *door, const virDelegateCall *call, virGate *gate,
                     uint32_t capacity, GError **error);
    /* gate.update. */
    bool (*gateSetMode)(virDelegate *door, const virDelegateCall *call, virGate *gate,
                        virGateMode mode, GError **error);
    /* gate.remove. After: no program, map, link or pin of the gate is held. */
    bool (*gateRemove)(virDelegate *door, const virDelegateCall *call, virGate *gate,
                       GError **error);
    /* What is pinned of a gate whose group is gone; none is success. The daemon's own. */
    bool (*gateForget)(virDelegate *door, const virDelegateCall *call, GError **error);
    bool (*gateSweep)(virDelegate *door, const uint8_t (*uuids)[16], size_t n, unsigned *retRemoved,
                      GError **error);

    /* device.open. After: *retFd is that device, checked by type and a harmless ioctl, VFIO's by
     * their number in sysfs as well. */
    bool (*deviceOpen)(virDelegate *door, const virDelegateCall *call, virDelegateDevice device,
                       const char *identity, int flags, int *retFd, GError **error);
    /* pci.bind. After: sysfs says that the device has the driver. */
    bool (*pciBind)(virDelegate *door, const virDelegateCall *call, const char *address,
                    const char *driver, GError **error);
    /* pci.release. After: it has none of VFIO's, and may have any. */
    bool (*pciRelease)(virDelegate *door, const virDelegateCall *call, const char *address,
                       GError **error);
    /* node.create. After: name in dirFd is that device with mode and owner. */
    bool (*nodeCreate)(virDelegate *door, const virDelegateCall *call, int dirFd, const char *name,
                       mode_t mode, dev_t device, uid_t uid, gid_t gid, GError **error);
    /* mount.apply. After: name in dirFd is the file of sourceFd. */
    bool (*mountBind)(virDelegate *door, const virDelegateCall *call, int pidfd, int sourceFd,
                      int dirFd, const char *name, GError **error);
    /* mount.apply. After: each is there, in /dev of the process. NULL: it can't be done so. */
    bool (*mountApply)(virDelegate *door, const virDelegateCall *call, int pidfd, int dirFd,
                       const virDelegateMount *mounts, size_t nmounts, GError **error);

    /* tap.create. After: every descriptor is a queue of retInfo->name; a macvtap is on the parent,
     * in the mode and with the address that were asked for. */
    bool (*tapCreate)(virDelegate *door, const virDelegateCall *call,
                      const virNetDevTapRequest *request, int *retFds, virNetDevTapInfo *retInfo,
                      GError **error);
    /* tap.remove. After: no interface of that name and index. */
    bool (*tapRemove)(virDelegate *door, const virDelegateCall *call, const char *name,
                      unsigned ifindex, GError **error);
    /* net.attach, net.detach (bridge NULL). After: name is a port of bridge, of none. */
    bool (*netSetBridge)(virDelegate *door, const virDelegateCall *call, const char *name,
                         const char *bridge, GError **error);
    /* net.set. After: up or down. */
    bool (*netSetUp)(virDelegate *door, const virDelegateCall *call, const char *name, bool up,
                     GError **error);

    /* net.bandwidth. After: class and policer have the rates, or there are none. */
    bool (*netSetBandwidth)(virDelegate *door, const virDelegateCall *call, const char *name,
                            const virNetDevBandwidth *wanted, GError **error);

    /* own.set. wanted is complete. After: fstat says so. */
    bool (*ownSet)(virDelegate *door, const virDelegateCall *call, int fd,
                   const virDelegateOwner *wanted, GError **error);

    /* memlock.set. After: the soft limit is at least bytes, or, if exact, bytes. */
    bool (*memlockSet)(virDelegate *door, const virDelegateCall *call, int pidfd,
                       const virDelegateMemlock *wanted, GError **error);
    /* sched.set, affinity.set: every thread. */
    bool (*schedSet)(virDelegate *door, const virDelegateCall *call, int pidfd, const pid_t *tids,
                     size_t ntids, int policy, int priority, GError **error);
    bool (*affinitySet)(virDelegate *door, const virDelegateCall *call, int pidfd,
                        const pid_t *tids, size_t ntids, const cpu_set_t *cpus, size_t cpusSize,
                        GError **error);
    /* proc.tune. */
    bool (*procTune)(virDelegate *door, const virDelegateCall *call, int pidfd, int oomScoreAdj,
                     GError **error);
    /* barrier. After: the process lives. */
    bool (*barrier)(virDelegate *door, const virDelegateCall *call, virDelegateBarrierStage stage,
                    int pidfd, const virDelegateThread *threads, size_t nthreads, GError **error);
} virDelegateOps;

extern const virDelegateOps virDelegateLocalOps;

/* Asks the registered handlers; door->handlers is there. */
extern const virDelegateOps virDelegateHandlerOps;

struct virDelegate {
    const virDelegateOps *ops; /* the daemon itself */
    virHandlers *handlers;     /* NULL: nobody else */
    virCgroupInstance *instance;
    char *pinPath;
    const char *sysfs; /* "/sys"; borrowed, a test's own */
    virDelegateOwner owner;
    virGateStore *store; /* NULL until prepared */
};

/* --- for the front --- */

/* One call through the door: when it began, and for whom. */
typedef struct {
    const virDelegate *door;
    const virDelegateCall *call;
    const char *hook;
    const virDelegateOps *ops; /* who does it */
    bool nobody;               /* it is switched off: counts as done */
    gint64 began_us;
} virDelegateTrace;

/* Decides who does the hook for this guest. False: nobody, retTrace->nobody is what to return; with
 * an error set where that is false. */
bool virDelegateBegin(virDelegate *door, const virDelegateCall *call, const char *hook,
                      virDelegateTrace *retTrace, GError **error);
/* The number of a process that has not ended; -1 with an error. */
pid_t virDelegateLivePid(int pidfd, GError **error);
/* True if a handler is asked for the hook now. */
bool virDelegateIsAsked(virDelegate *door, const virDelegateCall *call, const char *hook);
/* True if groups that a handler makes are to belong to the daemon: it moves processes itself, or
 * could have them born there, which is quicker. */
bool virDelegateCgroupWantsOwner(virDelegate *door, const virDelegateCall *call,
                                 const virCgroup *group);
/* Logs the call (hook, guest, phase, duration, verdict) and passes done on. */
bool virDelegateEnd(const virDelegateTrace *trace, bool done);
/* "done" that isn't true. what ends the sentence "... reported ... as done, but". False. */
bool virDelegateNotTrue(const virDelegateTrace *trace, GError **error, const char *what);
/* True if it is one of VFIO's nodes, and which. */
bool virDelegateDeviceIsVFIO(virDelegateDevice device, virVFIOKind *retKind);
/* Each thread runs on some of cpus and on no other. */
bool virDelegateHaveAffinity(const pid_t *tids, size_t ntids, const cpu_set_t *cpus,
                             size_t cpusSize);
