/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestagent.h: a question to the agent of the guest that a client names. */
#pragma once

#include "api/api.h"
#include "util/virjson.h"

/* As qemuAgentCommand, of a running guest. Takes over arguments. In a job; takes the core lock. */
bool virApiAgentAsk(virApiCall *call, const remote_nonnull_domain *dom, const char *command,
                    virJSON *arguments, virJSON **retValue, GError **error);
