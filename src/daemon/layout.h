/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * layout.h: where an instance of the daemon keeps its things. Constant after start. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *run;        /* sockets, status and pid files */
    char *libvirtRun; /* where clients look for libvirt's sockets */
    char *etc;        /* configuration, definitions */
    char *lib;        /* monitor sockets, nvram */
    char *cache;      /* capabilities */
    char *log;        /* guest logs */
} virDaemonLayout;

/* root: everything below it. NULL: the system's folders as root, the user's own as anybody else. */
virDaemonLayout *virDaemonLayoutNew(const char *root);
void virDaemonLayoutFree(virDaemonLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDaemonLayout, virDaemonLayoutFree)

/* Makes the folders that are missing. */
bool virDaemonLayoutMake(const virDaemonLayout *layout, GError **error);
