/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupbackend.h: what a hierarchy version must be able to do, and the functions that change
 * groups and gates.
 *
 * For util/cgroup, src/delegate/local* and tests; everyone else reads through vircgroup.h and
 * virgate.h and changes through the door. The wrappers here check what holds for every backend, so
 * that backends hold none of it. In a job, without the core lock. */
#pragma once

#include "util/cgroup/vircgroup.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/cgroup/virgate.h"

/* Controllers of v1, by the name in a mount's options. */
typedef enum {
    VIR_CGROUP_CONTROLLER_CPU,
    VIR_CGROUP_CONTROLLER_CPUACCT,
    VIR_CGROUP_CONTROLLER_CPUSET,
    VIR_CGROUP_CONTROLLER_MEMORY,
    VIR_CGROUP_CONTROLLER_DEVICES,
    VIR_CGROUP_CONTROLLER_FREEZER,
    VIR_CGROUP_CONTROLLER_BLKIO,
    VIR_CGROUP_CONTROLLER_PIDS,
    VIR_CGROUP_CONTROLLER_LAST
} virCgroupController;

/* Where the hierarchies are. */
typedef struct {
    char *v2;                             /* NULL: cgroup2 is not mounted */
    char *v1[VIR_CGROUP_CONTROLLER_LAST]; /* NULL: that controller is not on v1 */
} virCgroupMounts;

/* Reads the text of /proc/self/mountinfo. Of several mounts of one hierarchy the first counts. */
void virCgroupMountsParse(virCgroupMounts *mounts, const char *mountinfo);
void virCgroupMountsClear(virCgroupMounts *mounts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virCgroupMounts, virCgroupMountsClear)

/* What a gate of the fake backend holds. */
typedef struct {
    GArray *rules;
} virCgroupFakeDevices;

/* One hierarchy version. */
typedef struct {
    const char *name; /* "v1", "v2": as in messages and the configuration file */
    /* Asked once, at start: the folder under which our groups go, NULL if there is none. *retReason
     * (static) says why groups with gates can't be made there, or is left alone if they can. Caller
     * frees. */
    char *(*available)(const virCgroupMounts *mounts, const char **retReason);
    /* Makes guest group and leaf below the instance's folder; existing ones are fine. */
    bool (*makeGroup)(virCgroup *group, GError **error);
    /* Removes leaf and guest group; they are empty; already gone is success. */
    bool (*removeGroup)(virCgroup *group, GError **error);
    /* Whether a process is left in the leaf. */
    bool (*isPopulated)(virCgroup *group, bool *retPopulated, GError **error);
    /* Kills all in the leaf and waits until it is empty or the deadline (monotonic time) is over,
     * which is VIR_ERR_OPERATION_TIMEOUT. */
    bool (*killAll)(virCgroup *group, gint64 deadline_us, GError **error);
    /* A descriptor for virSpawnRequest.joinFd; NULL: born into the group by clone3 instead. */
    int (*openJoin)(virCgroup *group, GError **error);
    /* Detects, else creates the gate with rules; then room for extra more. */
    bool (*prepareGate)(virGate *gate, const GArray *rules, size_t extra, virGateFound *retFound,
                        GError **error);
    /* Finds the gate after a restart; only reads. */
    bool (*detectGate)(virGate *gate, virGateFound *retFound, GError **error);
    /* Puts back what is missing of a gate that was found; *retReattached: it had been taken off. */
    bool (*repairGate)(virGate *gate, bool *retReattached, GError **error);
    /* How it is held now; NULL: it can't be taken off. */
    bool (*inspectGate)(virGate *gate, virGateState *retState, GError **error);
    /* One node from access before to rule->access, 0 being none. False with errno; ENOSPC or E2BIG
     * ask for prepareGate. */
    bool (*setDevice)(virGate *gate, const virDeviceRule *rule, unsigned before);
    /* What the kernel holds, sorted. */
    GArray *(*listDevices)(virGate *gate, GError **error);
    /* Takes the gate off the group and frees what it holds; already gone is success. */
    bool (*removeGate)(virGate *gate, GError **error);
    /* Closes the handles; what is enforced stays. */
    void (*closeGate)(virGate *gate);
} virCgroupBackend;

extern const virCgroupBackend virCgroupV1Backend, virCgroupV2Backend, virCgroupFakeBackend;

/* Has the fake's setDevice fail from the n-th call on (-1: never). */
void virCgroupFakeFailAfter(int n);

/* --- the layout that backends work on --- */

struct virCgroupInstance {
    gatomicrefcount refs;
    char *name;
    const virCgroupBackend *backend; /* NULL: no hierarchy for us */
    const char *reason;              /* why no groups can be made, NULL: they can */
    char *path;                      /* <hierarchy>/virtward-<name> */
    virCgroupMounts mounts;
};

struct virCgroup {
    gatomicrefcount refs;
    virCgroupInstance *instance;
    char *name;
    char *path;     /* of the guest's group */
    char *leafPath; /* of its leaf */
    GMutex mutex;   /* for leafFd */
    int leafFd;     /* -1 until it is made or opened */
};

/* The leaf's name below the guest's group. */
#define VIR_CGROUP_LEAF "guest"

/* Where gates keep what outlives the daemon: one a door. */
typedef struct {
    gatomicrefcount refs;
    int pinsFd;   /* folder on a bpffs, -1: none */
    GMutex mutex; /* for eventsFd */
    int eventsFd; /* the shared ring, -1: not opened yet */
    uid_t owner;
    gid_t group;
} virGateStore;

struct virGate {
    gatomicrefcount refs;
    GMutex mutex; /* for all below it */
    virCgroup *group;
    virGateStore *store;
    uint8_t uuid[16];
    virGateSettings settings;
    virDeviceRules *rules;
    bool manageable;
    virCgroupV2Devices v2;
    virCgroupFakeDevices fake;
};

/* For tests: an instance on any backend, its groups below path. */
virCgroupInstance *virCgroupInstanceNewAt(const char *name, const virCgroupBackend *backend,
                                          const char *path);
/* Opens the leaf's folder if it isn't open; borrowed, -1 with an error. */
int virCgroupOpenLeaf(virCgroup *group, GError **error);

/* --- what changes the host: called by src/delegate/local* --- */

/* The instance's own folder. */
bool virCgroupInstanceMake(virCgroupInstance *instance, GError **error);
/* Gone if it is empty; a guest's group left in it is an error. */
bool virCgroupInstanceRemove(virCgroupInstance *instance, GError **error);
bool virCgroupMake(virCgroup *group, GError **error);
/* Kills what is inside, waits until it is gone, removes. */
bool virCgroupRemove(virCgroup *group, unsigned timeout_ms, GError **error);
bool virCgroupAddProcess(virCgroup *group, pid_t pid, GError **error);
/* One value into one file of the guest's group (not the leaf). */
bool virCgroupWrite(virCgroup *group, const char *file, const char *value, GError **error);

/* pinsFd is taken over, -1 allowed. */
virGateStore *virGateStoreNew(int pinsFd, uid_t owner, gid_t group);
virGateStore *virGateStoreRef(virGateStore *store);
void virGateStoreUnref(virGateStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virGateStore, virGateStoreUnref)
/* Removes the pins of guests that are not in uuids. */
bool virGateStoreSweep(virGateStore *store, const uint8_t (*uuids)[16], size_t n,
                       unsigned *retRemoved, GError **error);

/* Removes the pins of one guest, whose group is gone; none is success. */
bool virGateStoreForget(virGateStore *store, const uint8_t uuid[16], GError **error);

/* Memory only: nothing is on the group yet. rules and settings are copied. */
virGate *virGateNew(virCgroup *group, virGateStore *store, const uint8_t uuid[16],
                    const virDeviceRules *rules, const virGateSettings *settings);
/* Puts it on the group. One that is there already is taken over and brought to the rules. */
bool virGateMake(virGate *gate, GError **error);
/* Looks for it; only reads. */
bool virGateDetect(virGate *gate, virGateFound *retFound, GError **error);
/* Puts back what is missing of one that was detected. */
bool virGateRepair(virGate *gate, bool *retReattached, GError **error);
/* Brings the kernel to wanted: all of it or, on error, as before. Grants come before what is taken
 * away. wanted becomes the gate's rules (a copy). */
bool virGateApply(virGate *gate, const virDeviceRules *wanted, GError **error);
/* The same from what the kernel holds now, after it was found again, to the gate's rules. */
bool virGateReconcile(virGate *gate, GError **error);
bool virGateSetMode(virGate *gate, virGateMode mode, GError **error);
bool virGateDestroy(virGate *gate, GError **error);
