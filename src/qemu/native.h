/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * native.h: the command line that a document would be started with, for people to read. */
#pragma once

#include "qemu/driver.h"

/* The plan of a start as a shell would take it: nothing is started, opened or made, and what is
 * chosen at each start (ports, descriptors) is the first that would be tried. Caller frees. In a
 * job without the lock. The errors are those of a definition and of a start's plan. */
char *qemuNativeCommandLine(qemuDriver *driver, const char *xml, GError **error);
