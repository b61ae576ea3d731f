/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * privatedev.h: a /dev that shows a program the nodes it may use and no others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/virspawnwire.h"

/* A mount namespace of this process's own; what is mounted in it shows nowhere else. True: in a
 * user namespace of its own too, because it may not make one otherwise; only this user is in there.
 * Ends the process on error. */
bool spawnMakeMountNamespace(void);

/* In a new mount namespace: a tmpfs on /dev with these nodes (names below /dev, folders are made),
 * the usual links, and what was mounted below /dev before (pts, shm, mqueue, hugepages). With
 * mountNodes, and where mknod is refused, the host's node is bind-mounted. Ends the process on
 * error. */
void spawnMakePrivateDev(const virSpawnWireNode *nodes, const char *const *names, uint32_t count,
                         bool mountNodes);
