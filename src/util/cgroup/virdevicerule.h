/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdevicerule.h: what a guest may do to which device nodes: one rule, and the rules of a guest
 * with their owners.
 *
 * A rule allows; what no rule allows is denied. Rules are a union, so their order never matters.
 * Each rule has owners (a device's alias, or "policy" for the list of the configuration file): two
 * devices that share a node are counted, and unplugging one leaves the other its rule. Memory only:
 * any thread, one virDeviceRules a thread; no rights. Facts: the kernel's
 * Documentation/admin-guide/cgroup-v1/devices.rst and <linux/bpf.h>, enum BPF_DEVCG_*. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Bits, equal to the kernel's BPF_DEVCG_DEV_*; ALL is both. */
typedef enum {
    VIR_DEVICE_BLOCK = 1,
    VIR_DEVICE_CHAR = 2,
    VIR_DEVICE_ALL = VIR_DEVICE_BLOCK | VIR_DEVICE_CHAR,
} virDeviceType;

/* Bits, equal to the kernel's BPF_DEVCG_ACC_*. */
enum {
    VIR_DEVICE_MKNOD = 1,
    VIR_DEVICE_READ = 2,
    VIR_DEVICE_WRITE = 4,
    VIR_DEVICE_RW = VIR_DEVICE_READ | VIR_DEVICE_WRITE,
    VIR_DEVICE_RWM = VIR_DEVICE_RW | VIR_DEVICE_MKNOD,
};

/* As major or minor: every number. */
#define VIR_DEVICE_ANY (-1)

/* The owner of what the configuration file allows every guest. */
#define VIR_DEVICE_OWNER_POLICY "policy"

typedef struct {
    virDeviceType type;
    unsigned access; /* VIR_DEVICE_READ ...; 0 where a change means "no longer" */
    int major;       /* VIR_DEVICE_ANY or 0..4095 */
    int minor;       /* VIR_DEVICE_ANY or 0..1048575 */
} virDeviceRule;

/* Reads "c 10:232 rwm", "b 8:* r", "a *:* rwm". The letters of the access in any order, at least
 * one. VIR_ERR_INVALID_ARG quoting the text. */
bool virDeviceRuleParse(const char *text, virDeviceRule *retRule, GError **error);
/* The same text, letters in the order rwm. Caller frees. */
char *virDeviceRuleFormat(const virDeviceRule *rule);
/* "rwm", "r", "" of an access mask, in a static table. */
const char *virDeviceAccessToString(unsigned access);
/* Type, then major, then minor; the access doesn't count: two rules that compare equal are one rule
 * of the gate. For g_array_sort. */
int virDeviceRuleCompare(const virDeviceRule *a, const virDeviceRule *b);

typedef enum {
    VIR_DEVICE_NODE_FOUND,
    VIR_DEVICE_NODE_MISSING, /* nothing at this path */
    VIR_DEVICE_NODE_OTHER,   /* there, but neither block nor character device */
    VIR_DEVICE_NODE_ERROR,   /* *error is set */
} virDeviceNodeLookup;

/* The rule for the node at path, symbolic links resolved now. Reads the file system. */
virDeviceNodeLookup virDeviceRuleFromNode(const char *path, unsigned access, virDeviceRule *retRule,
                                          GError **error);

/* The reverse: the path of the node with these numbers, as the kernel names it ("/dev/net/tun"),
 * NULL if the rule has wildcards or no driver has the numbers. Reads sysfs. Caller frees. */
char *virDeviceRuleNodePath(const virDeviceRule *rule);

/* The rules of one guest with their owners. */
typedef struct virDeviceRules virDeviceRules;
virDeviceRules *virDeviceRulesNew(void);
void virDeviceRulesFree(virDeviceRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDeviceRules, virDeviceRulesFree)
virDeviceRules *virDeviceRulesCopy(const virDeviceRules *rules);

/* Adds rule's access to what owner already has on that node. */
void virDeviceRulesAllow(virDeviceRules *rules, const char *owner, const virDeviceRule *rule);
/* Takes rule's access away from owner, and only what is named: "w" of "rw" leaves "r". */
void virDeviceRulesDeny(virDeviceRules *rules, const char *owner, const virDeviceRule *rule);
/* Takes everything away from owner. */
void virDeviceRulesDropOwner(virDeviceRules *rules, const char *owner);

/* What the gate must hold: virDeviceRule elements sorted by virDeviceRuleCompare, one for each
 * node, access ORed over the owners; "a" rules appear as one block and one character rule. Caller
 * frees with g_array_unref. */
GArray *virDeviceRulesUnion(const virDeviceRules *rules);
/* What leads from one union to the other: rules with the access they shall have, 0 to remove.
 * Caller frees with g_array_unref. */
GArray *virDeviceRulesChanges(const GArray *from, const GArray *to);

/* Calls func for every (owner, rule) pair, owners sorted, rules as in the union's order. */
typedef void (*virDeviceRulesFunc)(const char *owner, const virDeviceRule *rule, void *opaque);
void virDeviceRulesForeach(const virDeviceRules *rules, virDeviceRulesFunc func, void *opaque);
/* The owners of the node of rule (any access), comma-separated; NULL if none. Caller frees. */
char *virDeviceRulesOwners(const virDeviceRules *rules, const virDeviceRule *rule);
