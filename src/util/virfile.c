/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virfile.c: see virfile.h. */
#include "util/virfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virlog.h"
#include "util/virutil.h"

#define TEMPORARY_SUFFIX ".new"

bool
virFileWriteAll(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool
virFileSyncFolder(const char *folder, GError **error)
{
    VIR_AUTOCLOSE fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return virErrorErrno(error, _("cannot flush folder %s"), folder);
    return true;
}

static bool
virFileWriteTemporary(int fd, const char *temporary, const char *text, size_t len, mode_t mode,
                      virFileDurability durability, GError **error)
{
    if (!virFileWriteAll(fd, text, len))
        return virErrorErrno(error, _("cannot write %s"), temporary);
    if (fchmod(fd, mode) < 0)
        return virErrorErrno(error, _("cannot set the mode of %s"), temporary);
    if (durability != VIR_FILE_VOLATILE && fsync(fd) < 0)
        return virErrorErrno(error, _("cannot flush %s"), temporary);
    return true;
}

char *
virFileTemporary(const char *path)
{
    return g_strconcat(path, TEMPORARY_SUFFIX, NULL);
}

void
virFileSweep(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL); /* nothing there, nothing left */
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_str_has_suffix(name, TEMPORARY_SUFFIX) && unlink(path) < 0)
            VIR_WARN("cannot remove %s: %s", path, g_strerror(errno));
    }
}

bool
virFileStage(const char *path, const char *text, size_t len, mode_t mode,
             virFileDurability durability, GError **error)
{
    g_autofree char *temporary = virFileTemporary(path);
    VIR_AUTOCLOSE fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return virErrorErrno(error, _("cannot create %s"), temporary);
    if (!virFileWriteTemporary(fd, temporary, text, len, mode, durability, error)) {
        (void)unlink(temporary); /* the error in hand says more */
        return false;
    }
    if (!VIR_FAULT_STEP("file:written", error)) {
        (void)unlink(temporary);
        return false;
    }
    return true;
}

bool
virFileCommit(const char *path, virFileDurability durability, GError **error)
{
    g_autofree char *temporary = virFileTemporary(path);
    g_autofree char *folder = g_path_get_dirname(path);

    if (rename(temporary, path) < 0) {
        virErrorErrno(error, _("cannot rename %s to %s"), temporary, path);
        (void)unlink(temporary);
        return false;
    }
    return durability != VIR_FILE_DURABLE || virFileSyncFolder(folder, error);
}

void
virFileAbandon(const char *path)
{
    g_autofree char *temporary = virFileTemporary(path);

    (void)unlink(temporary); /* overwritten by the next, if not */
}

bool
virFileWrite(const char *path, const char *text, size_t len, mode_t mode,
             virFileDurability durability, GError **error)
{
    return virFileStage(path, text, len, mode, durability, error) &&
           virFileCommit(path, durability, error);
}

char *
virFileReadAt(int dirfd, const char *path, size_t max, size_t *retLen, GError **error)
{
    VIR_AUTOCLOSE fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
    GString *text;

    if (fd < 0) {
        virErrorErrno(error, _("cannot open %s"), path);
        return NULL;
    }
    text = g_string_sized_new(4096);
    for (;;) {
        char chunk[4096];
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            virErrorErrno(error, _("cannot read %s"), path);
        else if (text->len + (size_t)n > max)
            virErrorSet(error, VIR_ERR_SYSTEM_ERROR, _("%s is larger than %zu bytes"), path, max);
        else if (n > 0) {
            g_string_append_len(text, chunk, n);
            continue;
        } else {
            if (retLen)
                *retLen = text->len;
            return g_string_free(text, FALSE);
        }
        g_string_free(text, TRUE);
        return NULL;
    }
}

char *
virFileRead(const char *path, size_t max, size_t *retLen, GError **error)
{
    return virFileReadAt(AT_FDCWD, path, max, retLen, error);
}

bool
virFileMakePath(const char *path, mode_t mode, GError **error)
{
    if (g_mkdir_with_parents(path, (int)mode) < 0)
        return virErrorErrno(error, _("cannot create folder %s"), path);
    return true;
}

bool
virFileRemove(const char *path, GError **error)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return virErrorErrno(error, _("cannot remove %s"), path);
    return true;
}
