/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devicechange.h: whether a change of a domain's devices can be, as far as the document tells, and
 * which device is meant. live: of the running guest, else of the stored definition; the two differ
 * in what is said. Pure; any thread. */
#pragma once

#include "domain/def.h"

/* VIR_ERR_OPERATION_UNSUPPORTED (an update of a running guest: VIR_ERR_CONFIG_UNSUPPORTED) if
 * devices of the kind, or one like this, never change so. dev: of a request or of a domain. */
bool virDeviceCanChange(const virDevice *dev, virDeviceChange change, bool live, GError **error);

/* A device that is about to come, not yet in def: its alias and boot order are free, and the kind
 * has nothing against it. VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_OPERATION_INVALID and so on, naming
 * what is in the way. */
bool virDomainDefMayJoin(const virDomainDef *def, const virDevice *dev, bool live, GError **error);

/* The device that a detach or update request means; VIR_ERR_DEVICE_MISSING and so on as the kind
 * says, VIR_ERR_OPERATION_FAILED if it fits several and the kind minds. */
virDevice *virDomainDefFindDevice(const virDomainDef *def, const virDevice *wanted,
                                  virDeviceChange change, bool live, GError **error);
