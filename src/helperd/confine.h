/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.h: what the helper gives up before it serves anybody. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "helperd/policy.h"

/* Keeps the capabilities of the operations that the policy switches on and no other, for good
 * (bounding set, no new privileges), and of the system calls those that the helper and these
 * operations make: any other fails with EPERM. A capability that the process has not got is told on
 * standard error and no failure. Before the first thread. VIR_ERR_OPERATION_FAILED,
 * or the kernel's refusal. Sources: capabilities(7), seccomp(2). */
bool helperConfine(const helperPolicy *policy, GError **error);

/* For this thread, while it connects to a daemon: the right to enter folders of other users, if the
 * policy has "other-users". True if that has changed, and is to be changed back. */
bool helperConfineReach(const helperPolicy *policy, bool on);
