/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * crypto.c: <crypto> as a document. */
#include "device/crypto/crypto.h"

VIR_ENUM_DECL(virCryptoModel);
VIR_ENUM_IMPL(virCryptoModel, VIR_CRYPTO_MODEL_LAST, NULL, "virtio");
VIR_ENUM_DECL(virCryptoType);
VIR_ENUM_IMPL(virCryptoType, VIR_CRYPTO_TYPE_LAST, NULL, "qemu");
VIR_ENUM_IMPL(virCryptoBackend, VIR_CRYPTO_BACKEND_LAST, NULL, "builtin", "lkcf");

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virCrypto, model, virCryptoModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("@type", virCrypto, type, virCryptoTypeNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("backend@model", virCrypto, backend, virCryptoBackendNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_UINT("backend@queues", virCrypto, queues, 1, UINT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_MIXIN(virCrypto, virtio, virVirtioFields),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virCryptoComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virCrypto *crypto = VIR_CRYPTO(dev);

    if (crypto->backend == VIR_CRYPTO_BACKEND_NONE)
        crypto->backend = VIR_CRYPTO_BACKEND_BUILTIN;
    return true;
}

static unsigned
virCryptoPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    return virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_DEFAULT);
}

const virDeviceKind virCryptoKind = {
    .element = "crypto",
    .noun = "crypto",
    .size = sizeof(virCrypto),
    .fields = fields,
    .complete = virCryptoComplete,
    .pciConnect = virCryptoPCIConnect,
    .aliasPrefix = "crypto",
};
