/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.h: definitions on disk: etc/qemu/NAME.xml, etc/qemu/autostart/NAME.xml. */
#pragma once

#include "qemu/driver.h"

/* Reads all definitions into the registry; one that can't be read is logged and left alone. Without
 * the lock, before the event thread runs. */
bool qemuStoreLoad(qemuDriver *driver, GError **error);
/* Flushes what is not flushed yet. When the daemon ends, after all jobs. */
void qemuStoreClose(qemuDriver *driver);
