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

static bool
isSame(int folder, const char *name, const struct stat *wanted)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    VIR_AUTOCLOSE fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == wanted->st_dev &&
           st.st_ino == wanted->st_ino;
}

/* The folder itself counts, too. */
static bool
isBelow(const char *folder, const char *name, const struct stat *wanted)
{
    VIR_AUTOCLOSE at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (at < 0)
        return false;
    if (isSame(at, ".", wanted))
        return true;
    for (const char *end = name; end; end = strchr(end, '/')) {
        while (*end == '/')
            end++;
        if (isSame(at, end, wanted))
            return true;
    }
    return false;
}

bool
helperFileIsBelow(int fd, const char *const *folders, char **retName)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *name = g_file_read_link(link, NULL);
    struct stat st;
    bool below = false;

    for (; name && fstat(fd, &st) == 0 && folders && *folders && !below; folders++)
        below = isBelow(*folders, name, &st);
    *retName = g_steal_pointer(&name);
    return below;
}
