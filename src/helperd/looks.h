/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * looks.h: what became of an operation that was done earlier, perhaps by an earlier helper. */
#pragma once

#include "helperd/operations.h"

/* Looks at the target through the descriptors of then, within the policy, and changes nothing.
 * UNKNOWN where that doesn't tell. */
virInternalVerdict helperLook(const helperPolicy *policy, const char *hook,
                              virInternalRequest *request);
