/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupsettle.c: see vircgroupsettle.h. The hierarchy's root is found by going up from the
 * group, which RESOLVE_NO_XDEV keeps on its mount; paths in /proc/PID/cgroup are below that. */
#include "util/cgroup/vircgroupsettle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

enum { TEXT_MAX = 65536, MOUNTS_MAX = 8 << 20 };

static bool
hasEnded(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    return poll(&ended, 1, 0) != 0;
}

/* --- where a process is in the hierarchy of a group --- */

static int
openWith(int folder, const char *name, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};

    return (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
}

/* The root of the hierarchy as it is mounted; the caller's. */
static int
openRoot(int groupFd)
{
    int at = openat(groupFd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    while (at >= 0) {
        int above = openWith(at, "..", O_PATH | O_DIRECTORY, RESOLVE_NO_XDEV);

        if (above < 0)
            return at;
        virCloseFd(&at);
        at = above;
    }
    return at;
}

/* What the hierarchy of v1 is called in mount options: "rw,cpu,cpuacct"; caller frees. */
static char *
optionsOf(dev_t device)
{
    g_autofree char *wanted = g_strdup_printf(" %u:%u ", major(device), minor(device));
    g_autofree char *text = virFileRead("/proc/self/mountinfo", MOUNTS_MAX, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++) {
        const char *last = strrchr(*line, ' ');

        if (last && strstr(*line, wanted))
            return g_strdup(last + 1);
    }
    return NULL;
}

/* A line of /proc/PID/cgroup, "4:cpu,cpuacct:/a/b", is of that hierarchy. */
static bool
isLineOf(const char *line, const char *options)
{
    g_auto(GStrv) words = g_strsplit(line, ":", 3);
    g_auto(GStrv) controllers = words[0] && words[1] ? g_strsplit(words[1], ",", -1) : NULL;
    g_auto(GStrv) mounted = options ? g_strsplit(options, ",", -1) : NULL;

    if (!options)
        return g_str_has_prefix(line, "0::");
    return controllers && *controllers && **controllers &&
           g_strv_contains((const char *const *)mounted, *controllers);
}

/* The group that the process is in, in the hierarchy of groupFd; the caller's. -1: it has ended. */
static int
openGroupOf(pid_t pid, int groupFd)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = virFileRead(path, TEXT_MAX, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    VIR_AUTOCLOSE root = openRoot(groupFd);
    g_autofree char *options = NULL;
    struct statfs fs;
    struct stat st;

    if (root < 0 || fstatfs(groupFd, &fs) < 0 || fstat(groupFd, &st) < 0)
        return -1;
    if (fs.f_type != CGROUP2_SUPER_MAGIC && !(options = optionsOf(st.st_dev)))
        return -1;
    for (char **line = lines; *line; line++) {
        const char *name = isLineOf(*line, options) ? strchr(strchr(*line, ':') + 1, ':') : NULL;

        if (name)
            return openWith(root, name[2] ? name + 2 : ".", O_PATH | O_DIRECTORY,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    }
    return -1;
}

static bool
isSame(int a, int b)
{
    struct stat first, second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* --- putting back --- */

/* The number of its parent; 0: none. */
static pid_t
parentOf(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = virFileRead(path, TEXT_MAX, NULL, NULL);
    const char *end = text ? strrchr(text, ')') : NULL; /* a name may have any characters */
    char state;
    int parent = 0;

    return end && sscanf(end + 1, " %c %d", &state, &parent) == 2 ? parent : 0;
}

/* 0 or errno. */
static int
moveTo(int group, const char *file, pid_t number)
{
    g_autofree char *text = g_strdup_printf("%d", (int)number);
    VIR_AUTOCLOSE fd = openat(group, file, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;
}

static void
putBack(int groupFd, const char *file, pid_t number)
{
    VIR_AUTOCLOSE pidfd = pidfd_open(number, 0);
    VIR_AUTOCLOSE now = -1;
    VIR_AUTOCLOSE home = -1;
    int failure;

    if (pidfd < 0 && errno == ESRCH)
        return; /* the number is nobody's */
    now = openGroupOf(number, groupFd);
    if (now < 0 || !isSame(now, groupFd))
        return; /* it has ended, or nothing was moved */
    home = openGroupOf(parentOf(number), groupFd);
    if (home >= 0 && isSame(home, groupFd))
        return; /* it was born here */
    failure = home < 0 ? ESRCH : moveTo(home, file, number);
    if (failure == 0 || (pidfd >= 0 && hasEnded(pidfd)))
        VIR_INFO(
            "process %d had got the number of one that ended while it was moved into a control "
            "group, and was put back",
            (int)number);
    else
        VIR_WARN("process %d was moved into a control group in the place of one that ended, and "
                 "cannot be put back: %s",
                 (int)number, g_strerror(failure));
}

bool
virCgroupSettleMove(int groupFd, const char *file, int pidfd, pid_t number)
{
    if (!hasEnded(pidfd))
        return true;
    putBack(groupFd, file, number);
    return false;
}

bool
virCgroupSettleThread(int groupFd, const char *file, int pidfd, pid_t number)
{
    pid_t pid = virPidfdGetPid(pidfd, NULL);
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", (int)pid, (int)number);

    if (pid > 0 && access(path, F_OK) == 0 && !hasEnded(pidfd))
        return true;
    putBack(groupFd, file, number);
    return false;
}
