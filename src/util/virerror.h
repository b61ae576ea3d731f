/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virerror.h: errors as GError, one domain, codes equal to the wire's.
 *
 * A function that can fail returns false or NULL exactly when it set its error. The text names what
 * could not be done and to what; each layer above adds the noun it alone knows with g_prefix_error.
 * What a client reads is the class of the code in front of the text ("unsupported configuration:
 * "); virErrorWireMessage puts it there, at the edge and nowhere else. Any thread; no rights
 * needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The numbers are those of libvirt's public header <libvirt/virterror.h>, as seen on the wire. */
typedef enum {
    VIR_ERR_OK = 0,
    VIR_ERR_INTERNAL_ERROR = 1,
    VIR_ERR_NO_MEMORY = 2,
    VIR_ERR_NO_SUPPORT = 3,
    VIR_ERR_NO_CONNECT = 5,
    VIR_ERR_INVALID_CONN = 6,
    VIR_ERR_INVALID_DOMAIN = 7,
    VIR_ERR_INVALID_ARG = 8,
    VIR_ERR_OPERATION_FAILED = 9,
    VIR_ERR_OS_TYPE = 16,
    VIR_ERR_NO_KERNEL = 17,
    VIR_ERR_NO_NAME = 21,
    VIR_ERR_NO_SOURCE = 19,
    VIR_ERR_NO_TARGET = 20,
    VIR_ERR_DOM_EXIST = 28,
    VIR_ERR_OPERATION_DENIED = 29,
    VIR_ERR_XML_ERROR = 27,
    VIR_ERR_OPEN_FAILED = 30,
    VIR_ERR_PARSE_FAILED = 32,
    VIR_ERR_CONF_SYNTAX = 33,
    VIR_ERR_WRITE_FAILED = 34,
    VIR_ERR_XML_DETAIL = 35,
    VIR_ERR_SYSTEM_ERROR = 38,
    VIR_ERR_RPC = 39,
    VIR_ERR_NO_DOMAIN = 42,
    VIR_ERR_AUTH_FAILED = 45,
    VIR_ERR_INVALID_MAC = 44,
    VIR_ERR_OPERATION_INVALID = 55,
    VIR_ERR_NO_SECURITY_MODEL = 54,
    VIR_ERR_CONFIG_UNSUPPORTED = 67,
    VIR_ERR_OPERATION_TIMEOUT = 68,
    VIR_ERR_NO_DOMAIN_SNAPSHOT = 72,
    VIR_ERR_INVALID_STREAM = 73,
    VIR_ERR_ARGUMENT_UNSUPPORTED = 74,
    VIR_ERR_SNAPSHOT_REVERT_RISKY = 77,
    VIR_ERR_OPERATION_ABORTED = 78,
    VIR_ERR_NO_DOMAIN_METADATA = 80,
    VIR_ERR_OVERFLOW = 82,
    VIR_ERR_OPERATION_UNSUPPORTED = 84,
    VIR_ERR_AGENT_UNRESPONSIVE = 86,
    VIR_ERR_RESOURCE_BUSY = 87,
    VIR_ERR_ACCESS_DENIED = 88,
    VIR_ERR_CPU_INCOMPATIBLE = 91,
    VIR_ERR_XML_INVALID_SCHEMA = 92,
    VIR_ERR_AUTH_UNAVAILABLE = 94,
    VIR_ERR_NO_SERVER = 95,
    VIR_ERR_NO_CLIENT = 96,
    VIR_ERR_AGENT_UNSYNCED = 97,
    VIR_ERR_DEVICE_MISSING = 99,
    VIR_ERR_NO_DOMAIN_CHECKPOINT = 103,
    VIR_ERR_NO_DOMAIN_BACKUP = 104,
    VIR_ERR_NO_HOSTNAME = 108,
} virErrorCode;

/* The part of libvirt that an error is said to come from (enum virErrorDomain there). */
enum {
    VIR_FROM_NONE = 0,
    VIR_FROM_RPC = 7,
    VIR_FROM_QEMU = 10,
    VIR_FROM_DOMAIN = 20,
    VIR_FROM_STREAMS = 38,
};

#define VIR_ERROR (virErrorQuark())
GQuark virErrorQuark(void);

/* Sets *error (unless error is NULL) and returns false, so that raising and leaving is one line. */
bool virErrorSet(GError **error, virErrorCode code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* The same for the few texts that clients read without the class in front: libvirt's checks of a
 * call's arguments, which name function and argument. */
bool virErrorSetPlain(GError **error, virErrorCode code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* The same for what holds whatever the hypervisor: clients of libvirt see VIR_FROM_DOMAIN then, not
 * VIR_FROM_QEMU. */
bool virErrorSetDomain(GError **error, virErrorCode code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* The same with the class VIR_ERR_SYSTEM_ERROR and ": " and the text of errno behind. Reads errno
 * first, so it may be called with arguments that change it. */
bool virErrorErrno(GError **error, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* The same for an errno value in hand (a kernel answer that is not in errno). */
bool virErrorErrnoValue(GError **error, int errnum, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* The code of any GError: its own, or VIR_ERR_INTERNAL_ERROR for a foreign domain (GIO and so on).
 */
virErrorCode virErrorGetCode(const GError *error);
/* VIR_FROM_... that clients expect with it. */
int virErrorGetFrom(const GError *error);
/* What a code means, as format with one %s for the detail, e.g. "XML error: %s". Untranslated,
 * never NULL. */
const char *virErrorClass(virErrorCode code);
/* The finished text a client reads: class and detail. Caller frees. */
char *virErrorWireMessage(const GError *error);
/* True if error is ours and has this code; error may be NULL. */
bool virErrorIs(const GError *error, virErrorCode code);
