/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupmounts.c: where the control group hierarchies are, which controllers each has, and where
 * in them this process is: from the texts of /proc/self/mounts, cgroup.controllers and
 * /proc/self/cgroup. Facts: proc(5), cgroups(7). Memory only. */
#include <string.h>

#include "util/cgroup/vircgroupbackend.h"

static const char *const names[] = {"cpu",     "cpuacct",    "cpuset",      "memory",
                                    "devices", "freezer",    "blkio",       "pids",
                                    "net_cls", "perf_event", "name=systemd"};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == VIR_CGROUP_CONTROLLER_LAST);

const char *
virCgroupControllerToString(virCgroupController controller)
{
    return names[controller];
}

bool
virCgroupControllerFromString(const char *name, virCgroupController *retController)
{
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(name, names[i]) != 0)
            continue;
        *retController = (virCgroupController)i;
        return true;
    }
    return false;
}

void
virCgroupMountsClear(virCgroupMounts *mounts)
{
    g_clear_pointer(&mounts->v2, g_free);
    g_clear_pointer(&mounts->v2Place, g_free);
    for (size_t i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++) {
        g_clear_pointer(&mounts->v1[i], g_free);
        g_clear_pointer(&mounts->v1Place[i], g_free);
    }
    mounts->v2Controllers = 0;
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

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!g_strv_contains((const char *const *)words, names[i]))
            continue;
        g_free(mounts->v1[i]);
        mounts->v1[i] = virCgroupMountsUnescape(point);
    }
}

/* source POINT TYPE OPTIONS 0 0; the latest mount of a hierarchy is the one that counts. */
static void
virCgroupMountsAddLine(virCgroupMounts *mounts, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    if (g_strv_length(words) < 4)
        return;
    if (g_str_equal(words[2], "cgroup2")) {
        g_free(mounts->v2);
        mounts->v2 = virCgroupMountsUnescape(words[1]);
    } else if (g_str_equal(words[2], "cgroup")) {
        virCgroupMountsAddV1(mounts, words[1], words[3]);
    }
}

void
virCgroupMountsParse(virCgroupMounts *mounts, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    memset(mounts, 0, sizeof(*mounts));
    for (char **line = lines; *line; line++)
        virCgroupMountsAddLine(mounts, *line);
}

void
virCgroupMountsOffer(virCgroupMounts *mounts, const char *controllers, bool devices)
{
    g_auto(GStrv) words = g_strsplit_set(controllers, " \n", -1);

    mounts->v2Controllers = devices ? 1u << VIR_CGROUP_CONTROLLER_DEVICES : 0;
    for (char **word = words; *word; word++) {
        virCgroupController controller;

        if (virCgroupControllerFromString(g_str_equal(*word, "io") ? "blkio" : *word, &controller))
            mounts->v2Controllers |= 1u << controller;
    }
    if (mounts->v2Controllers & (1u << VIR_CGROUP_CONTROLLER_CPU))
        mounts->v2Controllers |= 1u << VIR_CGROUP_CONTROLLER_CPUACCT; /* cpu.stat */
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (mounts->v2Controllers & (1u << i))
            g_clear_pointer(&mounts->v1[i], g_free);
    }
}

bool
virCgroupMountsHasAny(const virCgroupMounts *mounts)
{
    for (size_t i = 0; i < VIR_CGROUP_CONTROLLER_SYSTEMD; i++) {
        if (mounts->v1[i])
            return true;
    }
    return mounts->v2Controllers != 0;
}

void
virCgroupMountsPlace(virCgroupMounts *mounts, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ":", 3); /* number:controllers:path */
        g_auto(GStrv) list = NULL;

        if (g_strv_length(words) != 3)
            continue;
        if (!*words[1] && mounts->v2) {
            g_free(mounts->v2Place);
            mounts->v2Place = g_strdup(words[2]);
        }
        list = g_strsplit(words[1], ",", -1);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            if (!mounts->v1[i] || !g_strv_contains((const char *const *)list, names[i]))
                continue;
            g_free(mounts->v1Place[i]);
            mounts->v1Place[i] = g_strdup(words[2]);
        }
    }
}
