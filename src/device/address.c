/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * address.c: reading and writing <address>. */
#include "device/address.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device/field.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virAddressType, VIR_ADDRESS_LAST, "none", "pci", "drive", "virtio-serial", "ccid",
              "usb", "virtio-mmio", "isa", "dimm", "unassigned");

/* base 0 reads "0x1f" and "31" alike */
static bool
virAddressNumber(const xmlNode *node, const char *name, int base, uint64_t max, unsigned *ret,
                 GError **error)
{
    uint64_t value;
    bool set;

    if (!virFieldAttrUInt(node, name, base, max, &set, &value, error))
        return false;
    if (set)
        *ret = (unsigned)value;
    return true;
}

bool
virPCIAddressParse(virPCIAddress *addr, const xmlNode *node, GError **error)
{
    g_autofree char *multi = virXMLAttr(node, "multifunction");

    if (!virAddressNumber(node, "domain", 0, UINT32_MAX, &addr->domain, error) ||
        !virAddressNumber(node, "bus", 0, UINT32_MAX, &addr->bus, error) ||
        !virAddressNumber(node, "slot", 0, UINT32_MAX, &addr->slot, error) ||
        !virAddressNumber(node, "function", 0, UINT32_MAX, &addr->function, error))
        return false;
    if (multi && g_str_equal(multi, "on"))
        addr->multi = VIR_TRISTATE_YES;
    else if (multi && g_str_equal(multi, "off"))
        addr->multi = VIR_TRISTATE_NO;
    else if (multi)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("Invalid value for attribute 'multifunction' in element 'address': '%s'."), multi);
    if (addr->domain > 0xffff)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid PCI address domain='0x%x', must be <= 0xFFFF"), addr->domain);
    if (addr->bus > 0xff)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid PCI address bus='0x%x', must be <= 0xFF"), addr->bus);
    if (addr->slot > 0x1f)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid PCI address slot='0x%x', must be <= 0x1F"), addr->slot);
    if (addr->function > 7)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid PCI address function=0x%x, must be <= 7"), addr->function);
    return true;
}

static bool
virAddressParseUSB(virAddress *addr, const xmlNode *node, GError **error)
{
    g_autofree char *port = virXMLAttr(node, "port");
    char *at = port;

    if (!virAddressNumber(node, "bus", 10, UINT32_MAX, &addr->usb.bus, error))
        return false;
    for (unsigned i = 0; at && i < VIR_USB_PORT_DEPTH; i++) {
        char *end;
        unsigned long value = g_ascii_isdigit(*at) ? strtoul(at, &end, 10) : 0;

        if (value == 0 || value > 255 || (*end && *end != '.'))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Cannot parse <address> 'port' attribute"));
        addr->usb.port[i] = (unsigned)value;
        at = *end == '.' ? end + 1 : NULL;
    }
    if (at)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Cannot parse <address> 'port' attribute"));
    return true;
}

static bool
virAddressParseDimm(virAddress *addr, const xmlNode *node, GError **error)
{
    uint64_t base;
    bool set;

    if (!virAddressNumber(node, "slot", 10, UINT32_MAX, &addr->dimm.slot, error) ||
        !virFieldAttrUInt(node, "base", 16, UINT64_MAX, &set, &base, error))
        return false;
    addr->dimm.base = set ? base : 0;
    return true;
}

static bool
virAddressParseByType(virAddress *addr, const xmlNode *node, GError **error)
{
    switch (addr->type) {
    case VIR_ADDRESS_PCI:
        return virPCIAddressParse(&addr->pci, node, error);
    case VIR_ADDRESS_DRIVE:
        return virAddressNumber(node, "controller", 10, UINT32_MAX, &addr->drive.controller,
                                error) &&
               virAddressNumber(node, "bus", 10, UINT32_MAX, &addr->drive.bus, error) &&
               virAddressNumber(node, "target", 10, UINT32_MAX, &addr->drive.target, error) &&
               virAddressNumber(node, "unit", 10, UINT32_MAX, &addr->drive.unit, error);
    case VIR_ADDRESS_VIRTIO_SERIAL:
        return virAddressNumber(node, "controller", 10, UINT32_MAX, &addr->virtioSerial.controller,
                                error) &&
               virAddressNumber(node, "bus", 10, UINT32_MAX, &addr->virtioSerial.bus, error) &&
               virAddressNumber(node, "port", 10, UINT32_MAX, &addr->virtioSerial.port, error);
    case VIR_ADDRESS_CCID:
        return virAddressNumber(node, "controller", 10, UINT32_MAX, &addr->ccid.controller,
                                error) &&
               virAddressNumber(node, "slot", 10, UINT32_MAX, &addr->ccid.slot, error);
    case VIR_ADDRESS_USB:
        return virAddressParseUSB(addr, node, error);
    case VIR_ADDRESS_ISA:
        return virAddressNumber(node, "iobase", 16, UINT32_MAX, &addr->isa.iobase, error) &&
               virAddressNumber(node, "irq", 16, UINT32_MAX, &addr->isa.irq, error);
    case VIR_ADDRESS_DIMM:
        return virAddressParseDimm(addr, node, error);
    default:
        return true;
    }
}

bool
virAddressParse(virAddress *addr, const xmlNode *node, GError **error)
{
    g_autofree char *type = virXMLAttr(node, "type");
    int number = virAddressTypeFromString(type);

    memset(addr, 0, sizeof(*addr));
    if (!type)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("No type specified for device address"));
    if (number <= 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unknown address type '%s'"), type);
    addr->type = (virAddressType)number;
    return virAddressParseByType(addr, node, error);
}

void
virPCIAddressFormatAttrs(const virPCIAddress *addr, virXMLWriter *w)
{
    virXMLWriterAttrF(w, "domain", "0x%04x", addr->domain);
    virXMLWriterAttrF(w, "bus", "0x%02x", addr->bus);
    virXMLWriterAttrF(w, "slot", "0x%02x", addr->slot);
    virXMLWriterAttrF(w, "function", "0x%x", addr->function);
}

char *
virPCIAddressToString(const virPCIAddress *addr)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", addr->domain, addr->bus, addr->slot,
                           addr->function);
}

char *
virAddressUSBPort(const virAddress *addr)
{
    GString *port = g_string_new(NULL);

    for (unsigned i = 0; i < VIR_USB_PORT_DEPTH && addr->usb.port[i]; i++)
        g_string_append_printf(port, "%s%u", i ? "." : "", addr->usb.port[i]);
    return g_string_free(port, FALSE);
}

bool
virAddressIsSetPCI(const virAddress *addr)
{
    return addr->type == VIR_ADDRESS_PCI &&
           (addr->pci.domain || addr->pci.bus || addr->pci.slot || addr->pci.function);
}

bool
virAddressEqual(const virAddress *a, const virAddress *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VIR_ADDRESS_PCI: /* whether it shares its slot is no part of the place */
        return a->pci.domain == b->pci.domain && a->pci.bus == b->pci.bus &&
               a->pci.slot == b->pci.slot && a->pci.function == b->pci.function;
    case VIR_ADDRESS_DRIVE:
        return memcmp(&a->drive, &b->drive, sizeof(a->drive)) == 0;
    case VIR_ADDRESS_VIRTIO_SERIAL:
        return memcmp(&a->virtioSerial, &b->virtioSerial, sizeof(a->virtioSerial)) == 0;
    case VIR_ADDRESS_CCID:
        return memcmp(&a->ccid, &b->ccid, sizeof(a->ccid)) == 0;
    case VIR_ADDRESS_USB:
        return memcmp(&a->usb, &b->usb, sizeof(a->usb)) == 0;
    case VIR_ADDRESS_ISA:
        return memcmp(&a->isa, &b->isa, sizeof(a->isa)) == 0;
    case VIR_ADDRESS_DIMM:
        return a->dimm.slot == b->dimm.slot && a->dimm.base == b->dimm.base;
    default:
        return true;
    }
}

void
virAddressFormat(const virAddress *addr, virXMLWriter *w)
{
    g_autofree char *port = NULL;

    if (addr->type == VIR_ADDRESS_NONE)
        return;
    virXMLWriterOpen(w, "address");
    virXMLWriterAttr(w, "type", virAddressTypeToString(addr->type));
    switch (addr->type) {
    case VIR_ADDRESS_PCI:
        if (!virAddressIsSetPCI(addr))
            break;
        virPCIAddressFormatAttrs(&addr->pci, w);
        if (addr->pci.multi != VIR_TRISTATE_ABSENT)
            virXMLWriterAttr(w, "multifunction",
                             addr->pci.multi == VIR_TRISTATE_YES ? "on" : "off");
        break;
    case VIR_ADDRESS_DRIVE:
        virXMLWriterAttrF(w, "controller", "%u", addr->drive.controller);
        virXMLWriterAttrF(w, "bus", "%u", addr->drive.bus);
        virXMLWriterAttrF(w, "target", "%u", addr->drive.target);
        virXMLWriterAttrF(w, "unit", "%u", addr->drive.unit);
        break;
    case VIR_ADDRESS_VIRTIO_SERIAL:
        virXMLWriterAttrF(w, "controller", "%u", addr->virtioSerial.controller);
        virXMLWriterAttrF(w, "bus", "%u", addr->virtioSerial.bus);
        virXMLWriterAttrF(w, "port", "%u", addr->virtioSerial.port);
        break;
    case VIR_ADDRESS_CCID:
        virXMLWriterAttrF(w, "controller", "%u", addr->ccid.controller);
        virXMLWriterAttrF(w, "slot", "%u", addr->ccid.slot);
        break;
    case VIR_ADDRESS_USB:
        virXMLWriterAttrF(w, "bus", "%u", addr->usb.bus);
        port = virAddressUSBPort(addr);
        if (*port)
            virXMLWriterAttr(w, "port", port);
        break;
    case VIR_ADDRESS_ISA:
        if (addr->isa.iobase)
            virXMLWriterAttrF(w, "iobase", "0x%x", addr->isa.iobase);
        if (addr->isa.irq)
            virXMLWriterAttrF(w, "irq", "0x%x", addr->isa.irq);
        break;
    case VIR_ADDRESS_DIMM:
        virXMLWriterAttrF(w, "slot", "%u", addr->dimm.slot);
        if (addr->dimm.base)
            virXMLWriterAttrF(w, "base", "0x%" PRIx64, addr->dimm.base);
        break;
    default:
        break;
    }
    virXMLWriterClose(w);
}
