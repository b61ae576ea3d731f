/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroup.h: the control groups of an instance and of its guests.
 *
 *     <cgroup2>/virtward-<instance>/          the instance
 *         <id>-<name>/                        a guest: limits of the whole guest
 *             guest/                          its leaf: QEMU is spawned here, the gate sits here
 *
 * An instance finds out once which hierarchies there are (v2 alone, v2 beside v1, v1 alone) and
 * which backend takes the device gate. What only reads is here; what changes the host (make, move,
 * remove, limits, gate) is called by src/delegate/local* alone, and everyone else asks the door
 * (delegate/virdelegate.h). Blocks on files of cgroupfs: in a job, without the core lock. Handles
 * are counted references and may be used from any thread; one job a guest changes them at a time.
 * Facts: cgroups(7), the kernel's Documentation/admin-guide/cgroup-v2.rst. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct virCgroupInstance virCgroupInstance;
typedef struct virCgroup virCgroup;

/* What there is for this instance. Reads only. root is the folder of --root and gives the
 * instance its name, a short hash of the folder's real path; NULL: "system" as root, "session-UID"
 * else.
 * Without any usable hierarchy the instance is still returned, and virCgroupInstanceUsable says no:
 * guests then run without groups and gate, as in session mode. */
virCgroupInstance *virCgroupInstanceNew(const char *root, GError **error);
virCgroupInstance *virCgroupInstanceRef(virCgroupInstance *instance);
void virCgroupInstanceUnref(virCgroupInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCgroupInstance, virCgroupInstanceUnref)

/* The name that also names the folder below /sys/fs/bpf. */
const char *virCgroupInstanceName(const virCgroupInstance *instance);
/* "v2", "v1" or "none". */
const char *virCgroupInstanceBackendName(const virCgroupInstance *instance);
/* True if groups can be made here; else *retReason (static text, may be NULL) says why not. */
bool virCgroupInstanceUsable(const virCgroupInstance *instance, const char **retReason);

/* The group of a guest, whether it exists already or not. name is "<id>-<name>"; characters that a
 * folder can't have, and a length over NAME_MAX, are replaced in one reproducible way. */
virCgroup *virCgroupNew(virCgroupInstance *instance, const char *name);
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
/* Folder descriptor of the leaf, for virSpawnRequest.cgroupFd; borrowed, -1 before it is made. On
 * v1 it can't be cloned into: see virCgroupJoinFd. */
int virCgroupCloneFd(const virCgroup *group);
/* v1: a new descriptor to which virtward-spawn writes itself into the group before it runs anything
 * else, for virSpawnRequest.joinFd; -1 on v2 without an error set. */
int virCgroupJoinFd(virCgroup *group, GError **error);

/* Process ids in the leaf, also those of threads' processes; pid_t elements, caller frees with
 * g_array_unref. */
GArray *virCgroupListProcs(virCgroup *group, GError **error);
/* True if a process is in the leaf (a zombie is not). */
bool virCgroupIsPopulated(virCgroup *group, bool *retPopulated, GError **error);

/* A file of the group as text without the last newline, e.g. "memory.current"; caller frees.
 * VIR_ERR_OPERATION_UNSUPPORTED if the kernel has no such file in this group. */
char *virCgroupGet(virCgroup *group, const char *file, GError **error);
/* One number of a "key number" file, e.g. ("cpu.stat", "usage_usec"). */
bool virCgroupGetStat(virCgroup *group, const char *file, const char *key, uint64_t *retValue,
                      GError **error);
