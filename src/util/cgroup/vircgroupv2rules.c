/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupv2rules.c: the rules in the kernel's map: one set, all read, a new map filled.
 *
 * Many at once go in batches; a kernel whose tries know none is asked one by one. See
 * vircgroupv2devices.h. */
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

/* Elements as the kernel takes and gives them. */
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

/* --- one --- */

bool
virCgroupV2DevicesSetRule(virCgroupV2Devices *devices, const virDeviceRule *rule)
{
    virGateKey key = virGateKeyFromRule(rule);
    virGateValue value = virGateValueFromRule(rule);
    virGateValue before;

    if (!rule->access)
        return virBPFDeleteElem(devices->rulesFd, &key) || errno == ENOENT;
    if (virBPFLookupElem(devices->rulesFd, &key, &before) && before.prefix == value.prefix) {
        value.flags = before.flags;
        value.generation = before.generation + 1;
    }
    return virBPFUpdateElem(devices->rulesFd, &key, &value);
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

/* All elements of the map, at most one more than room. False with errno. */
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

static int
virCgroupV2DevicesCompareRules(const void *a, const void *b)
{
    return virDeviceRuleCompare(a, b);
}

GArray *
virCgroupV2DevicesReadRules(const virCgroupV2Devices *devices, GError **error)
{
    g_autoptr(GArray) rules = g_array_new(FALSE, TRUE, sizeof(virDeviceRule));
    g_auto(virGateElements) elements;

    virGateElementsInit(&elements);
    if (!virGateElementsRead(&elements, devices->rulesFd, devices->capacity)) {
        virErrorErrno(error, _("cannot read the rules of the device gate"));
        return NULL;
    }
    for (guint i = 0; i < elements.keys->len; i++) {
        const virGateKey *key = &g_array_index(elements.keys, virGateKey, i);
        const virGateValue *value = &g_array_index(elements.values, virGateValue, i);
        virDeviceRule rule = virGateKeyToRule(key, value);

        if (value->prefix == key->prefix) /* what we wrote has its own */
            g_array_append_val(rules, rule);
    }
    g_array_sort(rules, virCgroupV2DevicesCompareRules);
    return g_steal_pointer(&rules);
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

bool
virCgroupV2DevicesFillRules(const virCgroupV2Devices *devices, const GArray *rules, GError **error)
{
    g_auto(virGateElements) elements;

    virGateElementsInit(&elements);
    for (guint i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);
        virGateKey key = virGateKeyFromRule(rule);
        virGateValue value = virGateValueFromRule(rule);

        virGateElementsAdd(&elements, &key, &value);
    }
    return virGateElementsWrite(&elements, devices->rulesFd) ||
           virErrorErrno(error, _("cannot add the rules to the device gate"));
}

bool
virCgroupV2DevicesCopyRules(const virCgroupV2Devices *from, const virCgroupV2Devices *to,
                            GError **error)
{
    g_auto(virGateElements) elements;

    virGateElementsInit(&elements);
    if (!virGateElementsRead(&elements, from->rulesFd, from->capacity))
        return virErrorErrno(error, _("cannot read the rules of the device gate"));
    return virGateElementsWrite(&elements, to->rulesFd) ||
           virErrorErrno(error, _("cannot add the rules to the device gate"));
}
