/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * barrier.h: the points of a guest's life at which an external handler is told of its threads:
 * before any of its CPUs has run (prepared), before they run for the first time (resume), and when
 * one was plugged. QEMU itself says which thread is what; names of threads mean nothing.
 *
 * All: job and lock held, given up while a handler is asked. False: the guest may not go on. */
#pragma once

#include "qemu/guest.h"

/* With the table of all threads. stage: PREPARED or RESUME. */
bool qemuBarrierReach(virDomainObj *obj, virDelegatePhase phase, virDelegateBarrierStage stage,
                      GError **error);
/* With the new thread alone. */
bool qemuBarrierPlugVcpu(virDomainObj *obj, unsigned id, pid_t tid, GError **error);
