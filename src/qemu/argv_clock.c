/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_clock.c: -rtc and timers; what happens at power-off and sleep. */
#include <time.h>

#include "qemu/argv.h"
#include "util/virerror.h"

static time_t
qemuArgvNow(const qemuBuildContext *ctx)
{
    return ctx->config->now ? ctx->config->now() : time(NULL);
}

/* Seconds that local time is ahead of UTC. */
static long
qemuArgvZoneOffset(time_t at)
{
    struct tm local;

    localtime_r(&at, &local);
    return local.tm_gmtoff;
}

static void
qemuArgvRTCBase(GString *opt, time_t at)
{
    struct tm broken;

    gmtime_r(&at, &broken);
    g_string_append_printf(opt, "base=%d-%02d-%02dT%02d:%02d:%02d", broken.tm_year + 1900,
                           broken.tm_mon + 1, broken.tm_mday, broken.tm_hour, broken.tm_min,
                           broken.tm_sec);
}

static void
qemuArgvRTCTimer(const virDomainTimer *rtc, GString *opt)
{
    static const char *const clocks[VIR_TIMER_TRACK_LAST] = {
        [VIR_TIMER_TRACK_GUEST] = "vm",
        [VIR_TIMER_TRACK_WALL] = "host",
        [VIR_TIMER_TRACK_REALTIME] = "rt",
    };

    if (!rtc)
        return;
    if (clocks[rtc->track])
        g_string_append_printf(opt, ",clock=%s", clocks[rtc->track]);
    if (rtc->policy == VIR_TIMER_POLICY_CATCHUP)
        g_string_append(opt, ",driftfix=slew");
    else if (rtc->policy == VIR_TIMER_POLICY_DELAY)
        g_string_append(opt, ",driftfix=none");
}

static void
qemuArgvRTC(const virDomainClock *clock, const qemuBuildContext *ctx, qmpPlan *plan)
{
    g_autoptr(GString) opt = g_string_new(NULL);
    time_t now = qemuArgvNow(ctx);

    switch (clock->offset) {
    case VIR_CLOCK_OFFSET_LOCALTIME:
    case VIR_CLOCK_OFFSET_TIMEZONE:
        g_string_append(opt, "base=localtime");
        break;
    case VIR_CLOCK_OFFSET_VARIABLE:
        now += (time_t)clock->adjustment;
        if (clock->basis == VIR_CLOCK_BASIS_LOCALTIME)
            now += qemuArgvZoneOffset(now);
        qemuArgvRTCBase(opt, now);
        break;
    case VIR_CLOCK_OFFSET_ABSOLUTE:
        qemuArgvRTCBase(opt, (time_t)clock->start);
        break;
    default:
        g_string_append(opt, "base=utc");
    }
    qemuArgvRTCTimer(virDomainClockTimer(clock, VIR_TIMER_RTC), opt);
    qmpPlanArg(plan, "-rtc", opt->str);
}

static void
qemuArgvPIT(const virDomainTimer *pit, const qemuBuildContext *ctx, qmpPlan *plan)
{
    if (!qmpCapsHas(ctx->caps, QMP_CAPS_KVM_PIT_LOST_TICK_POLICY))
        return;
    if (pit->policy == VIR_TIMER_POLICY_NONE || pit->policy == VIR_TIMER_POLICY_DELAY)
        qmpPlanArg(plan, "-global", "kvm-pit.lost_tick_policy=delay");
    else if (pit->policy == VIR_TIMER_POLICY_DISCARD)
        qmpPlanArg(plan, "-global", "kvm-pit.lost_tick_policy=discard");
}

bool
qemuArgvClock(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainClock *clock = &def->clock;

    qemuArgvRTC(clock, ctx, plan);
    for (guint i = 0; i < clock->timers->len; i++) {
        const virDomainTimer *timer = g_ptr_array_index(clock->timers, i);

        if (timer->name == VIR_TIMER_PIT)
            qemuArgvPIT(timer, ctx, plan);
        else if (timer->name == VIR_TIMER_HPET && timer->present == VIR_TRISTATE_NO &&
                 qmpCapsHas(ctx->caps, QMP_CAPS_NO_HPET))
            qmpPlanArg(plan, "-no-hpet", NULL);
    }
    return true;
}

/* --- power --- */

static void
qemuArgvSleep(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    const struct {
        virTristate state;
        const char *name;
        qmpCapsFlag q35;
    } sleeps[] = {
        {def->pm.suspendToMem, "disable_s3", QMP_CAPS_ICH9_DISABLE_S3},
        {def->pm.suspendToDisk, "disable_s4", QMP_CAPS_ICH9_DISABLE_S4},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sleeps); i++) {
        bool ich9 = ctx->facts->q35 && qmpCapsHas(ctx->caps, sleeps[i].q35);

        if (sleeps[i].state != VIR_TRISTATE_ABSENT)
            qmpPlanArgF(plan, "-global", "%s.%s=%d", ich9 ? "ICH9-LPC" : "PIIX4_PM", sleeps[i].name,
                        sleeps[i].state == VIR_TRISTATE_NO);
    }
}

/* A guest whose every end is its end needs no machine that boots again. */
static bool
qemuArgvNeverReboots(const virDomainLifecycle *lifecycle)
{
    return lifecycle->onReboot == VIR_LIFECYCLE_DESTROY &&
           lifecycle->onPoweroff == VIR_LIFECYCLE_DESTROY &&
           (lifecycle->onCrash == VIR_LIFECYCLE_DESTROY ||
            lifecycle->onCrash == VIR_LIFECYCLE_COREDUMP_DESTROY);
}

bool
qemuArgvPower(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    /* a QEMU that can be told so while it runs is told then: the document may change */
    if (qemuArgvNeverReboots(&def->lifecycle) && !qmpCapsHas(ctx->caps, QMP_CAPS_SET_ACTION))
        qmpPlanArg(plan, "-no-reboot", NULL);
    /* it tells us that the guest is off, and we decide */
    qmpPlanArg(plan, "-no-shutdown", NULL);
    if (def->features.on[VIR_DOMAIN_FEATURE_ACPI] != VIR_TRISTATE_YES)
        qmpPlanArg(plan, "-no-acpi", NULL);
    qemuArgvSleep(def, ctx, plan);
    return true;
}
