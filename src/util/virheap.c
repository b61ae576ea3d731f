/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virheap.c: see virheap.h. Other C libraries than glibc decide for themselves. */
#include "util/virheap.h"

#include <malloc.h>

#include "util/vircore.h"
#include "util/virevent.h"

enum { VIR_HEAP_ARENAS = 2, VIR_HEAP_DELAY_MS = 2000 };

void
virHeapInit(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_ARENA_MAX, VIR_HEAP_ARENAS); /* a hint */
#endif
}

void
virHeapTrim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0); /* nothing to give is no error */
#endif
}

static void
virHeapTrimJob(void *unused)
{
    (void)unused;
    virHeapTrim();
}

static void
virHeapTimeOver(void *unused)
{
    (void)unused;
    virCoreRunJob(virHeapTrimJob, NULL);
}

void
virHeapTrimLater(void)
{
    static virEventTimer *timer; /* as long as the process */

    if (timer)
        virEventTimerRestart(timer, VIR_HEAP_DELAY_MS, 0);
    else
        timer = virEventTimerAdd(VIR_HEAP_DELAY_MS, 0, virHeapTimeOver, NULL, NULL);
}
