/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policy.h: what virtward-helperd may be asked to do, as its policy file says.
 *
 * A key file: [helper] names the daemons' sockets and the control groups which, with those below
 * them and the processes inside, may be touched; a group per operation switches it on and bounds
 * every value. What has no group is not registered for; what a group does not allow is refused in
 * words. Constant after start. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct helperPolicy helperPolicy;

/* Reads the file. VIR_ERR_CONF_SYNTAX with the file's name and line; groups and keys that nobody
 * knows or that are there twice are errors, and so are values that are no number, path, device and
 * so on where one is to be: a typing mistake must not open anything, nor wait to be found. */
helperPolicy *helperPolicyLoad(const char *path, GError **error);
void helperPolicyFree(helperPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(helperPolicy, helperPolicyFree)

/* The daemons' handler sockets; at least one. */
const char *const *helperPolicySockets(const helperPolicy *policy);
/* True if the daemons are other users': their sockets lie in folders that are theirs alone. */
bool helperPolicyOtherUsers(const helperPolicy *policy);
/* True if the operation has a group of its own. */
bool helperPolicyServes(const helperPolicy *policy, const char *hook);
/* For which guests: a pattern of names, "*" if the group says nothing. */
const char *helperPolicyGuests(const helperPolicy *policy, const char *hook);

/* --- bounds; VIR_ERR_ACCESS_DENIED naming the value and the bound --- */

/* A number between the keys "min" and "max" of the operation's group; a missing key is no bound
 * where fallback is given, and refuses everything where it is not. */
bool helperPolicyNumber(const helperPolicy *policy, const char *hook, const char *what,
                        int64_t value, GError **error);
/* A number up to that of key; without the key none. */
bool helperPolicyUpTo(const helperPolicy *policy, const char *hook, const char *key,
                      const char *what, int64_t value, GError **error);
/* A word (or shell pattern) of the list under key; no list allows nothing. */
bool helperPolicyWord(const helperPolicy *policy, const char *hook, const char *key,
                      const char *word, GError **error);
/* A number of the list under key. */
bool helperPolicyMember(const helperPolicy *policy, const char *hook, const char *key,
                        int64_t value, GError **error);
/* What the operation's group says under key; NULL: nothing. Caller frees. */
char *helperPolicyText(const helperPolicy *policy, const char *hook, const char *key);
/* True if the key of the operation's group says "yes". */
bool helperPolicyFlag(const helperPolicy *policy, const char *hook, const char *key);
/* The process of pidfd is in one of the control groups (any of its hierarchies) below those that
 * the policy names, and is alive after it was looked at. Its pid in *retPid. */
bool helperPolicyProcess(const helperPolicy *policy, int pidfd, pid_t *retPid, GError **error);
/* The process of pidfd may be moved into the group: it is in one of those of the list "from", or in
 * one of the policy's own in another hierarchy, belongs to one of "uids", and is alive after it was
 * looked at. One that is in a guest's group where its gate is does not leave that any more. */
bool helperPolicyNewcomer(const helperPolicy *policy, const char *hook, int pidfd, int group,
                          pid_t *retPid, GError **error);
/* The group behind the descriptor may have one called name made or removed in it:
 * helperPolicyGroup, or (*retAbove) name there is one of the policy's groups itself. */
bool helperPolicyParent(const helperPolicy *policy, const char *hook, int fd, const char *name,
                        bool *retAbove, GError **error);
/* The file of a group may get the value: the list "files" has "FILE", or "FILE:MIN-MAX" and every
 * number of the value lies between ("max" there: no upper end). */
bool helperPolicySetting(const helperPolicy *policy, const char *hook, const char *file,
                         const char *value, GError **error);
/* The control group behind the descriptor, of any hierarchy, is one of those that the policy names
 * or below one. That can't change while the descriptor is open. hook for the words alone. */
bool helperPolicyGroup(const helperPolicy *policy, const char *hook, int fd, GError **error);
/* The file behind the descriptor is a regular file with one name, a folder, a socket or a node,
 * below one of the list "folders". */
bool helperPolicyFile(const helperPolicy *policy, const char *hook, int fd, GError **error);
/* The network namespace is the helper's own, or the list "namespaces" has "any". */
bool helperPolicyNetwork(const helperPolicy *policy, const char *hook, int fd, GError **error);
