/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virsystemd.h: scopes for guests, made by systemd over D-Bus.
 *
 * Where systemd keeps the control groups, it wants to be asked: a process is given to it, it makes
 * a scope for that, and what lies below the scope is the asker's (Delegate=yes). With
 * systemd-machined the guest is also a machine (machinectl). Names are those that libvirt gives:
 * machine "qemu-3-web", scope "machine-qemu\x2d3\x2dweb.scope", in the slice that <resource> names.
 *
 * Every call is one connection of its own to the system bus, with a deadline: in a job, without the
 * core lock. Rights: root, or what polkit allows. Without libsystemd there is never a manager.
 * Facts: org.freedesktop.machine1(5), org.freedesktop.systemd1(5), systemd.unit(5) on names. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Who makes a guest's outermost group. */
typedef enum {
    VIR_SYSTEMD_NONE,     /* nobody: the daemon itself */
    VIR_SYSTEMD_SCOPES,   /* systemd: StartTransientUnit */
    VIR_SYSTEMD_MACHINES, /* systemd-machined: CreateMachineWithNetwork */
} virSystemdManager;

/* "none", "systemd", "machined": as in the configuration file. */
const char *virSystemdManagerToString(virSystemdManager manager);

/* What the bus of this host offers; no bus, and a bus without systemd, are NONE. */
virSystemdManager virSystemdFind(void);

/* A machine's name for a guest: what a host name can't have is left out, and it ends at 64
 * characters. instance tells apart daemons on one host; NULL: the system's. Caller frees. */
char *virSystemdMachineName(const char *instance, int id, const char *name);
/* The scope's path below the hierarchy's root, by machine and partition ("/machine/web"; NULL
 * and "/": "/machine"): "machine.slice/machine-web.slice/machine-qemu\x2d3\x2dweb.scope". Caller
 * frees. */
char *virSystemdScopePath(const char *partition, const char *machine);
/* The machine of such a path, NULL if it is no machine's. Caller frees. */
char *virSystemdScopeMachine(const char *path);

/* A process that becomes the first one in a scope. */
typedef struct {
    const char *path; /* as above */
    uint8_t uuid[16];
    pid_t leader;
} virSystemdScope;

/* Makes the scope and moves the leader there: VIR_ERR_OPERATION_FAILED with what systemd said,
 * VIR_ERR_OPERATION_TIMEOUT if it said nothing. */
bool virSystemdStartScope(virSystemdManager manager, const virSystemdScope *scope, GError **error);
/* Has the scope gone, with the processes in it; gone already is success. */
bool virSystemdEndScope(virSystemdManager manager, const char *path, GError **error);
/* Sets a number of the scope ("CPUWeight"), until the machine's next start. */
bool virSystemdSetScope(const char *path, const char *property, uint64_t value, GError **error);
