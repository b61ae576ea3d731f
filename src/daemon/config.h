/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config.h: virtwardd.conf. Lines of key = value; a value is a number, true, false, or a "string";
 * # begins a comment. An unknown key is an error: a typing mistake must not go unnoticed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    char *unix_sock_group; /* NULL: as it comes */
    unsigned unix_sock_rw_perms;
    unsigned unix_sock_ro_perms;
    unsigned unix_sock_admin_perms;
    bool libvirt_sockets; /* also listen under libvirt's own names */
    char *auth_unix_rw;
    char *auth_unix_ro;
    int max_clients;
    int max_client_requests;
    int keepalive_interval; /* seconds; -1: no pings */
    int keepalive_count;
    char *user; /* that guests run as */
    char *group;
    bool dynamic_ownership;    /* images belong to that user while a guest runs */
    char **cgroup_device_acl;  /* nodes that every guest may use; NULL: the usual ones */
    char *cgroup_manager;      /* virSystemdManager, or "auto" */
    char **cgroup_controllers; /* that guests are put under; NULL: all there are */
    char **namespaces;         /* "mount": guests have a /dev of their own; NULL: none */
    char *gate_mode;           /* virGateMode: of guests that say nothing themselves */
    char *gate_lock;           /* virGateLock */
    int gate_rules;            /* that fit into a guest's gate at first */
    int gate_rules_max;        /* and at most */
    int gate_watch_interval;   /* seconds; 0: gates are looked at when something changes only */
    char *vnc_listen;
    char *spice_listen;
    int remote_display_port_min;
    int remote_display_port_max;
    int monitor_timeout, stop_timeout; /* seconds */
    char **handler_policy;             /* "HOOK=POLICY"; NULL: auto */
    char **handler_users;              /* names of users, besides root and our own */
    char **handler_groups;             /* control groups they must be in; NULL: any */
    int handler_timeout;               /* seconds; 0: what the hook says */
} virDaemonConfig;

/* What holds without a file. */
virDaemonConfig *virDaemonConfigNew(void);
void virDaemonConfigFree(virDaemonConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDaemonConfig, virDaemonConfigFree)

/* Sets what text says; name is the file's, for errors, which also say the line. */
bool virDaemonConfigParse(virDaemonConfig *config, const char *text, const char *name,
                          GError **error);
/* The same for a file; a missing one changes nothing. */
bool virDaemonConfigLoad(virDaemonConfig *config, const char *path, GError **error);

/* The name of a key, counted from 0; NULL behind the last one. */
const char *virDaemonConfigKey(size_t index);
