/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parallel.h: <parallel>: parallel ports. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

typedef struct {
    virDevice base;
    virChrSource source;
    virOptUInt port;
} virParallel;

#define VIR_PARALLEL(dev) ((virParallel *)(dev))
extern const virDeviceKind virParallelKind;
