/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * checkcpu.c: processor, vCPUs, topology. */
#include <string.h>

#include "qemu/check.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

static bool
qemuCheckHostCPU(const virDomainDef *def, const virCPUDef *cpu, GError **error)
{
    const char *mode = virCPUModeToString((int)cpu->mode);

    if (cpu->mode == VIR_CPU_MODE_HOST_PASSTHROUGH && def->virtType != VIR_DOMAIN_VIRT_KVM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("CPU mode '%s' for %s %s domain on %s host is not supported by "
                             "hypervisor"),
                           mode, def->os.arch, virDomainVirtTypeToString(def->virtType), "x86_64");
    return true;
}

static bool
qemuCheckCPUCache(const virCPUDef *cpu, const qmpCaps *caps, GError **error)
{
    const char *mode = virCPUCacheModeToString((int)cpu->cache);

    if (cpu->cache == VIR_CPU_CACHE_ABSENT)
        return true;
    switch (cpu->cache) {
    case VIR_CPU_CACHE_EMULATE:
        if (cpu->cacheLevel != 3)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("CPU cache mode '%s' can only be used with level='3'"), mode);
        break;
    case VIR_CPU_CACHE_PASSTHROUGH:
        if (cpu->mode != VIR_CPU_MODE_HOST_PASSTHROUGH && cpu->mode != VIR_CPU_MODE_MAXIMUM)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("CPU cache mode '%s' can only be used with '%s' / '%s' CPUs"),
                               mode, "host-passthrough", "maximum");
        if (cpu->cacheLevel != -1)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("unsupported CPU cache level for mode '%s'"), mode);
        break;
    case VIR_CPU_CACHE_DISABLE:
        if (cpu->cacheLevel != -1)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("unsupported CPU cache level for mode '%s'"), mode);
        break;
    default:
        break;
    }
    return true;
}

static bool
qemuCheckCPUModel(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virCPUDef *cpu = def->cpu.def;

    if (!cpu)
        return true;
    if (cpu->mode == VIR_CPU_MODE_MAXIMUM && !qmpCapsHas(caps, QMP_CAPS_CPU_MAX) &&
        def->virtType != VIR_DOMAIN_VIRT_KVM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("CPU mode 'maximum' is not supported by hypervisor"));
    if (cpu->migratable != VIR_TRISTATE_ABSENT && !qmpCapsHas(caps, QMP_CAPS_CPU_MIGRATABLE) &&
        cpu->migratable != VIR_TRISTATE_NO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Migratable attribute for host-passthrough CPU is not supported by "
                             "QEMU binary"));
    return qemuCheckHostCPU(def, cpu, error) && qemuCheckCPUCache(cpu, caps, error);
}

/* --- vCPUs --- */

static bool
qemuCheckVcpuOrder(const virDomainDef *def, GError **error)
{
    const virDomainVcpu *first = virDomainVcpuAt(&def->vcpus, 0);
    bool fixedMayFollow = true;

    if (!first->online)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", _("vcpu 0 can't be offline"));
    if (first->hotpluggable == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vcpu0 can't be hotpluggable"));
    if (first->order > 1)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vcpu0 must be enabled first"));
    for (guint i = 1; i < virDomainVcpusMax(&def->vcpus); i++) {
        const virDomainVcpu *vcpu = virDomainVcpuAt(&def->vcpus, i);
        bool fixed = virDomainVcpuIsFixed(vcpu);

        if (fixed && !fixedMayFollow)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("online non-hotpluggable vcpus need to be ordered prior to "
                                 "hotplugable vcpus"));
        fixedMayFollow = fixed;
    }
    return true;
}

static bool
qemuCheckVcpuCount(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                   GError **error)
{
    const qmpMachine *machine = qmpCapsMachine(caps, qemuDomainAccel(def), def->os.machine);
    unsigned max = virDomainVcpusMax(&def->vcpus);

    if (machine && machine->maxCpus && max > machine->maxCpus)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Maximum CPUs greater than specified machine type limit %u"),
                           machine->maxCpus);
    if (max > 255 && facts->i440fx)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("more than 255 vCPUs are only supported on q35-based machine "
                             "types"));
    return true;
}

/* A binary that plugs vCPUs knows how they lie in sockets and takes it literally. */
static bool
qemuCheckTopology(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virCPUDef *cpu = def->cpu.def;
    uint64_t places = cpu ? (uint64_t)cpu->sockets * cpu->dies * cpu->cores * cpu->threads : 0;

    if (places && places != virDomainVcpusMax(&def->vcpus) &&
        qmpCapsHas(caps, QMP_CAPS_QUERY_HOTPLUGGABLE_CPUS))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("CPU topology doesn't match maximum vcpu count"));
    return true;
}

bool
qemuCheckCPU(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
             GError **error)
{
    return qemuCheckVcpuCount(def, facts, caps, error) && qemuCheckVcpuOrder(def, error) &&
           qemuCheckTopology(def, caps, error) && qemuCheckCPUModel(def, caps, error);
}
