/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * controller.c: <controller> as a document. */
#include "device/controller/controller.h"

#include <inttypes.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virControllerType, VIR_CONTROLLER_LAST, "ide", "fdc", "scsi", "sata", "virtio-serial",
              "ccid", "usb", "pci", "xenbus", "isa");

VIR_ENUM_DECL(virControllerModelPCI);
VIR_ENUM_IMPL(virControllerModelPCI, VIR_CONTROLLER_PCI_LAST, NULL, "pci-root", "pcie-root",
              "pci-bridge", "dmi-to-pci-bridge", "pcie-to-pci-bridge", "pcie-root-port",
              "pcie-switch-upstream-port", "pcie-switch-downstream-port", "pci-expander-bus",
              "pcie-expander-bus");
VIR_ENUM_DECL(virControllerModelSCSI);
VIR_ENUM_IMPL(virControllerModelSCSI, VIR_CONTROLLER_SCSI_LAST, NULL, "auto", "buslogic",
              "lsilogic", "lsisas1068", "vmpvscsi", "ibmvscsi", "virtio-scsi", "lsisas1078",
              "virtio-transitional", "virtio-non-transitional", "ncr53c90", "dc390", "am53c974");
VIR_ENUM_DECL(virControllerModelUSB);
VIR_ENUM_IMPL(virControllerModelUSB, VIR_CONTROLLER_USB_LAST, NULL, "piix3-uhci", "piix4-uhci",
              "ehci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3", "vt82c686b-uhci",
              "pci-ohci", "nec-xhci", "qusb1", "qusb2", "qemu-xhci", "none");
VIR_ENUM_DECL(virControllerModelIDE);
VIR_ENUM_IMPL(virControllerModelIDE, VIR_CONTROLLER_IDE_LAST, NULL, "piix3", "piix4", "ich6");
VIR_ENUM_DECL(virControllerModelVirtioSerial);
VIR_ENUM_IMPL(virControllerModelVirtioSerial, VIR_CONTROLLER_VIRTIO_SERIAL_LAST, NULL, "virtio",
              "virtio-transitional", "virtio-non-transitional");
VIR_ENUM_IMPL(virPCIControllerName, VIR_PCI_CONTROLLER_NAME_LAST, "none", "pci-bridge",
              "i82801b11-bridge", "ioh3420", "x3130-upstream", "xio3130-downstream", "pxb",
              "pxb-pcie", "pcie-root-port", "spapr-pci-host-bridge", "pcie-pci-bridge");

static const virEnum *const modelNames[] = {
    [VIR_CONTROLLER_IDE] = &virControllerModelIDENames,
    [VIR_CONTROLLER_SCSI] = &virControllerModelSCSINames,
    [VIR_CONTROLLER_VIRTIO_SERIAL] = &virControllerModelVirtioSerialNames,
    [VIR_CONTROLLER_USB] = &virControllerModelUSBNames,
    [VIR_CONTROLLER_PCI] = &virControllerModelPCINames,
    [VIR_CONTROLLER_ISA] = NULL,
};
G_STATIC_ASSERT(G_N_ELEMENTS(modelNames) == VIR_CONTROLLER_LAST);

const char *
virControllerModelToString(int type, int model)
{
    return modelNames[type] ? virEnumToString(modelNames[type], model) : NULL;
}

int
virControllerModelFromString(int type, const char *name)
{
    return modelNames[type] ? virEnumFromString(modelNames[type], name) : -1;
}

/* --- rows that say more than one thing --- */

static bool
virControllerParseType(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virController *controller = object;
    g_autofree char *type = virXMLAttr(node, "type");
    g_autofree char *index = virXMLAttr(node, "index");
    g_autofree char *model = virXMLAttr(node, "model");
    char *end;

    if (type && (controller->type = virControllerTypeFromString(type)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute 'type' in element 'controller': '%s'."),
                           type);
    if (index) {
        controller->index.value = g_ascii_isdigit(*index) ? strtoul(index, &end, 10) : 0;
        if (!g_ascii_isdigit(*index) || *end || controller->index.value > INT32_MAX)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Cannot parse controller index %s"),
                               index);
        controller->index.set = true;
    }
    if (model && (controller->model = virControllerModelFromString(controller->type, model)) < 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unknown model type '%s'"), model);
    if (!index && controller->type == VIR_CONTROLLER_PCI &&
        (controller->model == VIR_CONTROLLER_PCI_ROOT ||
         controller->model == VIR_CONTROLLER_PCIE_ROOT))
        controller->index = virOptUIntOf(0);
    return true;
}

static void
virControllerFormatType(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virController *controller = object;

    virXMLWriterAttr(w, "type", virControllerTypeToString(controller->type));
    virXMLWriterAttrF(w, "index", "%" PRIu64, controller->index.value);
    virXMLWriterAttr(w, "model", virControllerModelToString(controller->type, controller->model));
}

static bool
virControllerSameType(const void *a, const void *b, GError **error)
{
    const virController *was = a;
    const virController *is = b;

    if (was->type != is->type)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target controller type %s does not match source %s"),
                           virControllerTypeToString(is->type),
                           virControllerTypeToString(was->type));
    if (was->index.value != is->index.value)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target controller index %" PRIu64 " does not match source %" PRIu64),
                           is->index.value, was->index.value);
    if (was->model != is->model)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target controller model %d does not match source %d"), is->model,
                           was->model);
    return true;
}

/* <pcihole64 unit=…>: read in any unit, written in KiB. */
static bool
virControllerParseHole(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virController *controller = object;

    uint64_t value = 0;
    bool set;

    if (!virXMLMemory(node, "pcihole64", /* required: */ false, &set, &value, error))
        return false;
    controller->pcihole64 = (virOptUInt){value, set};
    return true;
}

static void
virControllerFormatHole(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virController *controller = object;

    if (!controller->pcihole64.set)
        return;
    virXMLWriterOpen(w, "pcihole64");
    virXMLWriterAttr(w, "unit", "KiB");
    virXMLWriterTextF(w, "%" PRIu64, controller->pcihole64.value);
    virXMLWriterClose(w);
}

static const virField holeHolds[] = {
    VIR_HOLDS_SIZE("."),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("@type", virControllerParseType, virControllerFormatType,
                   .same = virControllerSameType),
    VIR_FIELD_UINT("@ports", virController, ports, 0, INT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("@vectors", virController, vectors, 0, INT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("model@name", virController, modelName, virPCIControllerNameNames,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@chassisNr", virController, chassisNr, 1, 255, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@chassis", virController, chassis, 0, 255, .flags = VIR_FIELD_ABI),
    VIR_FIELD_HEX("target@port", virController, port, 0, 255, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@busNr", virController, busNr, 1, 254, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@index", virController, targetIndex, 0, 30, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("target@hotplug", virController, hotplug, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target/node", virController, numaNode, 0, INT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("driver@queues", virController, queues, 0, UINT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("driver@cmd_per_lun", virController, cmdPerLun, 0, UINT32_MAX),
    VIR_FIELD_UINT("driver@max_sectors", virController, maxSectors, 0, UINT32_MAX),
    VIR_FIELD_ONOFF("driver@ioeventfd", virController, ioeventfd),
    VIR_FIELD_UINT("driver@iothread", virController, iothread, 1, UINT32_MAX),
    VIR_FIELD_MIXIN(virController, virtio, virVirtioFields),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_CODE("pcihole64", virControllerParseHole, virControllerFormatHole,
                   .holds = holeHolds),
    VIR_FIELD_CODE("@index", NULL, NULL),
    VIR_FIELD_CODE("@model", NULL, NULL),
    VIR_FIELD_END,
};

/* --- what holds for every hypervisor --- */

static bool
virControllerComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                      GError **error)
{
    virController *controller = VIR_CONTROLLER(dev);

    if (controller->type == VIR_CONTROLLER_ISA && !controller->index.set)
        controller->index = virOptUIntOf(0);
    return true;
}

static bool
virControllerCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);
    bool root =
        controller->type == VIR_CONTROLLER_PCI && (controller->model == VIR_CONTROLLER_PCI_ROOT ||
                                                   controller->model == VIR_CONTROLLER_PCIE_ROOT);
    bool xhci = controller->type == VIR_CONTROLLER_USB &&
                (controller->model == VIR_CONTROLLER_USB_NEC_XHCI ||
                 controller->model == VIR_CONTROLLER_USB_QEMU_XHCI);

    if (root && controller->base.info.address.type != VIR_ADDRESS_NONE)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("pci-root and pcie-root controllers should not have an address"));
    if (root && controller->index.value != 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("pci-root and pcie-root controllers should have index 0"));
    if (controller->pcihole64.set && !root)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("pcihole64 attribute not supported for PCI controller model '%s'"),
                           virControllerModelToString(controller->type, controller->model));
    if (xhci && controller->ports.set && controller->ports.value > 15)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("'%s' controller only supports up to '%u' ports"),
                           virControllerModelToString(controller->type, controller->model), 15);
    if (!virControllerIsVirtioSCSI(controller) && controller->type != VIR_CONTROLLER_VIRTIO_SERIAL)
        return virVirtioCheckUnused(&controller->virtio, error);
    return true;
}

unsigned
virControllerPCIConnectOfModel(int model)
{
    switch (model) {
    case VIR_CONTROLLER_PCI_BRIDGE:
        return VIR_PCI_CONNECT_PCI_BRIDGE;
    case VIR_CONTROLLER_DMI_TO_PCI_BRIDGE:
        return VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE;
    case VIR_CONTROLLER_PCIE_TO_PCI_BRIDGE:
        return VIR_PCI_CONNECT_PCIE_TO_PCI_BRIDGE;
    case VIR_CONTROLLER_PCIE_ROOT_PORT:
        return VIR_PCI_CONNECT_PCIE_ROOT_PORT | VIR_PCI_CONNECT_AGGREGATE;
    case VIR_CONTROLLER_PCIE_SWITCH_UPSTREAM_PORT:
        return VIR_PCI_CONNECT_PCIE_SWITCH_UPSTREAM_PORT;
    case VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT:
        return VIR_PCI_CONNECT_PCIE_SWITCH_DOWNSTREAM_PORT;
    case VIR_CONTROLLER_PCI_EXPANDER_BUS:
        return VIR_PCI_CONNECT_PCI_EXPANDER_BUS;
    case VIR_CONTROLLER_PCIE_EXPANDER_BUS:
        return VIR_PCI_CONNECT_PCIE_EXPANDER_BUS;
    default:
        return 0;
    }
}

static unsigned
virControllerPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);
    unsigned pci = VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
    unsigned pcie = facts->q35 ? VIR_PCI_CONNECT_PCIE_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE : pci;

    switch (controller->type) {
    case VIR_CONTROLLER_PCI:
        return virControllerPCIConnectOfModel(controller->model);
    case VIR_CONTROLLER_IDE:
    case VIR_CONTROLLER_SATA:
        return pci;
    case VIR_CONTROLLER_SCSI:
        if (controller->model == VIR_CONTROLLER_SCSI_VIRTIO_TRANSITIONAL)
            return pci;
        return virControllerIsVirtioSCSI(controller)
                   ? virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_DEFAULT)
                   : pci;
    case VIR_CONTROLLER_VIRTIO_SERIAL:
        return virVirtioPCIConnect(facts,
                                   controller->model == VIR_CONTROLLER_VIRTIO_SERIAL_TRANSITIONAL
                                       ? VIR_VIRTIO_MODEL_TRANSITIONAL
                                       : VIR_VIRTIO_MODEL_DEFAULT);
    case VIR_CONTROLLER_USB:
        if (controller->model == VIR_CONTROLLER_USB_NONE)
            return 0;
        if (controller->model == VIR_CONTROLLER_USB_NEC_XHCI ||
            controller->model == VIR_CONTROLLER_USB_QEMU_XHCI)
            return pcie;
        return pci;
    default:
        return 0;
    }
}

char *
virControllerAlias(const virDevice *dev, const virDomainFacts *facts, unsigned n)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);
    unsigned index = (unsigned)controller->index.value;

    switch (controller->type) {
    case VIR_CONTROLLER_PCI:
        if (controller->model == VIR_CONTROLLER_PCIE_ROOT)
            return g_strdup_printf("pcie.%u", index);
        return g_strdup_printf("pci.%u", index);
    case VIR_CONTROLLER_IDE: /* the machine's own one has this name */
        return facts->hasIDE && index == 0 ? g_strdup("ide") : g_strdup_printf("ide%u", index);
    case VIR_CONTROLLER_SATA:
        return facts->q35 && index == 0 ? g_strdup("ide") : g_strdup_printf("sata%u", index);
    case VIR_CONTROLLER_USB:
        return index == 0 ? g_strdup("usb") : g_strdup_printf("usb%u", index);
    default:
        return g_strdup_printf("%s%u", virControllerTypeToString(controller->type), index);
    }
}

static bool
virControllerMatches(const virDevice *dev, const virDevice *wanted)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);
    const virController *other = VIR_CONTROLLER_CONST(wanted);

    return controller->type == other->type && other->index.set &&
           controller->index.value == other->index.value;
}

static char *
virControllerLabel(const virDevice *dev)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);

    return g_strdup_printf("%s:%d", virControllerTypeToString(controller->type),
                           controller->index.set ? (int)controller->index.value : -1);
}

static bool
virControllerMayChangeLive(const virDevice *dev, virDeviceChange change, GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);

    return controller->type == VIR_CONTROLLER_SCSI ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       change == VIR_DEVICE_DETACH ? _("'%s' controller cannot be hot unplugged.")
                                                   : _("'%s' controller cannot be hot plugged."),
                       virControllerTypeToString(controller->type));
}

static bool
virControllerMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);
    g_autofree char *label = virControllerLabel(dev);

    if (!controller->index.set ||
        !virControllersFind(devices, controller->type, (unsigned)controller->index.value))
        return true;
    if (!live)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("controller index='%u' already exists"),
                           (unsigned)controller->index.value);
    if (!virControllerMayChangeLive(dev, VIR_DEVICE_ATTACH, NULL))
        return true; /* that it never could comes after what is wrong with it */
    return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("target %s already exists"), label);
}

/* Those of a type by their index; of one index, the EHCI controller before its companions, else as
 * they come. */
static int
virControllerOrder(const virDevice *a, const virDevice *b)
{
    const virController *first = VIR_CONTROLLER_CONST(a);
    const virController *second = VIR_CONTROLLER_CONST(b);

    if (first->type != second->type || !first->index.set || !second->index.set)
        return 0;
    if (first->index.value == second->index.value)
        return virControllerIsUSBCompanion(first) && !virControllerIsUSBCompanion(second) ? 1 : -1;
    return first->index.value < second->index.value ? -1 : 1;
}

const virDeviceKind virControllerKind = {
    .element = "controller",
    .noun = "controller",
    .size = sizeof(virController),
    .fields = fields,
    .complete = virControllerComplete,
    .check = virControllerCheck,
    .order = virControllerOrder,
    .keepsOrder = true,
    .matches = virControllerMatches,
    .pciConnect = virControllerPCIConnect,
    .alias = virControllerAlias,
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING, N_("controller %s not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
    .label = virControllerLabel,
    .mayChangeLive = virControllerMayChangeLive,
    .mayJoin = virControllerMayJoin,
};

/* --- look-ups --- */

virDevice *
virControllerNew(int type, unsigned index, int model)
{
    virController *controller = VIR_CONTROLLER(virDeviceNew(&virControllerKind));

    controller->type = type;
    controller->index = virOptUIntOf(index);
    controller->model = model;
    return &controller->base;
}

virController *
virControllersFind(const GPtrArray *devices, int type, unsigned index)
{
    for (guint i = 0; i < devices->len; i++) {
        virController *controller = g_ptr_array_index(devices, i);

        if (controller->base.kind == &virControllerKind && controller->type == type &&
            controller->index.set && controller->index.value == index)
            return controller;
    }
    return NULL;
}

int
virControllersMaxIndex(const GPtrArray *devices, int type)
{
    int max = -1;

    for (guint i = 0; i < devices->len; i++) {
        const virController *controller = g_ptr_array_index(devices, i);

        if (controller->base.kind == &virControllerKind && controller->type == type &&
            controller->index.set)
            max = MAX(max, (int)controller->index.value);
    }
    return max;
}

bool
virControllersNoUSB(const GPtrArray *devices)
{
    const virController *controller = virControllersFind(devices, VIR_CONTROLLER_USB, 0);

    return controller && controller->model == VIR_CONTROLLER_USB_NONE;
}

bool
virControllerIsRoot(const virController *controller)
{
    return controller->type == VIR_CONTROLLER_PCI &&
           (controller->model == VIR_CONTROLLER_PCI_ROOT ||
            controller->model == VIR_CONTROLLER_PCIE_ROOT);
}

bool
virControllerIsUSBCompanion(const virController *controller)
{
    return controller->type == VIR_CONTROLLER_USB && controller->base.info.masterStartPort.set;
}

bool
virControllerIsVirtioSCSI(const virController *controller)
{
    return controller->type == VIR_CONTROLLER_SCSI &&
           (controller->model == VIR_CONTROLLER_SCSI_VIRTIO_SCSI ||
            controller->model == VIR_CONTROLLER_SCSI_VIRTIO_TRANSITIONAL ||
            controller->model == VIR_CONTROLLER_SCSI_VIRTIO_NON_TRANSITIONAL);
}
