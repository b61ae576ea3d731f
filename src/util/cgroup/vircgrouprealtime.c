/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgrouprealtime.c: why a thread may not become a real-time one, though its process might.
 *
 * A kernel with CONFIG_RT_GROUP_SCHED shares real time out among the groups of the cpu controller.
 * On v1 a new group has none of it (cpu.rt_runtime_us is 0) until every group above it, and then it
 * itself, was given some; on v2 there is no such file, and none but the root has any. See the
 * kernel's Documentation/scheduler/sched-rt-group.rst. Only reads. */
#include <errno.h>
#include <sched.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virfile.h"
#include "util/virutil.h"

#define FILE_MAX (8u << 20)
#define RUNTIME "cpu.rt_runtime_us"

static char *
virCgroupRealtimeV1(const char *mount, const char *place)
{
    g_autofree char *folder = g_build_filename(mount, place, NULL);
    g_autofree char *path = g_build_filename(folder, RUNTIME, NULL);
    g_autofree char *text = virFileRead(path, 64, NULL, NULL);

    if (!text || !g_str_equal(g_strchomp(text), "0"))
        return NULL;
    return g_strdup_printf(
        _("control group %s has no time for real-time threads (" RUNTIME
          " is 0): leave cpu out of cgroup_controllers in virtwardd.conf, or have every "
          "group down to this one be given some"),
        folder);
}

static char *
virCgroupRealtimeV2(const char *mount, const char *place)
{
    g_autofree char *folder = g_build_filename(mount, place, NULL);

    if (g_str_equal(place, "/") ||
        !(virCgroupDelegatedControllers(mount) & 1u << VIR_CGROUP_CONTROLLER_CPU))
        return NULL;
    return g_strdup_printf(
        _("if this kernel groups real-time threads (CONFIG_RT_GROUP_SCHED), there is no time for "
          "any in control group %s: boot it with rt_group_sched=0"),
        folder);
}

/* What is in the way of the thread, NULL: nothing is known. */
static char *
virCgroupRealtimeReason(pid_t tid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)tid);
    g_autofree char *mounts = virFileRead("/proc/self/mounts", FILE_MAX, NULL, NULL);
    g_autofree char *text = virFileRead(path, FILE_MAX, NULL, NULL);
    g_auto(virCgroupMounts) at = {0};
    const char *v1Place;

    if (!mounts || !text)
        return NULL;
    virCgroupMountsParse(&at, mounts);
    virCgroupMountsPlace(&at, text);
    v1Place = at.v1Place[VIR_CGROUP_CONTROLLER_CPU];
    if (v1Place)
        return virCgroupRealtimeV1(at.v1[VIR_CGROUP_CONTROLLER_CPU], v1Place);
    return at.v2Place ? virCgroupRealtimeV2(at.v2, at.v2Place) : NULL;
}

void
virCgroupExplainRealtime(pid_t tid, int policy, int failure, GError **error)
{
    g_autofree char *reason = NULL;
    char *message;

    if (!error || failure != EPERM || (policy != SCHED_FIFO && policy != SCHED_RR))
        return;
    reason = virCgroupRealtimeReason(tid);
    if (!reason)
        return;
    message = g_strdup_printf("%s: %s", (*error)->message, reason);
    g_free((*error)->message);
    (*error)->message = message;
}
