/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * object.h: a domain as it lives: its documents, its state, whose turn it is; and the registry of
 * all.
 *
 * All of it is read and written under the core lock (util/vircore.h); references keep an object
 * beyond it. Queries read the last committed state and never queue. What modifies holds the
 * domain's job: one at a time a domain, in the order of asking, and waiting for it has a deadline.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "domain/doc.h"

/* Numbers of the wire: libvirt-domain.h. */
typedef enum {
    VIR_DOMAIN_NOSTATE = 0,
    VIR_DOMAIN_RUNNING = 1,
    VIR_DOMAIN_BLOCKED = 2,
    VIR_DOMAIN_PAUSED = 3,
    VIR_DOMAIN_SHUTDOWN = 4,
    VIR_DOMAIN_SHUTOFF = 5,
    VIR_DOMAIN_CRASHED = 6,
    VIR_DOMAIN_PMSUSPENDED = 7,
    VIR_DOMAIN_STATE_LAST
} virDomainState;
VIR_ENUM_DECL(virDomainState); /* names of the status file: "running", "paused" … */

/* Reasons, by state. */
enum {
    VIR_RUNNING_UNKNOWN = 0,
    VIR_RUNNING_BOOTED = 1,
    VIR_RUNNING_RESTORED = 3,
    VIR_RUNNING_UNPAUSED = 5,
    VIR_RUNNING_WAKEUP = 8,
    VIR_RUNNING_CRASHED = 9
};
enum {
    VIR_PAUSED_UNKNOWN = 0,
    VIR_PAUSED_USER = 1,
    VIR_PAUSED_MIGRATION = 2,
    VIR_PAUSED_IOERROR = 5,
    VIR_PAUSED_WATCHDOG = 6,
    VIR_PAUSED_SHUTTING_DOWN = 8,
    VIR_PAUSED_CRASHED = 10,
    VIR_PAUSED_STARTING_UP = 11,
    VIR_PAUSED_API_ERROR = 14
};
enum { VIR_SHUTDOWN_UNKNOWN = 0, VIR_SHUTDOWN_USER = 1 };
enum {
    VIR_SHUTOFF_UNKNOWN = 0,
    VIR_SHUTOFF_SHUTDOWN = 1,
    VIR_SHUTOFF_DESTROYED = 2,
    VIR_SHUTOFF_CRASHED = 3,
    VIR_SHUTOFF_FAILED = 6,
    VIR_SHUTOFF_DAEMON = 8
};
enum { VIR_CRASHED_UNKNOWN = 0, VIR_CRASHED_REASON_PANICKED = 1 };
/* The reason's name in the status file ("booted"), never NULL; the number of a name, 0 if unknown.
 */
const char *virDomainReasonToString(virDomainState state, int reason);
int virDomainReasonFromString(virDomainState state, const char *name);

/* Which document an operation means: VIR_DOMAIN_AFFECT_* of the wire. */
enum { VIR_DOMAIN_AFFECT_CURRENT = 0, VIR_DOMAIN_AFFECT_LIVE = 1, VIR_DOMAIN_AFFECT_CONFIG = 2 };

typedef struct virDomainObj virDomainObj;
typedef struct virDomainRegistry virDomainRegistry;

struct virDomainObj {
    gatomicrefcount refs;
    unsigned char uuid[16];
    char *name;
    int id; /* -1 while not running */

    virDomainDoc *config; /* stored definition; NULL for a transient domain */
    virDomainDoc *live;   /* of the running guest; NULL while not running */
    bool autostart;
    bool updated;  /* the configuration changed while the guest runs */
    bool removing; /* undefined while its last job runs: hidden from look-ups */

    virDomainState state;
    int reason;
    gint64 stateSince_us; /* g_get_real_time */
    bool hasManagedSave;

    /* the job */
    const char *job; /* what it does, for others' errors; NULL: free */
    GThread *jobOwner;
    gint64 jobSince_us; /* g_get_monotonic_time */
    unsigned jobWaiters;
    GCond jobFree;

    /* the guest's agent, which answers one at a time */
    bool agentBusy;
    GCond agentFree;
    int agentTimeout; /* seconds, or VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_*; as set by a client */
    bool agentTimeoutSet;

    void *guest; /* src/qemu's run-time part (qemuGuest), NULL while not running */
};

virDomainObj *virDomainObjRef(virDomainObj *obj);
void virDomainObjUnref(virDomainObj *obj);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainObj, virDomainObjUnref)

static inline bool
virDomainObjIsActive(const virDomainObj *obj)
{
    return obj->id != -1;
}
static inline bool
virDomainObjIsPersistent(const virDomainObj *obj)
{
    return obj->config != NULL;
}
/* The live document of a running guest, else the stored one. Borrowed. */
static inline virDomainDoc *
virDomainObjDoc(const virDomainObj *obj)
{
    return obj->live ? obj->live : obj->config;
}
static inline const virDomainDef *
virDomainObjDef(const virDomainObj *obj)
{
    return virDomainDocDef(virDomainObjDoc(obj));
}

/* The one setter of state. */
void virDomainObjSetState(virDomainObj *obj, virDomainState state, int reason);

/* Turns CURRENT into LIVE or CONFIG and refuses what cannot be: LIVE of a guest that isn't running
 * (VIR_ERR_OPERATION_INVALID "domain is not running"), CONFIG of a transient one. */
bool virDomainObjAffected(const virDomainObj *obj, unsigned flags, bool *retLive, bool *retConfig,
                          GError **error);
/* VIR_ERR_OPERATION_INVALID "domain is not running". */
bool virDomainObjCheckActive(const virDomainObj *obj, GError **error);

/* Waits for the domain's job and takes it. what: a constant text, e.g. "start". After timeout_ms
 * VIR_ERR_OPERATION_TIMEOUT naming the job that holds it and since when. The lock is given up while
 * waiting: check what you relied on. A job of the same thread is a bug. */
bool virDomainObjBeginJob(virDomainObj *obj, const char *what, unsigned timeout_ms, GError **error);
void virDomainObjEndJob(virDomainObj *obj);
enum { VIR_DOMAIN_JOB_WAIT_MS = 30 * 1000 };

/* --- the registry --- */

virDomainRegistry *virDomainRegistryNew(void);
void virDomainRegistryFree(virDomainRegistry *registry);
/* All return a new reference, or NULL. */
virDomainObj *virDomainRegistryByUUID(virDomainRegistry *registry, const unsigned char *uuid);
virDomainObj *virDomainRegistryByName(virDomainRegistry *registry, const char *name);
virDomainObj *virDomainRegistryByID(virDomainRegistry *registry, int id);
/* A new domain, without documents. NULL with VIR_ERR_OPERATION_FAILED if name or uuid is taken by
 * another: "domain 'x' already exists with uuid …". */
virDomainObj *virDomainRegistryAdd(virDomainRegistry *registry, const char *name,
                                   const unsigned char *uuid, GError **error);
/* The texts of virDomainRegistryAdd for a definition that would replace obj (NULL: none). */
bool virDomainRegistryCheck(virDomainRegistry *registry, const char *name,
                            const unsigned char *uuid, GError **error);
void virDomainRegistryRemove(virDomainRegistry *registry, virDomainObj *obj);
void virDomainRegistryRename(virDomainRegistry *registry, virDomainObj *obj, const char *name);
/* Takes part in look-ups by id from now on; -1: no more. */
void virDomainRegistrySetID(virDomainRegistry *registry, virDomainObj *obj, int id);
/* All objects in the order they came, each a new reference; caller unrefs the array. */
GPtrArray *virDomainRegistryAll(virDomainRegistry *registry);
unsigned virDomainRegistryCount(const virDomainRegistry *registry, bool active);
/* Calls func for each, in the order they came; func must not add or remove. */
void virDomainRegistryForEach(virDomainRegistry *registry, void (*func)(virDomainObj *, void *),
                              void *opaque);
