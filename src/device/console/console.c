/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * console.c: <console> as a document. */
#include "device/console/console.h"

#include "device/common/chrport.h"
#include "device/controller/controller.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virConsoleTarget, VIR_CONSOLE_TARGET_LAST, "none", "serial", "xen", "uml", "virtio",
              "lxc", "openvz", "sclp", "sclplm");

/* The terminal once more, where clients of old look for it. */
static void
virConsoleFormatTty(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virConsole *console = object;

    if (console->port.value == 0 && console->source.type == VIR_CHR_PTY &&
        !(formatFlags & VIR_FORMAT_INACTIVE))
        virXMLWriterAttr(w, "tty", console->source.path);
}

static const virField fields[] = {
    VIR_FIELD_MIXIN(virConsole, source, virChrSourceTypeFields),
    VIR_FIELD_CODE("@tty", NULL, virConsoleFormatTty),
    VIR_FIELD_MIXIN(virConsole, source, virChrSourceBodyFields),
    VIR_FIELD_ENUM("target@type", virConsole, target, virConsoleTargetNames,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@port", virConsole, port, 0, INT32_MAX),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static const virOptUInt *
virConsolePort(const virDevice *dev)
{
    return &VIR_CONSOLE(dev)->port;
}

static bool
virConsoleParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virConsole *console = VIR_CONSOLE(dev);

    /* what we wrote ourselves stands beside the serial port that it is a copy of */
    if ((parseFlags & VIR_PARSE_STATUS) && console->target == VIR_CONSOLE_TARGET_SERIAL)
        virConsoleBecomeName(dev);
    return virChrRefuseSpicevmc(&console->source, error);
}

static bool
virConsoleComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virConsole *console = VIR_CONSOLE(dev);

    if (console->target == VIR_CONSOLE_TARGET_NONE)
        console->target = VIR_CONSOLE_TARGET_SERIAL;
    virChrPortComplete(&console->port, facts->devices, dev->kind, virConsolePort);
    return true;
}

static bool
virConsoleCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    return VIR_CONSOLE(dev)->mirror || virChrSourceCheck(&VIR_CONSOLE(dev)->source, false, error);
}

/* What stands for the first serial port is the first console. */
static int
virConsoleOrder(const virDevice *a, const virDevice *b)
{
    return VIR_CONSOLE(b)->mirror && !VIR_CONSOLE(a)->mirror ? 1 : -1;
}

static bool
virConsoleMatches(const virDevice *dev, const virDevice *wanted)
{
    const virConsole *is = VIR_CONSOLE(dev);
    const virConsole *want = VIR_CONSOLE(wanted);

    return virChrSourceEqual(&is->source, &want->source) && want->port.set &&
           want->port.value == is->port.value &&
           (want->target == VIR_CONSOLE_TARGET_NONE || want->target == is->target);
}

static int
virConsoleController(const virDevice *dev, unsigned *retIndex)
{
    if (VIR_CONSOLE(dev)->target != VIR_CONSOLE_TARGET_VIRTIO)
        return -1;
    *retIndex = dev->info.address.type == VIR_ADDRESS_VIRTIO_SERIAL
                    ? dev->info.address.virtioSerial.controller
                    : 0;
    return VIR_CONTROLLER_VIRTIO_SERIAL;
}

static const char *
virConsoleTerminal(const virDevice *dev)
{
    return virChrSourceTerminal(&VIR_CONSOLE(dev)->source);
}

/* A mere name of the serial port has none of its own. */
static char *
virConsoleAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    return VIR_CONSOLE(dev)->mirror ? NULL : g_strdup_printf("console%u", index);
}

static bool
virConsoleMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    virDevicesForEach(devices, &virConsoleKind, other)
    {
        if (virConsoleMatches(other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("chardev already exists"));
    }
    return true;
}

const virDeviceKind virConsoleKind = {
    .terminal = virConsoleTerminal,
    .element = "console",
    .noun = "console",
    .size = sizeof(virConsole),
    .fields = fields,
    .parse = virConsoleParse,
    .complete = virConsoleComplete,
    .check = virConsoleCheck,
    .order = virConsoleOrder,
    .matches = virConsoleMatches,
    .controller = virConsoleController,
    .addressOptional = true,
    .alias = virConsoleAlias,
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("chr type '%s' device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
    .mayJoin = virConsoleMayJoin,
};
