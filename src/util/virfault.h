/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virfault.h: named steps at which a test build ends the daemon or makes the step fail.
 *
 *     VIR_FAULT_POINT("start:gate-attached");                    kill only
 *     if (!VIR_FAULT_STEP("start:leaf-made", error)) return false;   kill or error
 *
 * Without -Dfault_points=true both compile to nothing. With it, VIRTWARD_FAULT="name" or
 * "name:kill" ends the process with SIGKILL at the point, "name:error" makes a step fail, and
 * "name:kill:3" means the third time it is reached; "name:error,other:kill" is a fault on the way
 * back from a fault. `virtwardd --list-fault-points` prints the names (virFaultList): they lie in a
 * section of the program, so the list is complete without running anything. Names are
 * "<operation>:<what has just been done>". Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "config.h"

#if WITH_FAULT_POINTS
/* True to go on; false with an error if the name is asked to fail. Doesn't return if it is asked to
 * kill. */
bool virFaultReached(const char *name, GError **error);

#define VIR_FAULT_STEP(name, error)                                                                \
    ({                                                                                             \
        static const char virFaultHere[]                                                           \
            __attribute__((section("vir_fault_points"), used, aligned(1))) = name;                 \
        virFaultReached(virFaultHere, error);                                                      \
    })
#else
#define VIR_FAULT_STEP(name, error) ((void)(error), true)
#endif
#define VIR_FAULT_POINT(name) ((void)VIR_FAULT_STEP(name, NULL))

/* Prints the name of every point of this program, one a line, sorted; nothing in a build without.
 */
void virFaultList(void);
