/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * machine.h: what identifies the host and what it can do as a whole. Reads files, and asks logind
 * over D-Bus: in a job. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/viruuid.h"

/* The host's UUID: the configured one if there is one, else that of the firmware. A firmware
 * without a usable one (all digits equal) gives a random one, new with each daemon, as in libvirt.
 * The first answer is kept. */
void virHostUUID(const char *configured, unsigned char ret[VIR_UUID_SIZE]);

/* Can devices be isolated from each other? */
bool virHostHasIOMMU(void);

/* What the host can be put to sleep to. */
typedef enum {
    VIR_HOST_SUSPEND_MEM = 1 << 0,
    VIR_HOST_SUSPEND_DISK = 1 << 1,
    VIR_HOST_SUSPEND_HYBRID = 1 << 2,
} virHostSuspendTargets;

/* As logind allows; none without it. */
virHostSuspendTargets virHostSuspendRead(void);
