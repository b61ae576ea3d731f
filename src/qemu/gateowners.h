/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gateowners.h: run/qemu/NAME.rules, from which `virtward devices` knows whose a rule of the gate
 * is: the kernel holds only the union.
 *
 *     {"rules": [{"rule": "c 10:232 rw", "owners": ["policy", "hostdev0"]}]}
 *
 * In a job, without the lock. Failures are logged: the guest runs all the same. */
#pragma once

#include "qemu/guest.h"

/* The gate's rules have changed, or it is new. */
void qemuGateOwnersSave(qemuGuest *guest);
/* True if a guest of that name has, or an earlier daemon made it, a gate. */
bool qemuGateOwnersHas(qemuDriver *driver, const char *name);
/* The guest is gone. */
void qemuGateOwnersForget(qemuDriver *driver, const char *name);
