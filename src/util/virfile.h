/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virfile.h: files written whole, read bounded. Blocks: never on the event thread, never under the
 * core lock. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum {
    VIR_FILE_VOLATILE = 0, /* dies with the machine anyway: no fsync */
    VIR_FILE_WHOLE,   /* fsync of the file: after a power cut there is the earlier or the new one,
                         whole; the new one for certain after virFileSyncFolder */
    VIR_FILE_DURABLE, /* and of the folder */
} virFileDurability;

/* Replaces path by text, whole: a temporary beside it, then rename(2). The earlier file stays
 * untouched on any error. */
bool virFileWrite(const char *path, const char *text, size_t len, mode_t mode,
                  virFileDurability durability, GError **error);

/* The name of that temporary; caller frees. One that a killed process left is written over. */
char *virFileTemporary(const char *path);
/* Removes what killed processes left of virFileWrite in a folder. Failures are logged. */
void virFileSweep(const char *folder);

/* The two halves of virFileWrite, for who has something to do between them that may fail: the
 * temporary is there and flushed, then it takes the path's place, or goes. One at a time for a
 * path. */
bool virFileStage(const char *path, const char *text, size_t len, mode_t mode,
                  virFileDurability durability, GError **error);
bool virFileCommit(const char *path, virFileDurability durability, GError **error);
void virFileAbandon(const char *path);

/* What was renamed in the folder, or removed from it, outlives a power cut from now on. */
bool virFileSyncFolder(const char *folder, GError **error);

/* The file's content with a NUL behind it, at most max bytes (more is an error). Caller frees. */
char *virFileRead(const char *path, size_t max, size_t *retLen /* may be NULL */, GError **error);
/* The same below an open folder; AT_FDCWD allowed. */
char *virFileReadAt(int dirfd, const char *path, size_t max, size_t *retLen, GError **error);

/* The folder and all above it; existing ones are left as they are. */
bool virFileMakePath(const char *path, mode_t mode, GError **error);

/* True if the file is gone afterwards, also if it was never there. */
bool virFileRemove(const char *path, GError **error);

/* All len bytes, over short writes and EINTR; false with errno set. */
bool virFileWriteAll(int fd, const void *data, size_t len);
