/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handlers.h: the socket that external handlers register at. */
#pragma once

#include "daemon/config.h"
#include "daemon/layout.h"
#include "qemu/driver.h"

/* Listens on RUN/handler/sock and sets the policies, on the main thread before the loop runs. */
bool virDaemonMakeHandlers(qemuDriver *driver, const virDaemonLayout *layout,
                           const virDaemonConfig *config, GError **error);
