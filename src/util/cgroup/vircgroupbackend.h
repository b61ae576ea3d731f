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
#include "util/cgroup/vircgrouplimit.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/cgroup/virgate.h"

/* Where the hierarchies are, what they offer, and where in them this process is. */
typedef struct {
    char *v2;                             /* NULL: cgroup2 is not mounted */
    char *v2Place;                        /* of this process, below the mount; NULL: not told */
    unsigned v2Controllers;               /* bits 1 << VIR_CGROUP_CONTROLLER_… */
    char *v1[VIR_CGROUP_CONTROLLER_LAST]; /* NULL: that controller is not on v1 */
    char *v1Place[VIR_CGROUP_CONTROLLER_LAST];
} virCgroupMounts;

/* Reads the text of /proc/self/mounts. Of several mounts of one hierarchy the last counts. */
void virCgroupMountsParse(virCgroupMounts *mounts, const char *text);
/* What the unified hierarchy offers: the text of its cgroup.controllers, and whether the kernel has
 * device programs. Controllers that it has are not taken from v1. */
void virCgroupMountsOffer(virCgroupMounts *mounts, const char *controllers, bool devices);
/* Reads the text of /proc/self/cgroup. */
void virCgroupMountsPlace(virCgroupMounts *mounts, const char *text);
/* False if there is nothing but systemd's own tree. */
bool virCgroupMountsHasAny(const virCgroupMounts *mounts);
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
    const char *threads; /* the file by which a thread is moved: "tasks", "cgroup.threads" */
    bool canClone;       /* a process can be born in a group; else it joins as its first act */
    /* Whether the group at path has the controller, which its hierarchy has. */
    bool (*hasController)(const char *path, virCgroupController controller);
    /* Makes folder path in parent, both on the way to a guest's processes, and has it get these
     * controllers where parent has them; an existing one is fine. */
    bool (*makeFolder)(const char *parent, const char *path, unsigned controllers, GError **error);
    /* The same for a group that holds threads of processes in parent. */
    bool (*makePart)(const char *parent, const char *path, unsigned controllers, GError **error);
    /* Whether a process is left in the leaf. */
    bool (*isPopulated)(virCgroup *group, bool *retPopulated, GError **error);
    /* Kills all in the leaf and waits until it is empty or the deadline (monotonic time) is over,
     * which is VIR_ERR_OPERATION_TIMEOUT. */
    bool (*killAll)(virCgroup *group, gint64 deadline_us, GError **error);
    /* The same without killing anybody. No right is needed. */
    bool (*awaitEmpty)(virCgroup *group, gint64 deadline_us, GError **error);
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

/* What v2 calls the controller in cgroup.subtree_control; NULL: it need not be given there. */
const char *virCgroupV2NameOf(virCgroupController controller);
/* Has the fake's setDevice fail from the n-th call on (-1: never). */
void virCgroupFakeFailAfter(int n);

/* --- the layout that backends work on --- */

/* A mounted hierarchy that guests have a group in. */
typedef struct {
    const virCgroupBackend *backend;
    char *mount;
    char *path;           /* <mount>/virtward-<instance> */
    unsigned controllers; /* bits 1 << VIR_CGROUP_CONTROLLER_… */
} virCgroupHierarchy;

/* Those that a thread can have to itself. */
#define VIR_CGROUP_THREAD_CONTROLLERS                                                              \
    ((1u << VIR_CGROUP_CONTROLLER_CPU) | (1u << VIR_CGROUP_CONTROLLER_CPUACCT) |                   \
     (1u << VIR_CGROUP_CONTROLLER_CPUSET))
/* Those of a hierarchy that concern whole guests. */
#define VIR_CGROUP_GUEST_CONTROLLERS                                                               \
    (VIR_CGROUP_THREAD_CONTROLLERS | (1u << VIR_CGROUP_CONTROLLER_MEMORY) |                        \
     (1u << VIR_CGROUP_CONTROLLER_DEVICES) | (1u << VIR_CGROUP_CONTROLLER_FREEZER) |               \
     (1u << VIR_CGROUP_CONTROLLER_BLKIO) | (1u << VIR_CGROUP_CONTROLLER_PIDS))

struct virCgroupInstance {
    gatomicrefcount refs;
    char *name;
    const virCgroupBackend *backend; /* NULL: no hierarchy for us */
    const char *reason;              /* why no groups can be made, NULL: they can */
    const char *gateReason;          /* why there are groups without gates, NULL: there are none */
    bool delegated;                  /* its hierarchy is a group that was given to a user */
    bool handed;                     /* somebody else makes groups: virCgroupInstanceHandOver */
    char *path;                      /* <hierarchy>/virtward-<name> */
    GArray *hierarchies;             /* virCgroupHierarchy; the first is the gate's */
    GArray *unused; /* the same; new guests have no group in these, older ones may have */
    virSystemdManager manager; /* of new groups */
    GMutex mutex;              /* folders that guests share are made and removed under it */
    virCgroupMounts mounts;
};

struct virCgroup {
    gatomicrefcount refs;
    virCgroupInstance *instance;
    char *name;
    char *scope;    /* of systemd, below the mount of any hierarchy; NULL: there is none */
    char *below;    /* of the guest's group, below the instance's folder of any hierarchy, or, with
                     * a scope, below its mount */
    char *path;     /* of the guest's group in the gate's hierarchy */
    char *leafPath; /* of its leaf */
    GMutex mutex;   /* for the descriptors */
    int leafFd;     /* -1 until it is made or opened */
    int cloneFd;    /* of the emulator's part; -1: not made here */
};

/* Hierarchies of the instance; the first is the gate's. */
const virCgroupHierarchy *virCgroupHierarchyAt(const virCgroupInstance *instance, guint i);
/* That of a controller, NULL if it is nowhere. */
const virCgroupHierarchy *virCgroupHierarchyOf(const virCgroupInstance *instance,
                                               virCgroupController controller);

/* What the folder of a partition ends in. */
#define VIR_CGROUP_PARTITION ".partition"
/* The leaf's name below the guest's group. */
#define VIR_CGROUP_LEAF "guest"

/* Folders of a group in one hierarchy; caller frees. The guest's own group; where its processes
 * are; a part's (NULL or _GUEST: the guest's own group); and where a process enters: the emulator's
 * part once it is there, else where processes are. */
char *virCgroupFolderIn(const virCgroup *group, const virCgroupHierarchy *at);
char *virCgroupProcsFolderIn(const virCgroup *group, const virCgroupHierarchy *at);
char *virCgroupPartFolderIn(const virCgroup *group, const virCgroupHierarchy *at,
                            const virCgroupPart *part);
char *virCgroupEntryIn(const virCgroup *group, const virCgroupHierarchy *at);

typedef enum {
    VIR_CGROUP_FOLDER_SLICE,  /* systemd's */
    VIR_CGROUP_FOLDER_SHARED, /* the instance's, a partition's */
    VIR_CGROUP_FOLDER_GUEST,
    VIR_CGROUP_FOLDER_LEAF,
    VIR_CGROUP_FOLDER_PART, /* of threads of the processes in parent */
} virCgroupFolderKind;

/* One that has to be there. */
typedef struct {
    virCgroupFolderKind kind;
    const virCgroupHierarchy *at;
    char *parent;
    char *path;           /* parent and one name more */
    unsigned controllers; /* that it gets where parent has them */
} virCgroupFolder;

/* Those of the group, or of a part of it alone, in the order they are made: virCgroupFolder
 * elements; free with g_ptr_array_unref. */
GPtrArray *virCgroupFolders(const virCgroup *group, const virCgroupPart *part);
/* Those that an earlier daemon may have made in hierarchies that this one does not use. */
GPtrArray *virCgroupFoldersUnused(const virCgroup *group);

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
    GMutex changing; /* taken before mutex; held while somebody else may be asked to change it */
    GMutex mutex;    /* for all below it */
    virCgroup *group;
    virGateStore *store;
    uint8_t uuid[16];
    virGateSettings settings;
    virDeviceRules *rules;
    bool manageable;
    bool settled; /* the kernel has been brought to these rules */
    virCgroupV2Devices v2;
    virCgroupFakeDevices fake;
};

/* --- a user's part of the unified hierarchy (vircgroupdelegated.c) --- */

/* Where this process may make groups without being root, NULL if it may not: *retReason (static)
 * says why. Caller frees. */
char *virCgroupDelegatedPlace(const virCgroupMounts *mounts, const char **retReason);
/* Bits of the controllers that the group offers those below it. */
unsigned virCgroupDelegatedControllers(const char *place);
/* Moves this process out of the place, which no process may be in that gives controllers. */
bool virCgroupDelegatedClear(const char *place, GError **error);

/* --- scopes (vircgroupscope.c) --- */

/* The scope in a group's name, NULL if it names none; borrowed. */
const char *virCgroupScopeOf(const char *name);
/* Gone already, and a host that has no systemd any more, are success. */
bool virCgroupEndScope(const virCgroup *group, GError **error);
/* What is shared out among scopes is set with systemd too; other settings are not its. */
bool virCgroupSetScope(const virCgroup *group, const virCgroupSetting *setting, GError **error);
/* Adds the names of this instance's groups in all scopes there are. */
bool virCgroupListScopes(const virCgroupInstance *instance, GPtrArray *names, GError **error);

/* For tests: an instance on any backend, its groups below path, with these controllers. */
virCgroupInstance *virCgroupInstanceNewAt(const char *name, const virCgroupBackend *backend,
                                          const char *path, unsigned controllers);
/* True if the thread is in the part's groups, or has ended. */
bool virCgroupHasThread(const virCgroup *group, const virCgroupPart *part, pid_t tid,
                        bool *retInside, GError **error);
/* True if the process is in the group in every hierarchy. */
bool virCgroupHasProcess(const virCgroup *group, pid_t pid, bool *retInside, GError **error);
/* Opens the leaf's folder if it isn't open; borrowed, -1 with an error. */
int virCgroupOpenLeaf(virCgroup *group, GError **error);
/* A part that was made is there to be cloned into from now on, if it is the emulator's. */
bool virCgroupOpenPart(virCgroup *group, const virCgroupPart *part, GError **error);
/* Before the group is removed. */
void virCgroupClose(virCgroup *group);
/* Waits until no process is left in the group, which may be gone; VIR_ERR_OPERATION_TIMEOUT at the
 * deadline (monotonic time). */
bool virCgroupAwaitEmpty(virCgroup *group, gint64 deadline_us, GError **error);
/* How long a removal waits if it is not told. */
#define VIR_CGROUP_REMOVE_MS 10000

/* --- what changes the host: called by src/delegate/local* --- */

/* The instance's own folder in the gate's hierarchy; in the others it comes and goes with guests.
 */
bool virCgroupInstanceMake(virCgroupInstance *instance, GError **error);
/* Gone if it is empty; a guest's group left in it is an error. */
bool virCgroupInstanceRemove(virCgroupInstance *instance, GError **error);
bool virCgroupMake(virCgroup *group, GError **error);
/* Of a group that is a scope's, before it is made: has systemd make the scope for the leader, which
 * waits there for its leaf. */
bool virCgroupStartScope(virCgroup *group, const uint8_t uuid[16], pid_t leader, GError **error);
/* Kills what is inside, waits until it is gone, removes. */
bool virCgroupRemove(virCgroup *group, unsigned timeout_ms, GError **error);
/* Into the leaf, and the group of every other hierarchy. */
bool virCgroupAddProcess(virCgroup *group, pid_t pid, GError **error);
/* A part's groups, in each hierarchy that has controllers of threads; existing ones are fine. */
bool virCgroupMakePart(virCgroup *group, const virCgroupPart *part, GError **error);
/* Gone already is success. No thread may be left inside. */
bool virCgroupRemovePart(virCgroup *group, const virCgroupPart *part, GError **error);
/* A thread of a process of the group into the part; one that has ended is success. */
bool virCgroupAddThread(virCgroup *group, const virCgroupPart *part, pid_t tid, GError **error);
/* One value into one file. */
bool virCgroupWrite(virCgroup *group, const virCgroupSetting *setting, GError **error);

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

/* --- a gate that another process makes (virgatehanded.c), for src/delegate --- */

/* One change at a time, a handler's answer included: the guest's job and the watch over gates both
 * make some. virGateChangeTry: NULL if one is under way. */
typedef virGate virGateChangeLock;
virGateChangeLock *virGateChangeBegin(virGate *gate);
virGateChangeLock *virGateChangeTry(virGate *gate);
void virGateChangeEnd(virGateChangeLock *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virGateChangeLock, virGateChangeEnd)

/* Looks at the handles that came, without trusting who made them, and makes them the gate's (all of
 * them, or none: they are cleared either way); then pins. rules are what must be held, NULL with an
 * older gate: whatever is. fresh: nobody is in the group yet, so it may be asked for a denial too.
 * mover (NULL: nobody) as virGateProbe has it.
 * VIR_ERR_INTERNAL_ERROR in words that follow "reported as done, but"; VIR_ERR_SYSTEM_ERROR if no
 * look can be had. */
bool virGateTake(virGate *gate, virCgroupV2Devices *handles, const GArray *rules, bool fresh,
                 const virGateMover *mover, GError **error);
/* The ring that all gates of the store share, borrowed; -1: there is none yet. */
int virGateStoreEvents(virGateStore *store);
/* True if there is to be a link, which somebody here would pin. */
bool virGateWantsLink(virGate *gate);
/* *retCapacity: for how many rules the gate must be made anew before wanted (NULL: its own rules)
 * can be written; 0: they fit. VIR_ERR_OPERATION_UNSUPPORTED beyond the settings' bound. */
bool virGateRoomFor(virGate *gate, const virDeviceRules *wanted, uint32_t *retCapacity,
                    GError **error);
/* Rules that fit; UINT32_MAX where nothing bounds them. */
uint32_t virGateCapacity(virGate *gate);
/* Somebody else has written wanted, and it was read back: it becomes the gate's rules (a copy);
 * NULL: they stay. */
void virGateNoteRules(virGate *gate, const virDeviceRules *wanted);
/* The mode that the kernel holds becomes the gate's. */
void virGateNoteMode(virGate *gate);
/* The handles in the order of the handlers' gate_object, borrowed, -1 for what there is none of. */
#define VIR_GATE_HANDLES 6
void virGateLend(virGate *gate, int retFds[VIR_GATE_HANDLES]);
/* Whether the kernel was brought to the gate's rules since this process knows of it, and nothing
 * has happened since whose end isn't known. */
bool virGateIsSettled(virGate *gate);
void virGateSettle(virGate *gate, bool settled);
/* Exchanges it for one with this room, in one step. */
bool virGateGrow(virGate *gate, uint32_t capacity, GError **error);
/* The pins alone: off, and on again. What is not pinned is never mistaken for the gate after a
 * restart. */
bool virGateUnpin(virGate *gate, GError **error);
bool virGatePinAgain(virGate *gate, GError **error);
/* True if something in the group asks its maps, its link closed. */
bool virGateStillDecides(virGate *gate);
/* The handles alone: what is on the group stays. */
void virGateClose(virGate *gate);
