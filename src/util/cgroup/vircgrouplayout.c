/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgrouplayout.c: where the folders of a guest's group are, in each hierarchy. Names alone, but
 * for virCgroupEntryIn, which looks. */
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"

char *
virCgroupFolderIn(const virCgroup *group, const virCgroupHierarchy *at)
{
    return g_build_filename(group->scope ? at->mount : at->path, group->below, NULL);
}

char *
virCgroupProcsFolderIn(const virCgroup *group, const virCgroupHierarchy *at)
{
    return at == virCgroupHierarchyAt(group->instance, 0) ? g_strdup(group->leafPath)
                                                          : virCgroupFolderIn(group, at);
}

char *
virCgroupPartFolderIn(const virCgroup *group, const virCgroupHierarchy *at,
                      const virCgroupPart *part)
{
    g_autofree char *procs = NULL;

    if (!part || part->type == VIR_CGROUP_PART_GUEST)
        return virCgroupFolderIn(group, at);
    procs = virCgroupProcsFolderIn(group, at);
    switch (part->type) {
    case VIR_CGROUP_PART_VCPU:
        return g_strdup_printf("%s/vcpu%u", procs, part->id);
    case VIR_CGROUP_PART_IOTHREAD:
        return g_strdup_printf("%s/iothread%u", procs, part->id);
    default:
        return g_strdup_printf("%s/emulator", procs);
    }
}

char *
virCgroupEntryIn(const virCgroup *group, const virCgroupHierarchy *at)
{
    static const virCgroupPart emulator = {VIR_CGROUP_PART_EMULATOR, 0};
    g_autofree char *part = virCgroupPartFolderIn(group, at, &emulator);

    return access(part, F_OK) == 0 ? g_steal_pointer(&part) : virCgroupProcsFolderIn(group, at);
}

/* --- what is to be made --- */

static void
virCgroupFolderFree(void *opaque)
{
    virCgroupFolder *folder = opaque;

    g_free(folder->parent);
    g_free(folder->path);
    g_free(folder);
}

/* parent is copied, path taken over. */
static void
virCgroupFolderAdd(GPtrArray *folders, virCgroupFolderKind kind, const virCgroupHierarchy *at,
                   const char *parent, char *path, unsigned controllers)
{
    virCgroupFolder *folder = g_new(virCgroupFolder, 1);

    *folder = (virCgroupFolder){kind, at, g_strdup(parent), path, controllers};
    g_ptr_array_add(folders, folder);
}

/* From the instance's, or from the outermost slice, to the guest's. */
static void
virCgroupFoldersAddGuest(GPtrArray *folders, const virCgroup *group, const virCgroupHierarchy *at)
{
    g_auto(GStrv) words = g_strsplit(group->below, "/", -1);
    g_autofree char *parent = g_strdup(group->scope ? at->mount : at->path);

    if (!group->scope)
        virCgroupFolderAdd(folders, VIR_CGROUP_FOLDER_SHARED, at, at->mount, g_strdup(at->path),
                           at->controllers);
    for (char **word = words; *word; word++) {
        const virCgroupFolderKind above =
            group->scope ? VIR_CGROUP_FOLDER_SLICE : VIR_CGROUP_FOLDER_SHARED;
        char *path = g_build_filename(parent, *word, NULL);

        virCgroupFolderAdd(folders, word[1] ? above : VIR_CGROUP_FOLDER_GUEST, at, parent, path,
                           at->controllers);
        g_free(parent);
        parent = g_strdup(path);
    }
}

GPtrArray *
virCgroupFoldersUnused(const virCgroup *group)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(virCgroupFolderFree);

    for (guint i = 0; i < group->instance->unused->len; i++)
        virCgroupFoldersAddGuest(folders, group,
                                 &g_array_index(group->instance->unused, virCgroupHierarchy, i));
    return folders;
}

GPtrArray *
virCgroupFolders(const virCgroup *group, const virCgroupPart *part)
{
    const bool whole = !part || part->type == VIR_CGROUP_PART_GUEST;
    GPtrArray *folders = g_ptr_array_new_with_free_func(virCgroupFolderFree);

    for (guint i = 0; i < group->instance->hierarchies->len; i++) {
        const virCgroupHierarchy *at = virCgroupHierarchyAt(group->instance, i);
        const unsigned threads = at->controllers & VIR_CGROUP_THREAD_CONTROLLERS;
        g_autofree char *procs = virCgroupProcsFolderIn(group, at);

        if (whole)
            virCgroupFoldersAddGuest(folders, group, at);
        if (whole && i == 0)
            virCgroupFolderAdd(folders, VIR_CGROUP_FOLDER_LEAF, at, group->path,
                               g_strdup(group->leafPath), threads);
        if (!whole && threads)
            virCgroupFolderAdd(folders, VIR_CGROUP_FOLDER_PART, at, procs,
                               virCgroupPartFolderIn(group, at, part), threads);
    }
    return folders;
}
