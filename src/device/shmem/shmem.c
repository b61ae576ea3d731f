/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shmem.c: <shmem> as a document. */
#include "device/shmem/shmem.h"

#include <inttypes.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virShmemModel, VIR_SHMEM_MODEL_LAST, "ivshmem", "ivshmem-plain", "ivshmem-doorbell");

static const char *const roles[] = {NULL, "master", "peer"};
static const virEnum roleNames = {roles, G_N_ELEMENTS(roles)};

enum { VIR_SHMEM_MIB = 1024 * 1024 };

static bool
virShmemParseSize(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    bool set;

    return virXMLScaled(node, "size", 1, INT64_MAX, /* required: */ false, &set,
                        &VIR_SHMEM(object)->size, error);
}

static void
virShmemFormatSize(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virShmem *shmem = object;
    bool whole = shmem->size % VIR_SHMEM_MIB == 0;

    if (shmem->size == 0)
        return;
    virXMLWriterOpen(w, "size");
    virXMLWriterAttr(w, "unit", whole ? "M" : "bytes");
    virXMLWriterTextF(w, "%" PRIu64, whole ? shmem->size / VIR_SHMEM_MIB : shmem->size);
    virXMLWriterClose(w);
}

static bool
virShmemSameSize(const void *a, const void *b, GError **error)
{
    return VIR_SHMEM(a)->size == VIR_SHMEM(b)->size ||
           virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target shared memory size '%" PRIu64
                         "' does not match source size '%" PRIu64 "'"),
                       VIR_SHMEM(b)->size, VIR_SHMEM(a)->size);
}

static const virField sizeHolds[] = {
    VIR_HOLDS_SIZE("."),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_STRING("@name", virShmem, name, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("@role", virShmem, role, roleNames, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("model@type", virShmem, model, virShmemModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_ZERO),
    VIR_FIELD_CODE("size", virShmemParseSize, virShmemFormatSize, .same = virShmemSameSize,
                   .holds = sizeHolds),
    VIR_FIELD_PRESENT("server", virShmem, server, .flags = VIR_FIELD_ABI),
    VIR_FIELD_STRING("server@path", virShmem, serverPath),
    VIR_FIELD_PRESENT("msi", virShmem, msi, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("msi@vectors", virShmem, vectors, 0, UINT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ONOFF("msi@ioeventfd", virShmem, ioeventfd, .flags = VIR_FIELD_ABI),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virShmemParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    const virShmem *shmem = VIR_SHMEM(dev);

    if (!shmem->name)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("shmem element must contain 'name' attribute"));
    if (shmem->msi && !shmem->server)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("msi option is only supported with a server"));
    return true;
}

/* The name becomes one of a file. */
static bool
virShmemCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const char *name = VIR_SHMEM(dev)->name;

    if (strchr(name, '/'))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("shmem name cannot include '/' character"));
    if (g_str_equal(name, "."))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("shmem name cannot be equal to '.'"));
    if (g_str_equal(name, ".."))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("shmem name cannot be equal to '..'"));
    return true;
}

static unsigned
virShmemPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    return VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
}

static char *
virShmemLabel(const virDevice *dev)
{
    return g_strdup(virShmemModelToString(VIR_SHMEM(dev)->model));
}

static bool
virShmemMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    virDevicesForEach(devices, &virShmemKind, other)
    {
        if (!live && virFieldMatches(dev->kind->fields, other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                               _("device is already in the domain configuration"));
    }
    return true;
}

const virDeviceKind virShmemKind = {
    .element = "shmem",
    .noun = "shmem",
    .size = sizeof(virShmem),
    .fields = fields,
    .parse = virShmemParse,
    .check = virShmemCheck,
    .pciConnect = virShmemPCIConnect,
    .aliasPrefix = "shmem",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("model '%s' shmem device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
               N_("matching shmem device was not found")},
    .label = virShmemLabel,
    .mayJoin = virShmemMayJoin,
};
