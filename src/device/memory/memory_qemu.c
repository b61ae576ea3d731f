/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory_qemu.c: <memory> below <devices> for QEMU: a back end that is the memory, and a module
 * that shows it to the guest. */
#include "device/memory/memory_qemu.h"

#include "device/common/virtio_qemu.h"
#include "device/memory/memory.h"
#include "util/virerror.h"

enum { QEMU_MEMORY_ALIGN_KIB = 2048 }; /* of modules; the main memory gets by with less */

static const struct {
    const char *driver;
    qmpCapsFlag flag;
} drivers[] = {
    [VIR_MEMORY_MODEL_DIMM] = {"pc-dimm", QMP_CAPS_PC_DIMM},
    [VIR_MEMORY_MODEL_NVDIMM] = {"nvdimm", QMP_CAPS_NVDIMM},
    [VIR_MEMORY_MODEL_VIRTIO_PMEM] = {"virtio-pmem", QMP_CAPS_VIRTIO_PMEM_PCI},
    [VIR_MEMORY_MODEL_VIRTIO_MEM] = {"virtio-mem", QMP_CAPS_VIRTIO_MEM_PCI},
    [VIR_MEMORY_MODEL_SGX_EPC] = {NULL, QMP_CAPS_LAST},
};
G_STATIC_ASSERT(G_N_ELEMENTS(drivers) == VIR_MEMORY_MODEL_LAST);

/* --- slots --- */

static bool
qemuMemorySlotInUse(const GPtrArray *devices, unsigned slot)
{
    virDevicesForEach(devices, &virMemoryKind, dev)
    {
        if (dev->info.address.type == VIR_ADDRESS_DIMM && dev->info.address.dimm.slot == slot)
            return true;
    }
    return false;
}

static bool
qemuMemoryComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                   unsigned parseFlags, GError **error)
{
    unsigned slot = 0;

    if (!virMemoryHasSlot(VIR_MEMORY(dev)) || dev->info.address.type != VIR_ADDRESS_NONE)
        return true;
    while (qemuMemorySlotInUse(facts->devices, slot))
        slot++;
    if (slot >= facts->memorySlots)
        return true; /* said by the check, with the count */
    dev->info.address.type = VIR_ADDRESS_DIMM;
    dev->info.address.dimm.slot = slot;
    return true;
}

static bool
qemuMemoryCheckAddress(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virAddress *address = &dev->info.address;

    if (address->type != VIR_ADDRESS_DIMM)
        return true;
    if (address->dimm.slot >= facts->memorySlots)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("memory device slot '%u' exceeds slots count '%u'"),
                           address->dimm.slot, facts->memorySlots);
    virDevicesForEach(facts->devices, &virMemoryKind, other)
    {
        if (other == dev || other->info.address.type != VIR_ADDRESS_DIMM)
            continue;
        if (other->info.address.dimm.slot == address->dimm.slot)
            return virErrorSet(
                error, VIR_ERR_CONFIG_UNSUPPORTED,
                _("memory device slot '%u' is already being used by another memory device"),
                address->dimm.slot);
        if (address->dimm.base && other->info.address.dimm.base == address->dimm.base)
            return virErrorSet(
                error, VIR_ERR_CONFIG_UNSUPPORTED,
                _("memory device base '0x%llx' is already being used by another memory device"),
                (unsigned long long)address->dimm.base);
    }
    return true;
}

/* All modules together. */
static bool
qemuMemoryCheckRoom(const virDomainFacts *facts, GError **error)
{
    uint64_t devices = virMemoryDevicesKiB(facts->devices);
    unsigned modules = 0;

    if (facts->memoryMaxKiB == 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("cannot use/hotplug a memory device when domain 'maxMemory' is not "
                             "defined"));
    virDevicesForEach(facts->devices, &virMemoryKind, dev)
    {
        modules += virMemoryHasSlot(VIR_MEMORY(dev));
    }
    if (modules > facts->memorySlots)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("memory device count '%u' exceeds slots count '%u'"), modules,
                           facts->memorySlots);
    if (facts->memoryKiB > facts->memoryMaxKiB || devices > facts->memoryMaxKiB)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("memory device total size exceeds hotplug space"));
    return true;
}

static bool
qemuMemoryCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                GError **error)
{
    const virMemory *memory = VIR_MEMORY(dev);
    const char *model = virMemoryModelToString(memory->model);

    if (!drivers[memory->model].driver)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("memory model '%s' is not supported yet"), model);
    if (!qmpCapsHas(caps, drivers[memory->model].flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           memory->model == VIR_MEMORY_MODEL_DIMM
                               ? _("memory hotplug isn't supported by this QEMU binary")
                               : _("%s isn't supported by this QEMU binary"),
                           model);
    if (memory->pmem && !qmpCapsHas(caps, QMP_CAPS_MEMORY_BACKEND_FILE_PMEM))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("nvdimm pmem property is not available with this QEMU binary"));
    if (memory->readonly && !qmpCapsHas(caps, QMP_CAPS_NVDIMM_UNARMED))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("nvdimm readonly property is not available with this QEMU binary"));
    if (memory->model != VIR_MEMORY_MODEL_VIRTIO_PMEM && !memory->node.set && facts->numaNodes)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("target NUMA node needs to be specified for memory device"));
    return qemuMemoryCheckRoom(facts, error) && qemuMemoryCheckAddress(dev, facts, error);
}

static void
qemuMemoryTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virMemory *memory = VIR_MEMORY(dev);

    if (memory->path) {
        virHostResource *file =
            virHostAccessAdd(out, dev, memory->path, VIR_HOST_READ | VIR_HOST_WRITE);

        file->node = true; /* a DAX device */
        file->own = true;
    }
}

/* --- building --- */

static uint64_t
qemuMemoryAligned(uint64_t kib)
{
    return (kib + QEMU_MEMORY_ALIGN_KIB - 1) / QEMU_MEMORY_ALIGN_KIB * QEMU_MEMORY_ALIGN_KIB;
}

static bool
qemuMemoryPlanBackend(const virMemory *memory, const char *id, const qemuBuildContext *ctx,
                      qmpPlan *plan, GError **error)
{
    g_autoptr(virBitmap) nodes = NULL;
    qemuMemoryBackend wanted = {
        .id = id,
        .alias = memory->base.info.alias,
        .sizeKiB = qemuMemoryAligned(memory->size.value),
        .node = memory->node.set ? (int)memory->node.value : -1,
        .access = memory->access,
        .discard = memory->discard,
        .pageKiB = memory->pageSize.value,
        .path = memory->path,
        .alignKiB = memory->alignSize.value,
        .pmem = memory->pmem || memory->model == VIR_MEMORY_MODEL_VIRTIO_PMEM,
        .sparse = memory->model == VIR_MEMORY_MODEL_VIRTIO_MEM,
    };
    virJSON *props;

    if (memory->nodemask && !(nodes = virBitmapParse(memory->nodemask, VIR_BITMAP_MAX, error)))
        return false;
    wanted.nodemask = nodes;
    if (!(props = ctx->memoryBackend(&wanted, ctx, error)))
        return false;
    qmpPlanObject(plan, props);
    return true;
}

static virJSON *
qemuMemoryProps(const virMemory *memory, const qemuBuildContext *ctx, GError **error)
{
    virJSON *props;

    if (!virMemoryHasSlot(memory))
        return qemuVirtioProps(&memory->base, drivers[memory->model].driver,
                               VIR_VIRTIO_MODEL_DEFAULT, NULL, ctx, error);
    props = virJSONObject();
    virJSONAddString(props, "driver", drivers[memory->model].driver);
    return props;
}

static bool
qemuMemoryBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virMemory *memory = VIR_MEMORY(dev);
    g_autofree char *backend = g_strdup_printf("mem%s", dev->info.alias);
    g_autoptr(virJSON) props = qemuMemoryProps(memory, ctx, error);

    if (!props)
        return false;
    if (memory->node.set)
        virJSONAddUInt(props, "node", memory->node.value);
    virJSONAddPositive(props, "label-size", memory->labelSize.value * 1024);
    virJSONAddPositive(props, "block-size", memory->block.value * 1024);
    if (memory->model == VIR_MEMORY_MODEL_VIRTIO_MEM)
        virJSONAddUInt(props, "requested-size", memory->requested.value * 1024);
    virJSONAddTrue(props, "unarmed", memory->readonly);
    virJSONAddString(props, "memdev", backend);
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error) ||
        !qemuMemoryPlanBackend(memory, backend, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

/* --- a running guest --- */

/* How much of a growing module the guest has taken. */
static void
qemuMemoryLearn(virDevice *dev, const char *command, virJSON *reply)
{
    virMemory *memory = VIR_MEMORY(dev);

    if (!g_str_equal(command, "query-memory-devices") ||
        memory->model != VIR_MEMORY_MODEL_VIRTIO_MEM)
        return;
    for (size_t i = 0; i < virJSONLength(reply); i++) {
        virJSON *data = virJSONGetObject(virJSONAt(reply, i), "data");
        uint64_t size;

        if (data && g_strcmp0(virJSONGetString(data, "id"), dev->info.alias) == 0 &&
            virJSONGetUInt(data, "size", &size))
            memory->current = virOptUIntOf(size / 1024);
    }
}

static virJSON *
qemuMemoryRequestArguments(const virDevice *dev, uint64_t kib)
{
    virJSON *args = virJSONObject();

    virJSONAddStringF(args, "path", "/machine/peripheral/%s", dev->info.alias);
    virJSONAddString(args, "property", "requested-size");
    virJSONAddUInt(args, "value", kib * 1024);
    return args;
}

static bool
qemuMemoryCannot(const char *what, virOptUInt from, virOptUInt to, GError **error)
{
    return from.value == to.value ||
           virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("cannot modify memory %s from '%llu' to '%llu'"), what,
                       (unsigned long long)from.value, (unsigned long long)to.value);
}

/* Only what a virtio-mem device is asked to be. */
static bool
qemuMemoryUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                 qmpPlan *plan, GError **error)
{
    const virMemory *is = VIR_MEMORY(dev);
    const virMemory *new = VIR_MEMORY(wanted);

    if (is->model != VIR_MEMORY_MODEL_VIRTIO_MEM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("cannot modify memory of model '%s'"),
                           virMemoryModelToString(is->model));
    if (!qemuMemoryCannot("size", is->size, new->size, error) ||
        !qemuMemoryCannot("pagesize", is->pageSize, new->pageSize, error) ||
        !qemuMemoryCannot("target node", is->node, new->node, error) ||
        !qemuMemoryCannot("block size", is->block, new->block, error))
        return false;
    if (is->requested.value != new->requested.value)
        qmpPlanCommand(plan, "qom-set", qemuMemoryRequestArguments(dev, new->requested.value),
                       "qom-set", qemuMemoryRequestArguments(dev, is->requested.value));
    return true;
}

const virDeviceQemu virMemoryQemu = {
    .kind = &virMemoryKind,
    .stage = QEMU_BOOT_STAGE_MEMORY,
    .complete = qemuMemoryComplete,
    .check = qemuMemoryCheck,
    .touches = qemuMemoryTouches,
    .build = qemuMemoryBuild,
    .learn = qemuMemoryLearn,
    .update = qemuMemoryUpdate,
};
