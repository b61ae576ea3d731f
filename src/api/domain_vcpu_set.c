/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_vcpu_set.c: changing how many virtual processors a domain has, or may have, and which. */
#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "qemu/guestvcpu.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_DOMAIN_VCPU_* */
enum { VCPU_MAXIMUM = 1 << 2, VCPU_GUEST = 1 << 3, VCPU_HOTPLUGGABLE = 1 << 4 };

typedef struct {
    unsigned count;
    bool hotpluggable;
} virApiVcpuChange;

/* --- the largest number --- */

static bool
virApiVcpuEditMax(virDomainDef *def, void *opaque, GError **error)
{
    const virApiVcpuChange *change = opaque;
    const virCPUDef *cpu = def->cpu.def;
    const uint64_t places =
        cpu ? (uint64_t)cpu->sockets * cpu->dies * cpu->cores * cpu->threads : 0;

    if (places && places != change->count)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("CPU topology doesn't match the desired vcpu count"));
    if (virDomainNumaCpuCount(&def->cpu.numa) > change->count)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("Number of CPUs in <numa> exceeds the desired maximum vcpu count"));
    g_array_set_size(def->vcpus.list, change->count);
    return true;
}

/* --- how many are on --- */

static bool
virApiVcpuEditCount(virDomainDef *def, void *opaque, GError **error)
{
    const virApiVcpuChange *change = opaque;

    virDomainVcpusStoreCount(&def->vcpus, change->count, change->hotpluggable);
    return true;
}

static bool
virApiVcpuFits(virDomainDoc *doc, unsigned count, bool live, GError **error)
{
    const unsigned max = doc ? virDomainVcpusMax(&virDomainDocDef(doc)->vcpus) : count;

    return count <= max ||
           virErrorSet(error, VIR_ERR_INVALID_ARG,
                       live ? _("requested vcpus is greater than max allowable vcpus for the live "
                                "domain: %u > %u")
                            : _("requested vcpus is greater than max allowable vcpus for the "
                                "persistent domain: %u > %u"),
                       count, max);
}

static bool
virApiVcpuSet(virApiCall *call, const remote_nonnull_domain *dom, unsigned count, unsigned flags,
              GError **error)
{
    virApiVcpuChange change = {count, (flags & VCPU_HOTPLUGGABLE) != 0};
    g_autoptr(virDomainObj) obj = NULL;
    bool isLive, isConfig;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(flags, VIR_API_TUNE_AFFECT | VCPU_MAXIMUM | VCPU_GUEST | VCPU_HOTPLUGGABLE,
                         error) ||
        !(obj = virApiDomain(call, dom, error)))
        return false;
    if (count == 0 || count > VIR_DOMAIN_VCPUS_MAX)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("argument out of range: %u"), count);
    VIR_API_JOB(obj, "set vcpus", error);
    if (!virDomainObjAffected(obj, flags & VIR_API_TUNE_AFFECT, &isLive, &isConfig, error))
        return false;
    if (flags & VCPU_GUEST)
        return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s",
                           _("QEMU guest agent is not configured"));
    if (flags & VCPU_MAXIMUM) {
        if (isLive)
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                               _("maximum vcpu count of a live domain can't be modified"));
        return qemuDriverEdit(virApiQemu(call), obj, false, true, virApiVcpuEditMax, &change,
                              error);
    }
    if (!virApiVcpuFits(isLive ? obj->live : NULL, count, true, error) ||
        !virApiVcpuFits(isConfig ? obj->config : NULL, count, false, error))
        return false;
    return (!isLive || qemuGuestSetVcpus(obj, count, error)) &&
           (!isConfig || qemuDriverEdit(virApiQemu(call), obj, false, true, virApiVcpuEditCount,
                                        &change, error));
}

bool
virApiDomainSetVcpus(virApiCall *call, const remote_domain_set_vcpus_args *args, GError **error)
{
    return virApiVcpuSet(call, &args->dom, args->nvcpus, VIR_DOMAIN_AFFECT_LIVE, error);
}

bool
virApiDomainSetVcpusFlags(virApiCall *call, const remote_domain_set_vcpus_flags_args *args,
                          GError **error)
{
    return virApiVcpuSet(call, &args->dom, args->nvcpus, args->flags, error);
}

/* --- which ones are on --- */

typedef struct {
    const virBitmap *set;
    bool online;
} virApiVcpuSwitch;

static bool
virApiVcpuEditSwitch(virDomainDef *def, void *opaque, GError **error)
{
    const virApiVcpuSwitch *change = opaque;

    virDomainVcpusStoreSwitch(&def->vcpus, change->set, change->online);
    return true;
}

/* A guest's fixed vCPUs are those with the lowest numbers. */
static bool
virApiVcpuCheckStored(const virDomainVcpus *vcpus, const virBitmap *set, GError **error)
{
    const long first = virBitmapNext(set, 0);

    if (first == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", _("vCPU '0' can't be modified"));
    for (guint i = (guint)first; i < virDomainVcpusMax(vcpus); i++) {
        if (!virBitmapHas(set, i) && virDomainVcpuIsFixed(virDomainVcpuAt(vcpus, i)))
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("vcpu '%ld' can't be modified as it is followed by "
                                 "non-hotpluggable online vcpus"),
                               first);
    }
    return true;
}

static bool
virApiVcpuPresent(virDomainDoc *doc, const virBitmap *set, bool live, GError **error)
{
    const long last = virBitmapLast(set);

    return last < (long)virDomainVcpusMax(&virDomainDocDef(doc)->vcpus) ||
           virErrorSet(error, VIR_ERR_INVALID_ARG,
                       live ? _("vcpu %ld is not present in live config")
                            : _("vcpu %ld is not present in persistent config"),
                       last);
}

bool
virApiDomainSetVcpu(virApiCall *call, const remote_domain_set_vcpu_args *args, GError **error)
{
    g_autoptr(virBitmap) set = NULL;
    g_autoptr(virDomainObj) obj = NULL;
    virApiVcpuSwitch change = {.online = args->state != 0};
    bool isLive, isConfig;

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error))
        return false;
    if (args->state != 0 && args->state != 1)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unsupported state value '%d'"),
                           args->state);
    set = virBitmapParse(args->cpumap, VIR_DOMAIN_VCPUS_MAX, NULL);
    if (!set)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("Failed to parse bitmap '%s'"),
                           args->cpumap);
    if (virBitmapIsEmpty(set))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("no vcpus selected for modification"));
    change.set = set;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set vcpu", error);
    if (!virDomainObjAffected(obj, args->flags, &isLive, &isConfig, error) ||
        (isConfig && !virApiVcpuPresent(obj->config, set, false, error)) ||
        (isLive && !virApiVcpuPresent(obj->live, set, true, error)) ||
        (isConfig && !virApiVcpuCheckStored(&virDomainDocDef(obj->config)->vcpus, set, error)))
        return false;
    return (!isLive || qemuGuestSwitchVcpus(obj, set, change.online, error)) &&
           (!isConfig || qemuDriverEdit(virApiQemu(call), obj, false, true, virApiVcpuEditSwitch,
                                        &change, error));
}
