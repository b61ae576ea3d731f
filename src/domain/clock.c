/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clock.c: <clock>. */
#include "domain/clock.h"

#include <inttypes.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virClockOffset, VIR_CLOCK_OFFSET_LAST, "utc", "localtime", "variable", "timezone",
              "absolute");
VIR_ENUM_IMPL(virClockBasis, VIR_CLOCK_BASIS_LAST, "utc", "localtime");
VIR_ENUM_IMPL(virTimerName, VIR_TIMER_LAST, "platform", "pit", "rtc", "hpet", "tsc", "kvmclock",
              "hypervclock", "armvtimer");
VIR_ENUM_IMPL(virTimerPolicy, VIR_TIMER_POLICY_LAST, NULL, "delay", "catchup", "merge", "discard");
VIR_ENUM_IMPL(virTimerTrack, VIR_TIMER_TRACK_LAST, NULL, "boot", "guest", "wall", "realtime");
VIR_ENUM_IMPL(virTimerMode, VIR_TIMER_MODE_LAST, NULL, "auto", "native", "emulate", "paravirt",
              "smpsafe");

const virDomainTimer *
virDomainClockTimer(const virDomainClock *clock, virTimerName name)
{
    for (guint i = 0; clock->timers && i < clock->timers->len; i++) {
        const virDomainTimer *timer = g_ptr_array_index(clock->timers, i);

        if (timer->name == (int)name)
            return timer;
    }
    return NULL;
}

/* relative to <timer> */
static const virField timerFields[] = {
    VIR_FIELD_ENUM("@name", virDomainTimer, name, virTimerNameNames,
                   .flags = VIR_FIELD_ZERO | VIR_FIELD_REQUIRED | VIR_FIELD_ABI),
    VIR_FIELD_YESNO("@present", virDomainTimer, present, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("@tickpolicy", virDomainTimer, policy, virTimerPolicyNames),
    VIR_FIELD_ENUM("@track", virDomainTimer, track, virTimerTrackNames),
    VIR_FIELD_UINT("@frequency", virDomainTimer, frequency, 0, UINT64_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("@mode", virDomainTimer, mode, virTimerModeNames, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("catchup@threshold", virDomainTimer, catchupThreshold, 1, UINT64_MAX),
    VIR_FIELD_UINT("catchup@slew", virDomainTimer, catchupSlew, 1, UINT64_MAX),
    VIR_FIELD_UINT("catchup@limit", virDomainTimer, catchupLimit, 1, UINT64_MAX),
    VIR_FIELD_END,
};

static bool
virDomainTimersParse(virDomainClock *clock, const xmlNode *element, unsigned parseFlags,
                     GError **error)
{
    clock->timers = g_ptr_array_new_with_free_func(g_free);
    virXMLForEachChildNamed (element, child, "timer") {
        virDomainTimer *timer = g_new0(virDomainTimer, 1);

        g_ptr_array_add(clock->timers, timer);
        if (!virFieldParse(timerFields, timer, child, parseFlags, error))
            return false;
        if (timer->name != VIR_TIMER_PLATFORM && timer->name != VIR_TIMER_RTC)
            timer->track = VIR_TIMER_TRACK_NONE;
        if (timer->name != VIR_TIMER_TSC) {
            timer->frequency = (virOptUInt){0};
            timer->mode = VIR_TIMER_MODE_NONE;
        }
        if (virDomainClockTimer(clock, (virTimerName)timer->name) != timer)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("timer '%s' is given more than once"),
                               virTimerNameToString(timer->name));
    }
    return true;
}

static bool
virDomainClockParseNumber(const xmlNode *element, const char *name, int64_t *ret, GError **error)
{
    g_autofree char *text = virXMLAttr(element, name);

    if (text && !virStringToInt(text, ret))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown clock %s '%s'"), name, text);
    return true;
}

/* An adjustment makes a variable clock of a fixed one, unless it says "reset". */
static bool
virDomainClockParseFixed(virDomainClock *clock, const xmlNode *element, GError **error)
{
    g_autofree char *adjustment = virXMLAttr(element, "adjustment");

    if (!adjustment)
        return true;
    if (g_str_equal(adjustment, "reset")) {
        clock->reset = true;
        return true;
    }
    clock->basis = clock->offset == VIR_CLOCK_OFFSET_LOCALTIME ? VIR_CLOCK_BASIS_LOCALTIME
                                                               : VIR_CLOCK_BASIS_UTC;
    clock->offset = VIR_CLOCK_OFFSET_VARIABLE;
    return virDomainClockParseNumber(element, "adjustment", &clock->adjustment, error);
}

static bool
virDomainClockParseVariable(virDomainClock *clock, const xmlNode *element, GError **error)
{
    g_autofree char *basis = virXMLAttr(element, "basis");

    if (basis && (clock->basis = virClockBasisFromString(basis)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "basis",
                           "clock", basis);
    return virDomainClockParseNumber(element, "adjustment", &clock->adjustment, error) &&
           virDomainClockParseNumber(element, "adjustment0", &clock->adjustment0, error);
}

static bool
virDomainClockParseAbsolute(virDomainClock *clock, const xmlNode *element, GError **error)
{
    g_autofree char *start = virXMLAttr(element, "start");

    if (!start)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "start", "clock");
    if (!virStringToUInt(start, UINT64_MAX, &clock->start))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "start",
                           "clock", start);
    return true;
}

static bool
virDomainClockParseOffset(virDomainClock *clock, const xmlNode *element, GError **error)
{
    g_autofree char *offset = virXMLAttr(element, "offset");

    if (offset && (clock->offset = virClockOffsetFromString(offset)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "offset",
                           "clock", offset);
    switch (clock->offset) {
    case VIR_CLOCK_OFFSET_VARIABLE:
        return virDomainClockParseVariable(clock, element, error);
    case VIR_CLOCK_OFFSET_TIMEZONE:
        clock->timezone = virXMLAttr(element, "timezone");
        return clock->timezone || virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                                              _("missing 'timezone' attribute for clock with "
                                                "offset='timezone'"));
    case VIR_CLOCK_OFFSET_ABSOLUTE:
        return virDomainClockParseAbsolute(clock, element, error);
    default:
        return virDomainClockParseFixed(clock, element, error);
    }
}

static bool
virDomainClockParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainClock *clock = object;
    xmlNode *element = virXMLFirstChild(node, "clock");

    return virDomainClockParseOffset(clock, element, error) &&
           virDomainTimersParse(clock, element, parseFlags, error);
}

static void
virDomainClockFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainClock *clock = object;

    virXMLWriterOpen(w, "clock");
    virXMLWriterAttr(w, "offset", virClockOffsetToString(clock->offset));
    switch (clock->offset) {
    case VIR_CLOCK_OFFSET_VARIABLE:
        virXMLWriterAttrF(w, "adjustment", "%" PRId64, clock->adjustment);
        virXMLWriterAttr(w, "basis", virClockBasisToString(clock->basis));
        if ((formatFlags & VIR_FORMAT_STATUS) && clock->adjustment0)
            virXMLWriterAttrF(w, "adjustment0", "%" PRId64, clock->adjustment0);
        break;
    case VIR_CLOCK_OFFSET_TIMEZONE:
        virXMLWriterAttr(w, "timezone", clock->timezone);
        break;
    case VIR_CLOCK_OFFSET_ABSOLUTE:
        virXMLWriterAttrF(w, "start", "%" PRIu64, clock->start);
        break;
    default:
        if (clock->reset)
            virXMLWriterAttr(w, "adjustment", "reset");
    }
    for (guint i = 0; clock->timers && i < clock->timers->len; i++) {
        virXMLWriterOpen(w, "timer");
        virFieldFormat(timerFields, g_ptr_array_index(clock->timers, i), w, formatFlags);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virDomainClockClear(void *object)
{
    virDomainClock *clock = object;

    g_clear_pointer(&clock->timezone, g_free);
    g_clear_pointer(&clock->timers, g_ptr_array_unref);
}

static bool
virDomainClockSame(const void *a, const void *b, GError **error)
{
    const virDomainClock *was = a;
    const virDomainClock *is = b;

    for (int name = 0; name < VIR_TIMER_LAST; name++) {
        const virDomainTimer *from = virDomainClockTimer(was, (virTimerName)name);
        const virDomainTimer *to = virDomainClockTimer(is, (virTimerName)name);

        if (!from != !to)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("Target timer %s does not match source"),
                               virTimerNameToString(name));
        if (from && !virFieldSameABI(timerFields, "timer", from, to, error))
            return false;
    }
    return true;
}

static const virField clockHolds[] = {
    VIR_HOLDS_ENUM("@offset", virClockOffsetNames),
    VIR_HOLDS_ENUM("@basis", virClockBasisNames),
    VIR_HOLDS("@adjustment"),
    VIR_HOLDS("@timezone"),
    VIR_HOLDS_INT("@start"),
    VIR_HOLDS_ELEMENTS("timer", timerFields),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("clock", virDomainClockParse, virDomainClockFormat, .clear = virDomainClockClear,
                   .same = virDomainClockSame, .holds = clockHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainClockSection = {
    .name = "clock",
    .offset = offsetof(virDomainDef, clock),
    .fields = fields,
};
