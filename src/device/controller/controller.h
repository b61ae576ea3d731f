/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * controller.h: <controller>: what other devices are plugged into, PCI buses among them. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_CONTROLLER_IDE = 0,
    VIR_CONTROLLER_FDC,
    VIR_CONTROLLER_SCSI,
    VIR_CONTROLLER_SATA,
    VIR_CONTROLLER_VIRTIO_SERIAL,
    VIR_CONTROLLER_CCID,
    VIR_CONTROLLER_USB,
    VIR_CONTROLLER_PCI,
    VIR_CONTROLLER_XENBUS,
    VIR_CONTROLLER_ISA,
    VIR_CONTROLLER_LAST
} virControllerType;
VIR_ENUM_DECL(virControllerType);

/* The model's meaning depends on the type; 0 is "not said" in all of them. */
typedef enum {
    VIR_CONTROLLER_MODEL_DEFAULT = 0,

    VIR_CONTROLLER_PCI_ROOT = 1,
    VIR_CONTROLLER_PCIE_ROOT,
    VIR_CONTROLLER_PCI_BRIDGE,
    VIR_CONTROLLER_DMI_TO_PCI_BRIDGE,
    VIR_CONTROLLER_PCIE_TO_PCI_BRIDGE,
    VIR_CONTROLLER_PCIE_ROOT_PORT,
    VIR_CONTROLLER_PCIE_SWITCH_UPSTREAM_PORT,
    VIR_CONTROLLER_PCIE_SWITCH_DOWNSTREAM_PORT,
    VIR_CONTROLLER_PCI_EXPANDER_BUS,
    VIR_CONTROLLER_PCIE_EXPANDER_BUS,
    VIR_CONTROLLER_PCI_LAST,

    VIR_CONTROLLER_SCSI_AUTO = 1,
    VIR_CONTROLLER_SCSI_BUSLOGIC,
    VIR_CONTROLLER_SCSI_LSILOGIC,
    VIR_CONTROLLER_SCSI_LSISAS1068,
    VIR_CONTROLLER_SCSI_VMPVSCSI,
    VIR_CONTROLLER_SCSI_IBMVSCSI,
    VIR_CONTROLLER_SCSI_VIRTIO_SCSI,
    VIR_CONTROLLER_SCSI_LSISAS1078,
    VIR_CONTROLLER_SCSI_VIRTIO_TRANSITIONAL,
    VIR_CONTROLLER_SCSI_VIRTIO_NON_TRANSITIONAL,
    VIR_CONTROLLER_SCSI_NCR53C90,
    VIR_CONTROLLER_SCSI_DC390,
    VIR_CONTROLLER_SCSI_AM53C974,
    VIR_CONTROLLER_SCSI_LAST,

    VIR_CONTROLLER_USB_PIIX3_UHCI = 1,
    VIR_CONTROLLER_USB_PIIX4_UHCI,
    VIR_CONTROLLER_USB_EHCI,
    VIR_CONTROLLER_USB_ICH9_EHCI1,
    VIR_CONTROLLER_USB_ICH9_UHCI1,
    VIR_CONTROLLER_USB_ICH9_UHCI2,
    VIR_CONTROLLER_USB_ICH9_UHCI3,
    VIR_CONTROLLER_USB_VT82C686B_UHCI,
    VIR_CONTROLLER_USB_PCI_OHCI,
    VIR_CONTROLLER_USB_NEC_XHCI,
    VIR_CONTROLLER_USB_QUSB1,
    VIR_CONTROLLER_USB_QUSB2,
    VIR_CONTROLLER_USB_QEMU_XHCI,
    VIR_CONTROLLER_USB_NONE,
    VIR_CONTROLLER_USB_LAST,

    VIR_CONTROLLER_IDE_PIIX3 = 1,
    VIR_CONTROLLER_IDE_PIIX4,
    VIR_CONTROLLER_IDE_ICH6,
    VIR_CONTROLLER_IDE_LAST,

    VIR_CONTROLLER_VIRTIO_SERIAL_VIRTIO = 1,
    VIR_CONTROLLER_VIRTIO_SERIAL_TRANSITIONAL,
    VIR_CONTROLLER_VIRTIO_SERIAL_NON_TRANSITIONAL,
    VIR_CONTROLLER_VIRTIO_SERIAL_LAST,
} virControllerModel;

/* <model name=…/> of a PCI controller: the QEMU device behind it. */
typedef enum {
    VIR_PCI_CONTROLLER_NAME_NONE = 0,
    VIR_PCI_CONTROLLER_NAME_PCI_BRIDGE,
    VIR_PCI_CONTROLLER_NAME_I82801B11_BRIDGE,
    VIR_PCI_CONTROLLER_NAME_IOH3420,
    VIR_PCI_CONTROLLER_NAME_X3130_UPSTREAM,
    VIR_PCI_CONTROLLER_NAME_XIO3130_DOWNSTREAM,
    VIR_PCI_CONTROLLER_NAME_PXB,
    VIR_PCI_CONTROLLER_NAME_PXB_PCIE,
    VIR_PCI_CONTROLLER_NAME_PCIE_ROOT_PORT,
    VIR_PCI_CONTROLLER_NAME_SPAPR_PCI_HOST_BRIDGE,
    VIR_PCI_CONTROLLER_NAME_PCIE_PCI_BRIDGE,
    VIR_PCI_CONTROLLER_NAME_LAST
} virPCIControllerName;
VIR_ENUM_DECL(virPCIControllerName);

typedef struct {
    virDevice base;
    int type;         /* virControllerType */
    int model;        /* virControllerModel of that type */
    virOptUInt index; /* given or assigned; always set in a completed definition */

    virOptUInt ports, vectors;                /* usb, virtio-serial; virtio-serial */
    virOptUInt queues, cmdPerLun, maxSectors; /* scsi driver */
    virTristate ioeventfd;
    virOptUInt iothread;
    virVirtioOptions virtio;

    int modelName; /* virPCIControllerName */
    virOptUInt chassisNr, chassis, port, busNr, targetIndex, numaNode;
    virTristate hotplug;
    virOptUInt pcihole64; /* KiB */
} virController;

#define VIR_CONTROLLER(dev) ((virController *)(dev))
#define VIR_CONTROLLER_CONST(dev) ((const virController *)(dev))
extern const virDeviceKind virControllerKind;

/* The model's name, NULL for "not said"; the model of a name, -1 if the type has none such. */
const char *virControllerModelToString(int type, int model);
int virControllerModelFromString(int type, const char *name);

/* A new controller with its index. */
virDevice *virControllerNew(int type, unsigned index, int model);
/* The first one of the type with the index, or NULL. */
virController *virControllersFind(const GPtrArray *devices, int type, unsigned index);
/* Highest index of the type, -1 if there is none. */
int virControllersMaxIndex(const GPtrArray *devices, int type);
/* <controller type='usb' model='none'/>: the guest shall have no USB. */
bool virControllersNoUSB(const GPtrArray *devices);
/* pci-root or pcie-root, or a companion: nothing the guest plugs in. */
bool virControllerIsRoot(const virController *controller);
bool virControllerIsUSBCompanion(const virController *controller);
/* scsi models that are virtio. */
bool virControllerIsVirtioSCSI(const virController *controller);
/* The alias; the first IDE of i440fx and the first SATA of q35 are called "ide". Caller frees. */
char *virControllerAlias(const virDevice *dev, const virDomainFacts *facts, unsigned n);
/* Connector bits (virPCIConnect) of the model, as a device to be plugged in. */
unsigned virControllerPCIConnectOfModel(int model);
