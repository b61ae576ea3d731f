/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guest.h: the QEMU process behind a running domain: start, watch, talk to it, stop.
 *
 * Life of a guest: start.c makes it step by step, each resource written to the status file before
 * it is made; monitor.c follows its events; its end comes through its pidfd, whoever caused it, and
 * stop.c takes everything back in reverse. After a restart of the daemon reconnect.c does the rest
 * of either. All members are under the core lock unless said. */
#pragma once

#include "device/device_qemu.h"
#include "qemu/driver.h"
#include "qmp/plan.h"
#include "qmp/qmpclient.h"
#include "util/virevent.h"
#include "util/virspawn.h"

/* Something made for the guest that must go with it. The status file lists them. */
typedef enum {
    QEMU_RESOURCE_FOLDER,  /* a folder of its own, with all in it */
    QEMU_RESOURCE_FILE,    /* a file or socket */
    QEMU_RESOURCE_TAP,     /* an interface: name */
    QEMU_RESOURCE_OWNER,   /* a file whose owner was changed: uid, gid to give back */
    QEMU_RESOURCE_PORT,    /* a display port */
    QEMU_RESOURCE_GROUP,   /* control group with its gate: name */
    QEMU_RESOURCE_MACVTAP, /* an interface that stays until it is removed: name, parent, mac */
    QEMU_RESOURCE_PCI,     /* a PCI device of the host: address; number 1: its driver is another */
    QEMU_RESOURCE_LAST
} qemuResourceType;

typedef struct {
    qemuResourceType type;
    char *name;      /* path, interface, group or address */
    char *alias;     /* the device it belongs to, NULL: the guest */
    unsigned number; /* PORT: the port; TAP, MACVTAP: interface index, 0 while not made; PCI: 1: is
                        released */
    uid_t uid;       /* OWNER */
    gid_t gid;
    int group;          /* PCI: of the IOMMU */
    char *parent, *mac; /* MACVTAP: by what it is known before its index is */
} qemuResource;

typedef struct {
    int index;
    pid_t tid;
    bool halted, online;
} qemuVcpu;

typedef struct qemuGuest qemuGuest;
struct qemuAnswers;
struct qemuGuest {
    qemuDriver *driver;
    virDomainObj *obj; /* borrowed: the object owns the guest */

    char *stateDir, *channelDir;
    pid_t pid;          /* 0: not spawned */
    pid_t savedPid;     /* that its pid file has, 0: none written yet */
    uint64_t startTime; /* of the process, from /proc, so that a reused pid is noticed */
    int pidfd;
    bool isChild; /* ours to reap */
    virEventWatch *exitWatch;
    bool gone;      /* the process has ended */
    int exitStatus; /* of wait(2), if isChild and gone */

    qmpClient *monitor; /* NULL before it is connected and after it is lost */
    qmpCaps *caps;
    virCgroup *group;
    virGate *gate;

    virDomainDef *made;        /* the live document while a start or attach changes it, else NULL */
    struct qemuChange *change; /* of devices, under way (hotplug.h), else NULL */
    GPtrArray *resources;      /* qemuResource, in the order they were made */
    struct virHandlerGuest *grants; /* of its handlers, from the status file until they are told */
    GArray *vcpus;                  /* qemuVcpu */
    uint64_t balloonKiB;            /* what the guest has, as last heard */
    uint64_t memlockBefore; /* limit of locked memory before it was raised for a device; 0: not */
    unsigned lastBlockNode; /* highest number given to a block node, never given twice */
    bool saving;    /* its status file is being written: without the job if nobody waits for it */
    bool saveAgain; /* when that is done, as something changed meanwhile */
    bool starting;
    bool unwanted;            /* somebody waits to destroy it */
    bool fresh;               /* no CPU of it has run yet: a barrier stands before */
    bool connecting;          /* after a restart: the monitor has not answered yet */
    int incoming;             /* qemuIncoming: what has become of the stream it is loaded from */
    bool shutdownSeen;        /* QEMU said SHUTDOWN */
    int endAction;            /* virLifecycleAction: what that leads to */
    bool rebooting;           /* a shutdown that is to become a reboot */
    int stopReason;           /* VIR_SHUTOFF_…, once somebody has decided; -1 */
    int stopDetail;           /* VIR_STOPPED_…  */
    int pauseReason;          /* why the STOP event on its way comes: VIR_PAUSED_…, 0: unknown */
    int pauseDetail;          /* VIR_SUSPENDED_… */
    int plugCount;            /* runs of plans so far: part of descriptors' names */
    GHashTable *unplugFailed; /* aliases that the guest would not let go */
    GHashTable *deleted;      /* aliases of which DEVICE_DELETED was heard and nobody asked yet */
    GHashTable *awaited;      /* aliases that a detach waits for */
    struct qemuAnswers *answers; /* to questions, as last heard (ask.h) */
    GCond changed;               /* an event, a device gone, the process's end */
};

static inline qemuGuest *
qemuGuestOf(const virDomainObj *obj)
{
    return obj->guest;
}

qemuGuest *qemuGuestNew(qemuDriver *driver, virDomainObj *obj);
void qemuGuestFree(qemuGuest *guest);

/* Bits of qemuGuestStart's flags. */
enum {
    QEMU_START_PAUSED = 1 << 0,      /* its CPUs stay stopped */
    QEMU_START_RESET_NVRAM = 1 << 1, /* its UEFI forgets what it knew */
};

/* Starts a domain. live: its document, private, taken over. The caller holds the domain's job and
 * the lock, which is given up meanwhile. On error nothing of it is left and the state is as before.
 */
bool qemuGuestStart(qemuDriver *driver, virDomainObj *obj, virDomainDef *live, unsigned flags,
                    GError **error);
/* The same for a guest that was saved: fd, taken over, is at the beginning of QEMU's stream. */
bool qemuGuestRestore(qemuDriver *driver, virDomainObj *obj, virDomainDef *live, int fd,
                      unsigned flags, GError **error);
/* Ends the process and takes everything back: state SHUTOFF with reason, event STOPPED with detail.
 * graceful: SIGTERM only, an error if that is not enough. The caller holds job and lock. */
bool qemuGuestStop(virDomainObj *obj, int reason, int detail, bool graceful, GError **error);
/* The same at a client's wish, whatever the guest waits for: what is being done for it fails, a
 * start too. id: of the run that is meant (another one is left alone), QEMU_GUEST_ANY_RUN. Takes
 * the job; lock held, given up. VIR_ERR_OPERATION_INVALID if there is no guest. */
enum { QEMU_GUEST_ANY_RUN = -1 };
bool qemuGuestDestroy(qemuDriver *driver, virDomainObj *obj, int id, bool graceful, GError **error);
/* The process has ended: takes everything back. The caller holds job and lock; driver and obj stay
 * valid, the guest is gone afterwards. Called by Stop, by the watch and by reconnect. */
void qemuGuestFinish(virDomainObj *obj);
/* Has qemuGuestFinish called in a job of its own when the process ends. Lock held. */
bool qemuGuestWatchExit(qemuGuest *guest, GError **error);

/* Ends a process that a failed start leaves, and waits for it. Lock held, given up. */
void qemuGuestKill(qemuGuest *guest);
/* Takes back all that was made for the guest, last first, and frees it; the status file goes last.
 * The process must have ended. Lock held, given up. */
void qemuGuestTakeBack(virDomainObj *obj);
/* From the answer of query-cpus-fast. Lock held. */
void qemuGuestLearnVcpus(qemuGuest *guest, virJSON *reply);

/* The guest is to be ended: whoever waits for an answer of its monitor or of a handler fails at
 * once and gives its job free; a start that is under way gives up. Until qemuGuestCalm handlers are
 * asked nothing more for it but to take things back. Lock held. */
void qemuGuestHurry(qemuDriver *driver, virDomainObj *obj);
void qemuGuestCalm(qemuDriver *driver, virDomainObj *obj);
/* Why a start failed, if it is that it had to: *error is put in these words. Lock held. */
void qemuGuestBlameHurry(const qemuGuest *guest, GError **error);

/* Starts (stops) the guest's CPUs and sets state and event; before they run for the first time the
 * barrier "resume" is to be passed. Job and lock held, given up. */
bool qemuGuestResume(virDomainObj *obj, int reason, int detail, GError **error);
bool qemuGuestSuspend(virDomainObj *obj, int reason, int detail, GError **error);

/* One QMP command of a running guest; VIR_ERR_OPERATION_INVALID if it isn't, or has no monitor any
 * more. Takes over arguments; retValue may be NULL. Lock held, given up while waiting. */
bool qemuGuestCommand(virDomainObj *obj, const char *command, virJSON *arguments,
                      virJSON **retValue, GError **error);
/* The same with qmpSendFlags. */
bool qemuGuestCommandFull(virDomainObj *obj, const char *command, virJSON *arguments,
                          unsigned flags, virJSON **retValue, GError **error);

/* The commands of a plan that has nothing else, one after another. Lock held, given up. */
bool qemuGuestTell(qemuGuest *guest, const qmpPlan *plan, GError **error);

/* A whole command as somebody wrote it, and QEMU's whole answer, be it an error: neither is looked
 * at, but for an id of ours in place of any other. Takes over question; the answer is a reference.
 * Lock held, given up while waiting. */
bool qemuGuestPassQuestion(virDomainObj *obj, virJSON *question, virJSON **retReply,
                           GError **error);

/* Hands QEMU a descriptor, taken over, that later commands name; QEMU forgets it when one has used
 * it. Drop is for a command that failed. Lock held, given up while waiting. */
bool qemuGuestPassFd(virDomainObj *obj, const char *name, int fd, GError **error);
void qemuGuestDropFd(virDomainObj *obj, const char *name);

/* Writes the status file; resources that are about to be made are in it. In a job of the domain;
 * lock held or not, given up. */
bool qemuGuestSaveStatus(qemuGuest *guest, GError **error);
/* The same for what nothing depends on: the caller's job of the domain ends before the file is
 * written, so that no other waits for that. Failures are logged. Lock held, given up. */
void qemuGuestSaveStatusAside(virDomainObj *obj);
/* Waits until no such writing is under way. Job and lock held, given up. */
void qemuGuestWaitSaved(qemuGuest *guest);
/* Path of the status file; caller frees. */
char *qemuStatusPath(const qemuDriver *driver, const char *name);
/* Reads a status file: a domain with its guest, not yet connected. Without the lock. The caller
 * puts both into the registry. */
typedef struct qemuChange qemuChange;
typedef struct {
    virDomainDef *def;
    qemuChange *change; /* of devices, cut off; or NULL */
    int id;
    virDomainState state;
    int reason;
    pid_t pid;
    uint64_t startTime;
    char *stateDir, *channelDir;
    GPtrArray *resources; /* qemuResource */
    struct virHandlerGuest *grants;
    GArray *vcpus; /* qemuVcpu */
    uint64_t balloonKiB;
    uint64_t memlockBefore;
    unsigned lastBlockNode;
    bool starting;  /* the daemon ended in the middle of the start */
    bool fresh;     /* it had not run yet */
    bool rebooting; /* a shutdown was to become a reboot */
} qemuStatus;
qemuStatus *qemuStatusRead(const char *path, GError **error);
void qemuStatusFree(qemuStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qemuStatus, qemuStatusFree)

/* Resources (resources.c). Add puts it on the list and saves the status. Lock held, given up. */
void qemuResourceFree(qemuResource *resource);
qemuResource *qemuResourceNew(qemuResourceType type, const char *name, const char *alias);
/* Takes one back. In a job, without the lock. */
bool qemuResourceUndo(qemuDriver *driver, const virDelegateCall *call, const qemuResource *resource,
                      GError **error);
/* The same at a guest's end; failures are logged, nothing stops, and what can be is tried again
 * later (owed.h). Without the lock. */
void qemuResourceRelease(qemuDriver *driver, const virDomainObj *obj, const qemuResource *resource);

/* Host steps of a plan (hoststeps.c), done through the door. Descriptors are kept by step and
 * number. Without the lock. */
typedef struct qemuHostFds qemuHostFds;
qemuHostFds *qemuHostFdsNew(void);
void qemuHostFdsFree(qemuHostFds *fds); /* closes them */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qemuHostFds, qemuHostFdsFree)
int qemuHostFdsGet(const qemuHostFds *fds, unsigned host, unsigned n);
/* Takes over fd. */
void qemuHostFdsAdd(qemuHostFds *fds, unsigned host, unsigned n, int fd);
unsigned qemuHostFdsCount(const qemuHostFds *fds);
/* The descriptor made as index-th, and which one a descriptor is. */
int qemuHostFdsAt(const qemuHostFds *fds, unsigned index);
unsigned qemuHostFdsIndex(const qemuHostFds *fds, unsigned host, unsigned n);
/* False with the reason for a step that cannot be done by this daemon at all. Pure. */
bool qemuHostStepCheck(const qmpHostStep *step, GError **error);
bool qemuHostStepRun(qemuGuest *guest, const virDelegateCall *call, unsigned host,
                     const qmpHostStep *step, qemuHostFds *fds, GError **error);

/* Events of QEMU (monitor.c). */
extern const qmpClientCallbacks qemuMonitorCallbacks;

/* Plugging (hotplug.c). All run a plan; no kind has code of its own. Job and lock held. */
bool qemuGuestAttach(virDomainObj *obj, virDevice *dev /* taken over */, GError **error);
bool qemuGuestDetach(virDomainObj *obj, const virDevice *dev, GError **error);
/* A device is gone from QEMU: its back ends, rules and document go too, and the listeners are told.
 */
void qemuGuestForgetDevice(virDomainObj *obj, const char *alias);
/* force: even if the guest holds on to it (a locked tray). */
bool qemuGuestUpdate(virDomainObj *obj, virDevice *wanted /* taken over */, bool force,
                     GError **error);
