/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lifecycle.h: what a running QEMU is told of <on_reboot>, and what a guest's own end leads to. */
#pragma once

#include "domain/def.h"
#include "domain/object.h"
#include "qmp/plan.h"

/* Adds what QEMU has to know so that a reboot of the guest does what the document says. QEMU's own
 * default is to reset; always: say so even then (the document has changed). Any thread. */
void qemuLifecyclePlan(const virDomainDef *def, const qmpCaps *caps, bool always, qmpPlan *plan);

/* The live document of a running guest says something else of <on_reboot> now. Job and lock held.
 */
bool qemuGuestLifecycleChanged(virDomainObj *obj, GError **error);

/* What is to be done when the guest has come to its end by itself (reason: of QEMU's SHUTDOWN
 * event, NULL: unknown). */
virLifecycleAction qemuLifecycleOfEnd(const virDomainLifecycle *lifecycle, const char *reason);
