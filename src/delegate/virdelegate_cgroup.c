/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_cgroup.c: the front of the hooks for groups: what must hold before and after. In a
 * job, without the core lock. */
#include <string.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virutil.h"

static bool
virDelegateCheckUsable(const virDelegate *door, GError **error)
{
    const char *reason = "";

    return virCgroupInstanceUsable(door->instance, &reason) ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("no control groups are available here: %s"), reason);
}

static bool
virDelegateGroupIsThere(virCgroup *group)
{
    return access(virCgroupPath(group), F_OK) == 0;
}

bool
virDelegateCgroupCreate(virDelegate *door, const virDelegateCall *call, const char *name,
                        virCgroup **retGroup, GError **error)
{
    virDelegateTrace trace = virDelegateBegin(door, call, "cgroup.create");
    g_autoptr(virCgroup) group = NULL;
    bool populated = false;

    if (!virDelegateCheckUsable(door, error))
        return false;
    group = virCgroupNew(door->instance, name);
    if (virDelegateGroupIsThere(group) && !virCgroupIsPopulated(group, &populated, error))
        return false;
    if (populated)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("control group %s already exists and has processes in it"),
                           virCgroupPath(group));
    if (!virDelegateEnd(&trace, door->ops->cgroupCreate(door, call, group, error)))
        return false;
    if (!virDelegateGroupIsThere(group))
        return virDelegateNotTrue(&trace, error, _("the group is not there"));
    *retGroup = g_steal_pointer(&group);
    return true;
}

/* The process is in the leaf, or has ended. */
static bool
virDelegateIsInside(virCgroup *group, int pidfd, bool *retInside, GError **error)
{
    g_autoptr(GArray) pids = virCgroupListProcs(group, error);
    pid_t pid = pids ? virDelegatePidOf(pidfd, error) : -1;

    if (pid < 0)
        return false;
    *retInside = pid == 0;
    for (guint i = 0; i < pids->len && !*retInside; i++)
        *retInside = g_array_index(pids, pid_t, i) == pid;
    return true;
}

bool
virDelegateCgroupMove(virDelegate *door, const virDelegateCall *call, virCgroup *group, int pidfd,
                      GError **error)
{
    virDelegateTrace trace = virDelegateBegin(door, call, "cgroup.move");
    bool inside = false;

    if (!virDelegateIsInside(group, pidfd, &inside, error))
        return false;
    if (inside)
        return true;
    if (!virDelegateEnd(&trace, door->ops->cgroupMove(door, call, group, pidfd, error)) ||
        !virDelegateIsInside(group, pidfd, &inside, error))
        return false;
    return inside || virDelegateNotTrue(&trace, error, _("the process is in another group"));
}

/* True if what is read back means value: the kernel rounds sizes down to pages, and shows a list of
 * devices where one line was written. */
static bool
virDelegateReadsAs(const char *text, const char *value)
{
    guint64 page = (guint64)sysconf(_SC_PAGESIZE);
    guint64 have = 0;
    guint64 want = 0;

    if (g_str_equal(text, value))
        return true;
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &have, NULL) &&
        g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &want, NULL))
        return have / page == want / page;
    if (g_ascii_isdigit(*value) && strchr(value, ':')) {
        g_auto(GStrv) words = g_strsplit(value, " ", 2);

        return strstr(text, words[0]) != NULL;
    }
    return false;
}

bool
virDelegateCgroupSet(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                     const char *file, const char *value, GError **error)
{
    virDelegateTrace trace = virDelegateBegin(door, call, "cgroup.set");
    g_autofree char *before = virCgroupGet(group, file, error);
    g_autofree char *after = NULL;

    if (!before)
        return false;
    if (g_str_equal(before, value))
        return true;
    if (!virDelegateEnd(&trace, door->ops->cgroupSet(door, call, group, file, value, error)))
        return false;
    after = virCgroupGet(group, file, error);
    if (!after)
        return false;
    return virDelegateReadsAs(after, value) ||
           virDelegateNotTrue(&trace, error, _("the file reads otherwise"));
}

bool
virDelegateCgroupRemove(virDelegate *door, const virDelegateCall *call, virCgroup *group,
                        unsigned timeout_ms, GError **error)
{
    virDelegateTrace trace = virDelegateBegin(door, call, "cgroup.remove");

    if (!virDelegateEnd(&trace, door->ops->cgroupRemove(door, call, group, timeout_ms, error)))
        return false;
    return !virDelegateGroupIsThere(group) ||
           virDelegateNotTrue(&trace, error, _("the group is still there"));
}
