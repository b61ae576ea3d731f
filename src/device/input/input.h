/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * input.h: <input>: mouse, tablet, keyboard, and input devices of the host. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_INPUT_TYPE_NONE = 0,
    VIR_INPUT_TYPE_MOUSE,
    VIR_INPUT_TYPE_TABLET,
    VIR_INPUT_TYPE_KEYBOARD,
    VIR_INPUT_TYPE_PASSTHROUGH, /* a host device as a virtio device */
    VIR_INPUT_TYPE_EVDEV,       /* a host device that feeds the guest's mouse or keyboard */
    VIR_INPUT_TYPE_LAST
} virInputType;
VIR_ENUM_DECL(virInputType);

typedef enum {
    VIR_INPUT_BUS_DEFAULT = 0, /* evdev has none */
    VIR_INPUT_BUS_PS2,
    VIR_INPUT_BUS_USB,
    VIR_INPUT_BUS_XEN,
    VIR_INPUT_BUS_PARALLELS,
    VIR_INPUT_BUS_VIRTIO,
    VIR_INPUT_BUS_NONE,
    VIR_INPUT_BUS_LAST
} virInputBus;
VIR_ENUM_DECL(virInputBus);

typedef struct {
    virDevice base;
    int type;     /* virInputType */
    int bus;      /* virInputBus */
    int model;    /* virVirtioModel + 1; 0: not given */
    char *evdev;  /* source of passthrough */
    char *dev;    /* source of evdev */
    int grab;     /* 0 default, 1 all */
    int grabKeys; /* names in input.c; 0 default */
    virTristate repeat;
    virVirtioOptions virtio;
} virInput;

#define VIR_INPUT(dev) ((virInput *)(dev))
extern const virDeviceKind virInputKind;

/* A mouse or keyboard on the PS/2 bus that every x86 machine has: domain/ adds these by itself to
 * a guest with graphics. Caller owns. */
virDevice *virInputNewPS2(virInputType type);
/* What virtio calls the model. */
virVirtioModel virInputVirtioModel(const virInput *input);
/* "ctrl-ctrl" and so on; NULL for the default. */
const char *virInputGrabKeys(const virInput *input);
