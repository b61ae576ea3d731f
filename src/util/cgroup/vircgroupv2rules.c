/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2rules.c: the rules in the kernel's maps: one set, all read, new maps filled.
 *
 * A rule lies in the table of nodes (virgatenodes.h) or in the trie, never in both: what is there
 * already is changed where it is, a new one of a single node goes to the table if its bucket has a
 * slot free, everything else to the trie. So each change is one store or one element, and none
 * moves a rule. How many rules the gate may have is counted here, for both places together.
 *
 * Many elements of the trie at once go in batches; a kernel whose tries know none is asked one by
 * one. See vircgroupv2devices.h. */
#include <string.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* The kernel's own number for "this kind of map can't do that", not in <errno.h>. */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

enum { BATCH = 512 };

/* Elements of the trie as the kernel takes and gives them. */
typedef struct {
    GArray *keys;   /* virGateKey */
    GArray *values; /* virGateValue */
} virGateElements;

static void
virGateElementsInit(virGateElements *elements)
{
    elements->keys = g_array_new(FALSE, FALSE, sizeof(virGateKey));
    elements->values = g_array_new(FALSE, FALSE, sizeof(virGateValue));
}

static void
virGateElementsClear(virGateElements *elements)
{
    g_clear_pointer(&elements->keys, g_array_unref);
    g_clear_pointer(&elements->values, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virGateElements, virGateElementsClear)

static void
virGateElementsAdd(virGateElements *elements, const virGateKey *key, const virGateValue *value)
{
    g_array_append_vals(elements->keys, key, 1);
    g_array_append_vals(elements->values, value, 1);
}

/* --- reading --- */

static bool
virGateElementsReadSingly(virGateElements *elements, int fd, uint32_t room)
{
    virGateKey key;
    const virGateKey *last = NULL;

    while (elements->keys->len <= room) {
        virGateKey next;
        virGateValue value;

        if (!virBPFNextKey(fd, last, &next))
            return errno == ENOENT;
        if (virBPFLookupElem(fd, &next, &value))
            virGateElementsAdd(elements, &next, &value);
        key = next;
        last = &key;
    }
    return true;
}

/* All elements of the trie, at most one more than room. False with errno. */
static bool
virGateElementsRead(virGateElements *elements, int fd, uint32_t room)
{
    /* Filled by the kernel; valgrind doesn't know that call, and would take them for unset. */
    g_autofree virGateKey *keys = g_new0(virGateKey, BATCH);
    g_autofree virGateValue *values = g_new0(virGateValue, BATCH);
    virGateKey position = {0};
    bool more = true;

    for (bool first = true; more && elements->keys->len <= room; first = false) {
        uint32_t count = BATCH;

        more = virBPFLookupBatch(fd, first, &position, keys, values, &count);
        if (!more && first && (errno == ENOTSUPP || errno == EINVAL))
            return virGateElementsReadSingly(elements, fd, room);
        if (!more && errno != ENOENT)
            return false;
        g_array_append_vals(elements->keys, keys, count);
        g_array_append_vals(elements->values, values, count);
    }
    return true;
}

/* One rule as it is held, whatever the place. */
typedef struct {
    virDeviceRule rule; /* the first: virDeviceRuleCompare sorts these, too */
    bool used;
} virGateHeld;

static void
virGateHeldAddNodes(GArray *held, const virGateNodes *nodes)
{
    const size_t slots = nodes->slots ? (size_t)nodes->buckets * VIR_GATE_BUCKET_SLOTS : 0;

    for (size_t i = 0; i < slots; i++) {
        virGateHeld one;

        if (virGateNodesAt(nodes, i, &one.rule, &one.used))
            g_array_append_val(held, one);
    }
}

static void
virGateHeldAddElements(GArray *held, const virGateElements *elements)
{
    for (guint i = 0; i < elements->keys->len; i++) {
        const virGateKey *key = &g_array_index(elements->keys, virGateKey, i);
        const virGateValue *value = &g_array_index(elements->values, virGateValue, i);
        virGateHeld one = {virGateKeyToRule(key, value), value->flags & VIR_GATE_VALUE_USED};

        if (value->prefix == key->prefix) /* what we wrote has its own */
            g_array_append_val(held, one);
    }
}

/* All rules (virGateHeld), in no order. NULL with errno. */
static GArray *
virCgroupV2DevicesReadHeld(const virCgroupV2Devices *devices)
{
    GArray *held = g_array_new(FALSE, FALSE, sizeof(virGateHeld));
    g_auto(virGateElements) elements;

    virGateElementsInit(&elements);
    if (!virGateElementsRead(&elements, devices->rulesFd, devices->capacity)) {
        g_array_unref(held);
        return NULL;
    }
    virGateHeldAddNodes(held, &devices->nodes);
    virGateHeldAddElements(held, &elements);
    return held;
}

static int
virCgroupV2DevicesCompareRules(const void *a, const void *b)
{
    return virDeviceRuleCompare(a, b);
}

GArray *
virCgroupV2DevicesReadRules(const virCgroupV2Devices *devices, GError **error)
{
    g_autoptr(GArray) rules = g_array_new(FALSE, TRUE, sizeof(virDeviceRule));
    g_autoptr(GArray) held = virCgroupV2DevicesReadHeld(devices);

    if (!held) {
        virErrorErrno(error, _("cannot read the rules of the device gate"));
        return NULL;
    }
    for (guint i = 0; i < held->len; i++)
        g_array_append_val(rules, g_array_index(held, virGateHeld, i).rule);
    g_array_sort(rules, virCgroupV2DevicesCompareRules);
    return g_steal_pointer(&rules);
}

/* The trie's element for exactly this rule, not that of a wider one. */
static bool
virCgroupV2DevicesLookup(const virCgroupV2Devices *devices, const virGateKey *key,
                         virGateValue *retValue)
{
    return virBPFLookupElem(devices->rulesFd, key, retValue) && retValue->prefix == key->prefix;
}

bool
virCgroupV2DevicesGetRule(const virCgroupV2Devices *devices, const virDeviceRule *rule,
                          unsigned *retAccess, bool *retUsed)
{
    virGateKey key = virGateKeyFromRule(rule);
    virGateValue value;
    uint64_t slot;

    if (virGateNodesGet(&devices->nodes, rule, &slot)) {
        *retAccess = slot & VIR_DEVICE_RWM;
        *retUsed = slot & VIR_GATE_NODE_USED;
        return true;
    }
    if (!virCgroupV2DevicesLookup(devices, &key, &value))
        return false;
    *retAccess = value.access;
    *retUsed = value.flags & VIR_GATE_VALUE_USED;
    return true;
}

void
virCgroupV2DevicesForgetUse(const virCgroupV2Devices *devices, const virDeviceRule *rule)
{
    virGateKey key = virGateKeyFromRule(rule);
    virDeviceRule held = *rule;
    virGateValue value;
    uint64_t slot;

    if (virGateNodesGet(&devices->nodes, rule, &slot)) {
        held.access = slot & VIR_DEVICE_RWM;
        (void)virGateNodesSet(&devices->nodes, &held, /* used: */ 0); /* it has its place */
    } else if (virCgroupV2DevicesLookup(devices, &key, &value)) {
        value.flags = 0;
        (void)virBPFUpdateElem(devices->rulesFd, &key,
                               &value); /* a mark only; it was held before */
    }
}

/* --- one --- */

/* False with errno if the gate has all the rules that it may have. */
static bool
virCgroupV2DevicesHasRoom(virCgroupV2Devices *devices)
{
    if (devices->count < 0) {
        g_autoptr(GArray) held = virCgroupV2DevicesReadHeld(devices);

        if (!held)
            return false;
        devices->count = held->len;
    }
    errno = ENOSPC;
    return devices->count < devices->capacity;
}

/* Counts one more or less, if it is known how many there are. */
static bool
virCgroupV2DevicesCounted(virCgroupV2Devices *devices, int change)
{
    if (devices->count >= 0)
        devices->count += change;
    return true;
}

static bool
virCgroupV2DevicesDropRule(virCgroupV2Devices *devices, const virDeviceRule *rule,
                           const virGateKey *key)
{
    if (virGateNodesSet(&devices->nodes, rule, /* used: */ 0) ||
        virBPFDeleteElem(devices->rulesFd, key))
        return virCgroupV2DevicesCounted(devices, -1);
    return errno == ENOENT;
}

bool
virCgroupV2DevicesSetRule(virCgroupV2Devices *devices, const virDeviceRule *rule)
{
    virGateKey key = virGateKeyFromRule(rule);
    virGateValue value = virGateValueFromRule(rule);
    virGateValue before;
    uint64_t slot;

    if (!rule->access)
        return virCgroupV2DevicesDropRule(devices, rule, &key);
    if (virGateNodesGet(&devices->nodes, rule, &slot))
        return virGateNodesSet(&devices->nodes, rule, slot & VIR_GATE_NODE_USED);
    if (virCgroupV2DevicesLookup(devices, &key, &before)) {
        value.flags = before.flags;
        value.generation = before.generation + 1;
        return virBPFUpdateElem(devices->rulesFd, &key, &value);
    }
    return virCgroupV2DevicesHasRoom(devices) &&
           (virGateNodesSet(&devices->nodes, rule, /* used: */ 0) ||
            virBPFUpdateElem(devices->rulesFd, &key, &value)) &&
           virCgroupV2DevicesCounted(devices, 1);
}

/* --- filling --- */

/* Writes all of them. False with errno. */
static bool
virGateElementsWrite(const virGateElements *elements, int fd)
{
    uint32_t count = elements->keys->len;
    guint done = 0;

    if (count > 1 && virBPFUpdateBatch(fd, elements->keys->data, elements->values->data, &count))
        return true;
    if (count > 1 && errno != ENOTSUPP && errno != EINVAL)
        return false;
    while (done < elements->keys->len &&
           virBPFUpdateElem(fd, &g_array_index(elements->keys, virGateKey, done),
                            &g_array_index(elements->values, virGateValue, done)))
        done++;
    return done == elements->keys->len;
}

/* Puts the rule into the table, or adds it to what the trie will get. */
static void
virCgroupV2DevicesPlaceRule(const virCgroupV2Devices *devices, const virDeviceRule *rule, bool used,
                            virGateElements *rest)
{
    virGateKey key = virGateKeyFromRule(rule);
    virGateValue value = virGateValueFromRule(rule);

    if (virGateNodesSet(&devices->nodes, rule, used ? VIR_GATE_NODE_USED : 0))
        return;
    value.flags = used ? VIR_GATE_VALUE_USED : 0;
    virGateElementsAdd(rest, &key, &value);
}

bool
virCgroupV2DevicesFillRules(virCgroupV2Devices *devices, const GArray *rules, GError **error)
{
    g_auto(virGateElements) rest;

    virGateElementsInit(&rest);
    for (guint i = 0; i < rules->len; i++)
        virCgroupV2DevicesPlaceRule(devices, &g_array_index(rules, virDeviceRule, i),
                                    /* used: */ false, &rest);
    devices->count = rules->len;
    return virGateElementsWrite(&rest, devices->rulesFd) ||
           virErrorErrno(error, _("cannot add the rules to the device gate"));
}

bool
virCgroupV2DevicesCopyRules(const virCgroupV2Devices *from, virCgroupV2Devices *to, GError **error)
{
    g_autoptr(GArray) held = virCgroupV2DevicesReadHeld(from);
    g_auto(virGateElements) rest;

    virGateElementsInit(&rest);
    if (!held)
        return virErrorErrno(error, _("cannot read the rules of the device gate"));
    for (guint i = 0; i < held->len; i++) {
        const virGateHeld *one = &g_array_index(held, virGateHeld, i);

        virCgroupV2DevicesPlaceRule(to, &one->rule, one->used, &rest);
    }
    to->count = held->len;
    return virGateElementsWrite(&rest, to->rulesFd) ||
           virErrorErrno(error, _("cannot add the rules to the device gate"));
}
