/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.h: how much memory the host and its NUMA cells have, and how much is free. All in KiB.
 * Reads a file a call: in a job. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t total;
    uint64_t free;
    uint64_t buffers; /* 0 for a cell: the kernel doesn't say */
    uint64_t cached;
} virHostMemory;

/* Of one NUMA cell, or of the whole host (-1). VIR_ERR_INVALID_ARG for a cell that isn't there. */
bool virHostMemoryRead(int cell, const char *system, virHostMemory *ret, GError **error);

/* The sums over all cells (of the whole host without NUMA): what guests can be given. */
bool virHostMemoryReadAllCells(const char *system, virHostMemory *ret, GError **error);

/* Free pages of a size (in KiB) of one cell or of the whole host (-1). VIR_ERR_OPERATION_FAILED for
 * a size it hasn't. */
bool virHostMemoryFreePages(int cell, uint64_t size, const char *system, uint64_t *ret,
                            GError **error);
