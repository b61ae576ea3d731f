/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapscpu.h: the CPUs of a QEMU: the models it lists, and what it makes of the host's own. */
#pragma once

#include "qmp/qmpcapspriv.h"
#include "qmp/qmptransport.h"

/* The answer of query-cpu-definitions, as an array of qmpCpuDefinition. */
GPtrArray *qmpCpuDefinitionsFromJSON(virJSON *answer);

/* The host CPU by query-cpu-model-expansion: twice, with and without what can't migrate. *ret stays
 * NULL if QEMU can't tell (other architectures, no such command). */
bool qmpCpuModelProbe(qmpTransport *transport, const qmpCaps *caps, qmpAccel accel,
                      qmpCpuModel **ret, GError **error);

/* The enlightenments of qmpCapsHyperv; *ret stays NULL if QEMU is too old to be asked. */
bool qmpCpuHypervProbe(qmpTransport *transport, const qmpCaps *caps, qmpAccel accel, char ***ret,
                       GError **error);
