/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serialcompat.c: the first console as another name of the first serial port. */
#include "device/console/console.h"
#include "device/serial/serial.h"
#include "util/virerror.h"

static bool
virConsoleIsSerial(const virDevice *dev)
{
    return VIR_CONSOLE(dev)->target == VIR_CONSOLE_TARGET_NONE ||
           VIR_CONSOLE(dev)->target == VIR_CONSOLE_TARGET_SERIAL;
}

/* A port that has its own connector is no console by itself. */
static bool
virConsoleImpliedBy(const virDevice *serial)
{
    switch ((virSerialTarget)VIR_SERIAL(serial)->target) {
    case VIR_SERIAL_TARGET_NONE:
    case VIR_SERIAL_TARGET_ISA:
    case VIR_SERIAL_TARGET_SPAPR_VIO:
    case VIR_SERIAL_TARGET_SYSTEM:
    case VIR_SERIAL_TARGET_SCLP:
        return true;
    default:
        return false;
    }
}

/* Takes source and place from the console, which stays as a mere name. */
static virDevice *
virConsoleMakeSerial(virDevice *console)
{
    virDevice *serial = virDeviceNew(&virSerialKind);
    virConsole *from = VIR_CONSOLE(console);

    VIR_SERIAL(serial)->source = from->source;
    VIR_SERIAL(serial)->port = virOptUIntOf(0);
    serial->info = console->info;
    from->source = (virChrSource){.type = from->source.type};
    console->info = (virDeviceInfo){0};
    return serial;
}

static virDevice *
virConsoleMakeFor(const virDevice *serial)
{
    virDevice *console = virDeviceNew(&virConsoleKind);

    VIR_CONSOLE(console)->source.type = VIR_SERIAL(serial)->source.type;
    VIR_CONSOLE(console)->target = VIR_CONSOLE_TARGET_SERIAL;
    VIR_CONSOLE(console)->port = virOptUIntOf(0);
    VIR_CONSOLE(console)->mirror = true;
    return console;
}

void
virConsoleBecomeName(virDevice *console)
{
    virConsole *name = VIR_CONSOLE(console);
    int type = name->source.type;

    virChrSourceClear(&name->source);
    name->source = (virChrSource){.type = type};
    virFieldClear(virDeviceInfoFields, &console->info);
    console->info = (virDeviceInfo){0};
    name->mirror = true;
}

bool
virConsoleSerialCompat(const GPtrArray *devices, void (*add)(virDevice *dev, void *opaque),
                       void *opaque, GError **error)
{
    virDevice *console = virDevicesNth(devices, &virConsoleKind, 0);
    virDevice *serial = virDevicesNth(devices, &virSerialKind, 0);
    unsigned count = virDevicesCount(devices, &virConsoleKind);

    for (unsigned i = 1; i < count; i++) {
        if (virConsoleIsSerial(virDevicesNth(devices, &virConsoleKind, i)))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Only the first console can be a serial port"));
    }
    if (console && virConsoleIsSerial(console)) {
        if (!serial)
            add(virConsoleMakeSerial(console), opaque);
        virConsoleBecomeName(console);
    } else if (serial && virConsoleImpliedBy(serial)) {
        add(virConsoleMakeFor(serial), opaque);
    }
    return true;
}

const virDevice *
virConsoleMirrored(const virDevice *dev, const GPtrArray *devices)
{
    if (dev->kind != &virConsoleKind || dev != virDevicesNth(devices, &virConsoleKind, 0) ||
        VIR_CONSOLE(dev)->target != VIR_CONSOLE_TARGET_SERIAL)
        return NULL;
    return virDevicesNth(devices, &virSerialKind, 0);
}

void
virConsoleFormatMirror(const virDevice *serial, virXMLWriter *w, unsigned formatFlags)
{
    /* borrows everything from serial and is never cleared */
    virConsole console = {
        .base = {.kind = &virConsoleKind, .info = serial->info},
        .source = VIR_SERIAL(serial)->source,
        .target = VIR_CONSOLE_TARGET_SERIAL,
        .port = VIR_SERIAL(serial)->port,
    };

    virDeviceFormat(&console.base, w, formatFlags);
}
