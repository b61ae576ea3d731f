/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * console.h: <console>: what a guest calls its console.
 *
 * The first console of type serial is no device: it is another name of the first serial port and
 * written as a copy of it, because clients have looked there ever since. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

typedef enum {
    VIR_CONSOLE_TARGET_NONE = 0,
    VIR_CONSOLE_TARGET_SERIAL,
    VIR_CONSOLE_TARGET_XEN,
    VIR_CONSOLE_TARGET_UML,
    VIR_CONSOLE_TARGET_VIRTIO,
    VIR_CONSOLE_TARGET_LXC,
    VIR_CONSOLE_TARGET_OPENVZ,
    VIR_CONSOLE_TARGET_SCLP,
    VIR_CONSOLE_TARGET_SCLPLM,
    VIR_CONSOLE_TARGET_LAST
} virConsoleTarget;
VIR_ENUM_DECL(virConsoleTarget);

typedef struct {
    virDevice base;
    virChrSource source;
    int target; /* virConsoleTarget */
    virOptUInt port;
    bool mirror; /* made by us, in front of the first serial port */
} virConsole;

#define VIR_CONSOLE(dev) ((virConsole *)(dev))
extern const virDeviceKind virConsoleKind;

/* Makes what the document leaves out: the serial port behind the first console, or the console in
 * front of the first serial port. devices holds all devices of a domain, in document order; what is
 * new is given to add (which owns it then). VIR_ERR_XML_ERROR if a later console is of type serial.
 * After the parts that don't know each other are completed, before hypervisor defaults. */
bool virConsoleSerialCompat(const GPtrArray *devices, void (*add)(virDevice *dev, void *opaque),
                            void *opaque, GError **error);
/* Forgets source and place: they are the first serial port's to say, and two devices cannot sit in
 * one place. */
void virConsoleBecomeName(virDevice *console);
/* The serial port that stands behind dev and is to be written in its place, or NULL. */
const virDevice *virConsoleMirrored(const virDevice *dev, const GPtrArray *devices);
/* Writes <console> with what serial is. */
void virConsoleFormatMirror(const virDevice *serial, virXMLWriter *w, unsigned formatFlags);
