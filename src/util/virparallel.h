/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virparallel.h: one piece of work many times, on all processors. For the daemon's start, while
 * nobody is served yet: the job pool (vircore.h) is for what comes later. */
#pragma once

/* Calls func for each index below n and returns when all calls have. They are spread over a thread
 * for each processor, the caller's among them, as long as each gets worth calls of them. func is
 * called on any of these threads, without the core lock; two calls never get the same index. */
void virParallelFor(unsigned n, unsigned worth, void (*func)(unsigned index, void *opaque),
                    void *opaque);
