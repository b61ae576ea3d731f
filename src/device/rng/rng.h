/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rng.h: <rng>: random numbers for the guest. */
#pragma once

#include "device/common/chrsource.h"
#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_RNG_MODEL_NONE = 0,
    VIR_RNG_MODEL_VIRTIO,
    VIR_RNG_MODEL_VIRTIO_TRANSITIONAL,
    VIR_RNG_MODEL_VIRTIO_NON_TRANSITIONAL,
    VIR_RNG_MODEL_LAST
} virRngModel;
VIR_ENUM_DECL(virRngModel);

typedef enum {
    VIR_RNG_BACKEND_RANDOM = 0,
    VIR_RNG_BACKEND_EGD,
    VIR_RNG_BACKEND_BUILTIN,
    VIR_RNG_BACKEND_LAST
} virRngBackend;
VIR_ENUM_DECL(virRngBackend);

typedef struct {
    virDevice base;
    int model; /* virRngModel */
    virOptUInt rateBytes, ratePeriod;
    int backend;         /* virRngBackend */
    char *path;          /* RANDOM */
    virChrSource source; /* EGD */
    virVirtioOptions virtio;
} virRng;

#define VIR_RNG(dev) ((virRng *)(dev))
extern const virDeviceKind virRngKind;

virVirtioModel virRngVariant(const virRng *rng);
