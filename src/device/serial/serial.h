/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serial.h: <serial>: serial ports. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

/* The names are libvirt's; those of other architectures are read so that they can be refused. */
typedef enum {
    VIR_SERIAL_TARGET_NONE = 0,
    VIR_SERIAL_TARGET_ISA,
    VIR_SERIAL_TARGET_USB,
    VIR_SERIAL_TARGET_PCI,
    VIR_SERIAL_TARGET_SPAPR_VIO,
    VIR_SERIAL_TARGET_SYSTEM,
    VIR_SERIAL_TARGET_SCLP,
    VIR_SERIAL_TARGET_ISA_DEBUG,
    VIR_SERIAL_TARGET_LAST
} virSerialTarget;
VIR_ENUM_DECL(virSerialTarget);

typedef enum {
    VIR_SERIAL_MODEL_NONE = 0,
    VIR_SERIAL_MODEL_ISA_SERIAL,
    VIR_SERIAL_MODEL_USB_SERIAL,
    VIR_SERIAL_MODEL_PCI_SERIAL,
    VIR_SERIAL_MODEL_SPAPR_VTY,
    VIR_SERIAL_MODEL_PL011,
    VIR_SERIAL_MODEL_SCLPCONSOLE,
    VIR_SERIAL_MODEL_SCLPLMCONSOLE,
    VIR_SERIAL_MODEL_16550A,
    VIR_SERIAL_MODEL_ISA_DEBUGCON,
    VIR_SERIAL_MODEL_LAST
} virSerialModel;
VIR_ENUM_DECL(virSerialModel);

typedef struct {
    virDevice base;
    virChrSource source;
    int target; /* virSerialTarget */
    int model;  /* virSerialModel */
    virOptUInt port;
} virSerial;

#define VIR_SERIAL(dev) ((virSerial *)(dev))
extern const virDeviceKind virSerialKind;
