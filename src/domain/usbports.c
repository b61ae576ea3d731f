/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * usbports.c: ports for USB devices, on controllers and hubs. */
#include <string.h>

#include "device/controller/controller.h"
#include "domain/addresses.h"
#include "util/virerror.h"

enum { VIR_USB_HUB_PORTS = 8, VIR_USB_PORTS_MAX = 16 };

/* A controller's root or a plugged-in hub: ports, what is in them, where it is itself. */
typedef struct {
    unsigned bus;
    unsigned path[VIR_USB_PORT_DEPTH]; /* ends with 0; empty for a root */
    unsigned depth;
    unsigned ports;
    bool taken[VIR_USB_PORTS_MAX + 1]; /* by port number, from 1 */
} virUSBNode;

static unsigned
virUSBControllerPorts(const virController *controller)
{
    switch (controller->model) {
    case VIR_CONTROLLER_USB_EHCI:
    case VIR_CONTROLLER_USB_ICH9_EHCI1:
        return 6;
    case VIR_CONTROLLER_USB_PCI_OHCI:
        return 3;
    case VIR_CONTROLLER_USB_NEC_XHCI:
    case VIR_CONTROLLER_USB_QEMU_XHCI:
        return controller->ports.set ? (unsigned)controller->ports.value : 4;
    case VIR_CONTROLLER_USB_NONE:
        return 0;
    default:
        return 2;
    }
}

static void
virUSBAddNode(GArray *nodes, unsigned bus, const unsigned *path, unsigned depth, unsigned ports)
{
    virUSBNode node = {.bus = bus, .depth = depth, .ports = MIN(ports, VIR_USB_PORTS_MAX)};

    for (unsigned i = 0; i < depth; i++)
        node.path[i] = path[i];
    g_array_append_val(nodes, node);
}

static unsigned
virUSBDepth(const virAddress *address)
{
    unsigned depth = 0;

    while (depth < VIR_USB_PORT_DEPTH && address->usb.port[depth])
        depth++;
    return depth;
}

static virUSBNode *
virUSBFindNode(GArray *nodes, unsigned bus, const unsigned *path, unsigned depth)
{
    for (guint i = 0; i < nodes->len; i++) {
        virUSBNode *node = &g_array_index(nodes, virUSBNode, i);

        if (node->bus == bus && node->depth == depth &&
            (depth == 0 || memcmp(node->path, path, depth * sizeof(*path)) == 0))
            return node;
    }
    return NULL;
}

static bool
virUSBTake(GArray *nodes, const virAddress *address, GError **error)
{
    unsigned depth = virUSBDepth(address);
    g_autofree char *port = virAddressUSBPort(address);
    virUSBNode *node = virUSBFindNode(nodes, address->usb.bus, address->usb.port, depth - 1);
    unsigned last = address->usb.port[depth - 1];

    if (!node && depth == 1)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing USB bus %u for the device at port %s"), address->usb.bus,
                           port);
    if (!node)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("there is no hub at port %u in USB address bus: %u port: %s"),
                           address->usb.port[depth - 2], address->usb.bus, port);
    if (last > node->ports)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("requested USB port %s not present on USB bus %u"), port,
                           address->usb.bus);
    if (node->taken[last])
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Duplicate USB address bus %u port %s"),
                           address->usb.bus, port);
    node->taken[last] = true;
    return true;
}

static bool
virUSBIsHub(const virDevice *dev)
{
    return dev->kind->usbPorts > 0;
}

static bool
virUSBWants(const virDevice *dev)
{
    return dev->kind->onUSB && dev->kind->onUSB(dev);
}

static bool
virUSBIsPlaced(const virDevice *dev)
{
    return dev->info.address.type == VIR_ADDRESS_USB && dev->info.address.usb.port[0] != 0;
}

/* The first free port: roots first, then hubs in the order they were plugged in. bus -1: any. */
static bool
virUSBTakeFree(GArray *nodes, int bus, virAddress *address)
{
    for (guint i = 0; i < nodes->len; i++) {
        virUSBNode *node = &g_array_index(nodes, virUSBNode, i);

        if ((bus >= 0 && node->bus != (unsigned)bus) || node->depth == VIR_USB_PORT_DEPTH)
            continue;
        for (unsigned port = 1; port <= node->ports; port++) {
            if (node->taken[port])
                continue;
            node->taken[port] = true;
            *address = (virAddress){.type = VIR_ADDRESS_USB};
            address->usb.bus = node->bus;
            memcpy(address->usb.port, node->path, node->depth * sizeof(*node->path));
            address->usb.port[node->depth] = port;
            return true;
        }
    }
    return false;
}

static bool
virUSBPlace(GArray *nodes, virDevice *dev, GError **error)
{
    virAddress *address = &dev->info.address;
    int bus = address->type == VIR_ADDRESS_USB ? (int)address->usb.bus : -1;

    if (!virUSBTakeFree(nodes, bus, address))
        return bus < 0 ? virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("No free USB ports"))
                       : virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("No free USB port on bus %d"),
                                     bus);
    if (virUSBIsHub(dev))
        virUSBAddNode(nodes, address->usb.bus, address->usb.port, virUSBDepth(address),
                      dev->kind->usbPorts);
    return true;
}

/* Roots, then placed hubs from the shallow to the deep, then all other placed devices. */
static GArray *
virUSBCollect(const virDomainDef *def, GError **error)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, FALSE, sizeof(virUSBNode));

    for (guint i = 0; i < def->devices->len; i++) {
        const virController *controller = g_ptr_array_index(def->devices, i);

        if (controller->base.kind == &virControllerKind && controller->type == VIR_CONTROLLER_USB &&
            !virControllerIsUSBCompanion(controller) &&
            !virUSBFindNode(nodes, (unsigned)controller->index.value, NULL, 0))
            virUSBAddNode(nodes, (unsigned)controller->index.value, NULL, 0,
                          virUSBControllerPorts(controller));
    }
    for (unsigned depth = 1; depth <= VIR_USB_PORT_DEPTH; depth++) {
        for (guint i = 0; i < def->devices->len; i++) {
            const virDevice *dev = g_ptr_array_index(def->devices, i);

            if (!virUSBIsHub(dev) || !virUSBIsPlaced(dev) ||
                virUSBDepth(&dev->info.address) != depth)
                continue;
            if (!virUSBTake(nodes, &dev->info.address, error))
                return NULL;
            virUSBAddNode(nodes, dev->info.address.usb.bus, dev->info.address.usb.port, depth,
                          dev->kind->usbPorts);
        }
    }
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (virUSBWants(dev) && !virUSBIsHub(dev) && virUSBIsPlaced(dev) &&
            !virUSBTake(nodes, &dev->info.address, error))
            return NULL;
    }
    return g_steal_pointer(&nodes);
}

/* As many hubs as are needed for all devices to have a port. */
static void
virUSBAddHubs(virDomainDef *def, const GArray *nodes)
{
    const virDeviceKind *hub = virDeviceKindByElement("hub");
    unsigned wanted = 0;
    unsigned ports = 0;

    for (guint i = 0; i < nodes->len; i++)
        ports += g_array_index(nodes, virUSBNode, i).ports;
    virDevicesForEach(def->devices, NULL, dev)
    {
        wanted += virUSBWants(dev);
        if (virUSBIsHub(dev) && !virUSBIsPlaced(dev))
            ports += dev->kind->usbPorts;
    }
    while (hub && wanted > ports) { /* a hub takes one port and gives eight */
        virDomainDefAddDevice(def, virDeviceNew(hub));
        wanted++;
        ports += VIR_USB_HUB_PORTS;
    }
}

static bool
virUSBAllPlaced(const virDomainDef *def)
{
    virDevicesForEach(def->devices, NULL, dev)
    {
        if (virUSBWants(dev) && !virUSBIsPlaced(dev))
            return false;
    }
    return true;
}

bool
virDomainDefAssignUSB(virDomainDef *def, bool anew, GError **error)
{
    g_autoptr(GArray) nodes = NULL;

    if (!anew && !virUSBAllPlaced(def))
        return true;
    nodes = virUSBCollect(def, error);
    if (!nodes)
        return false;
    if (nodes->len == 0 || virControllersNoUSB(def->devices))
        return true;
    virUSBAddHubs(def, nodes);
    for (int hubs = 1; hubs >= 0; hubs--) { /* hubs first: devices may sit on them */
        virDevicesForEach(def->devices, NULL, dev)
        {
            if (virUSBWants(dev) && virUSBIsHub(dev) == (hubs == 1) && !virUSBIsPlaced(dev) &&
                !virUSBPlace(nodes, dev, error))
                return false;
        }
    }
    return true;
}

bool
virDomainDefAssignUSBDevice(const virDomainDef *def, virDevice *dev, GError **error)
{
    g_autoptr(GArray) nodes = NULL;

    if (!virUSBWants(dev))
        return true;
    nodes = virUSBCollect(def, error);
    if (!nodes)
        return false;
    if (virUSBIsPlaced(dev))
        return virUSBTake(nodes, &dev->info.address, error);
    return virUSBPlace(nodes, dev, error);
}
