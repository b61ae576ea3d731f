/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pciaddr.c: see pciaddr.h. */
#include "domain/pciaddr.h"

#include "device/controller/controller.h"
#include "util/virerror.h"

/* The bits that say what kind of connector it is. */
#define CONNECT_TYPES                                                                              \
    (VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_PCIE_ROOT_PORT |   \
     VIR_PCI_CONNECT_PCIE_SWITCH_UPSTREAM_PORT | VIR_PCI_CONNECT_PCIE_SWITCH_DOWNSTREAM_PORT |     \
     VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE | VIR_PCI_CONNECT_PCI_EXPANDER_BUS |                        \
     VIR_PCI_CONNECT_PCIE_EXPANDER_BUS | VIR_PCI_CONNECT_PCI_BRIDGE |                              \
     VIR_PCI_CONNECT_PCIE_TO_PCI_BRIDGE)
#define CONNECT_ENDPOINTS (VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_PCIE_DEVICE)

enum { VIR_PCI_BUSES_MAX = 256 };

struct virPCIAddressSet {
    const virDomainFacts *facts;
    GArray *buses; /* virPCIBus */
    bool grow;
};

/* What a controller of a model accepts. */
typedef struct {
    unsigned flags;
    unsigned minSlot, maxSlot;
} virPCIBusRow;

#define PCI_SLOTS                                                                                  \
    (VIR_PCI_CONNECT_HOTPLUGGABLE | VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_PCI_BRIDGE)
#define PCIE_SLOT                                                                                  \
    (VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_PCIE_SWITCH_UPSTREAM_PORT |                     \
     VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE | VIR_PCI_CONNECT_PCIE_TO_PCI_BRIDGE)

static const virPCIBusRow busRows[] = {
    [VIR_CONTROLLER_PCI_ROOT] = {PCI_SLOTS | VIR_PCI_CONNECT_PCI_EXPANDER_BUS, 1, 31},
    [VIR_CONTROLLER_PCIE_ROOT] = {VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_PCIE_ROOT_PORT |
                                      VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE |
                                      VIR_PCI_CONNECT_PCIE_EXPANDER_BUS,
                                  1, 31},
    [VIR_CONTROLLER_PCI_BRIDGE] = {PCI_SLOTS, 1, 31},
    [VIR_CONTROLLER_DMI_TO_PCI_BRIDGE] = {VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_PCI_BRIDGE,
                                          0, 31},
    [VIR_CONTROLLER_PCIE_TO_PCI_BRIDGE] = {PCI_SLOTS, 1, 31},
    [VIR_CONTROLLER_PCIE_ROOT_PORT] = {PCIE_SLOT | VIR_PCI_CONNECT_HOTPLUGGABLE, 0, 0},
    [VIR_CONTROLLER_PCIE_SWITCH_UPSTREAM_PORT] = {VIR_PCI_CONNECT_PCIE_SWITCH_DOWNSTREAM_PORT, 0,
                                                  31},
    [VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT] = {PCIE_SLOT | VIR_PCI_CONNECT_HOTPLUGGABLE, 0, 0},
    [VIR_CONTROLLER_PCI_EXPANDER_BUS] = {PCI_SLOTS, 0, 31},
    [VIR_CONTROLLER_PCIE_EXPANDER_BUS] = {VIR_PCI_CONNECT_PCIE_ROOT_PORT |
                                              VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE,
                                          0, 31},
};
G_STATIC_ASSERT(G_N_ELEMENTS(busRows) == VIR_CONTROLLER_PCI_LAST);

virPCIAddressSet *
virPCIAddressSetNew(const virDomainFacts *facts, unsigned count, bool grow)
{
    virPCIAddressSet *set = g_new0(virPCIAddressSet, 1);

    set->facts = facts;
    set->buses = g_array_new(FALSE, TRUE, sizeof(virPCIBus));
    g_array_set_size(set->buses, count);
    set->grow = grow;
    return set;
}

void
virPCIAddressSetFree(virPCIAddressSet *set)
{
    if (!set)
        return;
    g_array_unref(set->buses);
    g_free(set);
}

unsigned
virPCIAddressSetCount(const virPCIAddressSet *set)
{
    return set->buses->len;
}

static virPCIBus *
virPCIAddressSetAt(const virPCIAddressSet *set, unsigned bus)
{
    return &g_array_index(set->buses, virPCIBus, bus);
}

const virPCIBus *
virPCIAddressSetBus(const virPCIAddressSet *set, unsigned bus)
{
    return virPCIAddressSetAt(set, bus);
}

static void
virPCIBusSetModel(virPCIBus *bus, int model)
{
    bus->model = model;
    bus->flags = busRows[model].flags;
    bus->minSlot = busRows[model].minSlot;
    bus->maxSlot = busRows[model].maxSlot;
}

bool
virPCIAddressSetModel(virPCIAddressSet *set, unsigned bus, int model, virTristate hotplug,
                      GError **error)
{
    virPCIBus *at;

    if (bus >= set->buses->len)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("PCI controller index %u is beyond the last bus"), bus);
    at = virPCIAddressSetAt(set, bus);
    if (at->model != 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Multiple 'pci' controllers with index '%u'"), bus);
    virPCIBusSetModel(at, model);
    if (hotplug == VIR_TRISTATE_NO)
        at->flags &= ~VIR_PCI_CONNECT_HOTPLUGGABLE;
    return true;
}

static const char *
virPCIConnectToString(unsigned connect)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {VIR_PCI_CONNECT_PCI_DEVICE, "standard PCI device"},
        {VIR_PCI_CONNECT_PCIE_DEVICE, "PCI Express device"},
        {VIR_PCI_CONNECT_PCIE_ROOT_PORT, "pcie-root-port"},
        {VIR_PCI_CONNECT_PCIE_SWITCH_UPSTREAM_PORT, "pcie-switch-upstream-port"},
        {VIR_PCI_CONNECT_PCIE_SWITCH_DOWNSTREAM_PORT, "pcie-switch-downstream-port"},
        {VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE, "dmi-to-pci-bridge"},
        {VIR_PCI_CONNECT_PCIE_TO_PCI_BRIDGE, "pcie-to-pci-bridge"},
        {VIR_PCI_CONNECT_PCI_EXPANDER_BUS, "pci-expander-bus"},
        {VIR_PCI_CONNECT_PCIE_EXPANDER_BUS, "pcie-expander-bus"},
        {VIR_PCI_CONNECT_PCI_BRIDGE, "pci-bridge"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (connect & names[i].bit)
            return names[i].name;
    }
    return "device";
}

/* NULL if the bus takes the device, else why not. */
static const char *
virPCIBusRefuses(const virPCIBus *bus, unsigned connect, bool fromConfig)
{
    unsigned flags = bus->flags;

    if (fromConfig) {
        if (flags & CONNECT_ENDPOINTS)
            flags |= CONNECT_ENDPOINTS;
        flags |= VIR_PCI_CONNECT_HOTPLUGGABLE;
        if (connect & VIR_PCI_CONNECT_PCI_BRIDGE)
            connect |= CONNECT_ENDPOINTS;
    }
    if (connect & CONNECT_TYPES && !(connect & flags & CONNECT_TYPES))
        return _("cannot be plugged into the PCI controller with index='%u'. It requires a "
                 "controller that accepts a %s.");
    if ((connect & VIR_PCI_CONNECT_HOTPLUGGABLE) && !(flags & VIR_PCI_CONNECT_HOTPLUGGABLE))
        return _("requires hot-plug capability, but the PCI controller with index='%u' doesn't "
                 "support hot-plug of a %s");
    return NULL;
}

static bool
virPCIAddressSetValidate(const virPCIAddressSet *set, const virPCIAddress *addr, unsigned connect,
                         bool fromConfig, GError **error)
{
    virErrorCode code = fromConfig ? VIR_ERR_XML_ERROR : VIR_ERR_INTERNAL_ERROR;
    g_autofree char *text = virPCIAddressToString(addr);
    const virPCIBus *bus;
    const char *refusal;

    if (addr->domain != 0)
        return virErrorSet(error, code, _("Invalid PCI address %s. Only PCI domain 0 is available"),
                           text);
    if (addr->bus >= set->buses->len)
        return virErrorSet(error, code,
                           _("Invalid PCI address %s. Only PCI buses up to %u are "
                             "available"),
                           text, set->buses->len - 1);
    bus = virPCIAddressSetAt(set, addr->bus);
    if ((refusal = virPCIBusRefuses(bus, connect, fromConfig))) {
        g_autofree char *why = g_strdup_printf(refusal, addr->bus, virPCIConnectToString(connect));

        return virErrorSet(error, code, _("The device at PCI address %s %s"), text, why);
    }
    if (addr->slot < bus->minSlot)
        return virErrorSet(error, code, _("Invalid PCI address %s. slot must be >= %u"), text,
                           bus->minSlot);
    if (addr->slot > bus->maxSlot)
        return virErrorSet(error, code, _("Invalid PCI address %s. slot must be <= %u"), text,
                           bus->maxSlot);
    return true;
}

static unsigned
virPCIAddressSetAppend(virPCIAddressSet *set, int model)
{
    virPCIBus bus = {0};

    virPCIBusSetModel(&bus, model);
    g_array_append_val(set->buses, bus);
    return set->buses->len - 1;
}

static bool
virPCIAddressSetAccepts(const virPCIAddressSet *set, unsigned connect)
{
    for (guint i = 0; i < set->buses->len; i++) {
        if (virPCIAddressSetAt(set, i)->flags & connect)
            return true;
    }
    return false;
}

/* Adds the buses that a device with these wants needs; the last one added takes it. */
static bool
virPCIAddressSetGrow(virPCIAddressSet *set, unsigned connect, GError **error)
{
    if (set->buses->len + 2 > VIR_PCI_BUSES_MAX)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("No more available PCI slots"));
    if (connect & (VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_PCI_BRIDGE)) {
        if (virPCIAddressSetAccepts(set, VIR_PCI_CONNECT_PCI_BRIDGE)) {
            virPCIAddressSetAppend(set, VIR_CONTROLLER_PCI_BRIDGE);
        } else if (set->facts->pcieToPCIBridge) {
            virPCIAddressSetAppend(set, VIR_CONTROLLER_PCIE_ROOT_PORT);
            virPCIAddressSetAppend(set, VIR_CONTROLLER_PCIE_TO_PCI_BRIDGE);
        } else {
            virPCIAddressSetAppend(set, VIR_CONTROLLER_DMI_TO_PCI_BRIDGE);
            virPCIAddressSetAppend(set, VIR_CONTROLLER_PCI_BRIDGE);
        }
    } else if (connect & (VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_PCIE_SWITCH_UPSTREAM_PORT |
                          VIR_PCI_CONNECT_PCIE_TO_PCI_BRIDGE)) {
        virPCIAddressSetAppend(set, VIR_CONTROLLER_PCIE_ROOT_PORT);
    } else if (connect & VIR_PCI_CONNECT_PCIE_SWITCH_DOWNSTREAM_PORT) {
        virPCIAddressSetAppend(set, VIR_CONTROLLER_PCIE_SWITCH_UPSTREAM_PORT);
    } else {
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("Cannot automatically add a new PCI bus for a device with connect "
                             "flags %.2x"),
                           connect);
    }
    return true;
}

/* A set that may grow has a bus for every number that the document mentions. */
static bool
virPCIAddressSetGrowTo(virPCIAddressSet *set, unsigned bus, unsigned connect, GError **error)
{
    while (set->grow && bus >= set->buses->len) {
        if (!virPCIAddressSetGrow(set, connect, error))
            return false;
    }
    return true;
}

bool
virPCIAddressSetInUse(const virPCIAddressSet *set, const virPCIAddress *addr)
{
    return addr->bus < set->buses->len &&
           virPCIAddressSetAt(set, addr->bus)->slot[addr->slot].functions & (1 << addr->function);
}

bool
virPCIAddressSetSlotInUse(const virPCIAddressSet *set, unsigned bus, unsigned slot)
{
    return bus < set->buses->len && virPCIAddressSetAt(set, bus)->slot[slot].functions != 0;
}

static void
virPCIAddressSetTake(virPCIAddressSet *set, const virPCIAddress *addr, unsigned connect)
{
    virPCIBus *bus = virPCIAddressSetAt(set, addr->bus);

    if (bus->slot[addr->slot].functions == 0 && (connect & VIR_PCI_CONNECT_AGGREGATE))
        bus->slot[addr->slot].aggregate = true;
    bus->slot[addr->slot].functions |= (unsigned char)(1 << addr->function);
}

bool
virPCIAddressSetReserve(virPCIAddressSet *set, const virPCIAddress *addr, unsigned connect,
                        bool fromConfig, GError **error)
{
    g_autofree char *text = virPCIAddressToString(addr);

    if (!virPCIAddressSetGrowTo(set, addr->bus, connect, error) ||
        !virPCIAddressSetValidate(set, addr, connect, fromConfig, error))
        return false;
    if (virPCIAddressSetInUse(set, addr))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Attempted double use of PCI Address %s"),
                           text);
    virPCIAddressSetTake(set, addr, connect);
    return true;
}

static bool
virPCIBusFindFree(const virPCIBus *bus, unsigned connect, unsigned function, virPCIAddress *at)
{
    for (at->slot = bus->minSlot; at->slot <= bus->maxSlot; at->slot++) {
        unsigned char functions = bus->slot[at->slot].functions;

        at->function = function;
        if (functions == 0)
            return true;
        at->function = 0;
        if (!(connect & VIR_PCI_CONNECT_AGGREGATE) || !bus->slot[at->slot].aggregate)
            continue;
        for (; at->function < 8; at->function++) {
            if (!(functions & (1 << at->function)))
                return true;
        }
    }
    return false;
}

bool
virPCIAddressSetReserveNext(virPCIAddressSet *set, unsigned connect, unsigned function,
                            virPCIAddress *retAddr, GError **error)
{
    virPCIAddress at = {.multi = retAddr->multi};
    bool found = false;

    if (set->buses->len == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("No PCI buses available"));
    for (at.bus = 0; at.bus < set->buses->len && !found; at.bus += !found) {
        const virPCIBus *bus = virPCIAddressSetAt(set, at.bus);

        found = !virPCIBusRefuses(bus, connect, false) &&
                virPCIBusFindFree(bus, connect, function, &at);
    }
    if (!found) {
        if (!set->grow)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                               _("No more available PCI slots"));
        if (!virPCIAddressSetGrow(set, connect, error))
            return false;
        at.bus = set->buses->len - 1;
        at.slot = virPCIAddressSetAt(set, at.bus)->minSlot;
        at.function = function;
    }
    virPCIAddressSetTake(set, &at, connect);
    *retAddr = at;
    return true;
}

void
virPCIAddressSetRelease(virPCIAddressSet *set, const virPCIAddress *addr)
{
    virPCIBus *bus = virPCIAddressSetAt(set, addr->bus);

    bus->slot[addr->slot].functions &= (unsigned char)~(1 << addr->function);
    if (bus->slot[addr->slot].functions == 0)
        bus->slot[addr->slot].aggregate = false;
}
