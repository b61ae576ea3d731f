/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cputune.c: <cputune>: shares, quotas, where threads run and how they are scheduled. */
#include <inttypes.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

/* Microseconds: what the kernel takes for a period, and for a quota that is one. */
enum { VIR_CPUTUNE_PERIOD_MIN = 1000, VIR_CPUTUNE_PERIOD_MAX = 1000000 };
#define VIR_CPUTUNE_QUOTA_MAX INT64_C(18446744073709551)

/* relative to <cputune> */
static const virField numberFields[] = {
    VIR_FIELD_UINT("shares", virDomainCputune, shares, 0, UINT64_MAX),
    VIR_FIELD_UINT("period", virDomainCputune, period, 0, UINT64_MAX),
    VIR_FIELD_INT("quota", virDomainCputune, quota),
    VIR_FIELD_UINT("global_period", virDomainCputune, globalPeriod, 0, UINT64_MAX),
    VIR_FIELD_INT("global_quota", virDomainCputune, globalQuota),
    VIR_FIELD_UINT("emulator_period", virDomainCputune, emulatorPeriod, 0, UINT64_MAX),
    VIR_FIELD_INT("emulator_quota", virDomainCputune, emulatorQuota),
    VIR_FIELD_UINT("iothread_period", virDomainCputune, iothreadPeriod, 0, UINT64_MAX),
    VIR_FIELD_INT("iothread_quota", virDomainCputune, iothreadQuota),
    VIR_FIELD_END,
};

static bool
virDomainCputuneCheckPeriod(virOptUInt *period, const char *name, GError **error)
{
    period->set = period->value != 0;
    if (period->set &&
        (period->value < VIR_CPUTUNE_PERIOD_MIN || period->value > VIR_CPUTUNE_PERIOD_MAX))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Value of cputune '%s' must be in range [%u, %u]"), name,
                           VIR_CPUTUNE_PERIOD_MIN, VIR_CPUTUNE_PERIOD_MAX);
    return true;
}

static bool
virDomainCputuneCheckQuota(virOptInt *quota, const char *name, GError **error)
{
    quota->set = quota->value != 0;
    if (quota->value > 0 &&
        (quota->value < VIR_CPUTUNE_PERIOD_MIN || quota->value > VIR_CPUTUNE_QUOTA_MAX))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Value of cputune '%s' must be in range [%d, %" PRId64 "]"), name,
                           VIR_CPUTUNE_PERIOD_MIN, VIR_CPUTUNE_QUOTA_MAX);
    return true;
}

static bool
virDomainCputuneParseNumbers(virDomainCputune *cpu, xmlNode *node, unsigned parseFlags,
                             GError **error)
{
    return virFieldParse(numberFields, cpu, node, parseFlags, error) &&
           virDomainCputuneCheckPeriod(&cpu->period, "period", error) &&
           virDomainCputuneCheckQuota(&cpu->quota, "quota", error) &&
           virDomainCputuneCheckPeriod(&cpu->globalPeriod, "global_period", error) &&
           virDomainCputuneCheckQuota(&cpu->globalQuota, "global_quota", error) &&
           virDomainCputuneCheckPeriod(&cpu->emulatorPeriod, "emulator_period", error) &&
           virDomainCputuneCheckQuota(&cpu->emulatorQuota, "emulator_quota", error) &&
           virDomainCputuneCheckPeriod(&cpu->iothreadPeriod, "iothread_period", error) &&
           virDomainCputuneCheckQuota(&cpu->iothreadQuota, "iothread_quota", error);
}

/* --- where threads run --- */

static virBitmap *
virDomainPinParse(const xmlNode *node, GError **error)
{
    const char *element = (const char *)node->name;
    g_autofree char *cpuset = virXMLAttr(node, "cpuset");
    g_autoptr(virBitmap) map = NULL;

    if (!cpuset) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("Missing required attribute '%s' in element '%s'"),
                    "cpuset", element);
        return NULL;
    }
    if (!(map = virBitmapParse(cpuset, VIR_DOMAIN_CPUMASK_LEN, error)))
        return NULL;
    if (virBitmapIsEmpty(map)) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid value of 'cpuset': %s"), cpuset);
        return NULL;
    }
    return g_steal_pointer(&map);
}

static bool
virDomainPinNumber(const xmlNode *node, const char *attr, uint64_t *ret, GError **error)
{
    g_autofree char *text = virXMLAttr(node, attr);

    if (!text)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), attr,
                           (const char *)node->name);
    if (!virStringToUInt(text, UINT32_MAX, ret))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), attr,
                           (const char *)node->name, text);
    return true;
}

static bool
virDomainPinParseVcpu(virDomainDef *def, const xmlNode *node, GError **error)
{
    g_autoptr(virBitmap) map = NULL;
    virDomainVcpu *vcpu;
    uint64_t id;

    if (!virDomainPinNumber(node, "vcpu", &id, error))
        return false;
    if (id >= virDomainVcpusMax(&def->vcpus))
        return true; /* a guest that once had more */
    vcpu = virDomainVcpuAt(&def->vcpus, (guint)id);
    if (!(map = virDomainPinParse(node, error)))
        return false;
    if (vcpu->pin)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("duplicate vcpupin for vcpu '%" PRIu64 "'"),
                           id);
    vcpu->pin = g_steal_pointer(&map);
    return true;
}

static bool
virDomainPinParseIOThread(virDomainDef *def, const xmlNode *node, GError **error)
{
    g_autoptr(virBitmap) map = NULL;
    virDomainIOThread *iothread;
    uint64_t id;

    if (!virDomainPinNumber(node, "iothread", &id, error))
        return false;
    if (!(iothread = virDomainIOThreadFind(&def->iothreads, (unsigned)id)))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Cannot find 'iothread' : %" PRIu64), id);
    if (!(map = virDomainPinParse(node, error)))
        return false;
    if (iothread->pin)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("duplicate iothreadpin for same iothread '%" PRIu64 "'"), id);
    iothread->pin = g_steal_pointer(&map);
    return true;
}

static bool
virDomainPinParseEmulator(virDomainDef *def, const xmlNode *node, GError **error)
{
    if (def->tune.cpu.emulatorPin)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("only one emulatorpin is supported"));
    def->tune.cpu.emulatorPin = virDomainPinParse(node, error);
    return def->tune.cpu.emulatorPin;
}

/* --- how they are scheduled --- */

static bool
virDomainSchedParse(virDomainSched *sched, const xmlNode *node, GError **error)
{
    g_autofree char *policy = virXMLAttr(node, "scheduler");
    g_autofree char *priority = virXMLAttr(node, "priority");
    int64_t number;
    int value = virSchedPolicyFromString(policy);

    if (!policy)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "scheduler",
                           (const char *)node->name);
    if (value <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."),
                           "scheduler", (const char *)node->name, policy);
    sched->policy = (virSchedPolicy)value;
    if (value != VIR_SCHED_POLICY_FIFO && value != VIR_SCHED_POLICY_RR)
        return true;
    if (!priority || !virStringToInt(priority, &number) || number < INT32_MIN || number > INT32_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           priority ? _("Invalid value for attribute '%s' in element '%s': '%s'.")
                                    : _("Missing required attribute '%s' in element '%s'"),
                           "priority", (const char *)node->name, priority);
    sched->priority = (int)number;
    return true;
}

static virBitmap *
virDomainSchedParseSet(const xmlNode *node, const char *attr, GError **error)
{
    g_autofree char *text = virXMLAttr(node, attr);
    g_autoptr(virBitmap) map = NULL;

    if (!text || !*text) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("Missing %s attribute '%s' in element '%s'"),
                    "required", attr, (const char *)node->name);
        return NULL;
    }
    if (!(map = virBitmapParse(text, VIR_DOMAIN_CPUMASK_LEN, error)))
        return NULL;
    if (virBitmapIsEmpty(map)) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("'%s' scheduler bitmap '%s' is empty"), attr, text);
        return NULL;
    }
    return g_steal_pointer(&map);
}

static bool
virDomainSchedApply(virDomainSched *to, const virDomainSched *sched, const char *what,
                    const char *attr, GError **error)
{
    if (to->policy != VIR_SCHED_POLICY_NONE)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, _("%ssched attributes '%s' must not overlap"),
                           what, attr);
    *to = *sched;
    return true;
}

static bool
virDomainSchedParseVcpus(virDomainDef *def, const xmlNode *node, GError **error)
{
    g_autoptr(virBitmap) map = virDomainSchedParseSet(node, "vcpus", error);
    virDomainSched sched = {0};

    if (!map || !virDomainSchedParse(&sched, node, error))
        return false;
    virBitmapForEach(map, id)
    {
        if ((unsigned long)id >= virDomainVcpusMax(&def->vcpus))
            break; /* a guest that once had more */
        if (!virDomainSchedApply(&virDomainVcpuAt(&def->vcpus, (guint)id)->sched, &sched, "vcpu",
                                 "vcpus", error))
            return false;
    }
    return true;
}

static bool
virDomainSchedParseIOThreads(virDomainDef *def, const xmlNode *node, GError **error)
{
    g_autoptr(virBitmap) map = virDomainSchedParseSet(node, "iothreads", error);
    virDomainSched sched = {0};

    if (!map || !virDomainSchedParse(&sched, node, error))
        return false;
    virBitmapForEach(map, id)
    {
        virDomainIOThread *iothread = virDomainIOThreadFind(&def->iothreads, (unsigned)id);

        if (!iothread)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("Cannot find 'iothread' : %ld"), id);
        if (!virDomainSchedApply(&iothread->sched, &sched, "iothread", "iothreads", error))
            return false;
    }
    return true;
}

static bool
virDomainSchedParseEmulator(virDomainDef *def, const xmlNode *node, GError **error)
{
    if (def->tune.cpu.emulatorSched.policy != VIR_SCHED_POLICY_NONE)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only one emulatorsched is supported"));
    return virDomainSchedParse(&def->tune.cpu.emulatorSched, node, error);
}

/* --- all children of <cputune> --- */

static const struct {
    const char *element;
    bool (*parse)(virDomainDef *def, const xmlNode *node, GError **error);
} children[] = {
    {"vcpupin", virDomainPinParseVcpu},
    {"emulatorpin", virDomainPinParseEmulator},
    {"iothreadpin", virDomainPinParseIOThread},
    {"vcpusched", virDomainSchedParseVcpus},
    {"iothreadsched", virDomainSchedParseIOThreads},
    {"emulatorsched", virDomainSchedParseEmulator},
};

/* Pins and schedulers stand with the thread they are for, so the object is the whole. */
static bool
virDomainCputuneParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainDef *def = object;
    xmlNode *cputune = virXMLFirstChild(node, "cputune");

    if (!cputune)
        return true;
    if (!virDomainCputuneParseNumbers(&def->tune.cpu, cputune, parseFlags, error))
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        virXMLForEachChildNamed (cputune, child, children[i].element) {
            if (!children[i].parse(def, child, error))
                return false;
        }
    }
    return virDomainResctrlsParse(def, cputune, parseFlags, error);
}

static void
virDomainPinFormat(virXMLWriter *w, const char *element, const char *attr, unsigned id,
                   const virBitmap *pin)
{
    g_autofree char *cpuset = NULL;

    if (!pin)
        return;
    cpuset = virBitmapFormat(pin);
    virXMLWriterOpen(w, element);
    if (attr)
        virXMLWriterAttrF(w, attr, "%u", id);
    virXMLWriterAttr(w, "cpuset", cpuset);
    virXMLWriterClose(w);
}

static void
virDomainSchedFormat(virXMLWriter *w, const char *element, const char *attr, const virBitmap *ids,
                     const virDomainSched *sched)
{
    g_autofree char *set = ids ? virBitmapFormat(ids) : NULL;

    virXMLWriterOpen(w, element);
    if (set)
        virXMLWriterAttr(w, attr, set);
    virXMLWriterAttr(w, "scheduler", virSchedPolicyToString(sched->policy));
    if (sched->policy == VIR_SCHED_POLICY_FIFO || sched->policy == VIR_SCHED_POLICY_RR)
        virXMLWriterAttrF(w, "priority", "%d", sched->priority);
    virXMLWriterClose(w);
}

typedef struct {
    unsigned id;
    const virDomainSched *sched;
} virDomainSchedRow;

/* Threads of one policy and priority share an element; policies come in the order of the enum. */
static void
virDomainSchedFormatGroups(virXMLWriter *w, const char *element, const char *attr, GArray *rows)
{
    for (int policy = VIR_SCHED_POLICY_NONE + 1; policy < VIR_SCHED_POLICY_LAST; policy++) {
        g_autoptr(virBitmap) done = virBitmapNew();

        for (guint i = 0; i < rows->len; i++) {
            const virDomainSchedRow *first = &g_array_index(rows, virDomainSchedRow, i);
            g_autoptr(virBitmap) ids = NULL;

            if (first->sched->policy != (virSchedPolicy)policy || virBitmapHas(done, i))
                continue;
            ids = virBitmapNew();
            for (guint j = i; j < rows->len; j++) {
                const virDomainSchedRow *row = &g_array_index(rows, virDomainSchedRow, j);

                if (row->sched->policy != first->sched->policy ||
                    row->sched->priority != first->sched->priority)
                    continue;
                virBitmapSet(ids, row->id);
                virBitmapSet(done, j);
            }
            virDomainSchedFormat(w, element, attr, ids, first->sched);
        }
    }
}

static void
virDomainSchedsFormat(const virDomainDef *def, virXMLWriter *w)
{
    g_autoptr(GArray) vcpus = g_array_new(FALSE, FALSE, sizeof(virDomainSchedRow));
    g_autoptr(GArray) iothreads = g_array_new(FALSE, FALSE, sizeof(virDomainSchedRow));

    for (guint i = 0; i < virDomainVcpusMax(&def->vcpus); i++) {
        virDomainSchedRow row = {i, &virDomainVcpuAt(&def->vcpus, i)->sched};

        g_array_append_val(vcpus, row);
    }
    for (guint i = 0; i < virDomainIOThreadCount(&def->iothreads); i++) {
        const virDomainIOThread *iothread = virDomainIOThreadAt(&def->iothreads, i);
        virDomainSchedRow row = {iothread->id, &iothread->sched};

        g_array_append_val(iothreads, row);
    }
    virDomainSchedFormatGroups(w, "vcpusched", "vcpus", vcpus);
    virDomainSchedFormatGroups(w, "iothreadsched", "iothreads", iothreads);
    if (def->tune.cpu.emulatorSched.policy != VIR_SCHED_POLICY_NONE)
        virDomainSchedFormat(w, "emulatorsched", NULL, NULL, &def->tune.cpu.emulatorSched);
}

static void
virDomainCputuneFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainDef *def = object;

    virXMLWriterOpen(w, "cputune");
    virFieldFormat(numberFields, &def->tune.cpu, w, formatFlags);
    for (guint i = 0; i < virDomainVcpusMax(&def->vcpus); i++)
        virDomainPinFormat(w, "vcpupin", "vcpu", i, virDomainVcpuAt(&def->vcpus, i)->pin);
    virDomainPinFormat(w, "emulatorpin", NULL, 0, def->tune.cpu.emulatorPin);
    for (guint i = 0; i < virDomainIOThreadCount(&def->iothreads); i++) {
        const virDomainIOThread *iothread = virDomainIOThreadAt(&def->iothreads, i);

        virDomainPinFormat(w, "iothreadpin", "iothread", iothread->id, iothread->pin);
    }
    virDomainSchedsFormat(def, w);
    virDomainResctrlsFormat(&def->tune, w, formatFlags);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainCputuneClear(void *object)
{
    virDomainDef *def = object;

    g_clear_pointer(&def->tune.cpu.emulatorPin, virBitmapFree);
    virDomainResctrlsClear(&def->tune);
}

static const virField vcpuPinHolds[] = {
    VIR_HOLDS_UINT("@vcpu"),
    VIR_HOLDS("@cpuset"),
    VIR_FIELD_END,
};

static const virField iothreadPinHolds[] = {
    VIR_HOLDS_UINT("@iothread"),
    VIR_HOLDS("@cpuset"),
    VIR_FIELD_END,
};

static const virField schedHolds[] = {
    VIR_HOLDS("@vcpus"),
    VIR_HOLDS("@iothreads"),
    VIR_HOLDS_ENUM("@scheduler", virSchedPolicyNames),
    VIR_HOLDS_INT("@priority"),
    VIR_FIELD_END,
};

static const virField cacheHolds[] = {
    VIR_HOLDS_UINT("@id"), VIR_HOLDS_UINT("@level"), VIR_HOLDS("@type"), VIR_HOLDS_SIZE("@size"),
    VIR_FIELD_END,
};

static const virField monitorHolds[] = {
    VIR_HOLDS_UINT("@level"),
    VIR_HOLDS("@vcpus"),
    VIR_FIELD_END,
};

static const virField cachetuneHolds[] = {
    VIR_HOLDS("@vcpus"),
    VIR_HOLDS("@id"),
    VIR_HOLDS_ELEMENTS("cache", cacheHolds),
    VIR_HOLDS_ELEMENTS("monitor", monitorHolds),
    VIR_FIELD_END,
};

static const virField nodeHolds[] = {
    VIR_HOLDS_UINT("@id"),
    VIR_HOLDS_UINT("@bandwidth"),
    VIR_FIELD_END,
};

static const virField memorytuneHolds[] = {
    VIR_HOLDS("@vcpus"),
    VIR_HOLDS("@id"),
    VIR_HOLDS_ELEMENTS("node", nodeHolds),
    VIR_HOLDS_ELEMENTS("monitor", monitorHolds),
    VIR_FIELD_END,
};

static const virField cputuneHolds[] = {
    VIR_HOLDS_ROWS(numberFields),
    VIR_HOLDS_ELEMENTS("vcpupin", vcpuPinHolds),
    VIR_HOLDS("emulatorpin@cpuset"),
    VIR_HOLDS_ELEMENTS("iothreadpin", iothreadPinHolds),
    VIR_HOLDS_ELEMENTS("vcpusched", schedHolds),
    VIR_HOLDS_ELEMENTS("iothreadsched", schedHolds),
    VIR_HOLDS_ELEMENTS("emulatorsched", schedHolds),
    VIR_HOLDS_ELEMENTS("cachetune", cachetuneHolds),
    VIR_HOLDS_ELEMENTS("memorytune", memorytuneHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("cputune", virDomainCputuneParse, virDomainCputuneFormat,
                   .clear = virDomainCputuneClear, .holds = cputuneHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainCputuneSection = {
    .name = "cputune",
    .offset = 0,
    .fields = fields,
};
