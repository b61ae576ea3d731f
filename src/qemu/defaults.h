/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * defaults.h: what a document leaves open and this binary decides: machine, processor, vCPUs,
 * variable store. Any thread. */
#pragma once

#include "domain/def.h"
#include "qmp/qmpcaps.h"

/* All of them, in the order in which they build on each other. VIR_ERR_INVALID_ARG,
 * VIR_ERR_CONFIG_UNSUPPORTED. */
bool qemuDefaultsApply(virDomainDef *def, const qmpCaps *caps, const char *nvramDir,
                       unsigned parseFlags, GError **error);
/* virControllerModel of the USB controller that a machine of this class gets; -1: none. */
int qemuDefaultUSBModel(const virDomainFacts *facts, const qmpCaps *caps);
