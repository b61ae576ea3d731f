/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virprocstat.c: /proc/PID/stat, schedstat and sched in numbers with units. */
#include "util/virprocstat.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { PROC_TEXT_MAX = 64 * 1024 };

/* Numbers of the fields behind the name, which may hold anything, counted as proc(5) does. */
enum { FIELD_NAME = 2, FIELD_UTIME = 14, FIELD_STIME = 15, FIELD_RSS = 24, FIELD_CPU = 39 };

static uint64_t
virProcStatTicks(uint64_t ticks)
{
    return ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

bool
virProcStatParse(const char *text, virProcStat *ret)
{
    const char *at = strrchr(text, ')');

    *ret = (virProcStat){0};
    for (int field = FIELD_NAME + 1; at && (at = strchr(at, ' ')); field++) {
        uint64_t value = g_ascii_strtoull(++at, NULL, 10);

        if (field == FIELD_UTIME)
            ret->user_ns = virProcStatTicks(value);
        else if (field == FIELD_STIME)
            ret->system_ns = virProcStatTicks(value);
        else if (field == FIELD_RSS)
            ret->rssKiB = value * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
        else if (field == FIELD_CPU) {
            ret->cpu = (int)value;
            return true;
        }
    }
    return false;
}

bool
virProcStatParseWait(const char *text, uint64_t *retWait_ns)
{
    static const char *const keys[] = {"se.statistics.wait_sum", "\nwait_sum"};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *at = strstr(text, keys[i]);

        if (at && (at = strchr(at, ':'))) {
            *retWait_ns = (uint64_t)(g_ascii_strtod(at + 1, NULL) * 1000000.0);
            return true;
        }
    }
    return false;
}

bool
virProcParseMemlock(const char *limits, uint64_t *retLimit)
{
    static const char key[] = "Max locked memory";
    const char *at = strstr(limits, key);

    if (!at)
        return false;
    at += strlen(key);
    at += strspn(at, " ");
    *retLimit = g_str_has_prefix(at, "unlimited") ? UINT64_MAX : g_ascii_strtoull(at, NULL, 10);
    return true;
}

/* Locked pages and pinned ones are counted apart and against the same limit. */
uint64_t
virProcParseLocked(const char *status)
{
    static const char *const keys[] = {"\nVmLck:", "\nVmPin:"};
    uint64_t sum = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *at = strstr(status, keys[i]);

        if (at)
            sum += g_ascii_strtoull(at + strlen(keys[i]), NULL, 10) * 1024;
    }
    return sum;
}

static char *
virProcStatText(pid_t pid, pid_t tid, const char *file)
{
    g_autofree char *path = tid ? g_strdup_printf("/proc/%d/task/%d/%s", (int)pid, (int)tid, file)
                                : g_strdup_printf("/proc/%d/%s", (int)pid, file);

    return virFileRead(path, PROC_TEXT_MAX, NULL, NULL);
}

bool
virProcReadMemlock(pid_t pid, uint64_t *retLimit, uint64_t *retLocked)
{
    g_autofree char *limits = virProcStatText(pid, 0, "limits");
    g_autofree char *status = retLocked ? virProcStatText(pid, 0, "status") : NULL;

    if (!limits || (retLocked && !status))
        return false;
    if (retLocked)
        *retLocked = virProcParseLocked(status);
    return virProcParseMemlock(limits, retLimit);
}

bool
virProcStatRead(pid_t pid, pid_t tid, virProcStat *ret)
{
    g_autofree char *stat = virProcStatText(pid, tid, "stat");
    g_autofree char *schedule = NULL;
    uint64_t delay;

    if (!stat || !virProcStatParse(stat, ret))
        return false;
    schedule = virProcStatText(pid, tid, "schedstat");
    if (schedule && sscanf(schedule, "%*u %" SCNu64, &delay) == 1)
        ret->delay_ns = delay;
    return true;
}

bool
virProcStatReadWait(pid_t pid, pid_t tid, uint64_t *retWait_ns)
{
    g_autofree char *text = virProcStatText(pid, tid, "sched");

    return text && virProcStatParseWait(text, retWait_ns);
}

pid_t
virPidfdGetPid(int pidfd, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", pidfd);
    g_autofree char *text = virFileRead(path, 4096, NULL, error);
    const char *line = text ? strstr(text, "\nPid:") : NULL;
    gint64 pid;

    if (!text)
        return -1;
    if (!line) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("descriptor %d is no process"), pidfd);
        return -1;
    }
    pid = g_ascii_strtoll(line + strlen("\nPid:"), NULL, 10);
    return pid > 0 ? (pid_t)pid : 0; /* -1 there: it has ended */
}

/* The initial one maps each id to itself. */
bool
virProcStatParseUidMap(const char *text)
{
    unsigned inside;
    unsigned outside;
    unsigned count;

    return sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
           outside == 0 && count == UINT32_MAX;
}

bool
virProcInInitialUserns(void)
{
    static gsize answer; /* 1 no, 2 yes */

    if (g_once_init_enter(&answer)) {
        g_autofree char *text = virFileRead("/proc/self/uid_map", PROC_TEXT_MAX, NULL, NULL);

        g_once_init_leave(&answer, text && !virProcStatParseUidMap(text) ? 1 : 2);
    }
    return answer == 2;
}
