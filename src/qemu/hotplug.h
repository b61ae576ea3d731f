/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hotplug.h: what the parts of hot-plug share: the change under way, and what a device may use of
 * the host.
 *
 * A change stands in the status file before it is begun, with the step that is about to be done, so
 * that a daemon that is killed at any of them can go on or go back at its next start. Job and core
 * lock held, unless said otherwise. */
#pragma once

#include "qemu/buildctx.h"
#include "qemu/guest.h"

typedef enum {
    QEMU_CHANGE_ATTACH, /* devices come, each by its own plan */
    QEMU_CHANGE_UPDATE, /* the one device takes the place of the one with its alias */
    QEMU_CHANGE_LAST
} qemuChangeType;

/* A change of a running guest's devices under way. */
struct qemuChange {
    qemuChangeType type;
    GPtrArray *devices; /* of virDevice, as they are to be */
    unsigned at; /* ATTACH: whose plan runs: those before are done, of those behind nothing is;
                    UPDATE: the place in the document of the one that changes */
    size_t step; /* of that plan: about to be done, those before are done */
    int number;  /* of the plan's run: part of the names of its descriptors */
    bool force;  /* an update that does not ask the guest */
};

/* For a change that was read from a status file: the devices are its own. */
qemuChange *qemuChangeNew(qemuChangeType type);
void qemuChangeFree(qemuChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qemuChange, qemuChangeFree)
/* <change> below an open parent, and back; pure, any thread. NULL: VIR_ERR_XML_ERROR. */
void qemuChangeFormat(const qemuChange *change, virXMLWriter *w);
qemuChange *qemuChangeParse(xmlNode *node, GError **error);

/* What its devices need of the host, added to out. NULL: none. */
void qemuChangeTouches(const qemuChange *change, const qemuBuildContext *ctx, virHostAccess *out);

/* Lets the guest use what access names under the device's alias: rules of the gate, then owners of
 * files, each on the list of resources before it is changed. On error nothing of it is left.
 * Gives the lock up. VIR_ERR_SYSTEM_ERROR naming a file that can't be had. */
bool qemuPlugAccessOpen(qemuGuest *guest, const virHostAccess *access, const char *alias,
                        GError **error);
/* Takes back what the alias has beyond keep (NULL: all of it). A file that another device of the
 * live document uses too stays the guest's, on that device's account. Failures are logged; gives
 * the lock up. */
void qemuPlugAccessClose(qemuGuest *guest, const char *alias, const virHostAccess *keep);
/* What the device needs of the host; the caller frees. Pure. */
virHostAccess *qemuPlugAccessOf(const virDevice *dev, const qemuBuildContext *ctx);

/* Waits until QEMU says that the device named alias is gone, has been refused by the guest, or the
 * time is over. True: gone. Gives the lock up. */
bool qemuPlugWaitGone(qemuGuest *guest, const char *alias, bool *retRefused);

/* After a restart, once the monitor answers: finishes or undoes the change that the status file
 * tells of, takes devices out of the live document that left while nobody listened, and gives back
 * what belongs to no device. Failures are logged. Gives the lock up. */
void qemuPlugRecover(virDomainObj *obj);

void qemuPlugEmit(virDomainObj *obj, virDomainEventType type, const char *alias);
