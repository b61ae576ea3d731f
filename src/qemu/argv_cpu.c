/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_cpu.c: -cpu: model, features, hints of hypervisors, timers that are CPU features. */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "util/cpu/vircpumap.h"
#include "util/virerror.h"

static void
qemuCPUAdd(GString *text, const char *name, bool on)
{
    g_string_append_printf(text, ",%s=%s", name, on ? "on" : "off");
}

static void
qemuCPUAddFeature(GString *text, const virCPUFeature *feature)
{
    bool on =
        feature->policy == VIR_CPU_FEATURE_FORCE || feature->policy == VIR_CPU_FEATURE_REQUIRE;

    /* the guest's kernel sets these two, not the machine */
    if (feature->policy != VIR_CPU_FEATURE_OPTIONAL && !g_str_equal(feature->name, "osxsave") &&
        !g_str_equal(feature->name, "ospke"))
        qemuCPUAdd(text, virCPUMapQemuName(feature->name), on);
}

static bool
qemuCPUModel(const virDomainDef *def, const qemuBuildContext *ctx, GString *text, GError **error)
{
    const virCPUDef *cpu = def->cpu.def;

    if (!cpu || (cpu->mode == VIR_CPU_MODE_CUSTOM && !cpu->model))
        return true;
    switch (cpu->mode) {
    case VIR_CPU_MODE_HOST_PASSTHROUGH:
        g_string_append(text, "host");
        break;
    case VIR_CPU_MODE_MAXIMUM:
        g_string_append(text, "max");
        break;
    case VIR_CPU_MODE_HOST_MODEL:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("CPU mode 'host-model' was not resolved for this domain: this host's "
                             "model is not known to the QEMU binary"));
    default:
        g_string_append(text, cpu->model);
    }
    if (cpu->vendorId)
        g_string_append_printf(text, ",vendor=%s", cpu->vendorId);
    if (cpu->migratable != VIR_TRISTATE_ABSENT && qmpCapsHas(ctx->caps, QMP_CAPS_CPU_MIGRATABLE))
        qemuCPUAdd(text, "migratable", cpu->migratable == VIR_TRISTATE_YES);
    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++)
        qemuCPUAddFeature(text, virCPUDefFeatureAt(cpu, i));
    return true;
}

static void
qemuCPUTimers(const virDomainDef *def, GString *text)
{
    for (guint i = 0; def->clock.timers && i < def->clock.timers->len; i++) {
        const virDomainTimer *timer = g_ptr_array_index(def->clock.timers, i);

        if (timer->name == VIR_TIMER_KVMCLOCK && timer->present != VIR_TRISTATE_ABSENT)
            qemuCPUAdd(text, "kvmclock", timer->present == VIR_TRISTATE_YES);
        else if (timer->name == VIR_TIMER_HYPERVCLOCK && timer->present == VIR_TRISTATE_YES)
            g_string_append(text, ",hv-time=on");
        else if (timer->name == VIR_TIMER_TSC && timer->frequency.set)
            g_string_append_printf(text, ",tsc-frequency=%" PRIu64, timer->frequency.value);
    }
}

static void
qemuCPUHyperv(const virDomainFeatures *features, GString *text)
{
    static const char *const names[] = {
        [VIR_DOMAIN_HYPERV_RELAXED] = "hv-relaxed",
        [VIR_DOMAIN_HYPERV_VAPIC] = "hv-vapic",
        [VIR_DOMAIN_HYPERV_VPINDEX] = "hv-vpindex",
        [VIR_DOMAIN_HYPERV_RUNTIME] = "hv-runtime",
        [VIR_DOMAIN_HYPERV_SYNIC] = "hv-synic",
        [VIR_DOMAIN_HYPERV_STIMER] = "hv-stimer",
        [VIR_DOMAIN_HYPERV_RESET] = "hv-reset",
        [VIR_DOMAIN_HYPERV_FREQUENCIES] = "hv-frequencies",
        [VIR_DOMAIN_HYPERV_REENLIGHTENMENT] = "hv-reenlightenment",
        [VIR_DOMAIN_HYPERV_TLBFLUSH] = "hv-tlbflush",
        [VIR_DOMAIN_HYPERV_IPI] = "hv-ipi",
        [VIR_DOMAIN_HYPERV_EVMCS] = "hv-evmcs",
        [VIR_DOMAIN_HYPERV_AVIC] = "hv-avic",
    };

    if (features->on[VIR_DOMAIN_FEATURE_HYPERV] != VIR_TRISTATE_YES)
        return;
    if (features->hypervMode == VIR_DOMAIN_HYPERV_MODE_PASSTHROUGH) {
        g_string_append(text, ",hv-passthrough=on");
        return;
    }
    for (int i = 0; i < VIR_DOMAIN_HYPERV_LAST; i++) {
        if (features->hyperv[i] != VIR_TRISTATE_YES)
            continue;
        if (i == VIR_DOMAIN_HYPERV_SPINLOCKS)
            g_string_append_printf(text, ",hv-spinlocks=0x%x", features->hypervSpinlocks);
        else if (i == VIR_DOMAIN_HYPERV_VENDOR_ID)
            g_string_append_printf(text, ",hv-vendor-id=%s", features->hypervVendorId);
        else
            g_string_append_printf(text, ",%s=on", names[i]);
        if (i == VIR_DOMAIN_HYPERV_STIMER && features->hypervStimerDirect == VIR_TRISTATE_YES)
            g_string_append(text, ",hv-stimer-direct=on");
    }
}

static bool
qemuCPUHasHypervPanic(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind->isHypervPanic && dev->kind->isHypervPanic(dev))
            return true;
    }
    return false;
}

static void
qemuCPUKvm(const virDomainFeatures *features, GString *text)
{
    static const struct {
        virDomainKVM feature;
        virTristate state; /* that needs a word */
        const char *text;
    } rows[] = {
        {VIR_DOMAIN_KVM_HIDDEN, VIR_TRISTATE_YES, ",kvm=off"},
        {VIR_DOMAIN_KVM_DEDICATED, VIR_TRISTATE_YES, ",kvm-hint-dedicated=on"},
        {VIR_DOMAIN_KVM_POLL_CONTROL, VIR_TRISTATE_YES, ",kvm-poll-control=on"},
        {VIR_DOMAIN_KVM_PV_IPI, VIR_TRISTATE_NO, ",kvm-pv-ipi=off"},
    };

    if (features->on[VIR_DOMAIN_FEATURE_KVM] != VIR_TRISTATE_YES)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (features->kvm[rows[i].feature] == rows[i].state)
            g_string_append(text, rows[i].text);
    }
}

/* Whether the guest sees a shared cache of its own, the host's, or none. */
static void
qemuCPUCache(const virCPUDef *cpu, const qemuBuildContext *ctx, GString *text)
{
    bool host =
        cpu && (cpu->mode == VIR_CPU_MODE_HOST_PASSTHROUGH || cpu->mode == VIR_CPU_MODE_MAXIMUM);
    bool emulate = false;
    bool passthrough = false;

    if (!cpu || cpu->cache == VIR_CPU_CACHE_ABSENT || !qmpCapsHas(ctx->caps, QMP_CAPS_CPU_CACHE))
        return;
    emulate = cpu->cache == VIR_CPU_CACHE_EMULATE;
    passthrough = cpu->cache == VIR_CPU_CACHE_PASSTHROUGH;
    if (host && (emulate || passthrough)) {
        if (emulate)
            g_string_append(text, ",l3-cache=on,host-cache-info=off");
        else
            g_string_append(text, ",host-cache-info=on");
    } else if (host) {
        g_string_append(text, ",host-cache-info=off,l3-cache=off");
    } else {
        qemuCPUAdd(text, "l3-cache", emulate);
    }
}

static void
qemuCPUMaxPhysAddr(const virCPUDef *cpu, GString *text)
{
    if (!cpu)
        return;
    if (cpu->maxPhysAddr == VIR_CPU_MAXPHYSADDR_PASSTHROUGH)
        g_string_append(text, ",host-phys-bits=on");
    else if (cpu->maxPhysAddr == VIR_CPU_MAXPHYSADDR_EMULATE && cpu->maxPhysAddrBits > 0)
        g_string_append_printf(text, ",phys-bits=%d", cpu->maxPhysAddrBits);
}

/* A binary of 64 bits gives a guest of 32 bits a CPU of its own size only if it is told. */
static bool
qemuCPUMustBeNamed(const virDomainDef *def)
{
    return g_str_equal(def->os.arch, "i686") &&
           (strstr(def->emulator, "x86_64") || strstr(def->emulator, "kvm"));
}

/* The model, or what QEMU takes by itself where features need one in front of them; nothing if QEMU
 * needs no word at all. */
static void
qemuCPUAddArgument(const virDomainDef *def, const char *model, const char *rest, qmpPlan *plan)
{
    const char *standard = g_str_equal(def->os.arch, "i686") ? "qemu32" : "qemu64";

    if (*model || *rest || qemuCPUMustBeNamed(def))
        qmpPlanArgF(plan, "-cpu", "%s%s", *model ? model : standard, rest);
}

bool
qemuArgvCPU(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virTristate *on = def->features.on;
    g_autoptr(GString) model = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!qemuCPUModel(def, ctx, model, error))
        return false;
    qemuCPUTimers(def, text);
    if (def->features.apicEOI != VIR_TRISTATE_ABSENT)
        qemuCPUAdd(text, "kvm-pv-eoi", def->features.apicEOI == VIR_TRISTATE_YES);
    if (on[VIR_DOMAIN_FEATURE_PVSPINLOCK] != VIR_TRISTATE_ABSENT)
        qemuCPUAdd(text, "kvm-pv-unhalt", on[VIR_DOMAIN_FEATURE_PVSPINLOCK] == VIR_TRISTATE_YES);
    qemuCPUHyperv(&def->features, text);
    if (qemuCPUHasHypervPanic(def))
        g_string_append(text, ",hv-crash");
    qemuCPUKvm(&def->features, text);
    if (on[VIR_DOMAIN_FEATURE_PMU] != VIR_TRISTATE_ABSENT)
        qemuCPUAdd(text, "pmu", on[VIR_DOMAIN_FEATURE_PMU] == VIR_TRISTATE_YES);
    qemuCPUCache(def->cpu.def, ctx, text);
    qemuCPUMaxPhysAddr(def->cpu.def, text);
    qemuCPUAddArgument(def, model->str, text->str, plan);
    return true;
}

bool
qemuArgvSMP(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    unsigned max = virDomainVcpusMax(&def->vcpus);
    unsigned online = virDomainVcpusOnline(&def->vcpus);
    const virCPUDef *cpu = def->cpu.def;
    g_autoptr(GString) text = g_string_new(NULL);
    bool topology = cpu && cpu->sockets > 0;

    g_string_append_printf(text, "%u", online);
    if (max != online)
        g_string_append_printf(text, ",maxcpus=%u", max);
    if (topology && cpu->dies > 1 && !qmpCapsHas(ctx->caps, QMP_CAPS_SMP_DIES))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Only 1 die per socket is supported"));
    g_string_append_printf(text, ",sockets=%u", topology ? cpu->sockets : max);
    if (topology && qmpCapsHas(ctx->caps, QMP_CAPS_SMP_DIES))
        g_string_append_printf(text, ",dies=%u", cpu->dies);
    g_string_append_printf(text, ",cores=%u,threads=%u", topology ? cpu->cores : 1,
                           topology ? cpu->threads : 1);
    qmpPlanArg(plan, "-smp", text->str);
    return true;
}
