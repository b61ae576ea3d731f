/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * crypto.h: <crypto>: an accelerator of ciphers for the guest. */
#pragma once

#include "device/common/virtio.h"
#include "device/device.h"

typedef enum {
    VIR_CRYPTO_MODEL_NONE = 0,
    VIR_CRYPTO_MODEL_VIRTIO,
    VIR_CRYPTO_MODEL_LAST
} virCryptoModel;

typedef enum {
    VIR_CRYPTO_TYPE_NONE = 0,
    VIR_CRYPTO_TYPE_QEMU, /* served by QEMU itself */
    VIR_CRYPTO_TYPE_LAST
} virCryptoType;

typedef enum {
    VIR_CRYPTO_BACKEND_NONE = 0,
    VIR_CRYPTO_BACKEND_BUILTIN, /* QEMU's cipher library */
    VIR_CRYPTO_BACKEND_LKCF,    /* the host kernel's keyring: QEMU 7.2, if built with it */
    VIR_CRYPTO_BACKEND_LAST
} virCryptoBackend;
VIR_ENUM_DECL(virCryptoBackend);

typedef struct {
    virDevice base;
    int model;   /* virCryptoModel */
    int type;    /* virCryptoType */
    int backend; /* virCryptoBackend */
    virOptUInt queues;
    virVirtioOptions virtio;
} virCrypto;

#define VIR_CRYPTO(dev) ((virCrypto *)(dev))
extern const virDeviceKind virCryptoKind;
