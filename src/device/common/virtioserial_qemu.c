/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtioserial_qemu.c: see virtioserial_qemu.h. */
#include "device/common/virtioserial_qemu.h"

#include "util/virerror.h"

virJSON *
qemuVirtioSerialPortProps(const virDevice *dev, const char *driver, const char *chardev,
                          const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();
    virAddressType type = dev->info.address.type;

    if (type != VIR_ADDRESS_NONE && type != VIR_ADDRESS_VIRTIO_SERIAL) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                    _("virtio serial device has invalid address type"));
        return NULL;
    }
    virJSONAddString(props, "driver", driver);
    if (!qemuAddressProps(dev, ctx, props, error))
        return NULL;
    virJSONAddString(props, "chardev", chardev);
    virJSONAddString(props, "id", dev->info.alias);
    return g_steal_pointer(&props);
}
