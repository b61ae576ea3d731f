/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lifecycle.c: <on_poweroff> <on_reboot> <on_crash> <on_lockfailure> <pm> <perf> <idmap>. */
#include "domain/lifecycle.h"

#include <inttypes.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virLifecycleAction, VIR_LIFECYCLE_LAST, "destroy", "restart", "rename-restart",
              "preserve", "coredump-destroy", "coredump-restart");
VIR_ENUM_IMPL(virLockFailureAction, VIR_LOCK_FAILURE_LAST, "default", "poweroff", "restart",
              "pause", "ignore");

static bool
virDomainLifecycleParseOne(const xmlNode *node, const char *element, const virEnum *names, int *ret,
                           GError **error)
{
    g_autofree char *text = virXMLText(virXMLFirstChild(node, element));
    int value;

    if (!text || !*text)
        return true;
    if ((value = virEnumFromString(names, text)) < 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unknown lifecycle action %s"), text);
    *ret = value;
    return true;
}

static bool
virDomainLifecycleParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainLifecycle *lifecycle = object;

    lifecycle->onReboot = VIR_LIFECYCLE_RESTART;
    return virDomainLifecycleParseOne(node, "on_poweroff", &virLifecycleActionNames,
                                      &lifecycle->onPoweroff, error) &&
           virDomainLifecycleParseOne(node, "on_reboot", &virLifecycleActionNames,
                                      &lifecycle->onReboot, error) &&
           virDomainLifecycleParseOne(node, "on_crash", &virLifecycleActionNames,
                                      &lifecycle->onCrash, error) &&
           virDomainLifecycleParseOne(node, "on_lockfailure", &virLockFailureActionNames,
                                      &lifecycle->onLockFailure, error);
}

static void
virDomainLifecycleFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainLifecycle *lifecycle = object;

    virXMLWriterElement(w, "on_poweroff", virLifecycleActionToString(lifecycle->onPoweroff));
    virXMLWriterElement(w, "on_reboot", virLifecycleActionToString(lifecycle->onReboot));
    virXMLWriterElement(w, "on_crash", virLifecycleActionToString(lifecycle->onCrash));
    if (lifecycle->onLockFailure != VIR_LOCK_FAILURE_DEFAULT)
        virXMLWriterElement(w, "on_lockfailure",
                            virLockFailureActionToString(lifecycle->onLockFailure));
}

static const virField lifecycleFields[] = {
    /* all four */
    VIR_FIELD_CODE("on_poweroff", virDomainLifecycleParse, virDomainLifecycleFormat,
                   .names = &virLifecycleActionNames),
    VIR_FIELD_CODE("on_reboot", NULL, NULL, .names = &virLifecycleActionNames),
    VIR_FIELD_CODE("on_crash", NULL, NULL, .names = &virLifecycleActionNames),
    VIR_FIELD_CODE("on_lockfailure", NULL, NULL, .names = &virLockFailureActionNames),
    VIR_FIELD_END,
};

const virDomainSection virDomainLifecycleSection = {
    .name = "lifecycle",
    .offset = offsetof(virDomainDef, lifecycle),
    .fields = lifecycleFields,
};

/* --- <pm> --- */

static const virField pmFields[] = {
    VIR_FIELD_YESNO("pm/suspend-to-mem@enabled", virDomainPM, suspendToMem),
    VIR_FIELD_YESNO("pm/suspend-to-disk@enabled", virDomainPM, suspendToDisk),
    VIR_FIELD_END,
};

const virDomainSection virDomainPMSection = {
    .name = "pm",
    .offset = offsetof(virDomainDef, pm),
    .fields = pmFields,
};

/* --- <perf> --- */

static const char *const perfEvents[VIR_PERF_EVENTS] = {
    "cmt",
    "mbmt",
    "mbml",
    "cpu_cycles",
    "instructions",
    "cache_references",
    "cache_misses",
    "branch_instructions",
    "branch_misses",
    "bus_cycles",
    "stalled_cycles_frontend",
    "stalled_cycles_backend",
    "ref_cpu_cycles",
    "cpu_clock",
    "task_clock",
    "page_faults",
    "context_switches",
    "cpu_migrations",
    "page_faults_min",
    "page_faults_maj",
    "alignment_faults",
    "emulation_faults",
};
const virEnum virPerfEventNames = {perfEvents, VIR_PERF_EVENTS};

static bool
virDomainPerfParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainPerf *perf = object;

    virXMLForEachChildNamed (virXMLFirstChild(node, "perf"), child, "event") {
        g_autofree char *name = virXMLAttr(child, "name");
        g_autofree char *enabled = virXMLAttr(child, "enabled");
        int event = virEnumFromString(&virPerfEventNames, name);

        if (event < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               name ? _("'unsupported perf event '%s'") : "%s",
                               name ? name : _("missing name for event"));
        if (!enabled || (!g_str_equal(enabled, "yes") && !g_str_equal(enabled, "no")))
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid state of perf event '%s'"),
                               name);
        if (perf->events[event] != VIR_TRISTATE_ABSENT)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("perf event '%s' was already specified"),
                               name);
        perf->events[event] = virTristateFromBool(g_str_equal(enabled, "yes"));
    }
    return true;
}

static void
virDomainPerfFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainPerf *perf = object;

    virXMLWriterOpen(w, "perf");
    for (int i = 0; i < VIR_PERF_EVENTS; i++) {
        if (perf->events[i] == VIR_TRISTATE_ABSENT)
            continue;
        virXMLWriterOpen(w, "event");
        virXMLWriterAttr(w, "name", perfEvents[i]);
        virXMLWriterAttr(w, "enabled", perf->events[i] == VIR_TRISTATE_YES ? "yes" : "no");
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static const virField perfEventHolds[] = {
    VIR_HOLDS_ENUM("@name", virPerfEventNames),
    VIR_HOLDS_YESNO("@enabled"),
    VIR_FIELD_END,
};

static const virField perfHolds[] = {
    VIR_HOLDS_ELEMENTS("event", perfEventHolds),
    VIR_FIELD_END,
};

static const virField perfFields[] = {
    VIR_FIELD_CODE("perf", virDomainPerfParse, virDomainPerfFormat, .holds = perfHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainPerfSection = {
    .name = "perf",
    .offset = offsetof(virDomainDef, perf),
    .fields = perfFields,
};

/* --- <idmap> --- */

static int
virDomainIdMapOrder(const void *a, const void *b)
{
    uint64_t left = ((const virDomainIdMapEntry *)a)->start;
    uint64_t right = ((const virDomainIdMapEntry *)b)->start;

    return (left > right) - (left < right);
}

static bool
virDomainIdMapParseKind(GArray **entries, const xmlNode *idmap, const char *element, GError **error)
{
    virXMLForEachChildNamed (idmap, child, element) {
        virDomainIdMapEntry entry = {0};
        bool start;
        bool target;
        bool count;

        if (!virFieldAttrUInt(child, "start", 10, UINT32_MAX, &start, &entry.start, error) ||
            !virFieldAttrUInt(child, "target", 10, UINT32_MAX, &target, &entry.target, error) ||
            !virFieldAttrUInt(child, "count", 10, UINT32_MAX, &count, &entry.count, error))
            return false;
        if (!start || !target || !count)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("invalid idmap start/target/count settings"));
        if (!*entries)
            *entries = g_array_new(FALSE, FALSE, sizeof(entry));
        g_array_append_val(*entries, entry);
    }
    if (!*entries)
        return true;
    g_array_sort(*entries, virDomainIdMapOrder);
    if (g_array_index(*entries, virDomainIdMapEntry, 0).start != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("You must map the root user of container"));
    return true;
}

static bool
virDomainIdMapParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainIdMap *map = object;
    xmlNode *idmap = virXMLFirstChild(node, "idmap");

    if (!virDomainIdMapParseKind(&map->uids, idmap, "uid", error) ||
        !virDomainIdMapParseKind(&map->gids, idmap, "gid", error))
        return false;
    if (!map->uids != !map->gids)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("uid and gid should be mapped both"));
    return true;
}

static void
virDomainIdMapFormatKind(const GArray *entries, const char *element, virXMLWriter *w)
{
    for (guint i = 0; entries && i < entries->len; i++) {
        const virDomainIdMapEntry *entry = &g_array_index(entries, virDomainIdMapEntry, i);

        virXMLWriterOpen(w, element);
        virXMLWriterAttrF(w, "start", "%" PRIu64, entry->start);
        virXMLWriterAttrF(w, "target", "%" PRIu64, entry->target);
        virXMLWriterAttrF(w, "count", "%" PRIu64, entry->count);
        virXMLWriterClose(w);
    }
}

static void
virDomainIdMapFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainIdMap *map = object;

    virXMLWriterOpen(w, "idmap");
    virDomainIdMapFormatKind(map->uids, "uid", w);
    virDomainIdMapFormatKind(map->gids, "gid", w);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainIdMapClear(void *object)
{
    virDomainIdMap *map = object;

    g_clear_pointer(&map->uids, g_array_unref);
    g_clear_pointer(&map->gids, g_array_unref);
}

static const virField idMapEntryHolds[] = {
    VIR_HOLDS_UINT("@start"),
    VIR_HOLDS_UINT("@target"),
    VIR_HOLDS_UINT("@count"),
    VIR_FIELD_END,
};

static const virField idMapHolds[] = {
    VIR_HOLDS_ELEMENTS("uid", idMapEntryHolds),
    VIR_HOLDS_ELEMENTS("gid", idMapEntryHolds),
    VIR_FIELD_END,
};

static const virField idMapFields[] = {
    VIR_FIELD_CODE("idmap", virDomainIdMapParse, virDomainIdMapFormat, .clear = virDomainIdMapClear,
                   .holds = idMapHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainIdMapSection = {
    .name = "idmap",
    .offset = offsetof(virDomainDef, idmap),
    .fields = idMapFields,
};
