/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * agent.h: the agent inside a running guest, by its domain. One question at a time a guest; others
 * wait their turn, apart from the domain's job: an agent that hangs keeps nobody from destroying
 * the guest. */
#pragma once

#include "domain/object.h"
#include "util/virjson.h"

/* How long an answer may take; the numbers are those of VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_*. */
enum {
    QEMU_AGENT_TIMEOUT_BLOCK = -2,   /* as long as it takes */
    QEMU_AGENT_TIMEOUT_DEFAULT = -1, /* 5 seconds */
    QEMU_AGENT_TIMEOUT_NOWAIT = 0,
};

/* The guest runs and its agent has the channel open: else VIR_ERR_OPERATION_INVALID "domain is not
 * running", VIR_ERR_ARGUMENT_UNSUPPORTED if the document has no channel for one,
 * VIR_ERR_AGENT_UNRESPONSIVE if nobody listens there. Lock held. */
bool qemuAgentCheck(const virDomainObj *obj, GError **error);

/* One command. Takes over arguments (NULL: none). *retValue is what "return" holds (may be NULL);
 * VIR_ERR_INTERNAL_ERROR with the agent's words if it refuses. It gets as long as a client has set
 * (guest-agent-timeout), else a minute. In a job; lock held, given up while waiting: look again at
 * what you relied on. */
bool qemuAgentCommand(virDomainObj *obj, const char *command, virJSON *arguments,
                      virJSON **retValue, GError **error);
/* The same with a whole command of somebody else's, and the whole answer (NULL if the agent hung
 * up). timeout: seconds, or QEMU_AGENT_TIMEOUT_*. */
bool qemuAgentPass(virDomainObj *obj, virJSON *question, int timeout, virJSON **retReply,
                   GError **error);
