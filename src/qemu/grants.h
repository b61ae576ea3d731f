/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * grants.h: what external handlers did for guests, kept in the guests' status files
 * (delegate/virhandlergrants.h). */
#pragma once

#include "qemu/driver.h"

/* The door's handlers get their journal, and what was read from status files. Before the event
 * thread runs; lock held. */
void qemuGrantsAttach(qemuDriver *driver);
