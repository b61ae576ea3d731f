/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.h: the processor of this machine, as the <cpu> of a host: closest model and features,
 * microcode, signature, time stamp counter, address bits, topology.
 *
 * Executes CPUID and reads files; the frequency of the counter is asked of KVM, which makes a
 * virtual machine for a moment. Takes milliseconds: in a job. No right is needed;
 * what can't be read is left out. */
#pragma once

#include <glib.h>

#include "host/nodeinfo.h"
#include "util/cpu/vircpudata.h"
#include "util/cpu/vircpudef.h"

/* What the processor says, by CPUID and, where it may be read, by MSR. Empty on what isn't x86. */
virCPUData virHostCPUDataRead(void);

/* The whole element. On an architecture without models it has the architecture alone. info gives
 * the topology; cpuinfo is the text of /proc/cpuinfo. Caller frees. */
virCPUDef *virHostCPURead(const virHostNodeInfo *info, const char *cpuinfo, GError **error);

/* The same of this machine, read when first asked for and then kept; never freed. Waits: in a job.
 */
const virCPUDef *virHostCPUGet(GError **error);

/* How many processors KVM can give one guest. VIR_ERR_SYSTEM_ERROR without KVM. */
bool virHostCPUMaxForKVM(int *ret, GError **error);

/* The name of the architecture we run on ("x86_64"); static. */
const char *virHostArch(void);
