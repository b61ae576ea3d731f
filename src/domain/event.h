/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * event.h: what happens to a domain, as a value that is handed to whoever listens.
 *
 * The numbers are those of the wire (protocol/remote.json, events) and of libvirt's public header
 * libvirt-domain.h. Emitted under the core lock: a listener only copies. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    VIR_DOMAIN_EVENT_LIFECYCLE = 0,
    VIR_DOMAIN_EVENT_REBOOT = 1,
    VIR_DOMAIN_EVENT_RTC_CHANGE = 2,
    VIR_DOMAIN_EVENT_WATCHDOG = 3,
    VIR_DOMAIN_EVENT_IO_ERROR = 4,
    VIR_DOMAIN_EVENT_GRAPHICS = 5,
    VIR_DOMAIN_EVENT_IO_ERROR_REASON = 6,
    VIR_DOMAIN_EVENT_CONTROL_ERROR = 7,
    VIR_DOMAIN_EVENT_BLOCK_JOB = 8,
    VIR_DOMAIN_EVENT_DISK_CHANGE = 9,
    VIR_DOMAIN_EVENT_TRAY_CHANGE = 10,
    VIR_DOMAIN_EVENT_PMWAKEUP = 11,
    VIR_DOMAIN_EVENT_PMSUSPEND = 12,
    VIR_DOMAIN_EVENT_BALLOON_CHANGE = 13,
    VIR_DOMAIN_EVENT_PMSUSPEND_DISK = 14,
    VIR_DOMAIN_EVENT_DEVICE_REMOVED = 15,
    VIR_DOMAIN_EVENT_BLOCK_JOB_2 = 16,
    VIR_DOMAIN_EVENT_TUNABLE = 17,
    VIR_DOMAIN_EVENT_AGENT_LIFECYCLE = 18,
    VIR_DOMAIN_EVENT_DEVICE_ADDED = 19,
    VIR_DOMAIN_EVENT_MIGRATION_ITERATION = 20,
    VIR_DOMAIN_EVENT_JOB_COMPLETED = 21,
    VIR_DOMAIN_EVENT_DEVICE_REMOVAL_FAILED = 22,
    VIR_DOMAIN_EVENT_METADATA_CHANGE = 23,
    VIR_DOMAIN_EVENT_BLOCK_THRESHOLD = 24,
    VIR_DOMAIN_EVENT_MEMORY_FAILURE = 25,
    VIR_DOMAIN_EVENT_MEMORY_DEVICE_SIZE_CHANGE = 26,
    VIR_DOMAIN_EVENT_LAST,
    /* not of the domain table: program qemu, qemu_domain_monitor_event */
    VIR_DOMAIN_EVENT_MONITOR = 1000,
} virDomainEventType;

/* lifecycle: event and its details */
typedef enum {
    VIR_EVENT_DEFINED = 0,
    VIR_EVENT_UNDEFINED = 1,
    VIR_EVENT_STARTED = 2,
    VIR_EVENT_SUSPENDED = 3,
    VIR_EVENT_RESUMED = 4,
    VIR_EVENT_STOPPED = 5,
    VIR_EVENT_SHUTDOWN = 6,
    VIR_EVENT_PMSUSPENDED = 7,
    VIR_EVENT_CRASHED = 8,
} virLifecycle;

enum { VIR_DEFINED_ADDED = 0, VIR_DEFINED_UPDATED = 1, VIR_DEFINED_RENAMED = 2 };
enum { VIR_UNDEFINED_REMOVED = 0, VIR_UNDEFINED_RENAMED = 1 };
enum { VIR_STARTED_BOOTED = 0, VIR_STARTED_RESTORED = 2, VIR_STARTED_WAKEUP = 4 };
enum {
    VIR_SUSPENDED_PAUSED = 0,
    VIR_SUSPENDED_IOERROR = 2,
    VIR_SUSPENDED_WATCHDOG = 3,
    VIR_SUSPENDED_RESTORED = 4,
    VIR_SUSPENDED_API_ERROR = 6
};
enum { VIR_RESUMED_UNPAUSED = 0 };
enum {
    VIR_STOPPED_SHUTDOWN = 0,
    VIR_STOPPED_DESTROYED = 1,
    VIR_STOPPED_CRASHED = 2,
    VIR_STOPPED_FAILED = 5
};
enum { VIR_SHUTDOWN_FINISHED = 0, VIR_SHUTDOWN_GUEST = 1, VIR_SHUTDOWN_HOST = 2 };
enum { VIR_CRASHED_PANICKED = 0 };

/* All strings are borrowed for the time of the call. Which members count is said by the type. */
typedef struct {
    virDomainEventType type;
    const char *name;
    const unsigned char *uuid;
    int id;

    int event, detail;   /* LIFECYCLE; WATCHDOG, AGENT_LIFECYCLE and so on: action, state, reason */
    int64_t offset;      /* RTC_CHANGE seconds; BALLOON_CHANGE KiB */
    const char *alias;   /* device alias; disk's target for IO_ERROR path, see path */
    const char *path;    /* IO_ERROR: source path; DISK_CHANGE: old source */
    const char *newPath; /* DISK_CHANGE */
    const char *reason;  /* IO_ERROR_REASON; METADATA_CHANGE: uri */
    /* GRAPHICS */
    const char *localNode, *localService, *remoteNode, *remoteService, *authScheme;
    int localFamily, remoteFamily;
    const char *saslUser, *x509Name;
    /* MONITOR */
    const char *monitorEvent, *details;
    int64_t seconds;
    unsigned micros;
    /* BLOCK_THRESHOLD, of alias ("vda") and path */
    uint64_t threshold, excess;
    /* MEMORY_FAILURE: recipient, action, flags; MEMORY_DEVICE_SIZE_CHANGE: size */
    int recipient, action;
    unsigned flags;
    uint64_t size;
    /* TUNABLE: what was changed, as remote_typed_param: they come from src/api and go there */
    const void *params;
    unsigned nparams;
} virDomainEvent;
