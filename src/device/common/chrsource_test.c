/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrsource_test.c: what a running QEMU says of its character devices, paths that are chosen, and
 * the console that is a serial port. Documents and plans are golden cases of the kinds. */
#include <glib.h>

#include "device/channel/channel.h"
#include "device/channel/channel_qemu.h"
#include "device/common/chrsource_qemu.h"
#include "device/console/console.h"
#include "device/serial/serial.h"
#include "util/virerror.h"

static const char chardevs[] =
    "[{\"frontend-open\":true,\"filename\":\"pty:/dev/pts/7\",\"label\":\"charserial0\"},"
    "{\"frontend-open\":false,\"filename\":\"disconnected:unix:/x,server\",\"label\":"
    "\"charchannel0\"},{\"filename\":\"null\",\"label\":\"old\"}]";

static void
testTerminalOfAPtyIsFound(void)
{
    g_autoptr(virJSON) reply = virJSONParse(chardevs, -1, NULL);
    g_autofree char *path = qemuChrPtyPath(reply, "charserial0");

    g_assert_cmpstr(path, ==, "/dev/pts/7");
    g_assert_null(qemuChrPtyPath(reply, "charchannel0"));
    g_assert_null(qemuChrPtyPath(reply, "charserial1"));
}

static void
testOpenEndsAreTold(void)
{
    g_autoptr(virJSON) reply = virJSONParse(chardevs, -1, NULL);

    g_assert_cmpint(qemuChrIsOpen(reply, "charserial0"), ==, VIR_TRISTATE_YES);
    g_assert_cmpint(qemuChrIsOpen(reply, "charchannel0"), ==, VIR_TRISTATE_NO);
    g_assert_cmpint(qemuChrIsOpen(reply, "old"), ==, VIR_TRISTATE_ABSENT);
    g_assert_cmpint(qemuChrIsOpen(reply, "gone"), ==, VIR_TRISTATE_ABSENT);
}

static void
testPortsTellWhoIsThere(void)
{
    g_autoptr(virJSON) reply = virJSONParse(chardevs, -1, NULL);
    g_autoptr(virJSON) event = virJSONParse("{\"id\":\"channel0\",\"open\":true}", -1, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(virDevice) dev = virDeviceParseText(
        "<channel type='unix'><source mode='bind' path='/x'/>"
        "<target type='virtio' name='org.qemu.guest_agent.0'/><alias name='channel0'/></channel>",
        0, &error);
    const virChannel *channel = VIR_CHANNEL(dev);

    g_assert_no_error(error);
    g_assert_true(dev->kind->isAgent(dev));
    virChannelQemu.learn(dev, "query-chardev", reply);
    g_assert_cmpint(channel->state, ==, VIR_CHANNEL_STATE_DISCONNECTED);
    virChannelQemu.learn(dev, "VSERPORT_CHANGE", event);
    g_assert_cmpint(channel->state, ==, VIR_CHANNEL_STATE_CONNECTED);
}

static void
testChosenPathsAreKnownAgain(void)
{
    g_assert_true(virChannelPathIsChosen("/c/domain-1-web/agent.0", "/c", "agent.0"));
    g_assert_true(virChannelPathIsChosen("/c/web.agent.0", "/c", "agent.0"));
    g_assert_false(virChannelPathIsChosen("/c/web/agent.0", "/c", "agent.0"));
    g_assert_false(virChannelPathIsChosen("/c/domain-1-web/x/agent.0", "/c", "agent.0"));
    g_assert_false(virChannelPathIsChosen("/c/agent.0", "/c", "agent.0"));
    g_assert_false(virChannelPathIsChosen("/other/domain-1-web/agent.0", "/c", "agent.0"));
    g_assert_false(virChannelPathIsChosen("/c/domain-1-web/agent.1", "/c", "agent.0"));
}

static void
testPathsAreChosenInTheGuestsFolder(void)
{
    virChannel channel = {.target = VIR_CHANNEL_TARGET_VIRTIO, .source = {.type = VIR_CHR_UNIX}};
    g_autofree char *unnamed = NULL;
    g_autofree char *named = NULL;

    channel.base.info.address = (virAddress){.type = VIR_ADDRESS_VIRTIO_SERIAL,
                                             .virtioSerial = {.controller = 1, .port = 2}};
    unnamed = virChannelChosenPath(&channel, "/c/domain-1-web");
    channel.name = (char *)"agent.0";
    named = virChannelChosenPath(&channel, "/c/domain-1-web");
    g_assert_true(virChannelChoosesPath(&channel));
    g_assert_cmpstr(unnamed, ==, "/c/domain-1-web/vioser-01-00-02.sock");
    g_assert_cmpstr(named, ==, "/c/domain-1-web/agent.0");
}

static void
addDevice(virDevice *dev, void *opaque)
{
    g_ptr_array_add(opaque, dev);
}

static GPtrArray *
devicesOf(const char *first, const char *second)
{
    GPtrArray *devices = g_ptr_array_new_with_free_func((GDestroyNotify)virDeviceFree);
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(devices, virDeviceParseText(first, 0, &error));
    g_assert_no_error(error);
    if (second)
        g_ptr_array_add(devices, virDeviceParseText(second, 0, &error));
    g_assert_no_error(error);
    return devices;
}

static char *
mirrorOf(const GPtrArray *devices, unsigned formatFlags)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    const virDevice *console = virDevicesNth(devices, &virConsoleKind, 0);
    const virDevice *serial = virConsoleMirrored(console, devices);

    g_assert_nonnull(serial);
    virConsoleFormatMirror(serial, w, formatFlags);
    return virXMLWriterEnd(w);
}

static void
testConsoleAloneMakesASerialPort(void)
{
    g_autoptr(GPtrArray) devices =
        devicesOf("<console type='file'><source path='/x'/></console>", NULL);
    g_autofree char *xml = NULL;

    g_assert_true(virConsoleSerialCompat(devices, addDevice, devices, NULL));
    g_assert_cmpuint(virDevicesCount(devices, &virSerialKind), ==, 1);
    VIR_CONSOLE(virDevicesNth(devices, &virConsoleKind, 0))->target = VIR_CONSOLE_TARGET_SERIAL;
    xml = mirrorOf(devices, VIR_FORMAT_INACTIVE);
    g_assert_cmpstr(xml, ==,
                    "<console type='file'>\n"
                    "  <source path='/x'/>\n"
                    "  <target type='serial' port='0'/>\n"
                    "</console>\n");
}

static void
testSerialPortAloneMakesAConsole(void)
{
    g_autoptr(GPtrArray) devices = devicesOf(
        "<serial type='pty'><source path='/dev/pts/3'/><target port='0'/></serial>", NULL);
    g_autofree char *xml = NULL;

    g_assert_true(virConsoleSerialCompat(devices, addDevice, devices, NULL));
    xml = mirrorOf(devices, 0);
    g_assert_cmpstr(xml, ==,
                    "<console type='pty' tty='/dev/pts/3'>\n"
                    "  <source path='/dev/pts/3'/>\n"
                    "  <target type='serial' port='0'/>\n"
                    "</console>\n");
}

static void
testPciSerialPortIsNoConsole(void)
{
    g_autoptr(GPtrArray) devices =
        devicesOf("<serial type='pty'><target type='pci-serial'/></serial>", NULL);

    g_assert_true(virConsoleSerialCompat(devices, addDevice, devices, NULL));
    g_assert_cmpuint(devices->len, ==, 1);
}

static void
testOnlyTheFirstConsoleMayBeASerialPort(void)
{
    static const char *const seconds[] = {
        "<console type='pty'><target type='serial'/></console>",
        "<console type='pty'><target port='1'/></console>", /* one, for want of another type */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) devices =
            devicesOf("<console type='pty'><target type='virtio'/></console>", seconds[i]);

        g_assert_false(virConsoleSerialCompat(devices, addDevice, devices, &error));
        g_assert_true(virErrorIs(error, VIR_ERR_XML_ERROR));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/chrsource/the terminal of a pty is found", testTerminalOfAPtyIsFound);
    g_test_add_func("/chrsource/open ends are told", testOpenEndsAreTold);
    g_test_add_func("/channel/ports tell who is there", testPortsTellWhoIsThere);
    g_test_add_func("/channel/chosen paths are known again", testChosenPathsAreKnownAgain);
    g_test_add_func("/channel/paths are chosen in the guest's folder",
                    testPathsAreChosenInTheGuestsFolder);
    g_test_add_func("/console/a console alone makes a serial port",
                    testConsoleAloneMakesASerialPort);
    g_test_add_func("/console/a serial port alone makes a console",
                    testSerialPortAloneMakesAConsole);
    g_test_add_func("/console/a PCI serial port is no console", testPciSerialPortIsNoConsole);
    g_test_add_func("/console/only the first console may be a serial port",
                    testOnlyTheFirstConsoleMayBeASerialPort);
    return g_test_run();
}
