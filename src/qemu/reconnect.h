/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reconnect.h: the guests that an earlier daemon left. */
#pragma once

#include "qemu/driver.h"

/* Reads all status files and puts their guests into the registry, with the state they last had; a
 * file that can't be read is logged and left. Without the lock, before the event thread runs. */
void qemuReconnectLoad(qemuDriver *driver);
/* Removes groups of guests that ended while nobody was there to do it. In a job without the lock;
 * opaque: the driver. */
void qemuReconnectSweepLeft(void *opaque);
