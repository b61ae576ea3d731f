/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestlog.h: a guest's log file: the command line of each start, and what QEMU writes after it.
 * In a job. The right to write in the folder. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Opens FOLDER/NAME.log to append, and writes when this start was and argv (ended by NULL or the
 * array). *retFd: for QEMU's output, the caller's; *retBegin: where that begins. */
bool qemuGuestLogOpen(const char *folder, const char *name, const GPtrArray *argv, int *retFd,
                      off_t *retBegin, GError **error);
/* The first 4 kB of what was written from begin on, without the end of its last line: the best
 * explanation of why QEMU ended. Never NULL; free it. */
char *qemuGuestLogTail(const char *folder, const char *name, off_t begin);
