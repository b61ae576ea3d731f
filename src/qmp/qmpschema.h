/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpschema.h: questions to the answer of query-qmp-schema: what a QEMU's monitor understands.
 * A value; any thread. Facts: "Client JSON Protocol introspection" in QEMU's qapi-code-gen. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/virjson.h"

typedef struct qmpSchema qmpSchema;

/* Keeps a reference to reply, the array that query-qmp-schema returns. */
qmpSchema *qmpSchemaNew(virJSON *reply);
void qmpSchemaFree(qmpSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpSchema, qmpSchemaFree)

/* True if the path leads somewhere. It begins with a command or event; then, one step each:
 *   arg-type, ret-type   of a command or event
 *   name                 member of an object
 *   *name                member that may be left out
 *   +case                the variant of an object for this value of its tag
 *   ^value               value of an enumeration (only last)
 *   $feature             special feature of a command or object (only last)
 *   !type                built-in type, like string or int (only last)
 * Arrays are stepped through to their elements, as in
 * "transaction/arg-type/actions/+block-dirty-bitmap-merge". A path with a command alone asks
 * whether there is such a command. */
bool qmpSchemaHas(const qmpSchema *schema, const char *path);
