/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pciaddr.h: which PCI slots of a guest are taken, and which is the next free one.
 *
 * A set has one bus for each PCI controller. What a bus accepts follows from the controller's
 * model; what a device wants from its kind (virPCIConnect). A set that may grow adds buses of the
 * model that a device needs; the caller then makes controllers of them. Memory only; any thread. */
#pragma once

#include <stdbool.h>

#include "device/device.h"

typedef struct {
    unsigned flags; /* virPCIConnect: what may be plugged in */
    int model;      /* virControllerModel of type PCI; 0: no such bus yet */
    unsigned minSlot, maxSlot;
    struct {
        unsigned char functions; /* a bit for each that is taken */
        bool aggregate;          /* devices may share the slot */
    } slot[32];
} virPCIBus;

typedef struct virPCIAddressSet virPCIAddressSet;

/* Buses 0 to count-1, all without model. grow: reserving may add buses behind. */
virPCIAddressSet *virPCIAddressSetNew(const virDomainFacts *facts, unsigned count, bool grow);
void virPCIAddressSetFree(virPCIAddressSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virPCIAddressSet, virPCIAddressSetFree)

unsigned virPCIAddressSetCount(const virPCIAddressSet *set);
const virPCIBus *virPCIAddressSetBus(const virPCIAddressSet *set, unsigned bus);
/* False with VIR_ERR_XML_ERROR if the bus has a controller already. hotplug NO: nothing may come
 * while the guest runs. */
bool virPCIAddressSetModel(virPCIAddressSet *set, unsigned bus, int model, virTristate hotplug,
                           GError **error);

/* Takes one function. fromConfig: the user wrote it and may bend the rules (plain PCI on PCI
 * Express and the other way round). connect 0 checks nothing but the place. */
bool virPCIAddressSetReserve(virPCIAddressSet *set, const virPCIAddress *addr, unsigned connect,
                             bool fromConfig, GError **error);
bool virPCIAddressSetInUse(const virPCIAddressSet *set, const virPCIAddress *addr);
bool virPCIAddressSetSlotInUse(const virPCIAddressSet *set, unsigned bus, unsigned slot);
/* The first free place that suits, taken; in an empty slot it is this function. retAddr keeps its
 * multifunction setting. */
bool virPCIAddressSetReserveNext(virPCIAddressSet *set, unsigned connect, unsigned function,
                                 virPCIAddress *retAddr, GError **error);
/* Frees one function. */
void virPCIAddressSetRelease(virPCIAddressSet *set, const virPCIAddress *addr);
