/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjsonflat.h: the dotted form of an object ("file.driver": "nbd") made a nested one, as QEMU
 * reads "json:" file names. Any thread. */
#pragma once

#include "util/virjson.h"

/* A new value; object stays as it is. An object below the top whose keys are 0 to n-1 becomes an
 * array. VIR_ERR_INVALID_ARG if it is no object, two keys say different things of one place, or it is nested too
 * deeply. */
virJSON *virJSONDeflatten(virJSON *object, GError **error);
