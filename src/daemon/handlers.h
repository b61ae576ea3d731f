/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handlers.h: the socket that external handlers register at. */
#pragma once

#include "daemon/config.h"
#include "daemon/layout.h"
#include "delegate/virhandlers.h"

/* Policies and users as the configuration has them; for qemuDriverConfig. */
virHandlers *virDaemonNewHandlers(const virDaemonConfig *config, GError **error);
/* Listens on RUN/handler/sock, on the main thread before the loop runs. */
bool virDaemonListenHandlers(virHandlers *handlers, const virDaemonLayout *layout, GError **error);
