/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv.h: the command line of a guest, as a plan. Pure: nothing in the world changes. Any thread.
 */
#pragma once

#include "device/device_qemu.h"
#include "domain/def.h"

/* Everything a cold start tells QEMU, in libvirt's order: environment, the machine, then the
 * devices in the order of virDeviceQemus. def is complete, with addresses and aliases.
 * VIR_ERR_CONFIG_UNSUPPORTED naming the element that can't be honoured. */
qmpPlan *qemuPlanBoot(const virDomainDef *def, const qemuBuildContext *ctx, GError **error);

/* Its parts (argv_machine.c, argv_cpu.c, argv_memory.c, argv_clock.c, argv_boot.c); all add to
 * plan. */
bool qemuArgvMachine(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                     GError **error);
bool qemuArgvCPU(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error);
bool qemuArgvMemory(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error);
bool qemuArgvSMP(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error);
bool qemuArgvNUMA(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error);
bool qemuArgvClock(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error);
bool qemuArgvBoot(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error);
bool qemuArgvSMBIOS(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error);
