/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * panic.h: <panic>: a guest tells that it crashed. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_PANIC_MODEL_DEFAULT = 0,
    VIR_PANIC_MODEL_PSERIES,
    VIR_PANIC_MODEL_HYPERV,
    VIR_PANIC_MODEL_S390,
    VIR_PANIC_MODEL_ISA,
    VIR_PANIC_MODEL_LAST
} virPanicModel;
VIR_ENUM_DECL(virPanicModel);

typedef struct {
    virDevice base;
    int model; /* virPanicModel */
} virPanic;

#define VIR_PANIC(dev) ((virPanic *)(dev))
extern const virDeviceKind virPanicKind;

/* True if one of the devices is a panic device of Hyper-V's kind, which is a feature of the CPU. */
bool virPanicWantsHyperV(const GPtrArray *devices);
