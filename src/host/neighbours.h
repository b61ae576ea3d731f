/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * neighbours.h: who the host has spoken to on its links: the kernel's table of IPv4 neighbours. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t mac[6];
    char address[16]; /* "192.0.2.7" */
} virHostNeighbour;

/* Those whose link address is known, of virHostNeighbour; caller unrefs. proc: where procfs is,
 * NULL for the usual place. Reads a file: in a job. */
GArray *virHostNeighboursRead(const char *proc, GError **error);
