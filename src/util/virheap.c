/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virheap.c: see virheap.h. Other C libraries than glibc decide for themselves. */
#include "util/virheap.h"

#include <malloc.h>

enum { VIR_HEAP_ARENAS = 2 };

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
