/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.h: <cpu>: model, topology and features (util/cpu), and the guest's NUMA nodes. */
#pragma once

#include "domain/numa.h"
#include "util/cpu/vircpudef.h"

typedef struct {
    virCPUDef *def; /* NULL: nothing was asked for */
    virDomainNuma numa;
} virDomainCPU;
