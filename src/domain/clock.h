/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clock.h: <clock> and its timers. */
#pragma once

#include <glib.h>

#include "device/field.h"

typedef enum {
    VIR_CLOCK_OFFSET_UTC = 0,
    VIR_CLOCK_OFFSET_LOCALTIME,
    VIR_CLOCK_OFFSET_VARIABLE,
    VIR_CLOCK_OFFSET_TIMEZONE,
    VIR_CLOCK_OFFSET_ABSOLUTE,
    VIR_CLOCK_OFFSET_LAST
} virClockOffset;
VIR_ENUM_DECL(virClockOffset);

typedef enum {
    VIR_CLOCK_BASIS_UTC = 0,
    VIR_CLOCK_BASIS_LOCALTIME,
    VIR_CLOCK_BASIS_LAST
} virClockBasis;
VIR_ENUM_DECL(virClockBasis);

typedef enum {
    VIR_TIMER_PLATFORM = 0,
    VIR_TIMER_PIT,
    VIR_TIMER_RTC,
    VIR_TIMER_HPET,
    VIR_TIMER_TSC,
    VIR_TIMER_KVMCLOCK,
    VIR_TIMER_HYPERVCLOCK,
    VIR_TIMER_ARMVTIMER,
    VIR_TIMER_LAST
} virTimerName;
VIR_ENUM_DECL(virTimerName);

typedef enum {
    VIR_TIMER_POLICY_NONE = 0,
    VIR_TIMER_POLICY_DELAY,
    VIR_TIMER_POLICY_CATCHUP,
    VIR_TIMER_POLICY_MERGE,
    VIR_TIMER_POLICY_DISCARD,
    VIR_TIMER_POLICY_LAST
} virTimerPolicy;
VIR_ENUM_DECL(virTimerPolicy);

typedef enum {
    VIR_TIMER_TRACK_NONE = 0,
    VIR_TIMER_TRACK_BOOT,
    VIR_TIMER_TRACK_GUEST,
    VIR_TIMER_TRACK_WALL,
    VIR_TIMER_TRACK_REALTIME,
    VIR_TIMER_TRACK_LAST
} virTimerTrack;
VIR_ENUM_DECL(virTimerTrack);

typedef enum {
    VIR_TIMER_MODE_NONE = 0,
    VIR_TIMER_MODE_AUTO,
    VIR_TIMER_MODE_NATIVE,
    VIR_TIMER_MODE_EMULATE,
    VIR_TIMER_MODE_PARAVIRT,
    VIR_TIMER_MODE_SMPSAFE,
    VIR_TIMER_MODE_LAST
} virTimerMode;
VIR_ENUM_DECL(virTimerMode);

typedef struct {
    int name; /* virTimerName */
    virTristate present;
    int policy;           /* virTimerPolicy */
    int track;            /* virTimerTrack */
    virOptUInt frequency; /* Hz, tsc only */
    int mode;             /* virTimerMode, tsc only */
    virOptUInt catchupThreshold, catchupSlew, catchupLimit;
} virDomainTimer;

typedef struct {
    int offset;          /* virClockOffset */
    bool reset;          /* UTC, LOCALTIME: adjustment='reset' */
    int64_t adjustment;  /* VARIABLE: s */
    int64_t adjustment0; /* VARIABLE, of a running guest: at its start */
    int basis;           /* VARIABLE: virClockBasis */
    char *timezone;
    uint64_t start;    /* ABSOLUTE: epoch, s */
    GPtrArray *timers; /* of virDomainTimer */
} virDomainClock;

/* NULL if the document does not name it. */
const virDomainTimer *virDomainClockTimer(const virDomainClock *clock, virTimerName name);
