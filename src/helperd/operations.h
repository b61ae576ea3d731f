/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations.h: what the helper does, one function per operation, each by descriptors alone and
 * within the policy. */
#pragma once

#define VIR_INTERNAL_UNSTABLE_API_OPT_IN 1
#include "helperd/policy.h"
#include "internal/libvirt-internal.h"

/* An operation and the rights it takes. */
typedef struct {
    const char *hook;
    bool (*run)(const helperPolicy *policy, const virInternalCall *call,
                virInternalRequest *request, GError **error);
    int capabilities[8]; /* CAP_..., ended by -1 */
    /* More that it takes only if the list of that key in its policy has the word. */
    struct {
        const char *key; /* NULL: none */
        const char *word;
        int capabilities[4]; /* ended by -1 */
    } also;
} helperOperation;

/* A number of the request by its field's name; of 32 bits with a sign. */
int64_t helperNumber(const virInternalRequest *request, const char *field);

/* Ended by one without name. */
extern const helperOperation helperOperations[];

/* The ids (pid_t) of the request's threads, that are really of the process that came with it, which
 * is in a group of the policy. NULL with an error. Caller unrefs. */
GArray *helperCheckedThreads(const helperPolicy *policy, const virInternalRequest *request,
                             GError **error);

/* Owner and permissions of the node that was just made in the folder. That may be the other side's,
 * who can put something else under the name at any time: what is given away is what was opened, and
 * only if it is that node. */
bool helperGiveNode(int folder, const char *name, mode_t mode, dev_t device, uid_t uid, gid_t gid,
                    GError **error);

/* tap.*, net.* and device.open of a macvtap (operations_net.c). */
bool helperCreateTap(const helperPolicy *policy, const virInternalCall *call,
                     virInternalRequest *request, GError **error);
bool helperRemoveTap(const helperPolicy *policy, const virInternalCall *call,
                     virInternalRequest *request, GError **error);
bool helperAttachPort(const helperPolicy *policy, const virInternalCall *call,
                      virInternalRequest *request, GError **error);
bool helperDetachPort(const helperPolicy *policy, const virInternalCall *call,
                      virInternalRequest *request, GError **error);
bool helperSetUp(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error);
bool helperSetBandwidth(const helperPolicy *policy, const virInternalCall *call,
                        virInternalRequest *request, GError **error);
bool helperOpenTap(const helperPolicy *policy, virInternalRequest *request, GError **error);

/* mount.apply (operations_mount.c). */
bool helperApplyMounts(const helperPolicy *policy, const virInternalCall *call,
                       virInternalRequest *request, GError **error);

/* cgroup.* (operations_cgroup.c). */
bool helperCreateGroup(const helperPolicy *policy, const virInternalCall *call,
                       virInternalRequest *request, GError **error);
bool helperMoveIntoGroup(const helperPolicy *policy, const virInternalCall *call,
                         virInternalRequest *request, GError **error);
bool helperSetGroup(const helperPolicy *policy, const virInternalCall *call,
                    virInternalRequest *request, GError **error);
bool helperRemoveGroup(const helperPolicy *policy, const virInternalCall *call,
                       virInternalRequest *request, GError **error);

/* operations_gate.c */
bool helperCreateGate(const helperPolicy *policy, const virInternalCall *call,
                      virInternalRequest *request, GError **error);
bool helperReplaceGate(const helperPolicy *policy, const virInternalCall *call,
                       virInternalRequest *request, GError **error);
bool helperUpdateGate(const helperPolicy *policy, const virInternalCall *call,
                      virInternalRequest *request, GError **error);
bool helperRemoveGate(const helperPolicy *policy, const virInternalCall *call,
                      virInternalRequest *request, GError **error);

/* pci.* (operations_pci.c). */
bool helperBindPCI(const helperPolicy *policy, const virInternalCall *call,
                   virInternalRequest *request, GError **error);
bool helperReleasePCI(const helperPolicy *policy, const virInternalCall *call,
                      virInternalRequest *request, GError **error);
/* The path of one of VFIO's nodes, found by the helper itself for the PCI device of that address,
 * which the policy allows. NULL with an error. Caller frees. */
char *helperVFIONode(const helperPolicy *policy, virInternalDevice device, const char *address,
                     GError **error);

/* barrier (operations_barrier.c). */
bool helperPassBarrier(const helperPolicy *policy, const virInternalCall *call,
                       virInternalRequest *request, GError **error);
