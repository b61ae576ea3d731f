/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * status.h: what follows an event of QEMU and has to wait: jobs posted from the event thread. Lock
 * held, returns at once. */
#pragma once

#include "qemu/guest.h"

/* Has the status file written soon, under the domain's job. */
void qemuGuestSaveStatusLater(qemuGuest *guest);
/* The guest has shut itself down (or is not to reboot): its process is to be ended as the document
 * says, or its CPUs to be started anew. */
void qemuGuestShutdownSeen(qemuGuest *guest);
void qemuGuestMemoryChanged(qemuGuest *guest);
/* The guest's kernel has crashed: on_crash decides. */
void qemuGuestCrashed(qemuGuest *guest);
/* A device is gone that nobody waits for: take it out of the live document. */
void qemuGuestDeviceGone(qemuGuest *guest, const char *alias);
/* A program in the guest opened or closed a channel. */
void qemuGuestPortChanged(qemuGuest *guest, virJSON *data);
/* By the alias in a QOM path ("/machine/peripheral/NAME/…") or of a qdev id; NULL. Borrowed. */
virDevice *qemuGuestDeviceOfBlock(qemuGuest *guest, const char *id, const char *qomPath);
