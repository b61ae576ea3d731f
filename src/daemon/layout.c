/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * layout.c: the folders of an instance. */
#include "daemon/layout.h"

#include <string.h>
#include <unistd.h>

#include "util/virfile.h"

static void
layoutBelow(virDaemonLayout *layout, const char *root)
{
    g_autofree char *whole = g_canonicalize_filename(root, NULL);

    layout->run = g_build_filename(whole, "run", NULL);
    layout->libvirtRun = g_build_filename(whole, "run", "libvirt", NULL);
    layout->etc = g_build_filename(whole, "etc", NULL);
    layout->lib = g_build_filename(whole, "lib", NULL);
    layout->cache = g_build_filename(whole, "cache", NULL);
    layout->log = g_build_filename(whole, "log", NULL);
}

static void
layoutOfSystem(virDaemonLayout *layout)
{
    layout->run = g_strdup("/run/virtward");
    layout->libvirtRun = g_strdup("/run/libvirt");
    layout->etc = g_strdup(SYSCONFDIR);
    layout->lib = g_strdup(LOCALSTATEDIR "/lib/virtward");
    layout->cache = g_strdup(LOCALSTATEDIR "/cache/virtward");
    layout->log = g_strdup(LOCALSTATEDIR "/log/virtward");
}

static void
layoutOfUser(virDaemonLayout *layout)
{
    layout->run = g_build_filename(g_get_user_runtime_dir(), "virtward", NULL);
    layout->libvirtRun = g_build_filename(g_get_user_runtime_dir(), "libvirt", NULL);
    layout->etc = g_build_filename(g_get_user_config_dir(), "virtward", NULL);
    layout->lib = g_build_filename(g_get_user_data_dir(), "virtward", NULL);
    layout->cache = g_build_filename(g_get_user_cache_dir(), "virtward", NULL);
    layout->log = g_build_filename(g_get_user_cache_dir(), "virtward", "log", NULL);
}

virDaemonLayout *
virDaemonLayoutNew(const char *root)
{
    virDaemonLayout *layout = g_new0(virDaemonLayout, 1);

    if (root)
        layoutBelow(layout, root);
    else if (geteuid() == 0)
        layoutOfSystem(layout);
    else
        layoutOfUser(layout);
    return layout;
}

void
virDaemonLayoutFree(virDaemonLayout *layout)
{
    if (!layout)
        return;
    g_free(layout->run);
    g_free(layout->libvirtRun);
    g_free(layout->etc);
    g_free(layout->lib);
    g_free(layout->cache);
    g_free(layout->log);
    g_free(layout);
}

bool
virDaemonLayoutMake(const virDaemonLayout *layout, GError **error)
{
    const char *paths[] = {layout->run, layout->etc, layout->lib, layout->cache, layout->log};

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (!virFileMakePath(paths[i], 0755, error))
            return false;
    }
    return true;
}
