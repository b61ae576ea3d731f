/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * admin.h: what handlers of the admin program are given as their driver. */
#pragma once

#include "rpc/virnetserver.h"

typedef struct {
    virNetServer *const *servers; /* that it tells of, sorted by name */
    size_t count;
} virApiAdmin;
