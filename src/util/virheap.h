/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virheap.h: how much memory the daemon keeps. It runs for months with little to do, so what a
 * rare large piece of work leaves behind goes back to the system. Any thread. */
#pragma once

/* Once, before any other thread: few arenas, since each keeps free memory of its own and our
 * threads wait more than they allocate. */
void virHeapInit(void);
/* Gives free pages back. Takes some milliseconds: after rare work only, without the core lock. */
void virHeapTrim(void);
/* The same from a job, two seconds after the last call: when something large has come whose end
 * isn't known here. Event thread. */
void virHeapTrimLater(void);
