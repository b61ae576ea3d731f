/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check.h: what of a document, beside its devices, QEMU or this binary can't do. Any thread. */
#pragma once

#include "domain/def.h"
#include "qmp/qmpcaps.h"

/* VIR_ERR_CONFIG_UNSUPPORTED naming element and reason. facts are those of def. */
bool qemuCheckDomain(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                     GError **error);

/* The parts, by section (checkmachine.c, checkcpu.c, checkmemory.c). */
bool qemuCheckMachine(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                      GError **error);
bool qemuCheckFeatures(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                       GError **error);
bool qemuCheckLifecycle(const virDomainDef *def, GError **error);
bool qemuCheckClock(const virDomainDef *def, const qmpCaps *caps, GError **error);
bool qemuCheckCPU(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error);
bool qemuCheckMemory(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                     GError **error);
