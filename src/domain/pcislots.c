/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pcislots.c: PCI slots for all devices of a definition.
 *
 * First what the document says, then what the chipset has at fixed places, then everything else
 * kind by kind. It is done twice: once on a set that grows, to learn how many buses are needed, and
 * once with a controller for each of them, so that buses come before the devices on them. */
#include "device/controller/controller.h"
#include "domain/addresses.h"
#include "domain/pciaddr.h"
#include "util/virerror.h"

/* Of two that are tied to the chipset, where the first and the second group of ICH9 USB sits. */
enum { VIR_ICH9_USB_SLOT = 0x1d, VIR_ICH9_USB_SLOT2 = 0x1a, VIR_ICH9_DMI_SLOT = 0x1e };

static unsigned
virPCIWants(const virDevice *dev, const virDomainFacts *facts)
{
    return dev->kind->pciConnect ? dev->kind->pciConnect(dev, facts) : 0;
}

static bool
virPCIIsOpen(const virDevice *dev, const virDomainFacts *facts)
{
    const virAddress *address = &dev->info.address;

    if (address->type != VIR_ADDRESS_NONE && address->type != VIR_ADDRESS_PCI)
        return false;
    return !virAddressIsSetPCI(address) && virPCIWants(dev, facts) != 0;
}

static void
virPCISet(virDevice *dev, const virPCIAddress *at)
{
    dev->info.address.type = VIR_ADDRESS_PCI;
    dev->info.address.pci = *at;
}

static bool
virPCIReserveNext(virPCIAddressSet *set, const virDomainFacts *facts, virDevice *dev,
                  unsigned function, GError **error)
{
    virPCIAddress at = {.multi = dev->info.address.type == VIR_ADDRESS_PCI
                                     ? dev->info.address.pci.multi
                                     : VIR_TRISTATE_ABSENT};

    if (!virPCIAddressSetReserveNext(set, virPCIWants(dev, facts), function, &at, error))
        return false;
    virPCISet(dev, &at);
    return true;
}

/* --- what is there already --- */

static bool
virPCICollectBuses(virPCIAddressSet *set, const virDomainDef *def, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virController *controller = g_ptr_array_index(def->devices, i);

        if (controller->base.kind != &virControllerKind || controller->type != VIR_CONTROLLER_PCI ||
            controller->model == 0)
            continue;
        if (!virPCIAddressSetModel(set, (unsigned)controller->index.value, controller->model,
                                   controller->hotplug, error))
            return false;
    }
    return true;
}

/* Numbers that were left out between the document's buses become bridges of the machine's kind. */
static bool
virPCIFillBuses(virPCIAddressSet *set, const virDomainFacts *facts, GError **error)
{
    int model = facts->q35 ? VIR_CONTROLLER_PCIE_ROOT_PORT : VIR_CONTROLLER_PCI_BRIDGE;

    for (unsigned i = 1; i < virPCIAddressSetCount(set); i++) {
        if (virPCIAddressSetBus(set, i)->model == 0 &&
            !virPCIAddressSetModel(set, i, model, VIR_TRISTATE_ABSENT, error))
            return false;
    }
    return true;
}

static bool
virPCICollectDevices(virPCIAddressSet *set, const virDomainDef *def, const virDomainFacts *facts,
                     GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (virAddressIsSetPCI(&dev->info.address) &&
            !virPCIAddressSetReserve(set, &dev->info.address.pci, virPCIWants(dev, facts), true,
                                     error))
            return false;
    }
    return true;
}

/* --- what the chipset has at fixed places --- */

static bool
virPCIPlaceFixed(virPCIAddressSet *set, virDevice *dev, unsigned slot, unsigned function,
                 const char *message, GError **error)
{
    virPCIAddress at = {.slot = slot, .function = function};
    const virAddress *address = &dev->info.address;

    if (virAddressIsSetPCI(address)) {
        if (address->pci.domain || address->pci.bus || address->pci.slot != slot ||
            address->pci.function != function)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", message);
        return true;
    }
    if (!virPCIAddressSetReserve(set, &at, 0, false, error))
        return false;
    virPCISet(dev, &at);
    return true;
}

/* Slots of the chipset that no device of the document stands for. */
static bool
virPCIReserveChipset(virPCIAddressSet *set, unsigned slot, unsigned a, unsigned b, GError **error)
{
    virPCIAddress first = {.slot = slot, .function = a};
    virPCIAddress second = {.slot = slot, .function = b};

    return virPCIAddressSetReserve(set, &first, 0, false, error) &&
           virPCIAddressSetReserve(set, &second, 0, false, error);
}

static bool
virPCIPlaceI440FX(virPCIAddressSet *set, const virDomainDef *def, GError **error)
{
    virController *ide = virControllersFind(def->devices, VIR_CONTROLLER_IDE, 0);
    virController *usb = virControllersFind(def->devices, VIR_CONTROLLER_USB, 0);

    if (ide && !virPCIPlaceFixed(set, &ide->base, 1, 1,
                                 _("Primary IDE controller must have PCI address 0:0:1.1"), error))
        return false;
    if (usb &&
        (usb->model == VIR_CONTROLLER_USB_PIIX3_UHCI ||
         usb->model == VIR_CONTROLLER_MODEL_DEFAULT) &&
        !virPCIPlaceFixed(set, &usb->base, 1, 2,
                          _("PIIX3 USB controller at index 0 must have PCI address 0:0:1.2"),
                          error))
        return false;
    /* the ISA bridge and power management of the PIIX3 */
    return virPCIReserveChipset(set, 1, 0, 3, error);
}

/* As on real hardware where it is free; the others of its group follow it. */
static bool
virPCIPlaceQ35USB(virPCIAddressSet *set, virController *controller, GError **error)
{
    virPCIAddress at = {.slot = VIR_ICH9_USB_SLOT, .multi = VIR_TRISTATE_YES};

    if (controller->model != VIR_CONTROLLER_USB_ICH9_UHCI1 ||
        virAddressIsSetPCI(&controller->base.info.address))
        return true;
    if (virPCIAddressSetSlotInUse(set, 0, at.slot))
        at.slot = VIR_ICH9_USB_SLOT2;
    if (virPCIAddressSetSlotInUse(set, 0, at.slot))
        return true;
    if (!virPCIAddressSetReserve(set, &at, 0, false, error))
        return false;
    virPCISet(&controller->base, &at);
    return true;
}

static bool
virPCIPlaceQ35Controller(virPCIAddressSet *set, virController *controller, GError **error)
{
    virPCIAddress dmi = {.slot = VIR_ICH9_DMI_SLOT};

    if (controller->type == VIR_CONTROLLER_SATA && controller->index.value == 0)
        return virPCIPlaceFixed(set, &controller->base, 0x1f, 2,
                                _("Primary SATA controller must have PCI address 0:0:1f.2"), error);
    if (controller->type == VIR_CONTROLLER_USB)
        return virPCIPlaceQ35USB(set, controller, error);
    if (controller->type == VIR_CONTROLLER_PCI &&
        controller->model == VIR_CONTROLLER_DMI_TO_PCI_BRIDGE &&
        !virAddressIsSetPCI(&controller->base.info.address) &&
        !virPCIAddressSetSlotInUse(set, 0, dmi.slot)) {
        if (!virPCIAddressSetReserve(set, &dmi, 0, false, error))
            return false;
        virPCISet(&controller->base, &dmi);
    }
    return true;
}

static bool
virPCIPlaceQ35(virPCIAddressSet *set, const virDomainDef *def, GError **error)
{
    virDevicesForEach(def->devices, &virControllerKind, dev)
    {
        if (!virPCIPlaceQ35Controller(set, VIR_CONTROLLER(dev), error))
            return false;
    }
    /* the LPC bridge and the SMBus of the ICH9 */
    return virPCIReserveChipset(set, 0x1f, 0, 3, error);
}

/* Devices other than controllers that have a customary place: the primary video card, ICH9 sound.
 */
static bool
virPCIPlacePreferred(virPCIAddressSet *set, const virDomainDef *def, const virDomainFacts *facts,
                     GError **error)
{
    bool video = false;

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);
        virPCIPlace place = {0};
        virPCIAddress at = {0};

        if (!dev->kind->pciPlace || !dev->kind->pciPlace(dev, facts, &place))
            continue;
        video = video || place.must;
        at.slot = place.slot;
        if (virAddressIsSetPCI(&dev->info.address)) {
            if (place.must && (dev->info.address.pci.bus || dev->info.address.pci.function ||
                               dev->info.address.pci.slot != place.slot))
                return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                                   _("Primary %s card must have PCI address 0:0:%x.0"),
                                   dev->kind->noun, place.slot);
            continue;
        }
        if (!virPCIIsOpen(dev, facts))
            continue;
        if (!virPCIAddressSetSlotInUse(set, 0, place.slot)) {
            if (!virPCIAddressSetReserve(set, &at, 0, false, error))
                return false;
            virPCISet(dev, &at);
        } else if (place.must) {
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("PCI address 0:0:%x.0 is in use, QEMU needs it for primary %s"),
                               place.slot, dev->kind->noun);
        } else if (place.next && !virPCIReserveNext(set, facts, dev, 0, error)) {
            return false;
        }
    }
    /* an i440fx whose video card cannot be moved keeps the place free for one */
    if (facts->i440fx && !facts->primaryVideoFree && !video &&
        !virPCIAddressSetSlotInUse(set, 0, 2)) {
        virPCIAddress at = {.slot = 2};

        return virPCIAddressSetReserve(set, &at, 0, false, error);
    }
    return true;
}

/* --- everything else, kind by kind --- */

/* All functions of an ICH9 USB controller sit in one slot. */
static bool
virPCIAssignICH9(virPCIAddressSet *set, const virDomainDef *def, const virDomainFacts *facts,
                 virController *controller, GError **error)
{
    static const unsigned functions[] = {
        [VIR_CONTROLLER_USB_ICH9_EHCI1] = 7,
        [VIR_CONTROLLER_USB_ICH9_UHCI1] = 0,
        [VIR_CONTROLLER_USB_ICH9_UHCI2] = 1,
        [VIR_CONTROLLER_USB_ICH9_UHCI3] = 2,
    };
    virDevice *dev = &controller->base;
    unsigned function = functions[controller->model];
    virTristate multi = function == 0 ? VIR_TRISTATE_YES : VIR_TRISTATE_ABSENT;

    for (guint i = 0; i < def->devices->len; i++) {
        const virController *other = g_ptr_array_index(def->devices, i);
        virPCIAddress at;

        if (other->base.kind != &virControllerKind || other->type != VIR_CONTROLLER_USB ||
            other->index.value != controller->index.value ||
            !virAddressIsSetPCI(&other->base.info.address))
            continue;
        at = other->base.info.address.pci;
        at.function = function;
        at.multi = multi;
        /* the slot took the others: the kind of bus has been asked about already */
        if (!virPCIAddressSetReserve(set, &at, virPCIWants(dev, facts), true, error))
            return false;
        virPCISet(dev, &at);
        return true;
    }
    if (!virPCIReserveNext(set, facts, dev, function, error))
        return false;
    dev->info.address.pci.multi = multi;
    return true;
}

static bool
virPCIAssignDevice(virPCIAddressSet *set, const virDomainDef *def, const virDomainFacts *facts,
                   virDevice *dev, GError **error)
{
    virController *controller = dev->kind == &virControllerKind ? VIR_CONTROLLER(dev) : NULL;

    if (!virPCIIsOpen(dev, facts))
        return true;
    if (controller && controller->type == VIR_CONTROLLER_USB &&
        controller->model >= VIR_CONTROLLER_USB_ICH9_EHCI1 &&
        controller->model <= VIR_CONTROLLER_USB_ICH9_UHCI3)
        return virPCIAssignICH9(set, def, facts, controller, error);
    return virPCIReserveNext(set, facts, dev, 0, error);
}

static bool
virPCIAssignKind(virPCIAddressSet *set, const virDomainDef *def, const virDomainFacts *facts,
                 const char *element, bool buses, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);
        bool isBus =
            dev->kind == &virControllerKind && VIR_CONTROLLER(dev)->type == VIR_CONTROLLER_PCI;

        if (g_str_equal(dev->kind->element, element) && isBus == buses &&
            !virPCIAssignDevice(set, def, facts, dev, error))
            return false;
    }
    return true;
}

static bool
virPCIAssignAll(virPCIAddressSet *set, const virDomainDef *def, const virDomainFacts *facts,
                GError **error)
{
    if (!virPCIAssignKind(set, def, facts, virControllerKind.element, true, error))
        return false;
    for (const char *const *element = virDeviceSlotOrder; *element; element++) {
        if (!virPCIAssignKind(set, def, facts, *element, false, error))
            return false;
    }
    return true;
}

/* The set with all that has an address, chipset included. */
static virPCIAddressSet *
virPCICollect(const virDomainDef *def, const virDomainFacts *facts, unsigned count, bool grow,
              GError **error)
{
    g_autoptr(virPCIAddressSet) set = virPCIAddressSetNew(facts, count, grow);

    if (!virPCICollectBuses(set, def, error) || !virPCIFillBuses(set, facts, error) ||
        !virPCICollectDevices(set, def, facts, error))
        return NULL;
    if (facts->i440fx && !virPCIPlaceI440FX(set, def, error))
        return NULL;
    if (facts->q35 && !virPCIPlaceQ35(set, def, error))
        return NULL;
    if (!virPCIPlacePreferred(set, def, facts, error))
        return NULL;
    return g_steal_pointer(&set);
}

/* --- the first pass: which buses are needed --- */

static bool
virPCIBusIsFull(const virPCIBus *bus)
{
    for (unsigned slot = bus->minSlot; slot <= bus->maxSlot; slot++) {
        if (bus->slot[slot].functions == 0)
            return false;
    }
    return true;
}

static bool
virPCIAllFull(const virPCIAddressSet *set)
{
    for (unsigned i = 0; i < virPCIAddressSetCount(set); i++) {
        if (!virPCIBusIsFull(virPCIAddressSetBus(set, i)))
            return false;
    }
    return true;
}

static bool
virPCIAddBuses(virDomainDef *def, const virDomainFacts *facts, virPCIAddressSet *set,
               GError **error)
{
    for (unsigned i = 1; i < virPCIAddressSetCount(set); i++) {
        virPCIAddress at = {0};
        int model = virPCIAddressSetBus(set, i)->model;

        if (virControllersFind(def->devices, VIR_CONTROLLER_PCI, i))
            continue;
        virDomainDefAppendDevice(def, virControllerNew(VIR_CONTROLLER_PCI, i, model));
        /* the new bus has to be plugged in somewhere too, which may need yet another one */
        if (!virPCIAddressSetReserveNext(set, virControllerPCIConnectOfModel(model), 0, &at, error))
            return false;
    }
    return true;
}

/* The buses that all devices together need, found by giving each its place. */
static virPCIAddressSet *
virPCITryPlaces(virDomainDef *def, const virDomainFacts *facts, int max, GError **error)
{
    g_autoptr(virPCIAddressSet) set = virPCICollect(def, facts, (unsigned)(max + 1), true, error);
    virPCIAddress spare = {0};

    if (!set)
        return NULL;
    /* room for one device more on a machine with plain PCI, as long as there is any */
    if (facts->i440fx && !virPCIAllFull(set) &&
        !virPCIAddressSetReserveNext(set, VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE,
                                     0, &spare, error))
        return NULL;
    if (!virPCIAssignAll(set, def, facts, error))
        return NULL;
    /* a guest that leaves its buses to us gets an empty root port for hot-plug */
    if (facts->q35 && max <= 0 && virPCIAddressSetCount(set) > (unsigned)(max + 1) &&
        !virPCIAddressSetReserveNext(
            set, VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE, 0, &spare, error))
        return NULL;
    return g_steal_pointer(&set);
}

static virAddress *
virPCIKeepAddresses(const virDomainDef *def)
{
    virAddress *kept = g_new(virAddress, def->devices->len);

    for (guint i = 0; i < def->devices->len; i++)
        kept[i] = ((const virDevice *)g_ptr_array_index(def->devices, i))->info.address;
    return kept;
}

static void
virPCIRestoreAddresses(virDomainDef *def, const virAddress *kept)
{
    for (guint i = 0; i < def->devices->len; i++)
        ((virDevice *)g_ptr_array_index(def->devices, i))->info.address = kept[i];
}

static bool
virPCILearnBuses(virDomainDef *def, const virDomainFacts *facts, GError **error)
{
    int max = virControllersMaxIndex(def->devices, VIR_CONTROLLER_PCI);
    g_autofree virAddress *kept = virPCIKeepAddresses(def);
    g_autoptr(virPCIAddressSet) set = virPCITryPlaces(def, facts, max, error);

    /* a place found without the new buses is not the one a device will have */
    virPCIRestoreAddresses(def, kept);
    return set && virPCIAddBuses(def, facts, set, error);
}

/* --- what a bus tells the guest of itself --- */

static bool
virPCIFindBusNr(const virDomainDef *def, virController *controller, GError **error)
{
    /* expander buses come from the top, with room for the buses below them */
    unsigned lowest = 256;

    for (guint i = 0; i < def->devices->len; i++) {
        const virController *other = g_ptr_array_index(def->devices, i);

        if (other->base.kind == &virControllerKind && other->type == VIR_CONTROLLER_PCI &&
            other->busNr.set)
            lowest = MIN(lowest, (unsigned)other->busNr.value);
    }
    if (lowest < 4)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("No free busNr lower than current lowest busNr %u available to "
                             "auto-assign to bus %u. Must be manually assigned"),
                           lowest, (unsigned)controller->index.value);
    controller->busNr = virOptUIntOf(lowest - 2);
    return true;
}

static bool
virPCIDescribeBus(const virDomainDef *def, const virAddressPolicy *policy,
                  virController *controller, GError **error)
{
    const virPCIAddress *at = &controller->base.info.address.pci;

    if (controller->modelName == VIR_PCI_CONTROLLER_NAME_NONE)
        controller->modelName = policy->pciControllerName(&controller->base, policy->opaque);
    switch (controller->model) {
    case VIR_CONTROLLER_PCI_BRIDGE:
        if (controller->chassisNr.set)
            return true;
        if (controller->index.value > 255)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("PCI bridge index %u is too large to be its chassisNr"),
                               (unsigned)controller->index.value);
        controller->chassisNr = virOptUIntOf(controller->index.value);
        return true;
    case VIR_CONTROLLER_PCIE_ROOT_PORT:
    case VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT:
        if (!controller->chassis.set)
            controller->chassis = virOptUIntOf(controller->index.value);
        if (!controller->port.set)
            controller->port = virOptUIntOf((at->slot << 3) + at->function);
        return true;
    case VIR_CONTROLLER_PCI_EXPANDER_BUS:
    case VIR_CONTROLLER_PCIE_EXPANDER_BUS:
        return controller->busNr.set || virPCIFindBusNr(def, controller, error);
    default:
        return true;
    }
}

/* A slot with more than function 0 in it says so. */
static void
virPCIMarkMultifunction(const virDomainDef *def, const virPCIAddressSet *set)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);
        virPCIAddress *at = &dev->info.address.pci;

        if (virAddressIsSetPCI(&dev->info.address) && at->function == 0 &&
            at->multi == VIR_TRISTATE_ABSENT &&
            virPCIAddressSetBus(set, at->bus)->slot[at->slot].functions > 1)
            at->multi = VIR_TRISTATE_YES;
    }
}

bool
virDomainDefAssignPCI(virDomainDef *def, const virDomainFacts *facts,
                      const virAddressPolicy *policy, GError **error)
{
    g_autoptr(virPCIAddressSet) set = NULL;
    int max;

    if (virControllersMaxIndex(def->devices, VIR_CONTROLLER_PCI) < 0)
        return true; /* no PCI on this machine */
    if (!virPCILearnBuses(def, facts, error))
        return false;
    max = virControllersMaxIndex(def->devices, VIR_CONTROLLER_PCI);
    set = virPCICollect(def, facts, (unsigned)(max + 1), false, error);
    if (!set || !virPCIAssignAll(set, def, facts, error))
        return false;
    virDevicesForEach(def->devices, &virControllerKind, dev)
    {
        virController *controller = VIR_CONTROLLER(dev);

        if (controller->type == VIR_CONTROLLER_PCI && !virControllerIsRoot(controller) &&
            !virPCIDescribeBus(def, policy, controller, error))
            return false;
    }
    virPCIMarkMultifunction(def, set);
    return true;
}

bool
virDomainDefAssignPCIDevice(const virDomainDef *def, const virDomainFacts *facts, virDevice *dev,
                            GError **error)
{
    g_autoptr(virPCIAddressSet) set = NULL;
    int max = virControllersMaxIndex(def->devices, VIR_CONTROLLER_PCI);

    if (max < 0 || (!virPCIIsOpen(dev, facts) && !virAddressIsSetPCI(&dev->info.address)))
        return true;
    set = virPCIAddressSetNew(facts, (unsigned)(max + 1), false);
    if (!virPCICollectBuses(set, def, error) || !virPCIFillBuses(set, facts, error) ||
        !virPCICollectDevices(set, def, facts, error))
        return false;
    /* the running guest's chipset is there, whether the document mentions it or not */
    if (facts->i440fx) {
        virPCIAddress isa = {.slot = 1};

        if (!virPCIAddressSetReserve(set, &isa, 0, false, error))
            return false;
    }
    if (facts->q35 && !virPCIReserveChipset(set, 0x1f, 0, 3, error))
        return false;
    if (virAddressIsSetPCI(&dev->info.address))
        return virPCIAddressSetReserve(set, &dev->info.address.pci, virPCIWants(dev, facts), true,
                                       error);
    return virPCIAssignDevice(set, def, facts, dev, error);
}
