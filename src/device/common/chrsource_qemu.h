/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrsource_qemu.h: a character device's source for QEMU: a -chardev and what it needs. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device_qemu.h"

typedef enum {
    /* A server waits for its client before the guest starts, and makes its socket itself. Without
     * it the guest starts at once and a UNIX socket is made by us and handed over, so that clients
     * can connect as soon as there is a guest. */
    QEMU_CHR_WAIT = 1 << 0,
} qemuChrFlags;

/* "charserial0" for a device called "serial0". Caller frees. */
char *qemuChrId(const virDevice *dev);

/* Adds the chardev with this id and, before it, sockets, log files, credentials it needs.
 * spicevmc is the name of the SPICE channel it would be ("vdagent", "usbredir", "smartcard"). */
bool qemuChrSourceBuild(const virChrSource *source, const virDevice *dev, const char *id,
                        const char *spicevmc, unsigned flags, const qemuBuildContext *ctx,
                        qmpPlan *plan, GError **error);
/* For the contract's claim: whether TCP is encrypted, where the document leaves that to the
 * configuration. */
void qemuChrSourceClaim(virChrSource *source, const qemuBuildContext *ctx);
/* What this QEMU, or any, cannot do. */
bool qemuChrSourceCheck(const virChrSource *source, const qmpCaps *caps, GError **error);
/* Files and nodes it opens. */
void qemuChrSourceTouches(const virChrSource *source, const virDevice *dev,
                          const qemuBuildContext *ctx, virHostAccess *out);

/* For the contract's learn: of query-chardev's answer, be it at the start ("query-chardev") or
 * after the device was plugged in ("chardev-add"), the terminal that a pty turned out to be. */
void qemuChrSourceLearn(virChrSource *source, const virDevice *dev, const char *command,
                        virJSON *reply);

/* The terminal that QEMU opened for the chardev id, out of the "return" of query-chardev; NULL if
 * there is none. Caller frees. */
char *qemuChrPtyPath(virJSON *chardevs, const char *id);
/* Whether somebody has opened the other end ("frontend-open"), out of the same; ABSENT if QEMU
 * does not say. */
virTristate qemuChrIsOpen(virJSON *chardevs, const char *id);
