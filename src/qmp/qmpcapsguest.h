/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsguest.h: <guest> of the host capabilities: what a QEMU binary can run. Any thread. */
#pragma once

#include "qmp/qmpcaps.h"

typedef enum {
    QMP_GUEST_MACHINES = 1 << 0, /* list the machines; tests compare without */
} qmpGuestFlags;

/* Guests of this architecture ("x86_64", "i686"), which may be smaller than the binary's own. The
 * text of one element; caller frees. */
char *qmpCapsGuestFormat(const qmpCaps *caps, const char *arch, unsigned flags);
