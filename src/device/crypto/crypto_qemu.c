/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * crypto_qemu.c: <crypto> for QEMU: an object that ciphers and the device in front. Both are older
 * than any QEMU that we take, so no capability is asked for. */
#include "device/crypto/crypto_qemu.h"

#include "device/common/virtio_qemu.h"
#include "device/crypto/crypto.h"

static bool
qemuCryptoCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                GError **error)
{
    return qemuVirtioCheck(&VIR_CRYPTO(dev)->virtio, caps, error);
}

static bool
qemuCryptoBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virCrypto *crypto = VIR_CRYPTO(dev);
    g_autofree char *backend = g_strdup_printf("obj%s", dev->info.alias);
    g_autoptr(virJSON) props = qemuVirtioProps(dev, "virtio-crypto", VIR_VIRTIO_MODEL_DEFAULT,
                                               &crypto->virtio, ctx, error);
    virJSON *object;

    if (!props)
        return false;
    virJSONAddString(props, "cryptodev", backend);
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    object = virJSONObject();
    virJSONAddStringF(object, "qom-type", "cryptodev-backend-%s",
                      virCryptoBackendToString(crypto->backend));
    virJSONAddString(object, "id", backend);
    if (crypto->queues.set)
        virJSONAddUInt(object, "queues", crypto->queues.value);
    qmpPlanObject(plan, object);
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virCryptoQemu = {
    .kind = &virCryptoKind,
    .stage = QEMU_BOOT_STAGE_LATE,
    .check = qemuCryptoCheck,
    .build = qemuCryptoBuild,
};
