/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatehistory.c: see virgatehistory.h. A history is a short list: a guest that is denied
 * hundreds of different nodes is scanning, and the count says so. */
#include "util/cgroup/virgatehistory.h"

#include <string.h>

#include "util/virutil.h"

struct virGateHistory {
    GArray *kinds;     /* virGateDenial, in the order of the first one */
    uint64_t unlisted; /* accesses of kinds that came when it was full */
};

virGateHistory *
virGateHistoryNew(void)
{
    virGateHistory *history = g_new0(virGateHistory, 1);

    history->kinds = g_array_new(FALSE, FALSE, sizeof(virGateDenial));
    return history;
}

virGateHistory *
virGateHistoryCopy(const virGateHistory *history)
{
    virGateHistory *copy = g_new0(virGateHistory, 1);

    copy->kinds = g_array_copy(history->kinds);
    copy->unlisted = history->unlisted;
    return copy;
}

void
virGateHistoryFree(virGateHistory *history)
{
    if (!history)
        return;
    g_array_unref(history->kinds);
    g_free(history);
}

static bool
virGateDenialIsSame(const virGateDenial *a, const virGateDenial *b)
{
    return virDeviceRuleCompare(&a->rule, &b->rule) == 0 && a->rule.access == b->rule.access &&
           a->pid == b->pid && a->permissive == b->permissive && g_str_equal(a->thread, b->thread);
}

bool
virGateHistoryAdd(virGateHistory *history, const virGateDenial *denial)
{
    for (guint i = 0; i < history->kinds->len; i++) {
        virGateDenial *known = &g_array_index(history->kinds, virGateDenial, i);

        if (!virGateDenialIsSame(known, denial))
            continue;
        known->last_ns = denial->last_ns;
        known->count += denial->count;
        return false;
    }
    if (history->kinds->len == VIR_GATE_HISTORY_MAX) {
        history->unlisted += denial->count;
        return false;
    }
    g_array_append_val(history->kinds, *denial);
    return true;
}

virJSON *
virGateHistoryToJSON(const virGateHistory *history)
{
    virJSON *object = virJSONObject();
    virJSON *list = json_object_new_array();

    for (guint i = 0; i < history->kinds->len; i++)
        json_object_array_add(
            list, virGateDenialToJSON(&g_array_index(history->kinds, virGateDenial, i)));
    virJSONAddValue(object, "denials", list);
    virJSONAddUInt(object, "unlisted", history->unlisted);
    return object;
}

/* --- telling --- */

/* Nodes that an element of a domain touches: prefix of the path, and the element around it. */
static const struct {
    const char *prefix;
    const char *xml; /* %s: the node, once */
} elements[] = {
    {"/dev/hwrng", "<rng model='virtio'><backend model='random'>%s</backend></rng>"},
    {"/dev/tpm",
     "<tpm model='tpm-crb'><backend type='passthrough'><device path='%s'/></backend></tpm>"},
    {"/dev/input/event", "<input type='evdev'><source dev='%s'/></input>"},
    {"/dev/dri/renderD", "<graphics type='egl-headless'><gl rendernode='%s'/></graphics>"},
    {"/dev/ttyS", "<serial type='dev'><source path='%s'/></serial>"},
    {"/dev/ttyUSB", "<serial type='dev'><source path='%s'/></serial>"},
    {"/dev/ttyACM", "<serial type='dev'><source path='%s'/></serial>"},
    {"/dev/parport", "<parallel type='dev'><source path='%s'/></parallel>"},
};

char *
virGateDenialAllowXML(const virGateDenial *denial, const char *node)
{
    g_autofree char *escaped = NULL;

    if (!node)
        return NULL;
    escaped = g_markup_escape_text(node, -1);
    if (denial->rule.type == VIR_DEVICE_BLOCK)
        return g_strdup_printf("<disk type='block' device='disk'>%s<source dev='%s'/>"
                               "<target dev='vdz' bus='virtio'/></disk>",
                               denial->rule.access & VIR_DEVICE_WRITE ? "" : "<readonly/>",
                               escaped);
    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++) {
        if (g_str_has_prefix(node, elements[i].prefix))
            return g_strdup_printf(elements[i].xml, escaped);
    }
    return NULL;
}

/* Seconds to the microsecond: a plain double would print digits that nobody measured. */
static virJSON *
virGateSeconds(uint64_t ns)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT ".%06" G_GUINT64_FORMAT,
                                            ns / 1000000000, ns % 1000000000 / 1000);

    return json_object_new_double_s((double)ns / 1e9, text);
}

virJSON *
virGateDenialToJSON(const virGateDenial *denial)
{
    g_autofree char *node = virDeviceRuleNodePath(&denial->rule);
    g_autofree char *allow = virGateDenialAllowXML(denial, node);
    virJSON *object = virJSONObject();

    virJSONAddString(object, "type", denial->rule.type == VIR_DEVICE_BLOCK ? "block" : "char");
    virJSONAddInt(object, "major", denial->rule.major);
    virJSONAddInt(object, "minor", denial->rule.minor);
    virJSONAddString(object, "node", node);
    virJSONAddString(object, "access", virDeviceAccessToString(denial->rule.access));
    virJSONAddUInt(object, "process", denial->pid);
    virJSONAddString(object, "thread", denial->thread);
    virJSONAddValue(object, "first", virGateSeconds(denial->first_ns));
    virJSONAddValue(object, "last", virGateSeconds(denial->last_ns));
    virJSONAddUInt(object, "count", denial->count);
    virJSONAddBool(object, "permissive", denial->permissive);
    virJSONAddString(object, "allow", allow);
    return object;
}

char *
virGateDenialToText(const virGateDenial *denial)
{
    g_autofree char *node = virDeviceRuleNodePath(&denial->rule);
    const char *access =
        denial->rule.access ? virDeviceAccessToString(denial->rule.access) : "existence";

    return g_strdup_printf(
        "%s: %s of %c %d:%d%s%s%s by thread '%s' of process %u, %" G_GUINT64_FORMAT " time%s",
        denial->permissive ? "would be denied" : "denied", access,
        denial->rule.type == VIR_DEVICE_BLOCK ? 'b' : 'c', denial->rule.major, denial->rule.minor,
        node ? " (" : "", node ? node : "", node ? ")" : "", denial->thread, denial->pid,
        denial->count, denial->count == 1 ? "" : "s");
}
