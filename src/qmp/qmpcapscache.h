/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapscache.h: the capabilities of each QEMU binary, probed once.
 *
 * In memory, and on disk over restarts (folder/SHA256-of-the-path.xml, libvirt's format). What is
 * known holds as long as the binary's change time, and whether /dev/kvm can be opened, are as they
 * were: two stat(2) a look-up. What is on disk also depends on the daemon's own build and, with
 * KVM, on kernel, CPU and microcode, which don't change while the daemon runs.
 *
 * Any thread that may wait, without the core lock; two that want the same binary probe it once. */
#pragma once

#include "qmp/qmpcapsrun.h"

typedef struct qmpCapsCache qmpCapsCache;

/* folder is made when first needed. identity is copied, groups included. */
qmpCapsCache *qmpCapsCacheNew(const char *folder, const qmpCapsIdentity *identity);
void qmpCapsCacheFree(qmpCapsCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpCapsCache, qmpCapsCacheFree)

/* Probes if nothing valid is known. Caller unrefs. */
qmpCaps *qmpCapsCacheGet(qmpCapsCache *cache, const char *binary, GError **error);

/* What is in memory, valid or not; NULL if nothing is. Never waits, no system call. Caller unrefs.
 */
qmpCaps *qmpCapsCachePeek(qmpCapsCache *cache, const char *binary);

/* The usual binary for guests of this architecture ("x86_64", "i686" ...), or NULL. Caller frees.
 */
char *qmpEmulatorFind(const char *arch);
