/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_cpu.c: -cpu and -smp. */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "util/cpu/vircpumap.h"
#include "util/virerror.h"

/* --- model and features --- */

/* QEMU spells names with dashes. */
static void
qemuArgvCPUFeature(GString *opt, const char *name, bool on)
{
    gsize from = opt->len;

    g_string_append_printf(opt, ",%s=%s", name, on ? "on" : "off");
    for (gsize i = from; i < opt->len; i++) {
        if (opt->str[i] == '_')
            opt->str[i] = '-';
    }
}

static void
qemuArgvCPUModelFeature(const virCPUFeature *feature, GString *opt)
{
    bool on =
        feature->policy == VIR_CPU_FEATURE_FORCE || feature->policy == VIR_CPU_FEATURE_REQUIRE;

    /* the guest's kernel sets these two, not the machine */
    if (feature->policy != VIR_CPU_FEATURE_OPTIONAL && !g_str_equal(feature->name, "osxsave") &&
        !g_str_equal(feature->name, "ospke"))
        qemuArgvCPUFeature(opt, virCPUMapQemuName(feature->name), on);
}

static bool
qemuArgvCPUModel(const virCPUDef *cpu, const qemuBuildContext *ctx, GString *opt, GError **error)
{
    switch (cpu->mode) {
    case VIR_CPU_MODE_HOST_PASSTHROUGH:
    case VIR_CPU_MODE_MAXIMUM:
        g_string_append(opt, cpu->mode == VIR_CPU_MODE_MAXIMUM ? "max" : "host");
        if (cpu->migratable != VIR_TRISTATE_ABSENT &&
            qmpCapsHas(ctx->caps, QMP_CAPS_CPU_MIGRATABLE))
            g_string_append_printf(opt, ",migratable=%s",
                                   cpu->migratable == VIR_TRISTATE_YES ? "on" : "off");
        break;
    case VIR_CPU_MODE_HOST_MODEL:
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unexpected CPU mode '%s'"),
                           virCPUModeToString((int)cpu->mode));
    default:
        g_string_append(opt, cpu->model);
    }
    if (cpu->vendorId)
        g_string_append_printf(opt, ",vendor=%s", cpu->vendorId);
    for (size_t i = 0; i < virCPUDefFeatureCount(cpu); i++)
        qemuArgvCPUModelFeature(virCPUDefFeatureAt(cpu, i), opt);
    return true;
}

static void
qemuArgvCPUTimers(const virDomainDef *def, GString *opt)
{
    for (guint i = 0; i < def->clock.timers->len; i++) {
        const virDomainTimer *timer = g_ptr_array_index(def->clock.timers, i);

        if (timer->name == VIR_TIMER_KVMCLOCK && timer->present != VIR_TRISTATE_ABSENT)
            qemuArgvCPUFeature(opt, "kvmclock", timer->present == VIR_TRISTATE_YES);
        else if (timer->name == VIR_TIMER_HYPERVCLOCK && timer->present == VIR_TRISTATE_YES)
            qemuArgvCPUFeature(opt, "hv-time", true);
        else if (timer->name == VIR_TIMER_TSC && timer->frequency.value)
            g_string_append_printf(opt, ",tsc-frequency=%" PRIu64, timer->frequency.value);
    }
}

static void
qemuArgvCPUTristate(GString *opt, const char *name, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        qemuArgvCPUFeature(opt, name, value == VIR_TRISTATE_YES);
}

static void
qemuArgvCPUHyperv(const virDomainFeatures *features, GString *opt)
{
    if (features->on[VIR_DOMAIN_FEATURE_HYPERV] != VIR_TRISTATE_YES)
        return;
    if (features->hypervMode == VIR_DOMAIN_HYPERV_MODE_PASSTHROUGH) {
        g_string_append(opt, ",hv-passthrough=on");
        return;
    }
    for (int i = 0; i < VIR_DOMAIN_HYPERV_LAST; i++) {
        g_autofree char *name = g_strdup_printf("hv-%s", virDomainHypervToString(i));

        if (features->hyperv[i] != VIR_TRISTATE_YES)
            continue;
        if (i == VIR_DOMAIN_HYPERV_SPINLOCKS)
            g_string_append_printf(opt, ",hv-spinlocks=0x%x", features->hypervSpinlocks);
        else if (i == VIR_DOMAIN_HYPERV_VENDOR_ID)
            g_string_append_printf(opt, ",hv-vendor-id=%s", features->hypervVendorId);
        else
            qemuArgvCPUFeature(opt, name, true);
        if (i == VIR_DOMAIN_HYPERV_STIMER && features->hypervStimerDirect == VIR_TRISTATE_YES)
            qemuArgvCPUFeature(opt, "hv-stimer-direct", true);
    }
}

static void
qemuArgvCPUKVM(const virDomainFeatures *features, GString *opt)
{
    if (features->on[VIR_DOMAIN_FEATURE_KVM] != VIR_TRISTATE_YES)
        return;
    if (features->kvm[VIR_DOMAIN_KVM_HIDDEN] == VIR_TRISTATE_YES)
        qemuArgvCPUFeature(opt, "kvm", false);
    if (features->kvm[VIR_DOMAIN_KVM_DEDICATED] == VIR_TRISTATE_YES)
        qemuArgvCPUFeature(opt, "kvm-hint-dedicated", true);
    if (features->kvm[VIR_DOMAIN_KVM_POLL_CONTROL] == VIR_TRISTATE_YES)
        qemuArgvCPUFeature(opt, "kvm-poll-control", true);
    if (features->kvm[VIR_DOMAIN_KVM_PV_IPI] == VIR_TRISTATE_NO)
        qemuArgvCPUFeature(opt, "kvm-pv-ipi", false);
}

/* A cache is shown as the host's, as one of our making, or not at all. */
static void
qemuArgvCPUCache(const virCPUDef *cpu, GString *opt)
{
    bool hostOff = false;
    bool l3Off = false;

    switch (cpu->cache) {
    case VIR_CPU_CACHE_EMULATE:
        g_string_append(opt, ",l3-cache=on");
        hostOff = true;
        break;
    case VIR_CPU_CACHE_PASSTHROUGH:
        g_string_append(opt, ",host-cache-info=on");
        l3Off = true;
        break;
    case VIR_CPU_CACHE_DISABLE:
        hostOff = l3Off = true;
        break;
    default:
        break;
    }
    if (hostOff &&
        (cpu->mode == VIR_CPU_MODE_HOST_PASSTHROUGH || cpu->mode == VIR_CPU_MODE_MAXIMUM))
        g_string_append(opt, ",host-cache-info=off");
    if (l3Off)
        g_string_append(opt, ",l3-cache=off");
}

static void
qemuArgvCPUAddressBits(const virCPUDef *cpu, GString *opt)
{
    if (cpu->maxPhysAddr == VIR_CPU_MAXPHYSADDR_PASSTHROUGH)
        g_string_append(opt, ",host-phys-bits=on");
    else if (cpu->maxPhysAddr == VIR_CPU_MAXPHYSADDR_EMULATE && cpu->maxPhysAddrBits > 0)
        g_string_append_printf(opt, ",phys-bits=%d", cpu->maxPhysAddrBits);
}

static bool
qemuArgvHasHypervPanic(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind->isHypervPanic && dev->kind->isHypervPanic(dev))
            return true;
    }
    return false;
}

/* What the whole document adds to any model. */
static void
qemuArgvCPUExtras(const virDomainDef *def, GString *opt)
{
    const virDomainFeatures *features = &def->features;

    qemuArgvCPUTimers(def, opt);
    qemuArgvCPUTristate(opt, "kvm-pv-eoi", features->apicEOI);
    qemuArgvCPUTristate(opt, "kvm-pv-unhalt", features->on[VIR_DOMAIN_FEATURE_PVSPINLOCK]);
    qemuArgvCPUHyperv(features, opt);
    if (qemuArgvHasHypervPanic(def))
        g_string_append(opt, ",hv-crash");
    qemuArgvCPUKVM(features, opt);
    qemuArgvCPUTristate(opt, "pmu", features->on[VIR_DOMAIN_FEATURE_PMU]);
    if (def->cpu.def) {
        qemuArgvCPUCache(def->cpu.def, opt);
        qemuArgvCPUAddressBits(def->cpu.def, opt);
    }
}

/* The model that a 32-bit guest needs of a 64-bit binary, and that any guest gets if only features
 * are asked for. */
static const char *
qemuArgvCPUFallback(const virDomainDef *def, bool *retNeeded)
{
    bool wide = strstr(def->emulator, "kvm") || strstr(def->emulator, "x86_64");

    *retNeeded = false;
    if (!g_str_equal(def->os.arch, "i686"))
        return "qemu64";
    *retNeeded = wide;
    return "qemu32";
}

bool
qemuArgvCPU(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virCPUDef *cpu = def->cpu.def;
    g_autoptr(GString) opt = g_string_new(NULL);
    g_autoptr(GString) extras = g_string_new(NULL);
    bool needed = true;

    qemuArgvCPUExtras(def, extras);
    if (cpu && (cpu->mode != VIR_CPU_MODE_CUSTOM || cpu->model)) {
        if (!qemuArgvCPUModel(cpu, ctx, opt, error))
            return false;
    } else {
        g_string_append(opt, qemuArgvCPUFallback(def, &needed));
        needed |= extras->len > 0;
    }
    if (!needed)
        return true;
    g_string_append(opt, extras->str);
    qmpPlanArg(plan, "-cpu", opt->str);
    return true;
}

/* --- how many --- */

/* vCPUs that can be unplugged are plugged in once QEMU runs. */
static unsigned
qemuArgvBootVcpus(const virDomainDef *def)
{
    unsigned count = 0;

    for (guint i = 0; i < virDomainVcpusMax(&def->vcpus); i++) {
        count += virDomainVcpuIsFixed(virDomainVcpuAt(&def->vcpus, i));
    }
    return count;
}

bool
qemuArgvSMP(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virCPUDef *cpu = def->cpu.def;
    unsigned max = virDomainVcpusMax(&def->vcpus);
    unsigned boot = qemuArgvBootVcpus(def);
    g_autoptr(GString) opt = g_string_new(NULL);

    g_string_append_printf(opt, "%u", boot);
    if (boot != max)
        g_string_append_printf(opt, ",maxcpus=%u", max);
    if (cpu && cpu->sockets) {
        bool dies = qmpCapsHas(ctx->caps, QMP_CAPS_SMP_DIES);

        if (cpu->dies > 1 && !dies)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("Only 1 die per socket is supported"));
        g_string_append_printf(opt, ",sockets=%u", cpu->sockets);
        if (dies)
            g_string_append_printf(opt, ",dies=%u", cpu->dies);
        g_string_append_printf(opt, ",cores=%u,threads=%u", cpu->cores, cpu->threads);
    } else {
        g_string_append_printf(opt, ",sockets=%u,cores=1,threads=1", max);
    }
    qmpPlanArg(plan, "-smp", opt->str);
    return true;
}
