/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupdelegated.c: the part of the unified hierarchy that a user's daemon was given.
 *
 * systemd marks what it gives away with an attribute (user.delegate, since its version 251).
 * Without systemd, a group is given when we may write to it and not to the one above. Whatever else
 * is ours to write belongs to the user's service manager, which keeps it itself. Facts: cgroups(7)
 * on delegation, systemd's CGROUP_DELEGATION. Reads, but for virCgroupDelegatedClear. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

/* Where this process goes. */
#define DAEMON "/virtward-daemon"

static bool
virCgroupIsWritable(const char *folder)
{
    g_autofree char *procs = g_build_filename(folder, "cgroup.procs", NULL);
    g_autofree char *subtree = g_build_filename(folder, "cgroup.subtree_control", NULL);

    return access(folder, W_OK) == 0 && access(procs, W_OK) == 0 && access(subtree, W_OK) == 0;
}

static bool
virCgroupIsGiven(const char *folder)
{
    g_autofree char *above = g_path_get_dirname(folder);
    char mark[2] = "";

    if (getxattr(folder, "user.delegate", mark, sizeof(mark)) == 1)
        return mark[0] == '1';
    return !virCgroupIsWritable(above);
}

char *
virCgroupDelegatedPlace(const virCgroupMounts *mounts, const char **retReason)
{
    g_autofree char *place = NULL;

    if (!mounts->v2 || !mounts->v2Place) {
        *retReason = N_("cgroup2 is not mounted");
        return NULL;
    }
    place = g_build_filename(mounts->v2, mounts->v2Place, NULL);
    if (g_str_has_suffix(place, DAEMON)) /* an earlier daemon's doing, which became this one */
        place[strlen(place) - strlen(DAEMON)] = '\0';
    if (!virCgroupIsWritable(place) || !virCgroupIsGiven(place)) {
        *retReason = N_("this user's daemon was given no control group (Delegate=yes)");
        return NULL;
    }
    return g_steal_pointer(&place);
}

unsigned
virCgroupDelegatedControllers(const char *place)
{
    g_autofree char *path = g_build_filename(place, "cgroup.controllers", NULL);
    g_autofree char *text = virFileRead(path, 4096, NULL, NULL);
    g_auto(virCgroupMounts) offered = {0};

    virCgroupMountsOffer(&offered, text ? text : "", /* devices: */ false);
    return offered.v2Controllers;
}

bool
virCgroupDelegatedClear(const char *place, GError **error)
{
    g_autofree char *folder = g_build_filename(place, DAEMON, NULL);
    g_autofree char *procs = g_build_filename(folder, "cgroup.procs", NULL);
    VIR_AUTOCLOSE fd = -1;

    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return virErrorErrno(error, _("cannot make control group %s"), folder);
    fd = open(procs, O_WRONLY | O_CLOEXEC);
    return (fd >= 0 && write(fd, "0", 1) == 1) ||
           virErrorErrno(error, _("Unable to write to '%s'"), procs);
}
