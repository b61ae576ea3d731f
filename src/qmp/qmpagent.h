/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpagent.h: a talk with the agent inside a guest (qemu-ga), over the channel's UNIX socket.
 *
 * A connection serves one question: it is made, brought in step with the agent, whatever an earlier
 * talk left half said, and closed. The agent is the guest's: what it says is a stranger's, bounded
 * and never trusted, and it may not answer at all. Blocks: in a job, without the core lock. Facts:
 * QEMU's docs/interop/qemu-ga and qga/qapi-schema.json. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/virjson.h"

/* The time in ms until which all must be done; -1: as long as it takes. */
typedef int qmpAgentTimeout;

/* Asks at the socket of this path, which must be none but a socket. The reply is the whole object,
 * "return" or "error"; *retReply stays NULL if the agent hung up instead, as one does that was told
 * to end the guest. VIR_ERR_AGENT_UNRESPONSIVE if it says nothing in time, VIR_ERR_INTERNAL_ERROR
 * for what is no JSON. cancelled: a descriptor that becomes readable when the guest is gone (its
 * pidfd), or -1. */
bool qmpAgentAsk(const char *path, virJSON *question, qmpAgentTimeout timeout_ms, int cancelled,
                 virJSON **retReply, GError **error);
