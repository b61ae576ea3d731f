/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * device_qemu.c: the list of host resources, and properties that all front ends share. */
#include "device/device_qemu.h"

#include "util/virerror.h"

static void
virHostResourceFree(void *opaque)
{
    virHostResource *resource = opaque;

    g_free(resource->path);
    g_free(resource->alias);
    g_free(resource);
}

virHostAccess *
virHostAccessNew(void)
{
    virHostAccess *access = g_new0(virHostAccess, 1);

    access->resources = g_ptr_array_new_with_free_func(virHostResourceFree);
    return access;
}

void
virHostAccessFree(virHostAccess *access)
{
    if (!access)
        return;
    g_ptr_array_unref(access->resources);
    g_free(access);
}

virHostResource *
virHostAccessAdd(virHostAccess *access, const virDevice *dev, const char *path, unsigned mode)
{
    virHostResource *resource = g_new0(virHostResource, 1);

    resource->path = g_strdup(path);
    resource->mode = mode;
    resource->alias = g_strdup(dev ? dev->info.alias : NULL);
    g_ptr_array_add(access->resources, resource);
    return resource;
}

const virDeviceQemu *
virDeviceQemuOf(const virDevice *dev)
{
    for (const virDeviceQemu *const *qemu = virDeviceQemus; *qemu; qemu++) {
        if ((*qemu)->kind == dev->kind)
            return *qemu;
    }
    return NULL;
}

static virBootsAs
qemuBootsAs(const virDevice *dev)
{
    return dev->kind->bootsAs ? dev->kind->bootsAs(dev) : VIR_BOOTS_NONE;
}

/* The first of its sort; firmware is told of no other. */
static bool
qemuBootIsFirst(const virDevice *dev, const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        const virDevice *other = g_ptr_array_index(devices, i);

        if (qemuBootsAs(other) == qemuBootsAs(dev))
            return other == dev;
    }
    return false;
}

virOptUInt
qemuBootIndex(const virDevice *dev, const qemuBuildContext *ctx)
{
    const virBootsAs *boots = ctx->facts->boots;

    if (dev->info.bootIndex.set || ctx->hotplug || qemuBootsAs(dev) == VIR_BOOTS_NONE ||
        !qemuBootIsFirst(dev, ctx->facts->devices))
        return dev->info.bootIndex;
    for (unsigned i = 0; i < VIR_BOOTS_LAST && boots[i] != VIR_BOOTS_NONE; i++) {
        if (boots[i] == qemuBootsAs(dev))
            return virOptUIntOf(i + 1);
    }
    return dev->info.bootIndex;
}

void
qemuBootIndexProps(const virDevice *dev, const qemuBuildContext *ctx, virJSON *props)
{
    virOptUInt index = qemuBootIndex(dev, ctx);

    if (index.set)
        virJSONAddUInt(props, "bootindex", index.value);
}

void
qemuRomProps(const virDevice *dev, virJSON *props)
{
    if (dev->info.romEnabled == VIR_TRISTATE_NO) {
        virJSONAddString(props, "romfile", "");
        return;
    }
    if (dev->info.romBar != VIR_TRISTATE_ABSENT)
        virJSONAddUInt(props, "rombar", dev->info.romBar == VIR_TRISTATE_YES ? 1 : 0);
    virJSONAddString(props, "romfile", dev->info.romFile);
}

bool
qemuDeviceNeverHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("live attach of device '%s' is not supported"), dev->kind->noun);
}

static bool
qemuDevicesClaimKind(const GPtrArray *devices, const virDeviceQemu *qemu,
                     const qemuBuildContext *ctx, const qemuClaims *claims, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        guint at = qemu->claimLastFirst ? devices->len - 1 - i : i;
        virDevice *dev = g_ptr_array_index(devices, at);

        if (dev->kind == qemu->kind && !qemu->claim(dev, ctx, claims, error))
            return false;
    }
    return true;
}

bool
qemuDevicesClaim(const GPtrArray *devices, const qemuBuildContext *ctx, const qemuClaims *claims,
                 GError **error)
{
    for (const virDeviceQemu *const *qemu = virDeviceQemus; *qemu; qemu++) {
        if ((*qemu)->claim && !qemuDevicesClaimKind(devices, *qemu, ctx, claims, error))
            return false;
    }
    return true;
}

bool
qemuDevicesDiscover(GPtrArray *devices, const qemuBuildContext *ctx, const qemuClaims *claims,
                    GError **error)
{
    for (guint i = devices->len; i-- > 0;) {
        virDevice *dev = g_ptr_array_index(devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);
        qemuFinding finding =
            qemu && qemu->discover ? qemu->discover(dev, ctx, claims, error) : QEMU_FOUND;

        if (finding == QEMU_FOUND_ERROR)
            return false;
        if (finding == QEMU_FOUND_NOT)
            g_ptr_array_remove_index(devices, i);
    }
    return true;
}
