/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsrun.h: start a QEMU without a guest, ask it, end it. */
#pragma once

#include <sys/types.h>

#include "qmp/qmpcaps.h"

/* Who QEMU is to run as; all borrowed. VIR_SPAWN_KEEP_ID: as the daemon. */
typedef struct {
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t ngroups;
} qmpCapsIdentity;

/* True if a QEMU of this identity may open /dev/kvm. Looks at the node only. */
bool qmpCapsKvmUsable(const qmpCapsIdentity *identity);

/* In a job, without the core lock, while the event thread runs: some 100 ms. Nothing of QEMU is
 * left when it returns, nor when the daemon is killed meanwhile. Errors carry QEMU's last words. */
qmpCaps *qmpCapsRun(const char *binary, const qmpCapsIdentity *identity, GError **error);
