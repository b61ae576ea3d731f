/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * input_qemu.c: <input> for QEMU. PS/2 devices are part of the machine: nothing is said of them. */
#include "device/input/input_qemu.h"

#include "device/common/virtio_qemu.h"
#include "device/input/input.h"
#include "util/virerror.h"

/* What a type is called on the buses where QEMU has it. */
static const struct {
    const char *usb;
    const char *other; /* virtio device, or object */
    qmpCapsFlag flag;  /* of other */
} drivers[] = {
    [VIR_INPUT_TYPE_MOUSE] = {"usb-mouse", "virtio-mouse", QMP_CAPS_VIRTIO_MOUSE},
    [VIR_INPUT_TYPE_TABLET] = {"usb-tablet", "virtio-tablet", QMP_CAPS_VIRTIO_TABLET},
    [VIR_INPUT_TYPE_KEYBOARD] = {"usb-kbd", "virtio-keyboard", QMP_CAPS_VIRTIO_KEYBOARD},
    [VIR_INPUT_TYPE_PASSTHROUGH] = {NULL, "virtio-input-host", QMP_CAPS_VIRTIO_INPUT_HOST},
    [VIR_INPUT_TYPE_EVDEV] = {NULL, "input-linux", QMP_CAPS_INPUT_LINUX},
};
G_STATIC_ASSERT(G_N_ELEMENTS(drivers) == VIR_INPUT_TYPE_LAST);

static bool
qemuInputCheckVirtio(const virInput *input, const qmpCaps *caps, GError **error)
{
    if (virInputVirtioModel(input) != VIR_VIRTIO_MODEL_DEFAULT &&
        input->type != VIR_INPUT_TYPE_PASSTHROUGH)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            _("virtio (non-)transitional models are not supported for input type=%s"),
            virInputTypeToString(input->type));
    return qemuVirtioCheck(&input->virtio, caps, error);
}

static bool
qemuInputCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    const virInput *input = VIR_INPUT(dev);

    if (input->type != VIR_INPUT_TYPE_PASSTHROUGH && input->evdev)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("setting source evdev path only supported for passthrough input devices"));
    if (input->type == VIR_INPUT_TYPE_PASSTHROUGH && !input->evdev)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("passthrough input device has no source"));
    if (input->type == VIR_INPUT_TYPE_KEYBOARD && input->bus == VIR_INPUT_BUS_USB &&
        !qmpCapsHas(caps, QMP_CAPS_USB_KBD))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("usb keyboard is not supported by this QEMU binary"));
    if (input->bus == VIR_INPUT_BUS_USB && !drivers[input->type].usb)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("usb bus does not support %s input device"),
                           virInputTypeToString(input->type));
    if (input->bus != VIR_INPUT_BUS_VIRTIO && input->type != VIR_INPUT_TYPE_EVDEV)
        return true;
    if (!qmpCapsHas(caps, drivers[input->type].flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%s is not supported by this QEMU binary"),
                           drivers[input->type].other);
    return input->bus != VIR_INPUT_BUS_VIRTIO || qemuInputCheckVirtio(input, caps, error);
}

static void
qemuInputTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virInput *input = VIR_INPUT(dev);
    const char *path = input->evdev ? input->evdev : input->dev;

    if (path) {
        virHostResource *node = virHostAccessAdd(out, dev, path, VIR_HOST_READ | VIR_HOST_WRITE);

        node->node = true;
        node->own = true;
    }
}

static void
qemuInputBuildEvdev(const virInput *input, qmpPlan *plan)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "qom-type", drivers[input->type].other);
    virJSONAddString(props, "id", input->base.info.alias);
    virJSONAddString(props, "evdev", input->dev);
    virJSONAddTristate(props, "repeat", input->repeat);
    virJSONAddTrue(props, "grab_all", input->grab != 0);
    virJSONAddString(props, "grab-toggle", virInputGrabKeys(input));
    qmpPlanObject(plan, props);
}

static virJSON *
qemuInputProps(const virInput *input, const qemuBuildContext *ctx, GError **error)
{
    virJSON *props;

    if (input->bus == VIR_INPUT_BUS_VIRTIO)
        return qemuVirtioProps(&input->base, drivers[input->type].other, virInputVirtioModel(input),
                               &input->virtio, ctx, error);
    props = virJSONObject();
    virJSONAddString(props, "driver", drivers[input->type].usb);
    return props;
}

static bool
qemuInputBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virInput *input = VIR_INPUT(dev);
    g_autoptr(virJSON) props = NULL;

    if (input->type == VIR_INPUT_TYPE_EVDEV) {
        qemuInputBuildEvdev(input, plan);
        return true;
    }
    if (input->bus == VIR_INPUT_BUS_PS2)
        return true;
    if (!(props = qemuInputProps(input, ctx, error)))
        return false;
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddString(props, "evdev", input->evdev);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static bool
qemuInputHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    const virInput *input = VIR_INPUT(dev);

    if (input->bus == VIR_INPUT_BUS_USB || input->bus == VIR_INPUT_BUS_VIRTIO)
        return true;
    if (ctx->unplug)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("input device on bus '%s' cannot be detached"),
                           input->bus ? virInputBusToString(input->bus) : "none");
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("input device on bus '%s' cannot be hot plugged."),
                       input->bus ? virInputBusToString(input->bus) : "none");
}

static bool
qemuInputHas(const virDomainFacts *facts, virInputType type, virInputBus bus)
{
    virDevicesForEach(facts->devices, &virInputKind, dev)
    {
        if (VIR_INPUT(dev)->type == (int)type && VIR_INPUT(dev)->bus == (int)bus)
            return true;
    }
    return false;
}

/* Every PC has a keyboard controller with a mouse port. */
static void
qemuInputImplicit(const virDomainFacts *facts, const qmpCaps *caps,
                  void (*add)(virDevice *dev, void *opaque), void *opaque)
{
    static const virInputType types[] = {VIR_INPUT_TYPE_MOUSE, VIR_INPUT_TYPE_KEYBOARD};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (!qemuInputHas(facts, types[i], VIR_INPUT_BUS_PS2))
            add(virInputNewPS2(types[i]), opaque);
    }
}

const virDeviceQemu virInputQemu = {
    .kind = &virInputKind,
    .implicit = qemuInputImplicit,
    .check = qemuInputCheck,
    .touches = qemuInputTouches,
    .build = qemuInputBuild,
    .hotpluggable = qemuInputHotpluggable,
};
