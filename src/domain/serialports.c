/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serialports.c: ports of virtio-serial controllers and slots of CCID readers. */
#include "device/controller/controller.h"
#include "domain/addresses.h"
#include "util/virerror.h"

enum {
    VIR_VIRTIO_SERIAL_PORTS = 31,      /* QEMU's max_ports where nothing is said */
    VIR_VIRTIO_SERIAL_PORTS_MAX = 512, /* more than any binary takes */
};

/* Ports of one controller that are taken. */
typedef struct {
    unsigned count;
    bool taken[VIR_VIRTIO_SERIAL_PORTS_MAX];
} virSerialPorts;

static void
virSerialPortsRead(virSerialPorts *ports, const virDomainDef *def, const virController *controller,
                   const virDevice *except)
{
    *ports = (virSerialPorts){.count = VIR_VIRTIO_SERIAL_PORTS};
    if (controller && controller->ports.set)
        ports->count = MIN((unsigned)controller->ports.value, VIR_VIRTIO_SERIAL_PORTS_MAX);
    ports->taken[0] = true; /* port 0 is for a console alone */
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        const virAddress *address = &dev->info.address;

        if (dev == except || address->type != VIR_ADDRESS_VIRTIO_SERIAL ||
            address->virtioSerial.controller != (controller ? controller->index.value : 0))
            continue;
        if (address->virtioSerial.port > 0 && address->virtioSerial.port < ports->count)
            ports->taken[address->virtioSerial.port] = true;
    }
}

static bool
virSerialPortsTakeFree(virSerialPorts *ports, unsigned *retPort)
{
    for (unsigned port = 1; port < ports->count; port++) {
        if (!ports->taken[port]) {
            *retPort = port;
            return true;
        }
    }
    return false;
}

static bool
virSerialAssign(const virDomainDef *def, virDevice *dev, GError **error)
{
    virAddress *address = &dev->info.address;
    unsigned from =
        address->type == VIR_ADDRESS_VIRTIO_SERIAL ? address->virtioSerial.controller : 0;
    bool fixed = address->type == VIR_ADDRESS_VIRTIO_SERIAL;
    int last = virControllersMaxIndex(def->devices, VIR_CONTROLLER_VIRTIO_SERIAL);

    for (unsigned index = from; (int)index <= last; index++) {
        const virController *controller =
            virControllersFind(def->devices, VIR_CONTROLLER_VIRTIO_SERIAL, index);
        virSerialPorts ports;
        unsigned port;

        if (!controller)
            continue;
        virSerialPortsRead(&ports, def, controller, dev);
        if (virSerialPortsTakeFree(&ports, &port)) {
            *address = (virAddress){.type = VIR_ADDRESS_VIRTIO_SERIAL};
            address->virtioSerial.controller = index;
            address->virtioSerial.port = port;
            return true;
        }
        if (fixed)
            break;
    }
    return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                       _("Failed to find a free virtio-serial port on any controller"));
}

static bool
virSerialAssignCCID(const virDomainDef *def, virDevice *dev, GError **error)
{
    virAddress *address = &dev->info.address;

    if (address->type == VIR_ADDRESS_CCID)
        return true;
    *address = (virAddress){.type = VIR_ADDRESS_CCID};
    for (;; address->ccid.slot++) {
        bool taken = false;

        for (guint i = 0; i < def->devices->len; i++) {
            const virDevice *other = g_ptr_array_index(def->devices, i);

            taken = taken || (other != dev && virAddressEqual(&other->info.address, address));
        }
        if (!taken)
            return true;
    }
}

static bool
virSerialAssignDevice(const virDomainDef *def, virDevice *dev, GError **error)
{
    const virAddress *address = &dev->info.address;
    unsigned index = 0;

    if (!dev->kind->controller || (address->type == VIR_ADDRESS_NONE && dev->kind->addressOptional))
        return true;
    switch (dev->kind->controller(dev, &index)) {
    case VIR_CONTROLLER_VIRTIO_SERIAL:
        if (address->type == VIR_ADDRESS_VIRTIO_SERIAL && address->virtioSerial.port != 0)
            return true;
        return virSerialAssign(def, dev, error);
    case VIR_CONTROLLER_CCID:
        return virSerialAssignCCID(def, dev, error);
    default:
        return true;
    }
}

bool
virDomainDefAssignSerialPorts(const virDomainDef *def, virDevice *only, GError **error)
{
    if (only)
        return virSerialAssignDevice(def, only, error);
    for (guint i = 0; i < def->devices->len; i++) {
        if (!virSerialAssignDevice(def, g_ptr_array_index(def->devices, i), error))
            return false;
    }
    return true;
}
