/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.c: <cpu> of a domain. */
#include "domain/cpu.h"

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

static bool
virDomainCPUParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainCPU *cpu = object;
    xmlNode *element = virXMLFirstChild(node, "cpu");

    if (!element)
        return true;
    if (!(cpu->def = virCPUDefParse(element, VIR_CPU_TYPE_GUEST, error)))
        return false;
    if (virCPUDefIsEmpty(cpu->def))
        g_clear_pointer(&cpu->def, virCPUDefFree); /* written as nothing, so read as nothing */
    return virDomainNumaParse(&cpu->numa, element, error);
}

static void
virDomainCPUFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainCPU *cpu = object;

    virCPUDefFormatOpen(w, cpu->def);
    virDomainNumaFormat(&cpu->numa, w);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainCPUClear(void *object)
{
    virDomainCPU *cpu = object;

    g_clear_pointer(&cpu->def, virCPUDefFree);
    virDomainNumaClear(&cpu->numa);
}

static bool
virDomainCPUSame(const void *a, const void *b, GError **error)
{
    const virDomainCPU *was = a;
    const virDomainCPU *is = b;

    return virCPUDefCheckABI(was->def, is->def, error) &&
           virDomainNumaSame(&was->numa, &is->numa, error);
}

static const virField featureHolds[] = {
    VIR_HOLDS_ENUM("@policy", virCPUFeaturePolicyNames),
    VIR_HOLDS("@name"),
    VIR_FIELD_END,
};

static const virField siblingHolds[] = {
    VIR_HOLDS_UINT("@id"),
    VIR_HOLDS_UINT("@value"),
    VIR_FIELD_END,
};

static const virField distancesHolds[] = {
    VIR_HOLDS_ELEMENTS("sibling", siblingHolds),
    VIR_FIELD_END,
};

static const virField numaCacheHolds[] = {
    VIR_HOLDS_UINT("@level"),     VIR_HOLDS("@associativity"),  VIR_HOLDS("@policy"),
    VIR_HOLDS_SIZE("size@value"), VIR_HOLDS_SIZE("line@value"), VIR_FIELD_END,
};

static const virField cellHolds[] = {
    VIR_HOLDS_UINT("@id"),
    VIR_HOLDS("@cpus"),
    VIR_HOLDS_SIZE("@memory"),
    VIR_HOLDS("@memAccess"),
    VIR_HOLDS_YESNO("@discard"),
    VIR_FIELD_CODE("distances", NULL, NULL, .holds = distancesHolds),
    VIR_HOLDS_ELEMENTS("cache", numaCacheHolds),
    VIR_FIELD_END,
};

static const virField interconnectHolds[] = {
    VIR_HOLDS_UINT("@initiator"),
    VIR_HOLDS_UINT("@target"),
    VIR_HOLDS_UINT("@cache"),
    VIR_HOLDS_UINT("@value"),
    VIR_HOLDS("@type"),
    VIR_HOLDS("@unit"),
    VIR_FIELD_END,
};

static const virField numaHolds[] = {
    VIR_HOLDS_ELEMENTS("cell", cellHolds),
    VIR_HOLDS_ELEMENTS("interconnects/latency", interconnectHolds),
    VIR_HOLDS_ELEMENTS("interconnects/bandwidth", interconnectHolds),
    VIR_FIELD_END,
};

static const virField cpuHolds[] = {
    VIR_HOLDS_ENUM("@mode", virCPUModeNames),
    VIR_HOLDS_ENUM("@match", virCPUMatchNames),
    VIR_HOLDS_ENUM("@check", virCPUCheckNames),
    VIR_HOLDS_ONOFF("@migratable"),
    VIR_HOLDS("arch"),
    VIR_HOLDS("model"),
    VIR_HOLDS("vendor"),
    VIR_HOLDS_ENUM("model@fallback", virCPUFallbackNames),
    VIR_HOLDS("model@vendor_id"),
    VIR_HOLDS_UINT("topology@sockets"),
    VIR_HOLDS_UINT("topology@dies"),
    VIR_HOLDS_UINT("topology@cores"),
    VIR_HOLDS_UINT("topology@threads"),
    VIR_HOLDS_UINT("cache@level"),
    VIR_HOLDS_ENUM("cache@mode", virCPUCacheModeNames),
    VIR_HOLDS_ENUM("maxphysaddr@mode", virCPUMaxPhysAddrModeNames),
    VIR_HOLDS_UINT("maxphysaddr@bits"),
    VIR_HOLDS_ELEMENTS("feature", featureHolds),
    VIR_FIELD_CODE("numa", NULL, NULL, .holds = numaHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("cpu", virDomainCPUParse, virDomainCPUFormat, .clear = virDomainCPUClear,
                   .same = virDomainCPUSame, .holds = cpuHolds),
    VIR_FIELD_END,
};

static bool
virDomainCPUComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virCPUDef *cpu = def->cpu.def;

    if (!cpu || cpu->mode != VIR_CPU_MODE_CUSTOM || cpu->model)
        return true;
    if (cpu->check == VIR_CPU_CHECK_PARTIAL || cpu->check == VIR_CPU_CHECK_FULL)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("check attribute '%s' requires model to be specified"),
                           virCPUCheckToString(cpu->check));
    cpu->check = VIR_CPU_CHECK_DEFAULT; /* there is nothing to be checked */
    return true;
}

static bool
virDomainCPUCheckNuma(const virDomainDef *def, GError **error)
{
    unsigned max = virDomainVcpusMax(&def->vcpus);

    if (virDomainNumaCpuMax(&def->cpu.numa) >= (long)max)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("CPU IDs in <numa> exceed the <vcpu> count"));
    return true;
}

const virDomainSection virDomainCPUSection = {
    .name = "cpu",
    .offset = offsetof(virDomainDef, cpu),
    .fields = fields,
    .complete = virDomainCPUComplete,
    .check = virDomainCPUCheckNuma,
};
