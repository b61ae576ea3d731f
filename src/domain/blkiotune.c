/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * blkiotune.c: <blkiotune> and <memtune>. */
#include <inttypes.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

static const virField deviceFields[] = {
    VIR_FIELD_STRING("path", virDomainBlkioDevice, path),
    VIR_FIELD_UINT("weight", virDomainBlkioDevice, weight, 0, UINT32_MAX),
    VIR_FIELD_UINT("read_iops_sec", virDomainBlkioDevice, readIops, 0, UINT32_MAX),
    VIR_FIELD_UINT("write_iops_sec", virDomainBlkioDevice, writeIops, 0, UINT32_MAX),
    VIR_FIELD_UINT("read_bytes_sec", virDomainBlkioDevice, readBytes, 0, UINT64_MAX),
    VIR_FIELD_UINT("write_bytes_sec", virDomainBlkioDevice, writeBytes, 0, UINT64_MAX),
    VIR_FIELD_END,
};

static void
virDomainBlkioDeviceFree(void *opaque)
{
    virFieldClear(deviceFields, opaque);
    g_free(opaque);
}

virDomainBlkioDevice *
virDomainBlkioDeviceGet(virDomainBlkiotune *blkio, const char *path)
{
    virDomainBlkioDevice *device;

    if (!blkio->devices)
        blkio->devices = g_ptr_array_new_with_free_func(virDomainBlkioDeviceFree);
    for (guint i = 0; i < blkio->devices->len; i++) {
        device = g_ptr_array_index(blkio->devices, i);
        if (g_str_equal(device->path, path))
            return device;
    }
    device = g_new0(virDomainBlkioDevice, 1);
    device->path = g_strdup(path);
    g_ptr_array_add(blkio->devices, device);
    return device;
}

/* A limit of 0 is no limit and is not written. */
static void
virDomainBlkioDeviceTidy(virDomainBlkioDevice *device)
{
    virOptUInt *const limits[] = {&device->weight, &device->readIops, &device->writeIops,
                                  &device->readBytes, &device->writeBytes};

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++)
        limits[i]->set = limits[i]->value != 0;
}

static bool
virDomainBlkioDevicesParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainBlkiotune *blkio = object;
    xmlNode *element = virXMLFirstChild(node, "blkiotune");
    g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);

    blkio->devices = g_ptr_array_new_with_free_func(virDomainBlkioDeviceFree);
    virXMLForEachChildNamed (element, child, "device") {
        virDomainBlkioDevice *device = g_new0(virDomainBlkioDevice, 1);

        g_ptr_array_add(blkio->devices, device);
        if (!virFieldParse(deviceFields, device, child, parseFlags, error))
            return false;
        if (!device->path)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing per-device path"));
        if (!g_hash_table_add(paths, device->path))
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("duplicate blkio device path '%s'"),
                               device->path);
        virDomainBlkioDeviceTidy(device);
    }
    return true;
}

static void
virDomainBlkiotuneFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainBlkiotune *blkio = object;

    virXMLWriterOpen(w, "blkiotune");
    if (blkio->weight.value)
        virXMLWriterElementF(w, "weight", "%" PRIu64, blkio->weight.value);
    for (guint i = 0; blkio->devices && i < blkio->devices->len; i++) {
        virXMLWriterOpen(w, "device");
        virFieldFormat(deviceFields, g_ptr_array_index(blkio->devices, i), w, formatFlags);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virDomainBlkiotuneClear(void *object)
{
    g_clear_pointer(&((virDomainBlkiotune *)object)->devices, g_ptr_array_unref);
}

static const virField blkioFields[] = {
    VIR_FIELD_UINT("blkiotune/weight", virDomainBlkiotune, weight, 0, UINT32_MAX,
                   .flags = VIR_FIELD_SILENT),
    VIR_FIELD_CODE("blkiotune/device", virDomainBlkioDevicesParse, virDomainBlkiotuneFormat,
                   .clear = virDomainBlkiotuneClear, .flags = VIR_FIELD_MANY,
                   .holds = deviceFields),
    VIR_FIELD_END,
};

const virDomainSection virDomainBlkiotuneSection = {
    .name = "blkiotune",
    .offset = offsetof(virDomainDef, tune.blkio),
    .fields = blkioFields,
};

static const virField memoryFields[] = {
    VIR_FIELD_KIB("memtune/hard_limit", virDomainMemtune, hardLimit),
    VIR_FIELD_KIB("memtune/soft_limit", virDomainMemtune, softLimit),
    VIR_FIELD_KIB("memtune/min_guarantee", virDomainMemtune, minGuarantee),
    VIR_FIELD_KIB("memtune/swap_hard_limit", virDomainMemtune, swapHardLimit),
    VIR_FIELD_END,
};

static bool
virDomainMemtuneComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainMemtune *memory = &def->tune.memory;
    virOptUInt *const limits[] = {&memory->hardLimit, &memory->softLimit, &memory->minGuarantee,
                                  &memory->swapHardLimit};

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (limits[i]->value >= VIR_DOMAIN_MEMORY_UNLIMITED)
            limits[i]->set = false;
    }
    return true;
}

const virDomainSection virDomainMemtuneSection = {
    .name = "memtune",
    .offset = offsetof(virDomainDef, tune.memory),
    .fields = memoryFields,
    .complete = virDomainMemtuneComplete,
};

static const virField resourceFields[] = {
    VIR_FIELD_STRING("resource/partition", virDomainResource, partition),
    VIR_FIELD_STRING("resource/fibrechannel@appid", virDomainResource, appid),
    VIR_FIELD_END,
};

/* VMIDs of the fabric: 128 bytes with the NUL, printable. */
static bool
virDomainResourceCheck(const virDomainDef *def, GError **error)
{
    const char *appid = def->resource.appid;

    for (const char *at = appid; at && *at; at++) {
        if (!g_ascii_isprint(*at))
            return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                               _("Fibre Channel 'appid' is not a printable string"));
    }
    if (appid && (!*appid || strlen(appid) > 128))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("Fibre Channel 'appid' string length must be between [%d, %d]"), 1,
                           128);
    return true;
}

const virDomainSection virDomainResourceSection = {
    .name = "resource",
    .offset = offsetof(virDomainDef, resource),
    .fields = resourceFields,
    .check = virDomainResourceCheck,
};
