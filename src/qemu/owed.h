/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * owed.h: what could not be taken back when a guest ended, because its handler was away or the
 * daemon lacks the right: owners of files, interfaces, drivers of PCI devices. (Groups that are
 * left are found by listing them.)
 *
 * Kept in DIR/run/owed.xml, which a restart of the daemon reads and a reboot of the machine loses,
 * as it does the interfaces. Tried again when a handler of the hook registers or takes its leave,
 * and at the daemon's start. A file is given back only if it is still that file and still the
 * guests' user's; one that another guest uses meanwhile goes back at that guest's end. A lock of
 * its own, held for memory alone; files are written in jobs. */
#pragma once

#include <sys/stat.h>

#include "qemu/guest.h"

typedef struct qemuOwed qemuOwed;

/* Reads the list; one that can't be read is logged and begins empty. Before the event thread runs.
 */
qemuOwed *qemuOwedLoad(const char *folder);
void qemuOwedFree(qemuOwed *owed);

/* Notes a resource that could not be taken back, if it is one for the list. In a job, without the
 * core lock. */
void qemuOwedNote(qemuDriver *driver, const virDomainObj *obj, const qemuResource *resource);
/* It has been taken back after all. In a job, without the core lock. */
void qemuOwedForget(qemuDriver *driver, const qemuResource *resource);
/* A guest is going to use the file of st: whose it really is, if somebody is still owed it. From
 * now on that is the guest's to give back. In a job, without the core lock; may wait until an
 * attempt that is under way has ended. */
bool qemuOwedClaim(qemuDriver *driver, const char *path, const struct stat *st, uid_t *retUid,
                   gid_t *retGid);
/* Tries all of the list that the hook (HANDLER_PROC_..., 0: the daemon itself, now that it has
 * begun) takes back. Posts a job. Any thread. */
void qemuOwedRetry(qemuDriver *driver, uint32_t hook);
