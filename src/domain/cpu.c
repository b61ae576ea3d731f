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

static const virField fields[] = {
    VIR_FIELD_CODE("cpu", virDomainCPUParse, virDomainCPUFormat, .clear = virDomainCPUClear,
                   .same = virDomainCPUSame),
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
