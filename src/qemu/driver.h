/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * driver.h: all guests of an instance: what handlers are given, and the operations on stored
 * definitions.
 *
 * Members marked (lock) are under the core lock; the others don't change after the start. Functions
 * say if they are called with the core lock held; those that wait give it up meanwhile and run in a
 * job. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "delegate/virdelegate.h"
#include "domain/event.h"
#include "domain/object.h"
#include "qmp/qmpcapscache.h"
#include "util/virevent.h"

/* Where things are; copied. */
typedef struct {
    char *root;                          /* of --root; NULL: the system or session instance */
    char *run, *etc, *lib, *cache, *log; /* as in daemon/layout.h */
} qemuDriverPaths;

/* The part of the configuration file that guests see; copied. */
typedef struct {
    char *user, *group; /* that guests run as when the daemon is root */
    char *vncListen, *spiceListen;
    unsigned portMin, portMax; /* of displays */
    bool dynamicOwnership;     /* images are given to the guest's user while it runs */
    char **deviceACL;          /* nodes that every guest may use; NULL: the usual ones */
    char *cgroupManager;       /* "auto", or as virSystemdManagerToString gives it */
    char **cgroupControllers;  /* that guests are put under; NULL: all there are */
    virHandlers *handlers;     /* who may be asked for what needs a right; taken over */
    bool privateDev;           /* guests have a /dev of their own (privatedev.h) */
    virGateSettings gate;      /* of guests that say nothing themselves (gatesettings.h) */
    unsigned gateWatch_ms;     /* how often gates are looked at; 0: never */
    unsigned stopTimeout_ms;   /* how long a guest's process gets between SIGTERM and SIGKILL */
    unsigned monitorTimeout_ms;
} qemuDriverConfig;

typedef void (*qemuDriverEmitFunc)(const virDomainEvent *event, void *opaque);

typedef struct {
    qemuDriverPaths paths;
    qemuDriverConfig config;
    bool privileged;
    bool vhostNet; /* /dev/vhost-net is there */
    uid_t uid;     /* that guests run as; VIR_SPAWN_KEEP_ID: ours */
    gid_t gid;

    virCgroupInstance *cgroups;
    virDelegate *door;
    qmpCapsCache *capsCache;
    struct qemuGateWatch *gateWatch;
    struct qemuDenials *denials; /* what the gates deny, on its way to log, event and file */

    virEventTimer *storeTimer;  /* (lock) until the definitions' folder is flushed (store.c) */
    bool storeUnflushed;        /* (lock) names in it have changed since */
    virDomainRegistry *domains; /* (lock) */
    int nextID;                 /* (lock) */
    GHashTable *ports;          /* (lock) port -> in use */
    GHashTable *pciDevices;     /* (lock) address -> name of the guest that has it (hostpci.h) */
    unsigned reconnecting;      /* (lock) guests whose monitor has not answered yet */
    struct qemuOwed *owed;      /* what is still to be taken back (owed.h) */
    qemuDriverEmitFunc emit;    /* (lock) */
    void *emitOpaque;
} qemuDriver;

/* Reads definitions and status files, so that the registry is whole when it returns; monitors are
 * connected afterwards by qemuDriverReconnect. Without the lock, before the event thread runs. */
qemuDriver *qemuDriverNew(const qemuDriverPaths *paths, const qemuDriverConfig *config,
                          GError **error);
/* Starts connecting the guests that were running, all at once, and then those marked autostart.
 * Returns at once. */
void qemuDriverReconnect(qemuDriver *driver);
/* The daemon ends; guests run on. After all jobs have ended. */
void qemuDriverFree(qemuDriver *driver);

/* Tells the listeners. Lock held. */
void qemuDriverEmit(qemuDriver *driver, const virDomainEvent *event);
void qemuDriverEmitLifecycle(qemuDriver *driver, const virDomainObj *obj, virLifecycle event,
                             int detail);

/* What the binary can do; probed on first use, then cached. In a job without the lock.
 * NULL: VIR_ERR_INVALID_ARG or SYSTEM_ERROR naming the binary. */
qmpCaps *qemuDriverCaps(qemuDriver *driver, const char *emulator, GError **error);
/* The same as a guest's document wants it taken (<qemu:capabilities>). */
qmpCaps *qemuDriverGuestCaps(qemuDriver *driver, const virDomainDef *def, GError **error);
/* The same for a document, whose emulator may be left out: then the default one for its arch.
 * The default emulator of an arch ("x86_64"), NULL if none is installed; constant. */
const char *qemuDriverDefaultEmulator(const char *arch);

/* Reads, completes and checks a document as a client sent it. In a job without the lock. */
virDomainDef *qemuDriverParse(qemuDriver *driver, const char *xml, unsigned parseFlags,
                              GError **error);

/* Completes and checks a changed stored definition, private to its maker. In a job without the
 * lock. */
bool qemuDriverComplete(qemuDriver *driver, virDomainDef *def, unsigned parseFlags, GError **error);

/* A free port of the displays' range, or wanted itself; 0 with VIR_ERR_INTERNAL_ERROR if there is
 * none. Whether another program listens is found out by trying. Without the lock. */
unsigned qemuPortTake(qemuDriver *driver, unsigned wanted, GError **error);
/* Lock held. */
void qemuPortRelease(qemuDriver *driver, unsigned port);

/* --- operations on stored definitions; in a job, lock held, obj or result referenced --- */

/* Defines or redefines. validate: against the schema first (needs the text). */
virDomainObj *qemuDriverDefine(qemuDriver *driver, const char *xml, bool validate, GError **error);
/* Removes the definition; a running guest becomes transient. */
bool qemuDriverUndefine(qemuDriver *driver, virDomainObj *obj, unsigned flags, GError **error);
bool qemuDriverSetAutostart(qemuDriver *driver, virDomainObj *obj, bool autostart, GError **error);
bool qemuDriverRename(qemuDriver *driver, virDomainObj *obj, const char *name, GError **error);

/* A change of a domain's documents: edit gets a private copy of each document that is meant and
 * changes it; when all have been edited the stored one is saved, then both are published. edit runs
 * without the lock. The caller holds the domain's job. */
typedef bool (*qemuEditFunc)(virDomainDef *def, void *opaque, GError **error);
bool qemuDriverEdit(qemuDriver *driver, virDomainObj *obj, bool live, bool config,
                    qemuEditFunc edit, void *opaque, GError **error);
/* Publishes a new document; takes it over. config ones are written to disk first. The caller holds
 * the domain's job and the lock. */
bool qemuDriverSaveConfig(qemuDriver *driver, virDomainObj *obj, virDomainDef *def, GError **error);
bool qemuDriverSetLive(qemuDriver *driver, virDomainObj *obj, virDomainDef *def, GError **error);
/* The same of a stored one in two halves, for a change that has to be made in the running guest
 * too: written and durable beside the present one, then in its place; or gone. */
bool qemuDriverStageConfig(qemuDriver *driver, virDomainObj *obj, const virDomainDef *def,
                           GError **error);
bool qemuDriverCommitConfig(qemuDriver *driver, virDomainObj *obj, virDomainDef *def,
                            GError **error);
void qemuDriverAbandonConfig(qemuDriver *driver, virDomainObj *obj);
