/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * file.c: see file.h. The kernel's name of a descriptor is only a hint at where to look: each end
 * of it ("a/b/c", "b/c", "c") is opened below the folders, and what is found must be the same file.
 * So a daemon in a container may know the folder by another name. */
#include "helperd/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/virutil.h"

/* -1: it is another file, or none. */
static int
openSame(int folder, const char *name, const struct stat *wanted)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == wanted->st_dev &&
        st.st_ino == wanted->st_ino)
        return fd;
    virCloseFd(&fd);
    return -1;
}

/* The folder itself counts, too. */
static int
findBelow(const char *folder, const char *name, const struct stat *wanted)
{
    VIR_AUTOCLOSE at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = at < 0 ? -1 : openSame(at, ".", wanted);

    for (const char *end = name; at >= 0 && fd < 0 && end; end = strchr(end, '/')) {
        while (*end == '/')
            end++;
        fd = openSame(at, end, wanted);
    }
    return fd;
}

int
helperFileFind(int fd, const char *folder)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *name = g_file_read_link(link, NULL);
    struct stat st;

    return name && fstat(fd, &st) == 0 ? findBelow(folder, name, &st) : -1;
}

bool
helperFileIsBelow(int fd, const char *const *folders, char **retName)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    bool below = false;

    for (; folders && *folders && !below; folders++) {
        VIR_AUTOCLOSE found = helperFileFind(fd, *folders);

        below = found >= 0;
    }
    *retName = g_file_read_link(link, NULL);
    return below;
}
