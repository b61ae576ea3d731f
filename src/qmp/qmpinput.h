/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpinput.h: bytes from a QEMU made messages: bounded, wiped behind. One thread an object. */
#pragma once

#include <glib.h>

#include "util/virjson.h"

/* No answer of a QEMU is longer (query-qmp-schema: 300 kB), or has more values. */
enum { QMP_MESSAGE_MAX = 10 * 1024 * 1024, QMP_MESSAGE_VALUES_MAX = 500000 };

typedef struct {
    char *data;
    size_t size; /* allocated */
    size_t len;  /* of what is there */
    size_t seen; /* of these, known to hold no end of a message */
} qmpInput;

void qmpInputClear(qmpInput *input);

/* Room for at least len bytes behind data + len; the caller adds what it has read to len. */
char *qmpInputReserve(qmpInput *input, size_t len);

/* The next whole message, an object; or NULL without an error: more is needed. What is too long, no
 * JSON, or no object: VIR_ERR_INTERNAL_ERROR. */
virJSON *qmpInputNext(qmpInput *input, GError **error);
