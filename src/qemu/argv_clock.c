/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_clock.c: -rtc and the timers that are no CPU features; what the guest may sleep into. */
#include <time.h>

#include "qemu/argv.h"
#include "util/virerror.h"

/* The wall clock of the guest at its start, if it is not simply that of a time zone. */
static char *
qemuClockBase(const virDomainClock *clock)
{
    g_autoptr(GDateTime) now = NULL;

    switch (clock->offset) {
    case VIR_CLOCK_OFFSET_LOCALTIME:
    case VIR_CLOCK_OFFSET_TIMEZONE: /* QEMU's TZ is set to it */
        return g_strdup("localtime");
    case VIR_CLOCK_OFFSET_VARIABLE: {
        g_autoptr(GDateTime) here = clock->basis == VIR_CLOCK_BASIS_LOCALTIME
                                        ? g_date_time_new_now_local()
                                        : g_date_time_new_now_utc();

        now = g_date_time_add_seconds(here, (double)clock->adjustment);
        break;
    }
    case VIR_CLOCK_OFFSET_ABSOLUTE:
        now = g_date_time_new_from_unix_utc((gint64)clock->start);
        break;
    default:
        return g_strdup("utc");
    }
    return g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
}

static bool
qemuClockRTC(const virDomainDef *def, qmpPlan *plan, GError **error)
{
    const virDomainTimer *rtc = virDomainClockTimer(&def->clock, VIR_TIMER_RTC);
    g_autofree char *base = qemuClockBase(&def->clock);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "base=%s", base);
    if (def->clock.offset == VIR_CLOCK_OFFSET_TIMEZONE && def->clock.timezone)
        qmpPlanEnv(plan, "TZ", def->clock.timezone);
    if (rtc && rtc->track == VIR_TIMER_TRACK_GUEST)
        g_string_append(text, ",clock=vm");
    else if (rtc && rtc->track == VIR_TIMER_TRACK_REALTIME)
        g_string_append(text, ",clock=rt");
    if (rtc && rtc->policy == VIR_TIMER_POLICY_CATCHUP)
        g_string_append(text, ",driftfix=slew");
    qmpPlanArg(plan, "-rtc", text->str);
    return true;
}

static bool
qemuClockPIT(const virDomainTimer *pit, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const char *policy = NULL;

    if (pit->policy == VIR_TIMER_POLICY_DELAY || pit->policy == VIR_TIMER_POLICY_NONE)
        policy = "delay";
    else if (pit->policy == VIR_TIMER_POLICY_DISCARD)
        policy = "discard";
    if (policy && qmpCapsHas(ctx->caps, QMP_CAPS_KVM_PIT_LOST_TICK_POLICY))
        qmpPlanArgF(plan, "-global", "kvm-pit.lost_tick_policy=%s", policy);
    return true;
}

bool
qemuArgvClock(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainTimer *pit = virDomainClockTimer(&def->clock, VIR_TIMER_PIT);
    const virDomainTimer *hpet = virDomainClockTimer(&def->clock, VIR_TIMER_HPET);

    if (!qemuClockRTC(def, plan, error) || (pit && !qemuClockPIT(pit, ctx, plan, error)))
        return false;
    if (hpet && hpet->present == VIR_TRISTATE_NO && qmpCapsHas(ctx->caps, QMP_CAPS_NO_HPET))
        qmpPlanArg(plan, "-no-hpet", NULL);
    return true;
}
