/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostdev.c: <hostdev> as a document. */
#include "device/hostdev/hostdev.h"

#include "device/controller/controller.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virHostdevModel, VIR_HOSTDEV_MODEL_LAST, NULL, "vfio-pci", "vfio-ccw", "vfio-ap",
              "virtio", "virtio-transitional", "virtio-non-transitional");

static const char *const modes[] = {NULL, "subsystem", "capabilities"};
static const virEnum modeNames = {modes, G_N_ELEMENTS(modes)};
static const char *const sgios[] = {NULL, "filtered", "unfiltered"};
static const virEnum sgioNames = {sgios, G_N_ELEMENTS(sgios)};
static const char *const drivers[] = {NULL, "kvm", "vfio", "xen"};
static const virEnum driverNames = {drivers, G_N_ELEMENTS(drivers)};
static const char *const teamings[] = {NULL, "persistent", "transient"};
static const virEnum teamingNames = {teamings, G_N_ELEMENTS(teamings)};

enum {
    VIR_HOSTDEV_MODE_CAPABILITIES = 2,
    VIR_HOSTDEV_TEAMING_TRANSIENT = 2,
    VIR_HOSTDEV_SCSI_UNITS = 7, /* of a narrow bus: 7 is the controller's own */
};

static bool
virHostdevParseSource(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virHostdev *hostdev = object;
    xmlNode *source = virXMLFirstChild(node, "source");

    if (hostdev->mode == VIR_HOSTDEV_MODE_CAPABILITIES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("hostdev mode 'capabilities' is not supported in %s"), "QEMU");
    if (!source)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Missing <source> element in hostdev device"));
    return virHostdevSourceParse(&hostdev->source, hostdev->type, source, parseFlags, error);
}

static void
virHostdevFormatSource(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virHostdev *hostdev = object;

    virHostdevSourceFormat(&hostdev->source, hostdev->type, w, formatFlags);
}

static void
virHostdevClearSource(void *object)
{
    virHostdevSourceClear(&VIR_HOSTDEV(object)->source);
}

static const virField fields[] = {
    VIR_FIELD_ENUM("@mode", virHostdev, mode, modeNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown hostdev mode '%s'")),
    VIR_FIELD_ENUM("@type", virHostdev, type, virHostdevTypeNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown host device source address type '%s'")),
    VIR_FIELD_YESNO("@managed", virHostdev, managed),
    VIR_FIELD_ENUM("@sgio", virHostdev, sgio, sgioNames),
    VIR_FIELD_YESNO("@rawio", virHostdev, rawio),
    VIR_FIELD_ENUM("@model", virHostdev, model, virHostdevModelNames),
    VIR_FIELD_ONOFF("@display", virHostdev, display),
    VIR_FIELD_ONOFF("@ramfb", virHostdev, ramfb),
    VIR_FIELD_ENUM("driver@name", virHostdev, driver, driverNames),
    VIR_FIELD_YESNO("driver@iommufd", virHostdev, iommufd),
    VIR_FIELD_CODE("source", virHostdevParseSource, virHostdevFormatSource,
                   .clear = virHostdevClearSource),
    VIR_FIELD_ENUM("teaming@type", virHostdev, teaming, teamingNames, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_STRING("teaming@persistent", virHostdev, teamingPersistent),
    VIR_FIELD_PRESENT("readonly", virHostdev, readonly),
    VIR_FIELD_PRESENT("shareable", virHostdev, shareable),
    VIR_FIELD_STRING("privateData@nodename", virHostdev, nodeName, .flags = VIR_FIELD_IN_STATUS),
    VIR_FIELD_STRING("privateData@sg", virHostdev, scsiGeneric, .flags = VIR_FIELD_IN_STATUS),
    VIR_FIELD_STRING("privateData@vfio", virHostdev, vfioGroup, .flags = VIR_FIELD_IN_STATUS),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

bool
virHostdevUsesVFIO(const virHostdev *hostdev)
{
    return hostdev->type == VIR_HOSTDEV_TYPE_PCI || hostdev->type == VIR_HOSTDEV_TYPE_MDEV;
}

bool
virHostdevUsesIommufd(const virHostdev *hostdev)
{
    return hostdev->type == VIR_HOSTDEV_TYPE_PCI && hostdev->iommufd == VIR_TRISTATE_YES;
}

/* --- reading --- */

static bool
virHostdevParseForeign(const virHostdev *hostdev, GError **error)
{
    bool scsi = hostdev->type == VIR_HOSTDEV_TYPE_SCSI;

    if (!scsi && hostdev->sgio)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("sgio is only supported for scsi host device"));
    if (!scsi && hostdev->rawio != VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("rawio is only supported for scsi host device"));
    if (hostdev->model && hostdev->type != VIR_HOSTDEV_TYPE_MDEV &&
        hostdev->type != VIR_HOSTDEV_TYPE_SCSI_HOST)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("'model' attribute in <hostdev> is only supported when type='%s'"),
                           virHostdevTypeToString(VIR_HOSTDEV_TYPE_MDEV));
    if (!hostdev->model && hostdev->type == VIR_HOSTDEV_TYPE_MDEV)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "model",
                           "hostdev");
    if (hostdev->teaming && hostdev->type != VIR_HOSTDEV_TYPE_PCI)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("teaming is only supported for pci hostdev devices"));
    if (hostdev->teaming && hostdev->teaming != VIR_HOSTDEV_TEAMING_TRANSIENT)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("teaming hostdev devices must have type='transient'"));
    if (hostdev->teaming && !hostdev->teamingPersistent)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing required persistent attribute in hostdev teaming element"));
    return true;
}

static bool
virHostdevParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virHostdev *hostdev = VIR_HOSTDEV(dev);

    if (!hostdev->type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing source address type"));
    hostdev->mode = 1;
    return virHostdevParseForeign(hostdev, error);
}

/* --- defaults --- */

static bool
virHostdevUnitInUse(const GPtrArray *devices, const virDevice *self, unsigned controller,
                    unsigned unit)
{
    for (guint i = 0; i < devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(devices, i);
        const virAddress *address = &dev->info.address;
        unsigned index;

        if (dev == self || address->type != VIR_ADDRESS_DRIVE || !dev->kind->controller ||
            dev->kind->controller(dev, &index) != VIR_CONTROLLER_SCSI)
            continue;
        if (address->drive.controller == controller && address->drive.bus == 0 &&
            address->drive.target == 0 && address->drive.unit == unit)
            return true;
    }
    return false;
}

static void
virHostdevChooseUnit(virDevice *dev, const GPtrArray *devices)
{
    virAddress *address = &dev->info.address;
    unsigned place = 0;

    while (virHostdevUnitInUse(devices, dev, place / VIR_HOSTDEV_SCSI_UNITS,
                               place % VIR_HOSTDEV_SCSI_UNITS))
        place++;
    address->type = VIR_ADDRESS_DRIVE;
    address->drive.controller = place / VIR_HOSTDEV_SCSI_UNITS;
    address->drive.unit = place % VIR_HOSTDEV_SCSI_UNITS;
}

static bool
virHostdevComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virHostdev *hostdev = VIR_HOSTDEV(dev);

    if (hostdev->managed == VIR_TRISTATE_ABSENT)
        hostdev->managed = VIR_TRISTATE_NO;
    if (hostdev->type != VIR_HOSTDEV_TYPE_MDEV)
        hostdev->display = hostdev->ramfb = VIR_TRISTATE_ABSENT;
    if (hostdev->type != VIR_HOSTDEV_TYPE_PCI) {
        hostdev->driver = 0;
        hostdev->iommufd = VIR_TRISTATE_ABSENT;
    }
    if (hostdev->type != VIR_HOSTDEV_TYPE_SCSI)
        hostdev->readonly = hostdev->shareable = false;
    if (hostdev->type == VIR_HOSTDEV_TYPE_SCSI && dev->info.address.type == VIR_ADDRESS_NONE)
        virHostdevChooseUnit(dev, facts->devices);
    return true;
}

/* --- checks --- */

static bool
virHostdevCheckOthers(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);
    const virAddress *address = &dev->info.address;

    virDevicesForEach(facts->devices, &virHostdevKind, other)
    {
        if (other == dev || VIR_HOSTDEV(other)->type != hostdev->type)
            continue;
        if (virHostdevSourceSame(&hostdev->source, &VIR_HOSTDEV(other)->source, hostdev->type))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Hostdev already exists in the domain configuration"));
        if (address->type == VIR_ADDRESS_DRIVE && virAddressEqual(address, &other->info.address))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("SCSI host address controller='%u' bus='%u' target='%u' "
                                 "unit='%u' in use by another SCSI host device"),
                               address->drive.controller, address->drive.bus, address->drive.target,
                               address->drive.unit);
    }
    return true;
}

static bool
virHostdevCheckAddress(const virDevice *dev, GError **error)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);
    virAddressType is = dev->info.address.type;

    if (is == VIR_ADDRESS_NONE)
        return true;
    switch (hostdev->type) {
    case VIR_HOSTDEV_TYPE_PCI:
        return is == VIR_ADDRESS_PCI || is == VIR_ADDRESS_UNASSIGNED ||
               virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("PCI host devices must use 'pci' or 'unassigned' address type"));
    case VIR_HOSTDEV_TYPE_SCSI:
        return is == VIR_ADDRESS_DRIVE ||
               virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("SCSI host device must use 'drive' address type"));
    case VIR_HOSTDEV_TYPE_SCSI_HOST:
        return is == VIR_ADDRESS_PCI ||
               virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("SCSI_host host device must use 'pci' or 'ccw' address type"));
    case VIR_HOSTDEV_TYPE_USB:
        return is == VIR_ADDRESS_USB ||
               virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("USB host device must use 'usb' address type"));
    default:
        return is == VIR_ADDRESS_PCI ||
               virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Unsupported address type '%s' with mediated device model '%s'"),
                           virAddressTypeToString(is), virHostdevModelToString(hostdev->model));
    }
}

static bool
virHostdevCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);

    if (hostdev->type == VIR_HOSTDEV_TYPE_SCSI && dev->info.address.type == VIR_ADDRESS_DRIVE &&
        hostdev->managed == VIR_TRISTATE_YES && !hostdev->source.adapter && !hostdev->source.iqn)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("SCSI host device doesn't support managed mode"));
    if ((hostdev->display == VIR_TRISTATE_YES || hostdev->ramfb == VIR_TRISTATE_YES) &&
        hostdev->model != VIR_HOSTDEV_MODEL_VFIO_PCI)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("<hostdev> attribute 'display' is only supported with "
                             "model='vfio-pci'"));
    return virHostdevCheckAddress(dev, error) && virHostdevCheckOthers(dev, facts, error);
}

/* --- places --- */

static unsigned
virHostdevPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);

    switch (hostdev->type) {
    case VIR_HOSTDEV_TYPE_PCI:
    case VIR_HOSTDEV_TYPE_MDEV:
        return dev->info.address.type == VIR_ADDRESS_UNASSIGNED
                   ? 0
                   : virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_DEFAULT);
    case VIR_HOSTDEV_TYPE_SCSI_HOST:
        return virVirtioPCIConnect(facts, hostdev->model == VIR_HOSTDEV_MODEL_VIRTIO_TRANSITIONAL
                                              ? VIR_VIRTIO_MODEL_TRANSITIONAL
                                              : VIR_VIRTIO_MODEL_DEFAULT);
    default:
        return 0;
    }
}

static int
virHostdevController(const virDevice *dev, unsigned *retIndex)
{
    if (VIR_HOSTDEV(dev)->type != VIR_HOSTDEV_TYPE_SCSI)
        return -1;
    *retIndex =
        dev->info.address.type == VIR_ADDRESS_DRIVE ? dev->info.address.drive.controller : 0;
    return VIR_CONTROLLER_SCSI;
}

static bool
virHostdevOnUSB(const virDevice *dev)
{
    return VIR_HOSTDEV(dev)->type == VIR_HOSTDEV_TYPE_USB;
}

static bool
virHostdevMatches(const virDevice *dev, const virDevice *wanted)
{
    const virHostdev *is = VIR_HOSTDEV(dev);
    const virHostdev *like = VIR_HOSTDEV(wanted);

    return is->type == like->type && virHostdevSourceSame(&is->source, &like->source, is->type);
}

static char *
virHostdevLabel(const virDevice *dev)
{
    const virHostdev *hostdev = VIR_HOSTDEV(dev);
    const virHostdevSource *source = &hostdev->source;
    g_autofree char *pci = NULL;

    switch (hostdev->type) {
    case VIR_HOSTDEV_TYPE_PCI:
        pci = virPCIAddressToString(&source->pci);
        return g_strdup_printf("pci device %s", pci);
    case VIR_HOSTDEV_TYPE_USB:
        if (source->bus)
            return g_strdup_printf("usb device %03u.%03u", source->bus, source->device);
        return g_strdup_printf("usb device vendor=0x%.4x product=0x%.4x",
                               (unsigned)source->vendor.value, (unsigned)source->product.value);
    default:
        return g_strdup_printf("%s device", virHostdevTypeToString(hostdev->type));
    }
}

static bool
virHostdevMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    g_autofree char *label = virHostdevLabel(dev);

    virDevicesForEach(devices, &virHostdevKind, other)
    {
        if (!virHostdevMatches(other, dev))
            continue;
        if (live)
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("target %s already exists"),
                               label);
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("device is already in the domain configuration"));
    }
    return true;
}

const virDeviceKind virHostdevKind = {
    .element = "hostdev",
    .noun = "hostdev",
    .size = sizeof(virHostdev),
    .fields = fields,
    .parse = virHostdevParse,
    .complete = virHostdevComplete,
    .check = virHostdevCheck,
    .matches = virHostdevMatches,
    .pciConnect = virHostdevPCIConnect,
    .controller = virHostdevController,
    .controllerAlike = true,
    .onUSB = virHostdevOnUSB,
    .aliasPrefix = "hostdev",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING, N_("host %s not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
    .label = virHostdevLabel,
    .mayJoin = virHostdevMayJoin,
};
