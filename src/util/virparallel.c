/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virparallel.c: see virparallel.h. Each thread takes the next index until there is none. */
#include "util/virparallel.h"

#include <glib.h>

enum { VIR_PARALLEL_THREADS_MAX = 8 };

typedef struct {
    unsigned n;
    int next; /* atomic */
    void (*func)(unsigned index, void *opaque);
    void *opaque;
} virParallelWork;

static void *
virParallelRun(void *opaque)
{
    virParallelWork *work = opaque;
    unsigned i;

    while ((i = (unsigned)g_atomic_int_add(&work->next, 1)) < work->n)
        work->func(i, work->opaque);
    return NULL;
}

void
virParallelFor(unsigned n, unsigned worth, void (*func)(unsigned index, void *opaque), void *opaque)
{
    virParallelWork work = {.n = n, .func = func, .opaque = opaque};
    GThread *threads[VIR_PARALLEL_THREADS_MAX];
    unsigned wanted = MIN(g_get_num_processors(), VIR_PARALLEL_THREADS_MAX);
    unsigned others = 0;

    wanted = MIN(wanted, n / worth);
    while (others + 1 < wanted &&
           (threads[others] = g_thread_try_new("parallel", virParallelRun, &work, NULL)))
        others++;
    (void)virParallelRun(&work);
    while (others > 0)
        g_thread_join(threads[--others]);
}
