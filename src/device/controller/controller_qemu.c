/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * controller_qemu.c: <controller> for QEMU. */
#include "device/controller/controller_qemu.h"

#include <inttypes.h>

#include "device/common/virtio_qemu.h"
#include "util/virerror.h"

/* What a USB controller is called, and the flag that says the binary has it. */
typedef struct {
    const char *driver;
    qmpCapsFlag flag;
} qemuUSBModel;

static const qemuUSBModel usbModels[] = {
    [VIR_CONTROLLER_MODEL_DEFAULT] = {"piix3-usb-uhci", QMP_CAPS_PIIX3_USB_UHCI},
    [VIR_CONTROLLER_USB_PIIX3_UHCI] = {"piix3-usb-uhci", QMP_CAPS_PIIX3_USB_UHCI},
    [VIR_CONTROLLER_USB_PIIX4_UHCI] = {"piix4-usb-uhci", QMP_CAPS_PIIX4_USB_UHCI},
    [VIR_CONTROLLER_USB_EHCI] = {"usb-ehci", QMP_CAPS_USB_EHCI},
    [VIR_CONTROLLER_USB_ICH9_EHCI1] = {"ich9-usb-ehci1", QMP_CAPS_ICH9_USB_EHCI1},
    [VIR_CONTROLLER_USB_ICH9_UHCI1] = {"ich9-usb-uhci1", QMP_CAPS_ICH9_USB_EHCI1},
    [VIR_CONTROLLER_USB_ICH9_UHCI2] = {"ich9-usb-uhci2", QMP_CAPS_ICH9_USB_EHCI1},
    [VIR_CONTROLLER_USB_ICH9_UHCI3] = {"ich9-usb-uhci3", QMP_CAPS_ICH9_USB_EHCI1},
    [VIR_CONTROLLER_USB_VT82C686B_UHCI] = {"vt82c686b-usb-uhci", QMP_CAPS_VT82C686B_USB_UHCI},
    [VIR_CONTROLLER_USB_PCI_OHCI] = {"pci-ohci", QMP_CAPS_PCI_OHCI},
    [VIR_CONTROLLER_USB_NEC_XHCI] = {"nec-usb-xhci", QMP_CAPS_NEC_USB_XHCI},
    [VIR_CONTROLLER_USB_QUSB1] = {NULL, QMP_CAPS_LAST},
    [VIR_CONTROLLER_USB_QUSB2] = {NULL, QMP_CAPS_LAST},
    [VIR_CONTROLLER_USB_QEMU_XHCI] = {"qemu-xhci", QMP_CAPS_QEMU_XHCI},
    [VIR_CONTROLLER_USB_NONE] = {NULL, QMP_CAPS_LAST},
};
G_STATIC_ASSERT(G_N_ELEMENTS(usbModels) == VIR_CONTROLLER_USB_LAST);

static const qemuUSBModel scsiModels[] = {
    [VIR_CONTROLLER_SCSI_LSILOGIC] = {"lsi", QMP_CAPS_LSI},
    [VIR_CONTROLLER_SCSI_LSISAS1068] = {"mptsas1068", QMP_CAPS_MPTSAS1068},
    [VIR_CONTROLLER_SCSI_LSISAS1078] = {"megasas", QMP_CAPS_MEGASAS},
    [VIR_CONTROLLER_SCSI_VMPVSCSI] = {"pvscsi", QMP_CAPS_PVSCSI},
    [VIR_CONTROLLER_SCSI_VIRTIO_SCSI] = {"virtio-scsi", QMP_CAPS_VIRTIO_SCSI_PCI},
    [VIR_CONTROLLER_SCSI_VIRTIO_TRANSITIONAL] = {"virtio-scsi", QMP_CAPS_VIRTIO_SCSI_PCI},
    [VIR_CONTROLLER_SCSI_VIRTIO_NON_TRANSITIONAL] = {"virtio-scsi", QMP_CAPS_VIRTIO_SCSI_PCI},
    [VIR_CONTROLLER_SCSI_NCR53C90] = {"ncr53c90", QMP_CAPS_NCR53C90},
    [VIR_CONTROLLER_SCSI_DC390] = {"dc-390", QMP_CAPS_DC390},
    [VIR_CONTROLLER_SCSI_AM53C974] = {"am53c974", QMP_CAPS_AM53C974},
    [VIR_CONTROLLER_SCSI_LAST] = {NULL, QMP_CAPS_LAST},
};

/* --- defaults --- */

int
qemuControllerDefaultName(const virController *controller, const virDomainFacts *facts,
                          const qmpCaps *caps)
{
    switch (controller->model) {
    case VIR_CONTROLLER_PCI_BRIDGE:
        return VIR_PCI_CONTROLLER_NAME_PCI_BRIDGE;
    case VIR_CONTROLLER_DMI_TO_PCI_BRIDGE:
        return VIR_PCI_CONTROLLER_NAME_I82801B11_BRIDGE;
    case VIR_CONTROLLER_PCIE_TO_PCI_BRIDGE:
        return VIR_PCI_CONTROLLER_NAME_PCIE_PCI_BRIDGE;
    case VIR_CONTROLLER_PCIE_ROOT_PORT:
        return caps && qmpCapsHas(caps, QMP_CAPS_PCIE_ROOT_PORT)
                   ? VIR_PCI_CONTROLLER_NAME_PCIE_ROOT_PORT
                   : VIR_PCI_CONTROLLER_NAME_IOH3420;
    case VIR_CONTROLLER_PCIE_SWITCH_UPSTREAM_PORT:
        return VIR_PCI_CONTROLLER_NAME_X3130_UPSTREAM;
    case VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT:
        return VIR_PCI_CONTROLLER_NAME_XIO3130_DOWNSTREAM;
    case VIR_CONTROLLER_PCI_EXPANDER_BUS:
        return VIR_PCI_CONTROLLER_NAME_PXB;
    case VIR_CONTROLLER_PCIE_EXPANDER_BUS:
        return VIR_PCI_CONTROLLER_NAME_PXB_PCIE;
    default:
        return VIR_PCI_CONTROLLER_NAME_NONE;
    }
}

static bool
qemuControllerCompleteSCSI(virController *controller, const qmpCaps *caps, GError **error)
{
    if (controller->model != VIR_CONTROLLER_MODEL_DEFAULT &&
        controller->model != VIR_CONTROLLER_SCSI_AUTO)
        return true;
    if (qmpCapsHas(caps, QMP_CAPS_LSI))
        controller->model = VIR_CONTROLLER_SCSI_LSILOGIC;
    else if (qmpCapsHas(caps, QMP_CAPS_VIRTIO_SCSI_PCI))
        controller->model = VIR_CONTROLLER_SCSI_VIRTIO_SCSI;
    else
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Unable to determine model for SCSI controller"));
    return true;
}

static bool
qemuControllerComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                       unsigned parseFlags, GError **error)
{
    virController *controller = VIR_CONTROLLER(dev);

    if (!caps)
        return true;
    if (controller->type == VIR_CONTROLLER_SCSI)
        return qemuControllerCompleteSCSI(controller, caps, error);
    if (controller->type == VIR_CONTROLLER_USB &&
        controller->model == VIR_CONTROLLER_MODEL_DEFAULT &&
        qmpCapsHas(caps, QMP_CAPS_PIIX3_USB_UHCI))
        controller->model = VIR_CONTROLLER_USB_PIIX3_UHCI;
    return true;
}

/* --- what this QEMU cannot --- */

static bool
qemuControllerCheckUSB(const virController *controller, const virDomainFacts *facts,
                       const qmpCaps *caps, GError **error)
{
    const qemuUSBModel *model = &usbModels[controller->model];

    if (controller->model == VIR_CONTROLLER_USB_NONE)
        return true;
    if (controller->model == VIR_CONTROLLER_MODEL_DEFAULT) {
        if (qmpCapsHas(caps, QMP_CAPS_PIIX3_USB_UHCI) || facts->i440fx)
            return true;
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("no model provided for USB controller"));
    }
    if (!model->driver || !qmpCapsHas(caps, model->flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("USB controller model '%s' not supported in this QEMU binary"),
                           virControllerModelToString(controller->type, controller->model));
    return true;
}

static bool
qemuControllerCheckSCSI(const virController *controller, const qmpCaps *caps, GError **error)
{
    const qemuUSBModel *model = &scsiModels[controller->model];

    if (!virControllerIsVirtioSCSI(controller)) {
        if (controller->queues.set)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("'queues' is only supported by virtio-scsi controller"));
        if (controller->cmdPerLun.set)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("'cmd_per_lun' is only supported by virtio-scsi controller"));
        if (controller->maxSectors.set)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("'max_sectors' is only supported by virtio-scsi controller"));
        if (controller->ioeventfd != VIR_TRISTATE_ABSENT)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("'ioeventfd' is only supported by virtio-scsi controller"));
        if (controller->iothread.set)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("'iothread' is only supported for virtio-scsi controllers"));
    }
    if (!model->driver)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Unsupported controller model: %s"),
                           virControllerModelToString(controller->type, controller->model));
    if (!qmpCapsHas(caps, model->flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("The %s SCSI controller is not supported by this QEMU binary"),
                           virControllerModelToString(controller->type, controller->model));
    return true;
}

/* The machine a PCI controller model belongs to, and the flag that says it is there. */
typedef struct {
    qmpCapsFlag flag;
    bool pci, pcie; /* machines that can have it */
} qemuPCIModel;

static const qemuPCIModel pciModels[] = {
    [VIR_CONTROLLER_PCI_ROOT] = {QMP_CAPS_LAST, true, false},
    [VIR_CONTROLLER_PCIE_ROOT] = {QMP_CAPS_LAST, false, true},
    [VIR_CONTROLLER_PCI_BRIDGE] = {QMP_CAPS_PCI_BRIDGE, true, true},
    [VIR_CONTROLLER_DMI_TO_PCI_BRIDGE] = {QMP_CAPS_DMI_TO_PCI_BRIDGE, true, true},
    [VIR_CONTROLLER_PCIE_TO_PCI_BRIDGE] = {QMP_CAPS_PCIE_PCI_BRIDGE, true, true},
    [VIR_CONTROLLER_PCIE_ROOT_PORT] = {QMP_CAPS_IOH3420, true, true},
    [VIR_CONTROLLER_PCIE_SWITCH_UPSTREAM_PORT] = {QMP_CAPS_X3130_UPSTREAM, true, true},
    [VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT] = {QMP_CAPS_XIO3130_DOWNSTREAM, true, true},
    [VIR_CONTROLLER_PCI_EXPANDER_BUS] = {QMP_CAPS_PXB, true, false},
    [VIR_CONTROLLER_PCIE_EXPANDER_BUS] = {QMP_CAPS_PXB_PCIE, false, true},
};
G_STATIC_ASSERT(G_N_ELEMENTS(pciModels) == VIR_CONTROLLER_PCI_LAST);

static bool
qemuControllerCheckPCIRoot(const virController *controller, const virDomainFacts *facts,
                           GError **error)
{
    int wanted = facts->q35 ? VIR_CONTROLLER_PCIE_ROOT : VIR_CONTROLLER_PCI_ROOT;

    if (controller->index.value == 0 && controller->model != wanted)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("The PCI controller with index='0' must be model='%s' for this "
                             "machine type, but model='%s' was found instead"),
                           virControllerModelToString(VIR_CONTROLLER_PCI, wanted),
                           virControllerModelToString(VIR_CONTROLLER_PCI, controller->model));
    return true;
}

static bool
qemuControllerCheckPCI(const virController *controller, const virDomainFacts *facts,
                       const qmpCaps *caps, GError **error)
{
    const char *name = virControllerModelToString(VIR_CONTROLLER_PCI, controller->model);
    const qemuPCIModel *model = &pciModels[controller->model];
    qmpCapsFlag flag = model->flag;

    if (!qemuControllerCheckPCIRoot(controller, facts, error))
        return false;
    if (facts->q35 ? !model->pcie : !model->pci)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%s controllers are not supported with this machine type"), name);
    if (controller->modelName == VIR_PCI_CONTROLLER_NAME_PCIE_ROOT_PORT)
        flag = QMP_CAPS_PCIE_ROOT_PORT;
    if (flag != QMP_CAPS_LAST && !qmpCapsHas(caps, flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("the '%s' device is not supported by this QEMU binary"),
                           virPCIControllerNameToString(controller->modelName));
    if (controller->hotplug != VIR_TRISTATE_ABSENT) {
        if (virControllerIsRoot(controller) && !facts->q35 &&
            !qmpCapsHas(caps, QMP_CAPS_PIIX4_ACPI_ROOT_PCI_HOTPLUG))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("setting the '%s' property on a '%s' device is not supported by "
                                 "this QEMU binary"),
                               "hotplug", name);
        if (!virControllerIsRoot(controller) && !qmpCapsHas(caps, QMP_CAPS_PCIE_ROOT_PORT_HOTPLUG))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("setting the hotplug property on a '%s' device is not supported "
                                 "by this QEMU binary"),
                               virPCIControllerNameToString(controller->modelName));
    }
    if (controller->pcihole64.set &&
        !qmpCapsHas(caps,
                    facts->q35 ? QMP_CAPS_Q35_PCI_HOLE64_SIZE : QMP_CAPS_I440FX_PCI_HOLE64_SIZE))
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("64-bit PCI hole size setting is not supported with this QEMU binary"));
    return true;
}

static bool
qemuControllerCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                    GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);

    if (!qemuVirtioCheck(&controller->virtio, caps, error))
        return false;
    switch (controller->type) {
    case VIR_CONTROLLER_USB:
        return qemuControllerCheckUSB(controller, facts, caps, error);
    case VIR_CONTROLLER_SCSI:
        return qemuControllerCheckSCSI(controller, caps, error);
    case VIR_CONTROLLER_PCI:
        return qemuControllerCheckPCI(controller, facts, caps, error);
    case VIR_CONTROLLER_SATA:
        if (!qmpCapsHas(caps, QMP_CAPS_ICH9_AHCI))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("SATA is not supported with this QEMU binary"));
        return true;
    case VIR_CONTROLLER_IDE:
        if (controller->index.value == 0 && facts->hasIDE)
            return true;
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           facts->hasIDE ? _("Only a single IDE controller is supported for this "
                                             "machine type")
                                         : _("IDE controllers are unsupported for this QEMU binary "
                                             "or machine type"));
    case VIR_CONTROLLER_XENBUS:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("'%s' controllers are not supported"),
                           virControllerTypeToString(controller->type));
    default:
        return true;
    }
}

/* --- telling QEMU --- */

static void
qemuControllerAddId(const virDevice *dev, virJSON *props)
{
    virJSONAddString(props, "id", dev->info.alias);
}

static bool
qemuControllerFinish(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                     virJSON *props, GError **error)
{
    g_autoptr(virJSON) mine = props;

    if (!qemuAddressProps(dev, ctx, mine, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&mine));
    return true;
}

static bool
qemuControllerBuildUSB(const virController *controller, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error)
{
    const virDevice *dev = &controller->base;
    bool xhci = controller->model == VIR_CONTROLLER_USB_NEC_XHCI ||
                controller->model == VIR_CONTROLLER_USB_QEMU_XHCI;
    virJSON *props;

    if (controller->model == VIR_CONTROLLER_USB_NONE)
        return true;
    if (controller->model == VIR_CONTROLLER_MODEL_DEFAULT &&
        !qmpCapsHas(ctx->caps, QMP_CAPS_PIIX3_USB_UHCI)) {
        qmpPlanArg(plan, "-usb", NULL); /* the machine's own controller, on the oldest binaries */
        return true;
    }
    props = virJSONObject();
    virJSONAddString(props, "driver", usbModels[controller->model].driver);
    if (xhci && controller->ports.set) {
        virJSONAddUInt(props, "p2", controller->ports.value);
        virJSONAddUInt(props, "p3", controller->ports.value);
    }
    if (virControllerIsUSBCompanion(controller)) {
        virJSONAddStringF(props, "masterbus", "%s.0", dev->info.alias);
        virJSONAddUInt(props, "firstport", dev->info.masterStartPort.value);
    } else {
        qemuControllerAddId(dev, props);
    }
    return qemuControllerFinish(dev, ctx, plan, props, error);
}

static bool
qemuControllerBuildSCSI(const virController *controller, const qemuBuildContext *ctx, qmpPlan *plan,
                        GError **error)
{
    const virDevice *dev = &controller->base;
    virVirtioModel model = VIR_VIRTIO_MODEL_DEFAULT;
    virJSON *props;

    if (controller->model == VIR_CONTROLLER_SCSI_VIRTIO_TRANSITIONAL)
        model = VIR_VIRTIO_MODEL_TRANSITIONAL;
    else if (controller->model == VIR_CONTROLLER_SCSI_VIRTIO_NON_TRANSITIONAL)
        model = VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    if (virControllerIsVirtioSCSI(controller)) {
        props = qemuVirtioProps(dev, "virtio-scsi", model, &controller->virtio, ctx, error);
        if (!props)
            return false;
        if (controller->iothread.set)
            virJSONAddStringF(props, "iothread", "iothread%" PRIu64, controller->iothread.value);
        virJSONAddOnOff(props, "ioeventfd", controller->ioeventfd);
    } else {
        props = virJSONObject();
        virJSONAddString(props, "driver", scsiModels[controller->model].driver);
    }
    qemuControllerAddId(dev, props);
    if (controller->queues.set)
        virJSONAddPositive(props, "num_queues", controller->queues.value);
    if (controller->cmdPerLun.set)
        virJSONAddPositive(props, "cmd_per_lun", controller->cmdPerLun.value);
    if (controller->maxSectors.set)
        virJSONAddPositive(props, "max_sectors", controller->maxSectors.value);
    return qemuControllerFinish(dev, ctx, plan, props, error);
}

static bool
qemuControllerBuildVirtioSerial(const virController *controller, const qemuBuildContext *ctx,
                                qmpPlan *plan, GError **error)
{
    static const virVirtioModel models[] = {
        [VIR_CONTROLLER_MODEL_DEFAULT] = VIR_VIRTIO_MODEL_DEFAULT,
        [VIR_CONTROLLER_VIRTIO_SERIAL_VIRTIO] = VIR_VIRTIO_MODEL_DEFAULT,
        [VIR_CONTROLLER_VIRTIO_SERIAL_TRANSITIONAL] = VIR_VIRTIO_MODEL_TRANSITIONAL,
        [VIR_CONTROLLER_VIRTIO_SERIAL_NON_TRANSITIONAL] = VIR_VIRTIO_MODEL_NON_TRANSITIONAL,
    };
    const virDevice *dev = &controller->base;
    virJSON *props = qemuVirtioProps(dev, "virtio-serial", models[controller->model],
                                     &controller->virtio, ctx, error);

    if (!props)
        return false;
    qemuControllerAddId(dev, props);
    if (controller->ports.set)
        virJSONAddUInt(props, "max_ports", controller->ports.value);
    if (controller->vectors.set)
        virJSONAddUInt(props, "vectors", controller->vectors.value);
    return qemuControllerFinish(dev, ctx, plan, props, error);
}

static bool
qemuControllerBuildPCI(const virController *controller, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error)
{
    const virDevice *dev = &controller->base;
    virJSON *props;

    if (virControllerIsRoot(controller)) {
        if (controller->pcihole64.set)
            qmpPlanArgF(plan, "-global", "%s.pci-hole64-size=%" PRIu64 "K",
                        ctx->facts->q35 ? "q35-pcihost" : "i440FX-pcihost",
                        controller->pcihole64.value);
        if (controller->hotplug != VIR_TRISTATE_ABSENT && !ctx->facts->q35)
            qmpPlanArgF(plan, "-global", "PIIX4_PM.acpi-root-pci-hotplug=%s",
                        controller->hotplug == VIR_TRISTATE_YES ? "on" : "off");
        return true;
    }
    props = virJSONObject();
    virJSONAddString(props, "driver", virPCIControllerNameToString(controller->modelName));
    switch (controller->model) {
    case VIR_CONTROLLER_PCI_BRIDGE:
        virJSONAddUInt(props, "chassis_nr", controller->chassisNr.value);
        qemuControllerAddId(dev, props);
        break;
    case VIR_CONTROLLER_PCI_EXPANDER_BUS:
    case VIR_CONTROLLER_PCIE_EXPANDER_BUS:
        virJSONAddUInt(props, "bus_nr", controller->busNr.value);
        qemuControllerAddId(dev, props);
        if (controller->numaNode.set)
            virJSONAddUInt(props, "numa_node", controller->numaNode.value);
        break;
    case VIR_CONTROLLER_PCIE_ROOT_PORT:
    case VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT:
        virJSONAddUInt(props, "port", controller->port.value);
        virJSONAddUInt(props, "chassis", controller->chassis.value);
        qemuControllerAddId(dev, props);
        virJSONAddTristate(props, "hotplug", controller->hotplug);
        break;
    default:
        qemuControllerAddId(dev, props);
    }
    return qemuControllerFinish(dev, ctx, plan, props, error);
}

static bool
qemuControllerBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);
    virJSON *props;

    switch (controller->type) {
    case VIR_CONTROLLER_PCI:
        return qemuControllerBuildPCI(controller, ctx, plan, error);
    case VIR_CONTROLLER_USB:
        return qemuControllerBuildUSB(controller, ctx, plan, error);
    case VIR_CONTROLLER_SCSI:
        return qemuControllerBuildSCSI(controller, ctx, plan, error);
    case VIR_CONTROLLER_VIRTIO_SERIAL:
        return qemuControllerBuildVirtioSerial(controller, ctx, plan, error);
    case VIR_CONTROLLER_SATA:
        if (ctx->facts->q35 && controller->index.value == 0)
            return true; /* the chipset has it */
        props = virJSONObject();
        virJSONAddString(props, "driver", "ahci");
        break;
    case VIR_CONTROLLER_CCID:
        props = virJSONObject();
        virJSONAddString(props, "driver", "usb-ccid");
        break;
    default: /* built into the machine */
        return true;
    }
    qemuControllerAddId(dev, props);
    return qemuControllerFinish(dev, ctx, plan, props, error);
}

/* libvirt tells QEMU of buses in this order, so that a bus is there before what hangs on it. */
static int
qemuControllerBootRank(const virDevice *dev)
{
    static const int ranks[] = {
        [VIR_CONTROLLER_PCI] = 0,  [VIR_CONTROLLER_USB] = 1,  [VIR_CONTROLLER_SCSI] = 2,
        [VIR_CONTROLLER_IDE] = 3,  [VIR_CONTROLLER_SATA] = 4, [VIR_CONTROLLER_VIRTIO_SERIAL] = 5,
        [VIR_CONTROLLER_CCID] = 6, [VIR_CONTROLLER_FDC] = 7,  [VIR_CONTROLLER_XENBUS] = 8,
        [VIR_CONTROLLER_ISA] = 9,
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(ranks) == VIR_CONTROLLER_LAST);

    return ranks[VIR_CONTROLLER_CONST(dev)->type];
}

/* Something hangs on it. */
static bool
qemuControllerIsBusy(const virController *controller, const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(devices, i);
        unsigned index = 0;

        if (dev->kind->controller && dev->kind->controller(dev, &index) == controller->type &&
            index == controller->index.value)
            return true;
    }
    return false;
}

static bool
qemuControllerHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);

    if (ctx->unplug)
        return !qemuControllerIsBusy(controller, ctx->facts->devices) ||
               virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                           _("device cannot be detached: device is busy"));
    /* QEMU has no objection to ports */
    return controller->type == VIR_CONTROLLER_VIRTIO_SERIAL ||
           controller->type == VIR_CONTROLLER_SCSI ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("'%s' controller cannot be hot plugged."),
                       virControllerTypeToString(controller->type));
}

const virDeviceQemu virControllerQemu = {
    .kind = &virControllerKind,
    .complete = qemuControllerComplete,
    .check = qemuControllerCheck,
    .build = qemuControllerBuild,
    .bootRank = qemuControllerBootRank,
    .hotpluggable = qemuControllerHotpluggable,
};

/* --- where devices are plugged in --- */

static const char *
qemuBusAlias(const qemuBuildContext *ctx, int type, unsigned index, GError **error)
{
    const virController *bus = virControllersFind(ctx->facts->devices, type, index);

    if (bus && bus->base.info.alias)
        return bus->base.info.alias;
    if (type == VIR_CONTROLLER_PCI)
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                    _("Could not find PCI controller with index '%u'"), index);
    else
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                    _("Could not find %s controller with index '%u'"),
                    virControllerTypeToString(type), index);
    return NULL;
}

static bool
qemuAddressPropsPCI(const virDevice *dev, const qemuBuildContext *ctx, virJSON *props,
                    GError **error)
{
    const virPCIAddress *pci = &dev->info.address.pci;
    const char *bus = qemuBusAlias(ctx, VIR_CONTROLLER_PCI, pci->bus, error);

    if (!bus)
        return false;
    if (pci->domain != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Only PCI device addresses with domain 0 are supported"));
    virJSONAddString(props, "bus", bus);
    virJSONAddTristate(props, "multifunction", pci->multi);
    if (pci->function)
        virJSONAddStringF(props, "addr", "0x%x.0x%x", pci->slot, pci->function);
    else
        virJSONAddStringF(props, "addr", "0x%x", pci->slot);
    if (dev->info.acpiIndex.set)
        virJSONAddUInt(props, "acpi-index", dev->info.acpiIndex.value);
    return true;
}

static bool
qemuAddressPropsUSB(const virDevice *dev, const qemuBuildContext *ctx, virJSON *props,
                    GError **error)
{
    const char *bus = qemuBusAlias(ctx, VIR_CONTROLLER_USB, dev->info.address.usb.bus, error);
    g_autofree char *port = virAddressUSBPort(&dev->info.address);

    if (!bus)
        return false;
    virJSONAddStringF(props, "bus", "%s.0", bus);
    virJSONAddString(props, "port", *port ? port : NULL);
    return true;
}

bool
qemuAddressProps(const virDevice *dev, const qemuBuildContext *ctx, virJSON *props, GError **error)
{
    const virAddress *address = &dev->info.address;
    const char *bus;

    switch (address->type) {
    case VIR_ADDRESS_PCI:
        return qemuAddressPropsPCI(dev, ctx, props, error);
    case VIR_ADDRESS_USB:
        return qemuAddressPropsUSB(dev, ctx, props, error);
    case VIR_ADDRESS_VIRTIO_SERIAL:
        bus = qemuBusAlias(ctx, VIR_CONTROLLER_VIRTIO_SERIAL, address->virtioSerial.controller,
                           error);
        if (!bus)
            return false;
        virJSONAddStringF(props, "bus", "%s.%u", bus, address->virtioSerial.bus);
        virJSONAddUInt(props, "nr", address->virtioSerial.port);
        return true;
    case VIR_ADDRESS_CCID:
        bus = qemuBusAlias(ctx, VIR_CONTROLLER_CCID, address->ccid.controller, error);
        if (!bus)
            return false;
        virJSONAddStringF(props, "bus", "%s.0", bus);
        return true;
    case VIR_ADDRESS_ISA:
        virJSONAddPositive(props, "iobase", address->isa.iobase);
        virJSONAddPositive(props, "irq", address->isa.irq);
        return true;
    case VIR_ADDRESS_DIMM:
        virJSONAddUInt(props, "slot", address->dimm.slot);
        virJSONAddPositive(props, "addr", address->dimm.base);
        return true;
    default: /* a drive's is the disk's affair */
        return true;
    }
}
