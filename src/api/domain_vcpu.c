/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_vcpu.c: a domain's virtual processors: how many, what they do, where they may run.
 *
 * Counts are in the documents; what a running one has used and where it ran is asked of the kernel,
 * without the core lock. */
#include <sched.h>
#include <string.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "host/topology.h"
#include "qemu/agent.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virprocstat.h"

/* VIR_DOMAIN_VCPU_*, beside VIR_DOMAIN_AFFECT_* */
enum { VCPU_MAXIMUM = 1 << 2, VCPU_GUEST = 1 << 3 };
/* virVcpuState */
enum { VCPU_RUNNING = 1 };

/* --- how many --- */

bool
virApiDomainGetMaxVcpus(virApiCall *call, const remote_domain_get_max_vcpus_args *args,
                        remote_domain_get_max_vcpus_ret *ret, GError **error)
{
    const virDomainVcpus *vcpus;
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    vcpus = &virDomainObjDef(obj)->vcpus;
    /* of a running guest the maximum, of another what its next start would have */
    ret->num = (int32_t)virDomainVcpusMax(vcpus);
    return true;
}

/* What the guest's agent counts: all, or those that are on. */
static bool
virApiVcpusOfAgent(virDomainObj *obj, bool all, int32_t *ret, GError **error)
{
    g_autoptr(virJSON) list = NULL;

    if (!qemuAgentCommand(obj, "guest-get-vcpus", NULL, &list, error))
        return false;
    for (size_t i = 0; i < virJSONLength(list); i++)
        *ret += all || virJSONGetBool(virJSONAt(list, i), "online", false);
    return true;
}

bool
virApiDomainGetVcpusFlags(virApiCall *call, const remote_domain_get_vcpus_flags_args *args,
                          remote_domain_get_vcpus_flags_ret *ret, GError **error)
{
    const unsigned affect = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    g_autoptr(virDomainObj) obj = NULL;
    virDomainDoc *doc;
    const virDomainVcpus *vcpus;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, affect | VCPU_MAXIMUM | VCPU_GUEST, error) ||
        !(obj = virApiDomain(call, &args->dom, error)) ||
        !(doc = virApiDomainDoc(obj, args->flags & affect, error)))
        return false;
    if ((args->flags & VCPU_GUEST) && doc != obj->live)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("vCPU count provided by the guest agent can only be requested for "
                             "live domains"));
    if (args->flags & VCPU_GUEST)
        return virApiVcpusOfAgent(obj, args->flags & VCPU_MAXIMUM, &ret->num, error);
    vcpus = &virDomainDocDef(doc)->vcpus;
    ret->num = (int32_t)((args->flags & VCPU_MAXIMUM) ? virDomainVcpusMax(vcpus)
                                                      : virDomainVcpusOnline(vcpus));
    return true;
}

/* --- what they do --- */

/* Affinity of a thread as a map of maplen bytes; all zero if the thread is gone. */
static void
virApiVcpuAffinity(pid_t tid, uint8_t *map, size_t maplen)
{
    enum { SET_BYTES = VIR_BITMAP_MAX / 8 };
    g_autofree uint8_t *set = g_malloc0(SET_BYTES);

    if (sched_getaffinity(tid, SET_BYTES, (cpu_set_t *)set) == 0)
        memcpy(map, set, MIN(maplen, SET_BYTES));
}

static bool
virApiMapsFit(int32_t count, int32_t maplen, GError **error)
{
    if (count < 0 || maplen < 0 || count > REMOTE_VCPUINFO_MAX ||
        (int64_t)count * maplen > REMOTE_CPUMAPS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("maplen exceeds maximum size of a CPU map"));
    return true;
}

bool
virApiDomainGetVcpus(virApiCall *call, const remote_domain_get_vcpus_args *args,
                     remote_domain_get_vcpus_ret *ret, GError **error)
{
    g_autoptr(GArray) vcpus = NULL;
    pid_t pid;

    if (!virApiMapsFit(args->maxinfo, args->maplen, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)))
            return false;
        if (!virDomainObjIsActive(obj) || !qemuGuestOf(obj))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                               _("cannot retrieve vcpu information for inactive domain"));
        pid = qemuGuestOf(obj)->pid;
        vcpus = g_array_copy(qemuGuestOf(obj)->vcpus);
    }
    ret->info_len = MIN((uint32_t)args->maxinfo, vcpus->len);
    ret->info_val = virApiNew(call, remote_vcpu_info, ret->info_len);
    ret->cpumaps_len = args->maplen ? ret->info_len * (uint32_t)args->maplen : 0;
    ret->cpumaps_val = virApiNew(call, uint8_t, ret->cpumaps_len);
    for (uint32_t i = 0; i < ret->info_len; i++) {
        const qemuVcpu *vcpu = &g_array_index(vcpus, qemuVcpu, i);
        virProcStat usage;

        ret->info_val[i].number = (uint32_t)vcpu->index;
        ret->info_val[i].state = VCPU_RUNNING;
        if (virProcStatRead(pid, vcpu->tid, &usage)) {
            ret->info_val[i].cpu_time = usage.user_ns + usage.system_ns;
            ret->info_val[i].cpu = usage.cpu;
        }
        if (args->maplen)
            virApiVcpuAffinity(vcpu->tid, ret->cpumaps_val + (size_t)i * (size_t)args->maplen,
                               (size_t)args->maplen);
    }
    return true;
}

/* --- where they may run --- */

static void
virApiMapFill(const virBitmap *set, uint8_t *map, size_t maplen)
{
    virBitmapForEach(set, cpu)
    {
        if ((size_t)cpu / 8 < maplen)
            map[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
    }
}

/* What a thread without a pin of its own is bound to: the whole guest's set, or nothing. */
static const virBitmap *
virApiPinDefault(const virDomainDef *def, const virBitmap *host)
{
    return def->vcpus.cpuset ? def->vcpus.cpuset : host;
}

/* The document that a question about pins means; a reference. */
static virDomainDoc *
virApiPinDoc(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    virDomainDoc *doc;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)) || !(doc = virApiDomainDoc(obj, flags, error)))
        return NULL;
    return virDomainDocRef(doc);
}

bool
virApiDomainGetVcpuPinInfo(virApiCall *call, const remote_domain_get_vcpu_pin_info_args *args,
                           remote_domain_get_vcpu_pin_info_ret *ret, GError **error)
{
    const unsigned affect = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    g_autoptr(virBitmap) host = NULL;
    g_autoptr(virDomainDoc) doc = NULL;
    const virDomainDef *def;
    size_t maplen = (size_t)args->maplen;

    if (!virApiOnlyFlags(args->flags, affect, error) ||
        !virApiMapsFit(args->ncpumaps, args->maplen, error) ||
        !(doc = virApiPinDoc(call, &args->dom, args->flags, error)))
        return false;
    host = virHostTopologyPresent(VIR_HOST_SYSTEM);
    def = virDomainDocDef(doc);
    ret->num = MIN(args->ncpumaps, (int32_t)virDomainVcpusMax(&def->vcpus));
    ret->cpumaps_len = (uint32_t)ret->num * (uint32_t)args->maplen;
    ret->cpumaps_val = virApiNew(call, uint8_t, ret->cpumaps_len);
    for (unsigned i = 0; i < (unsigned)ret->num; i++) {
        const virBitmap *pin = virDomainVcpuAt(&def->vcpus, i)->pin;

        virApiMapFill(pin ? pin : virApiPinDefault(def, host), ret->cpumaps_val + i * maplen,
                      maplen);
    }
    return true;
}

bool
virApiDomainGetEmulatorPinInfo(virApiCall *call,
                               const remote_domain_get_emulator_pin_info_args *args,
                               remote_domain_get_emulator_pin_info_ret *ret, GError **error)
{
    const unsigned affect = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    g_autoptr(virBitmap) host = NULL;
    g_autoptr(virDomainDoc) doc = NULL;
    const virDomainDef *def;
    const virBitmap *pin;

    if (!virApiOnlyFlags(args->flags, affect, error) || !virApiMapsFit(1, args->maplen, error) ||
        !(doc = virApiPinDoc(call, &args->dom, args->flags, error)))
        return false;
    host = virHostTopologyPresent(VIR_HOST_SYSTEM);
    def = virDomainDocDef(doc);
    pin = def->tune.cpu.emulatorPin;
    ret->cpumaps_len = (uint32_t)args->maplen;
    ret->cpumaps_val = virApiNew(call, uint8_t, ret->cpumaps_len);
    virApiMapFill(pin ? pin : virApiPinDefault(def, host), ret->cpumaps_val, (size_t)args->maplen);
    ret->ret = 1;
    return true;
}
