/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_memory.c: how much memory a domain gets, and how often it tells what it does with it. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/guestmemory.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum {
    AFFECT = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
    MEM_MAXIMUM = 1 << 2, /* VIR_DOMAIN_MEM_MAXIMUM */
};

typedef bool (*virApiMemoryFunc)(qemuDriver *driver, virDomainObj *obj, uint64_t value, bool live,
                                 bool config, GError **error);

static bool
virApiMemory(virApiCall *call, const remote_nonnull_domain *dom, uint64_t value, unsigned affect,
             virApiMemoryFunc func, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    bool live, config;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, "set memory", error);
    return virDomainObjAffected(obj, affect, &live, &config, error) &&
           func(virApiQemu(call), obj, value, live, config, error);
}

static bool
virApiMemoryNotZero(uint64_t value, GError **error)
{
    return value != 0 || virErrorSetPlain(error, VIR_ERR_INVALID_ARG, "%s",
                                          _("memory in virDomainSetMemoryFlags must not be zero"));
}

bool
virApiDomainSetMemory(virApiCall *call, const remote_domain_set_memory_args *args, GError **error)
{
    return virApiMemoryNotZero(args->memory, error) &&
           virApiMemory(call, &args->dom, args->memory, VIR_DOMAIN_AFFECT_LIVE, qemuGuestMemorySet,
                        error);
}

bool
virApiDomainSetMemoryFlags(virApiCall *call, const remote_domain_set_memory_flags_args *args,
                           GError **error)
{
    return virApiOnlyFlags(args->flags, AFFECT | MEM_MAXIMUM, error) &&
           virApiMemoryNotZero(args->memory, error) &&
           virApiMemory(
               call, &args->dom, args->memory, args->flags & AFFECT,
               (args->flags & MEM_MAXIMUM) ? qemuGuestMemorySetMaximum : qemuGuestMemorySet, error);
}

bool
virApiDomainSetMaxMemory(virApiCall *call, const remote_domain_set_max_memory_args *args,
                         GError **error)
{
    return virApiMemoryNotZero(args->memory, error) &&
           virApiMemory(call, &args->dom, args->memory, VIR_DOMAIN_AFFECT_CURRENT,
                        qemuGuestMemorySetMaximum, error);
}

bool
virApiDomainSetMemoryStatsPeriod(virApiCall *call,
                                 const remote_domain_set_memory_stats_period_args *args,
                                 GError **error)
{
    if (args->period < 0)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("period in %s must be zero or greater"),
                                "virDomainSetMemoryStatsPeriod");
    return virApiOnlyFlags(args->flags, AFFECT, error) &&
           virApiMemory(call, &args->dom, (uint64_t)args->period, args->flags,
                        qemuGuestMemorySetPeriod, error);
}
