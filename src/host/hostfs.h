/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostfs.h: one-line files of sysfs and procfs, at a path made like printf's. What isn't there is
 * an answer (NULL, false), not an error: kernels differ. Reads files: in a job, never on the event
 * thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virbitmap.h"

/* The whole file without white space at its ends; NULL if it can't be read. Caller frees. */
char *virHostFsText(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* A decimal number without sign; "16384K" and "1M" are multiplied out. False if there is none. */
bool virHostFsNumber(uint64_t *ret, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* A list like "0-3,8"; an empty file is an empty set. NULL if it can't be read. */
virBitmap *virHostFsList(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* The numbers n of all entries "<prefix>n" of a folder; NULL if there is no such folder. */
virBitmap *virHostFsEntries(const char *prefix, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Is there such a file or folder? */
bool virHostFsExists(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
