/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestlog.c: see guestlog.h. */
#include "qemu/guestlog.h"

#include <fcntl.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

bool
qemuGuestLogOpen(const char *folder, const char *name, const GPtrArray *argv, int *retFd,
                 off_t *retBegin, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%s.log", folder, name);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *when = g_date_time_format(now, "%Y-%m-%d %H:%M:%S.%f+0000");
    g_autoptr(GString) text = g_string_new(NULL);

    *retFd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (*retFd < 0)
        return virErrorErrno(error, _("cannot open log file %s"), path);
    g_string_append_printf(text, "%s: starting up virtward version: %s\n", when, PACKAGE_VERSION);
    for (guint i = 0; i < argv->len && argv->pdata[i]; i++) {
        g_autofree char *word = g_shell_quote(g_ptr_array_index(argv, i));

        g_string_append_printf(text, "%s%s", i ? " " : "", word);
    }
    g_string_append_c(text, '\n');
    (void)virFileWriteAll(*retFd, text->str, text->len); /* a full disk must not stop it */
    *retBegin = lseek(*retFd, 0, SEEK_END);
    return true;
}

char *
qemuGuestLogTail(const char *folder, const char *name, off_t begin)
{
    g_autofree char *path = g_strdup_printf("%s/%s.log", folder, name);
    VIR_AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[4096];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, begin);

    text[MAX(n, 0)] = '\0';
    return g_strdup(g_strchomp(text));
}
