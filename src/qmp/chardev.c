/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chardev.c: see chardev.h. Members of the flat form are taken over one by one, so that a new one
 * that is not known here is noticed by the test and not dropped in silence. */
#include "qmp/chardev.h"

#include <string.h>

/* {"type":"unix","data":{"path":…}} */
static virJSON *
qmpChardevAddress(const char *type, virJSON *data)
{
    virJSON *address = virJSONObject();

    virJSONAddString(address, "type", type);
    virJSONAddValue(address, "data", data);
    return address;
}

static virJSON *
qmpChardevInet(const char *host, const char *port)
{
    virJSON *inet = virJSONObject();

    virJSONAddString(inet, "host", host ? host : "");
    virJSONAddString(inet, "port", port ? port : "");
    return qmpChardevAddress("inet", inet);
}

static virJSON *
qmpChardevSocketAddress(virJSON *flat)
{
    virJSON *data = virJSONObject();

    if (virJSONGetString(flat, "path")) {
        virJSONAddString(data, "path", virJSONGetString(flat, "path"));
        return qmpChardevAddress("unix", data);
    }
    if (virJSONGetString(flat, "fd")) {
        virJSONAddString(data, "str", virJSONGetString(flat, "fd"));
        return qmpChardevAddress("fd", data);
    }
    virJSONUnref(data);
    return qmpChardevInet(virJSONGetString(flat, "host"), virJSONGetString(flat, "port"));
}

static void
qmpChardevMove(virJSON *flat, const char *from, virJSON *to, const char *as)
{
    virJSON *value = virJSONGet(flat, from);

    if (value)
        virJSONAddValue(to, as, virJSONCopy(value));
}

static void
qmpChardevSocket(virJSON *flat, virJSON *data)
{
    virJSONAddValue(data, "addr", qmpChardevSocketAddress(flat));
    /* the command line's default is a client, chardev-add's is a server */
    virJSONAddBool(data, "server", virJSONGetBool(flat, "server", false));
    qmpChardevMove(flat, "wait", data, "wait");
    qmpChardevMove(flat, "telnet", data, "telnet");
    qmpChardevMove(flat, "tls-creds", data, "tls-creds");
    qmpChardevMove(flat, "reconnect", data, "reconnect");
}

static void
qmpChardevUdp(virJSON *flat, virJSON *data)
{
    virJSONAddValue(data, "remote",
                    qmpChardevInet(virJSONGetString(flat, "host"), virJSONGetString(flat, "port")));
    if (virJSONGetString(flat, "localaddr") || virJSONGetString(flat, "localport"))
        virJSONAddValue(data, "local",
                        qmpChardevInet(virJSONGetString(flat, "localaddr"),
                                       virJSONGetString(flat, "localport")));
}

/* The command line knows older names, too. */
static const char *
qmpChardevType(const char *backend)
{
    if (g_str_equal(backend, "tty"))
        return "serial";
    if (g_str_equal(backend, "parport"))
        return "parallel";
    return backend;
}

virJSON *
qmpChardevAddArguments(virJSON *flat)
{
    const char *type = qmpChardevType(virJSONGetString(flat, "backend"));
    virJSON *arguments = virJSONObject();
    virJSON *backend = virJSONObject();
    virJSON *data = virJSONObject();

    if (g_str_equal(type, "socket")) {
        qmpChardevSocket(flat, data);
    } else if (g_str_equal(type, "udp")) {
        qmpChardevUdp(flat, data);
    } else if (g_str_equal(type, "file")) {
        qmpChardevMove(flat, "path", data, "out");
        qmpChardevMove(flat, "append", data, "append");
    } else if (g_str_equal(type, "pipe") || g_str_equal(type, "serial") ||
               g_str_equal(type, "parallel")) {
        qmpChardevMove(flat, "path", data, "device");
    } else if (g_str_equal(type, "spicevmc")) {
        qmpChardevMove(flat, "name", data, "type");
    } else if (g_str_equal(type, "dbus")) {
        qmpChardevMove(flat, "name", data, "name");
    } else if (g_str_equal(type, "spiceport")) {
        qmpChardevMove(flat, "name", data, "fqdn");
    } else if (g_str_equal(type, "qemu-vdagent")) {
        qmpChardevMove(flat, "mouse", data, "mouse");
        qmpChardevMove(flat, "clipboard", data, "clipboard");
    }
    qmpChardevMove(flat, "logfile", data, "logfile");
    qmpChardevMove(flat, "logappend", data, "logappend");
    virJSONAddString(backend, "type", type);
    virJSONAddValue(backend, "data", data);
    qmpChardevMove(flat, "id", arguments, "id");
    virJSONAddValue(arguments, "backend", backend);
    return arguments;
}
