/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupmounts.c: where the control group hierarchies are, from the text of mountinfo. Facts:
 * proc(5), cgroups(7). Memory only. */
#include <string.h>

#include "util/cgroup/vircgroupbackend.h"

static const char *const controllers[] = {"cpu",     "cpuacct", "cpuset", "memory",
                                          "devices", "freezer", "blkio",  "pids"};
G_STATIC_ASSERT(G_N_ELEMENTS(controllers) == VIR_CGROUP_CONTROLLER_LAST);

void
virCgroupMountsClear(virCgroupMounts *mounts)
{
    g_clear_pointer(&mounts->v2, g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(mounts->v1); i++)
        g_clear_pointer(&mounts->v1[i], g_free);
}

/* Space, tab, newline and backslash stand as \040 and so on. */
static char *
virCgroupMountsUnescape(const char *text)
{
    GString *plain = g_string_new(NULL);

    for (; *text; text++) {
        if (text[0] == '\\' && g_ascii_isdigit(text[1]) && g_ascii_isdigit(text[2]) &&
            g_ascii_isdigit(text[3])) {
            g_string_append_c(plain,
                              (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0'));
            text += 3;
        } else {
            g_string_append_c(plain, *text);
        }
    }
    return g_string_free(plain, FALSE);
}

static void
virCgroupMountsAddV1(virCgroupMounts *mounts, const char *point, const char *options)
{
    g_auto(GStrv) words = g_strsplit(options, ",", -1);

    for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
        if (!mounts->v1[i] && g_strv_contains((const char *const *)words, controllers[i]))
            mounts->v1[i] = virCgroupMountsUnescape(point);
    }
}

/* id parent major:minor root POINT options [tags...] - TYPE source SUPEROPTIONS */
static void
virCgroupMountsAddLine(virCgroupMounts *mounts, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    guint count = g_strv_length(words);
    guint dash = 6;

    while (dash < count && !g_str_equal(words[dash], "-"))
        dash++;
    if (dash + 3 >= count)
        return;
    if (g_str_equal(words[dash + 1], "cgroup2") && !mounts->v2)
        mounts->v2 = virCgroupMountsUnescape(words[4]);
    else if (g_str_equal(words[dash + 1], "cgroup"))
        virCgroupMountsAddV1(mounts, words[4], words[dash + 3]);
}

void
virCgroupMountsParse(virCgroupMounts *mounts, const char *mountinfo)
{
    g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);

    memset(mounts, 0, sizeof(*mounts));
    for (char **line = lines; *line; line++)
        virCgroupMountsAddLine(mounts, *line);
}
