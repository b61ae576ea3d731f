/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestcpu.h: the processor a starting guest really gets. Any thread. */
#pragma once

#include "domain/def.h"
#include "qmp/qmpcaps.h"

/* Makes the CPU of def, the live copy of a starting guest, independent of the host: host-model and
 * match='minimum' become a model with features, a model that this QEMU lacks its closest kin.
 * host is the host's CPU without what can't be migrated; NULL: as QEMU tells it
 * (qmpHostModelMake), if it is needed. VIR_ERR_CONFIG_UNSUPPORTED if the host can't run it. */
bool qemuGuestCPUResolve(virDomainDef *def, const qmpCaps *caps, const virCPUDef *host,
                         GError **error);
