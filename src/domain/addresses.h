/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * addresses.h: choosing the controllers and addresses that a document leaves open.
 *
 * The order in which devices are asked is part of the guest's ABI: a document without addresses
 * always gets the same ones, those that libvirt gives. Works on a definition that is still private
 * to its maker. Memory only; any thread. */
#pragma once

#include "domain/def.h"

/* What depends on the hypervisor. */
typedef struct {
    /* Completes a controller that was just added (model of a SCSI controller). */
    bool (*completeController)(virDevice *controller, void *opaque, GError **error);
    /* <model name=…/> of a PCI controller that has none (virPCIControllerName). */
    int (*pciControllerName)(const virDevice *controller, void *opaque);
    void *opaque;
    /* The guest is new, or starts: USB ports may be chosen. Else only if all devices have theirs: a
     * guest that has run without any would see them move. */
    bool anew;
} virAddressPolicy;

/* Controllers without index get the next free one of their type. Before anything looks for one.
 * VIR_ERR_XML_ERROR for two of the same. */
bool virDomainDefAssignControllerIndexes(virDomainDef *def, GError **error);

/* The same for one device, not yet in def; nothing for what is no controller. */
void virDomainDefNumberController(const virDomainDef *def, virDevice *dev);

/* What the machine itself has: root of the PCI tree, SATA of q35, and a USB controller of usbModel
 * (virControllerModel; -1: none) unless the document has one. */
void virDomainDefAddMachineControllers(virDomainDef *def, const virDomainFacts *facts,
                                       int usbModel);

/* What devices hang on and is missing. */
bool virDomainDefAddImplicitControllers(virDomainDef *def, const virAddressPolicy *policy,
                                        GError **error);

/* All addresses that are still open: virtio-serial ports, CCID slots, USB ports (adding hubs), PCI
 * slots (adding buses). VIR_ERR_XML_ERROR for addresses that collide or cannot be. */
bool virDomainDefAssignAddresses(virDomainDef *def, const virDomainFacts *facts,
                                 const virAddressPolicy *policy, GError **error);

/* The same for one device that is about to be plugged into a running guest: nothing else may
 * change, so no bus is added. */
bool virDomainDefAssignDeviceAddress(const virDomainDef *def, const virDomainFacts *facts,
                                     virDevice *dev, GError **error);

/* The parts, by bus (pcislots.c, usbports.c, serialports.c). dev: only this one, not yet in def;
 * NULL: all of def. */
bool virDomainDefAssignPCI(virDomainDef *def, const virDomainFacts *facts,
                           const virAddressPolicy *policy, GError **error);
bool virDomainDefAssignPCIDevice(const virDomainDef *def, const virDomainFacts *facts,
                                 virDevice *dev, GError **error);
bool virDomainDefAssignUSB(virDomainDef *def, bool anew, GError **error);
bool virDomainDefAssignUSBDevice(const virDomainDef *def, virDevice *dev, GError **error);
bool virDomainDefAssignSerialPorts(const virDomainDef *def, virDevice *only, GError **error);
