/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmptransport.h: one question, one answer: what a prober needs of a QMP connection, whether a
 * QEMU is at the other end or a recorded talk. Called in one thread, which may wait. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/virjson.h"

/* What QEMU said no with. Which class means what is known to the caller only. */
typedef enum {
    QMP_ERROR_NONE,
    QMP_ERROR_GENERIC,
    QMP_ERROR_COMMAND_NOT_FOUND,
    QMP_ERROR_DEVICE_NOT_FOUND,
    QMP_ERROR_DEVICE_NOT_ACTIVE,
    QMP_ERROR_KVM_MISSING_CAP,
    QMP_ERROR_OTHER, /* a class that the documentation doesn't know */
} qmpErrorClass;

/* The class of the "class" member of an error reply. */
qmpErrorClass qmpErrorClassFromString(const char *name);

typedef struct {
    const char *command;
    const char *typeName; /* the only argument ("typename") of this command, or NULL: none */
} qmpQuestion;

typedef struct qmpTransport qmpTransport;
struct qmpTransport {
    /* Says what will be asked in this order for certain, so that a transport may ask it at once
     * and not wait for each answer. NULL: cannot, or has no need to. */
    bool (*announce)(qmpTransport *transport, const qmpQuestion *questions, size_t count,
                     GError **error);

    /* Asks; arguments are borrowed and may be NULL. True if there was an answer: *retValue is what
     * "return" holds (the caller's; may be NULL for null), or *retClass says why there is none.
     * False if there was no answer at all. */
    bool (*call)(qmpTransport *transport, const char *command, virJSON *arguments,
                 virJSON **retValue, qmpErrorClass *retClass, GError **error);
};
