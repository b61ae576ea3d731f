/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memlock.h: how much memory a guest's QEMU must be allowed to lock: RLIMIT_MEMLOCK.
 *
 * The document's <hard_limit> goes before all else; memory that is to be <locked/> as a whole needs
 * no limit at all, since nobody can say what QEMU takes for itself; a device of the host that
 * reaches the guest's memory needs that memory locked, and a GiB for what else it reaches. */
#pragma once

#include "delegate/virdelegate.h"
#include "domain/def.h"

/* What the document implies; bytes 0: the limit is left as it is. Pure. */
virDelegateMemlock qemuMemlockOf(const virDomainDef *def);
/* QEMU will lock memory: with less than that it fails. Else a limit is set only because there is a
 * <hard_limit>, which does no harm where it can't be set. Pure. */
bool qemuMemlockIsNeeded(const virDomainDef *def);
