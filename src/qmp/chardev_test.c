/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chardev_test.c: both ways of saying a character device mean the same. */
#include <glib.h>

#include "qmp/chardev.h"

typedef struct {
    const char *name;
    const char *flat;
    const char *arguments;
} ChardevCase;

static const ChardevCase cases[] = {
    {"a terminal", "{\"backend\":\"pty\",\"id\":\"c\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"pty\",\"data\":{}}}"},
    {"a file that is appended to and logged",
     "{\"backend\":\"file\",\"id\":\"c\",\"path\":\"/x\",\"append\":true,\"logfile\":\"/l\","
     "\"logappend\":false}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"file\",\"data\":{\"out\":\"/x\",\"append\":true,"
     "\"logfile\":\"/l\",\"logappend\":false}}}"},
    {"a serial device by its older name", "{\"backend\":\"tty\",\"id\":\"c\",\"path\":\"/d\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"serial\",\"data\":{\"device\":\"/d\"}}}"},
    {"a parallel device by its older name",
     "{\"backend\":\"parport\",\"id\":\"c\",\"path\":\"/d\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"parallel\",\"data\":{\"device\":\"/d\"}}}"},
    {"a server on a descriptor",
     "{\"backend\":\"socket\",\"id\":\"c\",\"fd\":\"5\",\"server\":true,\"wait\":false}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"fd\",\"data\":{"
     "\"str\":\"5\"}},\"server\":true,\"wait\":false}}}"},
    {"a client is no server by default",
     "{\"backend\":\"socket\",\"id\":\"c\",\"path\":\"/s\",\"reconnect\":3}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"unix\","
     "\"data\":"
     "{\"path\":\"/s\"}},\"server\":false,\"reconnect\":3}}}"},
    {"a client over TLS",
     "{\"backend\":\"socket\",\"id\":\"c\",\"host\":\"h\",\"port\":\"1\",\"telnet\":true,"
     "\"tls-creds\":\"t\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"inet\","
     "\"data\":"
     "{\"host\":\"h\",\"port\":\"1\"}},\"server\":false,\"telnet\":true,\"tls-creds\":\"t\"}}}"},
    {"datagrams",
     "{\"backend\":\"udp\",\"id\":\"c\",\"host\":\"\",\"port\":\"9\",\"localaddr\":\"\","
     "\"localport\":\"0\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"udp\",\"data\":{\"remote\":{\"type\":\"inet\",\"data\":"
     "{"
     "\"host\":\"\",\"port\":\"9\"}},\"local\":{\"type\":\"inet\",\"data\":{\"host\":\"\","
     "\"port\":\"0\"}}}}}"},
    {"a SPICE channel", "{\"backend\":\"spicevmc\",\"id\":\"c\",\"name\":\"vdagent\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"spicevmc\",\"data\":{\"type\":\"vdagent\"}}}"},
    {"a SPICE port", "{\"backend\":\"spiceport\",\"id\":\"c\",\"name\":\"org.x\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"spiceport\",\"data\":{\"fqdn\":\"org.x\"}}}"},
    {"the clipboard agent",
     "{\"backend\":\"qemu-vdagent\",\"id\":\"c\",\"name\":\"vdagent\",\"clipboard\":true}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"qemu-vdagent\",\"data\":{\"clipboard\":true}}}"},
    {"a D-Bus channel", "{\"backend\":\"dbus\",\"id\":\"c\",\"name\":\"org.x\"}",
     "{\"id\":\"c\",\"backend\":{\"type\":\"dbus\",\"data\":{\"name\":\"org.x\"}}}"},
};

static void
testMeansTheSame(const void *opaque)
{
    const ChardevCase *c = opaque;
    g_autoptr(virJSON) flat = virJSONParse(c->flat, -1, NULL);
    g_autoptr(virJSON) arguments = qmpChardevAddArguments(flat);
    g_autofree char *text = virJSONPrint(arguments);

    g_assert_cmpstr(text, ==, c->arguments);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("/chardev/%s", cases[i].name);

        g_test_add_data_func(name, &cases[i], testMeansTheSame);
    }
    return g_test_run();
}
