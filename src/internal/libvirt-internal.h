/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirt-internal.h: taking over privileged operations of a virtward daemon.
 *
 * Unstable by design: whoever includes this says so first,
 *
 *     #define VIR_INTERNAL_UNSTABLE_API_OPT_IN
 *     #include <libvirt/libvirt-internal.h>
 *
 * and is told at registration, not at the first call, when library or daemon have changed.
 *
 * Simple form: one function per operation, called from a thread of the library's own, so that it
 * answers while the caller itself waits in virDomainCreate:
 *
 *     static int raise(const virInternalCall *call, int pidfd, unsigned long long bytes) { ... }
 *     virInternalSetProcessSetMaxMemLockHandler(conn, raise);
 *
 * Full form, for language bindings and event loops: a session with a descriptor to poll, and
 * handlers with user data that take any operation's arguments by name.
 *
 * Operations are named as in docs/handler-protocol.md ("memlock.set"). Targets are descriptors,
 * borrowed for the time of the call; names and numbers beside them are for logs. A handler returns
 * 0, or -1 after virInternalFail: that text reaches the client whose operation failed. The daemon
 * looks itself afterwards whether what was to be done is done.
 *
 * Functions return -1 or NULL on error; virInternalGetLastError says why. Any thread; a session is
 * used by one thread at a time. No rights are needed but those that the handlers use. */
#ifndef LIBVIRT_INTERNAL_H
#define LIBVIRT_INTERNAL_H

#ifndef VIR_INTERNAL_UNSTABLE_API_OPT_IN
#error                                                                                             \
    "this API changes without notice: define VIR_INTERNAL_UNSTABLE_API_OPT_IN if that is all right"
#endif

#include <libvirt/libvirt.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the caller was built for; compared with the library's own number, and hook by hook with the
 * daemon's. */
#define VIR_INTERNAL_ABI 1u

typedef enum {
    VIR_INTERNAL_PHASE_START = 0,
    VIR_INTERNAL_PHASE_HOTPLUG = 1,
    VIR_INTERNAL_PHASE_MIGRATE_IN = 2,
    VIR_INTERNAL_PHASE_RECONNECT = 3,
    VIR_INTERNAL_PHASE_TEARDOWN = 4,
} virInternalPhase;

/* For whom and why; valid for the time of the call. */
typedef struct {
    unsigned char uuid[VIR_UUID_BUFLEN];
    const char *domain;         /* name, for logs */
    int phase;                  /* virInternalPhase */
    unsigned long long request; /* never used twice; teardown names it */
    unsigned int deadline_ms;   /* how long there is in all */
    unsigned int flags;
} virInternalCall;

/* The last error of this thread, in words; never NULL. */
const char *virInternalGetLastError(void);

/* Says why the handler that runs in this thread will return -1. printf-like. */
void virInternalFail(const virInternalCall *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- simple form --- */

/* Limit of locked memory of the process of pidfd: at least bytes; ULLONG_MAX: no limit. */
typedef int (*virInternalSetMaxMemLockHandler)(const virInternalCall *call, int pidfd,
                                               unsigned long long bytes);

/* Threads of one process: a pidfd each (kernel 6.9 and later), else NULL, the process's
 * /proc/PID/task folder (O_PATH) and the thread ids in it. */
typedef struct {
    int pidfd;         /* of the process */
    const int *fds;    /* n of them, or NULL */
    int folder;        /* -1 where there are fds */
    const pid_t *tids; /* n of them; with fds, for logs only */
    size_t n;
} virInternalThreads;

/* Policy SCHED_... and priority of each thread. */
typedef int (*virInternalSetSchedulerHandler)(const virInternalCall *call,
                                              const virInternalThreads *threads, int policy,
                                              int priority);
/* CPUs of each thread: bit n of the map is CPU n. */
typedef int (*virInternalSetAffinityHandler)(const virInternalCall *call,
                                             const virInternalThreads *threads,
                                             const unsigned char *map, size_t len);
/* oom_score_adj of the process. */
typedef int (*virInternalTuneProcessHandler)(const virInternalCall *call, int pidfd,
                                             int oomScoreAdj);
/* Owner, group and mode of the file (O_PATH). */
typedef int (*virInternalSetOwnerHandler)(const virInternalCall *call, int fd, uid_t uid, gid_t gid,
                                          mode_t mode);
/* A node in the folder: mode with S_IFCHR or S_IFBLK. */
typedef int (*virInternalCreateNodeHandler)(const virInternalCall *call, int folder,
                                            const char *name, mode_t mode, unsigned major,
                                            unsigned minor, uid_t uid, gid_t gid);

typedef enum {
    VIR_INTERNAL_DEVICE_KVM = 0,
    VIR_INTERNAL_DEVICE_VHOST_NET = 1,
    VIR_INTERNAL_DEVICE_VHOST_VSOCK = 2,
    VIR_INTERNAL_DEVICE_TAP = 3, /* identity is a macvtap's name, in the network namespace that the
                                  * full form has as descriptor 0 */
    VIR_INTERNAL_DEVICE_VFIO_GROUP = 4, /* /dev/vfio/N: identity is the address of a PCI device */
    VIR_INTERNAL_DEVICE_VFIO_CDEV = 5,  /* /dev/vfio/devices/vfioN of the one with that address */
    VIR_INTERNAL_DEVICE_IOMMUFD = 6,    /* /dev/iommu */
    VIR_INTERNAL_DEVICE_NODE = 7,       /* identity is its path on the daemon's side: a hint */
} virInternalDevice;

/* A descriptor of the device, opened with flags of open(2): the library passes it on and closes it.
 */
typedef int (*virInternalOpenDeviceHandler)(const virInternalCall *call, virInternalDevice device,
                                            const char *identity, int flags, int *retFd);
/* The PCI device of that address ("0000:03:00.0") gets the driver, and no other takes it; driver
 * NULL: it is the host's again, with the driver that the host finds for it. */
typedef int (*virInternalBindPCIHandler)(const virInternalCall *call, const char *address,
                                         const char *driver);
/* Port of a bridge, of none (bridge NULL), in the network namespace of netns. */
typedef int (*virInternalSetBridgeHandler)(const virInternalCall *call, int netns, const char *name,
                                           const char *bridge);

/* What tap.create makes. */
typedef enum {
    VIR_INTERNAL_TAP_TAP = 0,
    VIR_INTERNAL_TAP_MACVTAP = 1, /* on the interface parent; it stays until tap.remove */
} virInternalTapKind;

typedef enum {
    VIR_INTERNAL_MACVTAP_VEPA = 0,
    VIR_INTERNAL_MACVTAP_PRIVATE = 1,
    VIR_INTERNAL_MACVTAP_BRIDGE = 2,
    VIR_INTERNAL_MACVTAP_PASSTHROUGH = 3,
} virInternalMacvtapMode;

/* What of a TAP interface is to be as flags say: bits of virInternalTap. */
typedef enum {
    VIR_INTERNAL_TAP_UP = 1 << 0,       /* set up at the end */
    VIR_INTERNAL_TAP_VNET_HDR = 1 << 1, /* frames carry a virtio header */
    VIR_INTERNAL_TAP_PERSIST = 1 << 2,  /* stays when all descriptors are closed */
    VIR_INTERNAL_TAP_EXISTING = 1 << 3, /* one that is there already will do */
} virInternalTapFlags;
typedef struct {
    const char *name;         /* or a template with one %d: the next free number */
    const unsigned char *mac; /* six bytes, NULL: the kernel's choice */
    unsigned int mtu;         /* 0: as it is */
    unsigned int queues;
    uid_t owner; /* who may open it later, -1: nobody */
    unsigned int flags;
    int kind;           /* virInternalTapKind */
    const char *parent; /* of a macvtap */
    int mode;           /* of a macvtap: virInternalMacvtapMode */
} virInternalTap;
typedef struct {
    char name[16]; /* as it is called now */
    unsigned int ifindex;
    int created; /* 0: it was there */
} virInternalTapMade;
/* A TAP or macvtap interface in the network namespace of netns. retFds has room for tap->queues
 * descriptors, which the library passes on and closes. */
typedef int (*virInternalCreateTapHandler)(const virInternalCall *call, int netns,
                                           const virInternalTap *tap, int *retFds,
                                           virInternalTapMade *retMade);
/* It goes; ifindex 0: not known. */
typedef int (*virInternalRemoveTapHandler)(const virInternalCall *call, int netns, const char *name,
                                           unsigned int ifindex);
/* The interface is set up or down. */
typedef int (*virInternalSetLinkUpHandler)(const virInternalCall *call, int netns, const char *name,
                                           int up);
/* What was done for these requests is to be undone, the latest first; ids that were never seen mean
 * nothing. */
typedef int (*virInternalTeardownHandler)(const virInternalCall *call,
                                          const unsigned long long *requests, size_t n);

/* Kilobytes (1000 bytes) a second; burst in KiB, 0: what average is. average 0: no limit. */
typedef struct {
    unsigned long long average, peak, burst;
} virInternalRate;

/* How much the interface may send and receive, as the host's end sees it, in the network namespace
 * of netns. What it receives has no peak. The daemon reads the rates of an htb class 1:1 and of a
 * policer at the ingress queue. */
typedef int (*virInternalSetBandwidthHandler)(const virInternalCall *call, int netns,
                                              const char *name, const virInternalRate *sent,
                                              const virInternalRate *received);

/* What a thread of a guest does; QEMU itself told the daemon. */
typedef enum {
    VIR_INTERNAL_THREAD_EMULATOR = 0, /* QEMU's main thread: whatever it makes later begins where
                                       * this one is */
    VIR_INTERNAL_THREAD_VCPU = 1,
    VIR_INTERNAL_THREAD_IOTHREAD = 2,
    VIR_INTERNAL_THREAD_OTHER = 3, /* QEMU's helpers of its own */
} virInternalThreadRole;

typedef struct {
    int role;        /* virInternalThreadRole */
    unsigned int id; /* number of the vCPU or I/O thread */
    pid_t tid;       /* with fd, for logs only */
    int fd;          /* its pidfd (kernel 6.9 and later), or -1 */
} virInternalGuestThread;

typedef struct {
    int pidfd;                             /* of the process */
    int folder;                            /* its /proc/PID/task (O_PATH) where fds are -1 */
    const virInternalGuestThread *threads; /* n of them */
    size_t n;
} virInternalGuestThreads;

typedef enum {
    VIR_INTERNAL_BARRIER_PREPARED = 0,     /* all threads are there, no vCPU has run */
    VIR_INTERNAL_BARRIER_RESUME = 1,       /* the vCPUs are about to run for the first time */
    VIR_INTERNAL_BARRIER_HOTPLUG_VCPU = 2, /* a vCPU was plugged; its thread alone is told */
} virInternalBarrierStage;

/* The guest waits: 0 lets it go on, -1 ends its start, or takes the new vCPU away again. */
typedef int (*virInternalBarrierHandler)(const virInternalCall *call, virInternalBarrierStage stage,
                                         const virInternalGuestThreads *threads);

/* A rule of a device gate: type 1 (block), 2 (character) or 3 (both), major and minor (-1: all),
 * access as bits: 1 mknod, 2 read, 4 write; among changes, 0: the rule goes. */
typedef struct {
    int type;
    int major;
    int minor;
    unsigned int access;
} virInternalRule;

/* What a gate consists of (docs/device-gate.md has their layout), each by its descriptor. */
typedef enum {
    VIR_INTERNAL_GATE_RULES = 0,   /* trie of rules with wildcards */
    VIR_INTERNAL_GATE_NODES = 1,   /* table of rules of one node each */
    VIR_INTERNAL_GATE_HEADER = 2,  /* mode, uuid, counters */
    VIR_INTERNAL_GATE_EVENTS = 3,  /* ring of denials, which all guests of a daemon share */
    VIR_INTERNAL_GATE_PROGRAM = 4, /* what is attached to the group */
    VIR_INTERNAL_GATE_LINK = 5,    /* the link beside it */
    VIR_INTERNAL_GATE_OBJECTS = 6,
} virInternalGateObject;

/* A gate as it shall be, and what the daemon has of it. Borrowed. */
typedef struct {
    int group;                              /* folder of the control group */
    int objects[VIR_INTERNAL_GATE_OBJECTS]; /* -1: the daemon has none */
    int mode;                               /* 0: enforce, 1: permissive */
    int lock;                               /* 0: attached, 1: and by a link */
    unsigned int capacity;                  /* rules that fit */
    const virInternalRule *rules;           /* all of them; of gate.update, the changes */
    size_t nrules;
} virInternalGate;

/* gate.create and gate.replace: the gate's objects, which the library passes on and closes; -1 for
 * a link that was not asked for. *retReattached, of gate.replace: it was off the group. */
typedef int (*virInternalMakeGateHandler)(const virInternalCall *call, const virInternalGate *gate,
                                          int retObjects[VIR_INTERNAL_GATE_OBJECTS],
                                          int *retReattached);
/* gate.update and gate.remove. */
typedef int (*virInternalChangeGateHandler)(const virInternalCall *call,
                                            const virInternalGate *gate);

typedef enum {
    VIR_INTERNAL_MOUNT_TMPFS = 0,  /* first, if at all: on the folder itself */
    VIR_INTERNAL_MOUNT_BIND = 1,   /* the next of the sources, with what is mounted below it */
    VIR_INTERNAL_MOUNT_DEVPTS = 2, /* a new instance */
    VIR_INTERNAL_MOUNT_NODE = 3,
    VIR_INTERNAL_MOUNT_LINK = 4, /* unless something is there already */
} virInternalMountKind;

/* One thing to be below the folder of mount.apply. */
typedef struct {
    int kind;                /* virInternalMountKind */
    const char *target;      /* below the folder; for a tmpfs "" */
    unsigned long long size; /* of a tmpfs, bytes */
    unsigned int mode;       /* of a node with S_IFCHR or S_IFBLK */
    uid_t uid;
    gid_t gid;
    unsigned int major; /* of a node */
    unsigned int minor;
    const char *text; /* of a link: where it leads to */
} virInternalMount;

/* What cgroup.remove is asked for besides. */
typedef enum {
    VIR_INTERNAL_REMOVE_KILL = 1 << 0, /* processes in the group and below it are killed first,
                                        * without waiting for their end; else they are in the way */
    VIR_INTERNAL_REMOVE_KEEP = 1 << 1, /* and that is all: the group stays */
    VIR_INTERNAL_REMOVE_ONLY_EMPTY = 1 << 2, /* groups below it are in the way, too */
} virInternalRemoveFlags;

/* A control group name in the folder parent, which may be there already: threaded, of cgroup v2,
 * holds threads of parent's processes; controllers (v2's names, blanks between) are switched on in
 * parent; uid and gid, if not -1, own it and its cgroup.procs, cgroup.threads and
 * cgroup.subtree_control. *retGroup: its folder, which the library passes on and closes. */
typedef struct {
    int threaded;
    const char *controllers;
    uid_t uid;
    gid_t gid;
} virInternalGroup;
typedef int (*virInternalCreateGroupHandler)(const virInternalCall *call, int parent,
                                             const char *name, const virInternalGroup *group,
                                             int *retGroup);
/* The threads into the group; n 0: the whole process. */
typedef int (*virInternalMoveIntoGroupHandler)(const virInternalCall *call, int group,
                                               const virInternalThreads *threads);
/* A file of the group. */
typedef int (*virInternalSetGroupHandler)(const virInternalCall *call, int group, const char *file,
                                          const char *value);
/* The group name in the folder parent, with those below it; flags: virInternalRemoveFlags. */
typedef int (*virInternalRemoveGroupHandler)(const virInternalCall *call, int parent,
                                             const char *name, unsigned flags);

/* What is to be below a folder in a mount namespace. Borrowed. */
typedef struct {
    int pidfd;  /* of the process whose namespace it is */
    int space;  /* mount namespace that the sources are in: they can be copied there alone */
    int folder; /* as the process sees it now */
    const virInternalMount *mounts;
    size_t n;
    const int *sources; /* one for each BIND, in their order */
    size_t nsources;
} virInternalMounts;
typedef int (*virInternalApplyMountsHandler)(const virInternalCall *call,
                                             const virInternalMounts *mounts);

/* Each registers for all guests of the daemon behind conn, on that daemon's handler socket (found
 * by conn's URI: ?socket=, or the default; UNIX transports only), and serves from a thread of the
 * library's own until virInternalClose(conn). abi: VIR_INTERNAL_ABI, which the macros below pass.
 */
int virInternalSetProcessSetMaxMemLockHandlerABI(virConnectPtr conn, unsigned abi,
                                                 virInternalSetMaxMemLockHandler handler);
int virInternalSetProcessSetSchedulerHandlerABI(virConnectPtr conn, unsigned abi,
                                                virInternalSetSchedulerHandler handler);
int virInternalSetProcessSetAffinityHandlerABI(virConnectPtr conn, unsigned abi,
                                               virInternalSetAffinityHandler handler);
int virInternalSetProcessTuneHandlerABI(virConnectPtr conn, unsigned abi,
                                        virInternalTuneProcessHandler handler);
int virInternalSetFileSetOwnerHandlerABI(virConnectPtr conn, unsigned abi,
                                         virInternalSetOwnerHandler handler);
int virInternalSetNodeCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                       virInternalCreateNodeHandler handler);
int virInternalSetDeviceOpenHandlerABI(virConnectPtr conn, unsigned abi,
                                       virInternalOpenDeviceHandler handler);
int virInternalSetNetSetBridgeHandlerABI(virConnectPtr conn, unsigned abi,
                                         virInternalSetBridgeHandler handler);
int virInternalSetTapCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                      virInternalCreateTapHandler handler);
int virInternalSetTapRemoveHandlerABI(virConnectPtr conn, unsigned abi,
                                      virInternalRemoveTapHandler handler);
int virInternalSetNetSetUpHandlerABI(virConnectPtr conn, unsigned abi,
                                     virInternalSetLinkUpHandler handler);
int virInternalSetTeardownHandlerABI(virConnectPtr conn, unsigned abi,
                                     virInternalTeardownHandler handler);
int virInternalSetPCIBindHandlerABI(virConnectPtr conn, unsigned abi,
                                    virInternalBindPCIHandler handler);
int virInternalSetNetSetBandwidthHandlerABI(virConnectPtr conn, unsigned abi,
                                            virInternalSetBandwidthHandler handler);
int virInternalSetBarrierHandlerABI(virConnectPtr conn, unsigned abi,
                                    virInternalBarrierHandler handler);
int virInternalSetGroupCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                        virInternalCreateGroupHandler handler);
int virInternalSetGroupMoveHandlerABI(virConnectPtr conn, unsigned abi,
                                      virInternalMoveIntoGroupHandler handler);
int virInternalSetGroupSetHandlerABI(virConnectPtr conn, unsigned abi,
                                     virInternalSetGroupHandler handler);
int virInternalSetGroupRemoveHandlerABI(virConnectPtr conn, unsigned abi,
                                        virInternalRemoveGroupHandler handler);
int virInternalSetMountApplyHandlerABI(virConnectPtr conn, unsigned abi,
                                       virInternalApplyMountsHandler handler);
int virInternalSetGateCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                       virInternalMakeGateHandler handler);
int virInternalSetGateReplaceHandlerABI(virConnectPtr conn, unsigned abi,
                                        virInternalMakeGateHandler handler);
int virInternalSetGateUpdateHandlerABI(virConnectPtr conn, unsigned abi,
                                       virInternalChangeGateHandler handler);
int virInternalSetGateRemoveHandlerABI(virConnectPtr conn, unsigned abi,
                                       virInternalChangeGateHandler handler);

#define virInternalSetProcessSetMaxMemLockHandler(conn, handler)                                   \
    virInternalSetProcessSetMaxMemLockHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetProcessSetSchedulerHandler(conn, handler)                                    \
    virInternalSetProcessSetSchedulerHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetProcessSetAffinityHandler(conn, handler)                                     \
    virInternalSetProcessSetAffinityHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetProcessTuneHandler(conn, handler)                                            \
    virInternalSetProcessTuneHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetFileSetOwnerHandler(conn, handler)                                           \
    virInternalSetFileSetOwnerHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetNodeCreateHandler(conn, handler)                                             \
    virInternalSetNodeCreateHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetDeviceOpenHandler(conn, handler)                                             \
    virInternalSetDeviceOpenHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetNetSetBridgeHandler(conn, handler)                                           \
    virInternalSetNetSetBridgeHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetTapCreateHandler(conn, handler)                                              \
    virInternalSetTapCreateHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetTapRemoveHandler(conn, handler)                                              \
    virInternalSetTapRemoveHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetNetSetUpHandler(conn, handler)                                               \
    virInternalSetNetSetUpHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetTeardownHandler(conn, handler)                                               \
    virInternalSetTeardownHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetPCIBindHandler(conn, handler)                                                \
    virInternalSetPCIBindHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetNetSetBandwidthHandler(conn, handler)                                        \
    virInternalSetNetSetBandwidthHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetBarrierHandler(conn, handler)                                                \
    virInternalSetBarrierHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGroupCreateHandler(conn, handler)                                            \
    virInternalSetGroupCreateHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGroupMoveHandler(conn, handler)                                              \
    virInternalSetGroupMoveHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGroupSetHandler(conn, handler)                                               \
    virInternalSetGroupSetHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGroupRemoveHandler(conn, handler)                                            \
    virInternalSetGroupRemoveHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetMountApplyHandler(conn, handler)                                             \
    virInternalSetMountApplyHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGateCreateHandler(conn, handler)                                             \
    virInternalSetGateCreateHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGateReplaceHandler(conn, handler)                                            \
    virInternalSetGateReplaceHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGateUpdateHandler(conn, handler)                                             \
    virInternalSetGateUpdateHandlerABI(conn, VIR_INTERNAL_ABI, handler)
#define virInternalSetGateRemoveHandler(conn, handler)                                             \
    virInternalSetGateRemoveHandlerABI(conn, VIR_INTERNAL_ABI, handler)

/* Ends what the functions above began for conn; before virConnectClose. Without effect if nothing
 * was. Any thread but that of a handler: waits until a handler that is at work has returned. One of
 * the functions above that waits for the daemon in another thread fails at once. */
void virInternalClose(virConnectPtr conn);

/* --- full form --- */

typedef struct _virInternalSession virInternalSession;
typedef struct _virInternalRequest virInternalRequest;

/* A session of its own with the daemon behind conn (only its URI is used). */
virInternalSession *virInternalSessionOpen(virConnectPtr conn, unsigned abi);
/* The same by the path of a daemon's handler socket, without a connection. */
virInternalSession *virInternalSessionOpenPath(const char *path, unsigned abi);
/* The same by one end of a SEQPACKET socket pair, which is the session's from now on, also where
 * this fails; the daemon was started with the other end (LISTEN_FDS). */
virInternalSession *virInternalSessionOpenFd(int fd, unsigned abi);
/* Closes it and releases the handlers' data. NULL is allowed. Nobody may be inside a function of
 * the session: virInternalSessionShutdown has them return first. */
void virInternalSessionFree(virInternalSession *session);
/* Ends it from any thread: who waits for the daemon in one of its functions (to register, say)
 * returns at once with an error, and nothing more is served. A call that is being served is still
 * answered; if the daemon doesn't take the answer, calling this again gives it up. The session
 * remains to be freed. */
void virInternalSessionShutdown(virInternalSession *session);

/* 0, or -1 after virInternalFail. */
typedef int (*virInternalHandler)(const virInternalCall *call, virInternalRequest *request,
                                  void *opaque);

typedef enum {
    VIR_INTERNAL_TAKE_OVER = 1 << 0, /* from another process of the same user */
} virInternalRegisterFlags;

/* Registers handler for the operation. uuid (16 bytes) or pattern (shell-like, of names) say for
 * which guests; with neither, for all. destroy (may be NULL) is called for opaque exactly once:
 * when the session ends, another handler takes this one's place, it is unregistered, or at once if
 * this fails. Waits for the daemon's answer, up to 30 s. "teardown" is told to every session;
 * registering for it is local. */
int virInternalSessionRegister(virInternalSession *session, const char *hook,
                               const unsigned char *uuid, const char *pattern, unsigned flags,
                               virInternalHandler handler, void *opaque, virFreeCallback destroy);
typedef enum {
    VIR_INTERNAL_KEPT = 0,    /* it is as it was made */
    VIR_INTERNAL_LOST = 1,    /* it is not */
    VIR_INTERNAL_UNKNOWN = 2, /* it cannot be seen here: the daemon looks itself */
} virInternalVerdict;

/* What became of an earlier call of the operation: asked after a registration, when handler or
 * daemon have been away. request has the arguments of then and the descriptors as far as they can
 * be opened again, perhaps none; nothing is to be changed. Without such a function every verdict is
 * UNKNOWN. What is lost is asked for again, as a new call. */
typedef virInternalVerdict (*virInternalResyncHandler)(const virInternalCall *call,
                                                       const char *hook,
                                                       virInternalRequest *request, void *opaque);
/* Before the first registration. destroy (may be NULL) as with virInternalSessionRegister. */
void virInternalSessionSetResync(virInternalSession *session, virInternalResyncHandler handler,
                                 void *opaque, virFreeCallback destroy);

/* Takes leave of the operation: the daemon goes on without. */
int virInternalSessionUnregister(virInternalSession *session, const char *hook);

/* The descriptor to poll for input; readable: virInternalSessionDispatch. */
int virInternalSessionGetFd(const virInternalSession *session);
/* Serves what has come in. After a call the next one is looked for a little (200 us, 10 ms in all),
 * which keeps a processor busy but does not sleep; else nothing is waited for. -1: the daemon has
 * gone, or the channel is broken; the session is of no more use then. */
int virInternalSessionDispatch(virInternalSession *session);

/* --- a request's arguments and answer, by the names in protocol/handler.json --- */

/* -1: there is no such field, or it is of another kind. Numbers of every width; one of 32 bits
 * comes with a sign, so cast what has none (a uid) to its own type. */
int virInternalRequestGetNumber(const virInternalRequest *request, const char *field,
                                long long *value);
/* Borrowed; NULL: no such field. */
const char *virInternalRequestGetString(const virInternalRequest *request, const char *field);
/* Borrowed bytes; NULL: no such field. */
const unsigned char *virInternalRequestGetBytes(const virInternalRequest *request,
                                                const char *field, size_t *len);
/* Descriptor i that came with it, borrowed; -1: there are fewer. */
int virInternalRequestGetFd(const virInternalRequest *request, size_t i);
size_t virInternalRequestCountFds(const virInternalRequest *request);
/* Threads of a request for threads; 0, or -1 if it is none. Borrowed. */
int virInternalRequestGetThreads(const virInternalRequest *request, virInternalThreads *threads);
/* The thread table of a barrier; 0, or -1 if it is none. Borrowed. */
int virInternalRequestGetGuestThreads(const virInternalRequest *request,
                                      virInternalGuestThreads *threads);
/* Rules of a request for a gate ("rules" or "changes"); NULL: no such field, or with *n 0 an empty
 * one. Borrowed. */
const virInternalRule *virInternalRequestGetRules(const virInternalRequest *request,
                                                  const char *field, size_t *n);
/* An object of the gate that came with a request for one, borrowed; -1: it did not. */
int virInternalRequestGetObject(const virInternalRequest *request, virInternalGateObject object);
/* The mounts of a mount.apply, n of them; NULL if it is none. Borrowed. Its descriptors: the
 * process whose mount namespace it is, the mount namespace that the sources are in, the folder, a
 * source for each BIND. */
const virInternalMount *virInternalRequestGetMounts(const virInternalRequest *request, size_t *n);
/* The request ids of a teardown, the latest first. Borrowed. */
const unsigned long long *virInternalRequestGetIds(const virInternalRequest *request, size_t *n);

/* The answer's fields. -1: there is no such field. Strings are copied. */
int virInternalRequestSetNumber(virInternalRequest *request, const char *field, long long value);
int virInternalRequestSetString(virInternalRequest *request, const char *field, const char *value);
/* A descriptor of the answer, in order; the library closes it. */
void virInternalRequestAddFd(virInternalRequest *request, int fd);
/* An object of the gate for the answer, in any order, each once; the library closes it. -1: it is
 * no request for a gate, or has this object already; fd stays the caller's then. */
int virInternalRequestAddObject(virInternalRequest *request, virInternalGateObject object, int fd);

#ifdef __cplusplus
}
#endif
#endif
