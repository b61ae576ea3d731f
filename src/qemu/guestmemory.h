/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestmemory.h: how much memory a domain has and may have, and changing it.
 *
 * Lock held; what changes needs the domain's job as well and gives the lock up while waiting. */
#pragma once

#include "domain/object.h"
#include "qemu/driver.h"

/* All it can have, memory devices included. */
uint64_t qemuGuestMemoryMaximum(const virDomainObj *obj);
/* What it has: of a running guest what the balloon last said. */
uint64_t qemuGuestMemoryCurrent(const virDomainObj *obj);
/* The balloon of a document that can be asked, NULL if there is none. */
const virDevice *qemuGuestMemoryBalloon(const virDomainDef *def);

/* Sets what it shall have (the guest may take its time) and, or, what it begins with. */
bool qemuGuestMemorySet(qemuDriver *driver, virDomainObj *obj, uint64_t KiB, bool live, bool config,
                        GError **error);
/* The same for the maximum, which only a stored definition can have changed. */
bool qemuGuestMemorySetMaximum(qemuDriver *driver, virDomainObj *obj, uint64_t KiB, bool live,
                               bool config, GError **error);
/* How often the guest tells its statistics; 0: never. */
bool qemuGuestMemorySetPeriod(qemuDriver *driver, virDomainObj *obj, uint64_t seconds, bool live,
                              bool config, GError **error);
