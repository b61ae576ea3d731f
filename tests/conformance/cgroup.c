/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup.c: where the hierarchies are and what each offers, from the texts of a foreign machine. */
#include <string.h>
#include <sys/stat.h>

#include "families.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"

/* What stands in cgroup.controllers wherever the machine of a row has a unified hierarchy. */
#define OFFERED "cpu io memory"

/* In the order of the expected files; the family knows no pids. */
static const virCgroupController printed[] = {
    VIR_CGROUP_CONTROLLER_CPU,     VIR_CGROUP_CONTROLLER_CPUACCT, VIR_CGROUP_CONTROLLER_CPUSET,
    VIR_CGROUP_CONTROLLER_MEMORY,  VIR_CGROUP_CONTROLLER_DEVICES, VIR_CGROUP_CONTROLLER_FREEZER,
    VIR_CGROUP_CONTROLLER_BLKIO,   VIR_CGROUP_CONTROLLER_NET_CLS, VIR_CGROUP_CONTROLLER_PERF_EVENT,
    VIR_CGROUP_CONTROLLER_SYSTEMD,
};

static void
conformanceCgroupLine(GString *text, const char *name, const char *mount)
{
    g_string_append_printf(text, "%-12s %s\n", name, mount ? mount : "<null>");
}

static bool
conformanceCgroupDetect(const virCgroupMounts *mounts, conformanceResult *result, GError **error)
{
    GString *text;

    if (!mounts->v2 && !virCgroupMountsHasAny(mounts)) {
        virErrorSet(error, VIR_ERR_SYSTEM_ERROR, "no control groups are mounted");
        return conformanceFail(result, "detect");
    }
    text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(printed); i++)
        conformanceCgroupLine(text, virCgroupControllerToString(printed[i]),
                              mounts->v1[printed[i]]);
    conformanceCgroupLine(text, "unified", mounts->v2);
    return conformanceAdd(result, g_string_free(text, FALSE));
}

/* --- the place of a process, as a JSON object with its keys in order --- */

static int
conformanceCgroupCompare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name": followed by the members, which are texts already; frees them. */
static void
conformanceCgroupMembers(GString *text, const char *name, GPtrArray *members, const char *brackets)
{
    g_ptr_array_sort(members, conformanceCgroupCompare);
    g_string_append_printf(text, "\"%s\": %c", name, brackets[0]);
    for (guint i = 0; i < members->len; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "",
                               (const char *)g_ptr_array_index(members, i));
    g_string_append_printf(text, "%c, ", brackets[1]);
    g_ptr_array_unref(members);
}

/* Where controllers are mounted together, /sys/fs/cgroup/cpu is a link to .../cpu,cpuacct. */
static char *
conformanceCgroupLink(const char *mount, const char *controller)
{
    g_autofree char *base = g_path_get_basename(mount);
    g_autofree char *folder = g_path_get_dirname(mount);
    g_autofree char *path = g_build_filename(folder, controller, NULL);
    struct stat st;

    return strchr(base, ',') && lstat(path, &st) == 0 && S_ISLNK(st.st_mode)
               ? g_steal_pointer(&path)
               : NULL;
}

static void
conformanceCgroupPair(GPtrArray *members, const char *name, const char *value)
{
    if (value)
        g_ptr_array_add(members, g_strdup_printf("\"%s\": \"%s\"", name, value));
}

static bool
conformanceCgroupSelf(const virCgroupMounts *mounts, conformanceResult *result, GError **error)
{
    GPtrArray *links = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *points = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *places = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *offers = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new("{");

    for (guint i = 0; i < G_N_ELEMENTS(printed); i++) {
        const char *name = virCgroupControllerToString(printed[i]);
        const char *mount = mounts->v1[printed[i]];
        g_autofree char *link = mount ? conformanceCgroupLink(mount, name) : NULL;

        conformanceCgroupPair(links, name, link);
        conformanceCgroupPair(points, name, mount);
        conformanceCgroupPair(places, name, mounts->v1Place[printed[i]]);
        if (mounts->v2Controllers & (1u << printed[i]))
            g_ptr_array_add(offers, g_strdup_printf("\"%s\"", name));
    }
    conformanceCgroupMembers(text, "links", links, "{}");
    conformanceCgroupMembers(text, "mounts", points, "{}");
    conformanceCgroupMembers(text, "placement", places, "{}");
    conformanceCgroupMembers(text, "unified_controllers", offers, "[]");
    g_string_append_printf(text, "\"unified_mount\": \"%s\", \"unified_placement\": \"%s\"}",
                           mounts->v2 ? mounts->v2 : "", mounts->v2Place ? mounts->v2Place : "");
    if (!virCgroupMountsHasAny(mounts)) {
        g_string_free(text, TRUE);
        virErrorSet(error, VIR_ERR_SYSTEM_ERROR, "no controller is there");
        return conformanceFail(result, "self");
    }
    return conformanceAdd(result, g_string_free(text, FALSE));
}

bool
conformanceVirCgroup(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_auto(virCgroupMounts) mounts = {0};
    g_autofree char *text = conformanceInput(row, 0, error);
    g_autofree char *self = text ? conformanceInput(row, 2, error) : NULL;

    if (!self)
        return conformanceFail(result, "read");
    virCgroupMountsParse(&mounts, text);
    if (mounts.v2 && g_strcmp0(conformanceFlag(row, "mode"), "legacy") != 0)
        virCgroupMountsOffer(&mounts, OFFERED, /* devices: */ true);
    virCgroupMountsPlace(&mounts, self);
    return g_str_equal(row->variant, "self") ? conformanceCgroupSelf(&mounts, result, error)
                                             : conformanceCgroupDetect(&mounts, result, error);
}
