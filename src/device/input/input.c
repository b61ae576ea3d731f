/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * input.c: <input> as a document. */
#include "device/input/input.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virInputType, VIR_INPUT_TYPE_LAST, NULL, "mouse", "tablet", "keyboard", "passthrough",
              "evdev");
VIR_ENUM_IMPL(virInputBus, VIR_INPUT_BUS_LAST, NULL, "ps2", "usb", "xen", "parallels", "virtio",
              "none");

static const char *const models[] = {NULL, "virtio", "virtio-transitional",
                                     "virtio-non-transitional"};
static const virEnum modelNames = {models, G_N_ELEMENTS(models)};
static const char *const grabs[] = {NULL, "all"};
static const virEnum grabNames = {grabs, G_N_ELEMENTS(grabs)};
static const char *const grabKeys[] = {NULL,        "ctrl-ctrl",  "alt-alt",        "shift-shift",
                                       "meta-meta", "scrolllock", "ctrl-scrolllock"};
static const virEnum grabKeysNames = {grabKeys, G_N_ELEMENTS(grabKeys)};

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virInput, type, virInputTypeNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown input device type '%s'"),
                   .missing = N_("missing input device type")),
    VIR_FIELD_ENUM("@bus", virInput, bus, virInputBusNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown input bus type '%s'")),
    VIR_FIELD_ENUM("@model", virInput, model, modelNames, .flags = VIR_FIELD_ABI,
                   .unknown = N_("unknown input model '%s'")),
    VIR_FIELD_MIXIN(virInput, virtio, virVirtioFields),
    VIR_FIELD_STRING("source@evdev", virInput, evdev),
    VIR_FIELD_STRING("source@dev", virInput, dev),
    VIR_FIELD_ENUM("source@grab", virInput, grab, grabNames),
    VIR_FIELD_ENUM("source@grabToggle", virInput, grabKeys, grabKeysNames),
    VIR_FIELD_ONOFF("source@repeat", virInput, repeat),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

virVirtioModel
virInputVirtioModel(const virInput *input)
{
    return input->model == 0 ? VIR_VIRTIO_MODEL_DEFAULT : (virVirtioModel)(input->model - 1);
}

const char *
virInputGrabKeys(const virInput *input)
{
    return virEnumToString(&grabKeysNames, input->grabKeys);
}

virDevice *
virInputNewPS2(virInputType type)
{
    virDevice *dev = virDeviceNew(&virInputKind);

    VIR_INPUT(dev)->type = type;
    VIR_INPUT(dev)->bus = VIR_INPUT_BUS_PS2;
    dev->implicit = true;
    return dev;
}

static virInputBus
virInputDefaultBus(const virInput *input)
{
    switch (input->type) {
    case VIR_INPUT_TYPE_MOUSE:
    case VIR_INPUT_TYPE_KEYBOARD:
        return VIR_INPUT_BUS_PS2;
    case VIR_INPUT_TYPE_PASSTHROUGH:
        return VIR_INPUT_BUS_VIRTIO;
    case VIR_INPUT_TYPE_EVDEV:
        return VIR_INPUT_BUS_DEFAULT;
    default:
        return VIR_INPUT_BUS_USB;
    }
}

static bool
virInputComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virInput *input = VIR_INPUT(dev);

    if (input->bus == VIR_INPUT_BUS_DEFAULT || input->bus == VIR_INPUT_BUS_NONE)
        input->bus = virInputDefaultBus(input);
    return true;
}

static bool
virInputCheckSource(const virInput *input, GError **error)
{
    if (input->type == VIR_INPUT_TYPE_EVDEV && !input->dev)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Missing evdev path for input device"));
    return true;
}

static bool
virInputCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virInput *input = VIR_INPUT(dev);

    if (input->bus == VIR_INPUT_BUS_PS2 && input->type != VIR_INPUT_TYPE_MOUSE &&
        input->type != VIR_INPUT_TYPE_KEYBOARD)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("ps2 bus does not support %s input device"),
                           virInputTypeToString(input->type));
    if (input->type == VIR_INPUT_TYPE_EVDEV && input->bus != VIR_INPUT_BUS_DEFAULT)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("input evdev doesn't support bus element"));
    if (input->type == VIR_INPUT_TYPE_PASSTHROUGH && input->bus != VIR_INPUT_BUS_VIRTIO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only bus 'virtio' is supported for 'passthrough' input devices"));
    if (input->model && input->bus != VIR_INPUT_BUS_VIRTIO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("only bus 'virtio' is supported for input model '%s'"),
                           virEnumToString(&modelNames, input->model));
    if (input->bus == VIR_INPUT_BUS_XEN || input->bus == VIR_INPUT_BUS_PARALLELS)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unsupported input bus %s"),
                           virInputBusToString(input->bus));
    if (input->bus == VIR_INPUT_BUS_USB && dev->info.address.type != VIR_ADDRESS_NONE &&
        dev->info.address.type != VIR_ADDRESS_USB)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Invalid address for a USB device"));
    if (input->bus != VIR_INPUT_BUS_VIRTIO && !virVirtioCheckUnused(&input->virtio, error))
        return false;
    return virInputCheckSource(input, error);
}

static unsigned
virInputPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    const virInput *input = VIR_INPUT(dev);

    if (input->bus != VIR_INPUT_BUS_VIRTIO)
        return 0;
    return virVirtioPCIConnect(facts, virInputVirtioModel(input));
}

static bool
virInputOnUSB(const virDevice *dev)
{
    return VIR_INPUT(dev)->bus == VIR_INPUT_BUS_USB;
}

/* Daemons of old know no PS/2 keyboard in a document; every machine has it. */
static bool
virInputHidden(const virDevice *dev, unsigned formatFlags)
{
    const virInput *input = VIR_INPUT(dev);

    return (formatFlags & VIR_FORMAT_MIGRATABLE) && input->type == VIR_INPUT_TYPE_KEYBOARD &&
           input->bus == VIR_INPUT_BUS_PS2;
}

const virDeviceKind virInputKind = {
    .element = "input",
    .noun = "input",
    .size = sizeof(virInput),
    .fields = fields,
    .complete = virInputComplete,
    .check = virInputCheck,
    .pciConnect = virInputPCIConnect,
    .onUSB = virInputOnUSB,
    .hidden = virInputHidden,
    .aliasPrefix = "input",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("matching input device not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
               N_("matching input device not found")},
};
