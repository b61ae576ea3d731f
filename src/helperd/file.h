/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * file.h: in which folder the file behind a descriptor lies. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* True if the file of fd is, by its device and inode, a file below one of the folders (absolute, in
 * this process's own mount namespace; NULL: none), reached there without a symbolic link. What name
 * the other side knows it by says nothing: in a mount namespace of its own it can mount any file of
 * the host under any name. False with *retName for messages (free it), and no error. Any thread;
 * the right to search the folders. Source: openat2(2). */
bool helperFileIsBelow(int fd, const char *const *folders, char **retName);
/* The same file by way of the folder, or the folder itself (O_PATH; the caller's); -1 if it isn't
 * there. */
int helperFileFind(int fd, const char *folder);
