/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virerror.c: the table of error classes and the ways to raise one. */
#include "util/virerror.h"

#include <errno.h>
#include <string.h>

typedef struct {
    virErrorCode code;
    const char *format; /* one %s: the detail */
} virErrorClassRow;

/* The wording is what clients of libvirt read and sometimes match. */
static const virErrorClassRow classes[] = {
    {VIR_ERR_INTERNAL_ERROR, "internal error: %s"},
    {VIR_ERR_NO_MEMORY, "out of memory: %s"},
    {VIR_ERR_NO_SUPPORT, "this function is not supported by the connection driver: %s"},
    {VIR_ERR_NO_CONNECT, "no connection driver available for %s"},
    {VIR_ERR_INVALID_CONN, "invalid connection pointer in %s"},
    {VIR_ERR_INVALID_DOMAIN, "invalid domain pointer in %s"},
    {VIR_ERR_INVALID_ARG, "invalid argument: %s"},
    {VIR_ERR_OPERATION_FAILED, "operation failed: %s"},
    {VIR_ERR_OS_TYPE, "unknown OS type %s"},
    {VIR_ERR_NO_KERNEL, "missing kernel information: %s"},
    {VIR_ERR_NO_SOURCE, "missing source information for device %s"},
    {VIR_ERR_NO_TARGET, "missing target information for device %s"},
    {VIR_ERR_NO_NAME, "missing name information in %s"},
    {VIR_ERR_DOM_EXIST, "domain %s exists already"},
    {VIR_ERR_OPERATION_DENIED, "operation forbidden: %s"},
    {VIR_ERR_XML_ERROR, "XML error: %s"},
    {VIR_ERR_OPEN_FAILED, "failed to open %s"},
    {VIR_ERR_PARSE_FAILED, "failed to parse configuration file %s"},
    {VIR_ERR_CONF_SYNTAX, "configuration file syntax error: %s"},
    {VIR_ERR_WRITE_FAILED, "failed to write configuration file: %s"},
    {VIR_ERR_XML_DETAIL, "%s"},
    {VIR_ERR_SYSTEM_ERROR, "%s"},
    {VIR_ERR_RPC, "%s"},
    {VIR_ERR_NO_DOMAIN, "Domain not found: %s"},
    {VIR_ERR_AUTH_FAILED, "authentication failed: %s"},
    {VIR_ERR_INVALID_MAC, "invalid MAC address: %s"},
    {VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: %s"},
    {VIR_ERR_NO_SECURITY_MODEL, "Security model not found: %s"},
    {VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration: %s"},
    {VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation: %s"},
    {VIR_ERR_NO_DOMAIN_SNAPSHOT, "Domain snapshot not found: %s"},
    {VIR_ERR_INVALID_STREAM, "invalid stream pointer in %s"},
    {VIR_ERR_ARGUMENT_UNSUPPORTED, "argument unsupported: %s"},
    {VIR_ERR_SNAPSHOT_REVERT_RISKY, "revert requires force: %s"},
    {VIR_ERR_OPERATION_ABORTED, "operation aborted: %s"},
    {VIR_ERR_NO_DOMAIN_METADATA, "metadata not found: %s"},
    {VIR_ERR_OVERFLOW, "numerical overflow: %s"},
    {VIR_ERR_OPERATION_UNSUPPORTED, "Operation not supported: %s"},
    {VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent is not responding: %s"},
    {VIR_ERR_RESOURCE_BUSY, "resource busy: %s"},
    {VIR_ERR_ACCESS_DENIED, "access denied: %s"},
    {VIR_ERR_CPU_INCOMPATIBLE, "the CPU is incompatible with host CPU: %s"},
    {VIR_ERR_XML_INVALID_SCHEMA, "XML document failed to validate against schema: %s"},
    {VIR_ERR_AUTH_UNAVAILABLE, "authentication unavailable: %s"},
    {VIR_ERR_NO_SERVER, "Server not found: %s"},
    {VIR_ERR_NO_CLIENT, "Client not found: %s"},
    {VIR_ERR_AGENT_UNSYNCED, "guest agent replied with wrong id to guest-sync command: %s"},
    {VIR_ERR_DEVICE_MISSING, "device not found: %s"},
    {VIR_ERR_NO_DOMAIN_CHECKPOINT, "Domain checkpoint not found: %s"},
    {VIR_ERR_NO_DOMAIN_BACKUP, "Domain backup job id not found: %s"},
    {VIR_ERR_NO_HOSTNAME, "no hostname found: %s"},
};

GQuark
virErrorQuark(void)
{
    return g_quark_from_static_string("virtward-error");
}

bool
virErrorSet(GError **error, virErrorCode code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (error)
        *error = g_error_new_valist(VIR_ERROR, (int)code, fmt, ap);
    va_end(ap);
    return false;
}

static bool
virErrorErrnoVa(GError **error, int errnum, const char *fmt, va_list ap)
{
    g_autofree char *what = NULL;

    if (!error)
        return false;
    what = g_strdup_vprintf(fmt, ap);
    *error = g_error_new(VIR_ERROR, VIR_ERR_SYSTEM_ERROR, "%s: %s", what, g_strerror(errnum));
    return false;
}

bool
virErrorErrno(GError **error, const char *fmt, ...)
{
    int errnum = errno;
    va_list ap;

    va_start(ap, fmt);
    virErrorErrnoVa(error, errnum, fmt, ap);
    va_end(ap);
    return false;
}

bool
virErrorErrnoValue(GError **error, int errnum, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    virErrorErrnoVa(error, errnum, fmt, ap);
    va_end(ap);
    return false;
}

/* Our second domain: the same codes, but the text is already what a client reads. */
static GQuark
virErrorPlainQuark(void)
{
    return g_quark_from_static_string("virtward-error-plain");
}

bool
virErrorSetPlain(GError **error, virErrorCode code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (error && !*error)
        *error = g_error_new_valist(virErrorPlainQuark(), (int)code, fmt, ap);
    va_end(ap);
    return false;
}

/* Our third: the same codes and texts, from another part of libvirt. */
static GQuark
virErrorDomainQuark(void)
{
    return g_quark_from_static_string("virtward-error-domain");
}

bool
virErrorSetDomain(GError **error, virErrorCode code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (error && !*error)
        *error = g_error_new_valist(virErrorDomainQuark(), (int)code, fmt, ap);
    va_end(ap);
    return false;
}

static bool
virErrorIsOurs(const GError *error)
{
    return error->domain == VIR_ERROR || error->domain == virErrorPlainQuark() ||
           error->domain == virErrorDomainQuark();
}

virErrorCode
virErrorGetCode(const GError *error)
{
    return virErrorIsOurs(error) ? (virErrorCode)error->code : VIR_ERR_INTERNAL_ERROR;
}

int
virErrorGetFrom(const GError *error)
{
    if (error->domain == virErrorDomainQuark())
        return VIR_FROM_DOMAIN;
    switch ((int)virErrorGetCode(error)) {
    case VIR_ERR_RPC:
    case VIR_ERR_NO_SUPPORT:
        return VIR_FROM_RPC;
    case VIR_ERR_NO_NAME:
    case VIR_ERR_NO_SOURCE:
    case VIR_ERR_NO_TARGET:
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_NO_DOMAIN_METADATA:
    case VIR_ERR_XML_ERROR:
    case VIR_ERR_XML_DETAIL:
    case VIR_ERR_XML_INVALID_SCHEMA:
        return VIR_FROM_DOMAIN;
    case VIR_ERR_INVALID_STREAM:
        return VIR_FROM_STREAMS;
    default:
        return VIR_FROM_QEMU;
    }
}

const char *
virErrorClass(virErrorCode code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (classes[i].code == code)
            return classes[i].format;
    }
    return "%s";
}

char *
virErrorWireMessage(const GError *error)
{
    const char *class =
        error->domain == virErrorPlainQuark() ? "%s" : virErrorClass(virErrorGetCode(error));
    const char *mark = strstr(class, "%s");

    return g_strdup_printf("%.*s%s%s", (int)(mark - class), class, error->message, mark + 2);
}

bool
virErrorIs(const GError *error, virErrorCode code)
{
    return error && virErrorIsOurs(error) && error->code == (int)code;
}
