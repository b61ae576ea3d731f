/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * group.h: where the control group behind a descriptor lies.
 *
 * Nobody can move a control group below another one, so what is true of a descriptor once stays
 * true. Names are not looked at, and no step leaves the hierarchy: a group that somebody has
 * mounted over another one's folder is still where the kernel keeps it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* *retBelow: the group of fd (a folder's descriptor, O_PATH is enough; of any hierarchy) is one of
 * groups or below one. groups are written as in this process's /proc/self/cgroup; one that does not
 * exist has nothing below it. VIR_ERR_ACCESS_DENIED if fd is no control group. Reads
 * /proc/self/mountinfo and the hierarchy; no rights but to search it. Any thread. */
bool helperGroupIsBelow(int fd, const char *const *groups, bool *retBelow, GError **error);
/* What was found is remembered, for one set of groups; before another one comes: */
void helperGroupForget(void);
/* The group behind the descriptor was made under the name of one of groups where that one is to be:
 * from now on it is known without a look. */
void helperGroupMade(int fd);
/* How many groups lie between the one behind the descriptor, which helperGroupIsBelow has found,
 * and one of groups: 0 for that itself; -1 where that is not known (a container's mount). */
int helperGroupDepth(int fd);
/* The same group by a mount of this process's own that can be written to (O_PATH; the caller's): a
 * container's cannot. -1: there is none. */
int helperGroupReopen(int fd, GError **error);
/* True if the group behind the descriptor is the one right above one of groups that is called name:
 * where that one is to be made. */
bool helperGroupIsAbove(int fd, const char *name, const char *const *groups, bool *retAbove,
                        GError **error);
