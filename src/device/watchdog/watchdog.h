/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watchdog.h: <watchdog>: a timer that acts when the guest stops feeding it. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_WATCHDOG_MODEL_UNSET = 0,
    VIR_WATCHDOG_MODEL_I6300ESB,
    VIR_WATCHDOG_MODEL_IB700,
    VIR_WATCHDOG_MODEL_DIAG288,
    VIR_WATCHDOG_MODEL_LAST
} virWatchdogModel;
VIR_ENUM_DECL(virWatchdogModel);

typedef enum {
    VIR_WATCHDOG_ACTION_RESET = 0,
    VIR_WATCHDOG_ACTION_SHUTDOWN,
    VIR_WATCHDOG_ACTION_POWEROFF,
    VIR_WATCHDOG_ACTION_PAUSE,
    VIR_WATCHDOG_ACTION_DUMP, /* QEMU pauses, the daemon dumps and goes on */
    VIR_WATCHDOG_ACTION_NONE,
    VIR_WATCHDOG_ACTION_INJECT_NMI,
    VIR_WATCHDOG_ACTION_LAST
} virWatchdogAction;
VIR_ENUM_DECL(virWatchdogAction);

typedef struct {
    virDevice base;
    int model;  /* virWatchdogModel */
    int action; /* virWatchdogAction */
} virWatchdog;

#define VIR_WATCHDOG(dev) ((virWatchdog *)(dev))
extern const virDeviceKind virWatchdogKind;
