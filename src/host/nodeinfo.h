/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nodeinfo.h: the host in a few numbers, as virNodeGetInfo gives them, and the time its processors
 * spent. Reads files: in a job. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* cells * sockets * cores * threads is the number of processors, online or not. Where the machine
 * isn't that regular it is given as one cell and one socket of so many cores, and the true shape
 * stands in the capabilities alone. */
typedef struct {
    unsigned cpus; /* online */
    unsigned mhz;  /* 0: not known */
    unsigned cells;
    unsigned sockets; /* in a cell */
    unsigned cores;   /* in a socket */
    unsigned threads; /* of a core */
} virHostNodeInfo;

/* cpuinfo is the text of /proc/cpuinfo. VIR_ERR_INTERNAL_ERROR if no processor is found. */
bool virHostNodeInfoRead(const char *system, const char *cpuinfo, virHostNodeInfo *ret,
                         GError **error);

/* "GenuineIntel, Intel(R) ..., family: 6, model: 23, stepping: 10": changes when the machine under
 * a cache of ours does. NULL if cpuinfo doesn't say. Caller frees. */
char *virHostNodeInfoSignature(const char *cpuinfo);

/* Time spent since boot, in clock ticks. */
typedef struct {
    uint64_t kernel;
    uint64_t user;
    uint64_t idle;
    uint64_t iowait;
} virHostCPUTime;

/* Of one processor, or of all together (-1); stat is the text of /proc/stat. VIR_ERR_INVALID_ARG if
 * there is no such processor. */
bool virHostCPUTimeRead(const char *stat, int cpu, virHostCPUTime *ret, GError **error);
