/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memory.c: <memory> below <devices> as a document. */
#include "device/memory/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "device/common/virtio.h"
#include "util/virbitmap.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virMemoryModel, VIR_MEMORY_MODEL_LAST, NULL, "dimm", "nvdimm", "virtio-pmem",
              "virtio-mem", "sgx-epc");

static const char *const accesses[] = {NULL, "shared", "private"};
static const virEnum accessNames = {accesses, G_N_ELEMENTS(accesses)};

enum {
    VIR_MEMORY_LABEL_MIN_KIB = 128,
    VIR_MEMORY_BLOCK_KIB = 2048, /* a huge page of the host */
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virMemory, model, virMemoryModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("@access", virMemory, access, accessNames),
    VIR_FIELD_YESNO("@discard", virMemory, discard),
    VIR_FIELD_STRING("uuid", virMemory, uuid, .flags = VIR_FIELD_ABI),
    VIR_FIELD_STRING("source/nodemask", virMemory, nodemask),
    VIR_FIELD_KIB("source/pagesize", virMemory, pageSize),
    VIR_FIELD_STRING("source/path", virMemory, path),
    VIR_FIELD_KIB("source/alignsize", virMemory, alignSize, .flags = VIR_FIELD_ABI),
    VIR_FIELD_PRESENT("source/pmem", virMemory, pmem, .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("target/size", virMemory, size, .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_UINT("target/node", virMemory, node, 0, INT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("target/label/size", virMemory, labelSize, .flags = VIR_FIELD_ABI),
    VIR_FIELD_PRESENT("target/readonly", virMemory, readonly, .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("target/block", virMemory, block, .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("target/requested", virMemory, requested, .flags = VIR_FIELD_ABI),
    VIR_FIELD_KIB("target/current", virMemory, current, .flags = VIR_FIELD_LIVE),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

uint64_t
virMemoryDevicesKiB(const GPtrArray *devices)
{
    uint64_t sum = 0;

    virDevicesForEach(devices, &virMemoryKind, dev)
    {
        sum += VIR_MEMORY(dev)->size.value;
    }
    return sum;
}

bool
virMemoryHasModel(const GPtrArray *devices, virMemoryModel model)
{
    virDevicesForEach(devices, &virMemoryKind, dev)
    {
        if (VIR_MEMORY(dev)->model == (int)model)
            return true;
    }
    return false;
}

bool
virMemoryHasSlot(const virMemory *memory)
{
    return memory->model == VIR_MEMORY_MODEL_DIMM || memory->model == VIR_MEMORY_MODEL_NVDIMM;
}

static bool
virMemoryParseNodemask(virMemory *memory, GError **error)
{
    g_autoptr(virBitmap) nodes = NULL;

    if (!memory->nodemask)
        return true;
    if (!(nodes = virBitmapParse(memory->nodemask, VIR_BITMAP_MAX, error)))
        return false;
    if (virBitmapIsEmpty(nodes))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid value of 'nodemask': %s"),
                           memory->nodemask);
    g_free(memory->nodemask);
    memory->nodemask = virBitmapFormat(nodes);
    return true;
}

static bool
virMemoryParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virMemory *memory = VIR_MEMORY(dev);

    if (!virXMLFirstChild(node, "target"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing <target> element for <memory> device"));
    if (memory->labelSize.set && memory->labelSize.value < VIR_MEMORY_LABEL_MIN_KIB)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("nvdimm label must be at least 128KiB"));
    if (memory->labelSize.set && memory->labelSize.value >= memory->size.value)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("label size must be smaller than NVDIMM size"));
    return virMemoryParseNodemask(memory, error);
}

/* What is none of the model's own is dropped. */
static bool
virMemoryComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virMemory *memory = VIR_MEMORY(dev);
    bool nvdimm = memory->model == VIR_MEMORY_MODEL_NVDIMM;
    bool virtioMem = memory->model == VIR_MEMORY_MODEL_VIRTIO_MEM;

    if (!nvdimm) {
        memory->alignSize.set = memory->labelSize.set = false;
        memory->pmem = memory->readonly = false;
        g_clear_pointer(&memory->uuid, g_free);
    }
    if (nvdimm || memory->model == VIR_MEMORY_MODEL_VIRTIO_PMEM) {
        memory->pageSize.set = false;
        g_clear_pointer(&memory->nodemask, g_free);
    } else {
        g_clear_pointer(&memory->path, g_free);
    }
    if (!virtioMem)
        memory->block.set = memory->requested.set = memory->current.set = false;
    else if (memory->block.value == 0)
        memory->block = virOptUIntOf(VIR_MEMORY_BLOCK_KIB);
    return true;
}

static bool
virMemoryCheckFile(const virMemory *memory, GError **error)
{
    const char *model = virMemoryModelToString(memory->model);
    bool pmem = memory->model == VIR_MEMORY_MODEL_VIRTIO_PMEM;

    if (!memory->path)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, _("path is required for model '%s'"), model);
    if (memory->discard == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           pmem ? _("discard is not supported for virtio-pmem")
                                : _("discard is not supported for nvdimms"));
    if (pmem && memory->access != VIR_MEMORY_ACCESS_SHARED)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("shared access mode required for virtio-pmem device"));
    if (pmem && memory->node.set)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("virtio-pmem does not support NUMA nodes"));
    if (memory->uuid)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("UUID is not supported for NVDIMM device"));
    return true;
}

static bool
virMemoryCheckVirtio(const virMemory *memory, GError **error)
{
    uint64_t block = memory->block.value;

    if (memory->requested.value > memory->size.value)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("requested size must be smaller than or equal to @size "
                             "(%" PRIu64 "KiB)"),
                           memory->size.value);
    if (block & (block - 1))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("block size must be a power of two"));
    if (block < VIR_MEMORY_BLOCK_KIB)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("block size too small, must be at least %lluKiB"),
                           (unsigned long long)VIR_MEMORY_BLOCK_KIB);
    if (memory->requested.value % block)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("requested size must be an integer multiple of block size"));
    return true;
}

static bool
virMemoryCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virMemory *memory = VIR_MEMORY(dev);

    if (!virMemoryHasSlot(memory) && dev->info.address.type == VIR_ADDRESS_DIMM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("memory device address is not supported for model '%s'"),
                           virMemoryModelToString(memory->model));
    switch (memory->model) {
    case VIR_MEMORY_MODEL_NVDIMM:
    case VIR_MEMORY_MODEL_VIRTIO_PMEM:
        return virMemoryCheckFile(memory, error);
    case VIR_MEMORY_MODEL_VIRTIO_MEM:
        return virMemoryCheckVirtio(memory, error);
    default:
        return true;
    }
}

static unsigned
virMemoryPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    switch (VIR_MEMORY(dev)->model) {
    case VIR_MEMORY_MODEL_VIRTIO_PMEM:
    case VIR_MEMORY_MODEL_VIRTIO_MEM:
        return virVirtioPCIConnect(facts, VIR_VIRTIO_MODEL_DEFAULT);
    default:
        return 0;
    }
}

/* Numbers count within a model; a module on the board is called after its slot. */
static char *
virMemoryAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    static const char *const prefixes[] = {
        [VIR_MEMORY_MODEL_DIMM] = "dimm",
        [VIR_MEMORY_MODEL_NVDIMM] = "nvdimm",
        [VIR_MEMORY_MODEL_VIRTIO_PMEM] = "virtiopmem",
        [VIR_MEMORY_MODEL_VIRTIO_MEM] = "virtiomem",
        [VIR_MEMORY_MODEL_SGX_EPC] = "epc",
    };
    const virMemory *memory = VIR_MEMORY(dev);
    unsigned before = 0;

    if (dev->info.address.type == VIR_ADDRESS_DIMM)
        return g_strdup_printf("%s%u", prefixes[memory->model], dev->info.address.dimm.slot);
    virDevicesForEach(facts->devices, &virMemoryKind, other)
    {
        unsigned number;

        if (VIR_MEMORY(other)->model != memory->model || !other->info.alias ||
            sscanf(other->info.alias + strcspn(other->info.alias, "0123456789"), "%u", &number) !=
                1)
            continue;
        before = MAX(before, number + 1);
    }
    return g_strdup_printf("%s%u", prefixes[memory->model], before);
}

/* By alias or address, else by what it is made of: what may change is no part of that. */
static bool
virMemoryMatches(const virDevice *dev, const virDevice *wanted)
{
    const virMemory *is = VIR_MEMORY(dev);
    const virMemory *like = VIR_MEMORY(wanted);

    if (is->model != like->model)
        return false;
    if (wanted->info.alias)
        return g_strcmp0(dev->info.alias, wanted->info.alias) == 0;
    if (wanted->info.address.type != VIR_ADDRESS_NONE)
        return virAddressEqual(&dev->info.address, &wanted->info.address);
    return is->size.value == like->size.value && is->node.value == like->node.value &&
           is->access == like->access && is->pageSize.value == like->pageSize.value &&
           g_strcmp0(is->nodemask, like->nodemask) == 0 && g_strcmp0(is->path, like->path) == 0 &&
           is->labelSize.value == like->labelSize.value && is->block.value == like->block.value;
}

static bool
virMemoryIsNVDIMM(const virDevice *dev)
{
    return VIR_MEMORY(dev)->model == VIR_MEMORY_MODEL_NVDIMM;
}

static char *
virMemoryLabel(const virDevice *dev)
{
    return g_strdup(virMemoryModelToString(VIR_MEMORY(dev)->model));
}

const virDeviceKind virMemoryKind = {
    .element = "memory",
    .noun = "memory",
    .size = sizeof(virMemory),
    .fields = fields,
    .parse = virMemoryParse,
    .complete = virMemoryComplete,
    .check = virMemoryCheck,
    .matches = virMemoryMatches,
    .pciConnect = virMemoryPCIConnect,
    .alias = virMemoryAlias,
    .isNVDIMM = virMemoryIsNVDIMM,
    .live = {VIR_DEVICE_COMES_AND_GOES | VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
             N_("model '%s' memory device not present in the domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES | VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
               N_("matching memory device was not found")},
    .label = virMemoryLabel,
};
