/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate.h: the one narrow door to rights that the daemon may lack.
 *
 * Whatever changes the host (groups, device gate, interfaces, ownership, limits, nodes, mounts)
 * goes through here. `local` does it in this process; a `handler` will ask an external helper that
 * registered. A caller can't tell which, and need not.
 *
 * Each function: looks whether the post-condition holds already, and if so does nothing; does it;
 * and looks again. "Done" that isn't true is an error of its own: "PROVIDER reported HOOK as done,
 * but ...". Targets are descriptors or handles that hold descriptors, never paths or pids: a path
 * can be exchanged under us, a pid reused.
 *
 * In a job, without the core lock: all of it may wait. Every call names the guest and the phase it
 * is for, for logs and for a helper's policy. An undo that fails is logged and doesn't stop the
 * others. */
#pragma once

#include <glib.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/cgroup/vircgroup.h"
#include "util/cgroup/vircgrouplimit.h"
#include "util/cgroup/virgate.h"
#include "util/netdev/virnetdevbandwidth.h"
#include "util/netdev/virnetdevtap.h"

typedef enum {
    VIR_DELEGATE_PHASE_START,
    VIR_DELEGATE_PHASE_HOTPLUG,
    VIR_DELEGATE_PHASE_MIGRATE_IN,
    VIR_DELEGATE_PHASE_RECONNECT,
    VIR_DELEGATE_PHASE_TEARDOWN,
    VIR_DELEGATE_PHASE_LAST
} virDelegatePhase;

/* For whom and why: borrowed for the time of the call. */
typedef struct {
    const char *domain; /* name, for logs */
    uint8_t uuid[16];
    virDelegatePhase phase;
} virDelegateCall;

/* A device node that is opened for QEMU instead of letting QEMU open it. */
typedef enum {
    VIR_DELEGATE_DEVICE_KVM,         /* /dev/kvm */
    VIR_DELEGATE_DEVICE_VHOST_NET,   /* /dev/vhost-net */
    VIR_DELEGATE_DEVICE_VHOST_VSOCK, /* /dev/vhost-vsock */
    VIR_DELEGATE_DEVICE_TAP,         /* a queue of a macvtap or ipvtap, by the interface's name */
    VIR_DELEGATE_DEVICE_VFIO_GROUP,  /* /dev/vfio/N of the PCI device with that address */
    VIR_DELEGATE_DEVICE_VFIO_CDEV,   /* /dev/vfio/devices/vfioN of that device */
    VIR_DELEGATE_DEVICE_IOMMUFD,     /* /dev/iommu */
    VIR_DELEGATE_DEVICE_NODE,        /* any other, by its path */
    VIR_DELEGATE_DEVICE_LAST
} virDelegateDevice;

/* What a thread of a guest does, and when a barrier is reached; docs/handler-protocol.md. */
typedef enum {
    VIR_DELEGATE_ROLE_EMULATOR, /* QEMU's main thread */
    VIR_DELEGATE_ROLE_VCPU,
    VIR_DELEGATE_ROLE_IOTHREAD,
    VIR_DELEGATE_ROLE_OTHER, /* QEMU's helpers of its own */
} virDelegateRole;

typedef enum {
    VIR_DELEGATE_BARRIER_PREPARED,     /* all threads are there, no vCPU has run */
    VIR_DELEGATE_BARRIER_RESUME,       /* the vCPUs are about to run for the first time */
    VIR_DELEGATE_BARRIER_HOTPLUG_VCPU, /* a vCPU was plugged into a running guest */
} virDelegateBarrierStage;

typedef struct {
    virDelegateRole role;
    unsigned id; /* number of the vCPU or I/O thread, else 0 */
    pid_t tid;
} virDelegateThread;

/* Owner and permissions of a file before own.set changed them, to be put back. */
typedef struct {
    uid_t uid;
    gid_t gid;
    mode_t mode;
} virDelegateOwner;

/* A limit of locked memory, and what it is made of: a handler's policy may see to that. */
typedef struct {
    uint64_t bytes;       /* VIR_DELEGATE_MEMLOCK_UNLIMITED: none */
    bool exact;           /* more is too much: it was raised, and need not be any longer */
    uint64_t guest;       /* bytes of the guest's memory */
    unsigned passthrough; /* devices of the host that reach it */
    uint64_t extra;       /* bytes beside the guest's memory */
} virDelegateMemlock;
#define VIR_DELEGATE_MEMLOCK_UNLIMITED UINT64_MAX

#define VIR_DELEGATE_KEEP_ID ((uid_t)-1)
#define VIR_DELEGATE_KEEP_MODE ((mode_t)-1)

typedef struct virDelegate virDelegate;
typedef struct virHandlers virHandlers;

/* The door of an instance, with local behind every hook. pinPath is the folder the gates' pins go
 * to (DIR/run/bpf); owner is the daemon's own uid and gid after it drops its privilege. */
virDelegate *virDelegateNew(virCgroupInstance *instance, const char *pinPath,
                            const virDelegateOwner *owner);
void virDelegateFree(virDelegate *door);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDelegate, virDelegateFree)

/* Those who may be asked instead of doing it here (virhandlers.h); taken over. At start. */
void virDelegateSetHandlers(virDelegate *door, virHandlers *handlers);
/* What of a running guest a grant may be about, beside files and interfaces; borrowed. */
typedef struct {
    int pidfd;
    virGate *gate; /* NULL: it has none */
} virDelegateSubject;

/* Handlers that came back are asked about what they granted the guest, and what does not hold any
 * more is done again (virhandlergrants.h). In a job of the guest; the phase is RECONNECT. Failures
 * are logged. */
void virDelegateResync(virDelegate *door, const virDelegateCall *call,
                       const virDelegateSubject *subject);
/* Borrowed; NULL: nobody else may be asked. */
virHandlers *virDelegateGetHandlers(virDelegate *door);
/* teardown: the guest is gone; its handlers undo what they remember of it. Waits for nobody. */
void virDelegateTeardown(virDelegate *door, const virDelegateCall *call);

/* Once at the daemon's start: the instance's group; a bpffs of our own on pinPath, or where we may
 * not mount, a folder named after the instance below /sys/fs/bpf, or where that fails too, no pins
 * (said in the log: the gate then is found by ids after a restart). Idempotent. */
bool virDelegatePrepare(virDelegate *door, GError **error);
/* At the end of an instance that is not to come back: group and bpffs go if they are empty. */
bool virDelegateRetire(virDelegate *door, GError **error);

/* --- groups --- */

/* cgroup.create: the guest's group and its leaf. An existing one with processes in is
 * VIR_ERR_OPERATION_FAILED (a guest we forgot); an empty one is taken over. leader is the process
 * that systemd makes the scope for (virSpawnHold), 0 where groups are the daemon's own. */
bool virDelegateCgroupCreate(virDelegate *door, const virDelegateCall *call, const char *name,
                             pid_t leader, virCgroup **retGroup, GError **error);
/* cgroup.move: the process of pidfd into the leaf. For a guest that cannot be born there
 * (virCgroupMayJoin): until then it waits in the daemon's own group. */
bool virDelegateCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           int pidfd, GError **error);
/* cgroup.set: one limit of the guest's group or of a part of it. Only files that
 * virCgroupLimitIsFile knows. */
bool virDelegateCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                          const virCgroupSetting *setting, GError **error);
/* cgroup.create, cgroup.remove for a part of the guest: threads with limits of their own. Where no
 * hierarchy can give threads any, there is nothing to make. Gone already is success. */
bool virDelegateCgroupMakePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                               const virCgroupPart *part, GError **error);
bool virDelegateCgroupRemovePart(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                 const virCgroupPart *part, GError **error);
/* cgroup.move: threads of the process of pidfd into the part. */
bool virDelegateCgroupMoveThreads(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                                  const virCgroupPart *part, int pidfd, const pid_t *tids,
                                  size_t ntids, GError **error);
/* cgroup.remove: kills what is left inside, waits for its end (timeout_ms, 0: 10 s) and removes
 * leaf and group, and with them what is pinned of a gate, whether or not it was found again. Gone
 * already is success. */
bool virDelegateCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                             unsigned timeout_ms, GError **error);

/* --- the device gate --- */

/* True if guests get a gate here: this process may make one, or gate.create is a handler's. */
bool virDelegateHasGates(virDelegate *door, const virDelegateCall *call);

/* gate.create: on an empty group, before anything is spawned into it: map filled, program loaded,
 * attached, pinned, verified, in this order. On error nothing of it is left. rules are copied. */
bool virDelegateGateCreate(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           const virDeviceRules *rules, const virGateSettings *settings,
                           virGate **retGate, GError **error);
/* After a restart: finds the gate (VIR_GATE_FOUND_...), compares it with rules, which the domain's
 * definition implies, and applies only the difference. A live group without gate gets one at once,
 * retFound says VIR_GATE_FOUND_NONE, and the log says alarm. */
bool virDelegateGateReopen(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                           const virDeviceRules *rules, const virGateSettings *settings,
                           virGate **retGate, virGateFound *retFound, GError **error);
/* A look at how the gate is held: what somebody has taken off is put back at once (gate.replace),
 * and a program of others that appeared is told of in the log, once. *state is that of the look
 * before, at first one with all held (VIR_GATE_STATE_WHOLE), and becomes the new one. */
bool virDelegateGateWatch(virDelegate *door, const virDelegateCall *call, virGate *gate,
                          virGateState *state, GError **error);
/* gate.update (and gate.replace when the map is full): one owner's rules, added or taken away; all
 * of them or, on error, none. */
bool virDelegateGateAllow(virDelegate *door, const virDelegateCall *call, virGate *gate,
                          const char *owner, const virDeviceRule *rules, size_t nrules,
                          GError **error);
bool virDelegateGateDeny(virDelegate *door, const virDelegateCall *call, virGate *gate,
                         const char *owner, const virDeviceRule *rules, size_t nrules,
                         GError **error);
bool virDelegateGateDropOwner(virDelegate *door, const virDelegateCall *call, virGate *gate,
                              const char *owner, GError **error);
bool virDelegateGateSetMode(virDelegate *door, const virDelegateCall *call, virGate *gate,
                            virGateMode mode, GError **error);
/* gate.remove: program, link and pins; map and program are freed by the kernel when the last handle
 * goes. Refused while a process is in the group: cgroup.remove comes first, since it kills what is
 * left inside, and nothing runs for a moment without the gate. */
bool virDelegateGateRemove(virDelegate *door, const virDelegateCall *call, virGate *gate,
                           GError **error);
/* Pins of guests that are not in uuids (n of 16 bytes each) are removed, half-made ones too: once,
 * after the start-up's reconnect. retRemoved may be NULL. */
bool virDelegateGateSweep(virDelegate *door, const uint8_t (*uuids)[16], size_t n,
                          unsigned *retRemoved, GError **error);

/* --- devices and nodes --- */

/* device.open: a descriptor for QEMU, O_CLOEXEC; flags of open(2). identity: the path of a _NODE,
 * the name of a _TAP's interface, the address of the PCI device ("0000:03:00.0") of a _VFIO_, else
 * NULL. */
bool virDelegateDeviceOpen(virDelegate *door, const virDelegateCall *call, virDelegateDevice device,
                           const char *identity, int flags, int *retFd, GError **error);
/* pci.bind: the PCI device of that address gets the driver, and no other takes it. */
bool virDelegatePCIBind(virDelegate *door, const virDelegateCall *call, const char *address,
                        const char *driver, GError **error);
/* pci.release: it is the host's again, with the driver that the host finds for it. */
bool virDelegatePCIRelease(virDelegate *door, const virDelegateCall *call, const char *address,
                           GError **error);
/* node.create: name in the folder of dirFd; mode with S_IFCHR or S_IFBLK. */
bool virDelegateNodeCreate(virDelegate *door, const virDelegateCall *call, int dirFd,
                           const char *name, mode_t mode, dev_t device, uid_t uid, gid_t gid,
                           GError **error);

/* mount.apply: has the file of sourceFd (O_PATH will do) seen as name (one component) in the folder
 * of dirFd, which lies in the mount namespace of the process of pidfd. An empty file is made there
 * to mount on. */
bool virDelegateMountBind(virDelegate *door, const virDelegateCall *call, int pidfd, int sourceFd,
                          int dirFd, const char *name, GError **error);

/* What is to be below a folder. */
typedef enum {
    VIR_DELEGATE_MOUNT_TMPFS,  /* first, if at all: the folder itself becomes one; size, mode, owner
                                */
    VIR_DELEGATE_MOUNT_BIND,   /* the file or folder of sourceFd, with what is mounted below it */
    VIR_DELEGATE_MOUNT_DEVPTS, /* terminals of its own */
    VIR_DELEGATE_MOUNT_NODE,   /* mode with S_IFCHR or S_IFBLK, device, owner */
    VIR_DELEGATE_MOUNT_LINK,   /* symbolic link to text, unless something is there already */
} virDelegateMountKind;
typedef struct {
    virDelegateMountKind kind;
    const char *name; /* below the folder, folders between are made; "" for the folder itself */
    int sourceFd;     /* O_PATH will do */
    uint64_t size;    /* bytes */
    mode_t mode;
    dev_t device;
    uid_t uid;
    gid_t gid;
    const char *text;
} virDelegateMount;

/* True if guests' own /dev are made from outside, by a handler of mount.apply. */
bool virDelegateMountsOutside(virDelegate *door, const virDelegateCall *call);
/* mount.apply: all of that in the folder (absolute, "/dev") as the process of pidfd sees it, in its
 * mount namespace, which is its own. Without a tmpfs among it the folder is on one that was made so
 * before. Handlers only: who has the right makes it from inside (virSpawnRequest.nodes). */
bool virDelegateMountApply(virDelegate *door, const virDelegateCall *call, int pidfd,
                           const char *folder, const virDelegateMount *mounts, size_t nmounts,
                           GError **error);

/* --- network --- */

/* tap.create: in the network namespace of the daemon. retFds has room for request->queues. */
bool virDelegateTapCreate(virDelegate *door, const virDelegateCall *call,
                          const virNetDevTapRequest *request, int *retFds,
                          virNetDevTapInfo *retInfo, GError **error);
/* tap.remove: gone already is success. ifindex 0: not compared; else an interface that has the name
 * but another index is left alone (it is not ours any more). */
bool virDelegateTapRemove(virDelegate *door, const virDelegateCall *call, const char *name,
                          unsigned ifindex, GError **error);
/* net.attach, net.detach: port of a bridge, none. */
bool virDelegateNetAttach(virDelegate *door, const virDelegateCall *call, const char *name,
                          const char *bridge, GError **error);
bool virDelegateNetDetach(virDelegate *door, const virDelegateCall *call, const char *name,
                          GError **error);
/* True if the bandwidth of interfaces is a handler's to limit, which takes no right here. */
bool virDelegateNetLimitsOutside(virDelegate *door, const virDelegateCall *call);
/* net.set: up or down. */
bool virDelegateNetSetUp(virDelegate *door, const virDelegateCall *call, const char *name, bool up,
                         GError **error);

/* net.bandwidth: how much may pass, as the host's end sees it. No limit takes all of it away. */
bool virDelegateNetSetBandwidth(virDelegate *door, const virDelegateCall *call, const char *name,
                                const virNetDevBandwidth *wanted, GError **error);

/* --- files --- */

/* own.set: fd may be O_PATH. VIR_DELEGATE_KEEP_ID and _KEEP_MODE leave a part as it is. retBefore
 * may be NULL; giving it back as wanted is the undo. */
bool virDelegateOwnSet(virDelegate *door, const virDelegateCall *call, int fd,
                       const virDelegateOwner *wanted, virDelegateOwner *retBefore, GError **error);

/* --- processes and threads --- */

/* memlock.set: soft and hard limit of locked memory. What is there already and is enough stays,
 * unless it is to be exact. */
bool virDelegateMemlockSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                           const virDelegateMemlock *wanted, GError **error);
/* sched.set: policy SCHED_... and, for the real-time ones, priority, of every thread in tids of the
 * process. */
bool virDelegateSchedSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                         const pid_t *tids, size_t ntids, int policy, int priority, GError **error);
/* affinity.set: the CPUs of every thread in tids. */
bool virDelegateAffinitySet(virDelegate *door, const virDelegateCall *call, int pidfd,
                            const pid_t *tids, size_t ntids, const cpu_set_t *cpus, size_t cpusSize,
                            GError **error);
/* proc.tune: oom_score_adj. */
bool virDelegateProcTune(virDelegate *door, const virDelegateCall *call, int pidfd, int oomScoreAdj,
                         GError **error);
/* barrier: a handler places what it likes of the process's threads and lets the guest go on, or
 * not. Done here there is nothing to do. */
bool virDelegateBarrier(virDelegate *door, const virDelegateCall *call,
                        virDelegateBarrierStage stage, int pidfd, const virDelegateThread *threads,
                        size_t nthreads, GError **error);
