/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * controllers.c: controllers that a document does not mention but implies. */
#include "device/controller/controller.h"
#include "domain/addresses.h"
#include "util/virerror.h"

static bool
virControllersClash(const GPtrArray *devices, const virController *controller)
{
    for (guint i = 0; i < devices->len; i++) {
        const virController *other = g_ptr_array_index(devices, i);

        if (other->base.kind != &virControllerKind || other == controller ||
            other->type != controller->type || !other->index.set ||
            other->index.value != controller->index.value)
            continue;
        /* the companions of an EHCI controller share its index */
        if (controller->type == VIR_CONTROLLER_USB &&
            (virControllerIsUSBCompanion(other) || virControllerIsUSBCompanion(controller) ||
             other->model != controller->model))
            continue;
        return true;
    }
    return false;
}

/* USB companions written without index belong to the EHCI controller written before them. */
static bool
virControllerJoinsUSB(const GPtrArray *devices, virController *controller)
{
    const virController *last = NULL;
    unsigned seen = 0;

    if (controller->type != VIR_CONTROLLER_USB ||
        controller->model < VIR_CONTROLLER_USB_ICH9_EHCI1 ||
        controller->model > VIR_CONTROLLER_USB_ICH9_UHCI3)
        return false;
    for (guint i = 0; i < devices->len; i++) {
        const virController *other = g_ptr_array_index(devices, i);

        if (other->base.kind == &virControllerKind && other->type == VIR_CONTROLLER_USB &&
            other->index.set && other->model >= VIR_CONTROLLER_USB_ICH9_EHCI1 &&
            other->model <= VIR_CONTROLLER_USB_ICH9_UHCI3)
            last = other;
    }
    if (!last)
        return false;
    for (guint i = 0; i < devices->len; i++) {
        const virController *other = g_ptr_array_index(devices, i);

        if (other->base.kind == &virControllerKind && other->type == VIR_CONTROLLER_USB &&
            other->index.set && other->index.value == last->index.value)
            seen |= 1u << other->model;
    }
    if (seen & (1u << controller->model))
        return false; /* that set has one of these: a new set begins */
    controller->index = last->index;
    return true;
}

static unsigned
virControllersFreeIndex(const GPtrArray *devices, int type)
{
    unsigned index = 0;

    while (virControllersFind(devices, type, index))
        index++;
    return index;
}

void
virDomainDefNumberController(const virDomainDef *def, virDevice *dev)
{
    virController *controller = dev->kind == &virControllerKind ? VIR_CONTROLLER(dev) : NULL;

    if (controller && !controller->index.set && !virControllerJoinsUSB(def->devices, controller))
        controller->index = virOptUIntOf(virControllersFreeIndex(def->devices, controller->type));
}

bool
virDomainDefAssignControllerIndexes(virDomainDef *def, GError **error)
{
    virDevicesForEach(def->devices, &virControllerKind, dev) virDomainDefNumberController(def, dev);
    virDevicesForEach(def->devices, &virControllerKind, dev)
    {
        const virController *controller = VIR_CONTROLLER(dev);

        if (virControllersClash(def->devices, controller))
            return virErrorSet(
                error, VIR_ERR_XML_ERROR, _("Multiple '%s' controllers with index '%u'"),
                virControllerTypeToString(controller->type), (unsigned)controller->index.value);
    }
    return true;
}

static void
virDomainDefAddUSBController(virDomainDef *def, int model)
{
    static const unsigned startPorts[] = {0, 2, 4};

    virDomainDefAppendDevice(def, virControllerNew(VIR_CONTROLLER_USB, 0, model));
    if (model != VIR_CONTROLLER_USB_ICH9_EHCI1)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(startPorts); i++) {
        virDevice *companion =
            virControllerNew(VIR_CONTROLLER_USB, 0, VIR_CONTROLLER_USB_ICH9_UHCI1 + (int)i);

        companion->info.masterStartPort = virOptUIntOf(startPorts[i]);
        virDomainDefAppendDevice(def, companion);
    }
}

void
virDomainDefAddMachineControllers(virDomainDef *def, const virDomainFacts *facts, int usbModel)
{
    if (usbModel >= 0 && virControllersMaxIndex(def->devices, VIR_CONTROLLER_USB) < 0)
        virDomainDefAddUSBController(def, usbModel);
    if (facts->q35 && !virControllersFind(def->devices, VIR_CONTROLLER_SATA, 0))
        virDomainDefAppendDevice(def, virControllerNew(VIR_CONTROLLER_SATA, 0, 0));
    if ((facts->q35 || facts->i440fx) && !virControllersFind(def->devices, VIR_CONTROLLER_PCI, 0))
        virDomainDefAppendDevice(
            def, virControllerNew(VIR_CONTROLLER_PCI, 0,
                                  facts->q35 ? VIR_CONTROLLER_PCIE_ROOT : VIR_CONTROLLER_PCI_ROOT));
}

/* Disks may sit on any controller up to the highest that one of them names; ports and cards want
 * those alone that they name. */
static bool
virControllerFillsUp(int type)
{
    return type != VIR_CONTROLLER_VIRTIO_SERIAL && type != VIR_CONTROLLER_CCID;
}

static bool
virDomainDefAddControllers(virDomainDef *def, int type, unsigned first, unsigned last, bool alike,
                           const virAddressPolicy *policy, GError **error)
{
    const virController *there = alike ? virControllersFind(def->devices, type, 0) : NULL;

    for (unsigned i = first; i <= last; i++) {
        virDevice *added;

        if (virControllersFind(def->devices, type, i))
            continue;
        added = virControllerNew(type, i, there ? there->model : 0);
        virDomainDefAppendDevice(def, added);
        if (policy->completeController && !policy->completeController(added, policy->opaque, error))
            return false;
    }
    return true;
}

bool
virDomainDefAddImplicitControllers(virDomainDef *def, const virAddressPolicy *policy,
                                   GError **error)
{
    static const int order[] = {VIR_CONTROLLER_SCSI,          VIR_CONTROLLER_FDC,
                                VIR_CONTROLLER_IDE,           VIR_CONTROLLER_SATA,
                                VIR_CONTROLLER_VIRTIO_SERIAL, VIR_CONTROLLER_CCID};
    g_autoptr(GPtrArray) devices = g_ptr_array_copy(def->devices, NULL, NULL);

    g_ptr_array_set_free_func(devices, NULL); /* they are the definition's */
    for (size_t t = 0; t < G_N_ELEMENTS(order); t++) {
        virDevicesForEach(devices, NULL, dev)
        {
            unsigned index = 0;

            if (!dev->kind->controller || dev->kind->controller(dev, &index) != order[t])
                continue;
            if (!virDomainDefAddControllers(def, order[t],
                                            virControllerFillsUp(order[t]) ? 0 : index, index,
                                            dev->kind->controllerAlike, policy, error))
                return false;
        }
    }
    return true;
}

bool
virDomainDefAssignAddresses(virDomainDef *def, const virDomainFacts *facts,
                            const virAddressPolicy *policy, GError **error)
{
    return virDomainDefAssignSerialPorts(def, NULL, error) &&
           virDomainDefAssignPCI(def, facts, policy, error) &&
           virDomainDefAssignUSB(def, policy->anew, error);
}

bool
virDomainDefAssignDeviceAddress(const virDomainDef *def, const virDomainFacts *facts,
                                virDevice *dev, GError **error)
{
    return virDomainDefAssignSerialPorts(def, dev, error) &&
           virDomainDefAssignPCIDevice(def, facts, dev, error) &&
           virDomainDefAssignUSBDevice(def, dev, error);
}
