/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reply.h: what virtward-spawn answers the daemon. */
#pragma once

#include <stdint.h>

#include "util/virspawnwire.h"

/* Where answers go from now on. */
void spawnReplyTo(int fd);
/* In its groups, with the daemon's rights; waits for a word. */
void spawnPrepared(void);
/* All is set up; the exec comes next. */
void spawnReady(void);
/* Tells which step failed and ends the process. */
_Noreturn void spawnFail(virSpawnStep step, int errnum, uint32_t detail);
