/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serial.c: <serial> as a document. */
#include "device/serial/serial.h"

#include "device/common/chrport.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virSerialTarget, VIR_SERIAL_TARGET_LAST, "none", "isa-serial", "usb-serial",
              "pci-serial", "spapr-vio-serial", "system-serial", "sclp-serial", "isa-debug");
VIR_ENUM_IMPL(virSerialModel, VIR_SERIAL_MODEL_LAST, "none", "isa-serial", "usb-serial",
              "pci-serial", "spapr-vty", "pl011", "sclpconsole", "sclplmconsole", "16550a",
              "isa-debugcon");

static const virField fields[] = {
    VIR_FIELD_MIXIN(virSerial, source, virChrSourceTypeFields),
    VIR_FIELD_MIXIN(virSerial, source, virChrSourceBodyFields),
    VIR_FIELD_ENUM("target@type", virSerial, target, virSerialTargetNames, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@port", virSerial, port, 0, INT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("target/model@name", virSerial, model, virSerialModelNames,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static const virOptUInt *
virSerialPort(const virDevice *dev)
{
    return &VIR_SERIAL(dev)->port;
}

static bool
virSerialParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    return virChrRefuseSpicevmc(&VIR_SERIAL(dev)->source, error);
}

static bool
virSerialComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virChrPortComplete(&VIR_SERIAL(dev)->port, facts->devices, dev->kind, virSerialPort);
    return true;
}

static bool
virSerialCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    return virChrSourceCheck(&VIR_SERIAL(dev)->source, false, error);
}

static bool
virSerialMatches(const virDevice *dev, const virDevice *wanted)
{
    const virSerial *is = VIR_SERIAL(dev);
    const virSerial *want = VIR_SERIAL(wanted);

    return virChrSourceEqual(&is->source, &want->source) && want->port.set &&
           want->port.value == is->port.value &&
           (want->target == VIR_SERIAL_TARGET_NONE || want->target == is->target);
}

static unsigned
virSerialPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    if (VIR_SERIAL(dev)->target != VIR_SERIAL_TARGET_PCI)
        return 0;
    return VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
}

static bool
virSerialOnUSB(const virDevice *dev)
{
    return VIR_SERIAL(dev)->target == VIR_SERIAL_TARGET_USB;
}

static const char *
virSerialTerminal(const virDevice *dev)
{
    return virChrSourceTerminal(&VIR_SERIAL(dev)->source);
}

static bool
virSerialMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    virDevicesForEach(devices, &virSerialKind, other)
    {
        if (virSerialMatches(other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("chardev already exists"));
    }
    return true;
}

const virDeviceKind virSerialKind = {
    .terminal = virSerialTerminal,
    .element = "serial",
    .noun = "serial",
    .size = sizeof(virSerial),
    .fields = fields,
    .parse = virSerialParse,
    .complete = virSerialComplete,
    .check = virSerialCheck,
    .matches = virSerialMatches,
    .pciConnect = virSerialPCIConnect,
    .onUSB = virSerialOnUSB,
    .aliasPrefix = "serial",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("chr type '%s' device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
    .mayJoin = virSerialMayJoin,
};
