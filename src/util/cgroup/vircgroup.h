/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroup.h: the control groups of an instance and of its guests.
 *
 *     <cgroup2>/virtward-<instance>/          the instance
 *         <partition>.partition/              what <resource> of the guest names, if anything
 *             <id>-<name>/                    a guest: limits of the whole guest
 *                 guest/                      its leaf: QEMU lives here, the gate sits here
 *                     emulator/ vcpu0/ …      parts: threads with limits of their own
 *
 * Where systemd keeps the groups, a guest's is below a scope that systemd made for it:
 *
 *     <cgroup2>/machine.slice/machine-qemu\x2d3\x2dweb.scope/virtward-<instance>/guest/…
 *
 * A user's daemon has its groups below its own group of the unified hierarchy, if that was given to
 * it (Delegate=yes), and moves itself into one beside the instance's:
 *
 *     <cgroup2>/…/virtward.service/virtward-daemon/
 *     <cgroup2>/…/virtward.service/virtward-session-1000/<id>-<name>/guest/…
 *
 * An instance finds out once which hierarchies there are (v2 alone, v2 beside v1, v1 alone), which
 * controllers each has, and which backend takes the device gate. That hierarchy has the leaf; in
 * every other one the guest's processes are in the guest's group itself, and its parts below it.
 * What only reads is here; what changes the host (make, move, remove, limits, gate) is called by
 * src/delegate/local* alone, and everyone else asks the door (delegate/virdelegate.h). Blocks on
 * files of cgroupfs: in a job, without the core lock. Handles are counted references and may be
 * used from any thread; one job a guest changes them at a time. Facts: cgroups(7), the kernel's
 * Documentation/admin-guide/cgroup-v2.rst. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/virsystemd.h"

typedef struct virCgroupInstance virCgroupInstance;
typedef struct virCgroup virCgroup;

/* Controllers by their v1 names; v2's io is blkio, its freezer is cgroup.freeze. */
typedef enum {
    VIR_CGROUP_CONTROLLER_CPU,
    VIR_CGROUP_CONTROLLER_CPUACCT,
    VIR_CGROUP_CONTROLLER_CPUSET,
    VIR_CGROUP_CONTROLLER_MEMORY,
    VIR_CGROUP_CONTROLLER_DEVICES,
    VIR_CGROUP_CONTROLLER_FREEZER,
    VIR_CGROUP_CONTROLLER_BLKIO,
    VIR_CGROUP_CONTROLLER_PIDS,
    VIR_CGROUP_CONTROLLER_NET_CLS,
    VIR_CGROUP_CONTROLLER_PERF_EVENT,
    VIR_CGROUP_CONTROLLER_SYSTEMD, /* controls nothing: where systemd keeps its tree on v1 */
    VIR_CGROUP_CONTROLLER_LAST
} virCgroupController;

/* As in a v1 mount's options and in the configuration file. */
const char *virCgroupControllerToString(virCgroupController controller);
bool virCgroupControllerFromString(const char *name, virCgroupController *retController);

/* The whole guest, or some of its threads. */
typedef enum {
    VIR_CGROUP_PART_GUEST,
    VIR_CGROUP_PART_EMULATOR,
    VIR_CGROUP_PART_VCPU,
    VIR_CGROUP_PART_IOTHREAD,
} virCgroupPartType;
typedef struct {
    virCgroupPartType type;
    unsigned id; /* of the vCPU or I/O thread */
} virCgroupPart;

/* What there is for this instance. Reads only. root is the folder of --root and gives the
 * instance its name, a short hash of the folder's real path; NULL: "system" as root, "session-UID"
 * else.
 * Without any usable hierarchy the instance is still returned, and virCgroupInstanceUsable says no:
 * guests then run without groups and gate, as in session mode. */
virCgroupInstance *virCgroupInstanceNew(const char *root, GError **error);
virCgroupInstance *virCgroupInstanceRef(virCgroupInstance *instance);
void virCgroupInstanceUnref(virCgroupInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCgroupInstance, virCgroupInstanceUnref)

/* Groups that this process may not make are made by somebody else from now on, where root would
 * have them: the door's handlers. Without effect where the process may, or was given a place of its
 * own, or nobody could. gateReason (static): why guests have no gate then, NULL: they have. At
 * start. */
void virCgroupInstanceHandOver(virCgroupInstance *instance, const char *gateReason);

/* The name that also names the folder below /sys/fs/bpf. */
const char *virCgroupInstanceName(const virCgroupInstance *instance);
/* "v2", "v1" or "none". */
const char *virCgroupInstanceBackendName(const virCgroupInstance *instance);
/* True if groups can be made here; else *retReason (static text, may be NULL) says why not. */
bool virCgroupInstanceUsable(const virCgroupInstance *instance, const char **retReason);

/* True if guests here get a device gate; else *retReason (static text, may be NULL) says why not.
 * Only a user's daemon can have groups without gates. */
bool virCgroupInstanceHasGates(const virCgroupInstance *instance, const char **retReason);

/* Takes only these controllers (bits 1 << VIR_CGROUP_CONTROLLER_…) from now on. At start. The
 * gate's hierarchy stays. cpuacct goes with a cpu that is in the same hierarchy. What guests of an
 * earlier daemon have elsewhere is removed with them. */
void virCgroupInstanceRestrict(virCgroupInstance *instance, unsigned controllers);
/* True if a group of this instance has the controller, or would have. */
bool virCgroupInstanceHasController(const virCgroupInstance *instance,
                                    virCgroupController controller);

/* "v1" or "v2", NULL if the controller is not there. */
const char *virCgroupInstanceVersionOf(const virCgroupInstance *instance,
                                       virCgroupController controller);
/* The instance of a group, borrowed. */
virCgroupInstance *virCgroupInstanceOf(const virCgroup *group);

/* Who makes the outermost groups of guests from now on; at first the daemon itself. Those that are
 * there stay as they were made. */
void virCgroupInstanceSetManager(virCgroupInstance *instance, virSystemdManager manager);
virSystemdManager virCgroupInstanceManager(const virCgroupInstance *instance);

/* The group of a guest, whether it exists already or not. name is "<id>-<name>", in a partition
 * "/<partition>/<id>-<name>"; or the path of a scope (virSystemdScopePath), as virCgroupNameFor
 * gives it. Characters that a folder can't have, and a length over NAME_MAX, are replaced in one
 * reproducible way. */
virCgroup *virCgroupNew(virCgroupInstance *instance, const char *name);
/* The name of the group that a guest gets here, in what <resource> says ("/production/web"); NULL
 * and "/machine" are the instance's own folder, or machine.slice. Caller frees. */
char *virCgroupNameFor(const virCgroupInstance *instance, const char *partition, int id,
                       const char *name);
/* The same without systemd, of a group "<id>-<name>". */
char *virCgroupNameIn(const char *partition, const char *name);
/* True if it is below a scope: its first process must be there before the group
 * (virCgroupStartScope), and QEMU can't be born in it. */
bool virCgroupIsScope(const virCgroup *group);
virCgroup *virCgroupRef(virCgroup *group);
void virCgroupUnref(virCgroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCgroup, virCgroupUnref)

/* Finds the group of a guest again, after a restart. VIR_ERR_OPERATION_FAILED if it isn't there. */
virCgroup *virCgroupOpen(virCgroupInstance *instance, const char *name, GError **error);
/* Names of the guest groups that exist below the instance, for the start-up sweep. Elements are
 * strings; caller frees with g_ptr_array_unref. None is an empty array. */
GPtrArray *virCgroupInstanceList(virCgroupInstance *instance, GError **error);

const char *virCgroupName(const virCgroup *group);
/* The leaf's folder, as an absolute path (for logs and the status file). */
const char *virCgroupPath(const virCgroup *group);
/* True if a child of this process may be born in the group, or join it, by this process's own
 * rights: the kernel asks who may write to the group and to the nearest one above both. */
bool virCgroupMayJoin(const virCgroup *group);
/* The same, were the group this user's: it may write to the nearest one above both. */
bool virCgroupMayReach(const virCgroup *group);
/* Folder descriptor for virSpawnRequest.cgroupFd: of the emulator's part once there is one, else of
 * the leaf; borrowed, -1 before it is made. -1 also on v1, which can't be cloned into, and in a
 * scope: see virCgroupOpenJoins. */
int virCgroupCloneFd(const virCgroup *group);
/* Of each hierarchy that can't be cloned into a new descriptor to which virtward-spawn writes
 * itself into the group before it runs anything else, for virSpawnRequest.joinFds. int elements,
 * closed with the array; NULL on error. */
GArray *virCgroupOpenJoins(virCgroup *group, GError **error);

/* True if this group, which has been made, has the controller. */
bool virCgroupHasController(const virCgroup *group, virCgroupController controller);
/* The folder of a part in the controller's hierarchy, NULL if there is no such controller; a part
 * has none but cpu, cpuacct and cpuset. Caller frees. */
char *virCgroupPartPath(const virCgroup *group, virCgroupController controller,
                        const virCgroupPart *part);

/* Process ids in the leaf, also those of threads' processes; pid_t elements, caller frees with
 * g_array_unref. */
GArray *virCgroupListProcs(virCgroup *group, GError **error);
/* True if a process is in the leaf (a zombie is not). */
bool virCgroupIsPopulated(virCgroup *group, bool *retPopulated, GError **error);

/* To an error of sched_setscheduler(2), which failed with the errno failure: what the thread's
 * group has to do with it, and what can be done, if it is real time that the group has none of. */
void virCgroupExplainRealtime(pid_t tid, int policy, int failure, GError **error);

/* A file of the group's part (NULL: the whole guest) in the controller's hierarchy, as text without
 * the last newline, e.g. "memory.current"; caller frees. VIR_ERR_OPERATION_UNSUPPORTED if the
 * kernel has no such controller or file. */
char *virCgroupGet(const virCgroup *group, virCgroupController controller,
                   const virCgroupPart *part, const char *file, GError **error);

/* What the guest's processes have used, all of them, ended ones too: ns. NULL: not wanted. */
bool virCgroupGetCpuUsage(const virCgroup *group, uint64_t *retTotal, uint64_t *retUser,
                          uint64_t *retSystem, GError **error);
