/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_pin.c: where a domain's vCPUs and its emulator may run. (I/O threads: domain_iothread.c.)
 */
#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

typedef struct {
    unsigned vcpu;
    virBitmap *cpus;
    virJSON *iothreads; /* the answer to query-iothreads, for the emulator; NULL: none */
} virApiPinChange;

static bool
virApiPinNotEmpty(const virBitmap *cpus, GError **error)
{
    return !virBitmapIsEmpty(cpus) ||
           virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", _("Empty cpu list for pinning"));
}

static void
virApiPinReplace(virBitmap **pin, const virBitmap *cpus)
{
    virBitmapFree(*pin);
    *pin = virBitmapCopy(cpus);
}

/* --- a vCPU --- */

static bool
virApiPinVcpuCheck(const virDomainDef *def, bool live, void *opaque, GError **error)
{
    const virApiPinChange *change = opaque;
    const unsigned max = virDomainVcpusMax(&def->vcpus);

    if (change->vcpu < max)
        return true;
    if (live)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("vcpu %d is out of range of live cpu count %d"), (int)change->vcpu,
                           (int)max);
    return virErrorSet(error, VIR_ERR_INVALID_ARG,
                       _("vcpu %d is out of range of persistent cpu count %d"), (int)change->vcpu,
                       (int)max);
}

static bool
virApiPinVcpuApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiPinChange *change = opaque;
    const virCgroupPart part = {VIR_CGROUP_PART_VCPU, change->vcpu};

    for (guint i = 0; i < tune->guest->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(tune->guest->vcpus, qemuVcpu, i);

        if ((unsigned)vcpu->index == change->vcpu)
            return qemuTunePin(tune, &part, &vcpu->tid, 1, change->cpus, error);
    }
    return true; /* not plugged: the pin holds once it is */
}

static bool
virApiPinVcpuEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiPinChange *change = opaque;

    virApiPinReplace(&virDomainVcpuAt(&def->vcpus, change->vcpu)->pin, change->cpus);
    return true;
}

static void
virApiPinVcpuTell(const void *opaque, virApiParams *params)
{
    const virApiPinChange *change = opaque;
    g_autofree char *cpus = virBitmapFormat(change->cpus);

    virApiParamsString(params, cpus, "cputune.vcpupin%u", change->vcpu);
}

static bool
virApiPinVcpu(virApiCall *call, const remote_nonnull_domain *dom, unsigned vcpu, const uint8_t *map,
              uint32_t len, unsigned flags, GError **error)
{
    g_autoptr(virBitmap) cpus = virApiMapRead(map, len);
    virApiPinChange change = {.vcpu = vcpu, .cpus = cpus};
    static const virApiTuneChange how = {
        .job = "pin vcpu",
        .check = virApiPinVcpuCheck,
        .apply = virApiPinVcpuApply,
        .edit = virApiPinVcpuEdit,
        .tell = virApiPinVcpuTell,
    };

    return virApiOnlyFlags(flags, VIR_API_TUNE_AFFECT, error) && virApiPinNotEmpty(cpus, error) &&
           virApiTuneRun(call, dom, flags, &how, &change, error);
}

bool
virApiDomainPinVcpu(virApiCall *call, const remote_domain_pin_vcpu_args *args, GError **error)
{
    return virApiPinVcpu(call, &args->dom, args->vcpu, args->cpumap_val, args->cpumap_len,
                         VIR_DOMAIN_AFFECT_LIVE, error);
}

bool
virApiDomainPinVcpuFlags(virApiCall *call, const remote_domain_pin_vcpu_flags_args *args,
                         GError **error)
{
    return virApiPinVcpu(call, &args->dom, args->vcpu, args->cpumap_val, args->cpumap_len,
                         args->flags, error);
}

/* --- the emulator --- */

static bool
virApiPinEmulatorApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiPinChange *change = opaque;
    g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(pid_t));

    for (guint i = 0; i < tune->guest->vcpus->len; i++)
        g_array_append_val(others, g_array_index(tune->guest->vcpus, qemuVcpu, i).tid);
    for (guint i = 0; i < virDomainIOThreadCount(&live->iothreads); i++) {
        pid_t tid =
            qemuIOThreadTid(change->iothreads, virDomainIOThreadAt(&live->iothreads, i)->id);

        g_array_append_val(others, tid);
    }
    return qemuTunePinEmulator(tune, others, change->cpus, error);
}

static bool
virApiPinEmulatorEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiPinChange *change = opaque;

    virApiPinReplace(&def->tune.cpu.emulatorPin, change->cpus);
    return true;
}

static void
virApiPinEmulatorTell(const void *opaque, virApiParams *params)
{
    const virApiPinChange *change = opaque;
    g_autofree char *cpus = virBitmapFormat(change->cpus);

    virApiParamsString(params, cpus, "cputune.emulatorpin");
}

bool
virApiDomainPinEmulator(virApiCall *call, const remote_domain_pin_emulator_args *args,
                        GError **error)
{
    g_autoptr(virBitmap) cpus = virApiMapRead(args->cpumap_val, args->cpumap_len);
    g_autoptr(virJSON) iothreads = NULL;
    virApiPinChange change = {.cpus = cpus};
    static const virApiTuneChange how = {
        .job = "pin emulator",
        .apply = virApiPinEmulatorApply,
        .edit = virApiPinEmulatorEdit,
        .tell = virApiPinEmulatorTell,
    };

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiPinNotEmpty(cpus, error) ||
        !virApiIOThreadsAsk(call, &args->dom, args->flags, &iothreads, error))
        return false;
    change.iothreads = iothreads;
    return virApiTuneRun(call, &args->dom, args->flags, &how, &change, error);
}
