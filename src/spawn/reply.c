/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reply.c: answers of virtward-spawn: one packet each, never blocking for long (the pair is empty
 * in this direction but for READY). */
#include "spawn/reply.h"

#include <sys/socket.h>
#include <unistd.h>

static int replyFd = -1;

void
spawnReplyTo(int fd)
{
    replyFd = fd;
}

static void
spawnReply(virSpawnStep step, int errnum, uint32_t detail)
{
    virSpawnWireReply reply = {VIR_SPAWN_WIRE_MAGIC, step, errnum, detail};

    /* If the daemon is gone there is nobody left to tell. */
    (void)!send(replyFd, &reply, sizeof(reply), MSG_NOSIGNAL);
}

void
spawnReady(void)
{
    spawnReply(VIR_SPAWN_STEP_READY, 0, 0);
}

void
spawnPrepared(void)
{
    spawnReply(VIR_SPAWN_STEP_PREPARE, 0, 0);
}

_Noreturn void
spawnFail(virSpawnStep step, int errnum, uint32_t detail)
{
    spawnReply(step, errnum, detail);
    _exit(127);
}
