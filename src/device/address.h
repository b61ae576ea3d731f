/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * address.h: where a device sits: the <address> element of all bus types. Values, no ownership;
 * who chooses an address that the document leaves open is src/domain/. Any thread. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/virenum.h"
#include "util/virutil.h"
#include "util/virxml.h"

typedef enum {
    VIR_ADDRESS_NONE = 0,
    VIR_ADDRESS_PCI,
    VIR_ADDRESS_DRIVE,
    VIR_ADDRESS_VIRTIO_SERIAL,
    VIR_ADDRESS_CCID,
    VIR_ADDRESS_USB,
    VIR_ADDRESS_VIRTIO_MMIO,
    VIR_ADDRESS_ISA,
    VIR_ADDRESS_DIMM,
    VIR_ADDRESS_UNASSIGNED,
    VIR_ADDRESS_LAST
} virAddressType;
VIR_ENUM_DECL(virAddressType);

typedef struct {
    unsigned domain, bus, slot, function;
    virTristate multi;
} virPCIAddress;

enum { VIR_USB_PORT_DEPTH = 4 };

typedef struct {
    virAddressType type;
    union {
        virPCIAddress pci;
        struct {
            unsigned controller, bus, target, unit;
        } drive;
        struct {
            unsigned controller, bus, port;
        } virtioSerial;
        struct {
            unsigned controller, slot;
        } ccid;
        struct {
            unsigned bus, port[VIR_USB_PORT_DEPTH]; /* port[0] == 0: not chosen yet */
        } usb;
        struct {
            unsigned iobase, irq;
        } isa;
        struct {
            unsigned slot;
            uint64_t base;
        } dimm;
    };
} virAddress;

/* The element <address type=…>. VIR_ERR_XML_ERROR naming what is missing or out of range. */
bool virAddressParse(virAddress *addr, const xmlNode *node, GError **error);
void virAddressFormat(const virAddress *addr, virXMLWriter *w);
/* True for a PCI address that names a place (0000:00:00.0 does not). */
bool virAddressIsSetPCI(const virAddress *addr);
bool virAddressEqual(const virAddress *a, const virAddress *b);

/* The bare attributes of a PCI address, for sources of host devices. */
bool virPCIAddressParse(virPCIAddress *addr, const xmlNode *node, GError **error);
void virPCIAddressFormatAttrs(const virPCIAddress *addr, virXMLWriter *w);
/* "0000:00:1f.2"; caller frees. */
char *virPCIAddressToString(const virPCIAddress *addr);
/* "1.2.3"; caller frees. */
char *virAddressUSBPort(const virAddress *addr);
