/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostfiles.h: folders, sockets and small files of a guest. In a job, without the core lock. */
#pragma once

#include <sys/stat.h>

#include "qemu/guest.h"

/* Makes the folder (0750) and gives it to the user that guests run as. */
bool qemuMakeOwnedFolder(qemuGuest *guest, const virDelegateCall *call, const char *path,
                         GError **error);
/* Writes a file (0600) that only the guest's user may read. */
bool qemuWriteOwnedFile(qemuGuest *guest, const virDelegateCall *call, const char *path,
                        const char *text, GError **error);
bool qemuWriteOwnedBytes(qemuGuest *guest, const virDelegateCall *call, const char *path,
                         const void *bytes, size_t len, GError **error);
/* A listening socket; a stale one at path is replaced. -1 with an error, which names the limit of
 * 107 bytes for paths (unix(7)). */
int qemuListenUnix(const char *path, GError **error);
/* A connected socket; -1 with an error. */
int qemuConnectUnix(const char *path, GError **error);
/* Claims *cid on an open /dev/vhost-vsock, or for 0 the first free one from 3. */
bool qemuVsockClaim(int fd, uint64_t *cid, GError **error);
/* When the process was started, in clock ticks since boot (proc(5), stat field 22); 0 if it is
 * gone. */
uint64_t qemuProcessStartTime(pid_t pid);

/* Whether a file that a guest uses has to be given to QEMU's user: one that it writes to, or could
 * not read otherwise; a file that everybody may read stays with whom it belongs to. st: of the file
 * as it is. Pure. */
bool qemuFileNeedsOwner(const qemuDriver *driver, const virHostResource *file,
                        const struct stat *st);
/* What is to be given back of such a file at the guest's end, the caller's: whose it is now, or, if
 * it could not be given back since an earlier guest (owed.h), was then. NULL: nothing. In a job,
 * without the lock. */
qemuResource *qemuFileResource(qemuDriver *driver, const virHostResource *file, const char *alias,
                               const struct stat *st);
