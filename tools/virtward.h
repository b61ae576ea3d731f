/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtward.h: the command line for what virsh has no word for. A file a command. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "daemon/layout.h"

/* What every command gets: where the instance keeps its things, and --root as given. */
typedef struct {
    const char *root; /* NULL: the system's, or the user's own */
    virDaemonLayout *layout;
} virtwardContext;

typedef struct {
    const char *name;
    const char *summary; /* for --help; translatable */
    /* argv[0] is the command's name. The exit status; errors are printed by the caller. */
    bool (*run)(const virtwardContext *context, int argc, char **argv, GError **error);
} virtwardCommand;

extern const virtwardCommand virtwardCheckHost, virtwardDevices;
extern const virtwardCommand virtwardHandlers;

/* A guest that runs, from its status file. */
typedef struct {
    char *name;
    unsigned char uuid[16];
    char *group; /* its name (virCgroupNew), NULL: it has none */
} virtwardGuest;
void virtwardGuestFree(virtwardGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virtwardGuest, virtwardGuestFree)

/* Names of all guests that run, sorted; caller frees with g_ptr_array_unref. */
GPtrArray *virtwardGuestNames(const virtwardContext *context, GError **error);
/* VIR_ERR_NO_DOMAIN if none of this name runs. */
virtwardGuest *virtwardGuestFind(const virtwardContext *context, const char *name, GError **error);

/* Prints rows of count cells each in columns, a blank between; the first row is the head. */
void virtwardPrintTable(const GPtrArray *cells /* char * */, guint count);
