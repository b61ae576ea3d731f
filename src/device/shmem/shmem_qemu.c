/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shmem_qemu.c: <shmem> for QEMU: three devices that differ in where the memory comes from. */
#include "device/shmem/shmem_qemu.h"

#include <inttypes.h>

#include "device/shmem/shmem.h"
#include "util/virerror.h"

enum { QEMU_SHMEM_MIB = 1024 * 1024, QEMU_SHMEM_DEFAULT = 4 * QEMU_SHMEM_MIB };

static const qmpCapsFlag modelFlags[] = {
    [VIR_SHMEM_MODEL_IVSHMEM] = QMP_CAPS_IVSHMEM,
    [VIR_SHMEM_MODEL_PLAIN] = QMP_CAPS_IVSHMEM_PLAIN,
    [VIR_SHMEM_MODEL_DOORBELL] = QMP_CAPS_IVSHMEM_DOORBELL,
};
G_STATIC_ASSERT(G_N_ELEMENTS(modelFlags) == VIR_SHMEM_MODEL_LAST);

static bool
qemuShmemComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  unsigned parseFlags, GError **error)
{
    virShmem *shmem = VIR_SHMEM(dev);

    if (shmem->model != VIR_SHMEM_MODEL_DOORBELL && shmem->size == 0)
        shmem->size = QEMU_SHMEM_DEFAULT;
    if (shmem->model == VIR_SHMEM_MODEL_DOORBELL && shmem->server) {
        shmem->msi = true;
        if (shmem->ioeventfd == VIR_TRISTATE_ABSENT)
            shmem->ioeventfd = VIR_TRISTATE_YES;
    }
    return true;
}

static bool
qemuShmemCheckNew(const virShmem *shmem, GError **error)
{
    const char *model = virShmemModelToString(shmem->model);

    if (!shmem->server && shmem->model == VIR_SHMEM_MODEL_DOORBELL)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("shmem model '%s' is supported only with server option enabled"),
                           model);
    if (!shmem->server && shmem->msi)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("shmem model '%s' doesn't support msi"), model);
    if (shmem->server && shmem->model == VIR_SHMEM_MODEL_PLAIN)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("shmem model '%s' is supported only with server option disabled"),
                           model);
    if (shmem->server && shmem->size)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("shmem model '%s' does not support size setting"), model);
    return true;
}

static bool
qemuShmemCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    const virShmem *shmem = VIR_SHMEM(dev);

    if (!qmpCapsHas(caps, modelFlags[shmem->model]))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%s device is not supported with this QEMU binary"),
                           virShmemModelToString(shmem->model));
    return shmem->model == VIR_SHMEM_MODEL_IVSHMEM || qemuShmemCheckNew(shmem, error);
}

static bool
qemuShmemCheckStart(const virShmem *shmem, GError **error)
{
    if (shmem->size & (shmem->size - 1))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("shmem size must be a power of two"));
    if (shmem->size && shmem->size < QEMU_SHMEM_MIB)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("shmem size must be at least 1 MiB (1024 KiB)"));
    if (shmem->base.info.address.type != VIR_ADDRESS_PCI)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only 'pci' addresses are supported for the shared memory device"));
    return true;
}

static void
qemuShmemTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virShmem *shmem = VIR_SHMEM(dev);

    if (!shmem->server) {
        g_autofree char *path = g_strdup_printf("/dev/shm/%s", shmem->name);

        virHostAccessAdd(out, dev, path, VIR_HOST_READ | VIR_HOST_WRITE)->optional = true;
    }
}

/* --- building --- */

static void
qemuShmemPlanServer(const virShmem *shmem, qmpPlan *plan)
{
    virJSON *socket = virJSONObject();

    virJSONAddString(socket, "backend", "socket");
    virJSONAddStringF(socket, "id", "char%s", shmem->base.info.alias);
    if (shmem->serverPath)
        virJSONAddString(socket, "path", shmem->serverPath);
    else /* where ivshmem-server is known to listen */
        virJSONAddStringF(socket, "path", "/var/lib/libvirt/shmem-%s-sock", shmem->name);
    qmpPlanChardev(plan, socket);
}

static void
qemuShmemPlanMemory(const virShmem *shmem, qmpPlan *plan)
{
    virJSON *memory = virJSONObject();

    virJSONAddString(memory, "qom-type", "memory-backend-file");
    virJSONAddStringF(memory, "id", "shmmem-%s", shmem->base.info.alias);
    virJSONAddStringF(memory, "mem-path", "/dev/shm/%s", shmem->name);
    virJSONAddUInt(memory, "size", shmem->size);
    virJSONAddBool(memory, "share", true);
    qmpPlanObject(plan, memory);
}

static void
qemuShmemPropsOld(const virShmem *shmem, virJSON *props)
{
    if (shmem->size)
        virJSONAddStringF(props, "size", "%" PRIu64 "m", shmem->size / QEMU_SHMEM_MIB);
    if (!shmem->server) {
        virJSONAddString(props, "shm", shmem->name);
        return;
    }
    virJSONAddStringF(props, "chardev", "char%s", shmem->base.info.alias);
    if (shmem->msi) {
        virJSONAddBool(props, "msi", true);
        virJSONAddPositive(props, "vectors", shmem->vectors.value);
        virJSONAddTristate(props, "ioeventfd", shmem->ioeventfd);
    }
}

static void
qemuShmemPropsNew(const virShmem *shmem, virJSON *props)
{
    const char *alias = shmem->base.info.alias;

    if (shmem->model == VIR_SHMEM_MODEL_PLAIN)
        virJSONAddStringF(props, "memdev", "shmmem-%s", alias);
    else
        virJSONAddStringF(props, "chardev", "char%s", alias);
    if (shmem->role)
        virJSONAddString(props, "master", shmem->role == 1 ? "on" : "off");
    virJSONAddPositive(props, "vectors", shmem->vectors.value);
    virJSONAddTristate(props, "ioeventfd", shmem->ioeventfd);
}

static bool
qemuShmemBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virShmem *shmem = VIR_SHMEM(dev);
    bool old = shmem->model == VIR_SHMEM_MODEL_IVSHMEM;
    g_autoptr(virJSON) props = virJSONObject();

    if (!qemuShmemCheckStart(shmem, error))
        return false;
    virJSONAddString(props, "driver", virShmemModelToString(shmem->model));
    virJSONAddString(props, "id", dev->info.alias);
    if (old)
        qemuShmemPropsOld(shmem, props);
    else
        qemuShmemPropsNew(shmem, props);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    if (shmem->model == VIR_SHMEM_MODEL_PLAIN)
        qemuShmemPlanMemory(shmem, plan);
    if (shmem->server && !old)
        qemuShmemPlanServer(shmem, plan);
    qmpPlanDevice(plan, g_steal_pointer(&props));
    if (shmem->server && old)
        qemuShmemPlanServer(shmem, plan);
    return true;
}

static bool
qemuShmemHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    if (VIR_SHMEM(dev)->model != VIR_SHMEM_MODEL_IVSHMEM)
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("live attach of shmem model '%s' is not supported"),
                       virShmemModelToString(VIR_SHMEM(dev)->model));
}

const virDeviceQemu virShmemQemu = {
    .kind = &virShmemKind,
    .stage = QEMU_BOOT_STAGE_LAST,
    .complete = qemuShmemComplete,
    .check = qemuShmemCheck,
    .touches = qemuShmemTouches,
    .build = qemuShmemBuild,
    .hotpluggable = qemuShmemHotpluggable,
};
