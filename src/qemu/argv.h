/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv.h: the command line of a guest, as a plan. Pure: nothing in the world changes. Any thread.
 */
#pragma once

#include "device/device_qemu.h"
#include "domain/def.h"

/* Everything a cold start tells QEMU, in libvirt's order: environment, the machine, then the
 * devices in the order of virDeviceQemus. def is complete, with addresses and aliases
 * (virDomainDefAssignAliases), its firmware chosen (firmware.h).
 * VIR_ERR_CONFIG_UNSUPPORTED naming the element that can't be honoured. */
qmpPlan *qemuPlanBoot(const virDomainDef *def, const qemuBuildContext *ctx, GError **error);

/* The object behind some memory: see qemuMemoryBackend in device_qemu.h; what a context's
 * memoryBackend is to be. ctx->facts must be those of a virDomainDef. */
virJSON *qemuMemoryBackendProps(const qemuMemoryBackend *wanted, const qemuBuildContext *ctx,
                                GError **error);

/* Its parts (argv_machine.c, argv_cpu.c, argv_memory.c, argv_numa.c, argv_clock.c, argv_boot.c);
 * all add to plan. */
bool qemuArgvFirmwareNodes(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                           GError **error);
bool qemuArgvMachine(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                     GError **error);
bool qemuArgvLoader(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error);
bool qemuArgvLaunchSecurity(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                            GError **error);
bool qemuArgvCPU(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error);
bool qemuArgvSMP(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error);
/* -mem-path of old, for all of the memory. */
bool qemuArgvMemoryPath(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                        GError **error);
bool qemuArgvMemory(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error);
bool qemuArgvIOThreads(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error);
bool qemuArgvNUMA(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error);
bool qemuArgvSMBIOS(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error);
bool qemuArgvClock(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error);
bool qemuArgvPower(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error);
bool qemuArgvBoot(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error);

/* --- what the parts share --- */

/* text as a value within an option: commas twice. */
void qemuArgvAppend(GString *out, const char *text);
/* Memory as QEMU gets it: whole MiB, unless the guest comes from elsewhere as it is. */
uint64_t qemuArgvAlignedKiB(const qemuBuildContext *ctx, uint64_t kib);
/* "7-web": names folders of a guest; the name is cut to 20 bytes. Caller frees. */
char *qemuArgvShortName(const virDomainDef *def);
